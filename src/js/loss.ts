// Losses: the value of a sample (in f64, over its outputs ascending) and the error signal of the output node, side by side.
import {
  ACTIVATION_LINEAR,
  ACTIVATION_SOFTMAX,
  JOB_FLAG_COUNT,
  JOB_FLAGS,
  JOB_IN_STEP,
  JOB_LOSS_LANES,
  JOB_LOSS_TOTAL,
  JOB_ORDER_PTR,
  JOB_POSITION,
  JOB_SAMPLE_WEIGHTS_PTR,
  JOB_STEP_CORRECT,
  JOB_STEP_PENALTY,
  JOB_TARGET_KIND,
  JOB_WINDOW_BEGIN,
  JOB_Y_PTR,
  LOSS_BINARY_CROSS_ENTROPY,
  LOSS_CROSS_ENTROPY,
  LOSS_KULLBACK_LEIBLER,
  LOSS_MEAN_SQUARED_ERROR,
  LOSS_SQUARED_ERROR,
  NET_CLASS_WEIGHTS_PTR,
  NET_LABEL_SMOOTHING,
  NET_LOSS,
  NET_LOSS_DELTA,
  NET_LOSS_SCRATCH_PTR,
  NODE_A_PTR,
  NODE_ACTIVATION,
  NODE_ALPHA,
  NODE_DELTA_PTR,
  NODE_UNITS,
  NODE_Z_PTR,
  TARGET_CLASS,
} from "../core/abi.ts";
import { slope, softmaxSlope } from "./activation.ts";
import type { Heap } from "./heap.ts";
import { PANEL, roundUp } from "./lanes.ts";
import { outputLoss, outputSlope } from "./output-loss.ts";
import { clearPadding, rowNumber } from "./panels.ts";
import { exp64, log1p64, log64 } from "./vmath.ts";

/** Reductions run in blocks of this many elements over eight interleaved accumulators (DESIGN.md I1). */
const REDUCTION_BLOCK = 4096;

/** One sample as the functions below see it: indices of its first unit, and the elements between two units. */
interface Sample {
  units: number;
  stride: number;
  a: number;
  z: number;
  delta: number;
  /** Of the target row in `real`, or of the class in `i32`. */
  y: number;
  isClass: boolean;
}

/**
 * Adds the losses of the block's n samples to the reduction of a step of B = `batch` samples, counts correct ones where
 * asked, and with `backward` writes the output node's error signal delta = rnd(1/B)·∂ℓ/∂z; with sample weights w·ℓ and rnd(w/B).
 * Where the activation's derivative is a factor of ∂ℓ/∂z, what is below normal becomes +0 before and after rnd(w/B).
 *
 * Reads a, z of `node` and the targets of rows position + inStep + s | writes delta of `node`, lanes past n as +0.
 */
