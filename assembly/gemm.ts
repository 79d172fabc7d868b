// The hot loops for panels of samples: forward product, delta recursion, weight gradient.
//
// One accumulator per output element, contracted index ascending (DESIGN.md I1); lanes hold different samples (forward,
// delta) or different inputs (gradient), so that tiles choose which elements are computed together and never the order
// inside one. A tile is 4 rows × two vectors: 8 accumulators, 2 operands, 1 broadcast, which leaves no spills in the 15
// registers V8 has (measured). Ranges [begin, end) count rows of the result, so that a phase can be cut for threads.
import {
  HALVES, SIZE, TILE_COLS, UNIT_BYTES, loadSplat, loadSplat1, loadSplat2, loadSplat3, madd, roundUp,
} from "./lanes";

/**
 * z = W·a + b for rows [begin, end) of W: z[p][o][s] = b[o] + Σᵢ W[o][i]·a[p][i][s], i ascending.
 *
 * z [panels][nOut][8] written | a [panels][nIn][8] read | W [nOut × pitch] read | b [nOut] read, or 0: start at +0.
 */
export function forwardPanels(
  z: usize, a: usize, W: usize, b: usize,
  nOut: i32, nIn: i32, pitch: i32, panels: i32, begin: i32, end: i32,
): void {
  assert(nIn > 0 && pitch >= nIn && begin >= 0 && end <= nOut);
  const rowBytes = <usize>(pitch * SIZE);
  const aBytes = <usize>(nIn * UNIT_BYTES);
  const zBytes = <usize>(nOut * UNIT_BYTES);
  for (let o = begin; o < end; o += 4) {
    // Rows past the end repeat the last one: the same value is stored again.
    const last = end - 1;
    const o1 = min(o + 1, last), o2 = min(o + 2, last), o3 = min(o + 3, last);
    const w0 = W + <usize>o * rowBytes, w1 = W + <usize>o1 * rowBytes;
    const w2 = W + <usize>o2 * rowBytes, w3 = W + <usize>o3 * rowBytes;
    let b0 = v128.splat<real>(0), b1 = b0, b2 = b0, b3 = b0;
    if (b) {
      b0 = loadSplat(b + <usize>(o * SIZE));
      b1 = loadSplat(b + <usize>(o1 * SIZE));
      b2 = loadSplat(b + <usize>(o2 * SIZE));
      b3 = loadSplat(b + <usize>(o3 * SIZE));
    }
    for (let half = 0; half < panels * HALVES; half++) {
      const panel = <usize>(half / HALVES);
      const lane = <usize>((half & (HALVES - 1)) * 32);
      let aPtr = a + panel * aBytes + lane;
      const aEnd = aPtr + aBytes;
      let p0 = w0, p1 = w1, p2 = w2, p3 = w3;
      let c00 = b0, c01 = b0, c10 = b1, c11 = b1, c20 = b2, c21 = b2, c30 = b3, c31 = b3;
      while (aPtr != aEnd) {
        const a0 = v128.load(aPtr), a1 = v128.load(aPtr, 16);
        let wr = loadSplat(p0);
        c00 = madd(c00, wr, a0);
        c01 = madd(c01, wr, a1);
        wr = loadSplat(p1);
        c10 = madd(c10, wr, a0);
        c11 = madd(c11, wr, a1);
        wr = loadSplat(p2);
        c20 = madd(c20, wr, a0);
        c21 = madd(c21, wr, a1);
        wr = loadSplat(p3);
        c30 = madd(c30, wr, a0);
        c31 = madd(c31, wr, a1);
        aPtr += UNIT_BYTES;
        p0 += SIZE;
        p1 += SIZE;
        p2 += SIZE;
        p3 += SIZE;
      }
      const zPtr = z + panel * zBytes + lane;
      storeTwo(zPtr + <usize>(o * UNIT_BYTES), c00, c01);
      storeTwo(zPtr + <usize>(o1 * UNIT_BYTES), c10, c11);
      storeTwo(zPtr + <usize>(o2 * UNIT_BYTES), c20, c21);
      storeTwo(zPtr + <usize>(o3 * UNIT_BYTES), c30, c31);
    }
  }
}

/**
 * The delta recursion before f′: dst[p][i][s] = Σₒ W[o][i]·delta[p][o][s], o ascending from +0, rows [begin, end) of dst.
 *
 * dst [panels][nIn][8] written | delta [panels][nOut][8] read | W [nOut × pitch] read, columns nIn … roundUp(nIn, 4) too |
 * pack [nOut][4] scratch. From 8 panels on a strip of four columns of W is copied together first (measured: the stride
 * of W costs more than the copy from B = 64 on).
 */
