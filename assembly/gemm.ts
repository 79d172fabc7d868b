// The hot loops for panels of samples: forward product, delta recursion, weight gradient.
//
// One accumulator per output element, contracted index ascending (DESIGN.md I1); lanes hold different samples (forward,
// delta) or different inputs (gradient), so that tiles choose which elements are computed together and never the order
// inside one. All three are one tile, 4 rows × two vectors: 8 accumulators, 2 operands, 1 broadcast, which leaves no
// spills in the 15 registers V8 has (test/spills). Ranges [begin, end) count rows of the result, so that a phase can be cut.
import {
  HALVES, LANES, PANEL, SIZE, TILE_COLS, UNIT_BYTES, loadSplat, loadSplat1, loadSplat2, loadSplat3, madd, roundUp,
} from "./lanes";
import { transposeRows4 } from "./panels";

/** What becomes of a finished tile. */
const STORE: i32 = 0;
const DESCEND: i32 = 1; // W −= rnd(η·c)

/**
 * The tile: c[r][·] += Σₖ p_r[k]·a[k][·], k ascending, then to t_r for the first `rows` rows.
 *
 * p_r [K] read, K = `left` > 0 | a [K][two vectors] read, `step` bytes from one to the next | t_r [two vectors] written (DESCEND: read too).
 *
 * Four columns to a turn: the pointers of the rows move once in four, and what V8 adds to every turn counts a quarter. The
 * tests of pointers against 0 never hold. They end a basic block after a column, within which V8 (Node 20) would put the loads of
 * all four columns first and spill. Every further branch costs: with one in mid-column and one that counts the column,
 * delta and gradient reached 80 % of peak on a Cascade Lake core, so 88 to 91 % (256×512 B128).
 */
@inline
function tile(
  p0: usize, p1: usize, p2: usize, p3: usize, a: usize, left: i32, step: i32,
  c00: v128, c01: v128, c10: v128, c11: v128, c20: v128, c21: v128, c30: v128, c31: v128,
  then: i32, rate: v128, t0: usize, t1: usize, t2: usize, t3: usize, rows: i32,
): void {
  let a0: v128, a1: v128, wr: v128;
  while (left >= 4) {
    left -= 4;
    a0 = loadColumn0(a, step, 0);
    a1 = loadColumn0(a, step, 16);
    wr = loadSplat(p0);
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
    if (!a) break;
    a0 = loadColumn1(a, step, 0);
    a1 = loadColumn1(a, step, 16);
    wr = loadSplat1(p0);
    c00 = madd(c00, wr, a0);
    c01 = madd(c01, wr, a1);
    wr = loadSplat1(p1);
    c10 = madd(c10, wr, a0);
    c11 = madd(c11, wr, a1);
    wr = loadSplat1(p2);
    c20 = madd(c20, wr, a0);
    c21 = madd(c21, wr, a1);
    wr = loadSplat1(p3);
    c30 = madd(c30, wr, a0);
    c31 = madd(c31, wr, a1);
    if (!p1) break;
    a0 = loadColumn2(a, step, 0);
    a1 = loadColumn2(a, step, 16);
    wr = loadSplat2(p0);
    c00 = madd(c00, wr, a0);
    c01 = madd(c01, wr, a1);
    wr = loadSplat2(p1);
    c10 = madd(c10, wr, a0);
    c11 = madd(c11, wr, a1);
    wr = loadSplat2(p2);
    c20 = madd(c20, wr, a0);
    c21 = madd(c21, wr, a1);
    wr = loadSplat2(p3);
    c30 = madd(c30, wr, a0);
    c31 = madd(c31, wr, a1);
    if (!p2) break;
    a0 = loadColumn3(a, step, 0);
    a1 = loadColumn3(a, step, 16);
    wr = loadSplat3(p0);
    c00 = madd(c00, wr, a0);
    c01 = madd(c01, wr, a1);
    wr = loadSplat3(p1);
    c10 = madd(c10, wr, a0);
    c11 = madd(c11, wr, a1);
    wr = loadSplat3(p2);
    c20 = madd(c20, wr, a0);
    c21 = madd(c21, wr, a1);
    wr = loadSplat3(p3);
    c30 = madd(c30, wr, a0);
    c31 = madd(c31, wr, a1);
    a += 4 * step;
    p0 += 4 * SIZE;
    p1 += 4 * SIZE;
    p2 += 4 * SIZE;
    p3 += 4 * SIZE;
  }
  while (left > 0) {
    a0 = loadColumn0(a, step, 0);
    a1 = loadColumn0(a, step, 16);
    wr = loadSplat(p0);
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
    left--;
    a += step;
    p0 += SIZE;
    p1 += SIZE;
    p2 += SIZE;
    p3 += SIZE;
  }
  finish(then, rate, t0, c00, c01);
  if (rows > 1) finish(then, rate, t1, c10, c11);
  if (rows > 2) finish(then, rate, t2, c20, c21);
  if (rows > 3) finish(then, rate, t3, c30, c31);
}

