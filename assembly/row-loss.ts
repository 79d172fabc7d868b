// Losses of targets that are rows of numbers: all of them, but where targets are smoothed or weighted by class.
import {
  ACTIVATION_LINEAR, ACTIVATION_SOFTMAX, JOB_IN_STEP, JOB_SAMPLE_WEIGHTS_PTR, JOB_WINDOW_BEGIN, LOSS_BINARY_CROSS_ENTROPY,
  LOSS_CROSS_ENTROPY, LOSS_KULLBACK_LEIBLER, LOSS_MEAN_SQUARED_ERROR, LOSS_SQUARED_ERROR, NET_LOSS, NET_LOSS_DELTA,
  NET_LOSS_SCRATCH_PTR, NODE_ACTIVATION, NODE_A_PTR, NODE_DELTA_PTR, NODE_UNITS, NODE_Z_PTR,
} from "./abi";
import { softmaxSlope } from "./activation";
import { nodeSlope } from "./backprop";
import { LANES, MIN_NORMAL, SIZE, UNIT_BYTES, flush, loadSplat } from "./lanes";
import { addLoss } from "./loss-sum";
import { outputLoss, outputSlope } from "./output-loss";
import { vlog64 } from "./vmath";

// LANES samples side by side, so that each sample's sum over its outputs keeps its order. The lanes of samples past n repeat the last
// one's target; a single sample (`vector`) stands in all.

/** Unit i of LANES samples. */
@inline
function unitOf(p: usize, vector: bool): v128 {
  return vector ? loadSplat(p) : v128.load(p);
}

@inline
function setUnit(p: usize, x: v128, vector: bool): void {
  if (vector) store<real>(p, v128.extract_lane<real>(x, 0));
  else v128.store(p, x);
}

/** An element of LANES rows. */
@inline
function elementOf(y0: usize, y1: usize, y2: usize, y3: usize, at: usize): v128 {
  if (LANES == 2) return v128.load64_lane(y1 + at, v128.load64_zero(y0 + at), 1);
  const low = v128.load32_lane(y1 + at, v128.load32_zero(y0 + at), 1);
  return v128.load32_lane(y3 + at, v128.load32_lane(y2 + at, low, 2), 3);
}

/** Its lanes 0 and 1, and 2 and 3, in f64. */
@inline
function lowOf(x: v128): v128 {
  return LANES == 4 ? f64x2.promote_low_f32x4(x) : x;
}

@inline
function highOf(x: v128): v128 {
  return LANES == 4 ? f64x2.promote_low_f32x4(v128.shuffle<i64>(x, x, 1, 0)) : x;
}

