// Updates with a rate of their own for each parameter. Formulas and order of operations as in optimizer.ts.
import {
  JOB_BETA1,
  JOB_BETA1_POWER,
  JOB_BETA2,
  JOB_BETA2_POWER,
  JOB_CENTERED,
  JOB_DECAY_FACTOR,
  JOB_DECAY_POWER,
  JOB_EPSILON,
  JOB_LEARNING_RATE,
  JOB_MOMENTUM,
  JOB_MOMENTUM_STEPS,
  JOB_OPTIMIZER,
  JOB_RADAM_STEPS,
  JOB_RHO,
  OPTIMIZER_ADAM,
  OPTIMIZER_ADAMAX,
  OPTIMIZER_ADAMW,
  OPTIMIZER_AMSGRAD,
  OPTIMIZER_IRPROP_PLUS,
  OPTIMIZER_MOMENTUM,
  OPTIMIZER_NADAM,
  OPTIMIZER_RADAM,
} from "../core/abi.ts";
import type { Heap } from "./heap.ts";
import type { Lanes } from "./lanes.ts";
import type { Run } from "./optimizer.ts";
import { compareLoss } from "./resilient.ts";

/** What the optimizer carries goes on to step t. Powers are running products: the power function may differ between engines. */
export function advance(heap: Heap, job: number): void {
  const scale = (field: number, factor: number) => heap.setDouble(job, field, heap.double(job, field) * factor);
  const count = (field: number) => heap.setDouble(job, field, heap.double(job, field) + 1);
  switch (heap.int(job, JOB_OPTIMIZER)) {
    case OPTIMIZER_MOMENTUM:
      count(JOB_MOMENTUM_STEPS);
      break;
    case OPTIMIZER_ADAM:
    case OPTIMIZER_ADAMW:
    case OPTIMIZER_AMSGRAD:
    case OPTIMIZER_RADAM:
      if (heap.int(job, JOB_OPTIMIZER) === OPTIMIZER_RADAM) count(JOB_RADAM_STEPS);
      scale(JOB_BETA1_POWER, heap.double(job, JOB_BETA1));
      scale(JOB_BETA2_POWER, heap.double(job, JOB_BETA2));
      break;
    case OPTIMIZER_IRPROP_PLUS:
      compareLoss(heap, job);
      break;
    case OPTIMIZER_ADAMAX:
      scale(JOB_BETA1_POWER, heap.double(job, JOB_BETA1));
      break;
    case OPTIMIZER_NADAM:
      scale(JOB_DECAY_POWER, heap.double(job, JOB_DECAY_FACTOR));
      scale(JOB_BETA1_POWER, nadamMomentum(heap, job, heap.double(job, JOB_DECAY_POWER)));
      scale(JOB_BETA2_POWER, heap.double(job, JOB_BETA2));
      break;
  }
}

/** keep·old + take·x, what is below normal +0. */
function mean({ round, flush }: Lanes, keep: number, old: number, take: number, x: number): number {
  return flush(round(round(keep * old) + round(take * x)));
}

/** The hyperparameters of Adam and its kin, rounded. */
function moments(heap: Heap, job: number) {
  const { round } = heap.lanes;
  const beta1 = heap.double(job, JOB_BETA1);
  const beta2 = heap.double(job, JOB_BETA2);
  return {
    eta: heap.double(job, JOB_LEARNING_RATE),
    keep1: round(beta1),
    take1: round(1 - beta1),
    keep2: round(beta2),
    take2: round(1 - beta2),
    epsilon: round(heap.double(job, JOB_EPSILON)),
  };
}

/**
 * Adam (Kingma & Ba 2015): m ← β₁·m + (1 − β₁)·g; v ← β₂·v + (1 − β₂)·g²;
 * w ← w − (η / (1 − β₁ᵗ))·m / (√v·(1 / √(1 − β₂ᵗ)) + ε). The powers have been advanced to t.
 * `amsgrad` (Reddi, Kale & Kumar 2018): the largest v so far in its place.
 *
 * state: m, v, and with amsgrad the largest v.
 */
export function adam(heap: Heap, job: number, { w, g, state, slot, count }: Run, amsgrad: boolean): void {
  const { real, lanes } = heap;
  const { round } = lanes;
  const { eta, keep1, take1, keep2, take2, epsilon } = moments(heap, job);
  const rate = round(eta / (1 - heap.double(job, JOB_BETA1_POWER)));
  const root = round(1 / Math.sqrt(1 - heap.double(job, JOB_BETA2_POWER)));
  for (let i = 0; i < count; i++) {
    const gradient = real[g + i] as number;
    const at = state + i;
    const m = mean(lanes, keep1, real[at] as number, take1, gradient);
    let v = mean(lanes, keep2, real[at + slot] as number, take2, round(gradient * gradient));
    real[at] = m;
    real[at + slot] = v;
    if (amsgrad) {
      const largest = real[at + 2 * slot] as number;
      if (!(largest < v)) v = largest;
      real[at + 2 * slot] = v;
    }
    const divisor = round(round(round(Math.sqrt(v)) * root) + epsilon);
    real[w + i] = round((real[w + i] as number) - round(rate * round(m / divisor)));
  }
}

