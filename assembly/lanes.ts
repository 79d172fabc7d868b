// The vocabulary of the kernels: `real` lanes in 128-bit vectors. SIZE, LANES and TILE_COLS are the three numbers that
// differ between f32 and f64; a tile is always two vectors wide.

export const SIZE: i32 = sizeof<real>(); // bytes per element
export const LANES: i32 = 16 / sizeof<real>(); // elements per vector: 4 or 2
export const TILE_COLS: i32 = 32 / sizeof<real>(); // elements per two vectors: 8 or 4
export const PANEL: i32 = 8; // samples per panel
export const UNIT_BYTES: i32 = 8 * sizeof<real>(); // one unit of a panel
export const HALVES: i32 = sizeof<real>() / 4; // tiles across a panel: 1 or 2

/** Smallest normal number of `real`: state and deltas below it become +0 (DESIGN.md I1). */
export const MIN_NORMAL: f64 = sizeof<real>() == 4 ? 1.1754943508222875e-38 : 2.2250738585072014e-308;

/** acc + w·a: two roundings, or one in the relaxed core. */
@inline
export function madd(acc: v128, w: v128, a: v128): v128 {
  if (RELAXED) {
    if (sizeof<real>() == 4) return f32x4.relaxed_madd(w, a, acc);
    return f64x2.relaxed_madd(w, a, acc);
  }
  return v128.add<real>(acc, v128.mul<real>(w, a));
}

/** All lanes = the element at `ptr`. */
@inline
export function loadSplat(ptr: usize): v128 {
  if (sizeof<real>() == 4) return v128.load32_splat(ptr);
  return v128.load64_splat(ptr);
}

/** Elements of magnitude below MIN_NORMAL become +0; NaN stays. `min` = splat(MIN_NORMAL). */
@inline
export function flush(x: v128, min: v128): v128 {
  return v128.andnot(x, v128.lt<real>(v128.abs<real>(x), min));
}

/** The scalar form of `flush`. */
@inline
export function flushScalar(x: real): real {
  return abs<real>(x) < <real>MIN_NORMAL ? 0 : x;
}

// The elements after it: an offset that is part of the instruction, where loadSplat(ptr + SIZE) costs an addition.
@inline
export function loadSplat1(ptr: usize): v128 {
  if (sizeof<real>() == 4) return v128.load32_splat(ptr, 4);
  return v128.load64_splat(ptr, 8);
}

@inline
export function loadSplat2(ptr: usize): v128 {
  if (sizeof<real>() == 4) return v128.load32_splat(ptr, 8);
  return v128.load64_splat(ptr, 16);
}

@inline
export function loadSplat3(ptr: usize): v128 {
  if (sizeof<real>() == 4) return v128.load32_splat(ptr, 12);
  return v128.load64_splat(ptr, 24);
}

@inline
export function loadSplat4(ptr: usize): v128 {
  if (sizeof<real>() == 4) return v128.load32_splat(ptr, 16);
  return v128.load64_splat(ptr, 32);
}

@inline
export function loadSplat5(ptr: usize): v128 {
  if (sizeof<real>() == 4) return v128.load32_splat(ptr, 20);
  return v128.load64_splat(ptr, 40);
}

@inline
export function loadSplat6(ptr: usize): v128 {
  if (sizeof<real>() == 4) return v128.load32_splat(ptr, 24);
  return v128.load64_splat(ptr, 48);
}

@inline
export function loadSplat7(ptr: usize): v128 {
  if (sizeof<real>() == 4) return v128.load32_splat(ptr, 28);
  return v128.load64_splat(ptr, 56);
}

@inline
export function roundUp(n: i32, multiple: i32): i32 {
  return (n + multiple - 1) & -multiple;
}

/** A zero that no compiler knows for one: a memory has at most 2^16 pages. assembly/finish.mjs makes a function ask for it once. */
@inline
function unknownZero(): i32 {
  return <i32>(<u32>memory.size() >>> 17);
}

/**
 * A constant in all lanes. A plain splat would become a v128.const, and V8 rebuilds that at every use in three instructions; this it builds
 * once per loop turn, or once before the loop (measured: exp on Node 24 0.86 instead of 0.48 elements per ns). Not from a global, which V8 loads
 * anew in each turn (exp in float64 2 to 23 % slower).
 */
@inline
export function all<T>(value: f64): v128 {
  if (sizeof<T>() == 4) return i32x4.splat(reinterpret<i32>(<f32>value) + unknownZero());
  return i64x2.splat(reinterpret<i64>(value) + <i64>unknownZero());
}

/** The same for bits. */
@inline
export function allBits<T>(bits32: i32, bits64: i64): v128 {
  if (sizeof<T>() == 4) return i32x4.splat(bits32 + unknownZero());
  return i64x2.splat(bits64 + <i64>unknownZero());
}

/** The zero that `ends` compares with. */
@inline
export function never(): usize {
  return isDefined(COMPACT) ? 0 : <usize>popcnt<i32>(unknownZero());
}

/**
 * A test that never holds, `none` being `never()`. It ends a basic block, which V8 up to 12 puts in an order of its own; from 13 on V8 keeps the
 * source's, and a test is but two instructions more. assembly/finish.mjs puts the constant 0 in the unknown one's place: its bits V8 counts while
 * it compiles from 13 on, not before, so that there no test is left (forward products, gradients and descent on Zen 4 2 to 3 % faster).
 */
@inline
export function ends(value: usize, none: usize): bool {
  return isDefined(COMPACT) ? !value : value < none;
}

@inline
export function signBit<T>(): v128 {
  return all<T>(-0.0);
}
