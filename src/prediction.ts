// Rows in, outputs or classes out.
import * as abi from "./core/abi.ts";
import { checkInto } from "./data/into.ts";
import { type Matrix, type Rows, rowSource } from "./data/rows.ts";
import { unscaleOutputs } from "./data/scaling.ts";
import type { Reals } from "./memory.ts";
import type { Model } from "./model.ts";
import type { PredictOptions } from "./options/network.ts";
import { runPass } from "./training/passes.ts";

/** @throws TypeError, RangeError; `into` is written when every row has passed */
export function predictRows(model: Model, x: Rows, options: PredictOptions | undefined): Matrix {
  const { inputs, outputs, stagingRows } = model.memory.plan;
  const source = rowSource(x, "x", inputs);
  const shape: [number, number] = [source.rows, outputs];
  const into = options === undefined ? undefined : checkInto(options, x, shape, model.dtype);
  // Rows are checked window by window.
  const direct = into !== undefined && source.rows <= stagingRows;
  const data = direct ? into.data : resultArray(model, source.rows * outputs);
  const { targetScaling } = model.spec;
  runPass(model, abi.MODE_PREDICT, source, undefined, {
    onWindow: (first, _last, out) => {
      if (targetScaling !== undefined) unscaleOutputs(out, targetScaling);
      data.set(out, first * outputs);
    },
  });
  if (into !== undefined && !direct) into.data.set(data);
  return into ?? { data, shape };
}

/** `sigmoid`: the output layer's activation is one. @throws RangeError where outputs do not say a class */
export function checkClasses(outputs: number, sigmoid: boolean): void {
  if (outputs > 1 || sigmoid) return;
  throw new RangeError(
    "predictClasses: expected several outputs or one sigmoid output, got one output of another kind",
  );
}

/** The class of each row of a prediction. */
export function classesOf({ data, shape: [rows, outputs] }: Matrix): Int32Array {
  return Int32Array.from({ length: rows }, (_, row) =>
    outputs === 1 ? Number((data[row] as number) >= 0.5) : argmax(data, row * outputs, outputs),
  );
}

function argmax(values: Reals, begin: number, count: number): number {
  let best = 0;
  for (let i = 1; i < count; i++) {
    if ((values[begin + i] as number) > (values[begin + best] as number)) best = i;
  }
  return best;
}

/** An array of the network's dtype for the user. @throws RangeError where there is no room for it */
export function resultArray(model: Model, length: number): Reals {
  try {
    return model.dtype === "float32" ? new Float32Array(length) : new Float64Array(length);
  } catch (error) {
    const bytes = length * model.memory.plan.size;
    throw new RangeError(`predict: expected a result that fits into memory, got ${bytes} bytes`, { cause: error });
  }
}
