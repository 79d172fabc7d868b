// What happens to a step's gradients between backpropagation and the optimizer: penalties, clipping, the norm; and what happens to
// weights after it: the largest norm of a unit.
import {
  ADJUST_CLIP_NORM,
  ADJUST_CLIP_VALUE,
  ADJUST_NORM,
  ADJUST_PENALTY,
  JOB_ADJUST,
  JOB_CLIP_FACTOR,
  JOB_CLIP_NORM,
  JOB_CLIP_VALUE,
  JOB_FLAG_ALL,
  JOB_FLAGS,
  JOB_GRADIENT_NORM,
  JOB_NORM_SUM,
  JOB_PENALTY_SUM,
  JOB_STEP_PENALTY,
  NET_GRADIENTS_PTR,
  NET_PARAMS_LENGTH,
  NET_PARAMS_PTR,
  NET_SEGMENT_COUNT,
  NET_SEGMENTS_PTR,
  SEGMENT_L1,
  SEGMENT_L2,
  SEGMENT_MAX_NORM,
  SEGMENT_OFFSET,
  SEGMENT_PITCH,
  SEGMENT_ROWS,
  SEGMENT_SIZE,
  SEGMENT_TRAINABLE,
} from "../core/abi.ts";
import type { Heap } from "./heap.ts";
import { roundUp } from "./lanes.ts";
import { addMagnitudes, takeSum } from "./sums.ts";

/** PyTorch's clip_grad_norm_ adds it to the norm. */
const NORM_EPSILON = 1e-6;

const square = (x: number): number => x * x;

/** Elements of a segment, with the zeros after them: a multiple of 8. */
function lengthOf(heap: Heap, segment: number): number {
  return roundUp(heap.int(segment, SEGMENT_ROWS) * heap.int(segment, SEGMENT_PITCH), 8);
}

/**
 * Elements [begin, end) of the gradients, both multiples of 8 or the region's end: the penalties' share is added, values are
 * clipped, the norm summed up. After the last, JOB_STEP_PENALTY, JOB_GRADIENT_NORM and JOB_CLIP_FACTOR are known.
 */
export function adjust(heap: Heap, net: number, job: number, begin: number, end: number): void {
  const what = heap.int(job, JOB_ADJUST);
  const all = (heap.int(job, JOB_FLAGS) & JOB_FLAG_ALL) !== 0;
  const params = heap.index(heap.ptr(net, NET_PARAMS_PTR));
  const gradients = heap.index(heap.ptr(net, NET_GRADIENTS_PTR));
  for (let i = 0; i < heap.int(net, NET_SEGMENT_COUNT); i++) {
    const segment = heap.ptr(net, NET_SEGMENTS_PTR) + i * SEGMENT_SIZE;
    const first = heap.int(segment, SEGMENT_OFFSET);
    const from = Math.max(first, begin);
    const to = Math.min(first + lengthOf(heap, segment), end);
    if (from >= to) continue;
    const l1 = heap.double(segment, SEGMENT_L1);
    const l2 = heap.double(segment, SEGMENT_L2);
    const penal = (what & ADJUST_PENALTY) !== 0 && (l1 !== 0 || l2 !== 0);
    if (penal) addMagnitudes(heap, job + JOB_PENALTY_SUM, params, from, to, l1, l2);
    if (!all && heap.int(segment, SEGMENT_TRAINABLE) === 0) continue;
    const count = to - from;
    if (penal) addPenalty(heap, params + from, gradients + from, count, l1, 2 * l2);
    if (what & ADJUST_CLIP_VALUE) clipValues(heap, gradients + from, count, heap.double(job, JOB_CLIP_VALUE));
    if (what & (ADJUST_CLIP_NORM | ADJUST_NORM)) addMagnitudes(heap, job + JOB_NORM_SUM, gradients, from, to, 0, 1);
  }
  if (end === heap.int(net, NET_PARAMS_LENGTH)) finishAdjust(heap, job, what);
}

