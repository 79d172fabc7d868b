import { splitIndices } from "../data/split.ts";
import type {
  ActivationName,
  Core,
  DType,
  EpochReport,
  LayerSpec,
  LayerWeights,
  Matrix,
  Network,
  NetworkSpec,
  Optimizer,
} from "../index.ts";
import type { Problem } from "./problem.ts";
import { type Scaling, targetScale } from "./scaling.ts";
import type { Task } from "./targets.ts";

/** Everything `train` can be told about the network and its training. */
export interface TrainSettings {
  hidden: readonly number[];
  activation: ActivationName;
  epochs: number;
  batch: number | "full";
  optimizer: Optimizer;
  /** Weights of the last epoch or of the one with the lowest validation loss; left out: `keepFor` decides. */
  keep?: "last" | "best" | undefined;
  seed: number;
  dtype: DType;
  core: Core;
}

/** Rows of the problem, ascending, no row in two parts. */
export interface Parts {
  train: Int32Array;
  validation: Int32Array;
  test: Int32Array;
}

/** Some rows of a problem. */
export interface Sample {
  x: Matrix;
  y: Int32Array | Float64Array;
}

/** 64 % to train, 16 % to validate, 20 % to test, by seed; with classes, each part holds its share of every class. */
export function splitProblem({ y, task }: Problem, seed: number): Parts {
  const labels = task === "classification" ? (y as Int32Array) : undefined;
  const all = split(0.2, y.length, labels, seed);
  const rest = split(0.2, all.train.length, labels && Int32Array.from(all.train, (row) => labels[row] as number), seed);
  const rowsOf = (indices: Int32Array) => Int32Array.from(indices, (index) => all.train[index] as number);
  return { train: rowsOf(rest.train), validation: rowsOf(rest.validation), test: all.validation };
}

function split(fraction: number, rows: number, labels: Int32Array | undefined, seed: number) {
  return splitIndices({ fraction, rows, seed, ...(labels ? { labels } : {}) });
}

/** Copies of the given rows. */
export function sampleOf({ x, y, columns }: Problem, rows: Int32Array): Sample {
  const cols = columns.length;
  const data = x instanceof Float32Array ? new Float32Array(rows.length * cols) : new Float64Array(rows.length * cols);
  rows.forEach((row, i) => {
    data.set(x.subarray(row * cols, (row + 1) * cols), i * cols);
  });
  const part = y instanceof Int32Array ? new Int32Array(rows.length) : new Float64Array(rows.length);
  rows.forEach((row, i) => {
    part[i] = y[row] as number;
  });
  return { x: { data, shape: [rows.length, cols] }, y: part };
}

/** Fixed scaling, hidden layers, and softmax over the classes or one linear unit. */
export function specFor(
  problem: Problem,
  { hidden, activation }: Pick<TrainSettings, "hidden" | "activation">,
  scaling: Scaling,
): NetworkSpec {
  const layers: LayerSpec[] = [{ type: "affine", ...scaling }];
  for (const units of hidden) layers.push({ units, activation });
  if (problem.task === "classification") layers.push({ units: problem.classes.length, activation: "softmax" });
  else layers.push({ units: 1 });
  return { inputs: problem.columns.length, layers };
}

export interface Trained {
  network: Network;
  reports: readonly EpochReport[];
  /** The epoch whose weights the network has. */
  kept: number;
}

/**
 * Classes keep the last weights: their validation loss rises with the confidence of the network long before accuracy
 * falls. A quantity keeps the best: few rows are soon learned by heart. (Measured on the embedded sets.)
 */
const keepFor = (task: Task) => (task === "classification" ? "last" : "best");

/**
 * Trains on the training part. A regression learns the standardised target; its last layer is rescaled afterwards, so
 * that the network answers in the target's unit.
 */
export async function trainProblem(
  problem: Problem,
  parts: Parts,
  network: Network,
  settings: TrainSettings,
  watch: { onEpoch: (report: EpochReport) => void; signal: AbortSignal },
): Promise<Trained> {
  const regression = problem.task === "regression";
  const unit = regression ? targetScale(problem.y as Float64Array, parts.train) : { mean: 0, deviation: 1 };
  const learnable = ({ x, y }: Sample): Sample =>
    regression ? { x, y: Float64Array.from(y, (value) => (value - unit.mean) / unit.deviation) } : { x, y };
  const train = learnable(sampleOf(problem, parts.train));
  const keepBest = (settings.keep ?? keepFor(problem.task)) === "best";
  let best = { epoch: 0, loss: Number.POSITIVE_INFINITY, weights: [] as LayerWeights[] };
  const { epochs } = await network.fit(train.x, train.y, {
    epochs: settings.epochs,
    batchSize: settings.batch,
    optimizer: settings.optimizer,
    validation: learnable(sampleOf(problem, parts.validation)),
    signal: watch.signal,
    onEpoch: (report) => {
      const loss = report.validation?.loss ?? Number.NaN;
      if (keepBest && loss < best.loss) best = { epoch: report.epoch, loss, weights: network.weights() };
      watch.onEpoch(report);
    },
  });
  // The best epoch is 0 when no validation loss was finite.
  const kept = keepBest && best.epoch > 0 ? best.epoch : settings.epochs;
  const weights = kept === best.epoch ? best.weights : network.weights();
  network.setWeights(regression ? rescaled(weights, unit) : weights);
  return { network, reports: epochs, kept };
}

/** The weights of a network whose one linear output is deviation·a + mean: W·deviation, b·deviation + mean. */
function rescaled(weights: LayerWeights[], { mean, deviation }: { mean: number; deviation: number }): LayerWeights[] {
  const last = weights.at(-1) as LayerWeights;
  const W = { data: last.W.data.map((w) => w * deviation), shape: last.W.shape };
  const b = last.b?.map((value) => value * deviation + mean) as LayerWeights["b"];
  return [...weights.slice(0, -1), b ? { W, b } : { W }];
}
