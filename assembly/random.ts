// Counter-based random numbers: Philox4x32-10 (J. K. Salmon, M. A. Moraes, R. O. Dror, D. E. Shaw, "Parallel random
// numbers: as easy as 1, 2, 3", SC '11). A draw is a function of seed, purpose and indices: nothing is
// carried from one draw to the next, so asking for one number never changes another.
//
//   key      (seedLow, seedHigh)
//   counter  (block, index, 0, purpose)      word 2 is the step in dropout and noise
//
// A block is four 32-bit words w, and so two uniforms of 53 bits in [0, 1):
//   u0 = ((w0 >>> 5)·2^26 + (w1 >>> 6))·2^-53, u1 the same of w2, w3.
// Uniform `element` of a stream (purpose, index) is number element & 1 of block element >>> 1; normal `element`
// takes block `element` whole.

import { INIT_CONSTANT, INIT_UNIFORM, PURPOSE_INIT, PURPOSE_ORDER } from "./abi";
import { allBits } from "./lanes";
import { scos2pi, slog } from "./vmath";

// Multipliers and key increments of the paper: the increments are the golden ratio and √3 − 1 in 32 bits.
const MULTIPLIER0: u64 = 0xd2511f53;
const MULTIPLIER1: u64 = 0xcd9e8d57;
const WEYL0: u32 = 0x9e3779b9;
const WEYL1: u32 = 0xbb67ae85;

const TWO_POW_26: f64 = 67108864;
const TWO_POW_MINUS_53: f64 = 1.1102230246251565e-16;

/** The block (w0, w1, w2, w3) as i32x4. */
@inline
function philox(seedLow: i32, seedHigh: i32, block: i32, index: i32, purpose: i32): v128 {
  return philoxAt(seedLow, seedHigh, block, index, 0, purpose);
}

/** The same with word 2 of the counter. */
@inline
export function philoxAt(seedLow: i32, seedHigh: i32, block: i32, index: i32, third: i32, purpose: i32): v128 {
  let c0 = <u32>block;
  let c1 = <u32>index;
  let c2 = <u32>third;
  let c3 = <u32>purpose;
  let k0 = <u32>seedLow;
  let k1 = <u32>seedHigh;
  for (let round = 0; round < 10; ++round) {
    const p0 = MULTIPLIER0 * <u64>c0;
    const p1 = MULTIPLIER1 * <u64>c2;
    c0 = <u32>(p1 >> 32) ^ c1 ^ k0;
    c1 = <u32>p1;
    c2 = <u32>(p0 >> 32) ^ c3 ^ k1;
    c3 = <u32>p0;
    k0 += WEYL0;
    k1 += WEYL1;
  }
  const low = i32x4.replace_lane(i32x4.splat(c0), 1, c1);
  return i32x4.replace_lane(i32x4.replace_lane(low, 2, c2), 3, c3);
}

/** Words 1, 2 and 3 of the last `philoxFour`, whose result is word 0: a function gives one vector. */
export let words1: v128;
export let words2: v128;
export let words3: v128;

/** Four blocks side by side, counter words 0 and 1 a lane each. (The compiler warns of vectors in what is not inlined and exported.) */
@inline
export function philoxFour(seedLow: i32, seedHigh: i32, blocks: v128, indices: v128, third: i32, purpose: i32): v128 {
  return fourBlocks(seedLow, seedHigh, blocks, indices, third, purpose);
}

function fourBlocks(seedLow: i32, seedHigh: i32, blocks: v128, indices: v128, third: i32, purpose: i32): v128 {
  const m0 = allBits<f32>(<i32>MULTIPLIER0, 0), m1 = allBits<f32>(<i32>MULTIPLIER1, 0);
  const step0 = allBits<f32>(<i32>WEYL0, 0), step1 = allBits<f32>(<i32>WEYL1, 0);
  let c0 = blocks, c1 = indices, c2 = i32x4.splat(third), c3 = i32x4.splat(purpose);
  let k0 = i32x4.splat(seedLow), k1 = i32x4.splat(seedHigh);
  for (let round = 0; round < 10; ++round) {
    const a0 = i64x2.extmul_low_i32x4_u(c0, m0), a1 = i64x2.extmul_high_i32x4_u(c0, m0);
    const b0 = i64x2.extmul_low_i32x4_u(c2, m1), b1 = i64x2.extmul_high_i32x4_u(c2, m1);
    c0 = v128.xor(v128.shuffle<i32>(b0, b1, 1, 3, 5, 7), v128.xor(c1, k0));
    c1 = v128.shuffle<i32>(b0, b1, 0, 2, 4, 6);
    c2 = v128.xor(v128.shuffle<i32>(a0, a1, 1, 3, 5, 7), v128.xor(c3, k1));
    c3 = v128.shuffle<i32>(a0, a1, 0, 2, 4, 6);
    k0 = i32x4.add(k0, step0);
    k1 = i32x4.add(k1, step1);
  }
  words1 = c1;
  words2 = c2;
  words3 = c3;
  return c0;
}

