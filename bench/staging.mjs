// How long `fit` keeps the event loop before it returns its promise: checks and copies, in nanoseconds per value of x and y.
//   npm run build && node bench/event-loop.mjs --cases [TEXT in the name] [processes]
// Medians over processes (5) of their first call, which also waits for the host to give fresh memory and for the engine
// to compile, and of the three after it. Goal: under 5.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { Network } from "../dist/index.js";

const column = (rows) => Float32Array.from({ length: rows }, (_, i) => ((i * 12345) % 1021) / 1021);
const classes = (count) => (rows) => Int32Array.from({ length: rows }, (_, i) => ((i * 7919) >>> 3) % count);
const labels = (rows) => Float32Array.from(classes(2)(rows));
function oneHot(rows) {
  const data = new Float32Array(3 * rows);
  for (const [row, label] of classes(3)(rows).entries()) data[3 * row + label] = 1;
  return { data, shape: [rows, 3] };
}
const softmax = (units) => [{ units, activation: "softmax" }];
const wide = { rows: 60_000, inputs: 784, y: classes(10), layers: softmax(10) };
const flat = (rows, inputs) => ({ rows, inputs, y: column, layers: [{ units: 1 }] });
const narrow = (inputs, y, layers) => ({ rows: 1_000_000, inputs, y, layers, validation: 0.2 });

const CASES = {
  "60 000 × 784 f32 simd": wide,
  "60 000 × 784 f32 js": { ...wide, core: "js" },
  "60 000 × 784 f64 simd": { ...wide, dtype: "float64" },
  "60 000 × 784 f64 js": { ...wide, dtype: "float64", core: "js" },
  "60 000 × 784 f32 simd, validation 0.2": { ...wide, validation: 0.2 },
  "60 000 × 784 f32 js, validation 0.2": { ...wide, core: "js", validation: 0.2 },
  "60 000 × 784 f64 simd, validation 0.2": { ...wide, dtype: "float64", validation: 0.2 },
  "2M × 1, flat column, f32 simd": flat(2_000_000, 1),
  "2M × 1, flat column, f32 js": { ...flat(2_000_000, 1), core: "js" },
  "1M × 1, flat column, f32 simd, validation 0.2": { ...flat(1_000_000, 1), validation: 0.2 },
  "1M × 1, flat column, f32 js, validation 0.2": { ...flat(1_000_000, 1), core: "js", validation: 0.2 },
  "1M × 2, flat column, f32 simd, validation 0.2": { ...flat(1_000_000, 2), validation: 0.2 },
  "1M × 2, 3 classes, f32 simd, validation 0.2": narrow(2, classes(3), softmax(3)),
  "1M × 2, 3 classes, f32 js, validation 0.2": { ...narrow(2, classes(3), softmax(3)), core: "js" },
  "1M × 2, 3 one-hot, f32 simd, validation 0.2": narrow(2, oneHot, softmax(3)),
  "1M × 2, 0 and 1, f32 simd, validation 0.2": narrow(2, labels, [{ units: 1, activation: "sigmoid" }]),
  "1M × 8, 3 classes, f32 simd, validation 0.2": narrow(8, classes(3), softmax(3)),
  "300 000 × 33, 3 classes, f32 simd, validation 0.2": { ...narrow(33, classes(3), softmax(3)), rows: 300_000 },
};

/** ns per value of four calls of fit, one after the other, on a network that has seen 256 rows. */
async function measure({ rows, inputs, y, layers, core = "auto", dtype = "float32", validation }) {
  const rowsOf = (data, count) => ({ data: data.subarray(0, count * inputs), shape: [count, inputs] });
  const data = Float32Array.from({ length: rows * inputs }, (_, i) => ((i * 2654435761) % 1021) / 1021);
  const targets = y(rows);
  const values = data.length + (targets.data ?? targets).length;
  const options = { maxSteps: 1, ...(validation && { validation }) };
  const network = await Network.create({ inputs, layers }, { core, dtype });
  await network.fit(rowsOf(data, 256), y(256), options);
  const times = [];
  for (let call = 0; call < 4; call++) {
    const before = performance.now();
    const run = network.fit(rowsOf(data, rows), targets, options);
    times.push(((performance.now() - before) * 1e6) / values);
    await run;
  }
  return times;
}

const median = (numbers) => [...numbers].sort((a, b) => a - b)[numbers.length >> 1];

/** Prints a line for each case whose name contains `text`; each in processes of its own. */
export function printCases(text = "", processes = 5) {
  console.log("ns per value before the promise: first call, the three after it (goal: under 5)");
  for (const name of Object.keys(CASES).filter((name) => name.includes(text))) {
    const runs = Array.from({ length: processes }, () => {
      const { status, stdout, stderr } = spawnSync(process.execPath, [fileURLToPath(import.meta.url), "--case", name], {
        encoding: "utf8",
      });
      if (status !== 0) throw new Error(`${name}: ${stderr}`);
      return JSON.parse(stdout);
    });
    const medians = [0, 1, 2, 3].map((call) =>
      median(runs.map((times) => times[call]))
        .toFixed(2)
        .padStart(6),
    );
    console.log(`${name.padEnd(52)}${medians.join(" ")}`);
  }
}

if (process.argv[2] === "--case") console.log(JSON.stringify(await measure(CASES[process.argv[3]])));
