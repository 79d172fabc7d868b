// Loss, metrics and gradients of rows, without training.
import * as abi from "./core/abi.ts";
import type { Matrix, RowSource } from "./data/rows.ts";
import type { TargetSource } from "./data/targets.ts";
import { Collection } from "./metrics/collect.ts";
import type { Model } from "./model.ts";
import type { MetricName } from "./options/metrics.ts";
import type { Evaluation, LayerWeights } from "./options/results.ts";
import { readLayers } from "./parameters.ts";
import { resultArray } from "./prediction.ts";
import { atOnce } from "./training/pace.ts";
import { countsClasses, runPass } from "./training/passes.ts";

/** `weights`: of all rows, mean 1. */
export function evaluateRows(
  model: Model,
  x: RowSource,
  y: TargetSource,
  metrics: readonly MetricName[],
  weights: Float64Array | undefined,
): Evaluation {
  if (weights !== undefined) model.demand({ weighted: true });
  const collection = new Collection(model.spec, metrics);
  const { loss, penalty, correct } = runPass(model, abi.MODE_EVALUATE, x, y, {
    weights,
    outputs: metrics.length > 0,
    onWindow: (_first, _last, out, targets) => metrics.length > 0 && collection.add(out, targets),
  });
  const values = atOnce(collection.values());
  return countsClasses(model) ? { loss, penalty, ...values, accuracy: correct / x.rows } : { loss, penalty, ...values };
}

/** Of the objective, by every parameter. */
export function gradientsOf(model: Model, x: RowSource, y: TargetSource): { loss: number; layers: LayerWeights[] } {
  model.demand({ training: true, reports: Math.max(1, model.memory.plan.demand.reports) });
  const { loss, penalty } = runPass(model, abi.MODE_GRADIENT, x, y, { all: true });
  return { loss: loss + penalty, layers: readLayers(model, model.memory.plan.gradients) };
}

/** Of the mean loss, by the inputs: [rows × inputs]. */
export function inputGradientsOf(model: Model, x: RowSource, y: TargetSource): Matrix {
  const { inputs, demand } = model.memory.plan;
  model.demand({ training: true, inputGradients: true, reports: Math.max(1, demand.reports) });
  const data = resultArray(model, x.rows * inputs);
  runPass(model, abi.MODE_GRADIENT, x, y, {
    all: true,
    inputGradients: true,
    onWindow: (first, _last, out) => data.set(out, first * inputs),
  });
  return { data, shape: [x.rows, inputs] };
}