@inline
function loadColumn0(a: usize, step: i32, half: i32): v128 {
  if (step == 32) return half == 0 ? v128.load(a, 0) : v128.load(a, 16);
  return half == 0 ? v128.load(a, 0) : v128.load(a, 16);
}

@inline
function loadColumn1(a: usize, step: i32, half: i32): v128 {
  if (step == 32) return half == 0 ? v128.load(a, 32) : v128.load(a, 48);
  return half == 0 ? v128.load(a, 64) : v128.load(a, 80);
}

@inline
function loadColumn2(a: usize, step: i32, half: i32): v128 {
  if (step == 32) return half == 0 ? v128.load(a, 64) : v128.load(a, 80);
  return half == 0 ? v128.load(a, 128) : v128.load(a, 144);
}

@inline
function loadColumn3(a: usize, step: i32, half: i32): v128 {
  if (step == 32) return half == 0 ? v128.load(a, 96) : v128.load(a, 112);
  return half == 0 ? v128.load(a, 192) : v128.load(a, 208);
}

@inline
function finish(then: i32, rate: v128, to: usize, c0: v128, c1: v128): void {
  if (then == DESCEND) {
    c0 = v128.sub<real>(v128.load(to), v128.mul<real>(rate, c0));
    c1 = v128.sub<real>(v128.load(to, 16), v128.mul<real>(rate, c1));
  }
  v128.store(to, c0);
  v128.store(to, c1, 16);
}

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
    // Rows past the end repeat the last one, and are not stored.
    const rows = end - o;
    const o1 = min(o + 1, end - 1), o2 = min(o + 2, end - 1), o3 = min(o + 3, end - 1);
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
      const aPtr = a + panel * aBytes + lane;
      const to = z + panel * zBytes + lane + <usize>(o * UNIT_BYTES);
      tile(
        w0, w1, w2, w3, aPtr, nIn, UNIT_BYTES, b0, b0, b1, b1, b2, b2, b3, b3,
        STORE, b0, to, to + UNIT_BYTES, to + 2 * UNIT_BYTES, to + 3 * UNIT_BYTES, rows,
      );
    }
  }
}

/**
 * The delta recursion before f′: dst[p][i][s] = Σₒ W[o][i]·delta[p][o][s], o ascending from +0, rows [begin, end) of dst.
 *
 * dst [panels][nIn][8] written | delta [panels][nOut][8] read | W [nOut × pitch] read, columns nIn … roundUp(nIn, 4) too |
 * pack [4][roundUp(nOut, 4)] scratch: four columns of W become rows first.
 */
export function deltaPanels(
  dst: usize, delta: usize, W: usize, pack: usize,
  nOut: i32, nIn: i32, pitch: i32, panels: i32, begin: i32, end: i32,
): void {
  assert(nOut > 0 && pitch >= roundUp(nIn, 4) && (begin & 3) == 0 && end <= nIn);
  const dstBytes = <usize>(nIn * UNIT_BYTES);
  const deltaBytes = <usize>(nOut * UNIT_BYTES);
  const most = nOut <= 2 * DEPTH ? nOut : DEPTH;
  for (let first = 0; first < nOut; first += most) {
    const depth = min(most, nOut - first);
    const packBytes = <usize>(roundUp(depth, 4) * SIZE), rows = W + <usize>first * <usize>(pitch * SIZE);
    for (let i = begin; i < end; i += 4) {
      packColumns(pack, rows + <usize>(i * SIZE), depth, <usize>(pitch * SIZE), packBytes);
      for (let half = 0; half < panels * HALVES; half++) {
        const panel = <usize>(half / HALVES);
        const lane = <usize>((half & (HALVES - 1)) * 32);
        const dPtr = delta + panel * deltaBytes + lane + <usize>(first * UNIT_BYTES);
        const to = dst + panel * dstBytes + lane + <usize>(i * UNIT_BYTES);
        deltaTile(pack, packBytes, dPtr, depth, to, end - i, first > 0);
      }
    }
  }
}

