// The main entry for Node, in parts, as a process that starts is held up by every letter of its entry (measured:
// docs/performance.md): main.cjs creates networks and predicts, the other parts are read when something in them is called for the
// first time. In CommonJS, whose `require` reads at once where it stands, and in such a way that a bundler which comes upon it finds
// every part. Bundlers are meant to take the one file instead (`module`).
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { build } from "esbuild";
import { bracketCalled, firstPrediction } from "./eager.mjs";
import { shorten } from "./shorten.mjs";

/** The other parts and their doors: files of functions alone, behind which a part is read when one is called. */
const PARTS = {
  saving: ["saving.js"],
  initial: ["initial-matrix.js"],
  js: ["js/core.js"],
  later: ["later.js"],
};
/** Files of which each part takes what it needs: constants, which are put where they are used, and arithmetic. */
const COPIED = /^(core\/abi|js\/\w+)\.js$/;
const SCRIPTS = ["main", ...Object.keys(PARTS), "core.f32", "core.f64"].map((name) => `./${name}.cjs`);

/**
 * Reads a part once for this main.cjs, which gives it its own exports: with `require` it would get those of another main.cjs
 * where somebody has emptied the cache (Jest does), and with them other classes.
 */
const READER = `
  const files = { ${Object.keys(PARTS).map((part) => `${part}: () => require("./${part}.cjs")`)} };
  const parts = {};
  export function part(name) {
    let found = parts[name];
    if (found === undefined) {
      const given = { main: module.exports, part, exports: undefined };
      files[name]()(given);
      found = parts[name] = given.exports;
    }
    return found;
  }`;

/**
 * Writes index.node.js and node/.
 *
 * @param dist the folder, as tsc has written it
 * @param options those of every build
 */
export async function buildForNode({ root, dist, options }) {
  const values = publicNames(dist);
  const stubs = new Map();
  /** By part: [file, name] of each function, class or constant that it exports. */
  const exported = { main: [...values] };
  for (const [part, doors] of Object.entries(PARTS)) {
    exported[part] = [];
    for (const door of doors) {
      const functions = await exportsOf(join(dist, door), options);
      const lines = functions.map((name) => `export const ${name} = (...given) => part("${part}").${name}(...given);`);
      stubs.set(door, ['import { part } from "#parts";', ...lines].join("\n"));
      for (const name of functions) exported[part].push([door, name]);
    }
  }
  const [float32, float64] = ["f32", "f64"].map((real) => readFileSync(join(root, "build", `${real}.simd.wasm`)));
  const owner = new Map(Object.values(PARTS).flatMap((doors) => doors.map((door) => [door, "main"])));
  const context = { dist, stubs, owner, lengths: { float32: float32.length, float64: float64.length }, options };
  await divide(exported, context);
  const out = join(dist, "node");
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out);
  for (const [part, list] of Object.entries(exported)) await writePart(join(out, `${part}.cjs`), part, list, context);
  writeFileSync(join(out, "core.f32.cjs"), `module.exports = "${float32.toString("base64")}";\n`);
  writeFileSync(join(out, "core.f64.cjs"), `module.exports = "${float64.toString("base64")}";\n`);
  eagerParts(out);
  // Node reads a CommonJS file that a module imports letter by letter for its names: this one in place of main.cjs.
  const names = values.map(([, name]) => name).sort();
  const lines = names.map((name) => `exports.${name} = main.${name};\n`);
  writeFileSync(join(out, "index.cjs"), `"use strict";\nconst main = require("./main.cjs");\n${lines.join("")}`);
  writeFileSync(join(out, "index.d.cts"), typesOf(values, dist));
  writeFileSync(join(dist, "index.node.js"), `export { ${names.join(", ")} } from "./node/index.cjs";\n`);
}

/** What these two call in any case. Of what the others call when they are read, most is in main.cjs, and brackets gained nothing. */
function eagerParts(out) {
  const [main, saving] = ["main", "saving"].map((part) => join(out, `${part}.cjs`));
  const predicting = firstPrediction(main);
  bracketCalled([main], predicting);
  bracketCalled([saving], `${predicting} await Network.load(network.save());`);
}

