// The hot loops for panels of samples: forward product, delta recursion, weight gradient.
//
// One accumulator per output element, contracted index ascending (DESIGN.md I1); lanes hold different samples (forward,
// delta) or different inputs (gradient), so that tiles choose which elements are computed together and never the order
// inside one. All three are one tile (tile.ts). Ranges [begin, end) count rows of the result, so that a phase can be cut. The number that the
// products return means nothing; tile6 says why it is there.
import { PACK_COLUMNS, PACK_DEPTH } from "./abi";
import { HALVES, LANES, PANEL, SIZE, TILE_COLS, UNIT_BYTES, loadSplat, loadSplat1, roundUp } from "./lanes";
import { DESCEND, RECTIFY, SLOPE, STORE, tile, tileRows } from "./tile";

/**
 * z = W·a + b for rows [begin, end) of W: z[p][o][s] = b[o] + Σᵢ W[o][i]·a[p][i][s], i ascending.
 *
 * z [panels][nOut][8] written | a [panels][nIn][8] read | W [nOut × pitch] read | b [nOut] read, or 0: start at +0 |
 * rectify: relu(z) is written.
 */
export function forwardPanels(
  z: usize, a: usize, W: usize, b: usize,
  nOut: i32, nIn: i32, pitch: i32, panels: i32, begin: i32, end: i32, rectify: bool,
): i32 {
  assert(nIn > 0 && pitch >= nIn && begin >= 0 && end <= nOut);
  let held = 0;
  for (let o = begin; o < end;) {
    const rows = tileRows(end - o);
    if (RELAXED && rows == 6) held ^= forwardRows(true, z, a, W, b, nOut, nIn, pitch, panels, o, end, rectify);
    else forwardRows(false, z, a, W, b, nOut, nIn, pitch, panels, o, end, rectify);
    o += rows;
  }
  return held;
}

/** From the `half`-th tile across the panels to the next: from panel to panel, in f64 from one half of a panel to the other first. */
@inline
function nextHalf(half: i32, panelBytes: usize): usize {
  return HALVES == 1 ? panelBytes : half & 1 ? panelBytes - 32 : 32;
}

/** Rows o … o + 3 or o + 5, those before `end`. */
@inline
function forwardRows(
  six: bool, z: usize, a: usize, W: usize, b: usize, nOut: i32, nIn: i32, pitch: i32, panels: i32, o: i32, end: i32,
  rectify: bool,
): i32 {
  const rowBytes = <usize>(pitch * SIZE);
  const aBytes = <usize>(nIn * UNIT_BYTES);
  const zBytes = <usize>(nOut * UNIT_BYTES);
  // Rows past the end repeat the last one, and are not stored.
  const o1 = min(o + 1, end - 1), o2 = min(o + 2, end - 1), o3 = min(o + 3, end - 1), o5 = min(o + 5, end - 1);
  const w0 = W + <usize>o * rowBytes, w1 = W + <usize>o1 * rowBytes;
  const w2 = W + <usize>o2 * rowBytes, w3 = W + <usize>o3 * rowBytes;
  const w4 = w3 + rowBytes, w5 = W + <usize>o5 * rowBytes;
  let b0 = v128.splat<real>(0), b1 = b0, b2 = b0, b3 = b0, b4 = b0, b5 = b0;
  if (b) {
    b0 = loadSplat(b + <usize>(o * SIZE));
    b1 = loadSplat(b + <usize>(o1 * SIZE));
    b2 = loadSplat(b + <usize>(o2 * SIZE));
    b3 = loadSplat(b + <usize>(o3 * SIZE));
    if (six) {
      b4 = loadSplat1(b + <usize>(o3 * SIZE));
      b5 = loadSplat(b + <usize>(o5 * SIZE));
    }
  }
  let from = a, to = z + <usize>(o * UNIT_BYTES), held = 0;
  const rows = end - o, stop = from + <usize>panels * aBytes;
  for (let half = 0; from != stop; half++) {
    held ^= tile(
      six, false, 0, w0, w1, w2, w3, w4, w5, from, nIn, UNIT_BYTES, b0, b0, b1, b1, b2, b2, b3, b3, b4, b4, b5, b5,
      RECTIFY, <usize>rectify, b0, to, UNIT_BYTES, rows,
    );
    from += nextHalf(half, aBytes);
    to += nextHalf(half, zBytes);
  }
  return held;
}

