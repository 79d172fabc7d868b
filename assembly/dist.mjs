// The last step of the build, after tsc: puts the files that tsc does not write into dist/core/: the baseline binaries,
// which workerd, edge runtimes and bundlers import as files, and the type of such an import.
import { copyFileSync, mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const target = join(root, "dist", "core");

mkdirSync(target, { recursive: true });
copyFileSync(join(root, "build", "f32.simd.wasm"), join(target, "core.f32.wasm"));
copyFileSync(join(root, "build", "f64.simd.wasm"), join(target, "core.f64.wasm"));
copyFileSync(join(root, "src", "core", "core-wasm.d.ts"), join(target, "core-wasm.d.ts"));
