// The sigmoid of vmath.ts where it is within its common range, bit for bit, for a loop whose time is the chain of dependent
// operations: the constants are the caller's, who takes them before the loop. f64 is sigmoid64.ts. In f32 e^−|x| is normal: the
// clamp is left out, and 2^n is an addition to the exponent, which is exact as the product is.
import { all, signBit } from "./lanes";
import { SIGMOID_END, sigmoidConstant, sigmoidWithin } from "./sigmoid64";
import { EXP32_1, EXP32_2, EXP32_3, EXP32_4, LOG2E, ln2Hi, ln2Lo, rounder, toExponent } from "./vmath";

/** What sigmoidNear takes beside x. */
@inline
export function nearConstant(i: i32): v128 {
  if (sizeof<real>() == 8) return sigmoidConstant(i);
  if (i == 0) return rounder<real>(0);
  if (i == 1) return all<real>(0.5);
  if (i == 2) return all<real>(EXP32_1);
  if (i == 3) return all<real>(EXP32_2);
  if (i == 4) return all<real>(EXP32_3);
  if (i == 5) return all<real>(EXP32_4);
  if (i == 6) return ln2Hi<real>();
  if (i == 7) return ln2Lo<real>();
  if (i == 8) return signBit<real>();
  return all<real>(1);
}

/** n = round(−|x|/ln 2) in the low bits, and above them what rounds. */
@inline
function power32(x: v128, round: v128, sign: v128): v128 {
  return f32x4.add(f32x4.mul(v128.or(x, sign), all<f32>(LOG2E)), round);
}

@inline
export function nearSign(): v128 {
  return signBit<real>();
}

/** |x| from which on (f64), the power below which (f32) sigmoidNear is not made for an x. */
@inline
export function nearEnd(): v128 {
  return all<real>(sizeof<real>() == 4 ? 12582912.0 - 124.0 : SIGMOID_END);
}

/** All ones in the lanes for which sigmoidNear is made: |x| < 15.75 in f64, n from −124 on in f32; never of a NaN. */
@inline
export function isNear(x: v128, round: v128, sign: v128, end: v128): v128 {
  if (sizeof<real>() == 8) return f64x2.lt(v128.andnot(x, sign), end);
  return f32x4.ge(power32(x, round, sign), end);
}

/** σ(x) of an x that isNear, elsewhere anything; `alike`: all lanes of x are. */
@inline
export function sigmoidNear(
  x: v128, alike: bool, c0: v128, c1: v128, c2: v128, c3: v128, c4: v128, c5: v128, c6: v128, c7: v128, c8: v128, one: v128,
): v128 {
  if (sizeof<real>() == 8) return sigmoidWithin(x, alike, c0, c1, c2, c3, c4, c5, c6, c7, c8, one);
  return sigmoid32(x, c0, c1, c2, c3, c4, c5, c6, c7, c8, one);
}

@inline
function sigmoid32(
  x: v128, round: v128, half: v128, q1: v128, q2: v128, q3: v128, q4: v128, hi: v128, lo: v128, sign: v128, one: v128,
): v128 {
  const y = power32(x, round, sign);
  const n = f32x4.sub(y, round);
  const t = f32x4.sub(v128.or(x, sign), f32x4.mul(n, hi));
  const low = f32x4.mul(n, lo);
  const r = f32x4.sub(t, low);
  const r2 = f32x4.mul(r, r);
  const q01 = f32x4.add(f32x4.mul(r, q1), half), q23 = f32x4.add(f32x4.mul(r, q3), q2);
  const q = f32x4.add(f32x4.mul(r2, f32x4.add(f32x4.mul(r2, q4), q23)), q01);
  const tail = f32x4.sub(f32x4.mul(r2, q), low);
  const p = f32x4.add(one, f32x4.add(t, tail));
  const e = i32x4.add(p, toExponent<f32>(y));
  return f32x4.div(v128.bitselect(e, one, f32x4.lt(x, f32x4.splat(0))), f32x4.add(one, e));
}