export function deltaPanels(
  dst: usize, delta: usize, W: usize, pack: usize,
  nOut: i32, nIn: i32, pitch: i32, panels: i32, begin: i32, end: i32,
): void {
  assert(nOut > 0 && pitch >= roundUp(nIn, 4) && (begin & 3) == 0 && end <= nIn);
  const packed = panels >= 8;
  for (let i = begin; i < end; i += 4) {
    const strip = W + <usize>(i * SIZE);
    const to = dst + <usize>(i * UNIT_BYTES);
    if (packed) {
      packStrip(pack, strip, nOut, <usize>(pitch * SIZE));
      deltaStrip(to, delta, pack, <usize>(4 * SIZE), nOut, nIn, panels, end - i);
    } else deltaStrip(to, delta, strip, <usize>(pitch * SIZE), nOut, nIn, panels, end - i);
  }
}

/**
 * Four columns of W (`stride` bytes between rows) against all panels. A function of its own, so that the stride is a
 * parameter: V8 moved the choice of it into the inner loop.
 */
function deltaStrip(
  dst: usize, delta: usize, strip: usize, stride: usize, nOut: i32, nIn: i32, panels: i32, rows: i32,
): void {
  const dstBytes = <usize>(nIn * UNIT_BYTES);
  const deltaBytes = <usize>(nOut * UNIT_BYTES);
  const zero = v128.splat<real>(0);
  for (let half = 0; half < panels * HALVES; half++) {
    const panel = <usize>(half / HALVES);
    const lane = <usize>((half & (HALVES - 1)) * 32);
    let dPtr = delta + panel * deltaBytes + lane;
    const dEnd = dPtr + deltaBytes;
    let w = strip;
    let c00 = zero, c01 = zero, c10 = zero, c11 = zero, c20 = zero, c21 = zero, c30 = zero, c31 = zero;
    while (dPtr != dEnd) {
      const d0 = v128.load(dPtr), d1 = v128.load(dPtr, 16);
      let wr = loadSplat(w);
      c00 = madd(c00, wr, d0);
      c01 = madd(c01, wr, d1);
      wr = loadSplat1(w);
      c10 = madd(c10, wr, d0);
      c11 = madd(c11, wr, d1);
      wr = loadSplat2(w);
      c20 = madd(c20, wr, d0);
      c21 = madd(c21, wr, d1);
      wr = loadSplat3(w);
      c30 = madd(c30, wr, d0);
      c31 = madd(c31, wr, d1);
      dPtr += UNIT_BYTES;
      w += stride;
    }
    const to = dst + panel * dstBytes + lane;
    storeTwo(to, c00, c01);
    if (rows > 1) storeTwo(to + UNIT_BYTES, c10, c11);
    if (rows > 2) storeTwo(to + 2 * UNIT_BYTES, c20, c21);
    if (rows > 3) storeTwo(to + 3 * UNIT_BYTES, c30, c31);
  }
}

/** Four columns of W, `rowBytes` apart, copied to [nOut][4]. */
function packStrip(pack: usize, strip: usize, nOut: i32, rowBytes: usize): void {
  const end = pack + <usize>(nOut * 4 * SIZE);
  for (let p = pack; p != end; p += 4 * SIZE) {
    v128.store(p, v128.load(strip));
    if (SIZE == 8) v128.store(p, v128.load(strip, 16), 16);
    strip += rowBytes;
  }
}

/**
 * dW = D·Aᵀ (overwrites), or dW += D·Aᵀ (`add`, later blocks of a step), for row tiles of dW that cover [begin, end):
 * dW[o][i] = Σₛ delta[o][s]·a[i][s], s ascending over the n samples of the block.
 *
 * dW [nOut × pitch] written up to column roundUp(nIn, TILE_COLS), the padding as +0 |
 * packD [⌈nOut/4⌉][n][4] read | packA [⌈nIn/TILE_COLS⌉][n][TILE_COLS] read: see panels.ts.
 */
export function gradientPanels(
  dW: usize, packD: usize, packA: usize,
  nOut: i32, nIn: i32, pitch: i32, n: i32, add: bool, begin: i32, end: i32,
): void {
  if (add) gradientTiles(dW, dW, 0, packD, packA, nIn, pitch, n, true, false, begin, end);
  else gradientTiles(dW, dW, 0, packD, packA, nIn, pitch, n, false, false, begin, end);
}

/**
 * Fused descent: W −= rnd(η·dW) with dW as in gradientPanels, never stored; `add`: it starts from the stored dW of the
 * step's earlier blocks.
 */
export function gradientPanelsUpdate(
  W: usize, dW: usize, eta: real, packD: usize, packA: usize,
  nOut: i32, nIn: i32, pitch: i32, n: i32, add: bool, begin: i32, end: i32,
): void {
  if (add) gradientTiles(W, dW, eta, packD, packA, nIn, pitch, n, true, true, begin, end);
  else gradientTiles(W, dW, eta, packD, packA, nIn, pitch, n, false, true, begin, end);
}