/**
 * The delta recursion before f′, or with that of a relu: dst[p][i][s] = Σₒ W[o][i]·delta[p][o][s], o ascending from +0, rows [begin, end) of dst.
 *
 * dst [panels][nIn][8] written | delta [panels][nOut][8] read | W [nOut × pitch] read, columns nIn … roundUp(nIn, 4) too |
 * pack [min(roundUp(nOut, 4), MAX_DEPTH)][4], with tiles of 6 rows [6], scratch | relu [panels][nIn][8] read, the activations of a
 * relu (and what stands in the three units of 8 after them): dst ∘ relu′ is written, what is below normal as +0; or 0.
 *
 * A tile takes four or six columns of W side by side, as they stand there or, where that would push itself out of the first cache, copied next to
 * each other: every panel's tile reads them again.
 */
export function deltaPanels(
  dst: usize, delta: usize, W: usize, pack: usize,
  nOut: i32, nIn: i32, pitch: i32, panels: i32, begin: i32, end: i32, relu: usize,
): i32 {
  assert(nOut > 0 && pitch >= roundUp(nIn, 4) && (begin & 3) == 0 && end <= nIn);
  assert((RELAXED ? 6 : 4) * MAX_DEPTH <= PACK_COLUMNS * PACK_DEPTH);
  const most = nOut <= MAX_DEPTH ? nOut : DEPTH;
  const rowBytes = <usize>(pitch * SIZE);
  let held = 0;
  for (let first = 0; first < nOut; first += most) {
    const depth = min(most, nOut - first);
    const rows = W + <usize>first * rowBytes;
    const inPlace = staysInCache(depth, rowBytes);
    for (let i = begin; i < end;) {
      const count = tileRows(end - i);
      let columns = rows + <usize>(i * SIZE), step = rowBytes;
      if (!inPlace) {
        step = RELAXED && count == 6 ? 6 * SIZE : 4 * SIZE;
        copyColumns(pack, columns, depth, rowBytes, step);
        columns = pack;
      }
      if (RELAXED && count == 6) held ^= deltaRows(true, dst, delta, columns, step, nOut, nIn, panels, first, depth, i, end, relu);
      else deltaRows(false, dst, delta, columns, step, nOut, nIn, panels, first, depth, i, end, relu);
      i += count;
    }
  }
  return held;
}

/**
 * Units of the contraction at a time where there are many: the columns of a tile and a panel's deltas stay in the first cache. Up to
 * MAX_DEPTH one go is better with tiles of 4 rows (measured, B128: 1024² 85 against 82 % of peak, 2048² 67 against 81 %).
 */
const DEPTH: i32 = 2048 / SIZE;
const MAX_DEPTH: i32 = RELAXED ? DEPTH : 2 * DEPTH;

/**
 * Whether `depth` lines of 64 bytes, `rowBytes` apart, stay in a first cache of 32 KB beside a panel of deltas, and their pages in the first
 * table of 64: half of the cache at most, of whose 64 sets rows a multiple of a power of 2 apart use but a part.
 */
@inline
function staysInCache(depth: i32, rowBytes: usize): bool {
  return <usize>depth * max(64, rowBytes & -rowBytes) <= 16_384 && <usize>depth * rowBytes <= 131_072;
}

