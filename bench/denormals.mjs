// Denormal stress: half of the inputs are alive for 400 steps, then zero, so that the optimizer state of their weights
// decays past the smallest normal number. Arithmetic on numbers below it is slow on many processors; the core makes them +0.
//   npm run build && node bench/denormals.mjs [--core simd|relaxed|js]
// Two networks train through fitSync, some steps of one and as many of the other in turn. The inputs of the second stay
// alive, and what is judged is the ratio of the two: every later block of 200 steps (the median over all its calls in all
// runs) may cost at most 1.1 times the steps 200 to 400, and its state may hold no number below the smallest normal one.
// Exit code 1 otherwise. How slow they are depends on the processor, how many there are does not.
import { parseArgs } from "node:util";
import { decode } from "../dist/formats/network.js";
import { initSync, Network } from "../dist/index.js";
import { relaxed } from "../dist/relaxed.js";
import { draws } from "./rows.mjs";

const AT_MOST = 1.1;
const STEPS = 6000;
const ALIVE = 400; // steps
const BLOCK = 200; // steps
const CALL = 20; // steps of one fitSync
const RUNS = 5; // the same steps each time: the blocks of all runs can be put together
const SIZES = [1024, 16, 10];
const BATCH = 1; // the update is the largest part of a step
const OPTIMIZERS = [
  { type: "momentum", learningRate: 0.01, momentum: 0.9 },
  { type: "adam", learningRate: 1e-4, beta1: 0.9, beta2: 0.98 },
];

const { core } = parseArgs({ options: { core: { type: "string", default: "simd" } } }).values;
if (core === "relaxed") initSync(relaxed());

/** The data of one call; the last `dead` inputs of all rows are zero. */
function dataWith(dead) {
  const [inputs, , classes] = SIZES;
  const draw = draws(1);
  const rows = CALL * BATCH;
  const data = Float32Array.from({ length: rows * inputs }, () => draw() * 2 - 1);
  for (let i = 0; i < data.length; i++) if (i % inputs >= inputs - dead) data[i] = 0;
  return {
    x: { data, shape: [rows, inputs] },
    y: Int32Array.from({ length: rows }, () => Math.floor(draw() * classes)),
  };
}

function newNetwork() {
  const [inputs, hidden, classes] = SIZES;
  const layers = [
    { units: hidden, activation: "tanh" },
    { units: classes, activation: "softmax" },
  ];
  return Network.createSync({ inputs, layers }, { core, dtype: "float32", seed: 1 });
}

/** The µs a step takes in one call of fitSync. */
function timed(network, { x, y }, optimizer) {
  const start = performance.now();
  network.fitSync(x, y, { epochs: 1, batchSize: BATCH, optimizer });
  return ((performance.now() - start) * 1000) / CALL;
}

const medianOf = (values) => Float64Array.from(values).sort()[values.length >> 1];

/** Numbers of the optimizer's state below the smallest normal one. */
function denormalsOf(network) {
  let count = 0;
  for (const slot of decode(network.save()).optimizer.slots) {
    for (const value of slot) if (value !== 0 && Math.abs(value) < 2 ** -126) count++;
  }
  return count;
}

/** One run: per block { first, calls: µs per step of either network, denormals at its end }. */
function run(optimizer) {
  const alive = dataWith(0);
  const half = dataWith(SIZES[0] / 2);
  const stressed = newNetwork();
  const other = newNetwork();
  const blocks = [];
  for (let first = 0; first < STEPS; first += BLOCK) {
    const calls = [];
    for (let step = first; step < first + BLOCK; step += CALL) {
      const own = timed(stressed, step < ALIVE ? alive : half, optimizer);
      calls.push({ own, others: timed(other, alive, optimizer) });
    }
    blocks.push({ first, calls, denormals: denormalsOf(stressed) });
  }
  stressed.dispose();
  other.dispose();
  return blocks;
}

/** Per block the medians over the calls of all runs. */
function blocksOf(optimizer) {
  run(optimizer); // compiles
  const runs = Array.from({ length: RUNS }, () => run(optimizer));
  return runs[0].map(({ first, denormals }, block) => {
    const calls = runs.flatMap((blocks) => blocks[block].calls);
    const own = medianOf(calls.map((call) => call.own));
    const others = medianOf(calls.map((call) => call.others));
    return { first, denormals, own, others, ratio: medianOf(calls.map((call) => call.own / call.others)) };
  });
}

const stepsOf = ({ first }) => `${first}–${first + BLOCK}`;

console.log(`f32, ${SIZES.join("-")} B${BATCH}, core ${core}: half of the inputs zero from step ${ALIVE} on`);
console.log("optimizer   steps      µs a step  all alive    ratio  to 200–400  denormals");
for (const optimizer of OPTIMIZERS) {
  const blocks = blocksOf(optimizer);
  const before = blocks.find(({ first }) => first === ALIVE - BLOCK).ratio;
  const later = blocks.filter(({ first }) => first >= ALIVE);
  const worst = later.reduce((most, block) => (block.ratio > most.ratio ? block : most));
  for (const block of blocks) {
    if (block.first % 1000 !== 0 && block.first !== ALIVE - BLOCK && block !== worst) continue;
    const cells = [optimizer.type.padEnd(10), stepsOf(block).padEnd(9), block.own.toFixed(2).padStart(10)];
    cells.push(block.others.toFixed(2).padStart(9), block.ratio.toFixed(3).padStart(7));
    cells.push((block.ratio / before).toFixed(3).padStart(10), String(block.denormals).padStart(9));
    console.log(cells.join("  "));
  }
  const most = worst.ratio / before;
  const denormals = Math.max(...later.map((block) => block.denormals));
  const holds = most <= AT_MOST && denormals === 0;
  console.log(
    `${optimizer.type}: at most ${most.toFixed(3)} (steps ${stepsOf(worst)}; limit ${AT_MOST}), ${denormals} denormals: ${holds ? "PASS" : "over"}`,
  );
  if (!holds) process.exitCode = 1;
}
