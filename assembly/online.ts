// Online training of a tiny network: batch 1, plain descent, layers of at most TINY units. The step of backprop.ts and loss.ts
// without what they need for size: one function, units in lanes from the product to the activation, nothing stored
// narrower than it is loaded. The bits are those of the general path.
import {
  ACTIVATION_LEAKY_RELU, ACTIVATION_LINEAR, ACTIVATION_RELU, ACTIVATION_SIGMOID, ACTIVATION_SOFTMAX, ACTIVATION_TANH,
  JOB_BATCH, JOB_EPOCH_CORRECT, JOB_EPOCH_LOSS, JOB_FLAGS, JOB_FLAG_COUNT, JOB_INPUT_GRADIENT_PTR, JOB_LEARNING_RATE,
  JOB_MODE, JOB_ORDER_PTR, JOB_PHASE, JOB_PIECE, JOB_POSITION, JOB_STEP, JOB_STEPS_LEFT, JOB_STEP_LOSS,
  JOB_WINDOW_BEGIN, JOB_SAMPLE_WEIGHTS_PTR, JOB_X_PITCH, JOB_X_PTR, JOB_Y_PTR, LOSS_BINARY_CROSS_ENTROPY, LOSS_CROSS_ENTROPY,
  LOSS_MEAN_SQUARED_ERROR, LOSS_SQUARED_ERROR, MODE_TRAIN, NET_CLASS_WEIGHTS_PTR, NET_LABEL_SMOOTHING, NET_LOSS, NET_NODES_PTR, NET_NODE_COUNT, NODE_ACTIVATION,
  NODE_ALPHA, NODE_A_PTR, NODE_B_PTR, NODE_DELTA_PTR, NODE_FLAGS, NODE_FLAG_PASS_DELTA, NODE_FLAG_TRAIN_B,
  NODE_FLAG_TRAIN_W, NODE_INPUTS, NODE_KIND, NODE_KIND_DENSE, NODE_PITCH, NODE_SIZE, NODE_UNITS, NODE_W_PTR, NODE_Z_PTR,
} from "./abi";
import { LANES, MIN_NORMAL, SIZE, flush, loadSplat, madd } from "./lanes";
import { isPlain } from "./optimizer";
import { sexp, slog1p, vsigmoid, vtanh } from "./vmath";

/** Units of a layer up to which this path is the faster one (measured): 24, or 12 in f64. */
const TINY: i32 = 6 * LANES;

/** Whether `online` may do the job's steps. */
export function isOnline(net: usize, job: usize): bool {
  if (load<i32>(job, JOB_MODE) != MODE_TRAIN || !isPlain(net, job)) return false;
  if (load<i32>(job, JOB_BATCH) != 1 || load<i32>(job, JOB_PIECE) || load<i32>(job, JOB_PHASE)) return false;
  if (load<usize>(job, JOB_INPUT_GRADIENT_PTR) || load<i32>(net, NET_LOSS) > LOSS_BINARY_CROSS_ENTROPY) return false;
  if (load<i32>(net, NET_LOSS) == LOSS_CROSS_ENTROPY || load<usize>(job, JOB_SAMPLE_WEIGHTS_PTR)) return false;
  if (load<usize>(net, NET_CLASS_WEIGHTS_PTR) || load<f64>(net, NET_LABEL_SMOOTHING) != 0) return false;
  const count = load<i32>(net, NET_NODE_COUNT);
  let node = load<usize>(net, NET_NODES_PTR);
  if (load<i32>(node, NODE_UNITS) > TINY) return false;
  for (let l = 1; l < count; l++) {
    node += NODE_SIZE;
    if (load<i32>(node, NODE_KIND) != NODE_KIND_DENSE || load<i32>(node, NODE_UNITS) > TINY) return false;
    if (load<i32>(node, NODE_ACTIVATION) >= ACTIVATION_SOFTMAX) return false;
  }
  return true;
}

