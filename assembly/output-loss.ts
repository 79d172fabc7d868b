// Losses that are a sum over outputs: the value of one output in f64 and its derivative in the network's dtype, side by side.
import {
  LOSS_BINARY_CROSS_ENTROPY, LOSS_HINGE, LOSS_HUBER, LOSS_LOG_COSH, LOSS_MEAN_ABSOLUTE_ERROR, LOSS_MEAN_SQUARED_ERROR,
  LOSS_POISSON, LOSS_SQUARED_ERROR, LOSS_SQUARED_HINGE,
} from "./abi";
import { MIN_NORMAL } from "./lanes";
import { sexp, slog, slog1p, vtanh } from "./vmath";

const LN2: f64 = 0.6931471805599453;

/** Before the mean over outputs; the squared errors without their ½. */
@inline
export function outputLoss(loss: i32, a: f64, y: f64, delta: f64): f64 {
  const error = a - y, size = abs<f64>(error);
  switch (loss) {
    case LOSS_MEAN_ABSOLUTE_ERROR: return size;
    case LOSS_HUBER: return size <= delta ? 0.5 * (error * error) : delta * (size - 0.5 * delta);
    case LOSS_LOG_COSH: return size + (slog1p(sexp(-2 * size)) - LN2); // log cosh e = |e| + log(1 + e^−2|e|) − log 2
    case LOSS_HINGE: return hinge(1 - y * a);
    case LOSS_SQUARED_HINGE: return hinge(1 - y * a) * hinge(1 - y * a);
    case LOSS_POISSON: return a - y * slog(a < MIN_NORMAL ? MIN_NORMAL : a);
    default: return error * error;
  }
}

/** max(0, x); NaN stays. */
@inline
function hinge(x: f64): f64 {
  return x < 0 ? 0 : x;
}

/**
 * ∂/∂a, the squared error's without its 2; binaryCrossEntropy: ∂/∂z. At a kink 0 (meanAbsoluteError), the derivative within δ (huber),
 * 0 where y·a = 1 (hinges).
 */
@inline
export function outputSlope(loss: i32, a: real, y: real, delta: real): real {
  switch (loss) {
    case LOSS_SQUARED_ERROR: case LOSS_MEAN_SQUARED_ERROR: case LOSS_BINARY_CROSS_ENTROPY: return a - y;
    case LOSS_MEAN_ABSOLUTE_ERROR: {
      const error = a - y;
      return error > 0 ? 1 : error < 0 ? -1 : error;
    }
    case LOSS_HUBER: {
      const error = a - y;
      return error > delta ? delta : error < -delta ? -delta : error;
    }
    case LOSS_LOG_COSH: return v128.extract_lane<real>(vtanh(v128.splat<real>(a - y)), 0);
    case LOSS_HINGE: return 1 - y * a > 0 ? -y : 0;
    case LOSS_SQUARED_HINGE: {
      const margin: real = 1 - y * a;
      return margin < 0 ? 0 : -2 * (y * margin);
    }
    case LOSS_POISSON: return 1 - y / (a < <real>MIN_NORMAL ? <real>MIN_NORMAL : a);
    default: return 0;
  }
}
