// Updates: one loop per parameter segment. Formulas as PyTorch's torch.optim (1.13 … 2.x), so that weights agree step by
// step. Hyperparameters are f64 and rounded once here; state below the smallest normal becomes +0.
import {
  ADJUST_CLIP_NORM,
  JOB_ADJUST,
  JOB_CLIP_FACTOR,
  JOB_DAMPENING,
  JOB_DECAY_BIAS,
  JOB_LEARNING_RATE,
  JOB_MOMENTUM,
  JOB_MOMENTUM_STEPS,
  JOB_OPTIMIZER,
  JOB_WEIGHT_DECAY,
  NET_GRADIENTS_PTR,
  NET_PARAMS_LENGTH,
  NET_PARAMS_PTR,
  NET_SEGMENT_COUNT,
  NET_SEGMENTS_PTR,
  NET_STATE_PTR,
  NET_UNFUSED,
  OPTIMIZER_ADADELTA,
  OPTIMIZER_ADAGRAD,
  OPTIMIZER_ADAM,
  OPTIMIZER_ADAMAX,
  OPTIMIZER_ADAMW,
  OPTIMIZER_AMSGRAD,
  OPTIMIZER_IRPROP_PLUS,
  OPTIMIZER_LION,
  OPTIMIZER_MOMENTUM,
  OPTIMIZER_NADAM,
  OPTIMIZER_NESTEROV,
  OPTIMIZER_QUICKPROP,
  OPTIMIZER_RADAM,
  OPTIMIZER_RMSPROP,
  OPTIMIZER_RPROP,
  OPTIMIZER_RPROP_PLUS,
  OPTIMIZER_SGD,
  SEGMENT_OFFSET,
  SEGMENT_PART,
  SEGMENT_PITCH,
  SEGMENT_ROWS,
  SEGMENT_SIZE,
  SEGMENT_TRAINABLE,
} from "../core/abi.ts";
import { adadelta, adagrad, adam, adamax, advance, lion, nadam, radam, rmsprop } from "./adaptive.ts";
import { limitNorms, scaleGradients } from "./adjust.ts";
import type { Heap } from "./heap.ts";
import { quickprop, rprop } from "./resilient.ts";

/** What an update works on: indices of `count` parameters, their gradients and state, and the distance of two state arrays. */
export interface Run {
  w: number;
  g: number;
  state: number;
  slot: number;
  count: number;
}

/** Whether a step is plain descent and nothing else: then backprop.ts takes it while it forms the gradient. */
export function isPlain(heap: Heap, net: number, job: number): boolean {
  if (heap.int(job, JOB_ADJUST) !== 0 || heap.int(net, NET_UNFUSED) !== 0) return false;
  return heap.int(job, JOB_OPTIMIZER) === OPTIMIZER_SGD && heap.double(job, JOB_WEIGHT_DECAY) === 0;
}

/**
 * One step of the job's optimizer on every trainable segment, from the gradient region: the elements [begin, end) of the
 * parameter region.
 */
export function update(heap: Heap, net: number, job: number, begin: number, end: number): void {
  if (begin === 0) advance(heap, job);
  const slot = heap.int(net, NET_PARAMS_LENGTH);
  const clips = (heap.int(job, JOB_ADJUST) & ADJUST_CLIP_NORM) !== 0 && heap.double(job, JOB_CLIP_FACTOR) < 1;
  const decays = heap.double(job, JOB_WEIGHT_DECAY) !== 0;
  const rule = RULES[heap.int(job, JOB_OPTIMIZER)] as Rule;
  const biases = heap.int(job, JOB_DECAY_BIAS) !== 0;
  for (let i = 0; i < heap.int(net, NET_SEGMENT_COUNT); i++) {
    const segment = heap.ptr(net, NET_SEGMENTS_PTR) + i * SEGMENT_SIZE;
    if (heap.int(segment, SEGMENT_TRAINABLE) === 0) continue;
    const first = heap.int(segment, SEGMENT_OFFSET);
    const from = Math.max(first, begin);
    const to = Math.min(first + heap.int(segment, SEGMENT_ROWS) * heap.int(segment, SEGMENT_PITCH), end);
    if (from >= to) continue;
    const run = {
      w: heap.index(heap.ptr(net, NET_PARAMS_PTR)) + from,
      g: heap.index(heap.ptr(net, NET_GRADIENTS_PTR)) + from,
      state: heap.index(heap.ptr(net, NET_STATE_PTR)) + from,
      slot,
      count: to - from,
    };
    if (clips) scaleGradients(heap, job, run.g, run.count);
    if (decays && (biases || heap.int(segment, SEGMENT_PART) === 0)) decay(heap, job, run);
    rule(heap, job, run);
    limitNorms(heap, net, segment, from, to);
  }
}

