// node test/hosts/platforms.mjs, after npm run build and node test/runtime/install.mjs: an exported network (.wasm and .mjs) and
// chainrule/predict in workerd, inside a request, and in Chromium and Firefox; their outputs against network.predict in Node.
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as esbuild from "esbuild";
import { exportModule } from "../../dist/export/index.js";
import { Network } from "../../dist/index.js";
import { killAll } from "../runtime/process.mjs";
import { runBrowser } from "../runtime/runtimes/browser.mjs";
import { runWorkerd } from "../runtime/runtimes/workerd.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));
const SECONDS = 60;
const ROWS = 20;
/** Of both files: more than one call of the binary for ROWS. */
const CAPACITY = 7;

/** What the runtimes' workers and pages call. `module`: how this platform gets at the compiled net.wasm. */
const smoke = (module, imports = "") => `${imports}
import { Predictor } from "chainrule/predict";
import { saved, x } from "./given.js";
import { init, predict } from "./net.mjs";
export async function smoke() {
  const module = await ${module};
  const words = ({ data }) => Array.from(new Uint32Array(data.buffer));
  const net = new WebAssembly.Instance(module).exports;
  const [inputs, outputs] = [net.inputs(), net.outputs()];
  const wasm = new Float32Array(${ROWS} * outputs);
  let status = 0;
  for (let first = 0; first < ${ROWS}; first += ${CAPACITY}) {
    const n = Math.min(${CAPACITY}, ${ROWS} - first);
    const rows = x.data.subarray(first * inputs, (first + n) * inputs);
    new Float32Array(net.memory.buffer, net.inputAddress(), rows.length).set(rows);
    status ||= net.predict(n);
    wasm.set(new Float32Array(net.memory.buffer, net.outputAddress(), n * outputs), first * outputs);
  }
  const compiles = await WebAssembly.compile(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0])).then(() => true, () => false);
  if (compiles) predict(x); // which compiles on its own
  await init(compiles ? undefined : module);
  const predictor = await Predictor.load(Uint8Array.from(saved));
  return { status, wasm: words({ data: wasm }), mjs: words(predict(x)), predictor: words(predictor.predict(x)) };
}
`;

function trained() {
  const layers = [{ type: "standardize" }, { units: 19, activation: "gelu" }, { units: 3, activation: "softmax" }];
  const network = Network.createSync({ inputs: 6, layers }, { seed: 2 });
  const data = Float32Array.from({ length: ROWS * 6 }, (_, i) => ((i * 37) % 101) / 10 - 5);
  const x = { data, shape: [ROWS, 6] };
  network.fitSync(
    x,
    Array.from({ length: ROWS }, (_, row) => row % 3),
    { epochs: 3 },
  );
  return { network, x };
}

const temporary = mkdtempSync(join(tmpdir(), "chainrule-platforms-"));
const { network, x } = trained();
const expected = Array.from(new Uint32Array(network.predict(x).data.buffer));

/** A folder that has the package and the exported files. */
function consumer(name, program) {
  const folder = join(temporary, name);
  mkdirSync(join(folder, "node_modules"), { recursive: true });
  symlinkSync(root, join(folder, "node_modules", "chainrule"));
  symlinkSync(join(root, "node_modules", "@assemblyscript"), join(folder, "node_modules", "@assemblyscript"));
  writeFileSync(join(folder, "net.wasm"), exportModule(network, { rows: CAPACITY }));
  writeFileSync(join(folder, "net.mjs"), exportModule(network, { format: "mjs", rows: CAPACITY }));
  const given = { saved: Array.from(network.save()), data: Array.from(x.data), shape: x.shape };
  const lines = [
    `export const { saved, data, shape } = ${JSON.stringify(given)};`,
    "export const x = { data: Float32Array.from(data), shape };",
  ];
  writeFileSync(join(folder, "given.js"), lines.join("\n"));
  writeFileSync(join(folder, "smoke.js"), program);
  return folder;
}

const fetched = smoke('WebAssembly.compileStreaming(fetch("/net.wasm"))');
const context = (name, program) => {
  return { name, consumer: consumer(name, program), bundler: "esbuild", temporary, seconds: SECONDS, esbuild };
};
const PLATFORMS = {
  workerd: () => runWorkerd(context("workerd", smoke("compiled", 'import compiled from "./net.wasm";'))),
  chromium: () => runBrowser("chromium", context("chromium", fetched)),
  firefox: () => runBrowser("firefox", context("firefox", fetched)),
};

let failed = 0;
try {
  for (const [name, run] of Object.entries(PLATFORMS)) {
    try {
      const { version, results } = await run();
      for (const way of ["wasm", "mjs", "predictor"]) {
        const equal = results.status === 0 && JSON.stringify(results[way]) === JSON.stringify(expected);
        console.log(`${equal ? "equal " : "DIFFER"} ${name} ${version}: ${way}`);
        if (!equal) failed++;
      }
    } catch (error) {
      failed++;
      console.log(`FAILED ${name}: ${error.message}`);
    }
  }
} finally {
  killAll();
  rmSync(temporary, { recursive: true, force: true });
}
process.exitCode = failed === 0 ? 0 : 1;
