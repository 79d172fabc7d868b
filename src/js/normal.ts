// Normal equations and their solution in f64. Matrices are row-major with `pitch` elements between rows, a multiple of 8; of symmetric
// ones the lower triangle counts. Arguments are byte addresses.
import type { Heap } from "./heap.ts";

/** A += JᵀJ and g += Jᵀe for rows [from, to) of A; J [8 × pitch], e [8]. */
export function addNormal(
  { f64 }: Heap,
  A: number,
  g: number,
  J: number,
  e: number,
  pitch: number,
  from: number,
  to: number,
): void {
  const [matrix, vector, rows, errors] = [A >>> 3, g >>> 3, J >>> 3, e >>> 3];
  for (let i = from; i < to; i++) {
    for (let s = 0; s < 8; s++) {
      const value = f64[rows + s * pitch + i] as number;
      f64[vector + i] = (f64[vector + i] as number) + value * (f64[errors + s] as number);
      const target = matrix + i * pitch;
      const row = rows + s * pitch;
      for (let j = 0; j <= i; j++) f64[target + j] = (f64[target + j] as number) + value * (f64[row + j] as number);
    }
  }
}

/** Σ x_k·y_k for k < count: element k into accumulator k mod 4. */
function rowDot({ f64 }: Heap, x: number, y: number, count: number): number {
  const sums = [0, 0, 0, 0] as [number, number, number, number];
  for (let k = 0; k < count; k++) {
    sums[k & 3] = (sums[k & 3] as number) + (f64[x + k] as number) * (f64[y + k] as number);
  }
  return sums[0] + sums[1] + (sums[2] + sums[3]);
}

/**
 * Rows [from, to) of the Cholesky factor L of scale·A + shift·I. Gives the first row whose pivot is not positive, or −1.
 * Golub & Van Loan, Matrix Computations, 4.2.
 */
export function factorize(
  heap: Heap,
  A: number,
  L: number,
  pitch: number,
  scale: number,
  shift: number,
  from: number,
  to: number,
): number {
  const { f64 } = heap;
  for (let i = from; i < to; i++) {
    const a = (A >>> 3) + i * pitch;
    const l = (L >>> 3) + i * pitch;
    for (let j = 0; j < i; j++) {
      const other = (L >>> 3) + j * pitch;
      const value = scale * (f64[a + j] as number) - rowDot(heap, l, other, j);
      f64[l + j] = value / (f64[other + j] as number);
    }
    const pivot = scale * (f64[a + i] as number) + shift - rowDot(heap, l, l, i);
    if (!(pivot > 0)) return i;
    f64[l + i] = Math.sqrt(pivot);
  }
  return -1;
}

/** x ← (L·Lᵀ)⁻¹·x. */
export function solve(heap: Heap, L: number, x: number, pitch: number, count: number): void {
  const { f64 } = heap;
  const at = x >>> 3;
  forwardSubstitute(heap, L, x, pitch, 0, count);
  for (let i = count - 1; i >= 0; i--) {
    const l = (L >>> 3) + i * pitch;
    const value = (f64[at + i] as number) / (f64[l + i] as number);
    f64[at + i] = value;
    for (let k = 0; k < i; k++) f64[at + k] = (f64[at + k] as number) - (f64[l + k] as number) * value;
  }
}

/** x ← L⁻¹·x where x is 0 before `from`. */
function forwardSubstitute(heap: Heap, L: number, x: number, pitch: number, from: number, count: number): void {
  const { f64 } = heap;
  const at = x >>> 3;
  for (let i = from; i < count; i++) {
    const l = (L >>> 3) + i * pitch;
    f64[at + i] = ((f64[at + i] as number) - rowDot(heap, l, at, i)) / (f64[l + i] as number);
  }
}

/** Columns [from, to) of tr((L·Lᵀ)⁻¹) = Σ ‖L⁻¹·e_c‖²; x: room for `count`. */
export function inverseTrace(
  heap: Heap,
  L: number,
  x: number,
  pitch: number,
  count: number,
  from: number,
  to: number,
): number {
  const at = x >>> 3;
  let trace = 0;
  for (let c = from; c < to; c++) {
    heap.f64.fill(0, at, at + count);
    heap.f64[at + c] = 1;
    forwardSubstitute(heap, L, x, pitch, c, count);
    trace += rowDot(heap, at, at, count);
  }
  return trace;
}
