// The package's types as the oldest and the current TypeScript read them in each way to resolve modules, without the DOM
// library and with every declaration checked; and with that library, where modules and responses have types.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { run } from "../process.mjs";

const PROGRAM = `import { type CoreSources, type History, init, initSync, Network } from "chainrule";
import { type Sink, run } from "chainrule/cli";
import core from "chainrule/core.f32.wasm";
import { type Dataset, iris } from "chainrule/datasets";
import { relaxed } from "chainrule/relaxed";

const network: Network = await Network.create({ inputs: 2, layers: [{ units: 1, activation: "sigmoid" }] });
export const history: History = await network.fit([[0, 1]], [1], { epochs: 2, optimizer: "adam" });
export const prediction: number | undefined = network.predict([[1, 2]]).data[0];
export const compiled: object = core;
export const data: Dataset<Float64Array, Int32Array> = iris();
network.fitSync(data.x, data.y, { epochs: 1 });
const sources: CoreSources = relaxed();
initSync(sources);
initSync({ kind: "simd", float32: core, float64: new Uint8Array(8) });
await init({ kind: "simd", float32: "/core.wasm", float64: { href: "https://example.org/core.wasm" } });
const sink: Sink = { write() {} };
export const code: number = await run(["--help"], { stdout: sink, stderr: sink, env: {} });
// @ts-expect-error: no such option
network.fitSync([[0, 1]], [1], { epoch: 2 });
// @ts-expect-error: no such kind
initSync({ kind: "fast", float32: core });
// @ts-expect-error: what is not there yet is for init alone
initSync({ kind: "simd", float32: "/core.wasm" });
`;

const WITH_DOM = `import { init } from "chainrule";
import core from "chainrule/core.f64.wasm";

const module: WebAssembly.Module = core;
await init({ kind: "simd", float32: fetch("/core.wasm"), float64: module });
await init({ kind: "simd", float32: await fetch("/core.wasm"), float64: new URL("https://example.org/core.wasm") });
`;

/** A module of CommonJS, where `require` takes the entry's parts for Node. */
const COMMON = `import { DivergenceError, type FitOptions, init, initSync, Network } from "chainrule";
import chainrule = require("chainrule");

const network: Network = Network.createSync({ inputs: 2, layers: [{ units: 1 }] });
const options: FitOptions = { epochs: 1 };
export const loss: number | undefined = network.fitSync([[0, 1]], [1], options).epochs[0]?.loss;
export const same: boolean = chainrule.Network === Network;
export const isOurs = (error: unknown): error is DivergenceError => error instanceof DivergenceError;
initSync();
export const compiled: Promise<void> = init();
// @ts-expect-error: no such option
network.fitSync([[0, 1]], [1], { epoch: 2 });
`;

/** Program, library, module, resolution. */
const CHECKS = [
  ["types-common.cts", "es2022", "node16", "node16"],
  ["types-common.cts", "es2022", "nodenext", "nodenext"],
  ["types-main.ts", "es2022", "node16", "node16"],
  ["types-main.ts", "es2022", "nodenext", "nodenext"],
  ["types-main.ts", "es2022", "esnext", "bundler"],
  ["types-dom.ts", "es2022,dom", "esnext", "bundler"],
];

/** The programs, with the TypeScript in `folder`. */
export async function checkTypes(folder, { consumer, seconds }) {
  if (!existsSync(folder)) throw new Error("typescript: not found: run node test/runtime/install.mjs first");
  writeFileSync(join(consumer, "types-main.ts"), PROGRAM);
  writeFileSync(join(consumer, "types-dom.ts"), WITH_DOM);
  writeFileSync(join(consumer, "types-common.cts"), COMMON);
  const args = [join(folder, "bin", "tsc"), "--noEmit", "--strict", "--target", "es2022"];
  for (const [file, lib, module, resolution] of CHECKS) {
    const options = ["--module", module, "--moduleResolution", resolution, "--lib", lib, file];
    await run(process.execPath, { args: [...args, ...options], cwd: consumer, seconds });
  }
  return { version: JSON.parse(readFileSync(join(folder, "package.json"), "utf8")).version };
}

export const OLDEST = fileURLToPath(new URL("../tools/node_modules/typescript57", import.meta.url));
export const CURRENT = fileURLToPath(new URL("../../../node_modules/typescript", import.meta.url));
