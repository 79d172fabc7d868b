// Activation functions: value and derivative side by side.
import {
  ACTIVATION_ELU,
  ACTIVATION_GELU,
  ACTIVATION_HARD_SIGMOID,
  ACTIVATION_HARD_SWISH,
  ACTIVATION_LEAKY_RELU,
  ACTIVATION_LINEAR,
  ACTIVATION_MISH,
  ACTIVATION_RELU,
  ACTIVATION_RELU6,
  ACTIVATION_SELU,
  ACTIVATION_SIGMOID,
  ACTIVATION_SILU,
  ACTIVATION_SOFTPLUS,
  ACTIVATION_SOFTSIGN,
  ACTIVATION_TANH,
} from "../core/abi.ts";
import type { Heap } from "./heap.ts";
import { type Lanes, PANEL } from "./lanes.ts";
import * as vmath from "./vmath.ts";

/** Klambauer et al. 2017: selu(z) = λ·z above 0, λ·α·(e^z − 1) below. */
const SELU_LAMBDA = 1.0507009873554805;
const SELU_LAMBDA_ALPHA = 1.7580993408473766;

/** z between `low` and `high`; NaN stays. */
function clamp(z: number, low: number, high: number): number {
  if (z < low) return low;
  return z > high ? high : z;
}

/** e^z is +0 below this: z·σ(z) and z·tanh(softplus(z)) need a z that is finite there. */
const zMin = ({ single }: Lanes) => (single ? -104 : -746);
/** tanh(softplus(z)) is 1 from here on. */
const mishEnd = ({ single }: Lanes) => (single ? 20 : 40);

const exp = (lanes: Lanes, x: number) => (lanes.single ? vmath.exp32(x) : vmath.exp64(x));
const sigmoid = (lanes: Lanes, x: number) => (lanes.single ? vmath.sigmoid32(x) : vmath.sigmoid64(x));
const tanh = (lanes: Lanes, x: number) => (lanes.single ? vmath.tanh32(x) : vmath.tanh64(x));
const softplus = (lanes: Lanes, x: number) => (lanes.single ? vmath.softplus32(x) : vmath.softplus64(x));
const expm1Below = (lanes: Lanes, x: number) => (lanes.single ? vmath.expm1Below32(x) : vmath.expm1Below64(x));

/** f(z); `alpha` is the slope of leakyRelu below 0, the α of elu. relu(z) = z < 0 ? 0 : z lets NaN pass. */
function value(lanes: Lanes, code: number, z: number, alpha: number): number {
  const { round } = lanes;
  switch (code) {
    case ACTIVATION_SIGMOID:
      return sigmoid(lanes, z);
    case ACTIVATION_TANH:
      return tanh(lanes, z);
    case ACTIVATION_RELU:
      if (z < 0) return 0;
      return z;
    case ACTIVATION_LEAKY_RELU:
      return z < 0 ? round(alpha * z) : z;
    case ACTIVATION_ELU:
      return z < 0 ? round(alpha * expm1Below(lanes, z)) : z;
    case ACTIVATION_SELU:
      return z < 0 ? round(round(SELU_LAMBDA_ALPHA) * expm1Below(lanes, z)) : round(round(SELU_LAMBDA) * z);
    case ACTIVATION_SOFTPLUS:
      return softplus(lanes, z);
    case ACTIVATION_SOFTSIGN: {
      const size = Math.min(Math.abs(z), round(lanes.single ? 1e30 : 1e300)); // ∞/∞ is no number
      const ratio = round(size / round(size + 1));
      return z < 0 || Object.is(z, -0) ? -ratio : ratio;
    }
    case ACTIVATION_RELU6:
      return clamp(z, 0, 6);
    case ACTIVATION_HARD_SIGMOID:
      return round(clamp(round(z + 3), 0, 6) / 6);
    case ACTIVATION_SILU:
      return round(Math.max(z, zMin(lanes)) * sigmoid(lanes, z));
    case ACTIVATION_GELU:
      return round(vmath.gelu64(z));
    case ACTIVATION_MISH: {
      const e = exp(lanes, clamp(z, zMin(lanes), mishEnd(lanes)));
      const n = round(e * round(e + 2));
      return round(Math.max(z, zMin(lanes)) * round(n / round(n + 2)));
    }
    case ACTIVATION_HARD_SWISH:
      return round(round(Math.max(z, -3) * clamp(round(z + 3), 0, 6)) / 6);
    default:
      return z;
  }
}

/**
 * d·f′(z) in terms of a = f(z) where that says enough, else of z. At a kink: the derivative of the left side; relu6 and
 * hardSigmoid 0 at both.
 */
export function slope(lanes: Lanes, code: number, d: number, a: number, z: number, alpha: number): number {
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
    case ACTIVATION_ELU:
      return a > 0 ? d : round(d * round(a + alpha));
    case ACTIVATION_SELU:
      return round(d * (a > 0 ? round(SELU_LAMBDA) : round(a + round(SELU_LAMBDA_ALPHA))));
    case ACTIVATION_SOFTPLUS:
      return round(d * (0 - expm1Below(lanes, 0 - a))); // 1 − e^−a
    case ACTIVATION_SOFTSIGN: {
      const rest = round(1 - Math.abs(a));
      return round(d * round(rest * rest));
    }
    case ACTIVATION_RELU6:
      return a > 0 && a < 6 ? d : 0;
    case ACTIVATION_HARD_SIGMOID:
      return a > 0 && a < 1 ? round(d / 6) : 0;
    default:
      return round(slopeOfZ(lanes, code, d, z));
  }
}

function slopeOfZ(lanes: Lanes, code: number, d: number, z: number): number {
  const { round } = lanes;
  switch (code) {
    case ACTIVATION_SILU: {
      const s = sigmoid(lanes, z);
      const bend = round(clamp(z, zMin(lanes), -zMin(lanes)) * round(s * round(1 - s)));
      return d * round(s + bend);
    }
    case ACTIVATION_GELU:
      return d * round(vmath.geluSlope64(z));
    case ACTIVATION_MISH: {
      // With e = e^z, n = e·(e + 2): n/(n + 2) + 4·z·e·(1 + e)/(n + 2)²
      const c = clamp(z, zMin(lanes), mishEnd(lanes));
      const e = exp(lanes, c);
      const n = round(e * round(e + 2));
      const m = round(n + 2);
      const over = round(round(4 * round(c * e)) * round(e + 1));
      return d * round(round(n / m) + round(over / round(m * m)));
    }
    case ACTIVATION_HARD_SWISH:
      // 0 below −3, z/3 + ½, 1 above 3
      if (z < -3) return d * 0;
      return d * (z > 3 ? 1 : round(round(z / 3) + 0.5));
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
  const rounded = lanes.round(alpha);
  for (let i = 0; i < count; i++) real[to + i] = value(lanes, code, real[from + i] as number, rounded);
}

/** delta ∘= f′(z) over `count` elements, from a = f(z) or z; results below normal become +0. */
export function applySlope(
  heap: Heap,
  code: number,
  delta: number,
  a: number,
  z: number,
  count: number,
  alpha: number,
): void {
  const { real, lanes } = heap;
  const to = heap.index(delta);
  const values = heap.index(a);
  const inputs = heap.index(z);
  const rounded = lanes.round(alpha);
  for (let i = 0; i < count; i++) {
    const d = real[to + i] as number;
    real[to + i] = lanes.flush(slope(lanes, code, d, real[values + i] as number, real[inputs + i] as number, rounded));
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
    const e = single ? vmath.exp32(x) : vmath.exp64(x);
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
