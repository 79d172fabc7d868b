// Batch and layer normalisation with their adjoints. x̂ = (a⁻ − mean)·inverse, z = γ·x̂ + β, a = f(z). Statistics are formed in f64;
// x̂ and the inverse deviations stay in the node's regions for the way back.
import {
  JOB_MODE,
  MODE_TRAIN,
  NODE_A_PTR,
  NODE_ACTIVATION,
  NODE_ALPHA,
  NODE_B_PTR,
  NODE_DB_PTR,
  NODE_DELTA_PTR,
  NODE_DW_PTR,
  NODE_EPSILON,
  NODE_EXTRA_PTR,
  NODE_FLAG_TRAIN_B,
  NODE_FLAG_TRAIN_W,
  NODE_FLAGS,
  NODE_INVERSE_PTR,
  NODE_KIND,
  NODE_KIND_BATCH_NORM,
  NODE_MEAN_PTR,
  NODE_RATE,
  NODE_UNITS,
  NODE_VARIANCE_PTR,
  NODE_W_PTR,
  NODE_Z_PTR,
} from "../core/abi.ts";
import { activate } from "./activation.ts";
import type { Heap } from "./heap.ts";
import { PANEL, roundUp } from "./lanes.ts";
import { clearPadding } from "./panels.ts";

/** Index of unit u of sample s. */
function place(u: number, s: number, units: number, vector: boolean): number {
  return vector ? u : ((s >> 3) * units + u) * PANEL + (s & 7);
}

/** Indices of the node's arrays. */
function arrays(heap: Heap, node: number) {
  const at = (field: number) => heap.index(heap.ptr(node, field));
  return {
    units: heap.int(node, NODE_UNITS),
    a: at(NODE_A_PTR),
    z: at(NODE_Z_PTR),
    delta: at(NODE_DELTA_PTR),
    normal: at(NODE_EXTRA_PTR),
    inverse: at(NODE_INVERSE_PTR),
    gamma: at(NODE_W_PTR),
    beta: at(NODE_B_PTR),
    mean: at(NODE_MEAN_PTR),
    variance: at(NODE_VARIANCE_PTR),
  };
}

/** Σ term(s) over n samples: sample s into accumulator s mod 8. */
function overSamples(n: number, term: (s: number) => number): number {
  const l = new Float64Array(8);
  for (let s = 0; s < n; s++) l[s & 7] = (l[s & 7] as number) + term(s);
  const lane = (k: number) => l[k] as number;
  return lane(0) + lane(1) + (lane(2) + lane(3)) + (lane(4) + lane(5) + (lane(6) + lane(7)));
}

/** The node's net inputs from x; `job` 0: no training. */
export function normalForward(heap: Heap, job: number, node: number, aFrom: number, n: number, vector: boolean): void {
  if (heap.int(node, NODE_KIND) === NODE_KIND_BATCH_NORM) {
    if (job !== 0) batchStatistics(heap, node, heap.index(aFrom), n);
    batchForward(heap, job, node, heap.index(aFrom), n, vector);
  } else layerForward(heap, node, heap.index(aFrom), n, vector);
  const units = heap.int(node, NODE_UNITS);
  const count = vector ? units : roundUp(n, PANEL) * units;
  const a = heap.ptr(node, NODE_A_PTR);
  activate(heap, heap.int(node, NODE_ACTIVATION), a, heap.ptr(node, NODE_Z_PTR), count, heap.double(node, NODE_ALPHA));
}

/**
 * Ioffe & Szegedy 2015: mean and biased variance of the batch normalise; the running values take a share `rate` of the mean and of
 * the unbiased variance. Leaves 1/√(variance + ε) in the inverse region and the mean behind it.
 */
