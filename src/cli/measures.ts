import type { Matrix } from "../index.ts";
import { aligned, percent, significant } from "./format.ts";

/** How one class fared. */
export interface ClassMeasures {
  name: string;
  /** Right among those predicted as this class; undefined when none was. */
  precision: number | undefined;
  /** Right among those that are this class; undefined when there is none. */
  recall: number | undefined;
  /** Rows of this class. */
  support: number;
}

export interface ClassificationMeasures {
  accuracy: number;
  classes: ClassMeasures[];
}

/** Compares predicted with true class indices. */
export function classificationMeasures(
  predicted: Int32Array,
  actual: Int32Array,
  classes: readonly string[],
): ClassificationMeasures {
  const right = classes.map(() => 0);
  const guessed = classes.map(() => 0);
  const support = classes.map(() => 0);
  predicted.forEach((guess, i) => {
    const truth = actual[i] as number;
    guessed[guess] = (guessed[guess] ?? 0) + 1;
    support[truth] = (support[truth] ?? 0) + 1;
    if (guess === truth) right[truth] = (right[truth] ?? 0) + 1;
  });
  const share = (part: number, whole: number) => (whole === 0 ? undefined : part / whole);
  return {
    accuracy: right.reduce((sum, count) => sum + count, 0) / predicted.length,
    classes: classes.map((name, k) => ({
      name,
      precision: share(right[k] ?? 0, guessed[k] ?? 0),
      recall: share(right[k] ?? 0, support[k] ?? 0),
      support: support[k] ?? 0,
    })),
  };
}

export interface RegressionMeasures {
  /** Root of the mean squared error, in the target's unit. */
  rmse: number;
  /** Mean absolute error, in the target's unit. */
  mae: number;
  /** 1 − Σ(error)² / Σ(deviation from the mean)²; undefined when all targets are equal. */
  r2: number | undefined;
}

/** Compares the one output of a network with values. */
export function regressionMeasures({ data: predicted }: Matrix, actual: Float64Array): RegressionMeasures {
  const n = actual.length;
  const mean = actual.reduce((sum, value) => sum + value, 0) / n;
  let squares = 0;
  let absolutes = 0;
  let spread = 0;
  actual.forEach((value, i) => {
    const error = (predicted[i] as number) - value;
    squares += error * error;
    absolutes += Math.abs(error);
    spread += (value - mean) * (value - mean);
  });
  const r2 = spread === 0 ? undefined : 1 - squares / spread;
  return { rmse: Math.sqrt(squares / n), mae: absolutes / n, r2 };
}

const shareText = (share: number | undefined) => (share === undefined ? "-" : percent(share));

/** One row per class: precision, recall, support. */
export function classTable({ classes }: ClassificationMeasures): string {
  return aligned([
    ["class", "precision", "recall", "support"],
    ...classes.map(({ name, precision, recall, support }) => [
      name,
      shareText(precision),
      shareText(recall),
      String(support),
    ]),
  ]);
}

/** One line per measure, each beginning with `label` and a blank when there is a label. */
export function regressionLines({ rmse, mae, r2 }: RegressionMeasures, label = ""): string {
  const lead = label === "" ? "" : `${label} `;
  return [
    `${lead}root mean squared error: ${significant(rmse)}`,
    `${lead}mean absolute error: ${significant(mae)}`,
    `${lead}R²: ${r2 === undefined ? "-" : r2.toFixed(3)}`,
    "",
  ].join("\n");
}