export function lossBlock(
  heap: Heap,
  net: number,
  job: number,
  node: number,
  batch: number,
  n: number,
  vector: boolean,
  backward: boolean,
): void {
  const { lanes } = heap;
  const units = heap.int(node, NODE_UNITS);
  const inStep = heap.int(job, JOB_IN_STEP);
  const first = heap.int(job, JOB_POSITION) + inStep;
  const order = heap.ptr(job, JOB_ORDER_PTR);
  const begin = heap.int(job, JOB_WINDOW_BEGIN);
  const isClass = heap.int(job, JOB_TARGET_KIND) === TARGET_CLASS;
  const y = heap.ptr(job, JOB_Y_PTR);
  const scratch = heap.index(heap.ptr(net, NET_LOSS_SCRATCH_PTR));
  const scratchHalf = vector ? 1 : roundUp(n, PANEL);
  const scale = lanes.round(1 / batch);
  const counts = (heap.int(job, JOB_FLAGS) & JOB_FLAG_COUNT) !== 0;
  const sample: Sample = { units, stride: vector ? 1 : PANEL, a: 0, z: 0, delta: 0, y: 0, isClass };
  const smooths = adaptsTargets(heap, net);
  const weights = heap.ptr(job, JOB_SAMPLE_WEIGHTS_PTR);
  let correct = 0;
  for (let s = 0; s < n; s++) {
    const row = (order ? rowNumber(heap, order, 0, first + s) : first + s) - begin;
    const at = vector ? 0 : (s >> 3) * units * PANEL + (s & 7);
    sample.y = isClass ? (y >>> 2) + row : heap.index(y) + row * units;
    sample.a = heap.index(heap.ptr(node, NODE_A_PTR)) + at;
    sample.z = heap.index(heap.ptr(node, NODE_Z_PTR)) + at;
    sample.delta = heap.index(heap.ptr(node, NODE_DELTA_PTR)) + at;
    const [max, sum] = [scratch + s, scratch + s + scratchHalf];
    const loss = smooths ? smoothedLoss(heap, net, sample, max, sum) : sampleLoss(heap, net, sample, max, sum);
    const weight = weights ? heap.double(weights, 8 * row) : 1;
    addLoss(heap, job, inStep + s, weights ? weight * loss : loss);
    if (counts && isCorrect(heap, sample)) correct++;
    if (!backward) continue;
    if (smooths) smoothedDelta(heap, net, sample);
    else sampleDelta(heap, net, node, sample);
    scaleDelta(heap, sample, weights ? lanes.round(weight * (1 / batch)) : scale);
  }
  if (backward && !vector) clearPadding(heap, heap.ptr(node, NODE_DELTA_PTR), units, n);
  if (counts) heap.setDouble(job, JOB_STEP_CORRECT, heap.double(job, JOB_STEP_CORRECT) + correct);
}

/** ℓ of one sample; max and sum: indices of the softmax's (crossEntropy, kullbackLeibler). */
function sampleLoss(heap: Heap, net: number, sample: Sample, max: number, sum: number): number {
  const { real } = heap;
  const { units, stride, a, z, y } = sample;
  const loss = heap.int(net, NET_LOSS);
  let total = 0;
  if (loss === LOSS_CROSS_ENTROPY || loss === LOSS_KULLBACK_LEIBLER) {
    // −Σ y·log softmax(z) = Σ y·(log sum − (z − max)); the divergence adds y·log y
    const logSum = log64(real[sum] as number);
    const m = real[max] as number;
    if (sample.isClass) return logSum - ((real[z + (heap.i32[y] as number) * stride] as number) - m);
    for (let o = 0; o < units; o++) {
      const target = real[y + o] as number;
      const entropy = loss === LOSS_KULLBACK_LEIBLER && target > 0 ? log64(target) : 0;
      total += target * (entropy + (logSum - ((real[z + o * stride] as number) - m)));
    }
    return total;
  }
  const delta = heap.double(net, NET_LOSS_DELTA);
  for (let o = 0; o < units; o++) {
    const target = real[y + o] as number;
    if (loss === LOSS_BINARY_CROSS_ENTROPY) {
      // −(y·log σ(z) + (1−y)·log(1−σ(z))) = max(z, 0) − z·y + log(1 + exp(−|z|))
      const input = real[z + o * stride] as number;
      total += Math.max(input, 0) - input * target + log1p64(exp64(-Math.abs(input)));
    } else total += outputLoss(heap.lanes, loss, real[a + o * stride] as number, target, delta);
  }
  return loss === LOSS_SQUARED_ERROR ? 0.5 * total : total / units;
}

/** delta[o] = ∂ℓ/∂z[o] of one sample. */
function sampleDelta(heap: Heap, net: number, node: number, sample: Sample): void {
  const loss = heap.int(net, NET_LOSS);
  if (loss === LOSS_CROSS_ENTROPY || loss === LOSS_KULLBACK_LEIBLER) softmaxCrossEntropyDelta(heap, sample);
  else outputDelta(heap, net, node, sample);
}

/** delta ← rnd(factor·delta). */
function scaleDelta(heap: Heap, { units, stride, delta }: Sample, factor: number): void {
  const { real, lanes } = heap;
  for (let o = 0; o < units; o++) {
    const i = delta + o * stride;
    real[i] = lanes.flush(lanes.round(factor * (real[i] as number)));
  }
}

