// Panels: 8 samples side by side, [⌈n/8⌉][units][8], so that a vector holds one unit of several samples.
// Rows in, rows out, and the two packed forms that the gradient kernel reads.
import { LANES, PANEL, SIZE, TILE_COLS, UNIT_BYTES, roundUp } from "./lanes";

/**
 * Rows → panels: dst[s >> 3][i][s & 7] = x[row(s)][i]; lanes past n are +0.
 *
 * dst [⌈n/8⌉][cols][8] written | x: row r at x + r·pitch elements, read | order: i32 row numbers, or 0 for first, first + 1, …
 */
export function gatherRows(dst: usize, x: usize, pitch: i32, cols: i32, order: usize, first: i32, n: i32): void {
  let to = dst;
  for (let s = 0; s < n; s += PANEL, to += <usize>(cols * UNIT_BYTES)) {
    // The addresses of the panel's rows, the last one's in place of those past n, wait in its first 32 bytes until all are known.
    for (let r = 0; r < PANEL; r++) store<usize>(to + <usize>(r << 2), rowAt(x, pitch, order, first, min(s + r, n - 1)));
    const x0 = load<usize>(to), x1 = load<usize>(to, 4), x2 = load<usize>(to, 8), x3 = load<usize>(to, 12);
    const x4 = load<usize>(to, 16), x5 = load<usize>(to, 20), x6 = load<usize>(to, 24), x7 = load<usize>(to, 28);
    // All eight at once: a line of the panel is written once, and more rows are on their way from memory (15 to 20 % faster than four
    // and four). What only predicts has the bytes for four.
    if (!isDefined(COMPACT)) gatherPanel(to, cols, x0, x1, x2, x3, x4, x5, x6, x7);
    else {
      gatherHalf(to, cols, x0, x1, x2, x3);
      gatherHalf(to + 4 * SIZE, cols, x4, x5, x6, x7);
    }
  }
  clearPadding(dst, cols, n);
}

/** Eight rows of `cols` elements → a panel. */
@inline
function gatherPanel(to: usize, cols: i32, x0: usize, x1: usize, x2: usize, x3: usize, x4: usize, x5: usize, x6: usize, x7: usize): void {
  let i: usize = 0;
  for (const whole = <usize>((cols & -LANES) * SIZE); i < whole; i += 16, to += 16 * PANEL) {
    transposeFour(to, x0 + i, x1 + i, x2 + i, x3 + i);
    transposeFour(to + 4 * SIZE, x4 + i, x5 + i, x6 + i, x7 + i);
  }
  for (const stop = <usize>(cols * SIZE); i < stop; i += SIZE, to += UNIT_BYTES) {
    copyFour(to, x0 + i, x1 + i, x2 + i, x3 + i);
    copyFour(to + 4 * SIZE, x4 + i, x5 + i, x6 + i, x7 + i);
  }
}

/** Four rows of `cols` elements → half of each unit of a panel. */
function gatherHalf(to: usize, cols: i32, x0: usize, x1: usize, x2: usize, x3: usize): void {
  let i: usize = 0;
  for (const whole = <usize>((cols & -LANES) * SIZE); i < whole; i += 16, to += 16 * PANEL) transposeFour(to, x0 + i, x1 + i, x2 + i, x3 + i);
  for (const stop = <usize>(cols * SIZE); i < stop; i += SIZE, to += UNIT_BYTES) copyFour(to, x0 + i, x1 + i, x2 + i, x3 + i);
}

/** A vector of each of four rows → LANES units, four samples of each. */
@inline
function transposeFour(to: usize, x0: usize, x1: usize, x2: usize, x3: usize): void {
  if (LANES == 4) transposeRows4(to, UNIT_BYTES, v128.load(x0), v128.load(x1), v128.load(x2), v128.load(x3));
  else {
    transposeRows2(to, UNIT_BYTES, v128.load(x0), v128.load(x1));
    transposeRows2(to + 2 * SIZE, UNIT_BYTES, v128.load(x2), v128.load(x3));
  }
}

/** An element of each of four rows → four samples of one unit. */
@inline
function copyFour(to: usize, x0: usize, x1: usize, x2: usize, x3: usize): void {
  store<real>(to, load<real>(x0));
  store<real>(to, load<real>(x1), SIZE);
  store<real>(to, load<real>(x2), 2 * SIZE);
  store<real>(to, load<real>(x3), 3 * SIZE);
}

/** Address of the s-th row of a block. */
@inline
export function rowAt(x: usize, pitch: i32, order: usize, first: i32, s: i32): usize {
  const row = order ? load<i32>(order + (<usize>s << 2)) : first + s;
  return x + <usize>row * <usize>(pitch * SIZE);
}

/** Panels → rows: out[s][i] = src[s >> 3][i][s & 7], rows of `cols` elements. */
export function scatterRows(out: usize, src: usize, cols: i32, n: i32): void {
  for (let s = 0; s < n; s++) {
    const from = src + <usize>((s >> 3) * cols * UNIT_BYTES + (s & 7) * SIZE);
    const to = out + <usize>s * <usize>(cols * SIZE);
    for (let i = 0; i < cols; i++)
      store<real>(to + <usize>(i * SIZE), load<real>(from + <usize>(i * UNIT_BYTES)));
  }
}

/** The lanes past n of the last panel become +0 in every unit. */
export function clearPadding(panels: usize, units: i32, n: i32): void {
  const used = n & 7;
  if (used == 0) return;
  let unit = panels + <usize>((n >> 3) * units * UNIT_BYTES);
  for (const stop = unit + <usize>(units * UNIT_BYTES); unit != stop; unit += UNIT_BYTES) {
    for (let lane = used; lane < PANEL; lane++) store<real>(unit + <usize>(lane * SIZE), 0);
  }
}

