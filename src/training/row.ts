// One row in, one row out, without the stages that many rows need: little more than the products is done, and nothing is
// allocated but what is returned. What is not exactly this case is left to the general way, and so are its errors.
import type { Matrix, Reals, Rows } from "../data/rows.ts";
import { unscaleOutputs } from "../data/scaling.ts";
import { nonFiniteError } from "../data/targets.ts";
import type { Model } from "../model.ts";

/**
 * The prediction, where x is a Matrix [1 × inputs] in the network's dtype and options are none, or only `into`, a Matrix
 * [1 × outputs] of that dtype and of memory of its own, which then is written and returned; else undefined.
 * @throws RangeError for an input that is not finite; then `into` is unchanged
 */
export function predictRow(model: Model, x: Rows, options: unknown): Matrix | undefined {
  const { memory, core } = model;
  const { plan } = memory;
  const from = rowOf(x as Matrix, plan.inputs, plan.size);
  if (from === undefined) return undefined;
  const into = options === undefined ? newRow(plan.outputs, plan.size) : onlyInto(options);
  const to = rowOf(into, plan.outputs, plan.size);
  if (to === undefined || from.buffer === to.buffer) return undefined;
  const row = memory.rowViews();
  row.x.set(from);
  const bad = core.exports.predictRow(plan.net.offset);
  if (bad >= 0) throw nonFiniteError("x", bad, plan.inputs, from[bad]);
  to.set(row.out);
  if (model.spec.targetScaling !== undefined) unscaleOutputs(to, model.spec.targetScaling);
  return into;
}

function newRow(outputs: number, size: number): Matrix {
  return { data: size === 4 ? new Float32Array(outputs) : new Float64Array(outputs), shape: [1, outputs] };
}

function onlyInto(options: unknown): Matrix | undefined {
  if (typeof options !== "object" || options === null) return undefined;
  for (const key in options) if (key !== "into") return undefined;
  return (options as { into?: Matrix }).into;
}

/** The data of a Matrix [1 × cols] with `size` bytes per element. */
function rowOf(matrix: Matrix | undefined, cols: number, size: number): Reals | undefined {
  if (typeof matrix !== "object" || matrix === null) return undefined;
  const { data, shape } = matrix;
  if (!(size === 4 ? data instanceof Float32Array : data instanceof Float64Array) || data.length !== cols)
    return undefined;
  return shape?.length === 2 && shape[0] === 1 && shape[1] === cols ? data : undefined;
}
