// The main entry for Node, in parts, as a process that starts is held up by every letter of its entry (measured:
// docs/performance.md): main.cjs creates networks and predicts, the other parts are read when something in them is called for the
// first time. In CommonJS, whose `require` reads at once where it stands, and in such a
// way that a bundler which comes upon it finds every part. Bundlers are meant to take the one file instead (`module`).
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { build } from "esbuild";

/** The other parts and their doors: files of functions alone, behind which a part is read when one is called. */
const PARTS = {
  saving: ["saving.js"],
  initial: ["initial-matrix.js"],
  js: ["js/core.js"],
  later: ["later.js"],
};
/** Files without state, of which each part takes what it needs: constants, which are put where they are used, and arithmetic. */
const COPIED = /^(core\/abi|js\/\w+)\.js$/;
const SCRIPTS = ["main", ...Object.keys(PARTS), "core.f64"].map((name) => `./${name}.cjs`);

/**
 * Writes index.node.js and node/.
 *
 * @param dist the folder, as tsc has written it
 * @param options those of every build
 * @param shortened makes a script short: (text with an inline map, its name) → { code, map }
 */
export async function buildForNode({ root, dist, options, shortened }) {
  const exportsOf = async (file) => {
    const entryPoints = [join(dist, file)];
    const { metafile } = await build({ ...options, bundle: false, entryPoints, write: false, metafile: true });
    return Object.values(metafile.outputs)[0].exports;
  };
  const names = await exportsOf("index.js");
  const stubs = new Map();
  /** By part: [file, name] of each function, class or constant that it exports. */
  const exported = { main: names.map((name) => ["index.js", name]) };
  for (const [part, doors] of Object.entries(PARTS)) {
    exported[part] = [];
    for (const door of doors) {
      const functions = await exportsOf(door);
      stubs.set(join(dist, door), stubsOf(functions, part));
      for (const name of functions) exported[part].push([door, name]);
    }
  }
  const float32 = readFileSync(join(root, "build", "f32.simd.wasm")).toString("base64");
  const float64 = readFileSync(join(root, "build", "f64.simd.wasm")).toString("base64");
  const owner = new Map();
  const context = { dist, stubs, owner, float32, options };
  // First what each part holds, and what it takes of those before it; then the parts with all that is taken of them.
  for (const part of Object.keys(exported)) {
    const wanted = new Map();
    const entry = exported[part].map(([file, name]) => `export { ${name} } from "./${file}";`);
    const { text, files } = await bundle(part, entry, { ...context, wanted, format: "esm" });
    for (const file of files) if (!owner.has(file)) owner.set(file, part);
    for (const [file, name] of importsOf(text, wanted)) {
      // A public name is exported as it is; a name that two files have for two things, esbuild refuses.
      const list = exported[owner.get(file)];
      if (names.includes(name) || list.some((each) => each[0] === file && each[1] === name)) continue;
      list.push([file, name]);
    }
  }
  const out = join(dist, "node");
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out);
  for (const [part, list] of Object.entries(exported)) {
    const entry = list.map(([file, name]) => `import { ${name} } from "./${file}";`);
    // An object of values: compiled code reads its properties as constants, those that esbuild would write as calls. Nor does it
    // have the mark of a translated module, in whose presence some bundlers take `import main` for `main.default`.
    entry.push(`module.exports = { ${list.map(([, name]) => name).join(", ")} };`);
    const { text } = await bundle(part, entry, { ...context, format: "cjs" });
    const file = `${part}.cjs`;
    const { code, map } = await shortened(text, file);
    writeFileSync(join(out, file), `${code.trimEnd()}\n//# sourceMappingURL=${file}.map\n`);
    writeFileSync(join(out, `${file}.map`), JSON.stringify(map));
  }
  writeFileSync(join(out, "core.f64.cjs"), `module.exports = "${float64}";\n`);
  // Node reads a CommonJS file that a module imports letter by letter for its names: this one in place of main.cjs.
  const lines = names.map((name) => `exports.${name} = main.${name};\n`);
  writeFileSync(join(out, "index.cjs"), `"use strict";\nconst main = require("./main.cjs");\n${lines.join("")}`);
  writeFileSync(join(dist, "index.node.js"), `export { ${names.join(", ")} } from "./node/index.cjs";\n`);
}

/** What stands in a door's place in the other parts. */
function stubsOf(functions, part) {
  const read = `let read; const part = () => (read ??= require("./${part}.cjs"));`;
  return [read, ...functions.map((name) => `export const ${name} = (...given) => part().${name}(...given);`)].join(
    "\n",
  );
}

/** One part: its text, and the files of `dist` that are in it. */
async function bundle(part, entry, { options, format, ...context }) {
  const { outputFiles, metafile } = await build({
    ...options,
    absWorkingDir: context.dist,
    outdir: undefined,
    outbase: undefined,
    outfile: join(context.dist, "node", `${part}.cjs`),
    banner: { js: '"use strict";' },
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
  const files = Object.keys(inputs).filter((file) => inputs[file].bytesInOutput > 0 && !COPIED.test(file));
  return { text: outputFiles[0].text, files };
}

/**
 * What an earlier part holds is taken from there, and doors to other parts are closed.
 * @param wanted for a bundle that only tells what it takes: gets the file of each name that it imports from
 */
function partPlugin(part, { dist, stubs, owner, float32, wanted }) {
  const open = new Set(PARTS[part]?.map((door) => join(dist, door)));
  return {
    name: part,
    setup({ onLoad, onResolve }) {
      onResolve({ filter: /^#core$/ }, () => ({ path: "core", namespace: "node" }));
      onLoad({ filter: /./, namespace: "node" }, () => ({
        contents: `import { decodeBase64 } from "./core/base64.js";
          const float32 = "${float32}";
          export const binary = (dtype) => decodeBase64(dtype === "float32" ? float32 : require("./core.f64.cjs"));`,
        resolveDir: dist,
      }));
      onResolve({ filter: /^\./ }, ({ path, resolveDir }) => {
        const full = resolve(resolveDir, path);
        const file = full.slice(dist.length + 1);
        const from = owner.get(file);
        if (from === undefined || from === part || stubs.has(full)) return undefined;
        if (wanted === undefined) return { path: `./${from}.cjs`, external: true };
        wanted.set(`wanted:${file}`, file);
        return { path: `wanted:${file}`, external: true };
      });
      onLoad({ filter: /\.js$/ }, ({ path }) => {
        if (!stubs.has(path) || open.has(path)) return undefined;
        return { contents: stubs.get(path) };
      });
    },
  };
}

/** [file, name] of what a bundle imports from `wanted`; esbuild refuses a part that would export a name twice. */
function importsOf(text, wanted) {
  if (/^import (?!\{)/m.test(text)) throw new Error("expected imports by name alone");
  return [...text.matchAll(/^import \{([^}]*)\} from "(wanted:[^"]*)";$/gm)].flatMap(([, clause, path]) => {
    const names = clause.split(",").map((each) => each.trim().split(" as ")[0]);
    return names.filter((name) => name !== "").map((name) => [wanted.get(path), name]);
  });
}