/** Adagrad (Duchi, Hazan & Singer 2011): s ← s + g²; w ← w − η·g / (√s + ε). */
export function adagrad(heap: Heap, job: number, { w, g, state, count }: Run): void {
  const { real, lanes } = heap;
  const { round, flush } = lanes;
  const eta = round(heap.double(job, JOB_LEARNING_RATE));
  const epsilon = round(heap.double(job, JOB_EPSILON));
  for (let i = 0; i < count; i++) {
    const gradient = real[g + i] as number;
    const s = flush(round((real[state + i] as number) + round(gradient * gradient)));
    real[state + i] = s;
    const ratio = round(gradient / round(round(Math.sqrt(s)) + epsilon));
    real[w + i] = round((real[w + i] as number) - round(eta * ratio));
  }
}

/**
 * Adadelta (Zeiler 2012): s ← ρ·s + (1 − ρ)·g²; d = √(u + ε) / √(s + ε)·g; u ← ρ·u + (1 − ρ)·d²; w ← w − η·d.
 *
 * state: s, u.
 */
export function adadelta(heap: Heap, job: number, { w, g, state, slot, count }: Run): void {
  const { real, lanes } = heap;
  const { round } = lanes;
  const rho = heap.double(job, JOB_RHO);
  const [keep, take] = [round(rho), round(1 - rho)];
  const eta = round(heap.double(job, JOB_LEARNING_RATE));
  const epsilon = round(heap.double(job, JOB_EPSILON));
  for (let i = 0; i < count; i++) {
    const gradient = real[g + i] as number;
    const at = state + i;
    const s = mean(lanes, keep, real[at] as number, take, round(gradient * gradient));
    const u = real[at + slot] as number;
    const ratio = round(round(Math.sqrt(round(u + epsilon))) / round(Math.sqrt(round(s + epsilon))));
    const d = round(ratio * gradient);
    real[at] = s;
    real[at + slot] = mean(lanes, keep, u, take, round(d * d));
    real[w + i] = round((real[w + i] as number) - round(eta * d));
  }
}

/**
 * RMSprop (Tieleman & Hinton 2012): s ← ρ·s + (1 − ρ)·g²; d = g / (√s + ε); w ← w − η·d.
 * Centered (Graves 2013): a ← ρ·a + (1 − ρ)·g, s − a² (at least 0, which rounding may miss) under the root.
 * With momentum: b ← μ·b + d; w ← w − η·b.
 *
 * state: s, a, b.
 */
export function rmsprop(heap: Heap, job: number, { w, g, state, slot, count }: Run): void {
  const { real, lanes } = heap;
  const { round, flush } = lanes;
  const rho = heap.double(job, JOB_RHO);
  const [keep, take] = [round(rho), round(1 - rho)];
  const eta = round(heap.double(job, JOB_LEARNING_RATE));
  const mu = round(heap.double(job, JOB_MOMENTUM));
  const epsilon = round(heap.double(job, JOB_EPSILON));
  const centered = heap.int(job, JOB_CENTERED) !== 0;
  const heavy = heap.double(job, JOB_MOMENTUM) > 0;
  for (let i = 0; i < count; i++) {
    const gradient = real[g + i] as number;
    const at = state + i;
    const s = mean(lanes, keep, real[at] as number, take, round(gradient * gradient));
    real[at] = s;
    let square = s;
    if (centered) {
      const a = mean(lanes, keep, real[at + slot] as number, take, gradient);
      real[at + slot] = a;
      square = round(s - round(a * a));
      if (square < 0) square = 0;
    }
    let d = round(gradient / round(round(Math.sqrt(square)) + epsilon));
    if (heavy) {
      d = flush(round(round(mu * (real[at + 2 * slot] as number)) + d));
      real[at + 2 * slot] = d;
    }
    real[w + i] = round((real[w + i] as number) - round(eta * d));
  }
}

/**
 * Adamax (Kingma & Ba 2015, section 7.1): m as Adam; u ← max(β₂·u, |g| + ε); w ← w − (η / (1 − β₁ᵗ))·m / u.
 *
 * state: m, u.
 */
export function adamax(heap: Heap, job: number, { w, g, state, slot, count }: Run): void {
  const { real, lanes } = heap;
  const { round, flush } = lanes;
  const { eta, keep1, take1, keep2, epsilon } = moments(heap, job);
  const rate = round(eta / (1 - heap.double(job, JOB_BETA1_POWER)));
  for (let i = 0; i < count; i++) {
    const gradient = real[g + i] as number;
    const at = state + i;
    const m = mean(lanes, keep1, real[at] as number, take1, gradient);
    const size = round(Math.abs(gradient) + epsilon);
    const faded = round(keep2 * (real[at + slot] as number));
    const u = flush(faded < size ? size : faded);
    real[at] = m;
    real[at + slot] = u;
    real[w + i] = round((real[w + i] as number) - round(rate * round(m / u)));
  }
}

