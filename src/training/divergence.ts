// A snapshot at the start of a chunk, and the search for the first value that is not finite. Large networks are copied and
// searched in slices: each generator yields wherever the host may look at its event loop.
import * as abi from "../core/abi.ts";
import { DivergenceError } from "../errors.ts";
import type { NetworkMemory } from "../memory.ts";
import type { Model } from "../model.ts";
import { stateSlots } from "../options/optimizer.ts";
import type { Region, Segment } from "../plan.ts";
import type { Job } from "./job.ts";

type Sliced<T> = Generator<undefined, T, void>;

/** Bytes between two looks at the event loop: 10 ms where the host has to give fresh memory for them. */
const SLICE = 2 ** 24;

/** Parameters, optimizer state and job record of a whole step. */
export interface Snapshot {
  readonly params: Uint8Array;
  readonly state: Uint8Array;
  readonly job: Uint8Array;
}

/** Copies what a chunk may change; `reuse` is overwritten where it has the size. */
export function* snapshot(model: Model, reuse?: Snapshot): Sliced<Snapshot> {
  const { params, state, trainJob } = model.memory.plan;
  return {
    job: yield* copyOf(model, trainJob, reuse?.job),
    params: yield* copyOf(model, params, reuse?.params),
    state: yield* copyOf(model, state, reuse?.state),
  };
}

/** Bytes of a snapshot that a network keeps between two fits: memory that the host would otherwise have to give and clear for each. */
const MOST_KEPT = 2 ** 23;

/** What the next fit's snapshot overwrites. */
export function spareOf(snapshot: Snapshot | undefined): Snapshot | undefined {
  const bytes = snapshot === undefined ? 0 : snapshot.params.length + snapshot.state.length;
  return bytes <= MOST_KEPT ? snapshot : undefined;
}

/** A region's bytes; `reuse` is overwritten where it has the size. */
export function* copyOf(model: Model, region: Region, reuse?: Uint8Array): Sliced<Uint8Array> {
  const to = reuse?.length === region.bytes ? reuse : new Uint8Array(region.bytes);
  yield* slices(region, (part, at) => to.set(model.memory.bytes(part), at));
  return to;
}

export function* putBack(model: Model, region: Region, saved: Uint8Array): Sliced<void> {
  yield* slices(region, (part, at) => model.memory.bytes(part).set(saved.subarray(at, at + part.bytes)));
}

export function* restore(model: Model, job: Job, from: Snapshot): Sliced<void> {
  const { memory } = model;
  yield* putBack(model, memory.plan.params, from.params);
  yield* putBack(model, memory.plan.state, from.state);
  memory.bytes(job.region).set(from.job);
  job.setInt(abi.JOB_EPOCHS_LEFT, 2 ** 31 - 1);
  job.setInt(abi.JOB_REPORTS_COUNT, 0);
  // The order in memory may be a later epoch's; it is made again.
  job.setInt(abi.JOB_ORDERED, 0);
}

/** Yields between slices, so not at all for a small region. */
function* slices(region: Region, work: (part: Region, at: number) => void): Sliced<void> {
  for (let at = 0; at < region.bytes; at += SLICE) {
    if (at > 0) yield;
    work({ offset: region.offset + at, bytes: Math.min(SLICE, region.bytes - at) }, at);
  }
}

/** The error for the first parameter or state that is not finite, else for the loss where `loss` says so. */
export function* findDivergence(model: Model, loss = false, epoch = 0, step = 0): Sliced<DivergenceError | undefined> {
  const { memory } = model;
  const { params, state, paramsLength, size, demand, segments } = memory.plan;
  const parameter = yield* firstNonFinite(memory, params.offset, paramsLength);
  if (parameter >= 0) {
    const { layer, part } = segmentAt(segments, parameter);
    return new DivergenceError({ epoch, step, layer, quantity: part === "W" ? "weights" : "bias" });
  }
  for (let slot = 0; slot < Math.min(demand.slots, stateSlots(model.optimizer)); slot++) {
    const at = yield* firstNonFinite(memory, state.offset + slot * paramsLength * size, paramsLength);
    if (at < 0) continue;
    const { layer } = segmentAt(segments, at);
    return new DivergenceError({ epoch, step, layer, quantity: "optimizer state" });
  }
  return loss ? new DivergenceError({ epoch, step, layer: undefined, quantity: "loss" }) : undefined;
}

/** Index of the first of `count` elements that is not finite, or −1. */
function* firstNonFinite(memory: NetworkMemory, offset: number, count: number): Sliced<number> {
  const { size } = memory.plan;
  const length = SLICE / size;
  for (let first = 0; first < count; first += length) {
    if (first > 0) yield;
    const at = memory.core.exports.scan(offset + first * size, Math.min(length, count - first));
    if (at >= 0) return first + at;
  }
  return -1;
}

function segmentAt(segments: readonly Segment[], element: number): Segment {
  let found = segments[0] as Segment;
  for (const segment of segments) if (segment.offset <= element) found = segment;
  return found;
}
