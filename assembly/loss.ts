// Losses: the value of a sample (in f64, over its outputs ascending) and the error signal of the output node, side by side.
import {
  JOB_FLAGS, JOB_FLAG_COUNT, JOB_IN_STEP, JOB_ORDER_PTR, JOB_POSITION, JOB_SAMPLE_WEIGHTS_PTR, JOB_STEP_CORRECT,
  JOB_TARGET_KIND, JOB_WINDOW_BEGIN, JOB_Y_PTR, LOSS_CROSS_ENTROPY, NET_CLASS_WEIGHTS_PTR, NET_LABEL_SMOOTHING, NET_LOSS,
  NET_LOSS_SCRATCH_PTR, NODE_A_PTR, NODE_DELTA_PTR, NODE_UNITS, NODE_Z_PTR, TARGET_CLASS,
} from "./abi";
import { LANES, MIN_NORMAL, PANEL, SIZE, UNIT_BYTES, flush, flushScalar } from "./lanes";
import { addLoss } from "./loss-sum";
import { clearPadding } from "./panels";
import { addRowLosses, rowOf, sampleAt, weightOf } from "./row-loss";
import { sexp, slog, slog1p, vlog64 } from "./vmath";

/**
 * Adds the losses of the block's n samples to the reduction of a step of B = `batch` samples, counts correct ones where
 * asked, and with `backward` writes the output node's error signal delta = rnd(1/B)·∂ℓ/∂z; with sample weights w·ℓ and rnd(w/B).
 * Where the activation's derivative is a factor of ∂ℓ/∂z, what is below normal becomes +0 before and after rnd(w/B).
 *
 * Reads a, z of `node` and the targets of rows position + inStep + s | writes delta of `node`, lanes past n as +0.
 */
export function lossBlock(
  net: usize, job: usize, node: usize, batch: i32, n: i32, vector: bool, backward: bool,
): void {
  const units = load<i32>(node, NODE_UNITS);
  const stride: usize = vector ? SIZE : UNIT_BYTES;
  const inStep = load<i32>(job, JOB_IN_STEP);
  const first = load<i32>(job, JOB_POSITION) + inStep;
  const order = load<usize>(job, JOB_ORDER_PTR);
  const isClass = load<i32>(job, JOB_TARGET_KIND) == TARGET_CLASS;
  const targetBytes = isClass ? 4 : units * SIZE;
  const targets = load<usize>(job, JOB_Y_PTR) - <usize>load<i32>(job, JOB_WINDOW_BEGIN) * <usize>targetBytes;
  const scratch = load<usize>(net, NET_LOSS_SCRATCH_PTR);
  const scratchHalf = vector ? SIZE : ((n + 7) >> 3) * UNIT_BYTES;
  const scale = <real>(1.0 / <f64>batch);
  const count = (load<i32>(job, JOB_FLAGS) & JOB_FLAG_COUNT) != 0;
  const smooths = adaptsTargets(net);
  let correct = 0;
  if (isClass && !vector && !smooths && !load<usize>(job, JOB_SAMPLE_WEIGHTS_PTR)) {
    // Class indices go with crossEntropy alone.
    const a = load<usize>(node, NODE_A_PTR), z = load<usize>(node, NODE_Z_PTR);
    if (backward) classDeltas(load<usize>(node, NODE_DELTA_PTR), a, targets, order, first, units, n, scale);
    if (count) correct = correctClasses(a, targets, order, first, units, n);
    addClassLosses(job, inStep, z, scratch, scratch + <usize>scratchHalf, targets, order, first, units, n);
  } else if (!isClass && !smooths) {
    addRowLosses(net, job, node, targets, order, first, batch, n, vector, backward);
    if (count) correct = correctSamples(load<usize>(node, NODE_A_PTR), targets, order, first, units, n, vector);
  } else for (let s = 0; s < n; s++) {
    // Classes, or targets that are smoothed or weighted by class.
    const row = rowOf(order, first + s);
    const y = targets + <usize>row * <usize>targetBytes;
    const sample = sampleAt(s, units, vector);
    const a = load<usize>(node, NODE_A_PTR) + sample;
    const z = load<usize>(node, NODE_Z_PTR) + sample;
    const max = scratch + <usize>(s * SIZE);
    const sum = max + <usize>scratchHalf;
    const loss = smooths ? smoothedLoss(net, z, y, isClass, units, stride, max, sum) : classLoss(z, y, stride, max, sum);
    const weight = weightOf(job, row);
    addLoss(job, inStep + s, weight * loss);
    if (count) correct += isCorrect(a, y, isClass, units, stride);
    if (!backward) continue;
    const delta = load<usize>(node, NODE_DELTA_PTR) + sample;
    const factor = <real>(weight * (1.0 / <f64>batch));
    if (smooths) smoothedDelta(net, delta, a, y, isClass, units, stride);
    else classDelta(delta, a, y, units, stride);
    for (let i: usize = 0; i < <usize>units * stride; i += stride) {
      store<real>(delta + i, flushScalar(factor * load<real>(delta + i)));
    }
  }
  if (backward && !vector) clearPadding(load<usize>(node, NODE_DELTA_PTR), units, n);
  if (count) store<f64>(job, load<f64>(job, JOB_STEP_CORRECT) + <f64>correct, JOB_STEP_CORRECT);
}

