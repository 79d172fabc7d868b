import * as abi from "../core/abi.ts";
import { clearUpperHalves } from "../core/vector-state.ts";
import type { NetworkMemory } from "../memory.ts";
import type { ResolvedClipping } from "../options/clipping.ts";
import type { Region } from "../plan.ts";

const NO_CLIPPING: ResolvedClipping = { clipValue: undefined, clipNorm: undefined };

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

  run(blocks: number): number {
    const { core, plan } = this.memory;
    clearUpperHalves();
    return core.exports.run(plan.net.offset, this.region.offset, blocks);
  }
}