function finishAdjust(heap: Heap, job: number, what: number): void {
  heap.setDouble(job, JOB_STEP_PENALTY, takeSum(heap, job + JOB_PENALTY_SUM));
  const norm = Math.sqrt(takeSum(heap, job + JOB_NORM_SUM));
  heap.setDouble(job, JOB_GRADIENT_NORM, norm);
  const factor = what & ADJUST_CLIP_NORM ? heap.double(job, JOB_CLIP_NORM) / (norm + NORM_EPSILON) : 1;
  heap.setDouble(job, JOB_CLIP_FACTOR, factor < 1 ? factor : 1);
}

/** g ← g + (l1·sgn w + twoL2·w). */
function addPenalty({ real, lanes }: Heap, w: number, g: number, count: number, l1: number, twoL2: number): void {
  const { round } = lanes;
  const a = round(l1);
  const b = round(twoL2);
  for (let i = 0; i < count; i++) {
    const x = real[w + i] as number;
    const sign = x > 0 ? a : x < 0 ? -a : 0;
    real[g + i] = round((real[g + i] as number) + round(sign + round(b * x)));
  }
}

/** Into [−limit, limit]; what is not a number stays so. */
function clipValues({ real, lanes }: Heap, g: number, count: number, limit: number): void {
  const high = lanes.round(limit);
  for (let i = g; i < g + count; i++) real[i] = Math.max(Math.min(real[i] as number, high), -high);
}

/** The clipping by norm, of `count` gradients. */
export function scaleGradients(heap: Heap, job: number, g: number, count: number): void {
  const { real, lanes } = heap;
  const factor = lanes.round(heap.double(job, JOB_CLIP_FACTOR));
  for (let i = g; i < g + count; i++) real[i] = lanes.round(factor * (real[i] as number));
}

/** The penalty of the parameters as they stand, all segments. */
export function penaltyOf(heap: Heap, net: number, job: number): number {
  const sum = job + JOB_PENALTY_SUM;
  const params = heap.index(heap.ptr(net, NET_PARAMS_PTR));
  for (let i = 0; i < heap.int(net, NET_SEGMENT_COUNT); i++) {
    const segment = heap.ptr(net, NET_SEGMENTS_PTR) + i * SEGMENT_SIZE;
    const first = heap.int(segment, SEGMENT_OFFSET);
    const l1 = heap.double(segment, SEGMENT_L1);
    const l2 = heap.double(segment, SEGMENT_L2);
    if (l1 !== 0 || l2 !== 0) addMagnitudes(heap, sum, params, first, first + lengthOf(heap, segment), l1, l2);
  }
  return takeSum(heap, sum);
}

/**
 * After an update of elements [begin, end): units of the segment whose weights are complete with them and whose norm is larger
 * than the largest allowed are scaled to it (Srivastava et al. 2014).
 */
export function limitNorms(heap: Heap, net: number, segment: number, begin: number, end: number): void {
  const limit = heap.double(segment, SEGMENT_MAX_NORM);
  if (limit === 0) return;
  const { real, lanes } = heap;
  const pitch = heap.int(segment, SEGMENT_PITCH);
  const first = heap.int(segment, SEGMENT_OFFSET);
  const params = heap.index(heap.ptr(net, NET_PARAMS_PTR));
  const rows = first + heap.int(segment, SEGMENT_ROWS) * pitch;
  let row = first + Math.floor((Math.max(begin, first) - first) / pitch) * pitch;
  for (; row < rows && row + pitch <= end; row += pitch) {
    const norm = Math.sqrt(rowSquares(heap, params + row, pitch));
    if (!(norm > limit)) continue;
    const factor = lanes.round(limit / norm);
    for (let i = params + row; i < params + row + pitch; i++) real[i] = lanes.round(factor * (real[i] as number));
  }
}

/** Σ w² of a row, over four accumulators of f64: element i into i mod 4. */
function rowSquares({ real }: Heap, w: number, pitch: number): number {
  const sums = [0, 0, 0, 0] as [number, number, number, number];
  for (let i = 0; i < pitch; i++) sums[i & 3] = (sums[i & 3] as number) + square(real[w + i] as number);
  return sums[0] + sums[1] + (sums[2] + sums[3]);
}
