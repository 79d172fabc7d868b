// Full-batch updates that look at how each gradient has changed since the last step: Rprop in its four forms, Quickprop. w, g,
// state: `bytes` of parameters, gradients and state; the arrays of the state stand `slot` bytes apart.
import {
  JOB_BATCH, JOB_DECREASE, JOB_INCREASE, JOB_LEARNING_RATE, JOB_MAX_STEP, JOB_MIN_STEP, JOB_PREVIOUS_LOSS, JOB_ROSE,
} from "./abi";
import { MIN_NORMAL, flush } from "./lanes";
import { lossSoFar } from "./loss-sum";

@inline
function splat(value: f64): v128 {
  return v128.splat<real>(<real>value);
}

/** irpropPlus: whether the loss of the step at hand is larger than that of the step before. */
export function compareLoss(job: usize): void {
  const loss = lossSoFar(job, load<i32>(job, JOB_BATCH));
  store<i32>(job, i32(loss > load<f64>(job, JOB_PREVIOUS_LOSS)), JOB_ROSE);
  store<f64>(job, loss, JOB_PREVIOUS_LOSS);
}

/**
 * Steps Δ that grow by η⁺ while the gradient keeps its sign and shrink by η⁻ where it changes, in [Δmin, Δmax], from the rate:
 * w ← w − sign(g)·Δ. Where the sign changes, by `kind`:
 * 0  Rprop−, iRprop− (Igel & Hüsken 2000): no move, as torch.optim.Rprop;
 * 1  Rprop+ (Riedmiller & Braun 1993): the last move is taken back;
 * 2  iRprop+ (Igel & Hüsken 2000): it is taken back where the loss rose.
 *
 * state: last gradient (0 after a change of sign), Δ (0 before the first step), and for 1 and 2 the last move.
 */
@inline
function rpropLoop(w: usize, g: usize, state: usize, slot: usize, bytes: usize, job: usize, kind: i32): void {
  const first = splat(load<f64>(job, JOB_LEARNING_RATE)), min = splat(MIN_NORMAL), zero = splat(0), one = splat(1);
  const grow = splat(load<f64>(job, JOB_INCREASE)), shrink = splat(load<f64>(job, JOB_DECREASE));
  const least = splat(load<f64>(job, JOB_MIN_STEP)), most = splat(load<f64>(job, JOB_MAX_STEP));
  const takesBack = kind == 1 || (kind == 2 && load<i32>(job, JOB_ROSE) != 0);
  for (let i: usize = 0; i < bytes; i += 16) {
    const at = state + i;
    const gradient = v128.load(g + i), last = v128.load(at);
    const up = v128.gt<real>(gradient, zero), down = v128.lt<real>(gradient, zero);
    const wasUp = v128.gt<real>(last, zero), wasDown = v128.lt<real>(last, zero);
    const same = v128.or(v128.and(up, wasUp), v128.and(down, wasDown));
    const turned = v128.or(v128.and(up, wasDown), v128.and(down, wasUp));
    const before = v128.load(at + slot);
    const size = v128.bitselect(first, before, v128.eq<real>(before, zero));
    const factor = v128.bitselect(grow, v128.bitselect(shrink, one, turned), same);
    const step = v128.pmin<real>(most, v128.pmax<real>(least, v128.mul<real>(size, factor)));
    // −sign(g)·Δ, and nothing where the sign has changed
    const move = v128.andnot(v128.sub<real>(v128.and(step, down), v128.and(step, up)), turned);
    let change = move;
    if (kind != 0) {
      if (takesBack) change = v128.sub<real>(move, v128.and(v128.load(at + 2 * slot), turned));
      v128.store(at + 2 * slot, move);
    }
    v128.store(w + i, v128.add<real>(v128.load(w + i), change));
    v128.store(at, flush(v128.andnot(gradient, turned), min));
    v128.store(at + slot, step);
  }
}

export function rprop(w: usize, g: usize, state: usize, slot: usize, bytes: usize, job: usize, kind: i32): void {
  if (kind == 0) rpropLoop(w, g, state, slot, bytes, job, 0);
  else if (kind == 1) rpropLoop(w, g, state, slot, bytes, job, 1);
  else rpropLoop(w, g, state, slot, bytes, job, 2);
}

/**
 * Quickprop (Fahlman 1988): to the minimum of a parabola through the last two slopes, d·S/(S⁻ − S) from the last step d; μ·d where
 * that would be farther, as the slope has shrunk too little: S ≤ μ/(1 + μ)·S⁻ along d. Besides −η·S where that points the same way
 * as d, and alone where d = 0. A step goes against its slope, so S⁻ = S never divides.
 *
 * state: last slope, last step.
 */
export function quickprop(w: usize, g: usize, state: usize, slot: usize, bytes: usize, job: usize): void {
  const largest = load<f64>(job, JOB_INCREASE);
  const eta = splat(load<f64>(job, JOB_LEARNING_RATE)), mu = splat(largest), shrink = splat(largest / (1 + largest));
  const min = splat(MIN_NORMAL), zero = splat(0);
  for (let i: usize = 0; i < bytes; i += 16) {
    const at = state + i;
    const slope = v128.load(g + i), last = v128.load(at), d = v128.load(at + slot);
    const up = v128.gt<real>(d, zero), down = v128.lt<real>(d, zero);
    const parabola = v128.div<real>(v128.mul<real>(d, slope), v128.sub<real>(last, slope));
    const edge = v128.mul<real>(shrink, last);
    const far = v128.or(v128.and(up, v128.le<real>(slope, edge)), v128.and(down, v128.ge<real>(slope, edge)));
    const jump = v128.and(v128.bitselect(v128.mul<real>(mu, d), parabola, far), v128.or(up, down));
    const against = v128.or(v128.and(up, v128.ge<real>(slope, zero)), v128.and(down, v128.le<real>(slope, zero)));
    const descent = v128.andnot(v128.mul<real>(eta, slope), against);
    const step = flush(v128.sub<real>(jump, descent), min);
    v128.store(w + i, v128.add<real>(v128.load(w + i), step));
    v128.store(at, flush(slope, min));
    v128.store(at + slot, step);
  }
}
