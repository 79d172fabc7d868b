// The tile that every product of gemm.ts is made of: 4 rows × two vectors (8 accumulators, 2 operands, 1 broadcast, 1 product), in the
// relaxed core 6 rows × two vectors (12, 2 and 1), which leaves no spills in the 15 registers V8 has (test/spills).
import { MIN_NORMAL, SIZE, UNIT_BYTES, all, ends, flush, loadSplat, loadSplat1, loadSplat2, loadSplat3, loadSplat4, loadSplat5, loadSplat6, loadSplat7, madd, never } from "./lanes";

/** What becomes of a finished tile. The last two save a pass over what was stored: 3 % of a product of 64 terms, 10 to 16 of one of 10. */
export const STORE: i32 = 0;
export const DESCEND: i32 = 1; // W −= rnd(η·c)
export const RECTIFY: i32 = 2; // where `other` is not 0: relu(c), the bits of activation.ts
export const SLOPE: i32 = 3; // where `other` is not 0: c ∘ relu′ by the relu's values f, below normal +0; f stands `other` bytes from where c goes, with its stride

/**
 * The tile of 4 rows: c[r][·] += Σₖ p_r[k]·a[k][·], k ascending, then to `to` + r·stride for the first `rows` rows.
 *
 * p_r [K] read, K = `left` > 0, or with `across` side by side, p_r[k] = p0[k·apart + r], `apart` bytes from one k to the next |
 * a [K][two vectors] read, `step` bytes from one to the next | to [rows][two vectors] written (DESCEND: read too; SLOPE: four rows of f read, in tile6 six).
 *
 * Eight columns to a turn, of which the last may take four; in the relaxed core and in exported binaries four: the pointers of the rows move
 * once in a turn (with `across` the one in each column), and what V8 adds to every turn counts an eighth. (Eight for four on Zen 4, V8 13: 2 to 5 %;
 * with `across` 3 to 4, V8 12 there 0 to −3.)
 *
 * `ends` never holds. It ends a basic block after a column, within which V8 up to 12 (Node 20, 22) would put the loads of all columns first and
 * spill; each tests another number, as V8 leaves out what it has tested before. Every further branch costs: with one in mid-column and one that
 * counts the column, delta and gradient reached 80 % of peak on a Cascade Lake core, so 88 to 91 % (256×512 B128, four columns).
 *
 * In the relaxed core rows side by side have a pointer each, for the tests: V8 of Node 20 and 22 doubles the loop there, and leaves out what it
 * has tested in the turn before, if it does not change from turn to turn.
 */