/**
 * Units of the contraction at a time where there are many: four rows of them and a panel's deltas stay in the first cache. Up to
 * twice as many one go is better (measured, B128: 1024² 85 against 82 % of peak, 2048² 67 against 81 %).
 */
const DEPTH: i32 = 2048 / SIZE;

/** The tile on packed columns; `add`: the sums of the units before are continued. */
@inline
function deltaTile(pack: usize, packBytes: usize, delta: usize, depth: i32, to: usize, rows: i32, add: bool): void {
  const zero = v128.splat<real>(0);
  let c00 = zero, c01 = zero, c10 = zero, c11 = zero, c20 = zero, c21 = zero, c30 = zero, c31 = zero;
  const t1 = to + UNIT_BYTES, t2 = to + 2 * UNIT_BYTES, t3 = to + 3 * UNIT_BYTES;
  if (add) {
    c00 = v128.load(to);
    c01 = v128.load(to, 16);
    if (rows > 1) {
      c10 = v128.load(t1);
      c11 = v128.load(t1, 16);
    }
    if (rows > 2) {
      c20 = v128.load(t2);
      c21 = v128.load(t2, 16);
    }
    if (rows > 3) {
      c30 = v128.load(t3);
      c31 = v128.load(t3, 16);
    }
  }
  tile(
    pack, pack + packBytes, pack + 2 * packBytes, pack + 3 * packBytes, delta, depth, UNIT_BYTES,
    c00, c01, c10, c11, c20, c21, c30, c31, STORE, zero, to, t1, t2, t3, rows,
  );
}