/**
 * At most `steps` > 0 steps of the epoch at hand, which has as many samples left in the window; stops after a loss that is
 * not finite. Brings the job's counters and sums up to date and returns how many steps were done.
 */
export function online(net: usize, job: usize, steps: i32): i32 {
  const last = load<i32>(net, NET_NODE_COUNT) - 1;
  const input = load<usize>(net, NET_NODES_PTR);
  const output = input + <usize>(last * NODE_SIZE);
  const outputs = load<i32>(output, NODE_UNITS), inputBytes = <usize>(load<i32>(input, NODE_UNITS) * SIZE);
  const x0 = load<usize>(input, NODE_A_PTR);
  const begin = load<i32>(job, JOB_WINDOW_BEGIN), order = load<usize>(job, JOB_ORDER_PTR);
  const x = load<usize>(job, JOB_X_PTR), y = load<usize>(job, JOB_Y_PTR);
  const xBytes = load<i32>(job, JOB_X_PITCH) * SIZE, yBytes = outputs * SIZE;
  const rate = v128.splat<real>(<real>load<f64>(job, JOB_LEARNING_RATE));
  const counts = (load<i32>(job, JOB_FLAGS) & JOB_FLAG_COUNT) != 0;
  const first = load<i32>(job, JOB_POSITION);
  let sum = load<f64>(job, JOB_EPOCH_LOSS), correct: f64 = 0, loss: f64 = 0;
  let done = 0;
  while (done < steps) {
    const position = first + done;
    const row = (order ? load<i32>(order + (<usize>position << 2)) : position) - begin;
    const xRow = x + <usize>(row * xBytes), target = y + <usize>(row * yBytes);
    // Whole vectors: a vector that is read from narrower stores has to wait for them (measured).
    for (let i: usize = 0; i < inputBytes; i += 16) v128.store(x0 + i, columnsOf(xRow + i, inputBytes - i));
    let node = input;
    for (let l = 0; l < last; l++) {
      node += NODE_SIZE;
      forwardLanes(node, load<usize>(node - NODE_SIZE, NODE_A_PTR));
    }
    loss = outputLanes(net, output, target, outputs) + 0.0;
    if (counts) correct += f64(isHit(load<real>(load<usize>(output, NODE_A_PTR)), load<real>(target)));
    sum += loss;
    done++;
    for (; node != input; node -= NODE_SIZE) if (!backwardLanes(node, node - NODE_SIZE, rate)) break;
    if (loss - loss != 0) break;
  }
  store<f64>(job, load<f64>(job, JOB_EPOCH_CORRECT) + correct, JOB_EPOCH_CORRECT);
  endSteps(job, done, sum, loss);
  return done;
}

/** The job's counters and sums after `done` steps. */
@inline
export function endSteps(job: usize, done: i32, sum: f64, loss: f64): void {
  store<i32>(job, load<i32>(job, JOB_POSITION) + done, JOB_POSITION);
  store<i32>(job, load<i32>(job, JOB_STEPS_LEFT) - done, JOB_STEPS_LEFT);
  store<f64>(job, load<f64>(job, JOB_STEP) + <f64>done, JOB_STEP);
  store<f64>(job, sum, JOB_EPOCH_LOSS);
  store<f64>(job, loss, JOB_STEP_LOSS);
}

/** isCorrect of loss.ts for the one unit of binaryCrossEntropy. */
@inline
function isHit(a: real, y: real): bool {
  return !isNaN<real>(a) && (a >= 0.5) == (y >= 0.5);
}

