// What happens to a step's gradients between backpropagation and the optimizer: penalties, clipping, the norm; and what happens to
// weights after it: the largest norm of a unit.
import {
  JOB_ADJUST, JOB_CLIP_FACTOR, JOB_CLIP_NORM, JOB_CLIP_VALUE, JOB_FLAGS, JOB_FLAG_ALL, JOB_GRADIENT_NORM, JOB_NORM_SUM,
  JOB_PENALTY_SUM, JOB_STEP_PENALTY, ADJUST_CLIP_NORM, ADJUST_CLIP_VALUE, ADJUST_NORM, ADJUST_PENALTY, NET_GRADIENTS_PTR,
  NET_PARAMS_LENGTH, NET_PARAMS_PTR, NET_SEGMENTS_PTR, NET_SEGMENT_COUNT, SEGMENT_L1, SEGMENT_L2, SEGMENT_MAX_NORM,
  SEGMENT_OFFSET, SEGMENT_PITCH, SEGMENT_ROWS, SEGMENT_SIZE, SEGMENT_TRAINABLE,
} from "./abi";
import { SIZE, roundUp } from "./lanes";
import { addMagnitudes, takeSum } from "./sums";

/** PyTorch's clip_grad_norm_ adds it to the norm. */
const NORM_EPSILON: f64 = 1e-6;

/** Elements of a segment, with the zeros after them: a multiple of 8. */
@inline
function lengthOf(segment: usize): i32 {
  return roundUp(load<i32>(segment, SEGMENT_ROWS) * load<i32>(segment, SEGMENT_PITCH), 8);
}

/**
 * Elements [begin, end) of the gradients, both multiples of 8 or the region's end: the penalties' share is added, values are
 * clipped, the norm summed up. After the last, JOB_STEP_PENALTY, JOB_GRADIENT_NORM and JOB_CLIP_FACTOR are known.
 */
export function adjust(net: usize, job: usize, begin: i32, end: i32): void {
  const what = load<i32>(job, JOB_ADJUST), all = (load<i32>(job, JOB_FLAGS) & JOB_FLAG_ALL) != 0;
  const params = load<usize>(net, NET_PARAMS_PTR), gradients = load<usize>(net, NET_GRADIENTS_PTR);
  let segment = load<usize>(net, NET_SEGMENTS_PTR);
  for (let i = load<i32>(net, NET_SEGMENT_COUNT); i > 0; i--, segment += SEGMENT_SIZE) {
    const first = load<i32>(segment, SEGMENT_OFFSET);
    const from = max(first, begin), to = min(first + lengthOf(segment), end);
    if (from >= to) continue;
    const l1 = load<f64>(segment, SEGMENT_L1), l2 = load<f64>(segment, SEGMENT_L2);
    const penal = (what & ADJUST_PENALTY) && (l1 != 0 || l2 != 0);
    if (penal) addMagnitudes(job + JOB_PENALTY_SUM, params, from, to, l1, l2);
    if (!all && !load<i32>(segment, SEGMENT_TRAINABLE)) continue;
    const bytes = <usize>(to - from) * SIZE, g = gradients + <usize>from * SIZE;
    if (penal) addPenalty(params + <usize>from * SIZE, g, bytes, <real>l1, <real>(2 * l2));
    if (what & ADJUST_CLIP_VALUE) clipValues(g, bytes, <real>load<f64>(job, JOB_CLIP_VALUE));
    if (what & (ADJUST_CLIP_NORM | ADJUST_NORM)) addMagnitudes(job + JOB_NORM_SUM, gradients, from, to, 0, 1);
  }
  if (end == load<i32>(net, NET_PARAMS_LENGTH)) finishAdjust(job, what);
}

function finishAdjust(job: usize, what: i32): void {
  store<f64>(job, takeSum(job + JOB_PENALTY_SUM), JOB_STEP_PENALTY);
  const norm = Math.sqrt(takeSum(job + JOB_NORM_SUM));
  store<f64>(job, norm, JOB_GRADIENT_NORM);
  const factor = what & ADJUST_CLIP_NORM ? load<f64>(job, JOB_CLIP_NORM) / (norm + NORM_EPSILON) : 1;
  store<f64>(job, factor < 1 ? factor : 1, JOB_CLIP_FACTOR);
}

