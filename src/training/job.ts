import * as abi from "../core/abi.ts";
import type { NetworkMemory } from "../memory.ts";
import type { ResolvedOptimizer } from "../options/optimizer.ts";
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

  setOptimizer(optimizer: ResolvedOptimizer, powers: { beta1: number; beta2: number }): void {
    this.setInt(abi.JOB_OPTIMIZER, OPTIMIZER_CODES[optimizer.type]);
    this.setDouble(abi.JOB_LEARNING_RATE, optimizer.learningRate);
    this.setDouble(abi.JOB_BETA1_POWER, powers.beta1);
    this.setDouble(abi.JOB_BETA2_POWER, powers.beta2);
    if ("momentum" in optimizer) this.setDouble(abi.JOB_MOMENTUM, optimizer.momentum);
    if (optimizer.type !== "adam") return;
    this.setDouble(abi.JOB_BETA1, optimizer.beta1);
    this.setDouble(abi.JOB_BETA2, optimizer.beta2);
    this.setDouble(abi.JOB_EPSILON, optimizer.epsilon);
  }

  run(blocks: number): number {
    const { core, plan } = this.memory;
    return core.exports.run(plan.net.offset, this.region.offset, blocks);
  }
}