@inline
function tile4(
  across: bool, apart: usize, p0: usize, p1: usize, p2: usize, p3: usize, a: usize, left: i32, step: i32,
  c00: v128, c01: v128, c10: v128, c11: v128, c20: v128, c21: v128, c30: v128, c31: v128,
  then: i32, other: usize, rate: v128, to: usize, stride: usize, rows: i32,
): void {
  let a0: v128, a1: v128, wr: v128;
  const none = never();
  if (across) left += <i32>none; // Or V8 12 would count the bits in the loop: a use before it puts them there (7 % of a delta).
  if (!RELAXED && !isDefined(COMPACT)) {
    while (left >= 4) {
      a0 = loadColumn0(a, step, 0);
      a1 = loadColumn0(a, step, 16);
      wr = splatOf(across, 0, 0, p0, p0);
      c00 = madd(c00, wr, a0);
      c01 = madd(c01, wr, a1);
      wr = splatOf(across, 1, 0, p1, p0);
      c10 = madd(c10, wr, a0);
      c11 = madd(c11, wr, a1);
      wr = splatOf(across, 2, 0, p2, p0);
      c20 = madd(c20, wr, a0);
      c21 = madd(c21, wr, a1);
      wr = splatOf(across, 3, 0, p3, p0);
      c30 = madd(c30, wr, a0);
      c31 = madd(c31, wr, a1);
      if (across) p0 += apart;
      if (ends(across ? p0 : a, none)) break;
      a0 = loadColumn1(a, step, 0);
      a1 = loadColumn1(a, step, 16);
      wr = splatOf(across, 0, 1, p0, p0);
      c00 = madd(c00, wr, a0);
      c01 = madd(c01, wr, a1);
      wr = splatOf(across, 1, 1, p1, p0);
      c10 = madd(c10, wr, a0);
      c11 = madd(c11, wr, a1);
      wr = splatOf(across, 2, 1, p2, p0);
      c20 = madd(c20, wr, a0);
      c21 = madd(c21, wr, a1);
      wr = splatOf(across, 3, 1, p3, p0);
      c30 = madd(c30, wr, a0);
      c31 = madd(c31, wr, a1);
      if (across) p0 += apart;
      if (ends(across ? p0 : p1, none)) break;
      a0 = loadColumn2(a, step, 0);
      a1 = loadColumn2(a, step, 16);
      wr = splatOf(across, 0, 2, p0, p0);
      c00 = madd(c00, wr, a0);
      c01 = madd(c01, wr, a1);
      wr = splatOf(across, 1, 2, p1, p0);
      c10 = madd(c10, wr, a0);
      c11 = madd(c11, wr, a1);
      wr = splatOf(across, 2, 2, p2, p0);
      c20 = madd(c20, wr, a0);
      c21 = madd(c21, wr, a1);
      wr = splatOf(across, 3, 2, p3, p0);
      c30 = madd(c30, wr, a0);
      c31 = madd(c31, wr, a1);
      if (across) p0 += apart;
      if (ends(across ? p0 : p2, none)) break;
      a0 = loadColumn3(a, step, 0);
      a1 = loadColumn3(a, step, 16);
      wr = splatOf(across, 0, 3, p0, p0);
      c00 = madd(c00, wr, a0);
      c01 = madd(c01, wr, a1);
      wr = splatOf(across, 1, 3, p1, p0);
      c10 = madd(c10, wr, a0);
      c11 = madd(c11, wr, a1);
      wr = splatOf(across, 2, 3, p2, p0);
      c20 = madd(c20, wr, a0);
      c21 = madd(c21, wr, a1);
      wr = splatOf(across, 3, 3, p3, p0);
      c30 = madd(c30, wr, a0);
      c31 = madd(c31, wr, a1);
      if (across) p0 += apart;
      if (left < 8) {
        left -= 4;
        a += 4 * step;
        if (!across) {
          p0 += 4 * SIZE;
          p1 += 4 * SIZE;
          p2 += 4 * SIZE;
          p3 += 4 * SIZE;
        }
        break;
      }
      a0 = loadColumn4(a, step, 0);
      a1 = loadColumn4(a, step, 16);
      wr = splatOf(across, 0, 4, p0, p0);
      c00 = madd(c00, wr, a0);
      c01 = madd(c01, wr, a1);
      wr = splatOf(across, 1, 4, p1, p0);
      c10 = madd(c10, wr, a0);
      c11 = madd(c11, wr, a1);
      wr = splatOf(across, 2, 4, p2, p0);
      c20 = madd(c20, wr, a0);
      c21 = madd(c21, wr, a1);
      wr = splatOf(across, 3, 4, p3, p0);
      c30 = madd(c30, wr, a0);
      c31 = madd(c31, wr, a1);
      if (across) p0 += apart;
      if (ends(across ? p0 : p0, none)) break;
      a0 = loadColumn5(a, step, 0);
      a1 = loadColumn5(a, step, 16);
      wr = splatOf(across, 0, 5, p0, p0);
      c00 = madd(c00, wr, a0);
      c01 = madd(c01, wr, a1);
      wr = splatOf(across, 1, 5, p1, p0);
      c10 = madd(c10, wr, a0);
      c11 = madd(c11, wr, a1);
      wr = splatOf(across, 2, 5, p2, p0);
      c20 = madd(c20, wr, a0);
      c21 = madd(c21, wr, a1);
      wr = splatOf(across, 3, 5, p3, p0);
      c30 = madd(c30, wr, a0);
      c31 = madd(c31, wr, a1);
      if (across) p0 += apart;
      if (ends(across ? p0 : p3, none)) break;
      a0 = loadColumn6(a, step, 0);
      a1 = loadColumn6(a, step, 16);
      wr = splatOf(across, 0, 6, p0, p0);
      c00 = madd(c00, wr, a0);
      c01 = madd(c01, wr, a1);
      wr = splatOf(across, 1, 6, p1, p0);
      c10 = madd(c10, wr, a0);
      c11 = madd(c11, wr, a1);
      wr = splatOf(across, 2, 6, p2, p0);
      c20 = madd(c20, wr, a0);
      c21 = madd(c21, wr, a1);
      wr = splatOf(across, 3, 6, p3, p0);
      c30 = madd(c30, wr, a0);
      c31 = madd(c31, wr, a1);
      if (across) p0 += apart;
      if (ends(across ? p0 : left, none)) break;
      a0 = loadColumn7(a, step, 0);
      a1 = loadColumn7(a, step, 16);
      wr = splatOf(across, 0, 7, p0, p0);
      c00 = madd(c00, wr, a0);
      c01 = madd(c01, wr, a1);
      wr = splatOf(across, 1, 7, p1, p0);
      c10 = madd(c10, wr, a0);
      c11 = madd(c11, wr, a1);
      wr = splatOf(across, 2, 7, p2, p0);
      c20 = madd(c20, wr, a0);
      c21 = madd(c21, wr, a1);
      wr = splatOf(across, 3, 7, p3, p0);
      c30 = madd(c30, wr, a0);
      c31 = madd(c31, wr, a1);
      left -= 8;
      a += 8 * step;
      if (across) p0 += apart;
      else {
        p0 += 8 * SIZE;
        p1 += 8 * SIZE;
        p2 += 8 * SIZE;
        p3 += 8 * SIZE;
      }
    }
  } else {
    while (left >= 4) {
      left -= 4;
      a0 = loadColumn0(a, step, 0);
      a1 = loadColumn0(a, step, 16);
      wr = splatOf4(across, 0, 0, p0, p0);
      c00 = madd(c00, wr, a0);
      c01 = madd(c01, wr, a1);
      wr = splatOf4(across, 1, 0, p1, p0);
      c10 = madd(c10, wr, a0);
      c11 = madd(c11, wr, a1);
      wr = splatOf4(across, 2, 0, p2, p0);
      c20 = madd(c20, wr, a0);
      c21 = madd(c21, wr, a1);
      wr = splatOf4(across, 3, 0, p3, p0);
      c30 = madd(c30, wr, a0);
      c31 = madd(c31, wr, a1);
      if (across) {
        p0 += apart;
        p1 += apart;
        p2 += apart;
        p3 += apart;
      }
      if (ends(a, none)) break;
      a0 = loadColumn1(a, step, 0);
      a1 = loadColumn1(a, step, 16);
      wr = splatOf4(across, 0, 1, p0, p0);
      c00 = madd(c00, wr, a0);
      c01 = madd(c01, wr, a1);
      wr = splatOf4(across, 1, 1, p1, p0);
      c10 = madd(c10, wr, a0);
      c11 = madd(c11, wr, a1);
      wr = splatOf4(across, 2, 1, p2, p0);
      c20 = madd(c20, wr, a0);
      c21 = madd(c21, wr, a1);
      wr = splatOf4(across, 3, 1, p3, p0);
      c30 = madd(c30, wr, a0);
      c31 = madd(c31, wr, a1);
      if (across) {
        p0 += apart;
        p1 += apart;
        p2 += apart;
        p3 += apart;
      }
      if (ends(p1, none)) break;
      a0 = loadColumn2(a, step, 0);
      a1 = loadColumn2(a, step, 16);
      wr = splatOf4(across, 0, 2, p0, p0);
      c00 = madd(c00, wr, a0);
      c01 = madd(c01, wr, a1);
      wr = splatOf4(across, 1, 2, p1, p0);
      c10 = madd(c10, wr, a0);
      c11 = madd(c11, wr, a1);
      wr = splatOf4(across, 2, 2, p2, p0);
      c20 = madd(c20, wr, a0);
      c21 = madd(c21, wr, a1);
      wr = splatOf4(across, 3, 2, p3, p0);
      c30 = madd(c30, wr, a0);
      c31 = madd(c31, wr, a1);
      if (across) {
        p0 += apart;
        p1 += apart;
        p2 += apart;
        p3 += apart;
      }
      if (ends(p2, none)) break;
      a0 = loadColumn3(a, step, 0);
      a1 = loadColumn3(a, step, 16);
      wr = splatOf4(across, 0, 3, p0, p0);
      c00 = madd(c00, wr, a0);
      c01 = madd(c01, wr, a1);
      wr = splatOf4(across, 1, 3, p1, p0);
      c10 = madd(c10, wr, a0);
      c11 = madd(c11, wr, a1);
      wr = splatOf4(across, 2, 3, p2, p0);
      c20 = madd(c20, wr, a0);
      c21 = madd(c21, wr, a1);
      wr = splatOf4(across, 3, 3, p3, p0);
      c30 = madd(c30, wr, a0);
      c31 = madd(c31, wr, a1);
      a += 4 * step;
      if (across) {
        p0 += apart;
        p1 += apart;
        p2 += apart;
        p3 += apart;
      } else {
        p0 += 4 * SIZE;
        p1 += 4 * SIZE;
        p2 += 4 * SIZE;
        p3 += 4 * SIZE;
      }
    }
  }
  while (left > 0) {
    a0 = loadColumn0(a, step, 0);
    a1 = loadColumn0(a, step, 16);
    wr = splatOf4(across, 0, 0, p0, p0);
    c00 = madd(c00, wr, a0);
    c01 = madd(c01, wr, a1);
    wr = splatOf4(across, 1, 0, p1, p0);
    c10 = madd(c10, wr, a0);
    c11 = madd(c11, wr, a1);
    wr = splatOf4(across, 2, 0, p2, p0);
    c20 = madd(c20, wr, a0);
    c21 = madd(c21, wr, a1);
    wr = splatOf4(across, 3, 0, p3, p0);
    c30 = madd(c30, wr, a0);
    c31 = madd(c31, wr, a1);
    left--;
    a += step;
    if (across) {
      p0 += apart;
      if (RELAXED) {
        p1 += apart;
        p2 += apart;
        p3 += apart;
      }
    } else {
      p0 += SIZE;
      p1 += SIZE;
      p2 += SIZE;
      p3 += SIZE;
    }
  }
  if (then == RECTIFY && other) {
    const zero = all<real>(0);
    c00 = v128.pmax<real>(c00, zero);
    c01 = v128.pmax<real>(c01, zero);
    c10 = v128.pmax<real>(c10, zero);
    c11 = v128.pmax<real>(c11, zero);
    c20 = v128.pmax<real>(c20, zero);
    c21 = v128.pmax<real>(c21, zero);
    c30 = v128.pmax<real>(c30, zero);
    c31 = v128.pmax<real>(c31, zero);
  }
  if (then == SLOPE && other) {
    const f = to + other, zero = all<real>(0), min = all<real>(MIN_NORMAL);
    c00 = sloped(c00, v128.load(f), zero, min);
    c01 = sloped(c01, v128.load(f, 16), zero, min);
    c10 = sloped(c10, v128.load(f + UNIT_BYTES), zero, min);
    c11 = sloped(c11, v128.load(f + UNIT_BYTES, 16), zero, min);
    c20 = sloped(c20, v128.load(f + 2 * UNIT_BYTES), zero, min);
    c21 = sloped(c21, v128.load(f + 2 * UNIT_BYTES, 16), zero, min);
    c30 = sloped(c30, v128.load(f + 3 * UNIT_BYTES), zero, min);
    c31 = sloped(c31, v128.load(f + 3 * UNIT_BYTES, 16), zero, min);
  }
  finish(then, rate, to, c00, c01);
  if (rows > 1) finish(then, rate, to + stride, c10, c11);
  if (rows > 2) finish(then, rate, to + 2 * stride, c20, c21);
  if (rows > 3) finish(then, rate, to + 3 * stride, c30, c31);
}