/** Class of sample s of the block. */
@inline
function classOf(targets: usize, order: usize, first: i32, s: i32): i32 {
  return load<i32>(targets + (<usize>rowOf(order, first + s) << 2));
}

/** classDelta of a block's samples with class indices, panels at a time: rnd(1/B)·a, then the one unit that is hit. */
function classDeltas(
  delta: usize, a: usize, targets: usize, order: usize, first: i32, units: i32, n: i32, scale: real,
): void {
  const panelBytes = <usize>(units * UNIT_BYTES);
  const bytes = <usize>((n + PANEL - 1) / PANEL) * panelBytes;
  const scales = v128.splat<real>(scale), min = v128.splat<real>(<real>MIN_NORMAL);
  for (let i: usize = 0; i < bytes; i += 16) {
    v128.store(delta + i, flush(v128.mul<real>(scales, v128.load(a + i)), min));
  }
  for (let s = 0; s < n; s++) {
    const unit = classOf(targets, order, first, s);
    const at = <usize>(s >> 3) * panelBytes + <usize>(unit * UNIT_BYTES + (s & 7) * SIZE);
    store<real>(delta + at, flushScalar(scale * (load<real>(a + at) - 1)));
  }
}

/** −log softmax(z) of the target's class, as in classLoss, for two samples at a time; added in the samples' order. */
function addClassLosses(
  job: usize, inStep: i32, z: usize, max: usize, sum: usize, targets: usize, order: usize, first: i32, units: i32, n: i32,
): void {
  const panelBytes = <usize>(units * UNIT_BYTES);
  for (let s = 0; s < n; s += 2) {
    const at = <usize>(s * SIZE);
    // The room of a panel's sums holds a second one where n is odd.
    const sums = SIZE == 4 ? f64x2.promote_low_f32x4(v128.load64_zero(sum + at)) : v128.load(sum + at);
    const logSums = vlog64(sums);
    const z0 = z + <usize>(s >> 3) * panelBytes + <usize>((s & 7) * SIZE);
    const unit0 = <usize>(classOf(targets, order, first, s) * UNIT_BYTES);
    const m0 = <f64>load<real>(max + at);
    addLoss(job, inStep + s, f64x2.extract_lane(logSums, 0) - (<f64>load<real>(z0 + unit0) - m0));
    if (s + 1 == n) return;
    const unit1 = <usize>(classOf(targets, order, first, s + 1) * UNIT_BYTES);
    const m1 = <f64>load<real>(max + at + SIZE);
    addLoss(job, inStep + s + 1, f64x2.extract_lane(logSums, 1) - (<f64>load<real>(z0 + SIZE + unit1) - m1));
  }
}

