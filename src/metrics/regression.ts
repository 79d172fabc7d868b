// Metrics of differences, from one pass over the outputs.
import type { Reals } from "../data/rows.ts";
import type { MetricValues, RegressionMetric } from "../options/metrics.ts";

const EPSILON = 2 ** -52;

/** Mean and Σ(x − mean)², value by value (Welford 1962). */
class Spread {
  count = 0;
  mean = 0;
  squares = 0;

  add(value: number): void {
    this.count++;
    const before = value - this.mean;
    this.mean += before / this.count;
    this.squares += before * (value - this.mean);
  }
}

/** Sums of one output. */
class OutputSums {
  private readonly targets = new Spread();
  private readonly errors = new Spread();
  private absolute = 0;
  private relative = 0;
  private squares = 0;

  add(a: number, y: number): void {
    const error = y - a;
    const size = Math.abs(error);
    this.targets.add(y);
    this.errors.add(error);
    this.absolute += size;
    this.squares += error * error;
    this.relative += size / Math.max(EPSILON, Math.abs(y));
  }

  value(name: RegressionMetric): number {
    const { count } = this.targets;
    switch (name) {
      case "mae":
        return this.absolute / count;
      case "mse":
        return this.squares / count;
      case "rmse":
        return Math.sqrt(this.squares / count);
      case "mape":
        return this.relative / count;
      case "explainedVariance":
        return explained(this.errors.squares, this.targets.squares);
      default:
        return count < 2 ? Number.NaN : explained(this.squares, this.targets.squares);
    }
  }
}

function explained(rest: number, whole: number): number {
  if (whole === 0) return rest === 0 ? 1 : 0;
  return 1 - rest / whole;
}

/** Sums over rows that come one after the other. */
export class RegressionSums {
  private readonly names: readonly RegressionMetric[];
  private readonly outputs: readonly OutputSums[];

  constructor(outputs: number, names: readonly RegressionMetric[]) {
    this.names = names;
    this.outputs = Array.from({ length: outputs }, () => new OutputSums());
  }

  /** Rows of outputs and of targets. */
  add(a: Reals, y: Reals): void {
    const { outputs } = this;
    for (let at = 0; at < a.length; at += outputs.length) {
      for (const [k, sums] of outputs.entries()) sums.add(a[at + k] as number, y[at + k] as number);
    }
  }

  get values(): MetricValues {
    return Object.fromEntries(this.names.map((name) => [name, this.mean(name)]));
  }

  private mean(name: RegressionMetric): number {
    let total = 0;
    for (const sums of this.outputs) total += sums.value(name);
    return total / this.outputs.length;
  }
}
