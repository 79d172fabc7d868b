// Updates: one loop per parameter segment. Formulas as PyTorch's torch.optim (1.13 … 2.x), so that weights agree step by
// step. Hyperparameters are f64 and rounded once here; state below the smallest normal becomes +0 (kernels.md, trap 2:
// a decayed moment would stay denormal for ever and cost 34–55×).
import {
  JOB_BETA1, JOB_BETA1_POWER, JOB_BETA2, JOB_BETA2_POWER, JOB_EPSILON, JOB_LEARNING_RATE, JOB_MOMENTUM, JOB_OPTIMIZER,
  NET_GRADIENTS_PTR, NET_PARAMS_LENGTH, NET_PARAMS_PTR, NET_SEGMENTS_PTR, NET_SEGMENT_COUNT, NET_STATE_PTR,
  OPTIMIZER_ADAM, OPTIMIZER_MOMENTUM, OPTIMIZER_NESTEROV, SEGMENT_OFFSET, SEGMENT_PITCH, SEGMENT_ROWS,
  SEGMENT_SIZE, SEGMENT_TRAINABLE,
} from "./abi";
import { LANES, MIN_NORMAL, SIZE, flush } from "./lanes";

/**
 * One step of the job's optimizer on every trainable segment, from the gradient region: the elements [begin, end) of the
 * parameter region, both whole vectors or the region's end. Not for sgd: backprop.ts takes its step.
 */
export function update(net: usize, job: usize, begin: i32, end: i32): void {
  assert((begin & (LANES - 1)) == 0 && begin < end);
  const type = load<i32>(job, JOB_OPTIMIZER);
  if (type == OPTIMIZER_ADAM && begin == 0) advancePowers(job);
  let segment = load<usize>(net, NET_SEGMENTS_PTR);
  for (let i = load<i32>(net, NET_SEGMENT_COUNT); i > 0; i--, segment += SEGMENT_SIZE) {
    if (!load<i32>(segment, SEGMENT_TRAINABLE)) continue;
    const first = load<i32>(segment, SEGMENT_OFFSET);
    const from = max(first, begin);
    const to = min(first + load<i32>(segment, SEGMENT_ROWS) * load<i32>(segment, SEGMENT_PITCH), end);
    if (from >= to) continue;
    const offset = <usize>from * SIZE, bytes = <usize>(to - from) * SIZE;
    const w = load<usize>(net, NET_PARAMS_PTR) + offset;
    const g = load<usize>(net, NET_GRADIENTS_PTR) + offset;
    const state = load<usize>(net, NET_STATE_PTR) + offset;
    switch (type) {
      case OPTIMIZER_MOMENTUM: momentum(w, g, state, bytes, job, false); break;
      case OPTIMIZER_NESTEROV: momentum(w, g, state, bytes, job, true); break;
      case OPTIMIZER_ADAM: adam(w, g, state, <usize>load<i32>(net, NET_PARAMS_LENGTH) * SIZE, bytes, job); break;
      default: assert(false);
    }
  }
}

/** βᵗ as running products: the power function may differ between engines. */
function advancePowers(job: usize): void {
  store<f64>(job, load<f64>(job, JOB_BETA1_POWER) * load<f64>(job, JOB_BETA1), JOB_BETA1_POWER);
  store<f64>(job, load<f64>(job, JOB_BETA2_POWER) * load<f64>(job, JOB_BETA2), JOB_BETA2_POWER);
}

/**
 * The least |v| whose product with η is a normal number. A velocity stays in the range below it for some 40 steps on its
 * way to zero (η = 0.01, μ = 0.9), and products that are denormal are slow: measured 1.1 times a step.
 */
function leastStep(job: usize): real {
  return <real>(MIN_NORMAL / abs(load<f64>(job, JOB_LEARNING_RATE)));
}

/** v ← μ·v + g; w ← w − η·v, or with `nesterov` w ← w − η·(g + μ·v). */
@inline
function momentumLoop(w: usize, g: usize, v: usize, bytes: usize, job: usize, nesterov: bool): void {
  const eta = v128.splat<real>(<real>load<f64>(job, JOB_LEARNING_RATE));
  const mu = v128.splat<real>(<real>load<f64>(job, JOB_MOMENTUM));
  const min = v128.splat<real>(<real>MIN_NORMAL);
  const least = v128.splat<real>(leastStep(job));
  for (let i: usize = 0; i < bytes; i += 16) {
    const gradient = v128.load(g + i);
    const velocity = flush(v128.add<real>(v128.mul<real>(mu, v128.load(v + i)), gradient), min);
    v128.store(v + i, velocity);
    const step = nesterov ? v128.add<real>(gradient, v128.mul<real>(mu, velocity)) : velocity;
    v128.store(w + i, v128.sub<real>(v128.load(w + i), v128.mul<real>(eta, flush(step, least))));
  }
}

function momentum(w: usize, g: usize, v: usize, bytes: usize, job: usize, nesterov: bool): void {
  if (nesterov) momentumLoop(w, g, v, bytes, job, true);
  else momentumLoop(w, g, v, bytes, job, false);
}

/**
 * Adam (Kingma & Ba 2015): m ← β₁·m + (1 − β₁)·g; v ← β₂·v + (1 − β₂)·g²;
 * w ← w − (η / (1 − β₁ᵗ))·m / (√v·(1 / √(1 − β₂ᵗ)) + ε). The powers have been advanced to t.
 *
 * m = state, v = state + slotBytes.
 */
function adam(w: usize, g: usize, state: usize, slotBytes: usize, bytes: usize, job: usize): void {
  const beta1 = load<f64>(job, JOB_BETA1), beta2 = load<f64>(job, JOB_BETA2);
  const eta = load<f64>(job, JOB_LEARNING_RATE) / (1 - load<f64>(job, JOB_BETA1_POWER));
  const correction = 1 / sqrt<f64>(1 - load<f64>(job, JOB_BETA2_POWER));
  const rate = v128.splat<real>(<real>eta), root = v128.splat<real>(<real>correction);
  const keep1 = v128.splat<real>(<real>beta1), take1 = v128.splat<real>(<real>(1 - beta1));
  const keep2 = v128.splat<real>(<real>beta2), take2 = v128.splat<real>(<real>(1 - beta2));
  const epsilon = v128.splat<real>(<real>load<f64>(job, JOB_EPSILON));
  const min = v128.splat<real>(<real>MIN_NORMAL);
  for (let i: usize = 0; i < bytes; i += 16) {
    const gradient = v128.load(g + i);
    const mPtr = state + i, vPtr = state + slotBytes + i;
    const m = flush(v128.add<real>(v128.mul<real>(keep1, v128.load(mPtr)), v128.mul<real>(take1, gradient)), min);
    const square = v128.mul<real>(take2, v128.mul<real>(gradient, gradient));
    const v = flush(v128.add<real>(v128.mul<real>(keep2, v128.load(vPtr)), square), min);
    v128.store(mPtr, m);
    v128.store(vPtr, v);
    const divisor = v128.add<real>(v128.mul<real>(v128.sqrt<real>(v), root), epsilon);
    v128.store(w + i, v128.sub<real>(v128.load(w + i), v128.mul<real>(rate, v128.div<real>(m, divisor))));
  }
}
