// Backpropagation against numerical differentiation: nudge a parameter, look at the loss. Always in f64; slower than
// backpropagation by twice the number of parameters, which is why it is a check and not the method.
import * as abi from "../core/abi.ts";
import { instantiateCoreSync } from "../core/instantiate.ts";
import type { RowSource } from "../data/rows.ts";
import type { TargetSource } from "../data/targets.ts";
import { Model } from "../model.ts";
import type { GradientCheck } from "../options/results.ts";
import { findSegment } from "../parameters.ts";
import type { Segment } from "../plan.ts";
import { runPass } from "./passes.ts";

/** Of a central difference in f64: near the cube root of the machine epsilon, where both errors balance. */
const STEP = 6e-6;

const isChecked = (segment: Segment): segment is Segment & { readonly part: "W" | "b" } =>
  segment.part === "W" || segment.part === "b";

/** The check of `model` on a float64 copy of it, up to `limit` parameters. @throws what the data are refused for */
export function checkNetwork(model: Model, x: RowSource, y: TargetSource, limit: number): GradientCheck {
  const copy = new Model(instantiateCoreSync(model.core.kind, "float64"), model.spec, "float64", model.seed);
  copy.targetDtype = model.dtype;
  copy.lossFunction = model.lossFunction;
  for (const segment of copy.memory.plan.segments) {
    const own = findSegment(model, segment.layer, segment.part) as Segment;
    copy.writeParameters(segment, Float64Array.from(model.memory.readSegment(model.memory.plan.params, own)));
  }
  runPass(model, abi.MODE_EVALUATE, x, y); // the network's own dtype decides what is accepted
  return checkGradients(copy, x, y, limit);
}

/** Compares up to `limit` parameters of a float64 model, spread evenly; parameters end as they were. */
function checkGradients(model: Model, x: RowSource, y: TargetSource, limit: number): GradientCheck {
  const { memory } = model;
  model.demand({ training: true, reports: 1 });
  runPass(model, abi.MODE_GRADIENT, x, y, { all: true });
  const { plan } = memory;
  const segments = plan.segments.filter(isChecked);
  const gradients = segments.map((segment) => memory.readSegment(plan.gradients, segment));
  let norm = 0;
  for (const values of gradients) for (const value of values) norm = Math.max(norm, Math.abs(value));
  const total = segments.reduce((sum, { rows, cols }) => sum + rows * cols, 0);
  const stride = Math.max(1, Math.ceil(total / limit));
  let worst: GradientCheck["worst"] | undefined;
  let maxRelativeError = -1;
  let checked = 0;
  let base = 0;
  for (const [s, segment] of segments.entries()) {
    const { rows, cols, part, layer } = segment;
    const values = memory.readSegment(plan.params, segment);
    const lossAt = (index: number, value: number): number => {
      const changed = values.slice();
      changed[index] = value;
      memory.writeSegmentValues(plan.params, segment, changed);
      const { loss, penalty } = runPass(model, abi.MODE_EVALUATE, x, y);
      return loss + penalty;
    };
    for (let index = (stride - (base % stride)) % stride; index < rows * cols; index += stride) {
      const value = values[index] as number;
      const h = STEP * Math.max(1, Math.abs(value));
      // The step that is really taken: value ± h are rounded.
      const difference = (lossAt(index, value + h) - lossAt(index, value - h)) / (value + h - (value - h));
      const gradient = (gradients[s] as Float64Array)[index] as number;
      const scale = Math.max(Math.abs(gradient), Math.abs(difference), 1e-3 * norm);
      const relative = scale === 0 ? 0 : Math.abs(gradient - difference) / scale;
      const error = Number.isNaN(relative) ? Number.POSITIVE_INFINITY : relative;
      checked++;
      if (!(error > maxRelativeError)) continue;
      maxRelativeError = error;
      const at = part === "W" ? { row: Math.floor(index / cols), col: index % cols } : { row: index, col: 0 };
      worst = { layer, part, ...at, gradient, difference };
    }
    memory.writeSegmentValues(plan.params, segment, values);
    base += rows * cols;
  }
  return { maxRelativeError, worst: worst as GradientCheck["worst"], checked };
}