/**
 * The tile of 6 rows, at least 5 of which count: what tile4 computes, in the 15 registers of 12 accumulators, 2 operands and 1
 * broadcast. Fused multiply-adds only: a separate product would need a sixteenth.
 *
 * It fits only where a broadcast is loaded right before its two uses. V8 up to 12 (Node 20, 22) fills a basic block from its
 * end, each operation as soon as all its users stand; so the multiply-adds of a column, used by the next column alone, would
 * stand together below the loads of all six broadcasts, and 10 vectors be spilled in every column. `anyBit`, behind a test that never
 * holds, is one more user: from its chain, last row first, two of them come free at a time, and then the load above them.
 * So that it is not thrown away its number is handed on and returned by every product; the shift makes the order in which V8
 * meets the four the order that is needed. V8 from 13 on keeps the order of the source (all four Nodes: test/spills). `across` and `apart`
 * are tile4's.
 *
 * The pointers of the rows move before the last test of a turn: 2 to 4 points of peak on V8 13. That of `a` moves after it, or with V8 12 the
 * stack check falls on the end of 32 bytes of code, which costs Cascade Lake 20 points.
 */
@inline
function tile6(
  across: bool, apart: usize, p0: usize, p1: usize, p2: usize, p3: usize, p4: usize, p5: usize, a: usize, left: i32, step: i32,
  c00: v128, c01: v128, c10: v128, c11: v128, c20: v128, c21: v128,
  c30: v128, c31: v128, c40: v128, c41: v128, c50: v128, c51: v128,
  then: i32, other: usize, rate: v128, to: usize, stride: usize, rows: i32,
): i32 {
  let a0: v128, a1: v128, wr: v128;
  let s0 = 0, s1 = 0, s2 = 0, s3 = 0;
  while (true) {
    a0 = loadColumn0(a, step, 0);
    a1 = loadColumn0(a, step, 16);
    wr = splatOf(across, 0, 0, p0, p0);
    c00 = madd(c00, wr, a0);
    c01 = madd(c01, wr, a1);
    wr = splatOf(across, 1, 0, p1, p0);
    c10 = madd(c10, wr, a0);
    c11 = madd(c11, wr, a1);
    wr = splatOf(across, 2, 0, p2, p0);
    c20 = madd(c20, wr, a0);
    c21 = madd(c21, wr, a1);
    wr = splatOf(across, 3, 0, p3, p0);
    c30 = madd(c30, wr, a0);
    c31 = madd(c31, wr, a1);
    wr = splatOf(across, 4, 0, p4, p0);
    c40 = madd(c40, wr, a0);
    c41 = madd(c41, wr, a1);
    wr = splatOf(across, 5, 0, p5, p0);
    c50 = madd(c50, wr, a0);
    c51 = madd(c51, wr, a1);
    if (across) p0 += apart;
    if (left == 1) {
      if (!a) s0 = anyBit(c00, c01, c10, c11, c20, c21, c30, c31, c40, c41, c50, c51);
      break;
    }
    a0 = loadColumn1(a, step, 0);
    a1 = loadColumn1(a, step, 16);
    wr = splatOf(across, 0, 1, p0, p0);
    c00 = madd(c00, wr, a0);
    c01 = madd(c01, wr, a1);
    wr = splatOf(across, 1, 1, p1, p0);
    c10 = madd(c10, wr, a0);
    c11 = madd(c11, wr, a1);
    wr = splatOf(across, 2, 1, p2, p0);
    c20 = madd(c20, wr, a0);
    c21 = madd(c21, wr, a1);
    wr = splatOf(across, 3, 1, p3, p0);
    c30 = madd(c30, wr, a0);
    c31 = madd(c31, wr, a1);
    wr = splatOf(across, 4, 1, p4, p0);
    c40 = madd(c40, wr, a0);
    c41 = madd(c41, wr, a1);
    wr = splatOf(across, 5, 1, p5, p0);
    c50 = madd(c50, wr, a0);
    c51 = madd(c51, wr, a1);
    if (across) p0 += apart;
    if (left == 2) {
      if (!a) s1 = anyBit(c00, c01, c10, c11, c20, c21, c30, c31, c40, c41, c50, c51);
      break;
    }
    a0 = loadColumn2(a, step, 0);
    a1 = loadColumn2(a, step, 16);
    wr = splatOf(across, 0, 2, p0, p0);
    c00 = madd(c00, wr, a0);
    c01 = madd(c01, wr, a1);
    wr = splatOf(across, 1, 2, p1, p0);
    c10 = madd(c10, wr, a0);
    c11 = madd(c11, wr, a1);
    wr = splatOf(across, 2, 2, p2, p0);
    c20 = madd(c20, wr, a0);
    c21 = madd(c21, wr, a1);
    wr = splatOf(across, 3, 2, p3, p0);
    c30 = madd(c30, wr, a0);
    c31 = madd(c31, wr, a1);
    wr = splatOf(across, 4, 2, p4, p0);
    c40 = madd(c40, wr, a0);
    c41 = madd(c41, wr, a1);
    wr = splatOf(across, 5, 2, p5, p0);
    c50 = madd(c50, wr, a0);
    c51 = madd(c51, wr, a1);
    if (across) p0 += apart;
    if (left == 3) {
      if (!a) s2 = anyBit(c00, c01, c10, c11, c20, c21, c30, c31, c40, c41, c50, c51);
      break;
    }
    a0 = loadColumn3(a, step, 0);
    a1 = loadColumn3(a, step, 16);
    wr = splatOf(across, 0, 3, p0, p0);
    c00 = madd(c00, wr, a0);
    c01 = madd(c01, wr, a1);
    wr = splatOf(across, 1, 3, p1, p0);
    c10 = madd(c10, wr, a0);
    c11 = madd(c11, wr, a1);
    wr = splatOf(across, 2, 3, p2, p0);
    c20 = madd(c20, wr, a0);
    c21 = madd(c21, wr, a1);
    wr = splatOf(across, 3, 3, p3, p0);
    c30 = madd(c30, wr, a0);
    c31 = madd(c31, wr, a1);
    wr = splatOf(across, 4, 3, p4, p0);
    c40 = madd(c40, wr, a0);
    c41 = madd(c41, wr, a1);
    wr = splatOf(across, 5, 3, p5, p0);
    c50 = madd(c50, wr, a0);
    c51 = madd(c51, wr, a1);
    left -= 4;
    if (across) p0 += apart;
    else {
      p0 += 4 * SIZE;
      p1 += 4 * SIZE;
      p2 += 4 * SIZE;
      p3 += 4 * SIZE;
      p4 += 4 * SIZE;
      p5 += 4 * SIZE;
    }
    if (left == 0) {
      if (!a) s3 = anyBit(c00, c01, c10, c11, c20, c21, c30, c31, c40, c41, c50, c51);
      break;
    }
    a += 4 * step;
  }
  if (then == RECTIFY && other) {
    const zero = all<real>(0);
    c00 = v128.pmax<real>(c00, zero);
    c01 = v128.pmax<real>(c01, zero);
    c10 = v128.pmax<real>(c10, zero);
    c11 = v128.pmax<real>(c11, zero);
    c20 = v128.pmax<real>(c20, zero);
    c21 = v128.pmax<real>(c21, zero);
    c30 = v128.pmax<real>(c30, zero);
    c31 = v128.pmax<real>(c31, zero);
    c40 = v128.pmax<real>(c40, zero);
    c41 = v128.pmax<real>(c41, zero);
    c50 = v128.pmax<real>(c50, zero);
    c51 = v128.pmax<real>(c51, zero);
  }
  if (then == SLOPE && other) {
    const f = to + other, zero = all<real>(0), min = all<real>(MIN_NORMAL);
    c00 = sloped(c00, v128.load(f), zero, min);
    c01 = sloped(c01, v128.load(f, 16), zero, min);
    c10 = sloped(c10, v128.load(f + UNIT_BYTES), zero, min);
    c11 = sloped(c11, v128.load(f + UNIT_BYTES, 16), zero, min);
    c20 = sloped(c20, v128.load(f + 2 * UNIT_BYTES), zero, min);
    c21 = sloped(c21, v128.load(f + 2 * UNIT_BYTES, 16), zero, min);
    c30 = sloped(c30, v128.load(f + 3 * UNIT_BYTES), zero, min);
    c31 = sloped(c31, v128.load(f + 3 * UNIT_BYTES, 16), zero, min);
    c40 = sloped(c40, v128.load(f + 4 * UNIT_BYTES), zero, min);
    c41 = sloped(c41, v128.load(f + 4 * UNIT_BYTES, 16), zero, min);
    c50 = sloped(c50, v128.load(f + 5 * UNIT_BYTES), zero, min);
    c51 = sloped(c51, v128.load(f + 5 * UNIT_BYTES, 16), zero, min);
  }
  finish(then, rate, to, c00, c01);
  finish(then, rate, to + stride, c10, c11);
  finish(then, rate, to + 2 * stride, c20, c21);
  finish(then, rate, to + 3 * stride, c30, c31);
  finish(then, rate, to + 4 * stride, c40, c41);
  if (rows > 5) finish(then, rate, to + 5 * stride, c50, c51);
  return s0 ^ (s1 ^ (s2 ^ (s3 << 1)));
}