/** Four columns of W, `rowBytes` between its rows, as four rows `packBytes` apart. */
function packColumns(pack: usize, W: usize, nOut: i32, rowBytes: usize, packBytes: usize): void {
  let o = 0;
  for (; o + LANES <= nOut; o += LANES, pack += 16) {
    const r0 = v128.load(W), r1 = v128.load(W + rowBytes);
    if (LANES == 4) {
      transposeRows4(pack, packBytes, r0, r1, v128.load(W + 2 * rowBytes), v128.load(W + 3 * rowBytes));
    } else {
      const s0 = v128.load(W, 16), s1 = v128.load(W + rowBytes, 16);
      v128.store(pack, v128.shuffle<i64>(r0, r1, 0, 2));
      v128.store(pack + packBytes, v128.shuffle<i64>(r0, r1, 1, 3));
      v128.store(pack + 2 * packBytes, v128.shuffle<i64>(s0, s1, 0, 2));
      v128.store(pack + 3 * packBytes, v128.shuffle<i64>(s0, s1, 1, 3));
    }
    W += <usize>LANES * rowBytes;
  }
  for (; o < nOut; o++, pack += SIZE, W += rowBytes) {
    store<real>(pack, load<real>(W));
    store<real>(pack + packBytes, load<real>(W, SIZE));
    store<real>(pack + 2 * packBytes, load<real>(W, 2 * SIZE));
    store<real>(pack + 3 * packBytes, load<real>(W, 3 * SIZE));
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
): void {
  if (add) gradientTiles(dW, dW, 0, packD, packA, nIn, pitch, n, true, STORE, begin, end);
  else gradientTiles(dW, dW, 0, packD, packA, nIn, pitch, n, false, STORE, begin, end);
}

/**
 * Fused descent: W −= rnd(η·dW) with dW as in gradientPanels, never stored; `add`: it starts from the stored dW of the
 * step's earlier blocks.
 */
export function gradientPanelsUpdate(
  W: usize, dW: usize, eta: real, packD: usize, packA: usize,
  nOut: i32, nIn: i32, pitch: i32, n: i32, add: bool, begin: i32, end: i32,
): void {
  if (add) gradientTiles(W, dW, eta, packD, packA, nIn, pitch, n, true, DESCEND, begin, end);
  else gradientTiles(W, dW, eta, packD, packA, nIn, pitch, n, false, DESCEND, begin, end);
}

@inline
function gradientTiles(
  dst: usize, dW: usize, eta: real, packD: usize, packA: usize,
  nIn: i32, pitch: i32, n: i32, add: bool, then: i32, begin: i32, end: i32,
): void {
  assert(n > 0 && (begin & 3) == 0 && pitch >= roundUp(nIn, TILE_COLS));
  const rowBytes = <usize>(pitch * SIZE);
  const stripBytes = <usize>(n * 32);
  const dBytes = <usize>(roundUp(n, PANEL) * SIZE);
  const columns = <usize>(roundUp(nIn, TILE_COLS) * SIZE);
  const zero = v128.splat<real>(0), rate = v128.splat<real>(eta);
  for (let o = begin; o < end; o += 4) {
    const rows = end - o;
    const o1 = min(o + 1, end - 1), o2 = min(o + 2, end - 1), o3 = min(o + 3, end - 1);
    const d0 = packD + <usize>o * dBytes, d1 = packD + <usize>o1 * dBytes;
    const d2 = packD + <usize>o2 * dBytes, d3 = packD + <usize>o3 * dBytes;
    let aPtr = packA;
    for (let column: usize = 0; column < columns; column += 32, aPtr += stripBytes) {
      const to = dst + <usize>o * rowBytes + column;
      let c00 = zero, c01 = zero, c10 = zero, c11 = zero, c20 = zero, c21 = zero, c30 = zero, c31 = zero;
      if (add) {
        const from = dW + column;
        c00 = v128.load(from + <usize>o * rowBytes);
        c01 = v128.load(from + <usize>o * rowBytes, 16);
        c10 = v128.load(from + <usize>o1 * rowBytes);
        c11 = v128.load(from + <usize>o1 * rowBytes, 16);
        c20 = v128.load(from + <usize>o2 * rowBytes);
        c21 = v128.load(from + <usize>o2 * rowBytes, 16);
        c30 = v128.load(from + <usize>o3 * rowBytes);
        c31 = v128.load(from + <usize>o3 * rowBytes, 16);
      }
      tile(
        d0, d1, d2, d3, aPtr, n, 32, c00, c01, c10, c11, c20, c21, c30, c31,
        then, rate, to, to + rowBytes, to + 2 * rowBytes, to + 3 * rowBytes, rows,
      );
    }
  }
}

/**
 * db[o] = Σₛ delta[o][s] (`add`: += …), s ascending, for row tiles that cover [begin, end).
 *
 * db [roundUp(nOut, 4)] written, padding +0 | packD [nOut][roundUp(n, 8)] read.
 */
export function biasGradient(db: usize, packD: usize, n: i32, add: bool, begin: i32, end: i32): void {
  const dBytes = <usize>(roundUp(n, PANEL) * SIZE);
  for (let o = begin; o < end; o += LANES) {
    const to = db + <usize>(o * SIZE);
    let c = add ? v128.load(to) : v128.splat<real>(0);
    // Rows past the end repeat the last one, and become +0 in the end.
    const d0 = packD + <usize>o * dBytes, d1 = packD + <usize>min(o + 1, end - 1) * dBytes;
    const d2 = packD + <usize>min(o + 2, end - 1) * dBytes, d3 = packD + <usize>min(o + 3, end - 1) * dBytes;
    let s: usize = 0;
    for (; s + 16 <= <usize>(n * SIZE); s += 16) {
      const r0 = v128.load(d0 + s), r1 = v128.load(d1 + s);
      if (LANES == 4) {
        const r2 = v128.load(d2 + s), r3 = v128.load(d3 + s);
        const t0 = v128.shuffle<i32>(r0, r1, 0, 4, 1, 5), t1 = v128.shuffle<i32>(r2, r3, 0, 4, 1, 5);
        const t2 = v128.shuffle<i32>(r0, r1, 2, 6, 3, 7), t3 = v128.shuffle<i32>(r2, r3, 2, 6, 3, 7);
        c = v128.add<real>(v128.add<real>(c, v128.shuffle<i64>(t0, t1, 0, 2)), v128.shuffle<i64>(t0, t1, 1, 3));
        c = v128.add<real>(v128.add<real>(c, v128.shuffle<i64>(t2, t3, 0, 2)), v128.shuffle<i64>(t2, t3, 1, 3));
      } else {
        c = v128.add<real>(v128.add<real>(c, v128.shuffle<i64>(r0, r1, 0, 2)), v128.shuffle<i64>(r0, r1, 1, 3));
      }
    }
    for (; s < <usize>(n * SIZE); s += SIZE) {
      let column = loadSplat(d0 + s);
      column = v128.replace_lane<real>(column, 1, load<real>(d1 + s));
      if (LANES == 4) {
        column = f32x4.replace_lane(column, 2, load<f32>(d2 + s));
        column = f32x4.replace_lane(column, 3, load<f32>(d3 + s));
      }
      c = v128.add<real>(c, column);
    }
    v128.store(to, c);
  }
  for (let o = end; o < roundUp(end, 4); o++) store<real>(db + <usize>(o * SIZE), 0);
}
