// Normal equations and their solution in f64. Matrices are row-major with `pitch` elements between rows, a multiple of 8; of symmetric
// ones the lower triangle counts.
const F: usize = 8;

/** A += JᵀJ and g += Jᵀe for rows [from, to) of A; J [8 × pitch], e [8]. */
export function addNormal(A: usize, g: usize, J: usize, e: usize, pitch: i32, from: i32, to: i32): void {
  const row = <usize>pitch * F;
  for (let i = from; i < to; i++) {
    const column = J + <usize>i * F, target = A + <usize>i * row;
    let sum = load<f64>(g + <usize>i * F);
    for (let s: usize = 0; s < 8; s++) sum += load<f64>(column + s * row) * load<f64>(e + s * F);
    store<f64>(g + <usize>i * F, sum);
    const j0 = v128.load64_splat(column), j1 = v128.load64_splat(column + row), j2 = v128.load64_splat(column + 2 * row);
    const j3 = v128.load64_splat(column + 3 * row), j4 = v128.load64_splat(column + 4 * row);
    const j5 = v128.load64_splat(column + 5 * row), j6 = v128.load64_splat(column + 6 * row);
    const j7 = v128.load64_splat(column + 7 * row);
    for (let at: usize = 0; at <= <usize>i * F; at += 16) {
      const p = J + at;
      let acc = v128.load(target + at);
      acc = f64x2.add(acc, f64x2.mul(j0, v128.load(p)));
      acc = f64x2.add(acc, f64x2.mul(j1, v128.load(p + row)));
      acc = f64x2.add(acc, f64x2.mul(j2, v128.load(p + 2 * row)));
      acc = f64x2.add(acc, f64x2.mul(j3, v128.load(p + 3 * row)));
      acc = f64x2.add(acc, f64x2.mul(j4, v128.load(p + 4 * row)));
      acc = f64x2.add(acc, f64x2.mul(j5, v128.load(p + 5 * row)));
      acc = f64x2.add(acc, f64x2.mul(j6, v128.load(p + 6 * row)));
      acc = f64x2.add(acc, f64x2.mul(j7, v128.load(p + 7 * row)));
      v128.store(target + at, acc);
    }
  }
}

/** Σ x_k·y_k for k < count: element k into accumulator k mod 4. */
@inline
function rowDot(x: usize, y: usize, count: i32): f64 {
  let a = f64x2.splat(0), b = f64x2.splat(0);
  const whole = <usize>(count & -4) * F;
  let i: usize = 0;
  for (; i < whole; i += 32) {
    a = f64x2.add(a, f64x2.mul(v128.load(x + i), v128.load(y + i)));
    b = f64x2.add(b, f64x2.mul(v128.load(x + i, 16), v128.load(y + i, 16)));
  }
  let s0 = f64x2.extract_lane(a, 0), s1 = f64x2.extract_lane(a, 1), s2 = f64x2.extract_lane(b, 0);
  const s3 = f64x2.extract_lane(b, 1), rest = count & 3;
  if (rest > 0) s0 += load<f64>(x + i) * load<f64>(y + i);
  if (rest > 1) s1 += load<f64>(x + i, 8) * load<f64>(y + i, 8);
  if (rest > 2) s2 += load<f64>(x + i, 16) * load<f64>(y + i, 16);
  return (s0 + s1) + (s2 + s3);
}

/**
 * Rows [from, to) of the Cholesky factor L of scale·A + shift·I. Gives the first row whose pivot is not positive, or −1.
 * Golub & Van Loan, Matrix Computations, 4.2.
 */
export function factorize(A: usize, L: usize, pitch: i32, scale: f64, shift: f64, from: i32, to: i32): i32 {
  const row = <usize>pitch * F;
  for (let i = from; i < to; i++) {
    const a = A + <usize>i * row, l = L + <usize>i * row;
    for (let j = 0; j < i; j++) {
      const other = L + <usize>j * row, at = <usize>j * F;
      const value = scale * load<f64>(a + at) - rowDot(l, other, j);
      store<f64>(l + at, value / load<f64>(other + at));
    }
    const at = <usize>i * F;
    const pivot = scale * load<f64>(a + at) + shift - rowDot(l, l, i);
    if (!(pivot > 0)) return i;
    store<f64>(l + at, Math.sqrt(pivot));
  }
  return -1;
}

/** x ← (L·Lᵀ)⁻¹·x. */
export function solve(L: usize, x: usize, pitch: i32, count: i32): void {
  forwardSubstitute(L, x, pitch, 0, count);
  const row = <usize>pitch * F;
  for (let i = count - 1; i >= 0; i--) {
    const l = L + <usize>i * row, at = <usize>i * F;
    const value = load<f64>(x + at) / load<f64>(l + at);
    store<f64>(x + at, value);
    for (let k: usize = 0; k < at; k += F) store<f64>(x + k, load<f64>(x + k) - load<f64>(l + k) * value);
  }
}

/** x ← L⁻¹·x where x is 0 before `from`. */
function forwardSubstitute(L: usize, x: usize, pitch: i32, from: i32, count: i32): void {
  const row = <usize>pitch * F;
  for (let i = from; i < count; i++) {
    const l = L + <usize>i * row, at = <usize>i * F;
    store<f64>(x + at, (load<f64>(x + at) - rowDot(l, x, i)) / load<f64>(l + at));
  }
}

/** Columns [from, to) of tr((L·Lᵀ)⁻¹) = Σ ‖L⁻¹·e_c‖²; x: room for `count`. */
export function inverseTrace(L: usize, x: usize, pitch: i32, count: i32, from: i32, to: i32): f64 {
  let trace: f64 = 0;
  for (let c = from; c < to; c++) {
    memory.fill(x, 0, <usize>count * F);
    store<f64>(x + <usize>c * F, 1);
    forwardSubstitute(L, x, pitch, c, count);
    trace += rowDot(x, x, count);
  }
  return trace;
}