/** Tiles of the columns `row` … `end` of W, at `columns` and `step` bytes from unit to unit; the sums of the units before `first` are continued. */
@inline
function deltaRows(
  six: bool, dst: usize, delta: usize, columns: usize, step: usize, nOut: i32, nIn: i32, panels: i32,
  first: i32, depth: i32, row: i32, end: i32, relu: usize,
): i32 {
  const other = relu && first + depth == nOut ? relu - dst : 0;
  const dstBytes = <usize>(nIn * UNIT_BYTES), deltaBytes = <usize>(nOut * UNIT_BYTES);
  const rows = end - row;
  let from = delta + <usize>(first * UNIT_BYTES), to = dst + <usize>(row * UNIT_BYTES), held = 0;
  const stop = from + <usize>panels * deltaBytes;
  for (let half = 0; from != stop; half++) {
    const zero = v128.splat<real>(0);
    let c00 = zero, c01 = zero, c10 = zero, c11 = zero, c20 = zero, c21 = zero, c30 = zero, c31 = zero;
    let c40 = zero, c41 = zero, c50 = zero, c51 = zero;
    if (first > 0) {
      c00 = v128.load(to);
      c01 = v128.load(to, 16);
      if (rows > 1) {
        c10 = v128.load(to + UNIT_BYTES);
        c11 = v128.load(to + UNIT_BYTES, 16);
      }
      if (rows > 2) {
        c20 = v128.load(to + 2 * UNIT_BYTES);
        c21 = v128.load(to + 2 * UNIT_BYTES, 16);
      }
      if (rows > 3) {
        c30 = v128.load(to + 3 * UNIT_BYTES);
        c31 = v128.load(to + 3 * UNIT_BYTES, 16);
      }
      if (six) {
        c40 = v128.load(to + 4 * UNIT_BYTES);
        c41 = v128.load(to + 4 * UNIT_BYTES, 16);
        if (rows > 5) {
          c50 = v128.load(to + 5 * UNIT_BYTES);
          c51 = v128.load(to + 5 * UNIT_BYTES, 16);
        }
      }
    }
    held ^= tile(
      six, true, step, columns, columns + SIZE, columns + 2 * SIZE, columns + 3 * SIZE, 0, 0,
      from, depth, UNIT_BYTES, c00, c01, c10, c11, c20, c21, c30, c31, c40, c41, c50, c51, SLOPE, other, zero, to, UNIT_BYTES, rows,
    );
    from += nextHalf(half, deltaBytes);
    to += nextHalf(half, dstBytes);
  }
  return held;
}

/** Columns of W as they stand in its rows, `rowBytes` apart: those of `bytes` bytes, 4 or 6. */
function copyColumns(pack: usize, W: usize, depth: i32, rowBytes: usize, bytes: usize): void {
  for (let to = pack, stop = pack + <usize>depth * bytes; to != stop; to += bytes, W += rowBytes) {
    v128.store(to, v128.load(W));
    if (SIZE == 8) v128.store(to, v128.load(W, 16), 16);
    if (!RELAXED || bytes == 4 * SIZE) continue;
    if (SIZE == 8) v128.store(to, v128.load(W, 32), 32);
    else store<u64>(to, load<u64>(W, 16), 16);
  }
}

/**
 * dW = D·Aᵀ (overwrites), or dW += D·Aᵀ (`add`, later blocks of a step), for row tiles of dW that cover [begin, end):
 * dW[o][i] = Σₛ delta[o][s]·a[i][s], s ascending over the n samples of the block.
 *
 * dW [nOut × pitch] written up to column roundUp(nIn, TILE_COLS), the padding as +0 |
 * packD [nOut][roundUp(n, 8)] read | packA [⌈nIn/TILE_COLS⌉][n][TILE_COLS] read: see panels.ts.
 */
export function gradientPanels(
  dW: usize, packD: usize, packA: usize,
  nOut: i32, nIn: i32, pitch: i32, n: i32, add: bool, begin: i32, end: i32,
): i32 {
  // In the relaxed core a loop for each: where a sum may start takes registers and instructions that its tile of six rows lacks (with one for both 3 to 6 % of tiles of 32 samples).
  if (!RELAXED) return gradientTiles(dW, 0, packD, packA, nIn, pitch, n, add, STORE, begin, end);
  if (!add) return gradientTiles(dW, 0, packD, packA, nIn, pitch, n, false, STORE, begin, end);
  return gradientTiles(dW, 0, packD, packA, nIn, pitch, n, true, STORE, begin, end);
}

