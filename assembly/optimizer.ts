// Updates: one loop per parameter segment. Formulas as PyTorch's torch.optim (1.13 … 2.x), so that weights agree step by
// step. Hyperparameters are f64 and rounded once here; state below the smallest normal becomes +0 (kernels.md, trap 2:
// a decayed moment would stay denormal for ever and cost 34–55×).
import {
  ADJUST_CLIP_NORM, JOB_ADJUST, JOB_CLIP_FACTOR, JOB_DAMPENING, JOB_DECAY_BIAS, JOB_LEARNING_RATE, JOB_MOMENTUM, JOB_MOMENTUM_STEPS, JOB_OPTIMIZER, JOB_WEIGHT_DECAY,
  NET_GRADIENTS_PTR, NET_UNFUSED, NET_PARAMS_LENGTH, NET_PARAMS_PTR, NET_SEGMENTS_PTR, NET_SEGMENT_COUNT, NET_STATE_PTR,
  OPTIMIZER_ADADELTA, OPTIMIZER_ADAGRAD, OPTIMIZER_ADAM, OPTIMIZER_ADAMAX, OPTIMIZER_ADAMW, OPTIMIZER_AMSGRAD,
  OPTIMIZER_IRPROP_PLUS, OPTIMIZER_LION, OPTIMIZER_MOMENTUM, OPTIMIZER_NADAM, OPTIMIZER_NESTEROV, OPTIMIZER_QUICKPROP,
  OPTIMIZER_RADAM, OPTIMIZER_RMSPROP, OPTIMIZER_RPROP, OPTIMIZER_RPROP_PLUS, OPTIMIZER_SGD, SEGMENT_OFFSET, SEGMENT_PART, SEGMENT_PITCH, SEGMENT_ROWS, SEGMENT_SIZE, SEGMENT_TRAINABLE,
} from "./abi";
import { adadelta, adagrad, adam, adamax, advance, lion, nadam, radam, rmsprop } from "./adaptive";
import { limitNorms, scaleGradients } from "./adjust";
import { quickprop, rprop } from "./resilient";
import { LANES, MIN_NORMAL, SIZE, flush } from "./lanes";

/** Whether a step is plain descent and nothing else: then backprop.ts takes it while it forms the gradient. */
@inline
export function isPlain(net: usize, job: usize): bool {
  if (load<i32>(job, JOB_ADJUST) || load<i32>(net, NET_UNFUSED)) return false;
  return load<i32>(job, JOB_OPTIMIZER) == OPTIMIZER_SGD && load<f64>(job, JOB_WEIGHT_DECAY) == 0;
}

/**
 * One step of the job's optimizer on every trainable segment, from the gradient region: the elements [begin, end) of the
 * parameter region, both whole vectors or the region's end.
 */
export function update(net: usize, job: usize, begin: i32, end: i32): void {
  assert((begin & (LANES - 1)) == 0 && begin < end);
  if (begin == 0) advance(job);
  const slot = <usize>load<i32>(net, NET_PARAMS_LENGTH) * SIZE;
  const clips = (load<i32>(job, JOB_ADJUST) & ADJUST_CLIP_NORM) && load<f64>(job, JOB_CLIP_FACTOR) < 1;
  const decays = load<f64>(job, JOB_WEIGHT_DECAY) != 0, biases = load<i32>(job, JOB_DECAY_BIAS) != 0;
  let segment = load<usize>(net, NET_SEGMENTS_PTR);
  for (let i = load<i32>(net, NET_SEGMENT_COUNT); i > 0; i--, segment += SEGMENT_SIZE) {
    if (!load<i32>(segment, SEGMENT_TRAINABLE)) continue;
    const first = load<i32>(segment, SEGMENT_OFFSET);
    const from = max(first, begin);
    const to = min(first + load<i32>(segment, SEGMENT_ROWS) * load<i32>(segment, SEGMENT_PITCH), end);
    if (from >= to) continue;
    const offset = <usize>from * SIZE, bytes = <usize>(to - from) * SIZE;
    const w = load<usize>(net, NET_PARAMS_PTR) + offset, g = load<usize>(net, NET_GRADIENTS_PTR) + offset;
    if (clips) scaleGradients(job, g, bytes);
    if (decays && (biases || load<i32>(segment, SEGMENT_PART) == 0)) decay(w, bytes, job);
    step(job, w, g, load<usize>(net, NET_STATE_PTR) + offset, slot, bytes);
    limitNorms(net, segment, from, to);
  }
}