/** μ of nadam where 0.96^(t·ψ) = `power`: β₁·(1 − ½·power). */
function nadamMomentum(heap: Heap, job: number, power: number): number {
  return heap.double(job, JOB_BETA1) * (1 - 0.5 * power);
}

/**
 * NAdam (Dozat 2016): m and v as Adam, μₜ = β₁·(1 − ½·0.96^(t·ψ)), Π = μ₁·…·μₜ;
 * w ← w − (η·(1 − μₜ)/(1 − Π)·g + η·μₜ₊₁/(1 − Π·μₜ₊₁)·m) / (√v·(1 / √(1 − β₂ᵗ)) + ε).
 */
export function nadam(heap: Heap, job: number, { w, g, state, slot, count }: Run): void {
  const { real, lanes } = heap;
  const { round } = lanes;
  const { eta, keep1, take1, keep2, take2, epsilon } = moments(heap, job);
  const power = heap.double(job, JOB_DECAY_POWER);
  const product = heap.double(job, JOB_BETA1_POWER);
  const next = nadamMomentum(heap, job, power * heap.double(job, JOB_DECAY_FACTOR));
  const ofGradient = round((eta * (1 - nadamMomentum(heap, job, power))) / (1 - product));
  const ofMoment = round((eta * next) / (1 - product * next));
  const root = round(1 / Math.sqrt(1 - heap.double(job, JOB_BETA2_POWER)));
  for (let i = 0; i < count; i++) {
    const gradient = real[g + i] as number;
    const at = state + i;
    const m = mean(lanes, keep1, real[at] as number, take1, gradient);
    const v = mean(lanes, keep2, real[at + slot] as number, take2, round(gradient * gradient));
    real[at] = m;
    real[at + slot] = v;
    const divisor = round(round(round(Math.sqrt(v)) * root) + epsilon);
    const step = round(round(ofGradient * gradient) + round(ofMoment * m));
    real[w + i] = round((real[w + i] as number) - round(step / divisor));
  }
}

/**
 * RAdam (Liu et al. 2020): m and v as Adam, ρ = ρ∞ − 2t·β₂ᵗ/(1 − β₂ᵗ), ρ∞ = 2/(1 − β₂) − 1. Where ρ > 5
 * w ← w − (η/(1 − β₁ᵗ))·√(1 − β₂ᵗ)·√((ρ−4)(ρ−2)ρ∞ / ((ρ∞−4)(ρ∞−2)ρ))·m / (√v + ε), else w ← w − (η/(1 − β₁ᵗ))·m.
 */
export function radam(heap: Heap, job: number, { w, g, state, slot, count }: Run): void {
  const { real, lanes } = heap;
  const { round } = lanes;
  const { eta, keep1, take1, keep2, take2, epsilon } = moments(heap, job);
  const power = heap.double(job, JOB_BETA2_POWER);
  const limit = 2 / (1 - heap.double(job, JOB_BETA2)) - 1;
  const length = limit - (2 * heap.double(job, JOB_RADAM_STEPS) * power) / (1 - power);
  const adapts = length > 5;
  let rate = eta / (1 - heap.double(job, JOB_BETA1_POWER));
  if (adapts) {
    const over = (length - 4) * (length - 2) * limit;
    const under = (limit - 4) * (limit - 2) * length;
    rate *= Math.sqrt(1 - power) * Math.sqrt(over / under);
  }
  rate = round(rate);
  for (let i = 0; i < count; i++) {
    const gradient = real[g + i] as number;
    const at = state + i;
    const m = mean(lanes, keep1, real[at] as number, take1, gradient);
    const v = mean(lanes, keep2, real[at + slot] as number, take2, round(gradient * gradient));
    real[at] = m;
    real[at + slot] = v;
    const ratio = adapts ? round(m / round(round(Math.sqrt(v)) + epsilon)) : m;
    real[w + i] = round((real[w + i] as number) - round(rate * ratio));
  }
}

/** Lion (Chen et al. 2023): w ← w − η·sign(β₁·m + (1 − β₁)·g); m ← β₂·m + (1 − β₂)·g. */
export function lion(heap: Heap, job: number, { w, g, state, count }: Run): void {
  const { real, lanes } = heap;
  const { round } = lanes;
  const { eta: rate, keep1, take1, keep2, take2 } = moments(heap, job);
  const eta = round(rate);
  for (let i = 0; i < count; i++) {
    const gradient = real[g + i] as number;
    const m = real[state + i] as number;
    const c = round(round(keep1 * m) + round(take1 * gradient));
    const step = (c > 0 ? eta : 0) - (c < 0 ? eta : 0);
    real[w + i] = round((real[w + i] as number) - step);
    real[state + i] = mean(lanes, keep2, m, take2, gradient);
  }
}