/**
 * Panels of deltas → rows: packD[o][s] = delta[s >> 3][o][s & 7], rows of roundUp(n, 8), the samples past n as in delta.
 *
 * Unit by unit, in f32 two at a time, which share a cache line: rows of all units at once are a multiple of 512 bytes apart for batches
 * of 128, and push each other out of the first cache (0.27 to 0.17 ns an element; with 1024 units and 256 samples 0.62 to 0.24).
 */
export function packDeltas(packD: usize, delta: usize, nOut: i32, n: i32): void {
  const panels = (n + PANEL - 1) / PANEL;
  const panelBytes = <usize>(nOut * UNIT_BYTES), rowBytes = <usize>(panels * UNIT_BYTES);
  let o = 0;
  if (SIZE == 4) {
    for (; o + 2 <= nOut; o += 2, delta += 2 * UNIT_BYTES, packD += 2 * rowBytes) {
      for (let to = packD, stop = packD + rowBytes, from = delta; to != stop; to += UNIT_BYTES, from += panelBytes) {
        v128.store(to, v128.load(from));
        v128.store(to, v128.load(from, 16), 16);
        v128.store(to + rowBytes, v128.load(from, 32));
        v128.store(to + rowBytes, v128.load(from, 48), 16);
      }
    }
  }
  for (; o < nOut; o++, delta += UNIT_BYTES, packD += rowBytes) {
    for (let to = packD, stop = packD + rowBytes, from = delta; to != stop; to += UNIT_BYTES, from += panelBytes) {
      v128.store(to, v128.load(from));
      v128.store(to, v128.load(from, 16), 16);
      if (SIZE == 8) {
        v128.store(to, v128.load(from, 32), 32);
        v128.store(to, v128.load(from, 48), 48);
      }
    }
  }
}

/**
 * Panels of activations → column strips: packA[c][s][j] = a[s >> 3][TILE_COLS·c + j][s & 7], +0 past nIn.
 *
 * Where the last panel is not full, its 8 samples run over into the strips that come after and are written whole later, as long as
 * there is room.
 */
export function packActivations(packA: usize, a: usize, nIn: i32, n: i32): void {
  const panelBytes = <usize>(nIn * UNIT_BYTES), stop = packA + <usize>(roundUp(nIn, TILE_COLS) * n * SIZE);
  for (let unit = 0; unit < nIn; unit += TILE_COLS) {
    const strip = packA + <usize>(unit * n * SIZE);
    const whole = unit + TILE_COLS <= nIn;
    for (let s = 0; s < n; s += PANEL) {
      const from = a + <usize>(s >> 3) * panelBytes + <usize>(unit * UNIT_BYTES);
      const to = strip + <usize>(s * 32);
      if (whole && to + PANEL * 32 <= stop) {
        for (let j = 0; j < TILE_COLS; j += LANES) {
          transposeUnits(to + <usize>(j * SIZE), from + <usize>(j * UNIT_BYTES), 32, LANES);
        }
      } else if (n - s >= PANEL) {
        for (let j = 0; j < TILE_COLS; j += LANES) {
          transposeUnits(to + <usize>(j * SIZE), from + <usize>(j * UNIT_BYTES), 32, nIn - unit - j);
        }
      } else {
        for (let sample = 0; sample < n - s; sample++) {
          for (let j = 0; j < TILE_COLS; j++) {
            const value: real = unit + j < nIn ? load<real>(from + <usize>(j * UNIT_BYTES + sample * SIZE)) : 0;
            store<real>(to + <usize>((sample * TILE_COLS + j) * SIZE), value);
          }
        }
      }
    }
  }
}

/** LANES units of one panel (8 samples each) → 8 rows of LANES units, `stride` bytes apart; units past the first `units` as +0. */
@inline
function transposeUnits(to: usize, from: usize, stride: usize, units: i32): void {
  const zero = v128.splat<real>(0);
  for (let s = 0; s < PANEL; s += LANES) {
    const source = from + <usize>(s * SIZE);
    const row = to + <usize>s * stride;
    const r0 = units > 0 ? v128.load(source) : zero, r1 = units > 1 ? v128.load(source + UNIT_BYTES) : zero;
    if (LANES == 4) {
      const r2 = units > 2 ? v128.load(source + 2 * UNIT_BYTES) : zero;
      const r3 = units > 3 ? v128.load(source + 3 * UNIT_BYTES) : zero;
      transposeRows4(row, stride, r0, r1, r2, r3);
    } else transposeRows2(row, stride, r0, r1);
  }
}

/** Four rows of four f32 → their columns, stored `stride` bytes apart. */
@inline
export function transposeRows4(to: usize, stride: usize, r0: v128, r1: v128, r2: v128, r3: v128): void {
  const t0 = v128.shuffle<i32>(r0, r1, 0, 4, 1, 5), t1 = v128.shuffle<i32>(r2, r3, 0, 4, 1, 5);
  const t2 = v128.shuffle<i32>(r0, r1, 2, 6, 3, 7), t3 = v128.shuffle<i32>(r2, r3, 2, 6, 3, 7);
  v128.store(to, v128.shuffle<i64>(t0, t1, 0, 2));
  v128.store(to + stride, v128.shuffle<i64>(t0, t1, 1, 3));
  v128.store(to + 2 * stride, v128.shuffle<i64>(t2, t3, 0, 2));
  v128.store(to + 3 * stride, v128.shuffle<i64>(t2, t3, 1, 3));
}

/** Two rows of two f64 → their columns. */
@inline
function transposeRows2(to: usize, stride: usize, r0: v128, r1: v128): void {
  v128.store(to, v128.shuffle<i64>(r0, r1, 0, 2));
  v128.store(to + stride, v128.shuffle<i64>(r0, r1, 1, 3));
}
