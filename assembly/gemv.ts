// The hot loops for one sample. Vectors are [units] without panels; lanes hold different rows of W (forward) or different
// columns (delta, gradient), so that every element keeps the order of gemm.ts and a row's result does not depend on its batch.
import { LANES, SIZE, TILE_COLS, loadSplat, loadSplat1, loadSplat2, loadSplat3, madd, roundUp } from "./lanes";

/**
 * z = W·a + b for rows [begin, end): z[o] = b[o] + Σᵢ W[o][i]·a[i], i ascending.
 *
 * z [nOut] written | a [nIn] read | W [nOut × pitch] read | b [nOut] read, or 0: start at +0.
 * Four groups of LANES rows run side by side to cover the latency of the addition; at the end groups overlap, and what
 * stands in two is stored twice with the same bits.
 */
export function forwardVector(
  z: usize, a: usize, W: usize, b: usize, nOut: i32, nIn: i32, pitch: i32, begin: i32, end: i32,
): void {
  assert(nIn > 0 && (begin & (LANES - 1)) == 0 && end <= nOut);
  const rowBytes = <usize>(pitch * SIZE);
  const last = end - LANES;
  let o = begin;
  for (; o < last; o += 4 * LANES) {
    const o1 = min(o + LANES, last), o2 = min(o + 2 * LANES, last), o3 = min(o + 3 * LANES, last);
    let c0 = v128.splat<real>(0), c1 = c0, c2 = c0, c3 = c0;
    if (b) {
      c0 = v128.load(b + <usize>(o * SIZE));
      c1 = v128.load(b + <usize>(o1 * SIZE));
      c2 = v128.load(b + <usize>(o2 * SIZE));
      c3 = v128.load(b + <usize>(o3 * SIZE));
    }
    const w0 = W + <usize>o * rowBytes, w1 = W + <usize>o1 * rowBytes;
    const w2 = W + <usize>o2 * rowBytes, w3 = W + <usize>o3 * rowBytes;
    let p0 = w0, p1 = w1, p2 = w2, p3 = w3, x = a;
    const whole = a + <usize>((nIn & -LANES) * SIZE), length = a + <usize>(nIn * SIZE);
    // The tests of pointers against 0 never hold: they end basic blocks, so that V8 (Node 20) loads one group's rows at a time
    // and spills none of them.
    while (x != whole) {
      const x0 = loadSplat(x), x1 = loadSplat1(x);
      const x2 = LANES == 4 ? loadSplat2(x) : x0, x3 = LANES == 4 ? loadSplat3(x) : x1;
      c0 = addColumns(c0, x0, x1, x2, x3, p0, rowBytes);
      if (!p0) break;
      c1 = addColumns(c1, x0, x1, x2, x3, p1, rowBytes);
      if (!p1) break;
      c2 = addColumns(c2, x0, x1, x2, x3, p2, rowBytes);
      if (!p2) break;
      c3 = addColumns(c3, x0, x1, x2, x3, p3, rowBytes);
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
    v128.store(z + <usize>(o * SIZE), c0);
    v128.store(z + <usize>(o1 * SIZE), c1);
    v128.store(z + <usize>(o2 * SIZE), c2);
    v128.store(z + <usize>(o3 * SIZE), c3);
  }
  for (; o + LANES <= end; o += LANES) {
    const rows = W + <usize>o * rowBytes;
    let c = b ? v128.load(b + <usize>(o * SIZE)) : v128.splat<real>(0);
    let i = 0;
    for (; i + LANES <= nIn; i += LANES) {
      const x = a + <usize>(i * SIZE);
      const x2 = LANES == 4 ? loadSplat2(x) : loadSplat(x), x3 = LANES == 4 ? loadSplat3(x) : x2;
      c = addColumns(c, loadSplat(x), loadSplat1(x), x2, x3, rows + <usize>(i * SIZE), rowBytes);
    }
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

/** c + W[LANES rows][LANES columns]·x, columns ascending; the columns are made in registers. */
@inline
function addColumns(c: v128, x0: v128, x1: v128, x2: v128, x3: v128, w: usize, rowBytes: usize): v128 {
  const r0 = v128.load(w), r1 = v128.load(w + rowBytes);
  if (LANES == 2) {
    c = madd(c, v128.shuffle<i64>(r0, r1, 0, 2), x0);
    return madd(c, v128.shuffle<i64>(r0, r1, 1, 3), x1);
  }
  const r2 = v128.load(w + 2 * rowBytes), r3 = v128.load(w + 3 * rowBytes);
  const t0 = v128.shuffle<i32>(r0, r1, 0, 4, 1, 5), t1 = v128.shuffle<i32>(r2, r3, 0, 4, 1, 5);
  const t2 = v128.shuffle<i32>(r0, r1, 2, 6, 3, 7), t3 = v128.shuffle<i32>(r2, r3, 2, 6, 3, 7);
  c = madd(c, v128.shuffle<i64>(t0, t1, 0, 2), x0);
  c = madd(c, v128.shuffle<i64>(t0, t1, 1, 3), x1);
  c = madd(c, v128.shuffle<i64>(t2, t3, 0, 2), x2);
  return madd(c, v128.shuffle<i64>(t2, t3, 1, 3), x3);
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
  const rowBytes = <usize>(pitch * SIZE), columns = <usize>(roundUp(nIn, TILE_COLS) * SIZE);
  const rate = v128.splat<real>(eta);
  // With an update four rows would spill.
  const group = update ? 2 : 4, whole = nOut & -group;
  for (let i: usize = 0; i < columns; i += 16) v128.store(dst + i, v128.splat<real>(0));
  let o = 0, w = W;
  for (; o < whole; o += group, w += <usize>group * rowBytes) {
    deltaRows(dst, delta + <usize>(o * SIZE), w, rowBytes, columns, a, rate, update, group);
  }
  for (; o < nOut; o++, w += rowBytes) deltaRows(dst, delta + <usize>(o * SIZE), w, rowBytes, columns, a, rate, update, 1);
}

/** dst += Wᵀ·delta for 1, 2 or 4 rows of W, along all columns: streams that the processor fetches ahead of their use; dst stays near. */
@inline
function deltaRows(
  dst: usize, delta: usize, w0: usize, rowBytes: usize, columns: usize, a: usize, rate: v128, update: bool, rows: i32,
): void {
  const d0 = loadSplat(delta), d1 = rows > 1 ? loadSplat1(delta) : d0;
  const d2 = rows > 2 ? loadSplat(delta + 2 * SIZE) : d0, d3 = rows > 2 ? loadSplat(delta + 3 * SIZE) : d0;
  let w1 = w0 + rowBytes, w2 = w1 + rowBytes, w3 = w2 + rowBytes;
  for (const end = dst + columns; dst != end; dst += 32) {
    let c0 = v128.load(dst), c1 = v128.load(dst, 16);
    c0 = madd(c0, readWeights(w0, d0, rate, a, update, 0), d0);
    c1 = madd(c1, readWeights(w0, d0, rate, a, update, 16), d0);
    w0 += 32;
    if (rows > 1) {
      c0 = madd(c0, readWeights(w1, d1, rate, a, update, 0), d1);
      c1 = madd(c1, readWeights(w1, d1, rate, a, update, 16), d1);
      w1 += 32;
    }
    if (rows > 2) {
      c0 = madd(c0, readWeights(w2, d2, rate, a, update, 0), d2);
      c1 = madd(c1, readWeights(w2, d2, rate, a, update, 16), d2);
      c0 = madd(c0, readWeights(w3, d3, rate, a, update, 0), d3);
      c1 = madd(c1, readWeights(w3, d3, rate, a, update, 16), d3);
      w2 += 32;
      w3 += 32;
    }
    v128.store(dst, c0);
    v128.store(dst, c1, 16);
    if (update) a += 32;
  }
}

/** A vector of W, 0 or 16 bytes from w; with `update` W −= rnd(η·(+0 + d·x)) once it is read. */
@inline
function readWeights(w: usize, d: v128, rate: v128, a: usize, update: bool, half: i32): v128 {
  const weights = half == 0 ? v128.load(w) : v128.load(w, 16);
  if (update) {
    const moved = descend(weights, rate, d, half == 0 ? v128.load(a) : v128.load(a, 16));
    if (half == 0) v128.store(w, moved);
    else v128.store(w, moved, 16);
  }
  return weights;
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
  v128.store(ptr, descend(w0, rate, dr, v128.load(a)));
  v128.store(ptr, descend(w1, rate, dr, v128.load(a, 16)), 16);
}

/** w − rnd(η·(+0 + rnd(d·x))). */
@inline
function descend(w: v128, rate: v128, d: v128, x: v128): v128 {
  return v128.sub<real>(w, v128.mul<real>(rate, madd(v128.splat<real>(0), d, x)));
}
