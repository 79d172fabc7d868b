// A snapshot at the start of a chunk, and the search for the first value that is not finite.
import * as abi from "../core/abi.ts";
import { DivergenceError } from "../errors.ts";
import type { Model } from "../model.ts";
import type { Segment } from "../plan.ts";
import type { Job } from "./job.ts";

/** Parameters, optimizer state and job record of a whole step. */
export interface Snapshot {
  readonly params: Uint8Array;
  readonly state: Uint8Array;
  readonly job: Uint8Array;
}

/** Copies what a chunk may change; `reuse` is overwritten. */
export function snapshot(model: Model, reuse?: Snapshot): Snapshot {
  const { memory } = model;
  const { params, state, trainJob } = memory.plan;
  if (reuse === undefined) {
    return {
      params: memory.bytes(params).slice(),
      state: memory.bytes(state).slice(),
      job: memory.bytes(trainJob).slice(),
    };
  }
  reuse.params.set(memory.bytes(params));
  reuse.state.set(memory.bytes(state));
  reuse.job.set(memory.bytes(trainJob));
  return reuse;
}

export function restore(model: Model, job: Job, from: Snapshot): void {
  const { memory } = model;
  const { params, state } = memory.plan;
  memory.bytes(params).set(from.params);
  memory.bytes(state).set(from.state);
  const block = job.int(abi.JOB_BLOCK);
  memory.bytes(job.region).set(from.job);
  job.setInt(abi.JOB_BLOCK, block);
  job.setInt(abi.JOB_EPOCHS_LEFT, 2 ** 31 - 1);
  job.setInt(abi.JOB_REPORTS_COUNT, 0);
  // The order in memory may be a later epoch's; it is made again.
  job.setInt(abi.JOB_ORDERED, 0);
}

/** The error for the first parameter or state that is not finite, else for the loss where `loss` says so. */
export function findDivergence(model: Model, loss = false, epoch = 0, step = 0): DivergenceError | undefined {
  const { memory, core } = model;
  const { params, state, paramsLength, size, demand } = memory.plan;
  const parameter = core.exports.scan(params.offset, paramsLength);
  if (parameter >= 0) {
    const { layer, part } = segmentAt(memory.plan.segments, parameter);
    return new DivergenceError({ epoch, step, layer, quantity: part === "W" ? "weights" : "bias" });
  }
  for (let slot = 0; slot < Math.min(demand.slots, model.stateSlots); slot++) {
    const at = core.exports.scan(state.offset + slot * paramsLength * size, paramsLength);
    if (at < 0) continue;
    const { layer } = segmentAt(memory.plan.segments, at);
    return new DivergenceError({ epoch, step, layer, quantity: "optimizer state" });
  }
  return loss ? new DivergenceError({ epoch, step, layer: undefined, quantity: "loss" }) : undefined;
}

function segmentAt(segments: readonly Segment[], element: number): Segment {
  let found = segments[0] as Segment;
  for (const segment of segments) if (segment.offset <= element) found = segment;
  return found;
}