type Rule = (heap: Heap, job: number, run: Run) => void;

const RULES: Readonly<Record<number, Rule>> = {
  [OPTIMIZER_SGD]: descend,
  [OPTIMIZER_MOMENTUM]: (heap, job, run) => momentum(heap, job, run, false),
  [OPTIMIZER_NESTEROV]: (heap, job, run) => momentum(heap, job, run, true),
  [OPTIMIZER_ADAM]: (heap, job, run) => adam(heap, job, run, false),
  [OPTIMIZER_ADAMW]: (heap, job, run) => adam(heap, job, run, false),
  [OPTIMIZER_AMSGRAD]: (heap, job, run) => adam(heap, job, run, true),
  [OPTIMIZER_ADAGRAD]: adagrad,
  [OPTIMIZER_ADADELTA]: adadelta,
  [OPTIMIZER_RMSPROP]: rmsprop,
  [OPTIMIZER_ADAMAX]: adamax,
  [OPTIMIZER_NADAM]: nadam,
  [OPTIMIZER_RADAM]: radam,
  [OPTIMIZER_LION]: lion,
  [OPTIMIZER_RPROP]: (heap, job, run) => rprop(heap, job, run, 0),
  [OPTIMIZER_RPROP_PLUS]: (heap, job, run) => rprop(heap, job, run, 1),
  [OPTIMIZER_IRPROP_PLUS]: (heap, job, run) => rprop(heap, job, run, 2),
  [OPTIMIZER_QUICKPROP]: quickprop,
};

/** Decoupled weight decay (Loshchilov & Hutter 2019): w ← rnd(1 − η·λ)·w, before the step. */
function decay(heap: Heap, job: number, { w, count }: Run): void {
  const { real, lanes } = heap;
  const keep = lanes.round(1 - heap.double(job, JOB_LEARNING_RATE) * heap.double(job, JOB_WEIGHT_DECAY));
  for (let i = w; i < w + count; i++) real[i] = lanes.round(keep * (real[i] as number));
}

/** w ← w − η·g. */
function descend(heap: Heap, job: number, { w, g, count }: Run): void {
  const { real, lanes } = heap;
  const { round } = lanes;
  const eta = round(heap.double(job, JOB_LEARNING_RATE));
  for (let i = 0; i < count; i++) real[w + i] = round((real[w + i] as number) - round(eta * (real[g + i] as number)));
}

/**
 * v ← μ·v + (1 − τ)·g, the dampening τ from the second step on; w ← w − η·v, or with `nesterov` (τ = 0) w ← w − η·(g + μ·v).
 */
function momentum(heap: Heap, job: number, { w, g, state: v, count }: Run, nesterov: boolean): void {
  const { real, lanes } = heap;
  const { round, flush } = lanes;
  const eta = round(heap.double(job, JOB_LEARNING_RATE));
  const mu = round(heap.double(job, JOB_MOMENTUM));
  const take = round(1 - (heap.double(job, JOB_MOMENTUM_STEPS) > 1 ? heap.double(job, JOB_DAMPENING) : 0));
  // The least |v| whose product with η is a normal number: smaller ones move no weight, and denormals are slow.
  const least = round(lanes.minNormal / Math.abs(heap.double(job, JOB_LEARNING_RATE)));
  for (let i = 0; i < count; i++) {
    const gradient = real[g + i] as number;
    const taken = nesterov ? gradient : round(take * gradient);
    const velocity = flush(round(round(mu * (real[v + i] as number)) + taken));
    real[v + i] = velocity;
    const step = nesterov ? round(gradient + round(mu * velocity)) : velocity;
    real[w + i] = round((real[w + i] as number) - (Math.abs(step) < least ? 0 : round(eta * step)));
  }
}