/** How many samples of a block isCorrect counts, LANES at a time. */
function correctClasses(a: usize, targets: usize, order: usize, first: i32, units: i32, n: i32): i32 {
  const panelBytes = <usize>(units * UNIT_BYTES);
  let correct = 0;
  for (let s = 0; s < n; s += LANES) {
    const from = a + <usize>(s >> 3) * panelBytes + <usize>((s & 7) * SIZE);
    const end = from + panelBytes;
    let value = v128.load(from);
    // An output that is not a number is no class, and softmax gives all or none.
    let index = v128.or(v128.splat<i32>(0), v128.ne<real>(value, value));
    let candidate = v128.splat<i32>(0);
    for (let p = from + UNIT_BYTES; p != end; p += UNIT_BYTES) {
      candidate = i32x4.add(candidate, v128.splat<i32>(1));
      const x = v128.load(p);
      const larger = v128.gt<real>(x, value);
      value = v128.bitselect(x, value, larger);
      index = v128.bitselect(candidate, index, larger);
    }
    correct += i32(i32x4.extract_lane(index, 0) == classOf(targets, order, first, s));
    if (LANES == 2) {
      if (s + 1 < n) correct += i32(i32x4.extract_lane(index, 2) == classOf(targets, order, first, s + 1));
      continue;
    }
    if (s + 1 < n) correct += i32(i32x4.extract_lane(index, 1) == classOf(targets, order, first, s + 1));
    if (s + 2 < n) correct += i32(i32x4.extract_lane(index, 2) == classOf(targets, order, first, s + 2));
    if (s + 3 < n) correct += i32(i32x4.extract_lane(index, 3) == classOf(targets, order, first, s + 3));
  }
  return correct;
}

/** −log softmax(z) of the class y; `stride` bytes between units; max and sum: the softmax's. */
@inline
function classLoss(z: usize, y: usize, stride: usize, max: usize, sum: usize): f64 {
  return slog(<f64>load<real>(sum)) - (<f64>load<real>(z + <usize>load<i32>(y) * stride) - <f64>load<real>(max));
}

/** delta[o] = ∂ℓ/∂z[o] of it. */
@inline
function classDelta(delta: usize, a: usize, y: usize, units: i32, stride: usize): void {
  const end = <usize>units * stride, target = <usize>load<i32>(y) * stride;
  for (let i: usize = 0; i < end; i += stride) {
    const hit: real = i == target ? 1 : 0;
    store<real>(delta + i, load<real>(a + i) - hit);
  }
}

// ── Label smoothing and class weights ──────────────────────────────────────────────────────────

/** Whether targets enter smoothed or weighted. */
@inline
function adaptsTargets(net: usize): bool {
  return load<usize>(net, NET_CLASS_WEIGHTS_PTR) != 0 || load<f64>(net, NET_LABEL_SMOOTHING) != 0;
}

@inline
function classWeight(net: usize, k: i32): f64 {
  const weights = load<usize>(net, NET_CLASS_WEIGHTS_PTR);
  return weights ? load<f64>(weights + (<usize>k << 3)) : 1;
}

/** y of output o as smoothing by s makes it (Szegedy et al. 2016): (1 − s)·y + s/classes. */
@inline
function smoothed(net: usize, y: usize, isClass: bool, o: i32, classes: i32): f64 {
  const s = load<f64>(net, NET_LABEL_SMOOTHING);
  const target: f64 = isClass ? f64(load<i32>(y) == o) : <f64>load<real>(y + <usize>(o * SIZE));
  return (1 - s) * target + s / <f64>classes;
}

