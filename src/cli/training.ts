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

/** Scaling, hidden layers, and softmax over the classes or one linear unit that learns the standardised target. */
export function specFor(
  problem: Problem,
  { hidden, activation }: Pick<TrainSettings, "hidden" | "activation">,
): NetworkSpec {
  const layers: LayerSpec[] = [problem.scaling, ...hidden.map((units) => ({ units, activation }))];
  const inputs = problem.columns.length;
  if (problem.task === "regression") return { inputs, layers: [...layers, { units: 1 }], targetScaling: "standardize" };
  return { inputs, layers: [...layers, { units: problem.classes.length, activation: "softmax" }] };
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

/** Trains on the training part. */
export async function trainProblem(
  problem: Problem,
  parts: Parts,
  network: Network,
  settings: TrainSettings,
  watch: { onEpoch: (report: EpochReport) => void; signal: AbortSignal },
): Promise<Trained> {
  const train = sampleOf(problem, parts.train);
  const keepBest = (settings.keep ?? keepFor(problem.task)) === "best";
  let best = { epoch: 0, loss: Number.POSITIVE_INFINITY, weights: [] as LayerWeights[] };
  const { epochs } = await network.fit(train.x, train.y, {
    epochs: settings.epochs,
    batchSize: settings.batch,
    optimizer: settings.optimizer,
    validation: sampleOf(problem, parts.validation),
    signal: watch.signal,
    onEpoch: (report) => {
      const loss = report.validation?.loss ?? Number.NaN;
      if (keepBest && loss < best.loss) best = { epoch: report.epoch, loss, weights: network.weights() };
      watch.onEpoch(report);
    },
  });
  // The best epoch is 0 when no validation loss was finite.
  const kept = keepBest && best.epoch > 0 ? best.epoch : settings.epochs;
  if (kept === best.epoch) network.setWeights(best.weights);
  return { network, reports: epochs, kept };
}