/**
 * Finds what each part holds (`owner`, by file) and what it takes of those before it (added to their lists in `exported`), until nothing
 * more is taken: an export may bring a file along.
 */
async function divide(exported, context) {
  const { owner } = context;
  const order = Object.keys(exported);
  for (let more = true; more; ) {
    more = false;
    for (const part of order) {
      const wanted = new Map();
      const entry = exported[part].map(([file, name]) => `export { ${name} } from "./${file}";`);
      const { text, files } = await bundle(part, entry, { ...context, wanted, format: "esm" });
      for (const file of files) {
        if (owner.has(file) && order.indexOf(owner.get(file)) <= order.indexOf(part)) continue;
        owner.set(file, part);
        more = true;
      }
      for (const [file, name] of importsOf(text, wanted)) {
        const list = exported[owner.get(file)];
        if (list.some((each) => each[0] === file && each[1] === name)) continue;
        list.push([file, name]);
        more = true;
      }
    }
  }
}

/**
 * The binaries lie beside main.cjs, and reading one costs a tenth of what its text does, which Node would read letter by letter. A bundle,
 * whose file has another name, has only the text. What another version has put there since is not taken.
 */
function coreSource(lengths) {
  return `import { decodeBase64 } from "./core/base64.js";
    const LENGTHS = ${JSON.stringify(lengths)};
    const TEXTS = { float32: () => require("./core.f32.cjs"), float64: () => require("./core.f64.cjs") };
    export function binary(dtype) {
      const bytes = beside(dtype) ?? decodeBase64(TEXTS[dtype]());
      if (bytes.length === LENGTHS[dtype]) return bytes;
      const message = "the package was replaced by another version while this process runs; start it again";
      throw Object.assign(new Error(message), { code: "CHAINRULE_REPLACED" });
    }
    function beside(dtype) {
      try {
        if (!/[\\/]node[\\/]main.cjs$/.test(__filename)) return undefined;
        const file = __dirname + "/../core/core." + (dtype === "float32" ? "f32" : "f64") + ".wasm";
        const bytes = process.getBuiltinModule("fs").readFileSync(file);
        return bytes.length === LENGTHS[dtype] ? bytes : undefined;
      } catch {
        return undefined;
      }
    }`;
}

/** The types of index.cjs: those of the module, which CommonJS may look at and not require. */
function typesOf(values, dist) {
  const like = 'from "../index.js" with { "resolution-mode": "import" };';
  const lines = values.map(([file, name]) => {
    const declared = readFileSync(join(dist, file.replace(/\.js$/, ".d.ts")), "utf8");
    const isClass = declared.includes(`export declare class ${name} `);
    return `export declare const ${name}: typeof module.${name};\n${isClass ? `export type ${name} = module.${name};\n` : ""}`;
  });
  return `import type * as module ${like}\n\nexport type * ${like}\n${lines.join("")}`;
}

/** [file, name] of what index.js exports. */
function publicNames(dist) {
  const text = readFileSync(join(dist, "index.js"), "utf8");
  return [...text.matchAll(/^export \{([^}]*)\} from "\.\/([^"]*)";$/gm)].flatMap(([, clause, file]) =>
    namesOf(clause).map((name) => [file, name]),
  );
}

/** The names of an import or export clause. */
function namesOf(clause) {
  return clause
    .split(",")
    .map((each) => each.trim().split(" as ")[0])
    .filter((name) => name !== "");
}

async function exportsOf(file, options) {
  const { metafile } = await build({ ...options, bundle: false, entryPoints: [file], write: false, metafile: true });
  return Object.values(metafile.outputs)[0].exports;
}

