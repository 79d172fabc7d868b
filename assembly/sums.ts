// Resumable reductions in f64 (DESIGN.md I1): elements in blocks of 4096, each over eight interleaved accumulators that a fixed
// tree combines. A sum stands in memory as [total, 8 accumulators], all f64, zero before the first element.
import { SIZE } from "./lanes";

const SUM_BLOCK: i32 = 4096;

/** Two elements of `real` at `ptr`, in f64. */
@inline
function pair(ptr: usize): v128 {
  return SIZE == 4 ? f64x2.promote_low_f32x4(v128.load64_zero(ptr)) : v128.load(ptr);
}

/** What two elements add: l1·|x| + l2·x². */
@inline
function magnitude(x: v128, l1: v128, l2: v128): v128 {
  return f64x2.add(f64x2.mul(l1, f64x2.abs(x)), f64x2.mul(l2, f64x2.mul(x, x)));
}

/** Σ l1·|x| + l2·x² over elements [from, to) of the array `x`, both multiples of 8. */
export function addMagnitudes(sum: usize, x: usize, from: i32, to: i32, l1: f64, l2: f64): void {
  const a = f64x2.splat(l1), b = f64x2.splat(l2);
  for (let i = from; i < to; ) {
    const stop = min(to, (i + SUM_BLOCK) & -SUM_BLOCK);
    let s0 = v128.load(sum, 8), s1 = v128.load(sum, 24), s2 = v128.load(sum, 40), s3 = v128.load(sum, 56);
    for (; i < stop; i += 8) {
      const at = x + <usize>i * SIZE;
      s0 = f64x2.add(s0, magnitude(pair(at), a, b));
      s1 = f64x2.add(s1, magnitude(pair(at + 2 * SIZE), a, b));
      s2 = f64x2.add(s2, magnitude(pair(at + 4 * SIZE), a, b));
      s3 = f64x2.add(s3, magnitude(pair(at + 6 * SIZE), a, b));
    }
    v128.store(sum, s0, 8); v128.store(sum, s1, 24); v128.store(sum, s2, 40); v128.store(sum, s3, 56);
    if ((i & (SUM_BLOCK - 1)) == 0) closeSumBlock(sum);
  }
}

/** Σ x·y over elements [from, to) of two arrays, both multiples of 8. */
export function addProducts(sum: usize, x: usize, y: usize, from: i32, to: i32): void {
  for (let i = from; i < to; ) {
    const stop = min(to, (i + SUM_BLOCK) & -SUM_BLOCK);
    let s0 = v128.load(sum, 8), s1 = v128.load(sum, 24), s2 = v128.load(sum, 40), s3 = v128.load(sum, 56);
    for (; i < stop; i += 8) {
      const p = x + <usize>i * SIZE, q = y + <usize>i * SIZE;
      s0 = f64x2.add(s0, f64x2.mul(pair(p), pair(q)));
      s1 = f64x2.add(s1, f64x2.mul(pair(p + 2 * SIZE), pair(q + 2 * SIZE)));
      s2 = f64x2.add(s2, f64x2.mul(pair(p + 4 * SIZE), pair(q + 4 * SIZE)));
      s3 = f64x2.add(s3, f64x2.mul(pair(p + 6 * SIZE), pair(q + 6 * SIZE)));
    }
    v128.store(sum, s0, 8); v128.store(sum, s1, 24); v128.store(sum, s2, 40); v128.store(sum, s3, 56);
    if ((i & (SUM_BLOCK - 1)) == 0) closeSumBlock(sum);
  }
}

function closeSumBlock(sum: usize): void {
  const l0 = load<f64>(sum, 8), l1 = load<f64>(sum, 16), l2 = load<f64>(sum, 24), l3 = load<f64>(sum, 32);
  const l4 = load<f64>(sum, 40), l5 = load<f64>(sum, 48), l6 = load<f64>(sum, 56), l7 = load<f64>(sum, 64);
  store<f64>(sum, load<f64>(sum) + (((l0 + l1) + (l2 + l3)) + ((l4 + l5) + (l6 + l7))));
  memory.fill(sum + 8, 0, 64);
}

/** The sum of all that was added; it starts anew. */
export function takeSum(sum: usize): f64 {
  closeSumBlock(sum);
  const total = load<f64>(sum);
  store<f64>(sum, 0);
  return total;
}
