// One pass over memory: the search for non-finite values, a fingerprint of data, and both at once.
import type { Heap } from "./heap.ts";

/** Index of the first element of [count] at `ptr` that is NaN or ±Inf, or −1. */
export function scan(heap: Heap, ptr: number, count: number): number {
  const { real } = heap;
  const begin = heap.index(ptr);
  const end = begin + count;
  let i = begin;
  // x − x is 0 exactly for finite x; a sum of them is 0 when all are. Four at once: half the time (measured).
  for (; i + 4 <= end; i += 4) {
    const x0 = real[i] as number;
    const x1 = real[i + 1] as number;
    const x2 = real[i + 2] as number;
    const x3 = real[i + 3] as number;
    if (x0 - x0 + (x1 - x1) + (x2 - x2) + (x3 - x3) !== 0) break;
  }
  for (; i < end; i++) {
    const x = real[i] as number;
    if (x - x !== 0) return i - begin;
  }
  return -1;
}

const PRIME_1 = 0x9e3779b1;
const PRIME_2 = 0x85ebca77;

/**
 * Folds `bytes` bytes at `ptr` (a multiple of 4) into the four 32-bit words at `state`: word i of the data goes to word
 * i mod 4 of the state, h ← rotl(h + x·p₂, 13)·p₁. Not cryptographic: it tells one data set from another.
 */
export function fingerprint(heap: Heap, ptr: number, bytes: number, state: number): void {
  const { i32 } = heap;
  const to = state >>> 2;
  const begin = ptr >>> 2;
  const whole = begin + ((bytes >>> 4) << 2);
  let h0 = i32[to] as number;
  let h1 = i32[to + 1] as number;
  let h2 = i32[to + 2] as number;
  let h3 = i32[to + 3] as number;
  for (let i = begin; i < whole; i += 4) {
    h0 = folded(h0, i32[i] as number);
    h1 = folded(h1, i32[i + 1] as number);
    h2 = folded(h2, i32[i + 2] as number);
    h3 = folded(h3, i32[i + 3] as number);
  }
  i32[to] = h0;
  i32[to + 1] = h1;
  i32[to + 2] = h2;
  i32[to + 3] = h3;
  foldRest(i32, whole, begin + (bytes >>> 2), to);
}

function folded(h: number, x: number): number {
  const sum = (h + Math.imul(x, PRIME_2)) | 0;
  return Math.imul((sum << 13) | (sum >>> 19), PRIME_1);
}

/** The last 0 to 3 words of data, first … end − 1. */
function foldRest(i32: Int32Array, first: number, end: number, to: number): void {
  for (let i = first, word = to; i < end; i++, word++) i32[word] = folded(i32[word] as number, i32[i] as number);
}

/**
 * scan and, where all [count] elements at `ptr` are finite, fingerprint, with one load of each word. Where one is not,
 * the state stays as it was.
 */
export function scanFingerprint(heap: Heap, ptr: number, count: number, state: number): number {
  const { i32 } = heap;
  const { shift, single } = heap.lanes;
  const to = state >>> 2;
  const begin = ptr >>> 2;
  const end = begin + (count << (shift - 2));
  // The exponent of an infinity or a NaN is all ones, and one more of it overflows into the sign: word by word in
  // float32, in the upper one of two words in float64 (the views are little-endian, as WebAssembly's memory).
  const exponent = single ? 0x7f800000 : 0x7ff00000;
  const one = single ? 0x00800000 : 0x00100000;
  const lower = single ? exponent : 0;
  let h0 = i32[to] as number;
  let h1 = i32[to + 1] as number;
  let h2 = i32[to + 2] as number;
  let h3 = i32[to + 3] as number;
  let i = begin;
  for (; i + 4 <= end; i += 4) {
    const x0 = i32[i] as number;
    const x1 = i32[i + 1] as number;
    const x2 = i32[i + 2] as number;
    const x3 = i32[i + 3] as number;
    const odd = ((x1 & exponent) + one) | ((x3 & exponent) + one);
    if ((odd | ((x0 & lower) + one) | ((x2 & lower) + one)) < 0) break;
    h0 = folded(h0, x0);
    h1 = folded(h1, x1);
    h2 = folded(h2, x2);
    h3 = folded(h3, x3);
  }
  const before = (i - begin) >>> (shift - 2);
  const bad = scan(heap, i * 4, count - before);
  if (bad >= 0) return before + bad;
  i32[to] = h0;
  i32[to + 1] = h1;
  i32[to + 2] = h2;
  i32[to + 3] = h3;
  foldRest(i32, i, end, to);
  return -1;
}
