import * as abi from "../core/abi.ts";
import type { NetworkMemory } from "../memory.ts";
import { OPTIMIZER_SCALARS, type ResolvedOptimizer } from "../options/optimizer.ts";
import type { Region } from "../plan.ts";

const OPTIMIZER_CODES: Readonly<Record<ResolvedOptimizer["type"], number>> = {
  sgd: abi.OPTIMIZER_SGD,
  momentum: abi.OPTIMIZER_MOMENTUM,
  nesterov: abi.OPTIMIZER_NESTEROV,
  adam: abi.OPTIMIZER_ADAM,
};

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

  /** `scalars`: what the optimizer carries. */
  setOptimizer(optimizer: ResolvedOptimizer, scalars: readonly number[]): void {
    this.setInt(abi.JOB_OPTIMIZER, OPTIMIZER_CODES[optimizer.type]);
    this.setDouble(abi.JOB_LEARNING_RATE, optimizer.learningRate);
    for (const [i, scalar] of scalars.entries()) this.setDouble(abi.JOB_SCALARS + 8 * i, scalar);
    if ("momentum" in optimizer) this.setDouble(abi.JOB_MOMENTUM, optimizer.momentum);
    if (optimizer.type !== "adam") return;
    this.setDouble(abi.JOB_BETA1, optimizer.beta1);
    this.setDouble(abi.JOB_BETA2, optimizer.beta2);
    this.setDouble(abi.JOB_EPSILON, optimizer.epsilon);
  }

  /** What `optimizer` carries on. */
  scalars(optimizer: ResolvedOptimizer): readonly number[] {
    return OPTIMIZER_SCALARS[optimizer.type].map((_, i) => this.double(abi.JOB_SCALARS + 8 * i));
  }

  run(blocks: number): number {
    const { core, plan } = this.memory;
    return core.exports.run(plan.net.offset, this.region.offset, blocks);
  }
}