/** tile6 or tile4, for a static `six`. */
@inline
export function tile(
  six: bool, across: bool, apart: usize, p0: usize, p1: usize, p2: usize, p3: usize, p4: usize, p5: usize, a: usize, left: i32, step: i32,
  c00: v128, c01: v128, c10: v128, c11: v128, c20: v128, c21: v128,
  c30: v128, c31: v128, c40: v128, c41: v128, c50: v128, c51: v128,
  then: i32, other: usize, rate: v128, to: usize, stride: usize, rows: i32,
): i32 {
  if (six) {
    return tile6(
      across, apart, p0, p1, p2, p3, p4, p5, a, left, step, c00, c01, c10, c11, c20, c21, c30, c31, c40, c41, c50, c51,
      then, other, rate, to, stride, rows,
    );
  }
  tile4(across, apart, p0, p1, p2, p3, a, left, step, c00, c01, c10, c11, c20, c21, c30, c31, then, other, rate, to, stride, rows);
  return 0;
}

@inline
function anyBit(
  c00: v128, c01: v128, c10: v128, c11: v128, c20: v128, c21: v128,
  c30: v128, c31: v128, c40: v128, c41: v128, c50: v128, c51: v128,
): i32 {
  let x = v128.xor(c01, c00);
  x = v128.xor(c10, x);
  x = v128.xor(c11, x);
  x = v128.xor(c20, x);
  x = v128.xor(c21, x);
  x = v128.xor(c30, x);
  x = v128.xor(c31, x);
  x = v128.xor(c40, x);
  x = v128.xor(c41, x);
  x = v128.xor(c50, x);
  x = v128.xor(c51, x);
  return <i32>v128.any_true(x);
}

