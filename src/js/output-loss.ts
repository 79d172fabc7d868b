// Losses that are a sum over outputs: the value of one output in f64 and its derivative in the network's dtype, side by side.
import {
  LOSS_HINGE,
  LOSS_HUBER,
  LOSS_LOG_COSH,
  LOSS_MEAN_ABSOLUTE_ERROR,
  LOSS_POISSON,
  LOSS_SQUARED_HINGE,
} from "../core/abi.ts";
import type { Lanes } from "./lanes.ts";
import { exp64, log1p64, log64, tanh32, tanh64 } from "./vmath.ts";

/** max(0, x); NaN stays. */
const hinge = (x: number) => (x < 0 ? 0 : x);

/** Before the mean over outputs; the squared errors without their ½. */
export function outputLoss({ minNormal }: Lanes, loss: number, a: number, y: number, delta: number): number {
  const error = a - y;
  const size = Math.abs(error);
  switch (loss) {
    case LOSS_MEAN_ABSOLUTE_ERROR:
      return size;
    case LOSS_HUBER:
      return size <= delta ? 0.5 * (error * error) : delta * (size - 0.5 * delta);
    case LOSS_LOG_COSH:
      return size + (log1p64(exp64(-2 * size)) - Math.LN2); // log cosh e = |e| + log(1 + e^−2|e|) − log 2
    case LOSS_HINGE:
      return hinge(1 - y * a);
    case LOSS_SQUARED_HINGE:
      return hinge(1 - y * a) * hinge(1 - y * a);
    case LOSS_POISSON:
      return a - y * log64(a < minNormal ? minNormal : a);
    default:
      return error * error;
  }
}

/**
 * ∂/∂a, the squared error's without its 2; binaryCrossEntropy: ∂/∂z. At a kink 0 (meanAbsoluteError), the derivative within δ (huber),
 * 0 where y·a = 1 (hinges).
 */
export function outputSlope(lanes: Lanes, loss: number, a: number, y: number, delta: number): number {
  const { round, minNormal, single } = lanes;
  const error = round(a - y);
  switch (loss) {
    case LOSS_MEAN_ABSOLUTE_ERROR:
      if (error > 0) return 1;
      return error < 0 ? -1 : error;
    case LOSS_HUBER:
      if (error > delta) return delta;
      return error < -delta ? -delta : error;
    case LOSS_LOG_COSH:
      return single ? tanh32(error) : tanh64(error);
    case LOSS_HINGE:
      return round(1 - round(y * a)) > 0 ? -y : 0;
    case LOSS_SQUARED_HINGE: {
      const margin = round(1 - round(y * a));
      return margin < 0 ? 0 : -2 * round(y * margin);
    }
    case LOSS_POISSON:
      return round(1 - round(y / (a < minNormal ? minNormal : a)));
    default:
      return error;
  }
}
