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

@inline
function toUniform(high: u32, low: u32): f64 {
  return (<f64>(high >>> 5) * TWO_POW_26 + <f64>(low >>> 6)) * TWO_POW_MINUS_53;
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
      let value = a;
      if (kind == INIT_UNIFORM) value = a + (b - a) * uniform(seedLow, seedHigh, PURPOSE_INIT, index, element);
      else if (kind != INIT_CONSTANT) value = a + b * normal(seedLow, seedHigh, PURPOSE_INIT, index, element);
      store<real>(ptr, <real>value);
    }
    for (let col = cols; col < pitch; ++col, ptr += sizeof<real>()) store<real>(ptr, 0);
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
  let w = i32x4.splat(0);
  for (let i = from; i >= to; --i) {
    // Two draws share a block, the odd one comes first.
    if (i & 1 || i == from) w = philox(seedLow, seedHigh, i >>> 1, index, purpose);
    const u = i & 1
      ? toUniform(i32x4.extract_lane(w, 2), i32x4.extract_lane(w, 3))
      : toUniform(i32x4.extract_lane(w, 0), i32x4.extract_lane(w, 1));
    const iPtr = ptr + (<usize>i << 2);
    const jPtr = ptr + (<usize>(<i32>(u * <f64>(i + 1))) << 2);
    const held = load<i32>(iPtr);
    store<i32>(iPtr, load<i32>(jPtr));
    store<i32>(jPtr, held);
  }
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
