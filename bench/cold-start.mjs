// From nothing to the first prediction of a saved 64-64-10 network, beside other libraries: in Node, and in workerd where
// they run there.
//   npm run build && npm ci --prefix bench/others && node test/runtime/install.mjs && node bench/cold-start.mjs [rounds]
// Each figure is a fresh process; the libraries take turns, so that a busy machine meets all alike.
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Network } from "../dist/index.js";
import { onnxOf } from "./others/onnx.mjs";
import { PROGRAMS } from "./others/programs.mjs";
import { prepareWorkerd } from "./others/workerd.mjs";

const rounds = Number(process.argv[2] ?? 15);
const root = fileURLToPath(new URL("..", import.meta.url));
const others = join(root, "bench", "others", "node_modules");

/** Trained a little, and saved for each library in its own way. */
function savedFiles() {
  const network = Network.createSync({
    inputs: 64,
    layers: [
      { units: 64, activation: "relu" },
      { units: 10, activation: "softmax" },
    ],
  });
  const rows = Array.from({ length: 100 }, (_, row) =>
    Array.from({ length: 64 }, (_, i) => ((row * 31 + i) % 17) / 17),
  );
  network.fitSync(
    rows,
    rows.map((_, row) => row % 10),
    { epochs: 5 },
  );
  const [first, last] = network.weights();
  const bytes = (values) => new Uint8Array(Float32Array.from(values).buffer);
  return {
    network: network.save({ optimizer: false }),
    weights: bytes([...first.W.data, ...first.b, ...last.W.data, ...last.b]),
    row: bytes(rows[0]),
    onnx: onnxOf([
      { ...first, activation: "Relu" },
      { ...last, activation: "Softmax" },
    ]),
    expected: Array.from(network.predict([rows[0]]).data),
  };
}

/** A folder in which every library is found by its name, with the programs and what was saved. */
function prepareFolder({ expected, ...files }) {
  const folder = mkdtempSync(join(tmpdir(), "chainrule-cold-"));
  mkdirSync(join(folder, "node_modules"));
  symlinkSync(root, join(folder, "node_modules", "chainrule"));
  for (const name of ["@tensorflow", "onnxruntime-web"])
    symlinkSync(join(others, name), join(folder, "node_modules", name));
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, `${name}.bin`), content);
  for (const [name, program] of Object.entries(PROGRAMS)) writeFileSync(join(folder, `${name}.mjs`), program);
  writeFileSync(join(folder, "time.mjs"), TIME);
  return folder;
}

const TIME = `import { readFileSync } from "node:fs";
const files = {};
for (const name of ["network", "weights", "row", "onnx"]) files[name] = new Uint8Array(readFileSync(name + ".bin"));
const begun = performance.now();
const { predict } = await import("./" + process.argv[2] + ".mjs");
const outputs = await predict(files);
const elapsed = performance.now() - begun;
console.log("\\n" + JSON.stringify({ elapsed, outputs }));
process.exit();
`;

function inNode(folder, name) {
  const options = { cwd: folder, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"], timeout: 60_000 };
  const { elapsed, outputs } = JSON.parse(
    execFileSync(process.execPath, ["time.mjs", name], options).trim().split("\n").at(-1),
  );
  return { elapsed, outputs };
}

/** All libraries must say the same, or their times mean nothing. */
function checkOutputs(name, outputs, expected) {
  if (name === "nothing") return;
  const difference = Math.max(...expected.map((value, i) => Math.abs(value - outputs[i])));
  if (!(difference < 1e-5)) throw new Error(`${name}: the outputs differ by ${difference}`);
}

const median = (values) => Float64Array.from(values).sort()[Math.floor(values.length / 2)];

/** `run(name)` in turn over the rounds; one that fails is reported with its reason and left out. */
function measure(title, names, run, expected) {
  const times = new Map(names.map((name) => [name, []]));
  for (let round = 0; round <= rounds; round++) {
    for (const [name, list] of [...times]) {
      try {
        const { elapsed, outputs } = run(name);
        checkOutputs(name, outputs, expected);
        if (round > 0) list.push(elapsed); // the first fills the machine's caches of files
      } catch (error) {
        times.delete(name);
        console.log(`${title}: ${name} does not run: ${error.reason ?? error.message.split("\n")[0]}`);
      }
    }
  }
  const base = median(times.get("nothing"));
  const own = median(times.get("chainrule"));
  for (const [name, list] of times) {
    const typical = median(list);
    const figures = `median ${typical.toFixed(1)} ms, least ${Math.min(...list).toFixed(1)}`;
    const beyond =
      name === "nothing"
        ? ""
        : `, times chainrule ${(typical / own).toFixed(2)}, beyond nothing ${((typical - base) / (own - base)).toFixed(2)}`;
    console.log(`${title}: ${name.padEnd(16)} ${figures}${beyond}`);
  }
}

const { expected, ...files } = savedFiles();
const folder = prepareFolder(files);
try {
  measure(`Node ${process.version.slice(1)}`, Object.keys(PROGRAMS), (name) => inNode(folder, name), expected);
  const ort = readFileSync(join(others, "onnxruntime-web", "dist", "ort-wasm-simd-threaded.wasm"));
  const inWorkerd = await prepareWorkerd(folder, Object.keys(PROGRAMS), ort);
  measure("workerd", Object.keys(PROGRAMS), inWorkerd, expected);
} finally {
  rmSync(folder, { recursive: true });
}
