// The generator of assembly/random.ts on plain numbers, the same bits: Philox4x32-10 keyed by the seed, counting
// (block, index, 0, purpose). What a stream is, and the source, stand there.

import { INIT_CONSTANT, INIT_UNIFORM, PURPOSE_INIT, PURPOSE_ORDER } from "../core/abi.ts";
import { cos2pi, log64 } from "./vmath.ts";

const TWO_POW_26 = 67108864;
const TWO_POW_MINUS_53 = 1.1102230246251565e-16;

/** Upper 32 bits, as int32, of the 64-bit product of two words, in halves of 16 bits; no sum passes 2^32 − 1. */
function multiplyHigh(a: number, b: number): number {
  const aHigh = a >>> 16;
  const aLow = a & 0xffff;
  const bHigh = b >>> 16;
  const bLow = b & 0xffff;
  const middle = (Math.imul(aHigh, bLow) + (Math.imul(aLow, bLow) >>> 16)) | 0;
  const carried = (Math.imul(aLow, bHigh) + (middle & 0xffff)) | 0;
  return (Math.imul(aHigh, bHigh) + (middle >>> 16) + (carried >>> 16)) | 0;
}

/** The block made last. */
const words = new Uint32Array(4);

/** Philox4x32-10: the block of a key and a counter, 32-bit words, signed or not. The array is overwritten by the next call. */
export function philox(
  key0: number,
  key1: number,
  counter0: number,
  counter1: number,
  counter2: number,
  counter3: number,
): Uint32Array {
  let c0 = counter0 | 0;
  let c1 = counter1 | 0;
  let c2 = counter2 | 0;
  let c3 = counter3 | 0;
  let k0 = key0 | 0;
  let k1 = key1 | 0;
  for (let round = 0; round < 10; round++) {
    const high0 = multiplyHigh(0xd2511f53, c0);
    const high1 = multiplyHigh(0xcd9e8d57, c2);
    const low0 = Math.imul(0xd2511f53, c0);
    const low1 = Math.imul(0xcd9e8d57, c2);
    c0 = high1 ^ c1 ^ k0;
    c1 = low1;
    c2 = high0 ^ c3 ^ k1;
    c3 = low0;
    k0 = (k0 + 0x9e3779b9) | 0;
    k1 = (k1 + 0xbb67ae85) | 0;
  }
  words[0] = c0;
  words[1] = c1;
  words[2] = c2;
  words[3] = c3;
  return words;
}

/** Uniform 0 or 1 of the block in `words`. */
function uniformOfBlock(half: number): number {
  const high = (words[2 * half] as number) >>> 5;
  const low = (words[2 * half + 1] as number) >>> 6;
  return (high * TWO_POW_26 + low) * TWO_POW_MINUS_53;
}

/**
 * Number `element` of the uniform stream (purpose, index): in [0, 1), a multiple of 2^-53.
 * All arguments are 32-bit integers; the sign of seed and index is only a bit.
 */
export function uniform(seedLow: number, seedHigh: number, purpose: number, index: number, element: number): number {
  philox(seedLow, seedHigh, element >>> 1, index, 0, purpose);
  return uniformOfBlock(element & 1);
}

/** Number `element` of the standard normal stream (purpose, index). It shares blocks with the uniforms of that stream. */
export function normal(seedLow: number, seedHigh: number, purpose: number, index: number, element: number): number {
  return normalAt(seedLow, seedHigh, element, index, 0, purpose);
}

/** The same with word 2 of the counter. */
export function normalAt(
  seedLow: number,
  seedHigh: number,
  block: number,
  index: number,
  third: number,
  purpose: number,
): number {
  philox(seedLow, seedHigh, block, index, third, purpose);
  const u0 = uniformOfBlock(0);
  const u1 = uniformOfBlock(1);
  return Math.sqrt(-2 * log64(1 - u0)) * cos2pi(u1);
}

/** The same cut off at ±2: drawn again, with the attempt in word 2 of the counter, until it lies within. */
export function truncatedNormal(
  seedLow: number,
  seedHigh: number,
  purpose: number,
  index: number,
  element: number,
): number {
  for (let attempt = 0; ; attempt++) {
    philox(seedLow, seedHigh, element, index, attempt, purpose);
    const u0 = uniformOfBlock(0);
    const n = Math.sqrt(-2 * log64(1 - u0)) * cos2pi(uniformOfBlock(1));
    if (Math.abs(n) <= 2) return n;
  }
}

/**
 * Initial values of a parameter array [rows × pitch] at element `offset` of `target`: see assembly/random.ts.
 * Columns cols … pitch − 1 become +0.
 */
export function fill(
  target: Float32Array | Float64Array,
  offset: number,
  rows: number,
  cols: number,
  pitch: number,
  kind: number,
  a: number,
  b: number,
  seedLow: number,
  seedHigh: number,
  index: number,
): void {
  for (let row = 0; row < rows; row++) {
    const begin = offset + row * pitch;
    for (let col = 0; col < cols; col++) {
      const element = row * cols + col;
      let value = a;
      if (kind === INIT_UNIFORM) value = a + (b - a) * uniform(seedLow, seedHigh, PURPOSE_INIT, index, element);
      else if (kind !== INIT_CONSTANT) value = a + b * normal(seedLow, seedHigh, PURPOSE_INIT, index, element);
      target[begin + col] = value;
    }
    target.fill(0, begin + cols, begin + pitch);
  }
}

/**
 * Fisher and Yates from the end, on order[begin …]: for i = from, from − 1, … to, swaps element i with element
 * j = floor(u·(i + 1)) ≤ i, u = uniform(purpose, index, i).
 */
export function shuffle(
  order: Int32Array,
  begin: number,
  from: number,
  to: number,
  seedLow: number,
  seedHigh: number,
  purpose: number,
  index: number,
): void {
  for (let i = from; i >= to; i--) {
    // Two draws share a block, the odd one comes first.
    if ((i & 1) === 1 || i === from) philox(seedLow, seedHigh, i >>> 1, index, 0, purpose);
    const j = begin + Math.floor(uniformOfBlock(i & 1) * (i + 1));
    const held = order[begin + i] as number;
    order[begin + i] = order[j] as number;
    order[j] = held;
  }
}

/**
 * The order of an epoch in `order` [rows], made in at most `limit` steps from `cursor`; gives the new cursor. Steps
 * 0 … rows − 1 write the identity, step rows + d swaps position i = rows − 1 − d with a drawn one at or below it
 * (Fisher and Yates). 2·rows: made.
 */
export function makeOrder(
  order: Int32Array,
  rows: number,
  cursor: number,
  limit: number,
  seedLow: number,
  seedHigh: number,
  epoch: number,
): number {
  const end = Math.min(2 * rows, cursor + limit);
  let step = cursor;
  for (; step < end && step < rows; step++) order[step] = step;
  if (step < end) shuffle(order, 0, 2 * rows - 1 - step, 2 * rows - end, seedLow, seedHigh, PURPOSE_ORDER, epoch);
  return end;
}