function batchStatistics(heap: Heap, node: number, from: number, n: number): void {
  const { real, lanes } = heap;
  const { round, flush } = lanes;
  const { units, inverse, mean: running, variance } = arrays(heap, node);
  const rate = heap.double(node, NODE_RATE);
  const epsilon = heap.double(node, NODE_EPSILON);
  for (let u = 0; u < units; u++) {
    const x = (s: number) => real[from + place(u, s, units, false)] as number;
    const mean = overSamples(n, x) / n;
    const squares = overSamples(n, (s) => (x(s) - mean) * (x(s) - mean));
    real[inverse + units + u] = mean;
    real[inverse + u] = 1 / Math.sqrt(squares / n + epsilon);
    real[running + u] = flush(round((1 - rate) * (real[running + u] as number) + rate * mean));
    const unbiased = squares / (n - 1);
    real[variance + u] = flush(round((1 - rate) * (real[variance + u] as number) + rate * unbiased));
  }
}

function batchForward(heap: Heap, job: number, node: number, from: number, n: number, vector: boolean): void {
  const { real, lanes } = heap;
  const { round } = lanes;
  const { units, inverse, mean: running, variance, gamma, beta, z, normal } = arrays(heap, node);
  const means = job === 0 ? running : inverse + units;
  const epsilon = heap.double(node, NODE_EPSILON);
  for (let u = 0; u < units; u++) {
    if (job === 0) real[inverse + u] = 1 / Math.sqrt((real[variance + u] as number) + epsilon);
    for (let s = 0; s < (vector ? 1 : roundUp(n, PANEL)); s++) {
      const at = place(u, s, units, vector);
      const value = round(
        round((real[from + at] as number) - (real[means + u] as number)) * (real[inverse + u] as number),
      );
      real[normal + at] = value;
      real[z + at] = round(round((real[gamma + u] as number) * value) + (real[beta + u] as number));
    }
  }
}

/** Ba, Kiros & Hinton 2016: mean and biased variance of a sample over its units, which are taken in order. */
function layerForward(heap: Heap, node: number, from: number, n: number, vector: boolean): void {
  const { real, lanes } = heap;
  const { round } = lanes;
  const { units, inverse: inverses, gamma, beta, z, normal } = arrays(heap, node);
  const epsilon = heap.double(node, NODE_EPSILON);
  for (let s = 0; s < n; s++) {
    const at = (u: number) => place(u, s, units, vector);
    let sum = 0;
    for (let u = 0; u < units; u++) sum += real[from + at(u)] as number;
    const mean = sum / units;
    let squares = 0;
    for (let u = 0; u < units; u++) {
      const d = (real[from + at(u)] as number) - mean;
      squares += d * d;
    }
    const m = round(mean);
    const inverse = round(1 / Math.sqrt(squares / units + epsilon));
    real[inverses + s] = inverse;
    for (let u = 0; u < units; u++) {
      const value = round(round((real[from + at(u)] as number) - m) * inverse);
      real[normal + at(u)] = value;
      real[z + at(u)] = round(round((real[gamma + u] as number) * value) + (real[beta + u] as number));
    }
  }
}

/** Gradients of γ and β, continued with `add`, and with `pass` the delta of what the node reads; δ = ∂loss/∂z stands. */
export function normalBackward(
  heap: Heap,
  job: number,
  node: number,
  dst: number,
  how: {
    readonly pass: boolean;
    readonly all: boolean;
    readonly n: number;
    readonly vector: boolean;
    readonly add: boolean;
  },
): void {
  const { pass, all, n, vector, add } = how;
  const isBatch = heap.int(node, NODE_KIND) === NODE_KIND_BATCH_NORM;
  const flags = heap.int(node, NODE_FLAGS);
  const dW = all || flags & NODE_FLAG_TRAIN_W ? heap.index(heap.ptr(node, NODE_DW_PTR)) : undefined;
  const db = all || flags & NODE_FLAG_TRAIN_B ? heap.index(heap.ptr(node, NODE_DB_PTR)) : undefined;
  const to = pass ? heap.index(dst) : undefined;
  if (isBatch && heap.int(job, JOB_MODE) === MODE_TRAIN) batchBackward(heap, node, { to, dW, db, n });
  else {
    sequentialGradients(heap, node, { dW, db, n, vector, add });
    if (to === undefined) return;
    if (isBatch) fixedBackward(heap, node, to, n, vector);
    else layerBackward(heap, node, to, n, vector);
  }
  if (pass && !vector) clearPadding(heap, dst, heap.int(node, NODE_UNITS), n);
}