@inline
function gradientTiles(
  dst: usize, dW: usize, eta: real, packD: usize, packA: usize,
  nIn: i32, pitch: i32, n: i32, add: bool, update: bool, begin: i32, end: i32,
): void {
  assert(n > 0 && (begin & 3) == 0 && pitch >= roundUp(nIn, TILE_COLS));
  const rowBytes = <usize>(pitch * SIZE);
  const stripBytes = <usize>(n * 32);
  const strips = (nIn + TILE_COLS - 1) / TILE_COLS;
  const zero = v128.splat<real>(0);
  for (let o = begin; o < end; o += 4) {
    const rows = end - o;
    const dBegin = packD + <usize>((o >> 2) * n * 4 * SIZE);
    for (let strip = 0; strip < strips; strip++) {
      let aPtr = packA + <usize>strip * stripBytes;
      const aEnd = aPtr + stripBytes;
      let d = dBegin;
      const offset = <usize>o * rowBytes + <usize>(strip * 32);
      const from = dW + offset;
      let c00 = zero, c01 = zero, c10 = zero, c11 = zero, c20 = zero, c21 = zero, c30 = zero, c31 = zero;
      if (add) {
        c00 = v128.load(from);
        c01 = v128.load(from, 16);
        if (rows > 1) {
          c10 = v128.load(from + rowBytes);
          c11 = v128.load(from + rowBytes, 16);
        }
        if (rows > 2) {
          c20 = v128.load(from + 2 * rowBytes);
          c21 = v128.load(from + 2 * rowBytes, 16);
        }
        if (rows > 3) {
          c30 = v128.load(from + 3 * rowBytes);
          c31 = v128.load(from + 3 * rowBytes, 16);
        }
      }
      while (aPtr != aEnd) {
        const a0 = v128.load(aPtr), a1 = v128.load(aPtr, 16);
        let dr = loadSplat(d);
        c00 = madd(c00, dr, a0);
        c01 = madd(c01, dr, a1);
        dr = loadSplat1(d);
        c10 = madd(c10, dr, a0);
        c11 = madd(c11, dr, a1);
        dr = loadSplat2(d);
        c20 = madd(c20, dr, a0);
        c21 = madd(c21, dr, a1);
        dr = loadSplat3(d);
        c30 = madd(c30, dr, a0);
        c31 = madd(c31, dr, a1);
        aPtr += 32;
        d += 4 * SIZE;
      }
      const to = dst + offset;
      if (update) {
        const rate = v128.splat<real>(eta);
        descend(to, rate, c00, c01);
        if (rows > 1) descend(to + rowBytes, rate, c10, c11);
        if (rows > 2) descend(to + 2 * rowBytes, rate, c20, c21);
        if (rows > 3) descend(to + 3 * rowBytes, rate, c30, c31);
      } else {
        storeTwo(to, c00, c01);
        if (rows > 1) storeTwo(to + rowBytes, c10, c11);
        if (rows > 2) storeTwo(to + 2 * rowBytes, c20, c21);
        if (rows > 3) storeTwo(to + 3 * rowBytes, c30, c31);
      }
    }
  }
}

/**
 * db[o] = Σₛ delta[o][s] (`add`: += …), s ascending, for row tiles that cover [begin, end).
 *
 * db [roundUp(nOut, 4)] written, padding +0 | packD [⌈nOut/4⌉][n][4] read.
 */
export function biasGradient(db: usize, packD: usize, n: i32, add: bool, begin: i32, end: i32): void {
  for (let o = begin; o < end; o += 4) {
    let d = packD + <usize>((o >> 2) * n * 4 * SIZE);
    const dEnd = d + <usize>(n * 4 * SIZE);
    const to = db + <usize>(o * SIZE);
    let c0 = v128.splat<real>(0), c1 = c0;
    if (add) {
      c0 = v128.load(to);
      if (SIZE == 8) c1 = v128.load(to, 16);
    }
    while (d != dEnd) {
      c0 = v128.add<real>(c0, v128.load(d));
      if (SIZE == 8) c1 = v128.add<real>(c1, v128.load(d, 16));
      d += 4 * SIZE;
    }
    v128.store(to, c0);
    if (SIZE == 8) v128.store(to, c1, 16);
  }
}

@inline
function storeTwo(ptr: usize, c0: v128, c1: v128): void {
  v128.store(ptr, c0);
  v128.store(ptr, c1, 16);
}

/** W −= rnd(η·g) for two vectors. */
@inline
function descend(ptr: usize, rate: v128, g0: v128, g1: v128): void {
  v128.store(ptr, v128.sub<real>(v128.load(ptr), v128.mul<real>(rate, g0)));
  v128.store(ptr, v128.sub<real>(v128.load(ptr, 16), v128.mul<real>(rate, g1)), 16);
}
