// Online training of the smallest networks: 2 inputs, at most 4 hidden and 2 output units, both layers logistic, weights and
// biases trained, squared errors, batch 1, plain descent. The parameters stay in registers from step to step, and so do the
// constants of the sigmoid; the time is the chain of dependent operations through two of them. A step that is out of the
// ordinary is left to online.ts, before it has changed anything. The bits are those of the general path.
import {
  ACTIVATION_SIGMOID, JOB_EPOCH_LOSS, JOB_FLAGS, JOB_FLAG_COUNT, JOB_LEARNING_RATE, JOB_ORDER_PTR, JOB_POSITION,
  JOB_WINDOW_BEGIN, JOB_X_PITCH, JOB_X_PTR, JOB_Y_PTR, LOSS_MEAN_SQUARED_ERROR, NET_LOSS, NET_NODES_PTR, NET_NODE_COUNT,
  NODE_ACTIVATION, NODE_B_PTR, NODE_FLAGS, NODE_FLAG_TRAIN_B, NODE_FLAG_TRAIN_W, NODE_PITCH, NODE_SIZE, NODE_UNITS, NODE_W_PTR,
} from "./abi";
import { LANES, MIN_NORMAL, SIZE, all, loadSplat, loadSplat1, madd } from "./lanes";
import { endSteps } from "./online";
import { isNear, nearConstant, nearEnd, nearSign, sigmoidNear } from "./near";

const TRAINED: i32 = NODE_FLAG_TRAIN_W | NODE_FLAG_TRAIN_B;

/** A square of an error above which the loss may not be finite. */
const LARGE: f64 = 1e300;

/** Whether `twoLayers` may do steps of a job that `isOnline`. */
export function isTwoLayers(net: usize, job: usize): bool {
  if (load<i32>(net, NET_NODE_COUNT) != 3 || load<i32>(net, NET_LOSS) > LOSS_MEAN_SQUARED_ERROR) return false;
  if (load<i32>(job, JOB_FLAGS) & JOB_FLAG_COUNT) return false;
  const input = load<usize>(net, NET_NODES_PTR), hidden = input + NODE_SIZE;
  if (load<i32>(input, NODE_UNITS) != 2 || !isLogistic(hidden, 4)) return false;
  return isLogistic(hidden + NODE_SIZE, load<i32>(hidden, NODE_UNITS) > LANES ? 1 : 2);
}

function isLogistic(node: usize, units: i32): bool {
  if (load<i32>(node, NODE_UNITS) > units || load<i32>(node, NODE_ACTIVATION) != ACTIVATION_SIGMOID) return false;
  return (load<i32>(node, NODE_FLAGS) & TRAINED) == TRAINED;
}

/**
 * At most `steps` > 0 steps of the epoch at hand, up to the first that is out of the ordinary: one with a |z| that
 * sigmoidNear is not made for, with a delta to be flushed, or with an error so large that the loss may not be finite; none where
 * a weight is −0. Brings the job's counters and sums up to date and returns how many steps were done.
 */
export function twoLayers(net: usize, job: usize, steps: i32): i32 {
  if (LANES == 2) {
    if (load<i32>(load<usize>(net, NET_NODES_PTR), NODE_SIZE + NODE_UNITS) > 2) return wideSteps(net, job, steps);
  }
  return narrowSteps(net, job, steps);
}

function narrowSteps(net: usize, job: usize, steps: i32): i32 {
  return stepsOf(false, net, job, steps);
}

function wideSteps(net: usize, job: usize, steps: i32): i32 {
  return stepsOf(true, net, job, steps);
}

/**
 * Shapes: W [hidden × 2] in columns w0, w1; b; V [outputs × hidden] in rows v0, v1; c. Not `wide`: the hidden units are one
 * vector, and the two outputs the first lanes of one, a missing output with a target that it meets. `wide`: three or four
 * hidden units of f64 in two vectors, `A` and `B`, and one output in all lanes.
 * Lanes and rows past the last unit are +0 and stay it: their terms change no sum but the sign of a zero, which a sigmoid
 * does not see. A weight that is not −0 never becomes it, and does not see the sign of a zero that is taken from it: so its
 * gradient rnd(0 + d·a) is rnd(d·a). A sum of deltas may begin without its 0 too: a zero is not taken here.
 */
