// The vocabulary of the kernels, for both dtypes: rounding, flushing, and the one inner loop of the network.
//
// JavaScript computes in f64. For f32 every single operation is followed by a rounding to f32, which gives the bits of an
// f32 operation: for + − × ÷ √ the second rounding changes nothing, because 53 ≥ 2·24 + 2 (S. A. Figueroa, "When is
// double rounding innocuous?", 1995).
import type { DType } from "../options/network.ts";

export type Reals = Float32Array | Float64Array;

/** Samples per panel. */
export const PANEL = 8;

/** What differs between float32 and float64. */
export interface Lanes {
  readonly single: boolean;
  /** Bytes per element, and its logarithm. */
  readonly size: 4 | 8;
  readonly shift: 2 | 3;
  /** Rows of W and of packed activations are padded to whole tiles of this many columns. */
  readonly tileCols: 8 | 4;
  readonly multiplyAdd: MultiplyAdd;
  /** The four running sums of `multiplyAdd`. */
  readonly sums: Float64Array;
  /** The smallest normal number. */
  readonly minNormal: number;
  /** rnd(x): to the nearest number of the dtype. */
  round(x: number): number;
  /** Magnitudes below the smallest normal number become +0; NaN stays. */
  flush(x: number): number;
}

/** One per core. `round` asks for the dtype each time, because V8 inlines one function, but not two in one place. */
export function lanes(dtype: DType): Lanes {
  const single = dtype === "float32";
  const minNormal = single ? 1.1754943508222875e-38 : 2.2250738585072014e-308;
  return {
    single,
    size: single ? 4 : 8,
    shift: single ? 2 : 3,
    tileCols: single ? 8 : 4,
    multiplyAdd: single ? multiplyAdd32 : multiplyAdd64,
    sums: new Float64Array(4),
    minNormal,
    round: (x) => (single ? Math.fround(x) : x),
    flush: (x) => (Math.abs(x) < minNormal ? 0 : x),
  };
}

/**
 * Four sums of products side by side: for k = 0 … count − 1, in this order, and j = 0 … 3
 *
 *   sums[j] ← rnd(sums[j] + rnd(x_k·v_kj)),   x_k = real[x + k·xStep],   v_kj = real[v + k·vStep + j·gap]
 *
 * Nearly all time is spent here; hence one copy per dtype, so that V8 sees one kind of array in each.
 */
export type MultiplyAdd = (
  sums: Float64Array,
  real: Reals,
  x: number,
  xStep: number,
  v: number,
  vStep: number,
  gap: number,
  count: number,
) => void;

const multiplyAdd32: MultiplyAdd = (sums, real, x, xStep, v, vStep, gap, count) => {
  const { fround } = Math;
  let c0 = sums[0] as number;
  let c1 = sums[1] as number;
  let c2 = sums[2] as number;
  let c3 = sums[3] as number;
  for (let k = 0; k < count; k++, x += xStep, v += vStep) {
    const factor = real[x] as number;
    c0 = fround(c0 + fround(factor * (real[v] as number)));
    c1 = fround(c1 + fround(factor * (real[v + gap] as number)));
    c2 = fround(c2 + fround(factor * (real[v + 2 * gap] as number)));
    c3 = fround(c3 + fround(factor * (real[v + 3 * gap] as number)));
  }
  setSums(sums, c0, c1, c2, c3);
};

const multiplyAdd64: MultiplyAdd = (sums, real, x, xStep, v, vStep, gap, count) => {
  let c0 = sums[0] as number;
  let c1 = sums[1] as number;
  let c2 = sums[2] as number;
  let c3 = sums[3] as number;
  for (let k = 0; k < count; k++, x += xStep, v += vStep) {
    const factor = real[x] as number;
    c0 += factor * (real[v] as number);
    c1 += factor * (real[v + gap] as number);
    c2 += factor * (real[v + 2 * gap] as number);
    c3 += factor * (real[v + 3 * gap] as number);
  }
  setSums(sums, c0, c1, c2, c3);
};

export function setSums(sums: Float64Array, c0: number, c1: number, c2: number, c3: number): void {
  sums[0] = c0;
  sums[1] = c1;
  sums[2] = c2;
  sums[3] = c3;
}

/** sums = real[at …] */
export function loadSums(sums: Float64Array, real: Reals, at: number): void {
  for (let j = 0; j < 4; j++) sums[j] = real[at + j] as number;
}

/** real[at …] = sums */
export function storeSums(sums: Float64Array, real: Reals, at: number): void {
  for (let j = 0; j < 4; j++) real[at + j] = sums[j] as number;
}

export function roundUp(n: number, multiple: number): number {
  return (n + multiple - 1) & -multiple;
}