/** A part but main.cjs is a function of what it is given: `main`, main.cjs's exports, and `part`, which gives those of another. */
async function writePart(path, part, list, context) {
  const entry = list.map(([file, name]) => `import { ${name} } from "./${file}";`);
  // An object of values: compiled code reads its properties as constants, those that esbuild would write as calls. Nor does it
  // have the mark of a translated module, in whose presence some bundlers take `import main` for `main.default`.
  const to = part === "main" ? "module.exports" : "given.exports";
  entry.push(`${to} = { ${list.map(([, name]) => name).join(", ")} };`);
  const { text, files } = await bundle(part, entry, { ...context, format: "cjs" });
  const twice = files.find((file) => context.owner.get(file) !== part && !PARTS[part]?.includes(file));
  if (twice !== undefined) throw new Error(`${part}.cjs: ${twice} is in ${context.owner.get(twice) ?? "no part"} too`);
  const inner = text.replace(/\brequire\("\.\/(\w+)\.cjs"\)/g, (whole, name) =>
    part === "main" ? whole : name === "main" ? "given.main" : `given.part("${name}")`,
  );
  if (part !== "main" && /\brequire\(/.test(inner)) throw new Error(`${part}.cjs: expected no require`);
  const sourcefile = `${part}.cjs`;
  const { code, map } = await shorten(inner, { target: context.options.target, sourcefile });
  // In brackets, as engines then read the function whole at once and not a second time when it is called.
  const [begin, end] =
    part === "main" ? ['"use strict";', ""] : ['"use strict";module.exports=(function(given){', "});"];
  writeFileSync(path, `${begin}\n${code.trimEnd()}\n${end}\n//# sourceMappingURL=${sourcefile}.map\n`);
  writeFileSync(`${path}.map`, JSON.stringify({ ...map, mappings: `;${map.mappings}` }));
}

/** One part: its text, and the files of `dist` that are in it; not those that are copied, or made here. */
async function bundle(part, entry, { options, format, ...context }) {
  const { outputFiles, metafile } = await build({
    ...options,
    absWorkingDir: context.dist,
    outdir: undefined,
    outbase: undefined,
    outfile: join(context.dist, "node", `${part}.cjs`),
    stdin: { contents: entry.join("\n"), resolveDir: context.dist, sourcefile: `node/${part}.js` },
    format,
    external: SCRIPTS,
    minifySyntax: true,
    sourcemap: "inline",
    metafile: true,
    write: false,
    logOverride: { "commonjs-variable-in-esm": "silent" },
    plugins: [partPlugin(part, context)],
  });
  const [{ inputs }] = Object.values(metafile.outputs);
  const files = Object.keys(inputs).filter(
    (file) => inputs[file].bytesInOutput > 0 && !COPIED.test(file) && !/^node[:/]/.test(file),
  );
  return { text: outputFiles[0].text, files };
}

/**
 * What an earlier part holds is taken from there, and doors that are not the part's own from main.cjs, where they are closed.
 * @param wanted for a bundle that only tells what it takes: gets the file of each name that it imports from
 */
function partPlugin(part, { dist, stubs, owner, lengths, wanted }) {
  const fileOf = (path) => path.slice(dist.length + 1);
  return {
    name: part,
    setup({ onLoad, onResolve }) {
      onResolve({ filter: /^#(core|parts)$/ }, ({ path }) => ({ path: path.slice(1), namespace: "node" }));
      onLoad({ filter: /^parts$/, namespace: "node" }, () => ({ contents: READER }));
      onLoad({ filter: /^core$/, namespace: "node" }, () => ({
        contents: coreSource(lengths),
        resolveDir: dist,
      }));
      onResolve({ filter: /^\./ }, ({ path, resolveDir }) => {
        const file = fileOf(resolve(resolveDir, path));
        const from = owner.get(file);
        if (from === undefined || from === part || PARTS[part]?.includes(file)) return undefined;
        if (wanted === undefined) return { path: `./${from}.cjs`, external: true };
        wanted.set(`wanted:${file}`, file);
        return { path: `wanted:${file}`, external: true };
      });
      onLoad({ filter: /\.js$/ }, ({ path }) => {
        const file = fileOf(path);
        return part === "main" && stubs.has(file) ? { contents: stubs.get(file) } : undefined;
      });
    },
  };
}

/** [file, name] of what a bundle imports from `wanted`; esbuild refuses a part that would export a name twice. */
function importsOf(text, wanted) {
  if (/^import (?!\{)/m.test(text)) throw new Error("expected imports by name alone");
  return [...text.matchAll(/^import \{([^}]*)\} from "(wanted:[^"]*)";$/gm)].flatMap(([, clause, path]) =>
    namesOf(clause).map((name) => [wanted.get(path), name]),
  );
}
