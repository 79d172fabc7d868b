// How long `fit` keeps the event loop: once before it returns its promise (checks and copies), then in pieces.
//   npm run build && node bench/event-loop.mjs [rows] [core]
// Goals: under 5 ns per value of a Float32Array before the promise; never 50 ms after it.
import { Network } from "../dist/index.js";

const rows = Number(process.argv[2] ?? 60_000);
const core = process.argv[3] ?? "auto";
const INPUTS = 784;
const CLASSES = 10;
const EPOCHS = 2;

const data = new Float32Array(rows * INPUTS);
for (let i = 0; i < data.length; i++) data[i] = ((i * 2654435761) % 1021) / 1021;
const x = { data, shape: [rows, INPUTS] };
const y = Int32Array.from({ length: rows }, (_, i) => (i * 7) % CLASSES);

const network = await Network.create(
  {
    inputs: INPUTS,
    layers: [
      { units: 128, activation: "relu" },
      { units: CLASSES, activation: "softmax" },
    ],
  },
  { core },
);
// A small run first, so that the engine has compiled what the big one uses.
await network.fit({ data: data.subarray(0, 256 * INPUTS), shape: [256, INPUTS] }, y.subarray(0, 256), { epochs: 2 });

/** Milliseconds between two turns of the event loop, from now until `stop`. */
function watch() {
  const gaps = [];
  let last = performance.now();
  let running = true;
  const turn = () => {
    const time = performance.now();
    gaps.push(time - last);
    last = time;
    if (running) setImmediate(turn);
  };
  setImmediate(turn);
  return () => {
    running = false;
    return gaps.sort((a, b) => b - a);
  };
}

/** Starts a fit; gives its promise and the nanoseconds per value until fit returned it. */
function begin(options) {
  const before = performance.now();
  const run = network.fit(x, y, { batchSize: "full", ...options });
  return { run, ns: ((performance.now() - before) * 1e6) / data.length };
}

// The first call also waits for the host to give fresh memory.
const first = begin({ maxSteps: 1 });
await first.run;
const second = begin({ epochs: EPOCHS });
const started = performance.now();
const stop = watch();
await second.run;
const seconds = (performance.now() - started) / 1000;
const gaps = stop();

const longest = gaps.slice(0, 5).map((gap) => gap.toFixed(1));
console.log(`core ${network.core}, ${rows} × ${INPUTS} rows, 784-128-10, batchSize "full", ${EPOCHS} epochs`);
console.log(`before the promise: ${first.ns.toFixed(2)} ns per value, again: ${second.ns.toFixed(2)} (goal: under 5)`);
console.log(`after it: ${seconds.toFixed(1)} s in ${gaps.length} turns of the event loop`);
console.log(`longest gaps: ${longest.join(", ")} ms (goal: under 50)`);