/** Fused descent: W −= rnd(η·dW) with dW as in gradientPanels without `add`, never stored. */
export function gradientPanelsUpdate(
  W: usize, eta: real, packD: usize, packA: usize, nOut: i32, nIn: i32, pitch: i32, n: i32, begin: i32, end: i32,
): i32 {
  return gradientTiles(W, eta, packD, packA, nIn, pitch, n, false, DESCEND, begin, end);
}

@inline
function gradientTiles(
  dst: usize, eta: real, packD: usize, packA: usize,
  nIn: i32, pitch: i32, n: i32, add: bool, then: i32, begin: i32, end: i32,
): i32 {
  assert(n > 0 && (begin & 3) == 0 && pitch >= roundUp(nIn, TILE_COLS));
  let held = 0;
  for (let o = begin; o < end;) {
    const rows = tileRows(end - o);
    if (RELAXED && rows == 6) held ^= gradientRows(true, dst, eta, packD, packA, nIn, pitch, n, add, then, o, end);
    else gradientRows(false, dst, eta, packD, packA, nIn, pitch, n, add, then, o, end);
    o += rows;
  }
  return held;
}

@inline
function gradientRows(
  six: bool, dst: usize, eta: real, packD: usize, packA: usize,
  nIn: i32, pitch: i32, n: i32, add: bool, then: i32, o: i32, end: i32,
): i32 {
  const rowBytes = <usize>(pitch * SIZE);
  const stripBytes = <usize>(n * 32);
  const dBytes = <usize>(roundUp(n, PANEL) * SIZE);
  const zero = v128.splat<real>(0), rate = v128.splat<real>(eta);
  const o1 = min(o + 1, end - 1), o2 = min(o + 2, end - 1), o3 = min(o + 3, end - 1), o5 = min(o + 5, end - 1);
  const d0 = packD + <usize>o * dBytes, d1 = packD + <usize>o1 * dBytes;
  const d2 = packD + <usize>o2 * dBytes, d3 = packD + <usize>o3 * dBytes;
  const d4 = d3 + dBytes, d5 = packD + <usize>o5 * dBytes;
  const rows = end - o;
  let to = dst + <usize>o * rowBytes, held = 0;
  const stop = to + <usize>(roundUp(nIn, TILE_COLS) * SIZE);
  for (let aPtr = packA; to < stop; to += 32, aPtr += stripBytes) {
    let c00 = zero, c01 = zero, c10 = zero, c11 = zero, c20 = zero, c21 = zero, c30 = zero, c31 = zero;
    let c40 = zero, c41 = zero, c50 = zero, c51 = zero;
    if (add) {
      const t1 = to + <usize>(o1 - o) * rowBytes, t2 = to + <usize>(o2 - o) * rowBytes, t3 = to + <usize>(o3 - o) * rowBytes;
      c00 = v128.load(to);
      c01 = v128.load(to, 16);
      c10 = v128.load(t1);
      c11 = v128.load(t1, 16);
      c20 = v128.load(t2);
      c21 = v128.load(t2, 16);
      c30 = v128.load(t3);
      c31 = v128.load(t3, 16);
      if (six) {
        const t4 = t3 + rowBytes, t5 = t3 + <usize>(o5 - o3) * rowBytes;
        c40 = v128.load(t4);
        c41 = v128.load(t4, 16);
        c50 = v128.load(t5);
        c51 = v128.load(t5, 16);
      }
    }
    held ^= tile(
      six, false, 0, d0, d1, d2, d3, d4, d5, aPtr, n, 32, c00, c01, c10, c11, c20, c21, c30, c31, c40, c41, c50, c51,
      then, 0, rate, to, rowBytes, rows,
    );
  }
  return held;
}

/**
 * db[o] = Σₛ delta[o][s] (`add`: += …), s ascending, for row tiles that cover [begin, end).
 *
 * db [roundUp(nOut, 4)] written, padding +0 | packD [nOut][roundUp(n, 8)] read.
 */