@inline
function stepsOf(wide: bool, net: usize, job: usize, steps: i32): i32 {
  const hidden = load<usize>(net, NET_NODES_PTR) + NODE_SIZE, output = hidden + NODE_SIZE;
  const units = load<i32>(hidden, NODE_UNITS), outputs = load<i32>(output, NODE_UNITS);
  const W = load<usize>(hidden, NODE_W_PTR), b = load<usize>(hidden, NODE_B_PTR);
  const V = load<usize>(output, NODE_W_PTR), cs = load<usize>(output, NODE_B_PTR);
  const pitch = <usize>(load<i32>(hidden, NODE_PITCH) * SIZE), V1 = V + <usize>(load<i32>(output, NODE_PITCH) * SIZE);
  const W2 = W + 2 * pitch, unitsB = units - LANES;
  const zero = v128.splat<real>(0), maskA = lanesBelow(units), maskB = lanesBelow(unitsB), maskC = lanesBelow(outputs);
  let w0A = columnAt(W, pitch, units), w1A = columnAt(W + SIZE, pitch, units);
  let bA = v128.and(v128.load(b), maskA), v0A = v128.load(V), v1A = outputs > 1 ? v128.load(V1) : zero;
  let w0B = zero, w1B = zero, bB = zero, v0B = zero;
  if (wide) {
    w0B = columnAt(W2, pitch, unitsB);
    w1B = columnAt(W2 + SIZE, pitch, unitsB);
    bB = v128.and(v128.load(b, 16), maskB);
    v0B = v128.load(V, 16);
  }
  let c = wide ? loadSplat(cs) : v128.and(v128.load(cs), maskC);
  if (hasMinusZero(w0A, w1A, v0A, v1A) || (wide && hasMinusZero(w0B, w1B, v0B, zero))) return 0;

  // 2/outputs and 1/outputs of the mean, or 1 and ½: powers of two all of them.
  const isOne = outputs == 1 && load<i32>(net, NET_LOSS) == LOSS_MEAN_SQUARED_ERROR;
  const factor = v128.splat<real>(isOne ? 2 : 1), share: f64 = isOne ? 1 : 0.5;
  const rate = v128.splat<real>(<real>load<f64>(job, JOB_LEARNING_RATE));
  const rateA = v128.and(rate, maskA), rateB = v128.and(rate, maskB);
  const rateC = wide ? rate : v128.and(rate, maskC);
  const least = all<real>(MIN_NORMAL), large = all<f64>(LARGE);
  const leastA = v128.and(least, maskA), leastB = v128.and(least, maskB);
  const leastC = wide ? least : v128.and(least, maskC);
  const met = v128.andnot(v128.splat<real>(0.5), maskC);
  const minus = nearSign();
  const c0 = nearConstant(0), c1 = nearConstant(1), c2 = nearConstant(2), c3 = nearConstant(3), c4 = nearConstant(4);
  const c5 = nearConstant(5), c6 = nearConstant(6), c7 = nearConstant(7), c8 = nearConstant(8), one = nearConstant(9), end = nearEnd();
  const order = load<usize>(job, JOB_ORDER_PTR), begin = load<i32>(job, JOB_WINDOW_BEGIN);
  const x = load<usize>(job, JOB_X_PTR), y = load<usize>(job, JOB_Y_PTR);
  const xBytes = load<i32>(job, JOB_X_PITCH) * SIZE, yBytes = outputs * SIZE;
  let position = load<i32>(job, JOB_POSITION);
  const last = position + steps - 1;
  let sum = load<f64>(job, JOB_EPOCH_LOSS), loss: f64 = 0;
  let done = 0;
  let row = (order ? load<i32>(order + (<usize>position << 2)) : position) - begin;
  let at = x + <usize>(row * xBytes);
  let x0 = loadSplat(at), x1 = loadSplat1(at);
  let zA = madd(madd(bA, w0A, x0), w1A, x1), zB = zero;
  if (wide) zB = madd(madd(bB, w0B, x0), w1B, x1);
  do {
    const target = y + <usize>(row * yBytes);
    const wanted = wide ? loadSplat(target) : v128.or(v128.and(v128.load(target), maskC), met);
    const hA = sigmoidNear(zA, false, c0, c1, c2, c3, c4, c5, c6, c7, c8, one);
    let ordinary = isNear(zA, c0, minus, end);
    let hB = zero;
    if (wide) {
      hB = sigmoidNear(zB, false, c0, c1, c2, c3, c4, c5, c6, c7, c8, one);
      ordinary = v128.and(ordinary, isNear(zB, c0, minus, end));
    }
    let z = sumUp(c, v0A, v1A, hA, !wide, wide ? 2 : units);
    if (wide) z = sumUp(z, v0B, zero, hB, false, unitsB);
    const a = sigmoidNear(z, wide, c0, c1, c2, c3, c4, c5, c6, c7, c8, one);
    ordinary = v128.and(ordinary, isNear(z, c0, minus, end));
    const d = v128.mul<real>(
      v128.mul<real>(factor, v128.sub<real>(a, wanted)), v128.mul<real>(a, v128.sub<real>(one, a)),
    );
    const d0 = wide ? d : spread(d, 0), d1 = wide ? d : spread(d, 1);
    let sumA = v128.mul<real>(v0A, d0);
    if (!wide) sumA = madd(sumA, v1A, d1);
    const dA = v128.mul<real>(sumA, v128.mul<real>(hA, v128.sub<real>(one, hA)));
    let dB = zero;
    ordinary = v128.and(ordinary, v128.and(isAtLeast(d, leastC, minus), isAtLeast(dA, leastA, minus)));
    if (wide) {
      dB = v128.mul<real>(v128.mul<real>(v0B, d0), v128.mul<real>(hB, v128.sub<real>(one, hB)));
      ordinary = v128.and(ordinary, isAtLeast(dB, leastB, minus));
    }
    const squares = squaresOf(a, wanted);
    if (!isAll(v128.and(ordinary, f64x2.le(squares, large)))) break;
    loss = f64x2.extract_lane(squares, 0);
    if (!wide) loss += f64x2.extract_lane(squares, 1);
    loss *= share;
    sum += loss;
    done++;
    w0A = descend(w0A, rateA, dA, x0);
    w1A = descend(w1A, rateA, dA, x1);
    bA = v128.sub<real>(bA, v128.mul<real>(rateA, dA));
    if (wide) {
      w0B = descend(w0B, rateB, dB, x0);
      w1B = descend(w1B, rateB, dB, x1);
      bB = v128.sub<real>(bB, v128.mul<real>(rateB, dB));
      v0B = descend(v0B, rateB, d, hB);
    }
    v0A = descend(v0A, rateA, d0, hA);
    if (!wide) v1A = descend(v1A, rateA, d1, hA);
    c = v128.sub<real>(c, v128.mul<real>(rateC, d));
    // The next row, or the last again, and its z: the weights are still in registers here.
    position = min(position + 1, last);
    row = (order ? load<i32>(order + (<usize>position << 2)) : position) - begin;
    at = x + <usize>(row * xBytes);
    x0 = loadSplat(at);
    x1 = loadSplat1(at);
    zA = madd(madd(bA, w0A, x0), w1A, x1);
    if (wide) zB = madd(madd(bB, w0B, x0), w1B, x1);
  } while (done < steps);
  if (!done) return 0;

  storeColumn(W, pitch, units, w0A);
  storeColumn(W + SIZE, pitch, units, w1A);
  v128.store(b, v128.and(bA, maskA));
  v128.store(V, v128.and(v0A, maskA));
  if (outputs > 1) v128.store(V1, v128.and(v1A, maskA));
  if (wide) {
    storeColumn(W2, pitch, unitsB, w0B);
    storeColumn(W2 + SIZE, pitch, unitsB, w1B);
    v128.store(b, v128.and(bB, maskB), 16);
    v128.store(V, v128.and(v0B, maskB), 16);
  }
  v128.store(cs, v128.and(c, maskC));
  endSteps(job, done, sum, loss);
  return done;
}

