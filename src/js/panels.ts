// Panels: 8 samples side by side, [⌈n/8⌉][units][8]. Rows in, rows out, and the two packed forms that the gradient reads.
import type { Heap } from "./heap.ts";
import { PANEL } from "./lanes.ts";

/**
 * Rows → panels: dst[s >> 3][i][s & 7] = x[row(s)][i]; lanes past n are +0.
 *
 * dst [⌈n/8⌉][cols][8] written | x: row r at x + r·pitch elements, read | order: i32 row numbers, or 0 for first, first + 1, …
 */
export function gatherRows(
  heap: Heap,
  dst: number,
  x: number,
  pitch: number,
  cols: number,
  order: number,
  first: number,
  n: number,
): void {
  const { real, lanes } = heap;
  for (let s = 0; s < n; s += PANEL) {
    const to = heap.index(dst) + s * cols;
    if (n - s < PANEL) real.fill(0, to, to + cols * PANEL);
    for (let lane = 0; lane < PANEL && s + lane < n; lane++) {
      const from = heap.index(x + rowNumber(heap, order, first, s + lane) * pitch * lanes.size);
      for (let i = 0; i < cols; i++) real[to + i * PANEL + lane] = real[from + i] as number;
    }
  }
}

/** The number of the s-th row of a block. */
export function rowNumber(heap: Heap, order: number, first: number, s: number): number {
  return order ? (heap.i32[(order >>> 2) + s] as number) : first + s;
}

/** Panels → rows: out[s][i] = src[s >> 3][i][s & 7], rows of `cols` elements. */
export function scatterRows(heap: Heap, out: number, src: number, cols: number, n: number): void {
  const { real } = heap;
  for (let s = 0; s < n; s++) {
    const from = heap.index(src) + (s >> 3) * cols * PANEL + (s & 7);
    const to = heap.index(out) + s * cols;
    for (let i = 0; i < cols; i++) real[to + i] = real[from + i * PANEL] as number;
  }
}

/** The lanes past n of the last panel become +0 in every unit. */
export function clearPadding(heap: Heap, panels: number, units: number, n: number): void {
  const used = n & 7;
  if (used === 0) return;
  const panel = heap.index(panels) + (n - used) * units;
  for (let i = 0; i < units; i++) heap.real.fill(0, panel + i * PANEL + used, panel + (i + 1) * PANEL);
}

/** Panels of deltas → rows: packD[o][s] = delta[s >> 3][o][s & 7], rows of roundUp(n, 8), the samples past n as in delta. */
export function packDeltas(heap: Heap, packD: number, delta: number, nOut: number, n: number): void {
  const { real } = heap;
  let to = heap.index(packD);
  for (let o = 0; o < nOut; o++) {
    for (let s = 0; s < n; s += PANEL, to += PANEL) {
      const from = heap.index(delta) + s * nOut + o * PANEL;
      real.copyWithin(to, from, from + PANEL);
    }
  }
}

/** Panels of activations → column strips: packA[c][s][j] = a[s >> 3][tileCols·c + j][s & 7], +0 past nIn. */
export function packActivations(heap: Heap, packA: number, a: number, nIn: number, n: number): void {
  const { real, lanes } = heap;
  let to = heap.index(packA);
  for (let unit = 0; unit < nIn; unit += lanes.tileCols) {
    for (let s = 0; s < n; s++) {
      const from = heap.index(a) + ((s >> 3) * nIn + unit) * PANEL + (s & 7);
      for (let j = 0; j < lanes.tileCols; j++, to++) {
        real[to] = unit + j < nIn ? (real[from + j * PANEL] as number) : 0;
      }
    }
  }
}