/** Gradient g → parameters w and the state, whose arrays stand `slot` bytes apart. */
function step(job: usize, w: usize, g: usize, state: usize, slot: usize, bytes: usize): void {
  switch (load<i32>(job, JOB_OPTIMIZER)) {
    case OPTIMIZER_SGD: descend(w, g, bytes, job); break;
    case OPTIMIZER_MOMENTUM: momentum(w, g, state, bytes, job, false); break;
    case OPTIMIZER_NESTEROV: momentum(w, g, state, bytes, job, true); break;
    case OPTIMIZER_ADAM: case OPTIMIZER_ADAMW: adam(w, g, state, slot, bytes, job, false); break;
    case OPTIMIZER_AMSGRAD: adam(w, g, state, slot, bytes, job, true); break;
    case OPTIMIZER_ADAGRAD: adagrad(w, g, state, bytes, job); break;
    case OPTIMIZER_ADADELTA: adadelta(w, g, state, slot, bytes, job); break;
    case OPTIMIZER_RMSPROP: rmsprop(w, g, state, slot, bytes, job); break;
    case OPTIMIZER_ADAMAX: adamax(w, g, state, slot, bytes, job); break;
    case OPTIMIZER_NADAM: nadam(w, g, state, slot, bytes, job); break;
    case OPTIMIZER_RADAM: radam(w, g, state, slot, bytes, job); break;
    case OPTIMIZER_LION: lion(w, g, state, bytes, job); break;
    case OPTIMIZER_RPROP: rprop(w, g, state, slot, bytes, job, 0); break;
    case OPTIMIZER_RPROP_PLUS: rprop(w, g, state, slot, bytes, job, 1); break;
    case OPTIMIZER_IRPROP_PLUS: rprop(w, g, state, slot, bytes, job, 2); break;
    case OPTIMIZER_QUICKPROP: quickprop(w, g, state, slot, bytes, job); break;
    default: assert(false);
  }
}

/** Decoupled weight decay (Loshchilov & Hutter 2019): w ← rnd(1 − η·λ)·w, before the step. */
function decay(w: usize, bytes: usize, job: usize): void {
  const factor = 1 - load<f64>(job, JOB_LEARNING_RATE) * load<f64>(job, JOB_WEIGHT_DECAY);
  const keep = v128.splat<real>(<real>factor);
  for (let i: usize = 0; i < bytes; i += 16) v128.store(w + i, v128.mul<real>(keep, v128.load(w + i)));
}

/** w ← w − η·g. */
function descend(w: usize, g: usize, bytes: usize, job: usize): void {
  const eta = v128.splat<real>(<real>load<f64>(job, JOB_LEARNING_RATE));
  for (let i: usize = 0; i < bytes; i += 16) {
    v128.store(w + i, v128.sub<real>(v128.load(w + i), v128.mul<real>(eta, v128.load(g + i))));
  }
}

/**
 * The least |v| whose product with η is a normal number. A velocity stays in the range below it for some 40 steps on its
 * way to zero (η = 0.01, μ = 0.9), and products that are denormal are slow: measured 1.1 times a step.
 */
function leastStep(job: usize): real {
  return <real>(MIN_NORMAL / abs(load<f64>(job, JOB_LEARNING_RATE)));
}

/**
 * v ← μ·v + (1 − τ)·g, the dampening τ from the second step on; w ← w − η·v, or with `nesterov` (τ = 0) w ← w − η·(g + μ·v).
 */
@inline
function momentumLoop(w: usize, g: usize, v: usize, bytes: usize, job: usize, nesterov: bool): void {
  const eta = v128.splat<real>(<real>load<f64>(job, JOB_LEARNING_RATE));
  const mu = v128.splat<real>(<real>load<f64>(job, JOB_MOMENTUM));
  const dampening: f64 = load<f64>(job, JOB_MOMENTUM_STEPS) > 1 ? load<f64>(job, JOB_DAMPENING) : 0;
  const take = v128.splat<real>(<real>(1 - dampening));
  const min = v128.splat<real>(<real>MIN_NORMAL);
  const least = v128.splat<real>(leastStep(job));
  for (let i: usize = 0; i < bytes; i += 16) {
    const gradient = v128.load(g + i);
    const taken = nesterov ? gradient : v128.mul<real>(take, gradient);
    const velocity = flush(v128.add<real>(v128.mul<real>(mu, v128.load(v + i)), taken), min);
    v128.store(v + i, velocity);
    const step = nesterov ? v128.add<real>(gradient, v128.mul<real>(mu, velocity)) : velocity;
    v128.store(w + i, v128.sub<real>(v128.load(w + i), v128.mul<real>(eta, flush(step, least))));
  }
}

function momentum(w: usize, g: usize, v: usize, bytes: usize, job: usize, nesterov: bool): void {
  if (nesterov) momentumLoop(w, g, v, bytes, job, true);
  else momentumLoop(w, g, v, bytes, job, false);
}