@inline
function toUniform(high: u32, low: u32): f64 {
  return (<f64>(high >>> 5) * TWO_POW_26 + <f64>(low >>> 6)) * TWO_POW_MINUS_53;
}

/** toUniform of the lanes 0 and 1; the words, shifted, are no negative numbers. */
@inline
function toUniforms(high: v128, low: v128): v128 {
  const whole = f64x2.convert_low_i32x4_s(i32x4.shr_u(high, 5)), rest = f64x2.convert_low_i32x4_s(i32x4.shr_u(low, 6));
  return f64x2.mul(f64x2.add(f64x2.mul(whole, f64x2.splat(TWO_POW_26)), rest), f64x2.splat(TWO_POW_MINUS_53));
}

/** Lanes 2 and 3 in the place of 0 and 1. */
@inline
function upper(words: v128): v128 {
  return v128.shuffle<i64>(words, words, 1, 1);
}

/** The four blocks from `block` on in stream (purpose, index). */
@inline
function nextFour(seedLow: i32, seedHigh: i32, block: i32, index: i32, purpose: i32): v128 {
  const blocks = i32x4.add(i32x4.splat(block), i32x4(0, 1, 2, 3));
  return philoxFour(seedLow, seedHigh, blocks, i32x4.splat(index), 0, purpose);
}

/** Uniform in [0, 1), a multiple of 2^-53. */
export function uniform(seedLow: i32, seedHigh: i32, purpose: i32, index: i32, element: i32): f64 {
  const w = philox(seedLow, seedHigh, <i32>(<u32>element >>> 1), index, purpose);
  if (element & 1) return toUniform(i32x4.extract_lane(w, 2), i32x4.extract_lane(w, 3));
  return toUniform(i32x4.extract_lane(w, 0), i32x4.extract_lane(w, 1));
}

/** Standard normal by Box and Muller: √(−2·log(1 − u0))·cos 2πu1; |n| < 8.6. 1 − u0 is exact and never 0. */
export function normal(seedLow: i32, seedHigh: i32, purpose: i32, index: i32, element: i32): f64 {
  return normalAt(seedLow, seedHigh, element, index, 0, purpose);
}

/** The same with word 2 of the counter. */
export function normalAt(seedLow: i32, seedHigh: i32, block: i32, index: i32, third: i32, purpose: i32): f64 {
  const w = philoxAt(seedLow, seedHigh, block, index, third, purpose);
  const u0 = toUniform(i32x4.extract_lane(w, 0), i32x4.extract_lane(w, 1));
  const u1 = toUniform(i32x4.extract_lane(w, 2), i32x4.extract_lane(w, 3));
  return sqrt(-2.0 * slog(1.0 - u0)) * scos2pi(u1);
}

/**
 * Initial values of a parameter array, made in f64 and rounded once; element number row·cols + col, so that neither
 * dtype nor pitch changes a draw. Columns cols … pitch − 1 become +0.
 *
 * ptr [rows × pitch] written
 * kind  INIT_CONSTANT a | INIT_UNIFORM a + (b − a)·u | INIT_NORMAL a + b·n
 * index the stream of purpose PURPOSE_INIT
 */
export function fill(
  ptr: usize,
  rows: i32,
  cols: i32,
  pitch: i32,
  kind: i32,
  a: f64,
  b: f64,
  seedLow: i32,
  seedHigh: i32,
  index: i32,
): void {
  assert(pitch >= cols);
  let element: i32 = 0;
  for (let row = 0; row < rows; ++row) {
    for (let col = 0; col < cols; ++col, ++element, ptr += sizeof<real>()) {
      // Eight at once where they stand side by side: 4 times as fast.
      for (; kind == INIT_UNIFORM && (element & 7) == 0 && col + 8 <= cols; col += 8, element += 8, ptr += 8 * sizeof<real>()) {
        fillEight(ptr, a, b - a, seedLow, seedHigh, index, element >>> 1);
      }
      if (col == cols) break;
      let value = a;
      if (kind == INIT_UNIFORM) value = a + (b - a) * uniform(seedLow, seedHigh, PURPOSE_INIT, index, element);
      else if (kind != INIT_CONSTANT) value = a + b * normal(seedLow, seedHigh, PURPOSE_INIT, index, element);
      store<real>(ptr, <real>value);
    }
    for (let col = cols; col < pitch; ++col, ptr += sizeof<real>()) store<real>(ptr, 0);
  }
}

/** a + width·u for the eight uniforms of four blocks. */
function fillEight(ptr: usize, a: f64, width: f64, seedLow: i32, seedHigh: i32, index: i32, block: i32): void {
  const w0 = nextFour(seedLow, seedHigh, block, index, PURPOSE_INIT), w1 = words1, w2 = words2, w3 = words3;
  storePairs(ptr, a, width, toUniforms(w0, w1), toUniforms(w2, w3));
  storePairs(ptr + 4 * sizeof<real>(), a, width, toUniforms(upper(w0), upper(w1)), toUniforms(upper(w2), upper(w3)));
}