/** a − y; with rows of targets a·Σy − y, which is exact also where they sum to 1 only within their tolerance. */
function softmaxCrossEntropyDelta(heap: Heap, sample: Sample): void {
  const { real, lanes } = heap;
  const { round } = lanes;
  const { units, stride, a, y, delta } = sample;
  if (sample.isClass) {
    const target = heap.i32[y] as number;
    for (let o = 0; o < units; o++) {
      real[delta + o * stride] = round((real[a + o * stride] as number) - (o === target ? 1 : 0));
    }
    return;
  }
  let sum = 0;
  for (let o = 0; o < units; o++) sum = round(sum + (real[y + o] as number));
  for (let o = 0; o < units; o++) {
    real[delta + o * stride] = round(round(sum * (real[a + o * stride] as number)) - (real[y + o] as number));
  }
}

/** A mean over outputs: the factor 1/outputs, with the 2 of (a − y)² in it. */
function outputDelta(heap: Heap, net: number, node: number, sample: Sample): void {
  const { real, lanes } = heap;
  const { round } = lanes;
  const { units, stride, delta } = sample;
  const loss = heap.int(net, NET_LOSS);
  const own = heap.int(node, NODE_ACTIVATION);
  const isBinary = loss === LOSS_BINARY_CROSS_ENTROPY;
  const activation = isBinary || own === ACTIVATION_SOFTMAX ? ACTIVATION_LINEAR : own;
  const alpha = round(heap.double(node, NODE_ALPHA));
  const factor = loss === LOSS_SQUARED_ERROR ? 1 : round((loss === LOSS_MEAN_SQUARED_ERROR ? 2 : 1) / units);
  const param = round(heap.double(net, NET_LOSS_DELTA));
  for (let o = 0; o < units; o++) {
    const a = real[sample.a + o * stride] as number;
    const g = round(factor * outputSlope(lanes, loss, a, real[sample.y + o] as number, param));
    const z = real[sample.z + o * stride] as number;
    // Before a weight, as the pass over a node's deltas does.
    real[delta + o * stride] =
      activation === ACTIVATION_LINEAR ? g : lanes.flush(slope(lanes, activation, g, a, z, alpha));
  }
  if (!isBinary && own === ACTIVATION_SOFTMAX) softmaxSlope(heap, delta, sample.a, units, stride);
}

// ── Label smoothing and class weights ──────────────────────────────────────────────────────────

/** Whether targets enter smoothed or weighted. */
function adaptsTargets(heap: Heap, net: number): boolean {
  return heap.ptr(net, NET_CLASS_WEIGHTS_PTR) !== 0 || heap.double(net, NET_LABEL_SMOOTHING) !== 0;
}

function classWeight(heap: Heap, net: number, k: number): number {
  const weights = heap.ptr(net, NET_CLASS_WEIGHTS_PTR);
  return weights ? heap.double(weights, 8 * k) : 1;
}

/** y of output o as smoothing by s makes it (Szegedy et al. 2016): (1 − s)·y + s/classes. */
function smoothed(heap: Heap, net: number, { y, isClass }: Sample, o: number, classes: number): number {
  const s = heap.double(net, NET_LABEL_SMOOTHING);
  const target = isClass ? Number(heap.i32[y] === o) : (heap.real[y + o] as number);
  return (1 - s) * target + s / classes;
}

/** crossEntropy −Σ c·y·log softmax(z); binaryCrossEntropy −Σ (c₁·y·log σ(z) + c₀·(1−y)·log(1−σ(z))) / outputs, y smoothed. */
function smoothedLoss(heap: Heap, net: number, sample: Sample, max: number, sum: number): number {
  const { real } = heap;
  const { units, stride, z } = sample;
  let total = 0;
  if (heap.int(net, NET_LOSS) === LOSS_CROSS_ENTROPY) {
    const logSum = log64(real[sum] as number);
    const m = real[max] as number;
    for (let o = 0; o < units; o++) {
      const target = classWeight(heap, net, o) * smoothed(heap, net, sample, o, units);
      total += target * (logSum - ((real[z + o * stride] as number) - m));
    }
    return total;
  }
  for (let o = 0; o < units; o++) {
    const input = real[z + o * stride] as number;
    const target = smoothed(heap, net, sample, o, 2);
    const rest = log1p64(exp64(-Math.abs(input)));
    const ofOne = input < 0 ? rest - input : rest;
    const ofZero = input < 0 ? rest : rest + input;
    total += classWeight(heap, net, 1) * target * ofOne + classWeight(heap, net, 0) * (1 - target) * ofZero;
  }
  return total / units;
}