/** All ones in the first `count` lanes. */
@inline
function lanesBelow(count: i32): v128 {
  if (LANES == 2) return i64x2(-1, count > 1 ? -1 : 0);
  return i32x4.gt_s(i32x4.splat(count), i32x4(0, 1, 2, 3));
}

/** A column of the first `count` rows, +0 in the other lanes. */
function columnAt(w: usize, pitch: usize, count: i32): v128 {
  if (LANES == 2) return count > 1 ? v128.load64_lane(w + pitch, v128.load64_zero(w), 1) : v128.load64_zero(w);
  let column = v128.load32_zero(w);
  if (count > 1) column = v128.load32_lane(w + pitch, column, 1);
  if (count > 2) column = v128.load32_lane(w + 2 * pitch, column, 2);
  return count > 3 ? v128.load32_lane(w + 3 * pitch, column, 3) : column;
}

function storeColumn(w: usize, pitch: usize, count: i32, column: v128): void {
  if (LANES == 2) {
    v128.store64_lane(w, column, 0);
    if (count > 1) v128.store64_lane(w + pitch, column, 1);
    return;
  }
  v128.store32_lane(w, column, 0);
  if (count > 1) v128.store32_lane(w + pitch, column, 1);
  if (count > 2) v128.store32_lane(w + 2 * pitch, column, 2);
  if (count > 3) v128.store32_lane(w + 3 * pitch, column, 3);
}

