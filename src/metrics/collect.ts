// The metrics that were asked for, collected window by window.

import type { Reals } from "../data/rows.ts";
import { unscaleOutputs } from "../data/scaling.ts";
import { type ClassMetric, isRegressionMetric, type MetricName, type MetricValues } from "../options/metrics.ts";
import { outputsOf, type ResolvedSpec } from "../options/spec.ts";
import { ClassCounts } from "./classes.ts";
import { RegressionSums } from "./regression.ts";

export class Collection {
  private readonly spec: ResolvedSpec;
  private readonly classes: ClassCounts | undefined;
  private readonly differences: RegressionSums | undefined;

  constructor(spec: ResolvedSpec, names: readonly MetricName[]) {
    this.spec = spec;
    const outputs = outputsOf(spec);
    const differences = names.filter(isRegressionMetric);
    const classes = names.filter((name): name is ClassMetric => !isRegressionMetric(name));
    this.classes = classes.length > 0 ? new ClassCounts(outputs, classes) : undefined;
    this.differences = differences.length > 0 ? new RegressionSums(outputs, differences) : undefined;
  }

  /** Rows as they stand in the memory: outputs, and targets as the network learns them. */
  add(outputs: Reals, targets: Reals | Int32Array): void {
    this.classes?.add(outputs, targets);
    if (this.differences === undefined || targets instanceof Int32Array) return;
    const { targetScaling } = this.spec;
    const [a, y] = targetScaling === undefined ? [outputs, targets] : [outputs.slice(), targets.slice()];
    if (targetScaling !== undefined) for (const values of [a, y]) unscaleOutputs(values, targetScaling);
    this.differences.add(a, y);
  }

  /** Yields wherever the host may look at its event loop. */
  *values(): Generator<undefined, MetricValues, void> {
    const ofClasses = this.classes === undefined ? {} : yield* this.classes.values();
    return { ...ofClasses, ...this.differences?.values };
  }
}
