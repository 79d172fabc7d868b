import * as abi from "../core/abi.ts";
import { clearUpperHalves } from "../core/vector-state.ts";
import { exp64 } from "../js/vmath.ts";
import type { NetworkMemory } from "../memory.ts";
import type { ResolvedClipping } from "../options/clipping.ts";
import { OPTIMIZER_SCALARS, type ResolvedOptimizer } from "../options/optimizer.ts";
import type { Region } from "../plan.ts";

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

const NO_CLIPPING: ResolvedClipping = { clipValue: undefined, clipNorm: undefined };

const LOG_0_96 = -0.040821994520255166;

/** Why `run` came back. */
export const RUN = {
  more: abi.RUN_MORE,
  done: abi.RUN_DONE,
  reportsFull: abi.RUN_REPORTS_FULL,
  needsData: abi.RUN_NEEDS_DATA,
  diverged: abi.RUN_DIVERGED,
} as const;

/** A job record in the core's memory: one piece of work, resumable between blocks. */
export class Job {
  readonly memory: NetworkMemory;
  readonly region: Region;

  constructor(memory: NetworkMemory, region: Region) {
    this.memory = memory;
    this.region = region;
  }

  /** Starts from a record of zeros. */
  clear(): void {
    this.memory.bytes(this.region).fill(0);
  }

  int(field: number): number {
    return this.memory.record(this.region).getInt32(field, true);
  }

  setInt(field: number, value: number): void {
    this.memory.record(this.region).setInt32(field, value, true);
  }

  double(field: number): number {
    return this.memory.record(this.region).getFloat64(field, true);
  }

  setDouble(field: number, value: number): void {
    this.memory.record(this.region).setFloat64(field, value, true);
  }

  /** What becomes of the step's gradients before the update. */
  setAdjustment(penalty: boolean, clipping: ResolvedClipping = NO_CLIPPING, norm = false): void {
    const { clipValue, clipNorm } = clipping;
    this.setInt(
      abi.JOB_ADJUST,
      (penalty ? abi.ADJUST_PENALTY : 0) |
        (clipValue === undefined ? 0 : abi.ADJUST_CLIP_VALUE) |
        (clipNorm === undefined ? 0 : abi.ADJUST_CLIP_NORM) |
        (norm ? abi.ADJUST_NORM : 0),
    );
    this.setDouble(abi.JOB_CLIP_VALUE, clipValue ?? 0);
    this.setDouble(abi.JOB_CLIP_NORM, clipNorm ?? 0);
  }

  /** `scalars`: what the optimizer carries. */
  setOptimizer(optimizer: ResolvedOptimizer, scalars: readonly number[]): void {
    this.setInt(abi.JOB_OPTIMIZER, OPTIMIZER_CODES[optimizer.type] ?? abi.OPTIMIZER_SGD);
    for (const [i, scalar] of scalars.entries()) this.setDouble(abi.JOB_SCALARS + 8 * i, scalar);
    for (const [key, value] of Object.entries(optimizer)) {
      if (typeof value === "number" && FIELDS[key] !== undefined) this.setDouble(FIELDS[key], value);
      else if (typeof value === "boolean") this.setInt(SWITCHES[key] as number, value ? 1 : 0);
    }
    // 0.96^ψ with the core's own exponential: the power function may differ between engines.
    if (optimizer.type === "nadam") {
      this.setDouble(abi.JOB_DECAY_FACTOR, exp64(optimizer.momentumDecay * LOG_0_96));
    }
  }

  /** What `optimizer` carries on. */
  scalars(optimizer: ResolvedOptimizer): readonly number[] {
    return OPTIMIZER_SCALARS[optimizer.type].map((_, i) => this.double(abi.JOB_SCALARS + 8 * i));
  }

  run(blocks: number): number {
    const { core, plan } = this.memory;
    clearUpperHalves();
    return core.exports.run(plan.net.offset, this.region.offset, blocks);
  }
}
