// Resumable reductions in f64 (DESIGN.md I1): elements in blocks of 4096, each over eight interleaved accumulators that a fixed
// tree combines. A sum stands in memory as [total, 8 accumulators], all f64, zero before the first element.
import type { Heap } from "./heap.ts";

const SUM_BLOCK = 4096;

/** Adds `term(i)` for elements [from, to), both multiples of 8. */
function add(heap: Heap, sum: number, from: number, to: number, term: (i: number) => number): void {
  const { f64 } = heap;
  const lanes = (sum >>> 3) + 1;
  for (let i = from; i < to; ) {
    const stop = Math.min(to, Math.floor(i / SUM_BLOCK + 1) * SUM_BLOCK);
    for (; i < stop; i++) f64[lanes + (i & 7)] = (f64[lanes + (i & 7)] as number) + term(i);
    if (i % SUM_BLOCK === 0) closeSumBlock(heap, sum);
  }
}

/** Σ l1·|x| + l2·x² over elements [from, to) of the array at index `x`, both multiples of 8. */
export function addMagnitudes(
  heap: Heap,
  sum: number,
  x: number,
  from: number,
  to: number,
  l1: number,
  l2: number,
): void {
  const { real } = heap;
  add(heap, sum, from, to, (i) => {
    const value = real[x + i] as number;
    return l1 * Math.abs(value) + l2 * (value * value);
  });
}

/** Σ x·y over elements [from, to) of the arrays at indices `x` and `y`, both multiples of 8. */
export function addProducts(heap: Heap, sum: number, x: number, y: number, from: number, to: number): void {
  const { real } = heap;
  add(heap, sum, from, to, (i) => (real[x + i] as number) * (real[y + i] as number));
}

function closeSumBlock({ f64 }: Heap, sum: number): void {
  const at = sum >>> 3;
  const lane = (k: number) => f64[at + 1 + k] as number;
  const block = lane(0) + lane(1) + (lane(2) + lane(3)) + (lane(4) + lane(5) + (lane(6) + lane(7)));
  f64[at] = (f64[at] as number) + block;
  f64.fill(0, at + 1, at + 9);
}

/** The sum of all that was added; it starts anew. */
export function takeSum(heap: Heap, sum: number): number {
  closeSumBlock(heap, sum);
  const total = heap.double(sum, 0);
  heap.setDouble(sum, 0, 0);
  return total;
}
