// What a step needs of its optimizer: its numbers in the job record, and what it carries from step to step.
import * as abi from "../core/abi.ts";
import { exp64 } from "../js/vmath.ts";
import type { Model } from "../model.ts";
import { firstScalars, OPTIMIZER_SCALARS, type ResolvedOptimizer } from "../options/optimizer.ts";
import type { Job } from "./job.ts";

/** Those that the core takes the steps of. */
const OPTIMIZER_CODES: Readonly<Partial<Record<ResolvedOptimizer["type"], number>>> = {
  sgd: abi.OPTIMIZER_SGD,
  momentum: abi.OPTIMIZER_MOMENTUM,
  nesterov: abi.OPTIMIZER_NESTEROV,
  adagrad: abi.OPTIMIZER_ADAGRAD,
  adadelta: abi.OPTIMIZER_ADADELTA,
  rmsprop: abi.OPTIMIZER_RMSPROP,
  adam: abi.OPTIMIZER_ADAM,
  amsgrad: abi.OPTIMIZER_AMSGRAD,
  adamw: abi.OPTIMIZER_ADAMW,
  adamax: abi.OPTIMIZER_ADAMAX,
  nadam: abi.OPTIMIZER_NADAM,
  radam: abi.OPTIMIZER_RADAM,
  lion: abi.OPTIMIZER_LION,
  rprop: abi.OPTIMIZER_RPROP,
  rpropPlus: abi.OPTIMIZER_RPROP_PLUS,
  irpropPlus: abi.OPTIMIZER_IRPROP_PLUS,
  quickprop: abi.OPTIMIZER_QUICKPROP,
};

/** Where the core reads an optimizer's numbers. */
const FIELDS: Readonly<Record<string, number>> = {
  learningRate: abi.JOB_LEARNING_RATE,
  momentum: abi.JOB_MOMENTUM,
  dampening: abi.JOB_DAMPENING,
  rho: abi.JOB_RHO,
  beta1: abi.JOB_BETA1,
  beta2: abi.JOB_BETA2,
  epsilon: abi.JOB_EPSILON,
  weightDecay: abi.JOB_WEIGHT_DECAY,
  increase: abi.JOB_INCREASE,
  decrease: abi.JOB_DECREASE,
  minStep: abi.JOB_MIN_STEP,
  maxStep: abi.JOB_MAX_STEP,
  maxFactor: abi.JOB_INCREASE,
};
const SWITCHES: Readonly<Record<string, number>> = { centered: abi.JOB_CENTERED, decayBias: abi.JOB_DECAY_BIAS };

const LOG_0_96 = -0.040821994520255166;

/** Makes `optimizer` the one in use; state goes on while `type` stays the same. The room for it has been planned. */
export function useOptimizer(model: Model, optimizer: ResolvedOptimizer): void {
  if (model.optimizer?.type !== optimizer.type) {
    model.memory.reals(model.memory.plan.state).fill(0);
    model.scalars = firstScalars(optimizer.type);
    model.began = { step: model.progress.step, epoch: model.progress.epoch };
  }
  model.optimizer = optimizer;
}

/** `scalars`: what the optimizer carries. */
export function setOptimizer(job: Job, optimizer: ResolvedOptimizer, scalars: readonly number[]): void {
  job.setInt(abi.JOB_OPTIMIZER, OPTIMIZER_CODES[optimizer.type] ?? abi.OPTIMIZER_SGD);
  for (const [i, scalar] of scalars.entries()) job.setDouble(abi.JOB_SCALARS + 8 * i, scalar);
  for (const [key, value] of Object.entries(optimizer)) {
    if (typeof value === "number" && FIELDS[key] !== undefined) job.setDouble(FIELDS[key], value);
    else if (typeof value === "boolean") job.setInt(SWITCHES[key] as number, value ? 1 : 0);
  }
  // 0.96^ψ with the core's own exponential: the power function may differ between engines.
  if (optimizer.type === "nadam") {
    job.setDouble(abi.JOB_DECAY_FACTOR, exp64(optimizer.momentumDecay * LOG_0_96));
  }
}

/** What `optimizer` carries on after the job's steps. */
export function scalarsOf(job: Job, optimizer: ResolvedOptimizer): readonly number[] {
  return OPTIMIZER_SCALARS[optimizer.type].map((_, i) => job.double(abi.JOB_SCALARS + 8 * i));
}
