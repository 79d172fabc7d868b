// Losses that are a sum over outputs: the values of one output of some samples, two lanes of f64, and the derivatives in lanes of the
// network's dtype, side by side.
import {
  LOSS_BINARY_CROSS_ENTROPY, LOSS_HINGE, LOSS_HUBER, LOSS_LOG_COSH, LOSS_MEAN_ABSOLUTE_ERROR, LOSS_POISSON, LOSS_SQUARED_HINGE,
} from "./abi";
import { MIN_NORMAL } from "./lanes";
import { vexp64, vlog1p64, vlog64, vtanh } from "./vmath";

const LN2: f64 = 0.6931471805599453;

/** Before the mean over outputs; not the squared errors. `x` is the output's a, for binaryCrossEntropy its z. */
@inline
export function outputLoss(loss: i32, x: v128, y: v128, delta: f64): v128 {
  return valueOf(loss, x, y, delta);
}

function valueOf(loss: i32, x: v128, y: v128, delta: f64): v128 {
  const error = f64x2.sub(x, y), size = f64x2.abs(error);
  switch (loss) {
    case LOSS_BINARY_CROSS_ENTROPY: {
      // −(y·log σ(z) + (1−y)·log(1−σ(z))) = max(z, 0) − z·y + log(1 + exp(−|z|))
      const positive = v128.andnot(x, f64x2.lt(x, f64x2.splat(0)));
      return f64x2.add(f64x2.sub(positive, f64x2.mul(x, y)), vlog1p64(vexp64(f64x2.neg(f64x2.abs(x)))));
    }
    case LOSS_MEAN_ABSOLUTE_ERROR: return size;
    case LOSS_HUBER: {
      const deltas = f64x2.splat(delta);
      const beyond = f64x2.mul(deltas, f64x2.sub(size, f64x2.splat(0.5 * delta)));
      return v128.bitselect(f64x2.mul(f64x2.splat(0.5), f64x2.mul(error, error)), beyond, f64x2.le(size, deltas));
    }
    case LOSS_LOG_COSH: {
      // log cosh e = |e| + log(1 + e^−2|e|) − log 2
      return f64x2.add(size, f64x2.sub(vlog1p64(vexp64(f64x2.mul(f64x2.splat(-2), size))), f64x2.splat(LN2)));
    }
    case LOSS_HINGE: return hinge(x, y);
    case LOSS_SQUARED_HINGE: {
      const h = hinge(x, y);
      return f64x2.mul(h, h);
    }
    case LOSS_POISSON: {
      const min = f64x2.splat(MIN_NORMAL);
      return f64x2.sub(x, f64x2.mul(y, vlog64(v128.bitselect(min, x, f64x2.lt(x, min)))));
    }
    default: assert(false); return error;
  }
}

/** max(0, 1 − y·a); NaN stays. */
@inline
function hinge(a: v128, y: v128): v128 {
  const margin = f64x2.sub(f64x2.splat(1), f64x2.mul(y, a));
  return v128.andnot(margin, f64x2.lt(margin, f64x2.splat(0)));
}

/**
 * ∂/∂a; not the losses whose derivative is a − y. At a kink 0 (meanAbsoluteError), the derivative within δ (huber), 0 where y·a = 1
 * (hinges).
 */
@inline
export function outputSlope(loss: i32, a: v128, y: v128, delta: real): v128 {
  return slopeOf(loss, a, y, delta);
}

function slopeOf(loss: i32, a: v128, y: v128, delta: real): v128 {
  const error = v128.sub<real>(a, y), one = v128.splat<real>(1), zero = v128.splat<real>(0);
  switch (loss) {
    case LOSS_MEAN_ABSOLUTE_ERROR: case LOSS_HUBER: {
      // Within [−δ, δ] the error itself; an absolute error is only so at 0.
      const absolute = loss == LOSS_MEAN_ABSOLUTE_ERROR;
      const most = absolute ? one : v128.splat<real>(delta), end = absolute ? zero : most;
      const below = v128.bitselect(v128.neg<real>(most), error, v128.lt<real>(error, v128.neg<real>(end)));
      return v128.bitselect(most, below, v128.gt<real>(error, end));
    }
    case LOSS_LOG_COSH: return vtanh(error);
    case LOSS_HINGE: return v128.and(v128.neg<real>(y), v128.gt<real>(v128.sub<real>(one, v128.mul<real>(y, a)), zero));
    case LOSS_SQUARED_HINGE: {
      const margin = v128.sub<real>(one, v128.mul<real>(y, a));
      const slope = v128.mul<real>(v128.splat<real>(-2), v128.mul<real>(y, margin));
      return v128.andnot(slope, v128.lt<real>(margin, zero));
    }
    case LOSS_POISSON: {
      const min = v128.splat<real>(<real>MIN_NORMAL);
      return v128.sub<real>(one, v128.div<real>(y, v128.bitselect(min, a, v128.lt<real>(a, min))));
    }
    default: assert(false); return error;
  }
}
