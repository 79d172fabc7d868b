// The hot loops for panels of samples: forward product, delta recursion, weight gradient. One sum per element of the
// result, its terms in ascending order (DESIGN.md I1).
//
// Ranges [begin, end) count rows of the result.
import type { Heap } from "./heap.ts";
import { type Lanes, loadSums, PANEL, type Reals, roundUp, setSums, storeSums } from "./lanes.ts";

/**
 * z = W·a + b for rows [begin, end) of W: z[p][o][s] = b[o] + Σᵢ W[o][i]·a[p][i][s], i ascending.
 *
 * z [panels][nOut][8] written | a [panels][nIn][8] read | W [nOut × pitch] read | b [nOut] read, or 0: start at +0 |
 * rectify: relu(z) is written.
 */
export function forwardPanels(
  heap: Heap,
  z: number,
  a: number,
  W: number,
  b: number,
  nOut: number,
  nIn: number,
  pitch: number,
  panels: number,
  begin: number,
  end: number,
  rectify: boolean,
): void {
  const { real, lanes } = heap;
  const { multiplyAdd, sums } = lanes;
  for (let p = 0; p < panels; p++) {
    const aPanel = heap.index(a) + p * nIn * PANEL;
    const zPanel = heap.index(z) + p * nOut * PANEL;
    for (let o = begin; o < end; o++) {
      const row = heap.index(W) + o * pitch;
      const start = b ? (real[heap.index(b) + o] as number) : 0;
      for (let s = 0; s < PANEL; s += 4) {
        setSums(sums, start, start, start, start);
        multiplyAdd(sums, real, row, 1, aPanel + s, PANEL, 1, nIn);
        if (rectify) rectifySums(sums);
        storeSums(sums, real, zPanel + o * PANEL + s);
      }
    }
  }
}

/** relu, as in activation.ts. */
function rectifySums(sums: Float64Array): void {
  for (let j = 0; j < 4; j++) if ((sums[j] as number) < 0) sums[j] = 0;
}

/** Its derivative, the activations at index `a`. */
function slopeSums(sums: Float64Array, lanes: Lanes, real: Reals, a: number): void {
  for (let j = 0; j < 4; j++) sums[j] = (real[a + j] as number) > 0 ? lanes.flush(sums[j] as number) : 0;
}

/**
 * The delta recursion before f′, or with that of a relu: dst[p][i][s] = Σₒ W[o][i]·delta[p][o][s], o ascending from +0, rows [begin, end) of dst.
 *
 * dst [panels][nIn][8] written | delta [panels][nOut][8] read | W [nOut × pitch] read | pack: not used by this core |
 * relu [panels][nIn][8] read, the activations of a relu: dst ∘ relu′ is written, what is below normal as +0; or 0.
 */
export function deltaPanels(
  heap: Heap,
  dst: number,
  delta: number,
  W: number,
  _pack: number,
  nOut: number,
  nIn: number,
  pitch: number,
  panels: number,
  begin: number,
  end: number,
  relu: number,
): void {
  const { real, lanes } = heap;
  const { multiplyAdd, sums } = lanes;
  for (let p = 0; p < panels; p++) {
    const deltaPanel = heap.index(delta) + p * nOut * PANEL;
    const dstPanel = heap.index(dst) + p * nIn * PANEL;
    for (let i = begin; i < end; i++) {
      const column = heap.index(W) + i;
      for (let s = 0; s < PANEL; s += 4) {
        setSums(sums, 0, 0, 0, 0);
        multiplyAdd(sums, real, column, pitch, deltaPanel + s, PANEL, 1, nOut);
        if (relu) slopeSums(sums, lanes, real, heap.index(relu) + (p * nIn + i) * PANEL + s);
        storeSums(sums, real, dstPanel + i * PANEL + s);
      }
    }
  }
}

/**
 * dW = D·Aᵀ (overwrites), or dW += D·Aᵀ (`add`, later blocks of a step), for rows [begin, end) of dW:
 * dW[o][i] = Σₛ delta[o][s]·a[i][s], s ascending over the n samples of the block.
 *
 * dW [nOut × pitch] written up to column roundUp(nIn, tileCols), the padding as +0 |
 * packD [nOut][roundUp(n, 8)] read | packA [⌈nIn/tileCols⌉][n][tileCols] read: see panels.ts.
 */
export function gradientPanels(
  heap: Heap,
  dW: number,
  packD: number,
  packA: number,
  _nOut: number,
  nIn: number,
  pitch: number,
  n: number,
  add: boolean,
  begin: number,
  end: number,
): void {
  const { real, lanes } = heap;
  for (let o = begin; o < end; o++) {
    for (let i = 0; i < roundUp(nIn, lanes.tileCols); i += 4) {
      const at = heap.index(dW) + o * pitch + i;
      sumSamples(heap, at, packD, packA, o, i, n, add);
      storeSums(lanes.sums, real, at);
    }
  }
}

/** Fused descent: W −= rnd(η·dW) with dW as in gradientPanels without `add`, never stored. */
export function gradientPanelsUpdate(
  heap: Heap,
  W: number,
  eta: number,
  packD: number,
  packA: number,
  _nOut: number,
  nIn: number,
  pitch: number,
  n: number,
  begin: number,
  end: number,
): void {
  const { real, lanes } = heap;
  const { round, sums } = lanes;
  const rate = round(eta);
  for (let o = begin; o < end; o++) {
    for (let i = 0; i < roundUp(nIn, lanes.tileCols); i += 4) {
      const w = heap.index(W) + o * pitch + i;
      sumSamples(heap, w, packD, packA, o, i, n, false);
      for (let j = 0; j < 4; j++) {
        real[w + j] = round((real[w + j] as number) - round(rate * (sums[j] as number)));
      }
    }
  }
}

/** sums[j] = Σₛ delta[o][s]·a[i + j][s], from +0 or with `add` from the elements at index `from`. */
function sumSamples(
  heap: Heap,
  from: number,
  packD: number,
  packA: number,
  o: number,
  i: number,
  n: number,
  add: boolean,
): void {
  const { real, lanes } = heap;
  const { multiplyAdd, sums, tileCols } = lanes;
  if (add) loadSums(sums, real, from);
  else setSums(sums, 0, 0, 0, 0);
  const d = heap.index(packD) + o * roundUp(n, PANEL);
  const inStrip = i & (tileCols - 1);
  const a = heap.index(packA) + (i - inStrip) * n + inStrip;
  multiplyAdd(sums, real, d, 1, a, tileCols, 1, n);
}

/**
 * db[o] = Σₛ delta[o][s] (`add`: += …), s ascending, for row tiles that cover [begin, end).
 *
 * db [roundUp(nOut, 4)] written, padding +0 | packD [nOut][roundUp(n, 8)] read.
 */
export function biasGradient(
  heap: Heap,
  db: number,
  packD: number,
  n: number,
  add: boolean,
  begin: number,
  end: number,
): void {
  const { real, lanes } = heap;
  const { round } = lanes;
  const first = heap.index(db);
  for (let o = begin; o < end; o++) {
    const d = heap.index(packD) + o * roundUp(n, PANEL);
    let sum = add ? (real[first + o] as number) : 0;
    for (let s = 0; s < n; s++) sum = round(sum + (real[d + s] as number));
    real[first + o] = sum;
  }
  real.fill(0, first + end, first + roundUp(end, 4));
}
