// The problems of the table of defaults: data, network, epochs, and what counts. Each `make(seed)` gives
// { x, y, test: { x, y }, kind }: rows of numbers, and targets as classes (kind "classes") or as numbers.
import { diabetes } from "../../dist/datasets/diabetes.js";
import { digits } from "../../dist/datasets/digits.js";
import { iris } from "../../dist/datasets/iris.js";
import { draws } from "../rows.mjs";

const bits = (count, width) =>
  Array.from({ length: count }, (_, i) => Array.from({ length: width }, (_, b) => (i >> b) & 1));

/** All rows, for training and for the test alike: problems that are to be learnt by heart. */
const whole = (x, y) => ({ x, y, test: { x, y } });

/** 97 points on each of two spirals of three turns (Lang & Witbrock 1988), out to a radius of 6.5. */
export function spirals() {
  const x = [];
  const y = [];
  for (let i = 0; i < 97; i++) {
    const angle = (i * Math.PI) / 16;
    const radius = (6.5 * (104 - i)) / 104;
    for (const side of [1, -1]) {
      x.push([side * radius * Math.sin(angle), side * radius * Math.cos(angle)]);
      y.push(side > 0 ? 1 : 0);
    }
  }
  return whole(x, y);
}

/** Shuffles rows by `seed` and holds back the share `held` of them. */
function split(x, y, held, seed) {
  const draw = draws(seed + 1);
  for (let i = 0; i < 10; i++) draw(); // the generator's first numbers follow its seed
  const order = x.map((_, i) => i);
  for (let i = order.length - 1; i > 0; i--) {
    const j = Math.floor(draw() * (i + 1));
    [order[i], order[j]] = [order[j], order[i]];
  }
  const count = Math.round(held * x.length);
  const pick = (rows) => ({ x: rows.map((i) => x[i]), y: rows.map((i) => y[i]) });
  return { ...pick(order.slice(count)), test: pick(order.slice(0, count)) };
}

/** Rows of a set of ours. */
function rowsOf({ x }) {
  const [rows, cols] = x.shape;
  return Array.from({ length: rows }, (_, r) => Array.from(x.data.subarray(r * cols, (r + 1) * cols)));
}

/** Mean 0 and deviation 1 by the training rows, for the test rows too; a constant column becomes 0. */
export function standardized({ x, y, test }) {
  const cols = x[0].map((_, c) => x.map((row) => row[c]));
  const mean = cols.map((values) => values.reduce((sum, value) => sum + value, 0) / values.length);
  const deviation = cols.map((values, c) => {
    const squares = values.reduce((sum, value) => sum + (value - mean[c]) ** 2, 0);
    return Math.sqrt(squares / values.length) || 1;
  });
  const scaled = (rows) => rows.map((row) => row.map((value, c) => (value - mean[c]) / deviation[c]));
  return { x: scaled(x), y, test: { x: scaled(test.x), y: test.y } };
}

/**
 * `units`: inputs, hidden layers, outputs. `hidden`: their activation, tanh where it is left out. `epochs`: of one run. `output`: "sigmoid", "softmax" or "linear". `scaling`, `targetScaling`: of
 * chainrule's spec; the other libraries get inputs that were standardised before. `goal` says what is to be seen over the seeds: { solved: runs in which every training row is right }, { median, worst } of the
 * share of right test rows, or { median } of R² on the test rows.
 */
export const PROBLEMS = [
  {
    name: "XOR",
    units: [2, 8, 1],
    output: "sigmoid",
    epochs: 3000,
    data: () => whole(bits(4, 2), [0, 1, 1, 0]),
    goal: { solved: 20 },
  },
  {
    name: "parity of 4 bits",
    units: [4, 16, 1],
    output: "sigmoid",
    epochs: 5000,
    data: () =>
      whole(
        bits(16, 4),
        bits(16, 4).map((row) => row.reduce((sum, bit) => sum + bit) % 2),
      ),
    goal: { solved: 19 },
  },
  {
    name: "two spirals",
    units: [2, 64, 64, 64, 1],
    hidden: "relu",
    output: "sigmoid",
    epochs: 3000,
    data: spirals,
    goal: { solved: 16 },
  },
  {
    name: "iris, 30 % held out",
    units: [4, 16, 3],
    output: "softmax",
    epochs: 200,
    data: (seed) => standardized(split(rowsOf(iris()), Array.from(iris().y), 0.3, seed)),
    goal: { median: 0.95 },
  },
  {
    name: "digits, 20 % held out",
    units: [64, 64, 10],
    output: "softmax",
    epochs: 50,
    data: (seed) =>
      split(
        rowsOf(digits()).map((row) => row.map((level) => level / 8 - 1)),
        Array.from(digits().y),
        0.2,
        seed,
      ),
    goal: { median: 0.97, worst: 0.94 },
  },
  {
    name: "diabetes, 20 % held out (R²)",
    units: [10, 16, 1],
    output: "linear",
    epochs: 20,
    scaling: [{ type: "standardize" }],
    targetScaling: "standardize",
    data: (seed) => split(rowsOf(diabetes()), Array.from(diabetes().y), 0.2, seed),
    goal: { median: 0.42 },
  },
];