/** ∂ℓ/∂z of it: a·Σt − t with t = rnd(c·y); rnd(1/outputs)·(a·p − (1 − a)·q) with p = rnd(c₀·(1−y)), q = rnd(c₁·y). */
function smoothedDelta(heap: Heap, net: number, sample: Sample): void {
  const { real, lanes } = heap;
  const { round } = lanes;
  const { units, stride, delta, a } = sample;
  if (heap.int(net, NET_LOSS) === LOSS_CROSS_ENTROPY) {
    const target = (o: number) => round(classWeight(heap, net, o) * smoothed(heap, net, sample, o, units));
    let sum = 0;
    for (let o = 0; o < units; o++) sum = round(sum + target(o));
    for (let o = 0; o < units; o++) {
      real[delta + o * stride] = round(round(sum * (real[a + o * stride] as number)) - target(o));
    }
    return;
  }
  const factor = round(1 / units);
  for (let o = 0; o < units; o++) {
    const value = real[a + o * stride] as number;
    const target = smoothed(heap, net, sample, o, 2);
    const p = round(classWeight(heap, net, 0) * (1 - target));
    const q = round(classWeight(heap, net, 1) * target);
    real[delta + o * stride] = round(factor * round(round(value * p) - round(round(1 - value) * q)));
  }
}

/** Whether the predicted class (argmax, lowest index on a tie; one unit: ≥ 0.5) is the target's. */
function isCorrect(heap: Heap, { units, stride, a, y, isClass }: Sample): boolean {
  const { real } = heap;
  // An output that is not a number is no class, and softmax gives all or none.
  if (Number.isNaN(real[a])) return false;
  if (isClass) return argmax(heap, a, units, stride) === heap.i32[y];
  if (units === 1) return (real[a] as number) >= 0.5 === (real[y] as number) >= 0.5;
  return argmax(heap, a, units, stride) === argmax(heap, y, units, 1);
}

function argmax(heap: Heap, values: number, units: number, stride: number): number {
  const { real } = heap;
  let best = 0;
  for (let o = 1; o < units; o++) {
    if ((real[values + o * stride] as number) > (real[values + best * stride] as number)) best = o;
  }
  return best;
}

/** Adds element `index` of the step to the reduction. */
function addLoss(heap: Heap, job: number, index: number, loss: number): void {
  const lane = JOB_LOSS_LANES + 8 * (index & 7);
  heap.setDouble(job, lane, heap.double(job, lane) + loss);
  if ((index + 1) % REDUCTION_BLOCK === 0) closeReductionBlock(heap, job);
}

/** The eight accumulators, combined in a fixed tree. */
function lanesOf(heap: Heap, job: number): number {
  const lane = (i: number) => heap.double(job, JOB_LOSS_LANES + 8 * i);
  return lane(0) + lane(1) + (lane(2) + lane(3)) + (lane(4) + lane(5) + (lane(6) + lane(7)));
}

/** Adds the accumulators to the total and clears them. */
function closeReductionBlock(heap: Heap, job: number): void {
  heap.setDouble(job, JOB_LOSS_TOTAL, heap.double(job, JOB_LOSS_TOTAL) + lanesOf(heap, job));
  for (let i = 0; i < 8; i++) heap.setDouble(job, JOB_LOSS_LANES + 8 * i, 0);
}

/** The objective of a step whose samples have all been added, before it ends. */
export function lossSoFar(heap: Heap, job: number, samples: number): number {
  return (heap.double(job, JOB_LOSS_TOTAL) + lanesOf(heap, job)) / samples + heap.double(job, JOB_STEP_PENALTY);
}

/** The mean loss of a step whose `samples` have all been added; the reduction starts anew. */
export function finishLoss(heap: Heap, job: number, samples: number): number {
  if (samples % REDUCTION_BLOCK !== 0) closeReductionBlock(heap, job);
  const mean = heap.double(job, JOB_LOSS_TOTAL) / samples;
  heap.setDouble(job, JOB_LOSS_TOTAL, 0);
  return mean;
}
