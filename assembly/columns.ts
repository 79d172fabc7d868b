// Online training of wide layers: the bottom trained layer of a chunk at batch 1. Nothing below it wants a delta, so that
// its W is only read forward and moved by the outer product; both go over columns with units in lanes, for which gemv.ts
// transposes W in registers at every step. Here W is transposed once a chunk: column strips of 8 vectors of units, at the end 4, 2
// and 1, each [nIn][units of the strip]. The units of a last, incomplete vector stay in the rows of W.
import { LANES, SIZE, loadSplat, madd } from "./lanes";

/** Units that stand in strips: whole vectors. */
@inline
export function stripUnits(nOut: i32): i32 {
  return nOut & -LANES;
}

/** Units of the strip that begins at unit o. */
@inline
function stripWidth(o: i32, units: i32): i32 {
  const left = units - o;
  if (left >= 8 * LANES) return 8 * LANES;
  if (left >= 4 * LANES) return 4 * LANES;
  return left >= 2 * LANES ? 2 * LANES : LANES;
}

/**
 * W's whole vectors of rows into strips, and whether that may serve: no weight is −0, see `descend`.
 *
 * strips [stripUnits(nOut) · nIn] written | W [nOut × pitch] read.
 */
export function packStrips(strips: usize, W: usize, nOut: i32, nIn: i32, pitch: i32): bool {
  assert(pitch >= nIn);
  const units = stripUnits(nOut), rowBytes = <usize>(pitch * SIZE);
  const negativeZero = v128.splat<real>(-0.0);
  let found = i32x4.splat(0);
  for (let o = 0; o < units; ) {
    const width = stripWidth(o, units);
    const strip = strips + <usize>o * <usize>(nIn * SIZE);
    for (let lane = 0; lane < width; lane += LANES) {
      let w0 = W + <usize>(o + lane) * rowBytes, to = strip + <usize>(lane * SIZE);
      for (let i = 0; i < nIn; i++, w0 += SIZE, to += <usize>(width * SIZE)) {
        const column = loadRows(w0, rowBytes);
        found = v128.or(found, SIZE == 4 ? i32x4.eq(column, negativeZero) : i64x2.eq(column, negativeZero));
        v128.store(to, column);
      }
    }
    o += width;
  }
  return !v128.any_true(found);
}

/** One element of LANES rows. */
@inline
function loadRows(w: usize, rowBytes: usize): v128 {
  if (LANES == 2) return v128.load64_lane(w + rowBytes, v128.load64_zero(w), 1);
  let c = v128.load32_lane(w + rowBytes, v128.load32_zero(w), 1);
  c = v128.load32_lane(w + 2 * rowBytes, c, 2);
  return v128.load32_lane(w + 3 * rowBytes, c, 3);
}

/** The strips back into the rows of W. */
export function unpackStrips(W: usize, strips: usize, nOut: i32, nIn: i32, pitch: i32): void {
  const units = stripUnits(nOut), rowBytes = <usize>(pitch * SIZE);
  for (let o = 0; o < units; ) {
    const width = stripWidth(o, units);
    const strip = strips + <usize>o * <usize>(nIn * SIZE);
    for (let lane = 0; lane < width; lane += LANES) {
      let w0 = W + <usize>(o + lane) * rowBytes, from = strip + <usize>(lane * SIZE);
      for (let i = 0; i < nIn; i++, w0 += SIZE, from += <usize>(width * SIZE)) {
        const column = v128.load(from);
        if (LANES == 2) {
          v128.store64_lane(w0, column, 0);
          v128.store64_lane(w0 + rowBytes, column, 1);
        } else {
          v128.store32_lane(w0, column, 0);
          v128.store32_lane(w0 + rowBytes, column, 1);
          v128.store32_lane(w0 + 2 * rowBytes, column, 2);
          v128.store32_lane(w0 + 3 * rowBytes, column, 3);
        }
      }
    }
    o += width;
  }
}

/**
 * z[o] = b[o] + Σᵢ W[o][i]·a[i], i ascending, for the units in strips.
 *
 * z [stripUnits(nOut)] written | a [nIn] read | strips read | b [nOut] read, or 0: start at +0.
 */
export function forwardStrips(z: usize, a: usize, strips: usize, b: usize, nOut: i32, nIn: i32): void {
  assert(nIn > 0);
  const units = stripUnits(nOut);
  for (let o = 0; o < units; ) {
    const width = stripWidth(o, units);
    const strip = strips + <usize>o * <usize>(nIn * SIZE);
    const to = z + <usize>(o * SIZE), bias = b ? b + <usize>(o * SIZE) : 0;
    if (width == 8 * LANES) forwardStrip(to, a, strip, bias, nIn, 8);
    else if (width == 4 * LANES) forwardStrip(to, a, strip, bias, nIn, 4);
    else if (width == 2 * LANES) forwardStrip(to, a, strip, bias, nIn, 2);
    else forwardStrip(to, a, strip, bias, nIn, 1);
    o += width;
  }
}

