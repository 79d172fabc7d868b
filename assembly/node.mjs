// The main entry for Node, in parts, as a process that starts is held up by every letter of its entry (measured:
// docs/performance.md): main.cjs creates networks and predicts, the other parts are read when something in them is called for the
// first time, the text of a core when it is compiled. In CommonJS, whose `require` reads at once where it stands, and in such a
// way that a bundler which comes upon it finds every part. Bundlers are meant to take the one file instead (`module`).
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
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
const SCRIPTS = ["main", ...Object.keys(PARTS), "core.f32", "core.f64"].map((name) => `./${name}.cjs`);

/**
 * Writes index.node.js and node/.
 *
 * @param dist the folder, as tsc has written it
 * @param options those of every build
 * @param shortened makes a script short: (text with an inline map, its name) → { code, map }
 */
export async function buildForNode({ root, dist, options, shortened }) {
  const stubs = new Map();
  for (const [part, doors] of Object.entries(PARTS)) {
    for (const door of doors) stubs.set(join(dist, door), await stubsOf(join(dist, door), part, options));
  }
  // First what each part holds, and what it wants of those before it; then the parts with all that is wanted of them.
  const entries = { main: ['export * from "./index.js";'] };
  for (const [part, doors] of Object.entries(PARTS)) entries[part] = doors.map((door) => `export * from "./${door}";`);
  const owner = new Map();
  let names;
  for (const [part, lines] of Object.entries(entries)) {
    const wanted = new Map();
    const plugin = partPlugin(part, { dist, stubs, owner, wanted });
    const { text, inputs, exports } = await bundle(part, lines, plugin, { dist, options });
    names ??= exports;
    for (const input of inputs) if (!owner.has(input)) owner.set(input, part);
    for (const [file, name] of importsOf(text, wanted)) {
      entries[owner.get(file)].push(`export { ${name} } from "./${file}";`);
    }
  }
  const out = join(dist, "node");
  mkdirSync(out, { recursive: true });
  for (const [part, lines] of Object.entries(entries)) {
    const plugin = partPlugin(part, { dist, stubs, owner });
    const { text } = await bundle(part, [...new Set(lines)], plugin, { dist, options, format: "cjs" });
    const file = `${part}.cjs`;
    const { code, map } = await shortened(withPlainExports(text, file), file);
    writeFileSync(join(out, file), `${code.trimEnd()}\n//# sourceMappingURL=${file}.map\n`);
    writeFileSync(join(out, `${file}.map`), JSON.stringify(map));
  }
  for (const real of ["f32", "f64"]) {
    const text = readFileSync(join(root, "build", `${real}.simd.wasm`)).toString("base64");
    writeFileSync(join(out, `core.${real}.cjs`), `module.exports = "${text}";\n`);
  }
  // Node reads a CommonJS file that a module imports letter by letter for its names: this one in place of main.cjs.
  const lines = names.map((name) => `exports.${name} = main.${name};\n`);
  writeFileSync(join(out, "index.cjs"), `"use strict";\nconst main = require("./main.cjs");\n${lines.join("")}`);
  writeFileSync(join(dist, "index.node.js"), `export { ${names.join(", ")} } from "./node/index.cjs";\n`);
}

/** What stands in a door's place in the parts before it. */
async function stubsOf(door, part, options) {
  const { metafile } = await build({ ...options, bundle: false, entryPoints: [door], write: false, metafile: true });
  const [{ exports }] = Object.values(metafile.outputs);
  const read = `let read; const part = () => (read ??= require("./${part}.cjs"));`;
  return [read, ...exports.map((name) => `export const ${name} = (...given) => part().${name}(...given);`)].join("\n");
}

/** One part: its text, the files of `dist` that are in it, and what it exports. */
async function bundle(part, lines, plugin, { dist, options, format = "esm" }) {
  const { outputFiles, metafile } = await build({
    ...options,
    absWorkingDir: dist,
    outdir: undefined,
    outbase: undefined,
    outfile: join(dist, "node", `${part}.cjs`),
    banner: { js: '"use strict";' },
    stdin: { contents: lines.join("\n"), resolveDir: dist, sourcefile: `node/${part}.js` },
    format,
    external: SCRIPTS,
    minifySyntax: true,
    sourcemap: "inline",
    metafile: true,
    write: false,
    plugins: [plugin],
  });
  const [{ inputs, exports }] = Object.values(metafile.outputs);
  const files = Object.keys(inputs).filter((file) => inputs[file].bytesInOutput > 0 && !COPIED.test(file));
  return { text: outputFiles[0].text, inputs: files, exports };
}

/**
 * What an earlier part holds is taken from there, and doors to other parts are closed.
 * @param wanted for a bundle that only tells what it takes: gets the file of each name that it imports from
 */
function partPlugin(part, { dist, stubs, owner, wanted }) {
  const open = new Set(PARTS[part]?.map((door) => join(dist, door)));
  return {
    name: part,
    setup({ onLoad, onResolve }) {
      onResolve({ filter: /^#core$/ }, () => ({ path: "core", namespace: "node" }));
      onLoad({ filter: /./, namespace: "node" }, () => ({
        contents: `import { decodeBase64 } from "./core/base64.js";
          const text = (dtype) => (dtype === "float32" ? require("./core.f32.cjs") : require("./core.f64.cjs"));
          export const binary = (dtype) => decodeBase64(text(dtype));`,
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

/**
 * Exports as properties that hold their values, which compiled code reads as constants, and without the mark of a translated
 * module, in whose presence some bundlers take `import main` for `main.default`.
 */
function withPlainExports(text, file) {
  const marked = /^module\.exports = __toCommonJS\((\w+)\);$/m;
  const name = marked.exec(text)?.[1];
  if (name === undefined) throw new Error(`${file}: expected exports to replace`);
  const map = text.lastIndexOf("//# sourceMappingURL=");
  return `${text.slice(0, map).replace(marked, "")}module.exports = { ...${name} };\n${text.slice(map)}`;
}
