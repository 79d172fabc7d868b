// One row in, one row out, without the stages that many rows need: nothing is allocated, and little more than the products
// is done. What is not exactly this case is left to the general way, and so are its errors.
import type { Matrix, Reals, Rows } from "../data/rows.ts";
import { unscaleOutputs } from "../data/scaling.ts";
import { nonFiniteError } from "../data/targets.ts";
import type { Model } from "../model.ts";

/**
 * `into` with the prediction, where x is a Matrix [1 × inputs] and `into` a Matrix [1 × outputs] of memory of its own, both in
 * the network's dtype; else undefined.
 * @throws RangeError for an input that is not finite; then `into` is unchanged
 */
export function predictRow(model: Model, x: Rows, options: unknown): Matrix | undefined {
  if (typeof options !== "object" || options === null) return undefined;
  for (const key in options) if (key !== "into") return undefined;
  const { into } = options as { into?: Matrix };
  const { memory, core } = model;
  const { plan } = memory;
  const from = rowOf(x as Matrix, plan.inputs, plan.size);
  const to = rowOf(into, plan.outputs, plan.size);
  if (from === undefined || to === undefined || from.buffer === to.buffer) return undefined;
  const row = memory.rowViews();
  row.x.set(from);
  const bad = core.exports.predictRow(plan.net.offset);
  if (bad >= 0) throw nonFiniteError("x", bad, plan.inputs, from[bad]);
  to.set(row.out);
  if (model.spec.targetScaling !== undefined) unscaleOutputs(to, model.spec.targetScaling);
  return into;
}

/** The data of a Matrix [1 × cols] with `size` bytes per element. */
function rowOf(matrix: Matrix | undefined, cols: number, size: number): Reals | undefined {
  if (typeof matrix !== "object" || matrix === null) return undefined;
  const { data, shape } = matrix;
  if (!(size === 4 ? data instanceof Float32Array : data instanceof Float64Array) || data.length !== cols)
    return undefined;
  return shape?.length === 2 && shape[0] === 1 && shape[1] === cols ? data : undefined;
}
