// The hot loops for one sample. Vectors are [units] without panels; lanes hold different rows of W (forward) or different
// columns (delta, gradient), so that every element keeps the order of gemm.ts and a row's result does not depend on its batch.
import { LANES, SIZE, TILE_COLS, loadSplat, madd, roundUp } from "./lanes";

/**
 * z = W·a + b for rows [begin, end): z[o] = b[o] + Σᵢ W[o][i]·a[i], i ascending.
 *
 * z [nOut] written | a [nIn] read | W [nOut × pitch] read |
 * b [nOut] read, or 0: start at +0. Four groups of LANES rows run side by side to cover the latency of the addition.
 */
export function forwardVector(
  z: usize, a: usize, W: usize, b: usize, nOut: i32, nIn: i32, pitch: i32, begin: i32, end: i32,
): void {
  assert(nIn > 0 && (begin & (TILE_COLS - 1)) == 0 && end <= nOut);
  const rowBytes = <usize>(pitch * SIZE);
  let o = begin;
  for (; o + 4 * LANES <= end; o += 4 * LANES) {
    const w0 = W + <usize>o * rowBytes;
    const w1 = w0 + <usize>LANES * rowBytes, w2 = w1 + <usize>LANES * rowBytes, w3 = w2 + <usize>LANES * rowBytes;
    let c0 = v128.splat<real>(0), c1 = c0, c2 = c0, c3 = c0;
    if (b) {
      const bPtr = b + <usize>(o * SIZE);
      c0 = v128.load(bPtr);
      c1 = v128.load(bPtr, 16);
      c2 = v128.load(bPtr, 32);
      c3 = v128.load(bPtr, 48);
    }
    let p0 = w0, p1 = w1, p2 = w2, p3 = w3, x = a;
    const whole = a + <usize>((nIn & -LANES) * SIZE), length = a + <usize>(nIn * SIZE);
    while (x != whole) {
      c0 = addColumns(c0, x, p0, rowBytes);
      c1 = addColumns(c1, x, p1, rowBytes);
      c2 = addColumns(c2, x, p2, rowBytes);
      c3 = addColumns(c3, x, p3, rowBytes);
      x += 16;
      p0 += 16;
      p1 += 16;
      p2 += 16;
      p3 += 16;
    }
    while (x != length) {
      const xi = loadSplat(x);
      c0 = madd(c0, loadColumn(p0, rowBytes), xi);
      c1 = madd(c1, loadColumn(p1, rowBytes), xi);
      c2 = madd(c2, loadColumn(p2, rowBytes), xi);
      c3 = madd(c3, loadColumn(p3, rowBytes), xi);
      x += SIZE;
      p0 += SIZE;
      p1 += SIZE;
      p2 += SIZE;
      p3 += SIZE;
    }
    const zPtr = z + <usize>(o * SIZE);
    v128.store(zPtr, c0);
    v128.store(zPtr, c1, 16);
    v128.store(zPtr, c2, 32);
    v128.store(zPtr, c3, 48);
  }
  for (; o + LANES <= end; o += LANES) {
    const rows = W + <usize>o * rowBytes;
    let c = b ? v128.load(b + <usize>(o * SIZE)) : v128.splat<real>(0);
    let i = 0;
    for (; i + LANES <= nIn; i += LANES) c = addColumns(c, a + <usize>(i * SIZE), rows + <usize>(i * SIZE), rowBytes);
    for (; i < nIn; i++) c = madd(c, loadColumn(rows + <usize>(i * SIZE), rowBytes), loadSplat(a + <usize>(i * SIZE)));
    v128.store(z + <usize>(o * SIZE), c);
  }
  for (; o < end; o++) {
    const row = W + <usize>o * rowBytes;
    let c = b ? loadSplat(b + <usize>(o * SIZE)) : v128.splat<real>(0);
    for (let i = 0; i < nIn; i++) c = madd(c, loadSplat(row + <usize>(i * SIZE)), loadSplat(a + <usize>(i * SIZE)));
    store<real>(z + <usize>(o * SIZE), v128.extract_lane<real>(c, 0));
  }
}

/** c + W[LANES rows][LANES columns]·a, columns ascending; the columns are made in registers. */
@inline
function addColumns(c: v128, a: usize, w: usize, rowBytes: usize): v128 {
  const r0 = v128.load(w), r1 = v128.load(w + rowBytes);
  if (LANES == 2) {
    c = madd(c, v128.shuffle<i64>(r0, r1, 0, 2), loadSplat(a));
    return madd(c, v128.shuffle<i64>(r0, r1, 1, 3), loadSplat(a + SIZE));
  }
  const r2 = v128.load(w + 2 * rowBytes), r3 = v128.load(w + 3 * rowBytes);
  const t0 = v128.shuffle<i32>(r0, r1, 0, 4, 1, 5), t1 = v128.shuffle<i32>(r2, r3, 0, 4, 1, 5);
  const t2 = v128.shuffle<i32>(r0, r1, 2, 6, 3, 7), t3 = v128.shuffle<i32>(r2, r3, 2, 6, 3, 7);
  c = madd(c, v128.shuffle<i64>(t0, t1, 0, 2), loadSplat(a));
  c = madd(c, v128.shuffle<i64>(t0, t1, 1, 3), loadSplat(a + SIZE));
  c = madd(c, v128.shuffle<i64>(t2, t3, 0, 2), loadSplat(a + 2 * SIZE));
  return madd(c, v128.shuffle<i64>(t2, t3, 1, 3), loadSplat(a + 3 * SIZE));
}

