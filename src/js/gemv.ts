// The hot loops for one sample. Vectors are [units] without panels; every element keeps the order of gemm.ts, so that a
// row's result does not depend on its batch.
import type { Heap } from "./heap.ts";
import { roundUp, setSums, storeSums } from "./lanes.ts";

/**
 * z = W·a + b for rows [begin, end): z[o] = b[o] + Σᵢ W[o][i]·a[i], i ascending.
 *
 * z [nOut] written | a [nIn] read | W [nOut × pitch] read | b [nOut] read, or 0: start at +0.
 */
export function forwardVector(
  heap: Heap,
  z: number,
  a: number,
  W: number,
  b: number,
  _nOut: number,
  nIn: number,
  pitch: number,
  begin: number,
  end: number,
): void {
  const { real, lanes } = heap;
  const { multiplyAdd, sums } = lanes;
  let rows = 4;
  for (let o = begin; o < end; o += rows) {
    // Four rows side by side; each row past the last four alone, as all four sums.
    if (end - o < 4) rows = 1;
    for (let r = 0; r < 4; r++) sums[r] = b ? (real[heap.index(b) + o + (r % rows)] as number) : 0;
    multiplyAdd(sums, real, heap.index(a), 1, heap.index(W) + o * pitch, 1, rows === 4 ? pitch : 0, nIn);
    for (let r = 0; r < rows; r++) real[heap.index(z) + o + r] = sums[r] as number;
  }
}

/**
 * dst[i] = Σₒ W[o][i]·delta[o], o ascending from +0.
 *
 * dst [roundUp(nIn, tileCols)] written, padding +0 | delta [nOut] read | W [nOut × pitch] read.
 */
export function deltaVector(
  heap: Heap,
  dst: number,
  delta: number,
  W: number,
  nOut: number,
  nIn: number,
  pitch: number,
): void {
  const { real, lanes } = heap;
  const { multiplyAdd, sums } = lanes;
  for (let i = 0; i < roundUp(nIn, lanes.tileCols); i += 4) {
    setSums(sums, 0, 0, 0, 0);
    multiplyAdd(sums, real, heap.index(delta), 1, heap.index(W) + i, pitch, 1, nOut);
    storeSums(sums, real, heap.index(dst) + i);
  }
}

/**
 * deltaVector, then W −= rnd(η·delta·aᵀ): each weight is read for the delta before it is written.
 *
 * a [roundUp(nIn, tileCols)] read, padding +0 | W [nOut × pitch] read, written | the rest as deltaVector.
 */
export function deltaVectorUpdate(
  heap: Heap,
  dst: number,
  delta: number,
  W: number,
  a: number,
  eta: number,
  nOut: number,
  nIn: number,
  pitch: number,
): void {
  deltaVector(heap, dst, delta, W, nOut, nIn, pitch);
  updateVector(heap, W, delta, a, eta, nOut, nIn, pitch);
}

/**
 * W −= rnd(η·delta·aᵀ).
 *
 * W [nOut × pitch] read, written | delta [nOut] read | a [roundUp(nIn, tileCols)] read, padding +0.
 */
export function updateVector(
  heap: Heap,
  W: number,
  delta: number,
  a: number,
  eta: number,
  nOut: number,
  nIn: number,
  pitch: number,
): void {
  const { real, lanes } = heap;
  const { round } = lanes;
  const rate = round(eta);
  const columns = roundUp(nIn, lanes.tileCols);
  const from = heap.index(a);
  for (let o = 0; o < nOut; o++) {
    const row = heap.index(W) + o * pitch;
    const error = real[heap.index(delta) + o] as number;
    for (let i = 0; i < columns; i++) {
      const gradient = 0 + round(error * (real[from + i] as number));
      real[row + i] = round((real[row + i] as number) - round(rate * gradient));
    }
  }
}

/** dW = delta·aᵀ, each element +0 + delta·a as the one-sample case of gradientPanels; operands as updateVector. */
export function gradientVector(
  heap: Heap,
  dW: number,
  delta: number,
  a: number,
  nOut: number,
  nIn: number,
  pitch: number,
): void {
  const { real, lanes } = heap;
  const { round } = lanes;
  const columns = roundUp(nIn, lanes.tileCols);
  const from = heap.index(a);
  for (let o = 0; o < nOut; o++) {
    const row = heap.index(dW) + o * pitch;
    const error = real[heap.index(delta) + o] as number;
    for (let i = 0; i < columns; i++) real[row + i] = 0 + round(error * (real[from + i] as number));
  }
}