/** Of two blocks the first uniforms and the second, in the order of their elements. */
@inline
function storePairs(ptr: usize, a: f64, width: f64, first: v128, second: v128): void {
  const start = f64x2.splat(a), scale = f64x2.splat(width);
  const x = f64x2.add(start, f64x2.mul(scale, v128.shuffle<i64>(first, second, 0, 2)));
  const y = f64x2.add(start, f64x2.mul(scale, v128.shuffle<i64>(first, second, 1, 3)));
  if (sizeof<real>() == 4) {
    v128.store(ptr, v128.shuffle<i64>(f32x4.demote_f64x2_zero(x), f32x4.demote_f64x2_zero(y), 0, 2));
  } else {
    v128.store(ptr, x);
    v128.store(ptr, y, 16);
  }
}

/**
 * Fisher and Yates from the end: for i = from, from − 1, … to, swaps element i with element j = floor(u·(i + 1)) ≤ i,
 * u = uniform(purpose, index, i).
 *
 * ptr i32 [from + 1] read, written
 */
export function shuffle(
  ptr: usize,
  from: i32,
  to: i32,
  seedLow: i32,
  seedHigh: i32,
  purpose: i32,
  index: i32,
): void {
  for (let i = from; i >= to;) {
    // Eight at once, which share four blocks: less than half of the time. Else two that share one, the odd one first.
    if ((i & 7) == 7 && i - 7 >= to) {
      swapEight(ptr, i - 7, seedLow, seedHigh, purpose, index);
      i -= 8;
      continue;
    }
    const w = philox(seedLow, seedHigh, i >>> 1, index, purpose);
    if (i & 1) {
      swap(ptr, i, <i32>(toUniform(i32x4.extract_lane(w, 2), i32x4.extract_lane(w, 3)) * <f64>(i + 1)));
      if (--i < to) return;
    }
    swap(ptr, i, <i32>(toUniform(i32x4.extract_lane(w, 0), i32x4.extract_lane(w, 1)) * <f64>(i + 1)));
    i--;
  }
}

/** The swaps of first + 7, … first, a multiple of 8. */
function swapEight(ptr: usize, first: i32, seedLow: i32, seedHigh: i32, purpose: i32, index: i32): void {
  const w0 = nextFour(seedLow, seedHigh, first >>> 1, index, purpose), w1 = words1, w2 = words2, w3 = words3;
  const even = placesOf(w0, w1, first + 1), odd = placesOf(w2, w3, first + 2);
  swap(ptr, first + 7, i32x4.extract_lane(odd, 3));
  swap(ptr, first + 6, i32x4.extract_lane(even, 3));
  swap(ptr, first + 5, i32x4.extract_lane(odd, 2));
  swap(ptr, first + 4, i32x4.extract_lane(even, 2));
  swap(ptr, first + 3, i32x4.extract_lane(odd, 1));
  swap(ptr, first + 2, i32x4.extract_lane(even, 1));
  swap(ptr, first + 1, i32x4.extract_lane(odd, 0));
  swap(ptr, first, i32x4.extract_lane(even, 0));
}

/** floor(u·count) for the four places of which the first may take one of `count`, the next of count + 2, … */
@inline
function placesOf(high: v128, low: v128, count: i32): v128 {
  const counts = i32x4.add(i32x4.splat(count), i32x4(0, 2, 4, 6));
  const j = f64x2.mul(toUniforms(high, low), f64x2.convert_low_i32x4_s(counts));
  const k = f64x2.mul(toUniforms(upper(high), upper(low)), f64x2.convert_low_i32x4_s(upper(counts)));
  return v128.shuffle<i64>(i32x4.trunc_sat_f64x2_s_zero(j), i32x4.trunc_sat_f64x2_s_zero(k), 0, 2);
}

/** Elements i and j change places. */
@inline
function swap(ptr: usize, i: i32, j: i32): void {
  const iPtr = ptr + (<usize>i << 2), jPtr = ptr + (<usize>j << 2);
  const held = load<i32>(iPtr);
  store<i32>(iPtr, load<i32>(jPtr));
  store<i32>(jPtr, held);
}

/**
 * The order of an epoch: 0 … rows − 1 shuffled from identity by Fisher and Yates. Resumable: at most `limit` steps are
 * done from `cursor`, and the new cursor comes back; 2·rows means made. Steps 0 … rows − 1 write the identity,
 * step rows + d swaps position i = rows − 1 − d with j = floor(u·(i + 1)), u = uniform(PURPOSE_ORDER, epoch, i);
 * the last step has nothing left to swap.
 *
 * orderPtr i32 [rows] read, written
 */
export function makeOrder(
  orderPtr: usize,
  rows: i32,
  cursor: i32,
  limit: i32,
  seedLow: i32,
  seedHigh: i32,
  epoch: i32,
): i32 {
  const end = <i32>min<i64>(2 * <i64>rows, <i64>cursor + <i64>limit);
  for (; cursor < end && cursor < rows; ++cursor) store<i32>(orderPtr + (<usize>cursor << 2), cursor);
  if (cursor >= end) return cursor;
  shuffle(orderPtr, 2 * rows - 1 - cursor, 2 * rows - end, seedLow, seedHigh, PURPOSE_ORDER, epoch);
  return end;
}