/** a = f(W·a⁻ + b), LANES units at a time; the lanes past the last unit repeat it. */
@inline
function forwardLanes(node: usize, aFrom: usize): void {
  const nOut = load<i32>(node, NODE_UNITS), activation = load<i32>(node, NODE_ACTIVATION);
  const rowBytes = <usize>(load<i32>(node, NODE_PITCH) * SIZE);
  const W = load<usize>(node, NODE_W_PTR), b = load<usize>(node, NODE_B_PTR);
  const a = load<usize>(node, NODE_A_PTR), z = load<usize>(node, NODE_Z_PTR);
  const aEnd = aFrom + <usize>(load<i32>(node, NODE_INPUTS) * SIZE);
  for (let o = 0; o < nOut; o += LANES) {
    const lane = <usize>(o * SIZE);
    let w0 = W + <usize>o * rowBytes, w1 = W + <usize>min(o + 1, nOut - 1) * rowBytes;
    let w2 = w0, w3 = w0;
    if (LANES == 4) {
      w2 = W + <usize>min(o + 2, nOut - 1) * rowBytes;
      w3 = W + <usize>min(o + 3, nOut - 1) * rowBytes;
    }
    let c = b ? v128.load(b + lane) : v128.splat<real>(0);
    for (let p = aFrom; p != aEnd; p += SIZE) {
      c = madd(c, column(w0, w1, w2, w3), loadSplat(p));
      w0 += SIZE;
      w1 += SIZE;
      w2 += SIZE;
      w3 += SIZE;
    }
    v128.store(z + lane, c);
    v128.store(a + lane, activation == ACTIVATION_LINEAR ? c : value(activation, c, node));
  }
}

@inline
function column(w0: usize, w1: usize, w2: usize, w3: usize): v128 {
  if (LANES == 2) return v128.load64_lane(w1, v128.load64_zero(w0), 1);
  return v128.load32_lane(w3, v128.load32_lane(w2, v128.load32_lane(w1, v128.load32_zero(w0), 1), 2), 3);
}

/** f(z): activation.ts's for whole arrays. */
function value(activation: i32, z: v128, node: usize): v128 {
  if (activation == ACTIVATION_SIGMOID) return vsigmoid(z);
  if (activation == ACTIVATION_TANH) return vtanh(z);
  const negative = v128.lt<real>(z, v128.splat<real>(0));
  if (activation == ACTIVATION_RELU) return v128.andnot(z, negative);
  return v128.bitselect(v128.mul<real>(v128.splat<real>(<real>load<f64>(node, NODE_ALPHA)), z), z, negative);
}

/** flush(d·f′(z)). */
@inline
function slope(activation: i32, d: v128, a: v128, node: usize): v128 {
  const one = v128.splat<real>(1);
  if (activation == ACTIVATION_SIGMOID) d = v128.mul<real>(d, v128.mul<real>(a, v128.sub<real>(one, a)));
  else if (activation == ACTIVATION_TANH) d = v128.mul<real>(d, v128.sub<real>(one, v128.mul<real>(a, a)));
  else if (activation != ACTIVATION_LINEAR) {
    const positive = v128.gt<real>(a, v128.splat<real>(0));
    const below = activation == ACTIVATION_LEAKY_RELU
      ? v128.mul<real>(v128.splat<real>(<real>load<f64>(node, NODE_ALPHA)), d) : v128.splat<real>(0);
    d = v128.bitselect(d, below, positive);
  }
  return flush(d, v128.splat<real>(<real>MIN_NORMAL));
}

