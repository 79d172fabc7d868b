// After tsc: puts the files that tsc does not write into dist/core/ (the binaries, which workerd, edge runtimes and bundlers
// import as files, and the type of such an import), and makes each entry one file, as finding and reading a file
// costs a starting runtime more than its code does (measured: docs/performance.md).
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { bracketCalled, firstPrediction } from "./eager.mjs";
import { writeLicences } from "./licences.mjs";
import { buildForNode } from "./node.mjs";
import { shorten } from "./shorten.mjs";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const dist = join(root, "dist");
const core = join(dist, "core");

const OPTIONS = {
  absWorkingDir: root,
  outdir: "dist",
  outbase: "dist",
  bundle: true,
  format: "esm",
  platform: "neutral",
  target: "es2022",
  logLevel: "warning",
};

if (!readFileSync(join(dist, "index.js"), "utf8").includes('"./network.js"')) {
  throw new Error("dist/index.js: expected what tsc writes; run tsc first");
}
mkdirSync(core, { recursive: true });
for (const real of ["f32", "f64"]) {
  copyFileSync(join(root, "build", `${real}.simd.wasm`), join(core, `core.${real}.wasm`));
  copyFileSync(join(root, "build", `${real}.relaxed.wasm`), join(core, `core.${real}.relaxed.wasm`));
  copyFileSync(join(root, "build", `${real}.standalone.wasm`), join(dist, "predict", `standalone.${real}.wasm`));
}
copyFileSync(join(root, "src", "core", "core-wasm.d.ts"), join(core, "core-wasm.d.ts"));

// Where a platform compiles the binaries ahead of time, `#core` of package.json says how. Its bundlers shorten the code.
const edge = await build({
  ...OPTIONS,
  entryPoints: ["dist/index.js"],
  external: ["#core", "@assemblyscript/loader"],
  write: false,
});
const predictEdge = await build({
  ...OPTIONS,
  entryPoints: ["dist/predict/index.js"],
  external: ["#standalone"],
  write: false,
});
// Everywhere else one file carries all: the binaries and the loader too.
const main = await build({
  ...OPTIONS,
  entryPoints: ["dist/index.js"],
  alias: { "#core": "./dist/core/source.embedded.js" },
  minifySyntax: true,
  sourcemap: "inline",
  metafile: true,
  write: false,
});
// Shortened as a script, whose names at the top stay: the clause is set aside.
const [{ text: whole }] = main.outputFiles;
const clause = /^export \{[^}]*\};\n/m.exec(whole)?.[0];
if (clause === undefined) throw new Error("dist/index.js: expected an export clause at the end");
const { code, map } = await shorten(whole.replace(clause, ""), { target: OPTIONS.target, sourcefile: "index.js" });
await buildForNode({ root, dist, options: OPTIONS });
// The binaries as text are no source to read.
for (const [i, source] of map.sources.entries()) if (source.endsWith("/embedded.ts")) map.sourcesContent[i] = null;
writeFileSync(join(dist, "index.edge.js"), edge.outputFiles[0].text);
writeFileSync(
  join(dist, "index.js"),
  `${code}${clause.replace(/\s+/g, " ").trimEnd()}\n//# sourceMappingURL=index.js.map\n`,
);
writeFileSync(join(dist, "index.js.map"), JSON.stringify(map));
bracketCalled([join(dist, "index.js")], firstPrediction(join(dist, "index.js")));
const heading = "index.js and node/main.cjs contain code of these packages, without white space and with other names.";
writeLicences(join(dist, "LICENSES.txt"), { heading, inputs: main.metafile.inputs, root });

await build({
  ...OPTIONS,
  entryPoints: [
    "dist/relaxed.js",
    "dist/receipt.js",
    "dist/core/source.embedded.js",
    "dist/export/index.js",
    "dist/predict/index.js",
    "dist/predict/source.embedded.js",
  ],
  alias: { "#standalone": "./dist/predict/source.embedded.js" },
  allowOverwrite: true,
});
writeFileSync(join(dist, "predict", "index.edge.js"), predictEdge.outputFiles[0].text);
