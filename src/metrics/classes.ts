// Metrics of classes, from one pass over the outputs.
import type { Reals } from "../data/rows.ts";
import { log64 } from "../js/vmath.ts";
import { type ClassMetric, type MetricValues, topOf } from "../options/metrics.ts";
import { areaUnderCurve } from "./curve.ts";

const EPSILON = 2 ** -52;

/** Counts and sums over rows that come one after the other. */
export class ClassCounts {
  private readonly outputs: number;
  private readonly names: readonly ClassMetric[];
  /** 2 where there is one output. */
  private readonly classes: number;
  private rows = 0;
  private logs = 0;
  private squares = 0;
  /** [true class × predicted class] */
  private readonly confusion: Float64Array;
  /** How often the target's class was the k-th largest output, from 0. */
  private readonly places: Float64Array;
  /** Of every row, where a curve is wanted. */
  private readonly scores: number[][];
  private readonly truths: number[] = [];

  constructor(outputs: number, names: readonly ClassMetric[]) {
    this.outputs = outputs;
    this.names = names;
    this.classes = Math.max(2, outputs);
    this.confusion = new Float64Array(this.classes * this.classes);
    this.places = new Float64Array(this.classes);
    this.scores = names.includes("rocAuc") ? Array.from({ length: outputs }, () => []) : [];
  }

  /** Rows of outputs and of targets: class indices, or as many values as outputs. */
  add(a: Reals, y: Reals | Int32Array): void {
    const { outputs } = this;
    for (let row = 0; row < a.length / outputs; row++) {
      const at = row * outputs;
      const truth = y instanceof Int32Array ? (y[row] as number) : this.classAt(y, at);
      const guess = this.classAt(a, at);
      this.rows++;
      const cell = truth * this.classes + guess;
      this.confusion[cell] = (this.confusion[cell] as number) + 1;
      const place = this.placeOf(truth, a, at);
      this.places[place] = (this.places[place] as number) + 1;
      const p = this.probability(truth, a, at);
      this.logs -= log64(p > EPSILON ? p : EPSILON);
      this.addSquares(a, y, truth, at);
      if (this.scores.length === 0) continue;
      this.truths.push(truth);
      for (const [k, scores] of this.scores.entries()) scores.push(a[at + k] as number);
    }
  }

  private classAt(values: Reals, at: number): number {
    if (this.outputs === 1) return (values[at] as number) >= 0.5 ? 1 : 0;
    let best = 0;
    for (let k = 1; k < this.outputs; k++) if ((values[at + k] as number) > (values[at + best] as number)) best = k;
    return best;
  }

  private probability(k: number, a: Reals, at: number): number {
    if (this.outputs > 1) return a[at + k] as number;
    return k === 1 ? (a[at] as number) : 1 - (a[at] as number);
  }

  /** How many classes come before class `k`: with a larger output, or as large and a lower index. */
  private placeOf(k: number, a: Reals, at: number): number {
    if (this.outputs === 1) return this.classAt(a, at) === k ? 0 : 1;
    const own = a[at + k] as number;
    let place = 0;
    for (let j = 0; j < this.outputs; j++) {
      const other = a[at + j] as number;
      if (other > own || (other === own && j < k)) place++;
    }
    return place;
  }

  private addSquares(a: Reals, y: Reals | Int32Array, truth: number, at: number): void {
    for (let k = 0; k < this.outputs; k++) {
      const target = y instanceof Int32Array ? Number(k === truth) : (y[at + k] as number);
      const difference = (a[at + k] as number) - target;
      this.squares += difference * difference;
    }
  }

  private value(name: Exclude<ClassMetric, "rocAuc">): number | number[][] {
    const { rows } = this;
    const k = topOf(name);
    if (k !== undefined) return sum(this.places.subarray(0, k)) / rows;
    switch (name) {
      case "accuracy":
        return (this.places[0] as number) / rows;
      case "confusionMatrix":
        return this.rowsOf(this.confusion);
      case "logLoss":
        return this.logs / rows;
      case "brier":
        return this.squares / rows;
      default:
        return this.quotient(name);
    }
  }

  /** Yields wherever the host may look at its event loop. */
  *values(): Generator<undefined, MetricValues, void> {
    const values: Record<string, number | number[][]> = {};
    for (const name of this.names) values[name] = name === "rocAuc" ? yield* this.curves() : this.value(name);
    return values as MetricValues;
  }

  private rowsOf(matrix: Float64Array): number[][] {
    const { classes } = this;
    return Array.from({ length: classes }, (_, k) => Array.from(matrix.subarray(k * classes, (k + 1) * classes)));
  }

  /** Yields between the classes, each of which sorts all rows. */
  private *curves(): Generator<undefined, number, void> {
    const areas: number[] = [];
    for (const [k, scores] of this.scores.entries()) {
      const positive = this.outputs === 1 ? 1 : k;
      const of = (sign: boolean) =>
        Float64Array.from(scores.filter((_, row) => (this.truths[row] === positive) === sign));
      areas.push(areaUnderCurve(of(true), of(false)));
      yield;
    }
    // Of two complementary outputs both give the same.
    return this.outputs === 2 ? (areas[1] as number) : sum(areas) / areas.length;
  }

  /** precision, recall and f1, and their averages. */
  private quotient(name: string): number {
    const [, what = "", average = ""] = /^(precision|recall|f1)(.*)$/.exec(name) ?? [];
    const matrix = this.rowsOf(this.confusion);
    const counts = matrix.map((row, k) => ({
      right: row[k] as number,
      occurs: sum(row),
      predicted: sum(matrix.map((other) => other[k] as number)),
    }));
    if (average === "Micro") {
      const all = (key: "right" | "occurs" | "predicted") => sum(counts.map((count) => count[key]));
      return share(what, { right: all("right"), occurs: all("occurs"), predicted: all("predicted") });
    }
    if (average === "" && this.outputs === 1) return share(what, counts[1] as Count);
    const seen = counts.filter(({ occurs, predicted }) => occurs + predicted > 0);
    if (average !== "Weighted") return sum(seen.map((count) => share(what, count))) / seen.length;
    return sum(seen.map((count) => count.occurs * share(what, count))) / this.rows;
  }
}

interface Count {
  readonly right: number;
  readonly occurs: number;
  readonly predicted: number;
}

function share(what: string, { right, occurs, predicted }: Count): number {
  const whole = what === "precision" ? predicted : what === "recall" ? occurs : (occurs + predicted) / 2;
  return whole === 0 ? 0 : right / whole;
}

function sum(values: ArrayLike<number>): number {
  let total = 0;
  for (let i = 0; i < values.length; i++) total += values[i] as number;
  return total;
}
