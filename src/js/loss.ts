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
  JOB_STEP_CORRECT,
  JOB_TARGET_KIND,
  JOB_WINDOW_BEGIN,
  JOB_Y_PTR,
  LOSS_BINARY_CROSS_ENTROPY,
  LOSS_CROSS_ENTROPY,
  LOSS_SQUARED_ERROR,
  NET_LOSS,
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
 * asked, and with `backward` writes the output node's error signal delta = rnd(1/B)·∂ℓ/∂z.
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
  let correct = 0;
  for (let s = 0; s < n; s++) {
    const row = (order ? rowNumber(heap, order, 0, first + s) : first + s) - begin;
    const at = vector ? 0 : (s >> 3) * units * PANEL + (s & 7);
    sample.y = isClass ? (y >>> 2) + row : heap.index(y) + row * units;
    sample.a = heap.index(heap.ptr(node, NODE_A_PTR)) + at;
    sample.z = heap.index(heap.ptr(node, NODE_Z_PTR)) + at;
    sample.delta = heap.index(heap.ptr(node, NODE_DELTA_PTR)) + at;
    addLoss(heap, job, inStep + s, sampleLoss(heap, net, sample, scratch + s, scratch + s + scratchHalf));
    if (counts && isCorrect(heap, sample)) correct++;
    if (backward) sampleDelta(heap, net, node, sample, scale);
  }
  if (backward && !vector) clearPadding(heap, heap.ptr(node, NODE_DELTA_PTR), units, n);
  if (counts) heap.setDouble(job, JOB_STEP_CORRECT, heap.double(job, JOB_STEP_CORRECT) + correct);
}

/** ℓ of one sample; max and sum: indices of the softmax's (crossEntropy only). */
function sampleLoss(heap: Heap, net: number, sample: Sample, max: number, sum: number): number {
  const { real } = heap;
  const { units, stride, a, z, y } = sample;
  const loss = heap.int(net, NET_LOSS);
  let total = 0;
  if (loss === LOSS_CROSS_ENTROPY) {
    // −Σ y·log softmax(z) = Σ y·(log sum − (z − max))
    const logSum = log64(real[sum] as number);
    const m = real[max] as number;
    if (sample.isClass) return logSum - ((real[z + (heap.i32[y] as number) * stride] as number) - m);
    for (let o = 0; o < units; o++) {
      total += (real[y + o] as number) * (logSum - ((real[z + o * stride] as number) - m));
    }
    return total;
  }
  if (loss === LOSS_BINARY_CROSS_ENTROPY) {
    // −(y·log σ(z) + (1−y)·log(1−σ(z))) = max(z, 0) − z·y + log(1 + exp(−|z|))
    for (let o = 0; o < units; o++) {
      const input = real[z + o * stride] as number;
      total += Math.max(input, 0) - input * (real[y + o] as number) + log1p64(exp64(-Math.abs(input)));
    }
    return total / units;
  }
  for (let o = 0; o < units; o++) {
    const error = (real[a + o * stride] as number) - (real[y + o] as number);
    total += error * error;
  }
  return loss === LOSS_SQUARED_ERROR ? 0.5 * total : total / units;
}

/** delta[o] = rnd(1/B)·∂ℓ/∂z[o] of one sample. */
function sampleDelta(heap: Heap, net: number, node: number, sample: Sample, scale: number): void {
  const { real, lanes } = heap;
  const { round } = lanes;
  const { units, stride, delta } = sample;
  if (heap.int(net, NET_LOSS) === LOSS_CROSS_ENTROPY) softmaxCrossEntropyDelta(heap, sample);
  else differenceDelta(heap, net, node, sample);
  for (let o = 0; o < units; o++) {
    const i = delta + o * stride;
    real[i] = lanes.flush(round(scale * (real[i] as number)));
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

/** factor·(a − y)·f′(z) for the squared errors; binaryCrossEntropy goes with sigmoid, where f′ cancels. */
function differenceDelta(heap: Heap, net: number, node: number, sample: Sample): void {
  const { real, lanes } = heap;
  const { round } = lanes;
  const { units, stride, delta } = sample;
  const loss = heap.int(net, NET_LOSS);
  const own = heap.int(node, NODE_ACTIVATION);
  const isBinary = loss === LOSS_BINARY_CROSS_ENTROPY;
  const activation = isBinary || own === ACTIVATION_SOFTMAX ? ACTIVATION_LINEAR : own;
  const alpha = round(heap.double(node, NODE_ALPHA));
  const factor = loss === LOSS_SQUARED_ERROR ? 1 : round((isBinary ? 1 : 2) / units);
  for (let o = 0; o < units; o++) {
    const a = real[sample.a + o * stride] as number;
    const g = round(factor * round(a - (real[sample.y + o] as number)));
    real[delta + o * stride] = slope(lanes, activation, g, a, real[sample.z + o * stride] as number, alpha);
  }
  if (!isBinary && own === ACTIVATION_SOFTMAX) softmaxSlope(heap, delta, sample.a, units, stride);
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

/** Combines the eight accumulators in a fixed tree, adds them to the total and clears them. */
function closeReductionBlock(heap: Heap, job: number): void {
  const lane = (i: number) => heap.double(job, JOB_LOSS_LANES + 8 * i);
  const block = lane(0) + lane(1) + (lane(2) + lane(3)) + (lane(4) + lane(5) + (lane(6) + lane(7)));
  heap.setDouble(job, JOB_LOSS_TOTAL, heap.double(job, JOB_LOSS_TOTAL) + block);
  for (let i = 0; i < 8; i++) heap.setDouble(job, JOB_LOSS_LANES + 8 * i, 0);
}

/** The mean loss of a step whose `samples` have all been added; the reduction starts anew. */
export function finishLoss(heap: Heap, job: number, samples: number): number {
  if (samples % REDUCTION_BLOCK !== 0) closeReductionBlock(heap, job);
  const mean = heap.double(job, JOB_LOSS_TOTAL) / samples;
  heap.setDouble(job, JOB_LOSS_TOTAL, 0);
  return mean;
}
