// Updates: one loop per parameter segment. Formulas as PyTorch's torch.optim (1.13 … 2.x), so that weights agree step by
// step. Hyperparameters are f64 and rounded once here; state below the smallest normal becomes +0.
import {
  JOB_BETA1,
  JOB_BETA1_POWER,
  JOB_BETA2,
  JOB_BETA2_POWER,
  JOB_EPSILON,
  JOB_LEARNING_RATE,
  JOB_MOMENTUM,
  JOB_OPTIMIZER,
  NET_GRADIENTS_PTR,
  NET_PARAMS_LENGTH,
  NET_PARAMS_PTR,
  NET_SEGMENT_COUNT,
  NET_SEGMENTS_PTR,
  NET_STATE_PTR,
  OPTIMIZER_ADAM,
  OPTIMIZER_MOMENTUM,
  OPTIMIZER_NESTEROV,
  SEGMENT_OFFSET,
  SEGMENT_PITCH,
  SEGMENT_ROWS,
  SEGMENT_SIZE,
  SEGMENT_TRAINABLE,
} from "../core/abi.ts";
import type { Heap } from "./heap.ts";

/**
 * One step of the job's optimizer on every trainable segment, from the gradient region: the elements [begin, end) of the
 * parameter region. Not for sgd: backprop.ts takes its step.
 */
export function update(heap: Heap, net: number, job: number, begin: number, end: number): void {
  const type = heap.int(job, JOB_OPTIMIZER);
  if (type === OPTIMIZER_ADAM && begin === 0) advancePowers(heap, job);
  const slot = heap.int(net, NET_PARAMS_LENGTH);
  for (let i = 0; i < heap.int(net, NET_SEGMENT_COUNT); i++) {
    const segment = heap.ptr(net, NET_SEGMENTS_PTR) + i * SEGMENT_SIZE;
    if (heap.int(segment, SEGMENT_TRAINABLE) === 0) continue;
    const first = heap.int(segment, SEGMENT_OFFSET);
    const from = Math.max(first, begin);
    const to = Math.min(first + heap.int(segment, SEGMENT_ROWS) * heap.int(segment, SEGMENT_PITCH), end);
    if (from >= to) continue;
    const count = to - from;
    const w = heap.index(heap.ptr(net, NET_PARAMS_PTR)) + from;
    const g = heap.index(heap.ptr(net, NET_GRADIENTS_PTR)) + from;
    const state = heap.index(heap.ptr(net, NET_STATE_PTR)) + from;
    if (type === OPTIMIZER_MOMENTUM) momentum(heap, w, g, state, count, job, false);
    else if (type === OPTIMIZER_NESTEROV) momentum(heap, w, g, state, count, job, true);
    else adam(heap, w, g, state, state + slot, count, job);
  }
}

/** βᵗ as running products: the power function may differ between engines. */
function advancePowers(heap: Heap, job: number): void {
  heap.setDouble(job, JOB_BETA1_POWER, heap.double(job, JOB_BETA1_POWER) * heap.double(job, JOB_BETA1));
  heap.setDouble(job, JOB_BETA2_POWER, heap.double(job, JOB_BETA2_POWER) * heap.double(job, JOB_BETA2));
}

// w, g, v, m: indices of arrays of `count` elements.

/** v ← μ·v + g; w ← w − η·v, or with `nesterov` w ← w − η·(g + μ·v). */
function momentum(heap: Heap, w: number, g: number, v: number, count: number, job: number, nesterov: boolean): void {
  const { real, lanes } = heap;
  const { round, flush } = lanes;
  const eta = round(heap.double(job, JOB_LEARNING_RATE));
  const mu = round(heap.double(job, JOB_MOMENTUM));
  // The least |v| whose product with η is a normal number: smaller ones move no weight, and denormals are slow.
  const least = round(lanes.minNormal / Math.abs(heap.double(job, JOB_LEARNING_RATE)));
  for (let i = 0; i < count; i++) {
    const gradient = real[g + i] as number;
    const velocity = flush(round(round(mu * (real[v + i] as number)) + gradient));
    real[v + i] = velocity;
    const step = nesterov ? round(gradient + round(mu * velocity)) : velocity;
    real[w + i] = round((real[w + i] as number) - (Math.abs(step) < least ? 0 : round(eta * step)));
  }
}

/**
 * Adam (Kingma & Ba 2015): m ← β₁·m + (1 − β₁)·g; v ← β₂·v + (1 − β₂)·g²;
 * w ← w − (η / (1 − β₁ᵗ))·m / (√v·(1 / √(1 − β₂ᵗ)) + ε). The powers have been advanced to t.
 */
function adam(heap: Heap, w: number, g: number, m: number, v: number, count: number, job: number): void {
  const { real, lanes } = heap;
  const { round, flush } = lanes;
  const beta1 = heap.double(job, JOB_BETA1);
  const beta2 = heap.double(job, JOB_BETA2);
  const rate = round(heap.double(job, JOB_LEARNING_RATE) / (1 - heap.double(job, JOB_BETA1_POWER)));
  const root = round(1 / Math.sqrt(1 - heap.double(job, JOB_BETA2_POWER)));
  const keep1 = round(beta1);
  const take1 = round(1 - beta1);
  const keep2 = round(beta2);
  const take2 = round(1 - beta2);
  const epsilon = round(heap.double(job, JOB_EPSILON));
  for (let i = 0; i < count; i++) {
    const gradient = real[g + i] as number;
    const first = flush(round(round(keep1 * (real[m + i] as number)) + round(take1 * gradient)));
    const square = round(take2 * round(gradient * gradient));
    const second = flush(round(round(keep2 * (real[v + i] as number)) + square));
    real[m + i] = first;
    real[v + i] = second;
    const divisor = round(round(round(Math.sqrt(second)) * root) + epsilon);
    real[w + i] = round((real[w + i] as number) - round(rate * round(first / divisor)));
  }
}