/** δ⁻ = γ·inverse·((δ − Σδ/n) − x̂·Σδx̂/n). */
function batchBackward(
  heap: Heap,
  node: number,
  { to, dW, db, n }: { to: number | undefined; dW: number | undefined; db: number | undefined; n: number },
): void {
  const { real, lanes } = heap;
  const { round, flush } = lanes;
  const { units, delta, normal, inverse, gamma } = arrays(heap, node);
  for (let u = 0; u < units; u++) {
    const d = (s: number) => real[delta + place(u, s, units, false)] as number;
    const x = (s: number) => real[normal + place(u, s, units, false)] as number;
    const sum = overSamples(n, d);
    const products = overSamples(n, (s) => d(s) * x(s));
    if (dW !== undefined) real[dW + u] = products;
    if (db !== undefined) real[db + u] = sum;
    if (to === undefined) continue;
    const factor = round((real[gamma + u] as number) * (real[inverse + u] as number));
    const mean = round(sum / n);
    const slope = round(products / n);
    for (let s = 0; s < n; s++) {
      const rest = round(round(d(s) - mean) - round(x(s) * slope));
      real[to + place(u, s, units, false)] = flush(round(factor * rest));
    }
  }
}

/** With fixed statistics: δ⁻ = γ·inverse·δ. */
function fixedBackward(heap: Heap, node: number, to: number, n: number, vector: boolean): void {
  const { real, lanes } = heap;
  const { units, delta, inverse, gamma } = arrays(heap, node);
  for (let u = 0; u < units; u++) {
    const factor = lanes.round((real[gamma + u] as number) * (real[inverse + u] as number));
    for (let s = 0; s < n; s++) {
      const at = place(u, s, units, vector);
      real[to + at] = lanes.flush(lanes.round(factor * (real[delta + at] as number)));
    }
  }
}

/** δ⁻ = inverse·((γδ − Σγδ/units) − x̂·Σγδx̂/units) of each sample. */
function layerBackward(heap: Heap, node: number, to: number, n: number, vector: boolean): void {
  const { real, lanes } = heap;
  const { round, flush } = lanes;
  const { units, delta, normal, inverse: inverses, gamma } = arrays(heap, node);
  for (let s = 0; s < n; s++) {
    const d = (u: number) => real[delta + place(u, s, units, vector)] as number;
    const x = (u: number) => real[normal + place(u, s, units, vector)] as number;
    let sum = 0;
    let products = 0;
    for (let u = 0; u < units; u++) {
      const own = (real[gamma + u] as number) * d(u);
      sum += own;
      products += own * x(u);
    }
    const mean = round(sum / units);
    const slope = round(products / units);
    const inverse = real[inverses + s] as number;
    for (let u = 0; u < units; u++) {
      const own = round(round((real[gamma + u] as number) * d(u)) - mean);
      real[to + place(u, s, units, vector)] = flush(round(inverse * round(own - round(x(u) * slope))));
    }
  }
}

/** dγ = Σ δ·x̂, dβ = Σ δ, sample after sample, so that blocks may be of any size. */
function sequentialGradients(
  heap: Heap,
  node: number,
  how: { dW: number | undefined; db: number | undefined; n: number; vector: boolean; add: boolean },
): void {
  const { dW, db, n, vector, add } = how;
  const { real, lanes } = heap;
  const { round } = lanes;
  const { units, delta, normal } = arrays(heap, node);
  for (let u = 0; u < units; u++) {
    let products = add && dW !== undefined ? (real[dW + u] as number) : 0;
    let sum = add && db !== undefined ? (real[db + u] as number) : 0;
    for (let s = 0; s < n; s++) {
      const at = place(u, s, units, vector);
      const d = real[delta + at] as number;
      products = round(products + round(d * (real[normal + at] as number)));
      sum = round(sum + d);
    }
    if (dW !== undefined) real[dW + u] = products;
    if (db !== undefined) real[db + u] = sum;
  }
}