function hasMinusZero(w0: v128, w1: v128, v0: v128, v1: v128): bool {
  return v128.any_true(v128.or(v128.or(isMinusZero(w0), isMinusZero(w1)), v128.or(isMinusZero(v0), isMinusZero(v1))));
}

@inline
function isMinusZero(x: v128): v128 {
  return LANES == 2 ? i64x2.eq(x, v128.splat<real>(-0.0)) : i32x4.eq(x, v128.splat<real>(-0.0));
}

@inline
function isAtLeast(x: v128, least: v128, minus: v128): v128 {
  return v128.ge<real>(v128.andnot(x, minus), least);
}

@inline
function isAll(mask: v128): bool {
  return LANES == 2 ? i64x2.bitmask(mask) == 3 : i32x4.bitmask(mask) == 15;
}

/** Lane `i` of x in all lanes. */
@inline
function spread(x: v128, i: i32): v128 {
  if (LANES == 2) return i == 0 ? v128.shuffle<i64>(x, x, 0, 0) : v128.shuffle<i64>(x, x, 1, 1);
  if (i == 0) return v128.shuffle<i32>(x, x, 0, 0, 0, 0);
  if (i == 1) return v128.shuffle<i32>(x, x, 1, 1, 1, 1);
  return i == 2 ? v128.shuffle<i32>(x, x, 2, 2, 2, 2) : v128.shuffle<i32>(x, x, 3, 3, 3, 3);
}

/** c + V·h over the first `count` units that a vector holds. */
@inline
function sumUp(c: v128, v0: v128, v1: v128, h: v128, two: bool, count: i32): v128 {
  const p0 = RELAXED ? v0 : v128.mul<real>(v0, h), p1 = RELAXED || !two ? v1 : v128.mul<real>(v1, h);
  c = addTerm(c, p0, p1, h, two, 0);
  if (count > 1) {
    c = addTerm(c, p0, p1, h, two, 1);
    if (LANES == 4) {
      if (count > 2) {
        c = addTerm(c, p0, p1, h, two, 2);
        if (count > 3) c = addTerm(c, p0, p1, h, two, 3);
      }
    }
  }
  return c;
}

/** The term of unit `i`: a product, or in the relaxed core the weights, of which only there the product is made unrounded. */
@inline
function addTerm(c: v128, p0: v128, p1: v128, h: v128, two: bool, i: i32): v128 {
  const p = two ? pair(p0, p1, i) : spread(p0, i);
  return RELAXED ? madd(c, p, spread(h, i)) : v128.add<real>(c, p);
}

/** Lane `i` of p0 and of p1, in the first two lanes; the lanes behind them are of no matter. */
@inline
function pair(p0: v128, p1: v128, i: i32): v128 {
  if (LANES == 2) return i == 0 ? v128.shuffle<i64>(p0, p1, 0, 2) : v128.shuffle<i64>(p0, p1, 1, 3);
  const both = i < 2 ? v128.shuffle<i32>(p0, p1, 0, 4, 1, 5) : v128.shuffle<i32>(p0, p1, 2, 6, 3, 7);
  return i & 1 ? v128.shuffle<i64>(both, both, 1, 1) : both;
}

/** w − rnd(rate·rnd(d·a)). */
@inline
function descend(w: v128, rate: v128, d: v128, a: v128): v128 {
  return v128.sub<real>(w, v128.mul<real>(rate, v128.mul<real>(d, a)));
}

/** (a − y)² of the first two lanes, in f64. */
@inline
function squaresOf(a: v128, y: v128): v128 {
  const error = LANES == 2 ? f64x2.sub(a, y) : f64x2.sub(f64x2.promote_low_f32x4(a), f64x2.promote_low_f32x4(y));
  return f64x2.mul(error, error);
}
