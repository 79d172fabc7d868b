// Names of metrics. Definitions stand in src/metrics/, where they are computed.
import { isArrayLike } from "../data/vector.ts";
import { kindError } from "../errors.ts";
import { list, oneOf } from "./checks.ts";
import { LIMITS } from "./defaults.ts";
import { lossName } from "./loss.ts";
import { outputsOf, type ResolvedSpec } from "./spec.ts";

const AVERAGES = ["", "Macro", "Micro", "Weighted"] as const;
const COUNTED = ["precision", "recall", "f1"] as const;

/** Of predicted classes; a network with softmax, or with one sigmoid output. */
export const CLASS_METRICS = [
  "accuracy",
  ...COUNTED.flatMap((name) => AVERAGES.map((average) => `${name}${average}` as const)),
  "confusionMatrix",
  "logLoss",
  "rocAuc",
  "brier",
] as const;
/** Of the differences between outputs and targets. */
export const REGRESSION_METRICS = ["mae", "mse", "rmse", "r2", "mape", "explainedVariance"] as const;

export type ClassMetric = (typeof CLASS_METRICS)[number] | `top${number}`;
export type RegressionMetric = (typeof REGRESSION_METRICS)[number];

/**
 * As scikit-learn's functions of these names; K classes.
 *
 * - accuracy: share of samples whose largest output (the lowest index on a tie; one sigmoid output: ≥ 0.5) is the target's class
 * - top2, top3, …: share of samples whose class is among so many largest outputs
 * - precision, recall, f1: of class 1 with one output, else the macro average; …Macro: the mean over the classes that occur or are predicted,
 *   …Micro: of all classes counted together, …Weighted: the mean by how often a class occurs; 0 where a class's quotient is 0/0
 * - confusionMatrix: [K × K] counts, a row per true class, a column per predicted one
 * - logLoss: the mean of −log p of the target's class, p at least 2⁻⁵²
 * - rocAuc: area under the ROC curve, ties counting half; K > 2: the mean of each class against the rest; NaN where a class does not occur
 * - brier: the mean of (p − y)² with one output, else of Σ (pₖ − yₖ)²
 * - mae, mse, rmse, mape, r2, explainedVariance: of each output, and of those the mean; mape divides by at least 2⁻⁵²; r2 and
 *   explainedVariance of a constant target: 1 where it is met, else 0; r2 of one sample is NaN
 */
export type MetricName = ClassMetric | RegressionMetric;

/** The values of the metrics asked for. */
export type MetricValues = { readonly [name in Exclude<MetricName, "confusionMatrix">]?: number } & {
  readonly confusionMatrix?: readonly (readonly number[])[];
};

const TOP = /^top([1-9][0-9]*)$/;

/** k of `top…`. */
export function topOf(name: string): number | undefined {
  const k = TOP.exec(name)?.[1];
  return k === undefined ? undefined : Number(k);
}

export function isRegressionMetric(name: MetricName): name is RegressionMetric {
  return (REGRESSION_METRICS as readonly string[]).includes(name);
}

/** Whether `name` may stand in a report. */
export function isMetricName(name: string): name is MetricName {
  const names: readonly string[] = [...CLASS_METRICS, ...REGRESSION_METRICS];
  return names.includes(name) || topOf(name) !== undefined;
}

/** Whether outputs are classes: softmax, or one sigmoid unit. */
function hasClasses(spec: ResolvedSpec): boolean {
  const last = spec.layers.at(-1);
  if (last?.type !== "dense") return false;
  const { type } = last.activation;
  return type === "softmax" || (type === "sigmoid" && last.units === 1);
}

/** What fits the network. @throws TypeError, RangeError for a metric that is none or does not */
export function resolveMetrics(given: unknown, spec: ResolvedSpec): readonly MetricName[] {
  if (given === undefined) return [];
  if (!isArrayLike(given)) throw kindError("metrics", "an array of names", given);
  const names = Array.from(given, (name, i) => resolveMetric(name, `metrics[${i}]`, spec));
  return Object.freeze([...new Set(names)]);
}

function resolveMetric(given: unknown, name: string, spec: ResolvedSpec): MetricName {
  const outputs = outputsOf(spec);
  const k = typeof given === "string" ? topOf(given) : undefined;
  const metric =
    k === undefined ? oneOf(name, given, [...CLASS_METRICS, "top3", ...REGRESSION_METRICS]) : (`top${k}` as const);
  if (isRegressionMetric(metric)) {
    if (lossName(spec.loss) !== "crossEntropy") return metric;
    const others = list(CLASS_METRICS.slice(0, 4), "or");
    throw new RangeError(
      `${name}: expected a metric of classes (${others}, …) with the loss crossEntropy, got '${metric}'`,
    );
  }
  if (!hasClasses(spec)) {
    const others = list(REGRESSION_METRICS, "or");
    throw new RangeError(`${name}: expected ${others} for outputs that are no classes, got '${metric}'`);
  }
  if (k !== undefined && (k > LIMITS.units || k > Math.max(2, outputs))) {
    throw new RangeError(`${name}: expected top1 to top${Math.max(2, outputs)}, got '${metric}'`);
  }
  return metric;
}