export function biasGradient(db: usize, packD: usize, n: i32, add: bool, begin: i32, end: i32): void {
  const zero = v128.splat<real>(0);
  // Two vectors of sums side by side: each waits for its last addition. Rows past the end repeat the last one, and become +0 in the end.
  for (let o = begin; o < end; o += 2 * LANES) {
    const to = db + <usize>(o * SIZE);
    const second = o + LANES < end;
    let c = add ? v128.load(to) : zero, e = add && second ? v128.load(to, 16) : zero;
    const d0 = deltasOf(packD, n, o, end), d1 = deltasOf(packD, n, o + 1, end);
    const d2 = deltasOf(packD, n, o + 2, end), d3 = deltasOf(packD, n, o + 3, end);
    let d4: usize = 0, d5: usize = 0, d6: usize = 0, d7: usize = 0;
    if (LANES == 4) {
      d4 = deltasOf(packD, n, o + 4, end);
      d5 = deltasOf(packD, n, o + 5, end);
      d6 = deltasOf(packD, n, o + 6, end);
      d7 = deltasOf(packD, n, o + 7, end);
    }
    let s: usize = 0;
    for (; s + 16 <= <usize>(n * SIZE); s += 16) {
      if (LANES == 4) {
        c = addColumns4(c, v128.load(d0 + s), v128.load(d1 + s), v128.load(d2 + s), v128.load(d3 + s));
        e = addColumns4(e, v128.load(d4 + s), v128.load(d5 + s), v128.load(d6 + s), v128.load(d7 + s));
      } else {
        c = addColumns2(c, v128.load(d0 + s), v128.load(d1 + s));
        e = addColumns2(e, v128.load(d2 + s), v128.load(d3 + s));
      }
    }
    for (; s < <usize>(n * SIZE); s += SIZE) {
      if (LANES == 4) {
        c = v128.add<real>(c, column4(d0 + s, d1 + s, d2 + s, d3 + s));
        e = v128.add<real>(e, column4(d4 + s, d5 + s, d6 + s, d7 + s));
      } else {
        c = v128.add<real>(c, v128.replace_lane<real>(loadSplat(d0 + s), 1, load<real>(d1 + s)));
        e = v128.add<real>(e, v128.replace_lane<real>(loadSplat(d2 + s), 1, load<real>(d3 + s)));
      }
    }
    v128.store(to, c);
    if (second) v128.store(to, e, 16);
  }
  for (let o = end; o < roundUp(end, 4); o++) store<real>(db + <usize>(o * SIZE), 0);
}

/** The packed deltas of unit o, or of the last before `end`. */
@inline
function deltasOf(packD: usize, n: i32, o: i32, end: i32): usize {
  return packD + <usize>(min(o, end - 1) * roundUp(n, PANEL) * SIZE);
}

/** c + the columns of four rows, one after the other. */
@inline
function addColumns4(c: v128, r0: v128, r1: v128, r2: v128, r3: v128): v128 {
  const t0 = v128.shuffle<i32>(r0, r1, 0, 4, 1, 5), t1 = v128.shuffle<i32>(r2, r3, 0, 4, 1, 5);
  const t2 = v128.shuffle<i32>(r0, r1, 2, 6, 3, 7), t3 = v128.shuffle<i32>(r2, r3, 2, 6, 3, 7);
  c = v128.add<real>(v128.add<real>(c, v128.shuffle<i64>(t0, t1, 0, 2)), v128.shuffle<i64>(t0, t1, 1, 3));
  return v128.add<real>(v128.add<real>(c, v128.shuffle<i64>(t2, t3, 0, 2)), v128.shuffle<i64>(t2, t3, 1, 3));
}

/** The same of two rows of two. */
@inline
function addColumns2(c: v128, r0: v128, r1: v128): v128 {
  return v128.add<real>(v128.add<real>(c, v128.shuffle<i64>(r0, r1, 0, 2)), v128.shuffle<i64>(r0, r1, 1, 3));
}

/** Four f32, side by side. */
@inline
function column4(p0: usize, p1: usize, p2: usize, p3: usize): v128 {
  const low = f32x4.replace_lane(v128.load32_splat(p0), 1, load<f32>(p1));
  return f32x4.replace_lane(f32x4.replace_lane(low, 2, load<f32>(p2)), 3, load<f32>(p3));
}