/** The loss of the sample and the output node's delta; rnd(1/B) is 1. Lanes of delta past the outputs are +0. */
@inline
function outputLanes(net: usize, node: usize, y: usize, outputs: i32): f64 {
  const kind = load<i32>(net, NET_LOSS);
  const a = load<usize>(node, NODE_A_PTR), z = load<usize>(node, NODE_Z_PTR), delta = load<usize>(node, NODE_DELTA_PTR);
  const activation = kind == LOSS_BINARY_CROSS_ENTROPY ? ACTIVATION_LINEAR : load<i32>(node, NODE_ACTIVATION);
  const factor: real = kind == LOSS_SQUARED_ERROR ? 1
    : <real>((kind == LOSS_BINARY_CROSS_ENTROPY ? 1.0 : 2.0) / <f64>outputs);
  const factors = v128.splat<real>(factor);
  for (let o = 0; o < outputs; o += LANES) {
    const lane = <usize>(o * SIZE);
    const values = v128.load(a + lane);
    // What stands behind the last target is of no matter: its lanes are masked.
    const error = v128.mul<real>(factors, v128.sub<real>(values, v128.load(y + lane)));
    v128.store(delta + lane, v128.and(slope(activation, error, values, node), laneMask(outputs - o)));
  }
  let total: f64 = 0;
  if (kind == LOSS_BINARY_CROSS_ENTROPY) {
    for (let o = 0; o < outputs; o++) {
      const zo = <f64>load<real>(z + <usize>(o * SIZE));
      const positive: f64 = zo < 0 ? 0 : zo;
      total += positive - zo * <f64>load<real>(y + <usize>(o * SIZE)) + slog1p(sexp(-abs<f64>(zo)));
    }
    return total / <f64>outputs;
  }
  for (let o = 0; o < outputs; o++) {
    const error = <f64>load<real>(a + <usize>(o * SIZE)) - <f64>load<real>(y + <usize>(o * SIZE));
    total += error * error;
  }
  return kind == LOSS_MEAN_SQUARED_ERROR ? total / <f64>outputs : 0.5 * total;
}

/** All ones in the first `count` lanes. */
@inline
function laneMask(count: i32): v128 {
  if (LANES == 2) return count >= 2 ? i64x2.splat(-1) : i64x2(-1, 0);
  return i32x4.gt_s(i32x4.splat(count), i32x4(0, 1, 2, 3));
}

/** The descent step of a node, and before it the delta of the node below; whether there is one. */
@inline
function backwardLanes(node: usize, from: usize, rate: v128): bool {
  const flags = load<i32>(node, NODE_FLAGS);
  const pass = (flags & NODE_FLAG_PASS_DELTA) != 0, trainW = (flags & NODE_FLAG_TRAIN_W) != 0;
  const nOut = load<i32>(node, NODE_UNITS), rowBytes = <usize>(load<i32>(node, NODE_PITCH) * SIZE);
  const delta = load<usize>(node, NODE_DELTA_PTR), dEnd = delta + <usize>(nOut * SIZE);
  const zero = v128.splat<real>(0);
  const columns = <usize>(load<i32>(node, NODE_INPUTS) * SIZE);
  if (pass || trainW) {
    const W = load<usize>(node, NODE_W_PTR);
    const a = load<usize>(from, NODE_A_PTR), below = load<usize>(from, NODE_DELTA_PTR);
    const activation = load<i32>(from, NODE_ACTIVATION);
    for (let i: usize = 0; i < columns; i += 16) {
      const values = columnsOf(a + i, columns - i);
      let c = zero;
      let w = W + i;
      for (let d = delta; d != dEnd; d += SIZE, w += rowBytes) {
        const dr = loadSplat(d), weights = v128.load(w);
        c = madd(c, weights, dr);
        if (trainW) v128.store(w, v128.sub<real>(weights, v128.mul<real>(rate, madd(zero, dr, values))));
      }
      if (pass) v128.store(below + i, slope(activation, c, values, from));
    }
  }
  if (flags & NODE_FLAG_TRAIN_B) {
    const b = load<usize>(node, NODE_B_PTR);
    for (let o: usize = 0; o < <usize>(nOut * SIZE); o += 16) {
      const db = v128.add<real>(zero, v128.load(delta + o));
      v128.store(b + o, v128.sub<real>(v128.load(b + o), v128.mul<real>(rate, db)));
    }
  }
  return pass;
}

/** A vector of activations, +0 in the lanes past the last unit, so that the padding of W stays +0. What stands there may be anything. */
@inline
function columnsOf(a: usize, bytes: usize): v128 {
  const values = v128.load(a);
  return bytes >= 16 ? values : v128.and(values, laneMask(<i32>(bytes / SIZE)));
}
