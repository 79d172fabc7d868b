// After tsc: puts the files that tsc does not write into dist/core/ (the baseline binaries, which workerd, edge runtimes and
// bundlers import as files, and the type of such an import), and makes each entry one file: a runtime that has to find and
// read seventy takes three times as long to begin (measured).
import { copyFileSync, mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const target = join(root, "dist", "core");

mkdirSync(target, { recursive: true });
copyFileSync(join(root, "build", "f32.simd.wasm"), join(target, "core.f32.wasm"));
copyFileSync(join(root, "build", "f64.simd.wasm"), join(target, "core.f64.wasm"));
copyFileSync(join(root, "src", "core", "core-wasm.d.ts"), join(target, "core-wasm.d.ts"));

await build({
  absWorkingDir: root,
  // Which binaries are carried, and how, is chosen by the package's `imports` on each runtime: files of their own.
  entryPoints: ["dist/index.js", "dist/relaxed.js", "dist/core/source.embedded.js"],
  outdir: "dist",
  outbase: "dist",
  allowOverwrite: true,
  bundle: true,
  format: "esm",
  platform: "neutral",
  target: "es2022",
  external: ["#core", "@assemblyscript/loader"],
  sourcemap: true,
  logLevel: "warning",
});
