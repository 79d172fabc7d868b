// Activation functions: value and derivative side by side.
import {
  ACTIVATION_LEAKY_RELU,
  ACTIVATION_LINEAR,
  ACTIVATION_RELU,
  ACTIVATION_SIGMOID,
  ACTIVATION_TANH,
} from "../core/abi.ts";
import type { Heap } from "./heap.ts";
import { type Lanes, PANEL } from "./lanes.ts";
import { exp32, exp64, sigmoid32, sigmoid64, tanh32, tanh64 } from "./vmath.ts";

/** f(z); `alpha` is the slope of leakyRelu below 0. relu(z) = z < 0 ? 0 : z lets NaN pass. */
function value(lanes: Lanes, code: number, z: number, alpha: number): number {
  switch (code) {
    case ACTIVATION_SIGMOID:
      return lanes.single ? sigmoid32(z) : sigmoid64(z);
    case ACTIVATION_TANH:
      return lanes.single ? tanh32(z) : tanh64(z);
    case ACTIVATION_RELU:
      if (z < 0) return 0;
      return z;
    case ACTIVATION_LEAKY_RELU:
      return z < 0 ? lanes.round(alpha * z) : z;
    default:
      return z;
  }
}

/** d·f′(z) written in terms of a = f(z). The derivative of relu and leakyRelu at 0 is that of the left side. */
export function slope(lanes: Lanes, code: number, d: number, a: number, alpha: number): number {
  const { round } = lanes;
  switch (code) {
    case ACTIVATION_SIGMOID:
      return round(d * round(a * round(1 - a)));
    case ACTIVATION_TANH:
      return round(d * round(1 - round(a * a)));
    case ACTIVATION_RELU:
      return a > 0 ? d : 0;
    case ACTIVATION_LEAKY_RELU:
      return a > 0 ? d : round(alpha * d);
    default:
      return d;
  }
}

/** a = f(z) over `count` elements; a may be z. Not for softmax. */
export function activate(heap: Heap, code: number, a: number, z: number, count: number, alpha: number): void {
  const { real, lanes } = heap;
  const to = heap.index(a);
  const from = heap.index(z);
  if (code === ACTIVATION_LINEAR && to === from) return;
  const slopeBelow0 = lanes.round(alpha);
  for (let i = 0; i < count; i++) real[to + i] = value(lanes, code, real[from + i] as number, slopeBelow0);
}

/** delta ∘= f′(z), read from a = f(z), over `count` elements; results below normal become +0. */
export function applySlope(heap: Heap, code: number, delta: number, a: number, count: number, alpha: number): void {
  const { real, lanes } = heap;
  const to = heap.index(delta);
  const from = heap.index(a);
  const slopeBelow0 = lanes.round(alpha);
  for (let i = 0; i < count; i++) {
    real[to + i] = lanes.flush(slope(lanes, code, real[to + i] as number, real[from + i] as number, slopeBelow0));
  }
}

/**
 * a[p][o][s] = exp(z[p][o][s] − m) / Σₒ exp(z[p][o][s] − m), m = maxₒ z[p][o][s], the sum over o ascending from +0.
 *
 * a, z [panels][units][8] written, read (may be the same) | max, sum [panels][8] written: what the loss needs.
 */
export function softmaxPanels(
  heap: Heap,
  a: number,
  z: number,
  max: number,
  sum: number,
  units: number,
  panels: number,
): void {
  const { size } = heap.lanes;
  for (let p = 0; p < panels; p++) {
    for (let s = 0; s < PANEL; s++) {
      const sample = (p * units * PANEL + s) * size;
      const lane = (p * PANEL + s) * size;
      softmaxSample(heap, a + sample, z + sample, max + lane, sum + lane, units, PANEL);
    }
  }
}

/** softmaxPanels for one sample: a, z [units]; max, sum [1]. */
export function softmaxVector(heap: Heap, a: number, z: number, max: number, sum: number, units: number): void {
  softmaxSample(heap, a, z, max, sum, units, 1);
}

/** `stride` elements between units. */
function softmaxSample(
  heap: Heap,
  a: number,
  z: number,
  max: number,
  sum: number,
  units: number,
  stride: number,
): void {
  const { real, lanes } = heap;
  const { round, single } = lanes;
  const to = heap.index(a);
  const from = heap.index(z);
  let m = real[from] as number;
  for (let o = 1; o < units; o++) {
    const x = real[from + o * stride] as number;
    if (m < x) m = x;
  }
  let total = 0;
  for (let o = 0; o < units; o++) {
    const x = round((real[from + o * stride] as number) - m);
    const e = single ? exp32(x) : exp64(x);
    real[to + o * stride] = e;
    total = round(total + e);
  }
  for (let o = 0; o < units; o++) real[to + o * stride] = round((real[to + o * stride] as number) / total);
  real[heap.index(max)] = m;
  real[heap.index(sum)] = total;
}

/**
 * delta = Jᵀ·g of the softmax for one sample: delta[o] = a[o]·(g[o] − Σⱼ g[j]·a[j]), j ascending; `stride` elements
 * between units, `delta` and `a` are indices. delta holds g on entry.
 */
export function softmaxSlope(heap: Heap, delta: number, a: number, units: number, stride: number): void {
  const { real, lanes } = heap;
  const { round } = lanes;
  const end = units * stride;
  let dot = 0;
  for (let i = 0; i < end; i += stride) {
    dot = round(dot + round((real[delta + i] as number) * (real[a + i] as number)));
  }
  for (let i = 0; i < end; i += stride) {
    real[delta + i] = round((real[a + i] as number) * round((real[delta + i] as number) - dot));
  }
}