/** One element of LANES rows. */
@inline
function loadColumn(w: usize, rowBytes: usize): v128 {
  if (LANES == 2) return v128.load64_lane(w + rowBytes, v128.load64_zero(w), 1);
  let c = v128.load32_zero(w);
  c = v128.load32_lane(w + rowBytes, c, 1);
  c = v128.load32_lane(w + 2 * rowBytes, c, 2);
  return v128.load32_lane(w + 3 * rowBytes, c, 3);
}

/**
 * dst[i] = Σₒ W[o][i]·delta[o], o ascending from +0.
 *
 * dst [roundUp(nIn, TILE_COLS)] written, padding +0 | delta [nOut] read | W [nOut × pitch] read.
 */
export function deltaVector(dst: usize, delta: usize, W: usize, nOut: i32, nIn: i32, pitch: i32): void {
  deltaColumns(dst, delta, W, 0, 0, nOut, nIn, pitch, false);
}

/**
 * deltaVector and W −= rnd(η·delta·aᵀ) in one pass: each weight is read for the delta before it is written.
 *
 * a [roundUp(nIn, TILE_COLS)] read, padding +0 | W [nOut × pitch] read, written | the rest as deltaVector.
 */
export function deltaVectorUpdate(
  dst: usize, delta: usize, W: usize, a: usize, eta: real, nOut: i32, nIn: i32, pitch: i32,
): void {
  deltaColumns(dst, delta, W, a, eta, nOut, nIn, pitch, true);
}

@inline
function deltaColumns(
  dst: usize, delta: usize, W: usize, a: usize, eta: real, nOut: i32, nIn: i32, pitch: i32, update: bool,
): void {
  assert(nOut > 0 && pitch >= roundUp(nIn, TILE_COLS));
  const rowBytes = <usize>(pitch * SIZE);
  const columns = roundUp(nIn, TILE_COLS) * SIZE;
  const rate = v128.splat<real>(eta);
  const dEnd = delta + <usize>(nOut * SIZE);
  for (let i: usize = 0; i < <usize>columns; i += 32) {
    let w = W + i;
    let c0 = v128.splat<real>(0), c1 = c0;
    for (let d = delta; d != dEnd; d += SIZE) {
      const dr = loadSplat(d);
      const w0 = v128.load(w), w1 = v128.load(w, 16);
      c0 = madd(c0, w0, dr);
      c1 = madd(c1, w1, dr);
      if (update) descendTwo(w, w0, w1, rate, dr, a + i);
      w += rowBytes;
    }
    v128.store(dst + i, c0);
    v128.store(dst + i, c1, 16);
  }
}

/**
 * W −= rnd(η·delta·aᵀ).
 *
 * W [nOut × pitch] read, written | delta [nOut] read | a [roundUp(nIn, TILE_COLS)] read, padding +0.
 */
export function updateVector(W: usize, delta: usize, a: usize, eta: real, nOut: i32, nIn: i32, pitch: i32): void {
  assert(pitch >= roundUp(nIn, TILE_COLS));
  const columns = <usize>(roundUp(nIn, TILE_COLS) * SIZE);
  const rate = v128.splat<real>(eta);
  for (let o = 0; o < nOut; o++) {
    const row = W + <usize>o * <usize>(pitch * SIZE);
    const dr = loadSplat(delta + <usize>(o * SIZE));
    for (let i: usize = 0; i < columns; i += 32) {
      descendTwo(row + i, v128.load(row + i), v128.load(row + i, 16), rate, dr, a + i);
    }
  }
}

/** dW = delta·aᵀ, each element +0 + delta·a as the one-sample case of gradientPanels; operands as updateVector. */
export function gradientVector(dW: usize, delta: usize, a: usize, nOut: i32, nIn: i32, pitch: i32): void {
  assert(pitch >= roundUp(nIn, TILE_COLS));
  const columns = <usize>(roundUp(nIn, TILE_COLS) * SIZE);
  const zero = v128.splat<real>(0);
  for (let o = 0; o < nOut; o++) {
    const row = dW + <usize>o * <usize>(pitch * SIZE);
    const dr = loadSplat(delta + <usize>(o * SIZE));
    for (let i: usize = 0; i < columns; i += 32) {
      v128.store(row + i, madd(zero, dr, v128.load(a + i)));
      v128.store(row + i, madd(zero, dr, v128.load(a + i, 16)), 16);
    }
  }
}

/** Two vectors of W −= rnd(η·(+0 + delta·a)). */
@inline
function descendTwo(ptr: usize, w0: v128, w1: v128, rate: v128, dr: v128, a: usize): void {
  const zero = v128.splat<real>(0);
  v128.store(ptr, v128.sub<real>(w0, v128.mul<real>(rate, madd(zero, dr, v128.load(a)))));
  v128.store(ptr, v128.sub<real>(w1, v128.mul<real>(rate, madd(zero, dr, v128.load(a, 16)))), 16);
}