/** Adds the losses of a block's n samples, and with `backward` writes delta as lossBlock says; padding is left as it comes out. */
export function addRowLosses(
  net: usize, job: usize, node: usize, targets: usize, order: usize, first: i32, batch: i32, n: i32, vector: bool, backward: bool,
): void {
  const loss = load<i32>(net, NET_LOSS), units = load<i32>(node, NODE_UNITS), activation = load<i32>(node, NODE_ACTIVATION);
  const stride: usize = vector ? SIZE : UNIT_BYTES, bytes = <usize>(units * SIZE), end = <usize>units * stride;
  const ofSoftmax = loss == LOSS_CROSS_ENTROPY || loss == LOSS_KULLBACK_LEIBLER;
  // ∂ℓ/∂z at once, or ∂ℓ/∂a first?
  const direct = ofSoftmax || loss == LOSS_BINARY_CROSS_ENTROPY || activation == ACTIVATION_LINEAR;
  const scratch = load<usize>(net, NET_LOSS_SCRATCH_PTR);
  const sums = scratch + <usize>(vector ? SIZE : ((n + 7) >> 3) * UNIT_BYTES);
  for (let s = 0; s < n; s += LANES) {
    const last = n - 1 - s, lane = <usize>(s * SIZE);
    const y0 = targets + <usize>rowOf(order, first + s) * bytes, y1 = targets + <usize>rowOf(order, first + s + min(1, last)) * bytes;
    const y2 = LANES == 2 ? y0 : targets + <usize>rowOf(order, first + s + min(2, last)) * bytes;
    const y3 = LANES == 2 ? y1 : targets + <usize>rowOf(order, first + s + min(3, last)) * bytes;
    const at = sampleAt(s, units, vector);
    const a = load<usize>(node, NODE_A_PTR) + at, z = load<usize>(node, NODE_Z_PTR) + at;
    let low = f64x2.splat(0), high = low;
    if (ofSoftmax) {
      // −Σ y·log softmax(z) = Σ y·(log sum − (z − max)); the divergence adds y·log y
      const max = unitOf(scratch + lane, vector), sum = unitOf(sums + lane, vector);
      const lowSum = vlog64(lowOf(sum)), highSum = LANES == 4 ? vlog64(highOf(sum)) : lowSum;
      const lowMax = lowOf(max), highMax = highOf(max);
      for (let i: usize = 0, p = z; i < bytes; i += SIZE, p += stride) {
        const x = unitOf(p, vector), y = elementOf(y0, y1, y2, y3, i);
        low = f64x2.add(low, softmaxTerm(loss, lowOf(x), lowOf(y), lowSum, lowMax));
        if (LANES == 4) high = f64x2.add(high, softmaxTerm(loss, highOf(x), highOf(y), highSum, highMax));
      }
    } else {
      const param = load<f64>(net, NET_LOSS_DELTA);
      for (let i: usize = 0, p = loss == LOSS_BINARY_CROSS_ENTROPY ? z : a; i < bytes; i += SIZE, p += stride) {
        const x = unitOf(p, vector), y = elementOf(y0, y1, y2, y3, i);
        low = f64x2.add(low, outputTerm(loss, lowOf(x), lowOf(y), param));
        if (LANES == 4) high = f64x2.add(high, outputTerm(loss, highOf(x), highOf(y), param));
      }
      // Halved, which is exact, or a mean.
      const parts = f64x2.splat(loss == LOSS_SQUARED_ERROR ? 2 : <f64>units);
      low = f64x2.div(low, parts);
      if (LANES == 4) high = f64x2.div(high, parts);
    }
    const inStep = load<i32>(job, JOB_IN_STEP) + s;
    for (let i = 0; i <= min(last, LANES - 1); i++) {
      const pair = i < 2 ? low : high;
      const value = i & 1 ? f64x2.extract_lane(pair, 1) : f64x2.extract_lane(pair, 0);
      addLoss(job, inStep + i, weightOf(job, rowOf(order, first + s + i)) * value);
    }
    if (!backward) continue;
    const delta = load<usize>(node, NODE_DELTA_PTR) + at;
    const factors = direct ? factorsOf(job, order, first + s, last, batch) : v128.splat<real>(1);
    if (ofSoftmax) softmaxDeltas(delta, a, y0, y1, y2, y3, stride, end, factors, vector);
    else outputDeltas(net, delta, a, y0, y1, y2, y3, units, stride, end, factors, direct, vector);
  }
  if (direct || !backward) return;
  const delta = load<usize>(node, NODE_DELTA_PTR);
  if (activation != ACTIVATION_SOFTMAX) nodeSlope(node, n, vector);
  else for (let s = 0; s < n; s++) {
    const at = sampleAt(s, units, vector);
    softmaxSlope(delta + at, load<usize>(node, NODE_A_PTR) + at, units, stride);
  }
  for (let s = 0; s < n; s += LANES) {
    scaleUnits(delta + sampleAt(s, units, vector), end, stride, factorsOf(job, order, first + s, n - 1 - s, batch), vector);
  }
}

/** Where sample s begins in panels of `units` units, or in a vector. */
@inline
export function sampleAt(s: i32, units: i32, vector: bool): usize {
  return vector ? 0 : <usize>((s >> 3) * units * UNIT_BYTES + (s & 7) * SIZE);
}

/** Row of sample s. */
@inline
export function rowOf(order: usize, s: i32): i32 {
  return order ? load<i32>(order + (<usize>s << 2)) : s;
}

/** Weight of a row; 1 without weights. */
export function weightOf(job: usize, row: i32): f64 {
  const weights = load<usize>(job, JOB_SAMPLE_WEIGHTS_PTR);
  return weights ? load<f64>(weights + (<usize>(row - load<i32>(job, JOB_WINDOW_BEGIN)) << 3)) : 1;
}