/** Rows of the next tile, `rest` being left: 4, or in the relaxed core what cuts them with the least waste. */
@inline
export function tileRows(rest: i32): i32 {
  return RELAXED && rest > 4 && rest != 7 && rest != 8 ? 6 : 4;
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
function loadColumn4(a: usize, step: i32, half: i32): v128 {
  if (step == 32) return half == 0 ? v128.load(a, 128) : v128.load(a, 144);
  return half == 0 ? v128.load(a, 256) : v128.load(a, 272);
}

@inline
function loadColumn5(a: usize, step: i32, half: i32): v128 {
  if (step == 32) return half == 0 ? v128.load(a, 160) : v128.load(a, 176);
  return half == 0 ? v128.load(a, 320) : v128.load(a, 336);
}

@inline
function loadColumn6(a: usize, step: i32, half: i32): v128 {
  if (step == 32) return half == 0 ? v128.load(a, 192) : v128.load(a, 208);
  return half == 0 ? v128.load(a, 384) : v128.load(a, 400);
}

@inline
function loadColumn7(a: usize, step: i32, half: i32): v128 {
  if (step == 32) return half == 0 ? v128.load(a, 224) : v128.load(a, 240);
  return half == 0 ? v128.load(a, 448) : v128.load(a, 464);
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

/** d ∘ relu′, from the relu's value. */
@inline
function sloped(d: v128, a: v128, zero: v128, min: v128): v128 {
  return flush(v128.and(d, v128.gt<real>(a, zero)), min);
}

/** p_r[k] in all lanes, in the k-th column of a turn. */
@inline
function splatOf(across: bool, r: i32, k: i32, p: usize, p0: usize): v128 {
  if (across) {
    if (r > 3) return r == 4 ? loadSplat4(p0) : loadSplat5(p0);
    return r == 0 ? loadSplat(p0) : r == 1 ? loadSplat1(p0) : r == 2 ? loadSplat2(p0) : loadSplat3(p0);
  }
  if (k > 3) return k == 4 ? loadSplat4(p) : k == 5 ? loadSplat5(p) : k == 6 ? loadSplat6(p) : loadSplat7(p);
  return k == 0 ? loadSplat(p) : k == 1 ? loadSplat1(p) : k == 2 ? loadSplat2(p) : loadSplat3(p);
}

/** The same in tile4 with four columns to a turn: in the relaxed core rows have pointers of their own. */
@inline
function splatOf4(across: bool, r: i32, k: i32, p: usize, p0: usize): v128 {
  return RELAXED && across ? loadSplat(p) : splatOf(across, r, k, p, p0);
}
