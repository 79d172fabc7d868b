// What optimizers, normalisation and safeguards add to a step of plain descent: 784-512-256-10, batch 128.
//   npm run build && node bench/step-cost.mjs [--dtype float64] [--core js] [--rounds 5]
// In each round every variant trains the same 2048 rows in turn, sgd before each of them; the figure is the median over the rounds of its
// time to that of the sgd before it. Exit code 1 where a goal is missed: 1.25 for an optimizer (adam 1.15), 1.3 for batch normalisation and
// dropout together. The rest is for information.
import { parseArgs } from "node:util";
import { Network } from "../dist/index.js";
import { draws } from "./rows.mjs";

const { values } = parseArgs({
  options: {
    dtype: { type: "string", default: "float32" },
    core: { type: "string", default: "simd" },
    rounds: { type: "string", default: "5" },
  },
});
const { dtype, core } = values;
const ROWS = 2048;
const BATCH = 128;
const RATE = 1e-4; // nothing may diverge in thousands of steps
const [inputs, first, second, classes] = [784, 512, 256, 10];

const relu = (units, more) => ({ units, activation: "relu", ...more });
const plain = (more) => [relu(first, more), relu(second, more), { units: classes, activation: "softmax", ...more }];
const optimizer = (type) => ({
  name: type,
  layers: plain(),
  fit: { optimizer: { type, learningRate: RATE } },
  goal: 1.25,
});
const sgd = { type: "sgd", learningRate: RATE };

const VARIANTS = [
  ...["momentum", "nesterov", "adagrad", "adadelta", "rmsprop"].map(optimizer),
  {
    ...optimizer("rmsprop"),
    name: "rmsprop, centered, momentum",
    fit: { optimizer: { type: "rmsprop", learningRate: RATE, centered: true, momentum: 0.9 } },
  },
  { ...optimizer("adam"), goal: 1.15 },
  ...["amsgrad", "adamw", "adamax", "nadam", "radam", "lion"].map(optimizer),
  {
    name: "sgd, batch normalisation and dropout",
    layers: [
      { units: first },
      { type: "batchNormalization", activation: "relu" },
      { type: "dropout", rate: 0.5 },
      { units: second },
      { type: "batchNormalization", activation: "relu" },
      { type: "dropout", rate: 0.5 },
      { units: classes, activation: "softmax" },
    ],
    fit: { optimizer: sgd },
    goal: 1.3,
  },
  { name: "sgd, clipNorm", layers: plain(), fit: { optimizer: sgd, clipNorm: 1 } },
  { name: "sgd, l2", layers: plain({ l2: 1e-5 }), fit: { optimizer: sgd } },
  { name: "sgd, maxNorm", layers: plain({ maxNorm: 4 }), fit: { optimizer: sgd } },
  {
    name: "sgd, cosine schedule",
    layers: plain(),
    fit: { optimizer: sgd, schedule: { type: "cosine", length: { epochs: 1e6 } } },
  },
];

const draw = draws(7);
const x = { data: Float32Array.from({ length: ROWS * inputs }, () => draw() - 0.5), shape: [ROWS, inputs] };
const y = Int32Array.from({ length: ROWS }, () => Math.floor(draw() * classes));
const create = (layers) => Network.createSync({ inputs, layers }, { dtype, core });

function timed(network, fit) {
  const start = performance.now();
  network.fitSync(x, y, { epochs: 1, batchSize: BATCH, ...fit });
  return performance.now() - start;
}

const medianOf = (list) => Float64Array.from(list).sort()[list.length >> 1];

const base = create(plain());
const entries = VARIANTS.map((variant) => ({ ...variant, network: create(variant.layers), ratios: [] }));
for (let round = -1; round < Number(values.rounds); round++) {
  for (const { network, fit, ratios } of entries) {
    const sgdTime = timed(base, { optimizer: sgd });
    const time = timed(network, fit);
    if (round >= 0) ratios.push(time / sgdTime); // the first round warms up
  }
}
console.log(`784-512-256-10, B${BATCH}, ${dtype}, ${core}; Node ${process.version}\n`);
console.log("| | times sgd | lowest–highest | goal |\n|---|---|---|---|");
for (const { name, ratios, goal } of entries) {
  const median = medianOf(ratios);
  const range = `${Math.min(...ratios).toFixed(2)}–${Math.max(...ratios).toFixed(2)}`;
  const wanted = goal === undefined ? "" : `${goal}${median <= goal ? "" : ", missed"}`;
  if (goal !== undefined && median > goal) process.exitCode = 1;
  console.log(`| ${name} | ${median.toFixed(2)} | ${range} | ${wanted} |`);
}
