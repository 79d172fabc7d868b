// Dropout and Gaussian noise: what is drawn for a unit depends on seed, node, step, the sample's position in its batch and the unit
// alone. Counters of Philox (random.ts): (unit or group of four units, position, step, purpose + 256·node).
import {
  JOB_IN_STEP,
  JOB_STEP,
  NET_SEED_HIGH,
  NET_SEED_LOW,
  NODE_A_PTR,
  NODE_DELTA_PTR,
  NODE_EXTRA_PTR,
  NODE_RATE,
  NODE_UNITS,
  PURPOSE_DROPOUT,
  PURPOSE_NOISE,
} from "../core/abi.ts";
import type { Heap } from "./heap.ts";
import { PANEL, roundUp } from "./lanes.ts";
import { normalAt, philox } from "./random.ts";

/** Elements of `units` units: of n samples in panels, or one padded vector. */
function elements(heap: Heap, units: number, n: number, vector: boolean): number {
  return vector ? roundUp(units, heap.lanes.tileCols) : roundUp(n, PANEL) * units;
}

/** Index of unit u of sample s. */
function place(u: number, s: number, units: number, vector: boolean): number {
  return vector ? u : ((s >> 3) * units + u) * PANEL + (s & 7);
}

/**
 * Inverted dropout (Srivastava et al. 2014): a = a⁻·m, m = rnd(1 / (1 − rate)) with probability 1 − rate, else 0; without a job
 * a = a⁻. The factors m stay in the node's extra region for the way back.
 */
export function dropoutForward(
  heap: Heap,
  net: number,
  job: number,
  node: number,
  l: number,
  aFrom: number,
  n: number,
  vector: boolean,
): void {
  const { real, lanes } = heap;
  const units = heap.int(node, NODE_UNITS);
  const [a, from, m] = [heap.ptr(node, NODE_A_PTR), aFrom, heap.ptr(node, NODE_EXTRA_PTR)].map((p) =>
    heap.index(p),
  ) as [number, number, number];
  const count = elements(heap, units, n, vector);
  if (job === 0) {
    real.copyWithin(a, from, from + count);
    return;
  }
  makeFactors(heap, net, job, node, l, m, n, vector);
  for (let i = 0; i < count; i++) real[a + i] = lanes.round((real[from + i] as number) * (real[m + i] as number));
}

function makeFactors(
  heap: Heap,
  net: number,
  job: number,
  node: number,
  l: number,
  to: number,
  n: number,
  vector: boolean,
): void {
  const { real, lanes } = heap;
  const units = heap.int(node, NODE_UNITS);
  const rate = heap.double(node, NODE_RATE);
  const threshold = Math.floor(rate * 4294967296);
  const keep = lanes.round(1 / (1 - rate));
  const [low, high] = [heap.int(net, NET_SEED_LOW), heap.int(net, NET_SEED_HIGH)];
  const step = heap.double(job, JOB_STEP) | 0;
  const first = heap.int(job, JOB_IN_STEP);
  if (vector) real.fill(0, to, to + roundUp(units, lanes.tileCols));
  for (let s = 0; s < (vector ? 1 : roundUp(n, PANEL)); s++) {
    for (let u = 0; u < units; u += 4) {
      const words = philox(low, high, u >>> 2, first + s, step, PURPOSE_DROPOUT + 256 * l);
      for (let k = 0; k < Math.min(4, units - u); k++) {
        real[to + place(u + k, s, units, vector)] = (words[k] as number) >= threshold ? keep : 0;
      }
    }
  }
}

/** δ⁻ = δ·m, or δ without dropout. */
export function dropoutBackward(
  heap: Heap,
  node: number,
  dst: number,
  trains: boolean,
  n: number,
  vector: boolean,
): void {
  const { real, lanes } = heap;
  const count = elements(heap, heap.int(node, NODE_UNITS), n, vector);
  const delta = heap.index(heap.ptr(node, NODE_DELTA_PTR));
  const to = heap.index(dst);
  if (!trains) {
    real.copyWithin(to, delta, delta + count);
    return;
  }
  const m = heap.index(heap.ptr(node, NODE_EXTRA_PTR));
  for (let i = 0; i < count; i++) {
    real[to + i] = lanes.flush(lanes.round((real[delta + i] as number) * (real[m + i] as number)));
  }
}

/** a = a⁻ + rnd(deviation·ε), ε standard normal; without a job a = a⁻. */
export function noiseForward(
  heap: Heap,
  net: number,
  job: number,
  node: number,
  l: number,
  aFrom: number,
  n: number,
  vector: boolean,
): void {
  const { real, lanes } = heap;
  const units = heap.int(node, NODE_UNITS);
  const a = heap.index(heap.ptr(node, NODE_A_PTR));
  const from = heap.index(aFrom);
  real.copyWithin(a, from, from + elements(heap, units, n, vector));
  if (job === 0) return;
  const deviation = heap.double(node, NODE_RATE);
  const [low, high] = [heap.int(net, NET_SEED_LOW), heap.int(net, NET_SEED_HIGH)];
  const step = heap.double(job, JOB_STEP) | 0;
  const first = heap.int(job, JOB_IN_STEP);
  for (let s = 0; s < n; s++) {
    for (let u = 0; u < units; u++) {
      const at = a + place(u, s, units, vector);
      const noise = lanes.round(deviation * normalAt(low, high, u, first + s, step, PURPOSE_NOISE + 256 * l));
      real[at] = lanes.round((real[at] as number) + noise);
    }
  }
}