/** rnd(w/B) of samples s … s + LANES − 1; those past s + last as that. */
function factorsOf(job: usize, order: usize, s: i32, last: i32, batch: i32): v128 {
  const inverse = 1.0 / <f64>batch;
  let factors = v128.splat<real>(<real>inverse);
  if (!load<usize>(job, JOB_SAMPLE_WEIGHTS_PTR)) return factors;
  factors = v128.splat<real>(<real>(weightOf(job, rowOf(order, s)) * inverse));
  factors = v128.replace_lane<real>(factors, 1, <real>(weightOf(job, rowOf(order, s + min(1, last))) * inverse));
  if (LANES == 2) return factors;
  factors = v128.replace_lane<f32>(factors, 2, <f32>(weightOf(job, rowOf(order, s + min(2, last))) * inverse));
  return v128.replace_lane<f32>(factors, 3, <f32>(weightOf(job, rowOf(order, s + min(3, last))) * inverse));
}

@inline
function softmaxTerm(loss: i32, z: v128, y: v128, logSum: v128, max: v128): v128 {
  const surprise = f64x2.sub(logSum, f64x2.sub(z, max));
  if (loss == LOSS_CROSS_ENTROPY) return f64x2.mul(y, surprise);
  return f64x2.mul(y, f64x2.add(v128.and(vlog64(y), f64x2.gt(y, f64x2.splat(0))), surprise));
}

@inline
function outputTerm(loss: i32, x: v128, y: v128, param: f64): v128 {
  if (loss != LOSS_SQUARED_ERROR && loss != LOSS_MEAN_SQUARED_ERROR) return outputLoss(loss, x, y, param);
  const error = f64x2.sub(x, y);
  return f64x2.mul(error, error);
}

/** factor·(a·Σy − y): the exact gradient also where the targets sum to 1 only within their tolerance. */
function softmaxDeltas(
  delta: usize, a: usize, y0: usize, y1: usize, y2: usize, y3: usize, stride: usize, end: usize, factors: v128, vector: bool,
): void {
  const min = v128.splat<real>(<real>MIN_NORMAL);
  let sum = v128.splat<real>(0);
  for (let p: usize = 0, i: usize = 0; p < end; p += stride, i += SIZE) sum = v128.add<real>(sum, elementOf(y0, y1, y2, y3, i));
  for (let p: usize = 0, i: usize = 0; p < end; p += stride, i += SIZE) {
    const d = v128.sub<real>(v128.mul<real>(sum, unitOf(a + p, vector)), elementOf(y0, y1, y2, y3, i));
    setUnit(delta + p, flush(v128.mul<real>(factors, d), min), vector);
  }
}

/** ∂ℓ/∂a of the losses of outputLoss, or where `direct` factor·∂ℓ/∂z. */
function outputDeltas(
  net: usize, delta: usize, a: usize, y0: usize, y1: usize, y2: usize, y3: usize, units: i32, stride: usize, end: usize,
  factors: v128, direct: bool, vector: bool,
): void {
  const loss = load<i32>(net, NET_LOSS);
  const param = <real>load<f64>(net, NET_LOSS_DELTA), min = v128.splat<real>(direct ? <real>MIN_NORMAL : 0);
  // A mean over outputs: the factor 1/outputs, with the 2 of (a − y)² in it.
  const share: real = loss == LOSS_SQUARED_ERROR ? 1 : <real>((loss == LOSS_MEAN_SQUARED_ERROR ? 2.0 : 1.0) / <f64>units);
  const shares = v128.splat<real>(share);
  const plain = loss == LOSS_SQUARED_ERROR || loss == LOSS_MEAN_SQUARED_ERROR || loss == LOSS_BINARY_CROSS_ENTROPY;
  for (let p: usize = 0, i: usize = 0; p < end; p += stride, i += SIZE) {
    const x = unitOf(a + p, vector), y = elementOf(y0, y1, y2, y3, i);
    const slope = plain ? v128.sub<real>(x, y) : outputSlope(loss, x, y, param);
    setUnit(delta + p, flush(v128.mul<real>(factors, v128.mul<real>(shares, slope)), min), vector);
  }
}

/** delta ← rnd(factor·delta). */
function scaleUnits(delta: usize, end: usize, stride: usize, factors: v128, vector: bool): void {
  const min = v128.splat<real>(<real>MIN_NORMAL);
  for (let p: usize = 0; p < end; p += stride) {
    setUnit(delta + p, flush(v128.mul<real>(factors, unitOf(delta + p, vector)), min), vector);
  }
}
