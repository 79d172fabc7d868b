// Vectors as long as the parameter region, for methods that search along directions: `count` elements, a multiple of 8.
import { MIN_NORMAL, flush } from "./lanes";
import { addProducts, takeSum } from "./sums";

/** Σ x·y in f64; `sum`: nine f64, all zero (sums.ts). */
export function dot(x: usize, y: usize, count: i32, sum: usize): f64 {
  addProducts(sum, x, y, 0, count);
  return takeSum(sum);
}

/** to ← a·x + b·y, each product rounded; with `state` what is below normal becomes +0. `to` may be x or y. */
export function combine(to: usize, x: usize, y: usize, count: i32, a: f64, b: f64, state: i32): void {
  const as = v128.splat<real>(<real>a), bs = v128.splat<real>(<real>b);
  const min = v128.splat<real>(state ? <real>MIN_NORMAL : 0);
  const bytes = <usize>count * sizeof<real>();
  for (let i: usize = 0; i < bytes; i += 16) {
    const sum = v128.add<real>(v128.mul<real>(as, v128.load(x + i)), v128.mul<real>(bs, v128.load(y + i)));
    v128.store(to + i, flush(sum, min));
  }
}
