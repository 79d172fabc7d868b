// How long `fit` keeps the event loop: once before it returns its promise (checks and copies), then in pieces.
//   npm run build && node bench/event-loop.mjs [rows] [core]
//   node bench/event-loop.mjs --cases [TEXT] [processes]     the first part for many forms of data (bench/staging.mjs)
// Goals: under 5 ns per value of a Float32Array before the promise; never 50 ms after it.
import { Network } from "../dist/index.js";
import { printCases } from "./staging.mjs";

if (process.argv[2] === "--cases") {
  printCases(process.argv[3], Number(process.argv[4] ?? 5));
  process.exit();
}
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

// Wide layers, whose products and updates are divided: 67 MB of weights, three times as much with adam's state.
const WIDE = 4096;
const wideX = { data: Float32Array.from({ length: 256 * WIDE }, (_, i) => (i % 1021) / 1021), shape: [256, WIDE] };
for (const [optimizer, batchSize] of core === "js"
  ? [["sgd", 32]]
  : [
      ["sgd", 32],
      ["adam", 32],
      ["adam", 1],
    ]) {
  const wide = await Network.create(
    {
      inputs: WIDE,
      layers: [
        { units: WIDE, activation: "relu" },
        { units: CLASSES, activation: "softmax" },
      ],
    },
    { core },
  );
  const maxSteps = core === "js" ? 3 : 15;
  const run = wide.fit(wideX, y.subarray(0, 256), { optimizer, batchSize, maxSteps, epochs: 10 });
  const begun = performance.now();
  const stopWide = watch();
  await run;
  const perStep = (performance.now() - begun) / maxSteps;
  const worst = stopWide()
    .slice(0, 5)
    .map((gap) => gap.toFixed(1));
  wide.dispose();
  console.log(
    `4096-4096-10 ${optimizer} B${batchSize}: ${perStep.toFixed(0)} ms a step, longest gaps: ${worst.join(", ")} ms`,
  );
}