/** crossEntropy −Σ c·y·log softmax(z); binaryCrossEntropy −Σ (c₁·y·log σ(z) + c₀·(1−y)·log(1−σ(z))) / outputs, y smoothed. */
function smoothedLoss(
  net: usize, z: usize, y: usize, isClass: bool, units: i32, stride: usize, max: usize, sum: usize,
): f64 {
  let total: f64 = 0;
  if (load<i32>(net, NET_LOSS) == LOSS_CROSS_ENTROPY) {
    const logSum = slog(<f64>load<real>(sum));
    const m = <f64>load<real>(max);
    for (let o = 0; o < units; o++) {
      const target = classWeight(net, o) * smoothed(net, y, isClass, o, units);
      total += target * (logSum - (<f64>load<real>(z + <usize>o * stride) - m));
    }
    return total;
  }
  for (let o = 0; o < units; o++) {
    const zo = <f64>load<real>(z + <usize>o * stride);
    const target = smoothed(net, y, false, o, 2);
    const rest = slog1p(sexp(-abs<f64>(zo)));
    const ofOne: f64 = zo < 0 ? rest - zo : rest, ofZero: f64 = zo < 0 ? rest : rest + zo;
    total += classWeight(net, 1) * target * ofOne + classWeight(net, 0) * (1 - target) * ofZero;
  }
  return total / <f64>units;
}

/** ∂ℓ/∂z of it: a·Σt − t with t = rnd(c·y); rnd(1/outputs)·(a·p − (1 − a)·q) with p = rnd(c₀·(1−y)), q = rnd(c₁·y). */
function smoothedDelta(net: usize, delta: usize, a: usize, y: usize, isClass: bool, units: i32, stride: usize): void {
  if (load<i32>(net, NET_LOSS) == LOSS_CROSS_ENTROPY) {
    let sum: real = 0;
    for (let o = 0; o < units; o++) sum += <real>(classWeight(net, o) * smoothed(net, y, isClass, o, units));
    for (let o = 0; o < units; o++) {
      const i = <usize>o * stride;
      store<real>(delta + i, sum * load<real>(a + i) - <real>(classWeight(net, o) * smoothed(net, y, isClass, o, units)));
    }
    return;
  }
  const factor = <real>(1.0 / <f64>units);
  for (let o = 0; o < units; o++) {
    const i = <usize>o * stride;
    const value = load<real>(a + i), target = smoothed(net, y, false, o, 2);
    const p = <real>(classWeight(net, 0) * (1 - target)), q = <real>(classWeight(net, 1) * target);
    store<real>(delta + i, factor * (value * p - (1 - value) * q));
  }
}

/** How many of a block's samples isCorrect counts. */
function correctSamples(a: usize, targets: usize, order: usize, first: i32, units: i32, n: i32, vector: bool): i32 {
  let correct = 0;
  for (let s = 0; s < n; s++) {
    const sample = sampleAt(s, units, vector);
    const y = targets + <usize>rowOf(order, first + s) * <usize>(units * SIZE);
    correct += isCorrect(a + sample, y, false, units, vector ? SIZE : UNIT_BYTES);
  }
  return correct;
}

/** 1 where the predicted class (argmax, lowest index on a tie; one unit: ≥ 0.5) is the target's. */
function isCorrect(a: usize, y: usize, isClass: bool, units: i32, stride: usize): i32 {
  // An output that is not a number is no class, and softmax gives all or none.
  if (isNaN<real>(load<real>(a))) return 0;
  if (isClass) return i32(argmax(a, units, stride) == load<i32>(y));
  if (units == 1) return i32((load<real>(a) >= 0.5) == (load<real>(y) >= 0.5));
  return i32(argmax(a, units, stride) == argmax(y, units, SIZE));
}

function argmax(values: usize, units: i32, stride: usize): i32 {
  let best = 0;
  let bestValue = load<real>(values);
  for (let o = 1; o < units; o++) {
    const value = load<real>(values + <usize>o * stride);
    if (value > bestValue) {
      best = o;
      bestValue = value;
    }
  }
  return best;
}