/** g ← g + (l1·sgn w + twoL2·w). */
function addPenalty(w: usize, g: usize, bytes: usize, l1: real, twoL2: real): void {
  const a = v128.splat<real>(l1), b = v128.splat<real>(twoL2), zero = v128.splat<real>(0);
  for (let i: usize = 0; i < bytes; i += 16) {
    const x = v128.load(w + i);
    const negative = v128.and(v128.lt<real>(x, zero), v128.splat<real>(-0.0));
    const sign = v128.and(v128.ne<real>(x, zero), v128.or(a, negative));
    v128.store(g + i, v128.add<real>(v128.load(g + i), v128.add<real>(sign, v128.mul<real>(b, x))));
  }
}

/** Into [−limit, limit]; what is not a number stays so. */
function clipValues(g: usize, bytes: usize, limit: real): void {
  const high = v128.splat<real>(limit), low = v128.splat<real>(-limit);
  for (let i: usize = 0; i < bytes; i += 16) {
    v128.store(g + i, v128.max<real>(v128.min<real>(v128.load(g + i), high), low));
  }
}

/** The clipping by norm, of `bytes` gradients. */
export function scaleGradients(job: usize, g: usize, bytes: usize): void {
  const factor = v128.splat<real>(<real>load<f64>(job, JOB_CLIP_FACTOR));
  for (let i: usize = 0; i < bytes; i += 16) v128.store(g + i, v128.mul<real>(factor, v128.load(g + i)));
}

/** The penalty of the parameters as they stand, all segments. */
export function penaltyOf(net: usize, job: usize): f64 {
  const sum = job + JOB_PENALTY_SUM;
  let segment = load<usize>(net, NET_SEGMENTS_PTR);
  for (let i = load<i32>(net, NET_SEGMENT_COUNT); i > 0; i--, segment += SEGMENT_SIZE) {
    const first = load<i32>(segment, SEGMENT_OFFSET);
    const l1 = load<f64>(segment, SEGMENT_L1), l2 = load<f64>(segment, SEGMENT_L2);
    if (l1 != 0 || l2 != 0) addMagnitudes(sum, load<usize>(net, NET_PARAMS_PTR), first, first + lengthOf(segment), l1, l2);
  }
  return takeSum(sum);
}

/**
 * After an update of elements [begin, end): units of the segment whose weights are complete with them and whose norm is larger
 * than the largest allowed are scaled to it (Srivastava et al. 2014).
 */
export function limitNorms(net: usize, segment: usize, begin: i32, end: i32): void {
  const limit = load<f64>(segment, SEGMENT_MAX_NORM);
  if (limit == 0) return;
  const pitch = load<i32>(segment, SEGMENT_PITCH), first = load<i32>(segment, SEGMENT_OFFSET);
  const params = load<usize>(net, NET_PARAMS_PTR);
  let row = first + ((max(begin, first) - first) / pitch) * pitch;
  const rows = first + load<i32>(segment, SEGMENT_ROWS) * pitch;
  for (; row < rows && row + pitch <= end; row += pitch) {
    const w = params + <usize>row * SIZE;
    const norm = Math.sqrt(rowSquares(w, pitch));
    if (!(norm > limit)) continue;
    const factor = v128.splat<real>(<real>(limit / norm));
    for (let i: usize = 0; i < <usize>pitch * SIZE; i += 16) v128.store(w + i, v128.mul<real>(factor, v128.load(w + i)));
  }
}

/** Σ w² of a row, over four accumulators of f64: element i into i mod 4. */
function rowSquares(w: usize, pitch: i32): f64 {
  let s0: f64 = 0, s1: f64 = 0, s2: f64 = 0, s3: f64 = 0;
  for (let i: usize = 0; i < <usize>pitch * SIZE; i += 4 * SIZE) {
    const a = <f64>load<real>(w + i), b = <f64>load<real>(w + i, SIZE);
    const c = <f64>load<real>(w + i, 2 * SIZE), d = <f64>load<real>(w + i, 3 * SIZE);
    s0 += a * a; s1 += b * b; s2 += c * c; s3 += d * d;
  }
  return (s0 + s1) + (s2 + s3);
}
