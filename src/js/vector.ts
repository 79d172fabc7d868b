// Vectors as long as the parameter region, for methods that search along directions: `count` elements, a multiple of 8.
import type { Heap } from "./heap.ts";
import { addProducts, takeSum } from "./sums.ts";

/** Σ x·y in f64; `sum`: nine f64, all zero (sums.ts). */
export function dot(heap: Heap, x: number, y: number, count: number, sum: number): number {
  addProducts(heap, sum, heap.index(x), heap.index(y), 0, count);
  return takeSum(heap, sum);
}

/** to ← a·x + b·y, each product rounded; with `state` what is below normal becomes +0. `to` may be x or y. */
export function combine(
  heap: Heap,
  to: number,
  x: number,
  y: number,
  count: number,
  a: number,
  b: number,
  state: number,
): void {
  const { real, lanes } = heap;
  const { round, flush } = lanes;
  const [t, p, q] = [heap.index(to), heap.index(x), heap.index(y)];
  const [first, second] = [round(a), round(b)];
  for (let i = 0; i < count; i++) {
    const sum = round(round(first * (real[p + i] as number)) + round(second * (real[q + i] as number)));
    real[t + i] = state ? flush(sum) : sum;
  }
}
