// What full-batch methods reach, over seeds. Writes tables in Markdown; exit code 1 where a goal is missed.
//   npm run build && node bench/full-batch.mjs [--seeds N]
//
// 1. Standardised diabetes, 10-8-1 tanh/linear: the training loss (standardised target, mean squared error) after so many evaluations of the
//    loss, with or without its gradient, median over seeds 0 … 19. Plain descent at its best rate of RATES; the loss is a function that counts its calls.
// 2. Two spirals, 2-16-16-1 tanh/sigmoid, inputs scaled to −1 … 1 and Nguyen–Widrow's initial values, which are made for that; rprop with its
//    defaults: seeds 0 … 9 that classify all 194 points within 5000 epochs. Goal: 8.
import { parseArgs } from "node:util";
import { diabetes } from "../dist/datasets/diabetes.js";
import { Network } from "../dist/index.js";
import { spirals, standardized } from "./defaults/problems.mjs";

const { values } = parseArgs({ options: { seeds: { type: "string", default: "20" } } });
const RATES = [0.003, 0.01, 0.03, 0.1, 0.2, 0.3, 0.5, 1];
const LOOKS = [25, 50, 100, 200, 400];
const METHODS = ["scg", "lbfgs", "rprop", "gdx"];

const medianOf = (list) => {
  const sorted = Float64Array.from(list).sort();
  return (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2;
};

const set = diabetes();
const [rows, cols] = set.x.shape;
const raw = Array.from({ length: rows }, (_, r) => Array.from(set.x.data.subarray(r * cols, (r + 1) * cols)));
const column = (values) =>
  standardized({ x: Array.from(values, (value) => [value]), y: [], test: { x: [], y: [] } }).x.map(([v]) => v);
const { x } = standardized({ x: raw, y: [], test: { x: [], y: [] } });
const y = column(set.y);

/** The lowest loss seen after each of LOOKS evaluations; Infinity where it diverged before the first. */
function descend(optimizer, seed) {
  let calls = 0;
  let lowest = Number.POSITIVE_INFINITY;
  const reached = LOOKS.map(() => Number.POSITIVE_INFINITY);
  const loss = (output, target) => {
    const gradient = output.data.slice();
    let sum = 0;
    for (let i = 0; i < gradient.length; i++) {
      const error = output.data[i] - target.data[i];
      sum += error * error;
      gradient[i] = (2 * error) / gradient.length;
    }
    calls++;
    lowest = Math.min(lowest, sum / gradient.length);
    for (const [i, look] of LOOKS.entries()) if (calls <= look) reached[i] = lowest;
    return { loss: sum / gradient.length, gradient };
  };
  const network = Network.createSync(
    { inputs: cols, layers: [{ units: 8, activation: "tanh" }, { units: 1 }], loss },
    { seed, dtype: "float64" },
  );
  const enough = new Error("enough");
  const onEpoch = () => {
    if (calls >= LOOKS.at(-1)) throw enough;
  };
  try {
    network.fitSync(x, y, { epochs: 1000, batchSize: "full", optimizer, onEpoch });
  } catch (error) {
    if (error !== enough && error.name !== "DivergenceError") throw error;
    if (error !== enough) reached.fill(Number.POSITIVE_INFINITY);
  }
  network.dispose();
  return reached;
}

function medians(optimizer) {
  const runs = Array.from({ length: Number(values.seeds) }, (_, seed) => descend(optimizer, seed));
  return LOOKS.map((_, i) => medianOf(runs.map((reached) => reached[i])));
}

const cells = (losses) => losses.map((loss) => loss.toFixed(4)).join(" | ");
console.log(`| evaluations | ${LOOKS.join(" | ")} |\n|${"---|".repeat(LOOKS.length + 1)}`);
const descents = RATES.map((learningRate) => ({ learningRate, losses: medians({ type: "sgd", learningRate }) }));
const last = LOOKS.length - 1;
const best = descents.reduce((a, b) => (b.losses[last] < a.losses[last] ? b : a));
console.log(`| sgd, η ${best.learningRate} (best of ${RATES.join(", ")}) | ${cells(best.losses)} |`);
for (const type of METHODS) {
  const losses = medians({ type });
  console.log(`| ${type} | ${cells(losses)} |`);
  if ((type === "scg" || type === "lbfgs") && !(losses[last] < best.losses[last])) process.exitCode = 1;
}

const { x: points, y: sides } = spirals();
const solved = [];
const init = "nguyenWidrow";
const layers = [
  { type: "minMax" },
  { units: 16, activation: "tanh", init },
  { units: 16, activation: "tanh", init },
  { units: 1, activation: "sigmoid" },
];
for (let seed = 0; seed < 10; seed++) {
  const network = Network.createSync({ inputs: 2, layers }, { seed });
  for (let epochs = 50; epochs <= 5000; epochs += 50) {
    network.fitSync(points, sides, { epochs: 50, optimizer: "rprop" });
    if (network.evaluate(points, sides).accuracy < 1) continue;
    solved.push(epochs);
    break;
  }
  network.dispose();
}
console.log(`\ntwo spirals, rprop, 2-16-16-1: ${solved.length} of 10 seeds, after ${solved.join(", ")} epochs`);
if (solved.length < 8) process.exitCode = 1;