@inline
function forwardStrip(z: usize, a: usize, w: usize, b: usize, nIn: i32, vectors: i32): void {
  const zero = v128.splat<real>(0);
  let c0 = zero, c1 = zero, c2 = zero, c3 = zero, c4 = zero, c5 = zero, c6 = zero, c7 = zero;
  if (b) {
    c0 = v128.load(b);
    if (vectors > 1) c1 = v128.load(b, 16);
    if (vectors > 2) {
      c2 = v128.load(b, 32);
      c3 = v128.load(b, 48);
    }
    if (vectors > 4) {
      c4 = v128.load(b, 64);
      c5 = v128.load(b, 80);
      c6 = v128.load(b, 96);
      c7 = v128.load(b, 112);
    }
  }
  for (const end = a + <usize>(nIn * SIZE); a != end; a += SIZE, w += <usize>(16 * vectors)) {
    const x = loadSplat(a);
    c0 = madd(c0, v128.load(w), x);
    if (vectors > 1) c1 = madd(c1, v128.load(w, 16), x);
    if (vectors > 2) {
      c2 = madd(c2, v128.load(w, 32), x);
      c3 = madd(c3, v128.load(w, 48), x);
    }
    if (vectors > 4) {
      // Never holds: it ends a basic block, so that V8 (Node 20) does not load all eight vectors first and spill two.
      if (!w) break;
      c4 = madd(c4, v128.load(w, 64), x);
      c5 = madd(c5, v128.load(w, 80), x);
      c6 = madd(c6, v128.load(w, 96), x);
      c7 = madd(c7, v128.load(w, 112), x);
    }
  }
  v128.store(z, c0);
  if (vectors > 1) v128.store(z, c1, 16);
  if (vectors > 2) {
    v128.store(z, c2, 32);
    v128.store(z, c3, 48);
  }
  if (vectors > 4) {
    v128.store(z, c4, 64);
    v128.store(z, c5, 80);
    v128.store(z, c6, 96);
    v128.store(z, c7, 112);
  }
}

/**
 * W −= rnd(η·delta·aᵀ) for the units in strips; no weight may be −0.
 *
 * strips read, written | delta [stripUnits(nOut)] read | a [nIn] read.
 */
export function updateStrips(strips: usize, delta: usize, a: usize, eta: real, nOut: i32, nIn: i32): void {
  const units = stripUnits(nOut);
  for (let o = 0; o < units; ) {
    const width = stripWidth(o, units);
    const strip = strips + <usize>o * <usize>(nIn * SIZE), d = delta + <usize>(o * SIZE);
    if (width == 8 * LANES) updateStrip(strip, d, a, eta, nIn, 8);
    else if (width == 4 * LANES) updateStrip(strip, d, a, eta, nIn, 4);
    else if (width == 2 * LANES) updateStrip(strip, d, a, eta, nIn, 2);
    else updateStrip(strip, d, a, eta, nIn, 1);
    o += width;
  }
}

@inline
function updateStrip(w: usize, d: usize, a: usize, eta: real, nIn: i32, vectors: i32): void {
  const rate = v128.splat<real>(eta), zero = v128.splat<real>(0);
  const d0 = v128.load(d), d1 = vectors > 1 ? v128.load(d, 16) : zero;
  const d2 = vectors > 2 ? v128.load(d, 32) : zero, d3 = vectors > 2 ? v128.load(d, 48) : zero;
  const d4 = vectors > 4 ? v128.load(d, 64) : zero, d5 = vectors > 4 ? v128.load(d, 80) : zero;
  const d6 = vectors > 4 ? v128.load(d, 96) : zero, d7 = vectors > 4 ? v128.load(d, 112) : zero;
  for (const end = a + <usize>(nIn * SIZE); a != end; a += SIZE, w += <usize>(16 * vectors)) {
    const x = loadSplat(a);
    v128.store(w, descend(v128.load(w), rate, d0, x));
    if (vectors > 1) v128.store(w, descend(v128.load(w, 16), rate, d1, x), 16);
    if (vectors > 2) {
      v128.store(w, descend(v128.load(w, 32), rate, d2, x), 32);
      v128.store(w, descend(v128.load(w, 48), rate, d3, x), 48);
    }
    if (vectors > 4) {
      v128.store(w, descend(v128.load(w, 64), rate, d4, x), 64);
      v128.store(w, descend(v128.load(w, 80), rate, d5, x), 80);
      v128.store(w, descend(v128.load(w, 96), rate, d6, x), 96);
      v128.store(w, descend(v128.load(w, 112), rate, d7, x), 112);
    }
  }
}

/**
 * w − rnd(η·(+0 + rnd(d·x))) for w ≠ −0: there the sum with +0, which only makes +0 of a product −0, changes nothing, because
 * w − (−0) = w − (+0). And no difference is −0 unless w was: −0 does not arise.
 */
@inline
function descend(w: v128, rate: v128, d: v128, x: v128): v128 {
  return v128.sub<real>(w, v128.mul<real>(rate, v128.mul<real>(d, x)));
}
