// Elementary functions on lanes of T (f32 or f64), from + − × ÷, bit operations, comparisons and selects alone: the same
// bits in every binary (no fused multiply-add, also where RELAXED is 1) and in src/js/vmath.ts, which repeats every
// operation in the same order.
//
//            f32: bound (largest found)   f64: bound (largest found)    in ulp, over the whole domain
//   exp      1     (0.907)                1     (0.854)
//   log      1     (0.904)                1     (0.784)
//   tanh     2     (1.797)                2     (1.660)
//   sigmoid  2.5   (2.402)                2.5   (1.846)
//   log1p                                 1     (0.689)
//   cos2pi                                2     (1.330)
//
// Found: f32 over all 2^32 arguments, f64 over 30 000 drawn by test/fixtures/vmath/make.py, sigmoid over 42 million more. Subnormal results are within
// the same bounds in ulp of a subnormal.
//
// The polynomials are our own fits: the weighted minimax problem on Chebyshev points solved as a linear program in 60
// digits, the coefficients rounded from the lowest order up and the rest refitted after each. 2^-k beside a fit is
// its largest error after rounding, relative to the result it is a part of.

// With COMPACT (assembly/standalone.json) what stands in many activations is one function of the binary, not a copy in each: half the
// bytes, the same operations.
import { all, allBits, signBit } from "./lanes";
import { SIGMOID_END, sigmoidConstant, sigmoidWithin } from "./sigmoid64";

// ── exp, sigmoid, tanh ─────────────────────────────────────────────────────────────────────────

export const LOG2E: f64 = 1.4426950408889634; // 1/ln 2

/** ln 2 = HI + LO. HI has 15 bits (f32), 41 (f64): times an exponent, of 8 or 11 bits, it is exact. */
const LN2_HI32: f64 = 0.693145751953125;
const LN2_LO32: f64 = 1.4286068203094173e-6;
const LN2_HI64: f64 = 0.6931471805601177;
const LN2_LO64: f64 = -1.7239444525614835e-13;

/**
 * Adding 1.5·2^23 (1.5·2^52) rounds to an integer n, which then stands in the low bits; with n times the exponent bias, 127 (1023), in the constant,
 * n + that stands there.
 */
const ROUNDER32: f64 = 12582912.0;
const ROUNDER64: f64 = 6755399441055744.0;

// The coefficient of r^k in q of expTail; that of r^0 is ½.
export const EXP32_1: f64 = 0.166665345;
export const EXP32_2: f64 = 0.0416672416;
export const EXP32_3: f64 = 0.00836743321;
export const EXP32_4: f64 = 0.00138634187;

const EXP64_1: f64 = 0.16666666666666433;
const EXP64_2: f64 = 0.041666666666603992;
const EXP64_3: f64 = 0.0083333333335003906;
const EXP64_4: f64 = 1.3888888926784188e-3;
const EXP64_5: f64 = 1.9841269465612445e-4;
const EXP64_6: f64 = 2.4801508695885476e-5;
const EXP64_7: f64 = 2.755764131942297e-6;
const EXP64_8: f64 = 2.7625182105524094e-7;
const EXP64_9: f64 = 2.4978254932523455e-8;

/** Places in the tables of what exp and its like need; after TAIL the coefficients of expTail, from that of r on. */
const HALF: i32 = 0;
const ONE: i32 = 1;
const LN2_INVERSE: i32 = 2;
const LN2_HI: i32 = 3;
const LN2_LO: i32 = 4;
const ROUND: i32 = 5; // the rounder with the exponent bias once in it
const ROUND_TWICE: i32 = 6;
const EXP_MIN: i32 = 7; // below this e^x is +0: ln 2^-150 = −103.97…, ln 2^-1075 = −745.1…
const EXP_MAX: i32 = 8; // above this e^x is +Infinity: ln 2^128 = 88.7…, ln 2^1024 = 709.8…
const TWO: i32 = 9;
const TANH_END: i32 = 10; // twice that beyond which tanh is 1
const ROUND_ALONE: i32 = 11; // the rounder without the exponent bias
const TAIL: i32 = 11;

// Functions, for a binary gets the data of what it calls.
function exp32Table(): usize {
  return memory.data<f32>([
    0.5, 1, <f32>LOG2E, <f32>LN2_HI32, <f32>LN2_LO32, <f32>(ROUNDER32 + 127), <f32>(ROUNDER32 + 254), -104, 100, 2, 20,
    <f32>ROUNDER32, <f32>EXP32_1, <f32>EXP32_2, <f32>EXP32_3, <f32>EXP32_4,
  ]);
}

function exp64Table(): usize {
  return memory.data<f64>([
    0.5, 1, LOG2E, LN2_HI64, LN2_LO64, ROUNDER64 + 1023, ROUNDER64 + 2046, -746, 710, 2, 40, ROUNDER64, EXP64_1, EXP64_2, EXP64_3,
    EXP64_4, EXP64_5, EXP64_6, EXP64_7, EXP64_8, EXP64_9,
  ]);
}

/**
 * The constant at a place of its table. To load it is faster than to build it in a register (`all`; activations with an exponential function 15 to
 * 45 %), but for the float64 loops of maps.ts, where four vectors share the registers: so what they use is `loaded` or not.
 */
@inline
function stored<T>(place: i32): v128 {
  if (isDefined(COMPACT)) return all<T>(0); // never called, and so without the tables
  else if (sizeof<T>() == 4) return v128.load32_splat(exp32Table() + <usize>(place << 2));
  else return v128.load64_splat(exp64Table() + <usize>(place << 3));
}

/** With COMPACT they are built: the binary's only data is what an export puts into it. */
const LOADED: bool = isDefined(COMPACT) ? false : true;

@inline
function one<T>(loaded: bool): v128 {
  return loaded ? stored<T>(ONE) : all<T>(1);
}

@inline
export function ln2Hi<T>(loaded: bool = false): v128 {
  return loaded ? stored<T>(LN2_HI) : all<T>(sizeof<T>() == 4 ? LN2_HI32 : LN2_HI64);
}

@inline
export function ln2Lo<T>(loaded: bool = false): v128 {
  return loaded ? stored<T>(LN2_LO) : all<T>(sizeof<T>() == 4 ? LN2_LO32 : LN2_LO64);
}

/** See ROUNDER32; with `biases` times the exponent bias in it, once or twice where `loaded`. */
@inline
export function rounder<T>(biases: f64, loaded: bool = false): v128 {
  if (loaded) return stored<T>(biases == 1 ? ROUND : ROUND_TWICE);
  return all<T>(sizeof<T>() == 4 ? ROUNDER32 + 127.0 * biases : ROUNDER64 + 1023.0 * biases);
}

@inline
function inverse<T>(loaded: bool): v128 {
  return loaded ? stored<T>(LN2_INVERSE) : all<T>(LOG2E);
}

/** An integer as the exponent field; what lies above it is lost. */
@inline
export function toExponent<T>(n: v128): v128 {
  return sizeof<T>() == 4 ? i32x4.shl(n, 23) : i64x2.shl(n, 52);
}

/**
 * e^r − 1 − r = r²·q(r) on |r| ≤ ½·ln 2; 2^-28 (f32), 2^-57.4 (f64) of e^r. Evaluated in pairs (Estrin): the chain of dependent
 * operations limits the speed.
 */
@inline
function expTail<T>(r: v128, loaded: bool): v128 {
  return sizeof<T>() == 4 ? expTail32(r, loaded) : expTail64(r, loaded);
}

@inline
function expTail32(r: v128, loaded: bool): v128 {
  const r2 = f32x4.mul(r, r);
  const q01 = f32x4.add(f32x4.mul(r, loaded ? stored<f32>(TAIL + 1) : all<f32>(EXP32_1)), loaded ? stored<f32>(HALF) : all<f32>(0.5));
  const q23 = f32x4.add(f32x4.mul(r, loaded ? stored<f32>(TAIL + 3) : all<f32>(EXP32_3)), loaded ? stored<f32>(TAIL + 2) : all<f32>(EXP32_2));
  const q24 = f32x4.add(f32x4.mul(r2, loaded ? stored<f32>(TAIL + 4) : all<f32>(EXP32_4)), q23);
  return f32x4.mul(r2, f32x4.add(f32x4.mul(r2, q24), q01));
}

@inline
function expTail64(r: v128, loaded: bool): v128 {
  const r2 = f64x2.mul(r, r);
  const r4 = f64x2.mul(r2, r2);
  const q01 = f64x2.add(f64x2.mul(r, loaded ? stored<f64>(TAIL + 1) : all<f64>(EXP64_1)), loaded ? stored<f64>(HALF) : all<f64>(0.5));
  const q23 = f64x2.add(f64x2.mul(r, loaded ? stored<f64>(TAIL + 3) : all<f64>(EXP64_3)), loaded ? stored<f64>(TAIL + 2) : all<f64>(EXP64_2));
  const q45 = f64x2.add(f64x2.mul(r, loaded ? stored<f64>(TAIL + 5) : all<f64>(EXP64_5)), loaded ? stored<f64>(TAIL + 4) : all<f64>(EXP64_4));
  const q67 = f64x2.add(f64x2.mul(r, loaded ? stored<f64>(TAIL + 7) : all<f64>(EXP64_7)), loaded ? stored<f64>(TAIL + 6) : all<f64>(EXP64_6));
  const q89 = f64x2.add(f64x2.mul(r, loaded ? stored<f64>(TAIL + 9) : all<f64>(EXP64_9)), loaded ? stored<f64>(TAIL + 8) : all<f64>(EXP64_8));
  const q03 = f64x2.add(f64x2.mul(r2, q23), q01);
  const q47 = f64x2.add(f64x2.mul(r2, q67), q45);
  const q49 = f64x2.add(f64x2.mul(r4, q89), q47);
  return f64x2.mul(r2, f64x2.add(f64x2.mul(r4, q49), q03));
}

/**
 * e^x = 2^n·e^r, n = round(x/ln 2), for an x that the clamps of exp leave. With t = x − n·HI (exact), lo = n·LO and r = t − lo,
 * e^r = 1 + (t + (expTail(r) − lo)): t carries no rounding error, which keeps the sum below 1 ulp.
 * 2^n is applied as two factors, 2^⌊n/2⌋ and the rest; the first product is exact, so that a subnormal result
 * is rounded once more and no further.
 */
@inline
function expWithin<T>(x: v128, loaded: bool): v128 {
  return isDefined(COMPACT) ? expShared<T>(x) : expInline<T>(x, loaded);
}

function expShared<T>(x: v128): v128 {
  return expInline<T>(x, LOADED);
}

@inline
function expInline<T>(x: v128, loaded: bool): v128 {
  const y = v128.add<T>(v128.mul<T>(x, inverse<T>(loaded)), rounder<T>(2, loaded));
  const n = v128.sub<T>(y, rounder<T>(2, loaded));
  const t = v128.sub<T>(x, v128.mul<T>(n, ln2Hi<T>(loaded)));
  const lo = v128.mul<T>(n, ln2Lo<T>(loaded));
  const tail = v128.sub<T>(expTail<T>(v128.sub<T>(t, lo), loaded), lo);
  const p = v128.add<T>(one<T>(loaded), v128.add<T>(t, tail));
  const half = sizeof<T>() == 4 ? i32x4.shr_u(y, 1) : i64x2.shr_u(y, 1);
  const rest = sizeof<T>() == 4 ? i32x4.sub(y, half) : i64x2.sub(y, half);
  return v128.mul<T>(v128.mul<T>(p, toExponent<T>(half)), toExponent<T>(rest));
}

@inline
function expMin<T>(loaded: bool): v128 {
  return loaded ? stored<T>(EXP_MIN) : all<T>(sizeof<T>() == 4 ? -104 : -746);
}

@inline
function expMax<T>(loaded: bool): v128 {
  return loaded ? stored<T>(EXP_MAX) : all<T>(sizeof<T>() == 4 ? 100 : 710);
}

/** e^x. pmin and pmax hand on a NaN in the first place. */
@inline
function exp<T>(x: v128, loaded: bool): v128 {
  return expWithin<T>(v128.pmax<T>(v128.pmin<T>(x, expMax<T>(loaded)), expMin<T>(loaded)), loaded);
}

/** σ(x) = 1/(1 + e) for x ≥ 0, e/(1 + e) for x < 0, e = e^−|x|: no overflow, subnormal results right. */
@inline
function sigmoidByExp<T>(x: v128, loaded: bool): v128 {
  const e = expWithin<T>(v128.pmax<T>(v128.or(x, signBit<T>()), expMin<T>(loaded)), loaded);
  return sigmoidOf<T>(x, e, one<T>(loaded));
}

/** `unit` is 1, and 1 − 1 a zero without `all`, which is a call in Firefox: float32 σ three times as fast there, 4 % on Node 24. */
@inline
function sigmoidOf<T>(x: v128, e: v128, unit: v128): v128 {
  return v128.div<T>(v128.bitselect(e, unit, v128.lt<T>(x, v128.sub<T>(unit, unit))), v128.add<T>(unit, e));
}

/** The bits of 125: with |n| up to that e^x is normal. */
const EXP32_NORMAL: i32 = 0x42fa0000;

// r of expGroups: behind globals the compiler has to leave the order of the stages.
let fence0: v128;
let fence1: v128;
let fence2: v128;
let fence3: v128;

/**
 * dst = e^src, or where `sigmoid` σ(src), float32; `bytes` a multiple of 64; dst may be src. The operations of expInline,
 * stage by stage for four vectors: e^x is a chain of operations that wait for each other, and a processor that sees 36
 * waiting ones ahead sees little more than one vector's. Where all four are in the normal range, as nearly always, there is
 * no clamp, and 2^n is added to the exponent, which is exact. A rounder must be even, as in expInline, or a tie goes to
 * the other n. The compiler gathers the operations of each vector again, in part; for e^x alone the globals keep it from
 * that (a quarter faster on Node 24; sigmoid 6 % slower on Node 20).
 */
@inline
export function expGroups(sigmoid: bool, dst: usize, src: usize, bytes: usize): void {
  const half = stored<f32>(HALF), unit = stored<f32>(ONE), scale = stored<f32>(LN2_INVERSE), round = stored<f32>(ROUND_ALONE);
  const hi = stored<f32>(LN2_HI), low = stored<f32>(LN2_LO), sign = signBit<f32>();
  const c1 = stored<f32>(TAIL + 1), c2 = stored<f32>(TAIL + 2), c3 = stored<f32>(TAIL + 3), c4 = stored<f32>(TAIL + 4);
  for (const end = src + bytes; src < end; src += 64, dst += 64) {
    const x0 = exponent(sigmoid, v128.load(src), sign), x1 = exponent(sigmoid, v128.load(src, 16), sign),
      x2 = exponent(sigmoid, v128.load(src, 32), sign), x3 = exponent(sigmoid, v128.load(src, 48), sign);
    const y0 = f32x4.add(f32x4.mul(x0, scale), round), y1 = f32x4.add(f32x4.mul(x1, scale), round),
      y2 = f32x4.add(f32x4.mul(x2, scale), round), y3 = f32x4.add(f32x4.mul(x3, scale), round);
    const n0 = f32x4.sub(y0, round), n1 = f32x4.sub(y1, round), n2 = f32x4.sub(y2, round), n3 = f32x4.sub(y3, round);
    const t0 = f32x4.sub(x0, f32x4.mul(n0, hi)), t1 = f32x4.sub(x1, f32x4.mul(n1, hi)),
      t2 = f32x4.sub(x2, f32x4.mul(n2, hi)), t3 = f32x4.sub(x3, f32x4.mul(n3, hi));
    const l0 = f32x4.mul(n0, low), l1 = f32x4.mul(n1, low), l2 = f32x4.mul(n2, low), l3 = f32x4.mul(n3, low);
    const r0 = f32x4.sub(t0, l0), r1 = f32x4.sub(t1, l1), r2 = f32x4.sub(t2, l2), r3 = f32x4.sub(t3, l3);
    if (!sigmoid) fence0 = r0;
    if (!sigmoid) fence1 = r1;
    if (!sigmoid) fence2 = r2;
    if (!sigmoid) fence3 = r3;
    const most = i32x4.max_s(
      i32x4.max_s(v128.andnot(n0, sign), v128.andnot(n1, sign)), i32x4.max_s(v128.andnot(n2, sign), v128.andnot(n3, sign)),
    );
    if (v128.any_true(i32x4.gt_s(most, i32x4.splat(EXP32_NORMAL)))) {
      expBeyond(sigmoid, dst, src);
      continue;
    }
    let q0 = f32x4.add(f32x4.mul(r0, c3), c2), q1 = f32x4.add(f32x4.mul(r1, c3), c2),
      q2 = f32x4.add(f32x4.mul(r2, c3), c2), q3 = f32x4.add(f32x4.mul(r3, c3), c2);
    const s0 = f32x4.mul(r0, r0), s1 = f32x4.mul(r1, r1), s2 = f32x4.mul(r2, r2), s3 = f32x4.mul(r3, r3);
    const k0 = f32x4.add(f32x4.mul(sigmoid ? r0 : fence0, c1), half), k1 = f32x4.add(f32x4.mul(sigmoid ? r1 : fence1, c1), half),
      k2 = f32x4.add(f32x4.mul(sigmoid ? r2 : fence2, c1), half), k3 = f32x4.add(f32x4.mul(sigmoid ? r3 : fence3, c1), half);
    q0 = f32x4.add(f32x4.mul(s0, c4), q0), q1 = f32x4.add(f32x4.mul(s1, c4), q1),
      q2 = f32x4.add(f32x4.mul(s2, c4), q2), q3 = f32x4.add(f32x4.mul(s3, c4), q3);
    q0 = f32x4.add(f32x4.mul(s0, q0), k0), q1 = f32x4.add(f32x4.mul(s1, q1), k1),
      q2 = f32x4.add(f32x4.mul(s2, q2), k2), q3 = f32x4.add(f32x4.mul(s3, q3), k3);
    q0 = f32x4.sub(f32x4.mul(s0, q0), l0), q1 = f32x4.sub(f32x4.mul(s1, q1), l1),
      q2 = f32x4.sub(f32x4.mul(s2, q2), l2), q3 = f32x4.sub(f32x4.mul(s3, q3), l3);
    q0 = f32x4.add(unit, f32x4.add(t0, q0)), q1 = f32x4.add(unit, f32x4.add(t1, q1)),
      q2 = f32x4.add(unit, f32x4.add(t2, q2)), q3 = f32x4.add(unit, f32x4.add(t3, q3));
    q0 = i32x4.add(q0, toExponent<f32>(y0)), q1 = i32x4.add(q1, toExponent<f32>(y1)),
      q2 = i32x4.add(q2, toExponent<f32>(y2)), q3 = i32x4.add(q3, toExponent<f32>(y3));
    v128.store(dst, sigmoid ? sigmoidOf<f32>(v128.load(src), q0, unit) : q0);
    v128.store(dst, sigmoid ? sigmoidOf<f32>(v128.load(src, 16), q1, unit) : q1, 16);
    v128.store(dst, sigmoid ? sigmoidOf<f32>(v128.load(src, 32), q2, unit) : q2, 32);
    v128.store(dst, sigmoid ? sigmoidOf<f32>(v128.load(src, 48), q3, unit) : q3, 48);
  }
}

/** What e is raised to. */
@inline
function exponent(sigmoid: bool, x: v128, sign: v128): v128 {
  return sigmoid ? v128.or(x, sign) : x;
}

/** One group, wherever its numbers lie. */
function expBeyond(sigmoid: bool, dst: usize, src: usize): void {
  for (let i: usize = 0; i < 64; i += 16) {
    const x = v128.load(src + i);
    v128.store(dst + i, sigmoid ? sigmoid32(x) : exp32(x));
  }
}

/** e^x by a call: for what groups leave over. */
@inline
export function exp32(x: v128): v128 {
  return expCalled(x);
}

function expCalled(x: v128): v128 {
  return exp<f32>(x, LOADED);
}

@inline
export function sigmoid32(x: v128): v128 {
  return sigmoidOf<f32>(x, expCalled(v128.or(x, signBit<f32>())), one<f32>(LOADED));
}

/** In f64 by table where |x| < SIGMOID_END. */
@inline
function sigmoid<T>(x: v128, loaded: bool): v128 {
  if (sizeof<T>() == 4) return sigmoidByExp<T>(x, loaded);
  const within = f64x2.lt(f64x2.abs(x), all<f64>(SIGMOID_END));
  let beyond = x;
  if (!i64x2.all_true(within)) {
    beyond = sigmoidByExp<f64>(x, LOADED);
    if (!isDefined(COMPACT) && !v128.any_true(within)) return beyond;
  }
  return v128.bitselect(sigmoid64Within(x), beyond, within);
}

/** Of |x| < SIGMOID_END, elsewhere anything. */
@inline
export function sigmoid64Within(x: v128): v128 {
  return sigmoidWithin(
    x, false, sigmoidConstant(0), sigmoidConstant(1), sigmoidConstant(2), sigmoidConstant(3), sigmoidConstant(4),
    sigmoidConstant(5), sigmoidConstant(6), sigmoidConstant(7), sigmoidConstant(8), sigmoidConstant(9),
  );
}

@inline
function two<T>(loaded: bool): v128 {
  return loaded ? stored<T>(TWO) : all<T>(2);
}

@inline
function tanhEnd<T>(loaded: bool): v128 {
  return loaded ? stored<T>(TANH_END) : all<T>(sizeof<T>() == 4 ? 20 : 40);
}

/**
 * tanh|x| = E/(E + 2), E = e^v − 1, v = 2|x|, reduced as in exp: E = head + tail, head = 2^n·t + (2^n − 1), exact for E < 1,
 * tail = 2^n·(expTail(r) − lo); n = 0 keeps the relative accuracy down to the subnormals. D = rnd(E + 2) = E + 2 − d, and
 * E/(D + d) ≈ (E − d·tanh|x|)/D, for which min(|x|, 1) is near enough: without d the error passes 2 ulp (measured).
 */
@inline
function tanh<T>(x: v128, loaded: bool): v128 {
  const size = v128.abs<T>(x);
  const v = v128.pmin<T>(v128.mul<T>(size, two<T>(loaded)), tanhEnd<T>(loaded)); // beyond: 1
  const y = v128.add<T>(v128.mul<T>(v, inverse<T>(loaded)), rounder<T>(1, loaded));
  const n = v128.sub<T>(y, rounder<T>(1, loaded));
  const t = v128.sub<T>(v, v128.mul<T>(n, ln2Hi<T>(loaded)));
  const lo = v128.mul<T>(n, ln2Lo<T>(loaded));
  const scale = toExponent<T>(y);
  const head = v128.add<T>(v128.mul<T>(scale, t), v128.sub<T>(scale, one<T>(loaded)));
  const tail = v128.mul<T>(scale, v128.sub<T>(expTail<T>(v128.sub<T>(t, lo), loaded), lo));
  const E = v128.add<T>(head, tail);
  const D = v128.add<T>(E, two<T>(loaded));
  const d = v128.sub<T>(E, v128.sub<T>(D, two<T>(loaded)));
  const N = v128.add<T>(head, v128.sub<T>(tail, v128.mul<T>(d, v128.pmin<T>(size, one<T>(loaded)))));
  return v128.or(v128.div<T>(N, D), v128.and(x, signBit<T>()));
}

/** tanh by a call. */
@inline
export function tanh32(x: v128): v128 {
  return tanhCalled(x);
}

function tanhCalled(x: v128): v128 {
  return tanh<f32>(x, LOADED);
}

/** dst = tanh(src), float32, as expGroups; the operations of `tanh`. */
@inline
export function tanhGroups(dst: usize, src: usize, bytes: usize): void {
  const half = stored<f32>(HALF), unit = stored<f32>(ONE), scale = stored<f32>(LN2_INVERSE), round = stored<f32>(ROUND);
  const hi = stored<f32>(LN2_HI), low = stored<f32>(LN2_LO), sign = signBit<f32>();
  const c1 = stored<f32>(TAIL + 1), c2 = stored<f32>(TAIL + 2), c3 = stored<f32>(TAIL + 3), c4 = stored<f32>(TAIL + 4);
  const twice = stored<f32>(TWO), most = stored<f32>(TANH_END);
  for (const end = src + bytes; src < end; src += 64, dst += 64) {
    const x0 = v128.load(src), x1 = v128.load(src, 16), x2 = v128.load(src, 32), x3 = v128.load(src, 48);
    const z0 = v128.andnot(x0, sign), z1 = v128.andnot(x1, sign), z2 = v128.andnot(x2, sign), z3 = v128.andnot(x3, sign);
    const v0 = f32x4.pmin(f32x4.add(z0, z0), most), v1 = f32x4.pmin(f32x4.add(z1, z1), most),
      v2 = f32x4.pmin(f32x4.add(z2, z2), most), v3 = f32x4.pmin(f32x4.add(z3, z3), most);
    const y0 = f32x4.add(f32x4.mul(v0, scale), round), y1 = f32x4.add(f32x4.mul(v1, scale), round),
      y2 = f32x4.add(f32x4.mul(v2, scale), round), y3 = f32x4.add(f32x4.mul(v3, scale), round);
    const n0 = f32x4.sub(y0, round), n1 = f32x4.sub(y1, round), n2 = f32x4.sub(y2, round), n3 = f32x4.sub(y3, round);
    const t0 = f32x4.sub(v0, f32x4.mul(n0, hi)), t1 = f32x4.sub(v1, f32x4.mul(n1, hi)),
      t2 = f32x4.sub(v2, f32x4.mul(n2, hi)), t3 = f32x4.sub(v3, f32x4.mul(n3, hi));
    const l0 = f32x4.mul(n0, low), l1 = f32x4.mul(n1, low), l2 = f32x4.mul(n2, low), l3 = f32x4.mul(n3, low);
    const r0 = f32x4.sub(t0, l0), r1 = f32x4.sub(t1, l1), r2 = f32x4.sub(t2, l2), r3 = f32x4.sub(t3, l3);
    let q0 = f32x4.add(f32x4.mul(r0, c3), c2), q1 = f32x4.add(f32x4.mul(r1, c3), c2),
      q2 = f32x4.add(f32x4.mul(r2, c3), c2), q3 = f32x4.add(f32x4.mul(r3, c3), c2);
    const s0 = f32x4.mul(r0, r0), s1 = f32x4.mul(r1, r1), s2 = f32x4.mul(r2, r2), s3 = f32x4.mul(r3, r3);
    const k0 = f32x4.add(f32x4.mul(r0, c1), half), k1 = f32x4.add(f32x4.mul(r1, c1), half),
      k2 = f32x4.add(f32x4.mul(r2, c1), half), k3 = f32x4.add(f32x4.mul(r3, c1), half);
    q0 = f32x4.add(f32x4.mul(s0, c4), q0), q1 = f32x4.add(f32x4.mul(s1, c4), q1),
      q2 = f32x4.add(f32x4.mul(s2, c4), q2), q3 = f32x4.add(f32x4.mul(s3, c4), q3);
    q0 = f32x4.add(f32x4.mul(s0, q0), k0), q1 = f32x4.add(f32x4.mul(s1, q1), k1),
      q2 = f32x4.add(f32x4.mul(s2, q2), k2), q3 = f32x4.add(f32x4.mul(s3, q3), k3);
    const e0 = toExponent<f32>(y0), e1 = toExponent<f32>(y1), e2 = toExponent<f32>(y2), e3 = toExponent<f32>(y3);
    q0 = f32x4.mul(e0, f32x4.sub(f32x4.mul(s0, q0), l0)), q1 = f32x4.mul(e1, f32x4.sub(f32x4.mul(s1, q1), l1)),
      q2 = f32x4.mul(e2, f32x4.sub(f32x4.mul(s2, q2), l2)), q3 = f32x4.mul(e3, f32x4.sub(f32x4.mul(s3, q3), l3));
    const h0 = f32x4.add(f32x4.mul(e0, t0), f32x4.sub(e0, unit)), h1 = f32x4.add(f32x4.mul(e1, t1), f32x4.sub(e1, unit)),
      h2 = f32x4.add(f32x4.mul(e2, t2), f32x4.sub(e2, unit)), h3 = f32x4.add(f32x4.mul(e3, t3), f32x4.sub(e3, unit));
    const E0 = f32x4.add(h0, q0), E1 = f32x4.add(h1, q1), E2 = f32x4.add(h2, q2), E3 = f32x4.add(h3, q3);
    const D0 = f32x4.add(E0, twice), D1 = f32x4.add(E1, twice), D2 = f32x4.add(E2, twice), D3 = f32x4.add(E3, twice);
    const d0 = f32x4.sub(E0, f32x4.sub(D0, twice)), d1 = f32x4.sub(E1, f32x4.sub(D1, twice)),
      d2 = f32x4.sub(E2, f32x4.sub(D2, twice)), d3 = f32x4.sub(E3, f32x4.sub(D3, twice));
    const N0 = f32x4.add(h0, f32x4.sub(q0, f32x4.mul(d0, f32x4.pmin(z0, unit)))),
      N1 = f32x4.add(h1, f32x4.sub(q1, f32x4.mul(d1, f32x4.pmin(z1, unit)))),
      N2 = f32x4.add(h2, f32x4.sub(q2, f32x4.mul(d2, f32x4.pmin(z2, unit)))),
      N3 = f32x4.add(h3, f32x4.sub(q3, f32x4.mul(d3, f32x4.pmin(z3, unit))));
    v128.store(dst, v128.or(f32x4.div(N0, D0), v128.and(x0, sign)));
    v128.store(dst, v128.or(f32x4.div(N1, D1), v128.and(x1, sign)), 16);
    v128.store(dst, v128.or(f32x4.div(N2, D2), v128.and(x2, sign)), 32);
    v128.store(dst, v128.or(f32x4.div(N3, D3), v128.and(x3, sign)), 48);
  }
}

/** e^x − 1 for x ≤ 0, reduced as in tanh, where head is exact too. */
@inline
function expm1Below<T>(x: v128): v128 {
  const v = v128.pmax<T>(x, all<T>(sizeof<T>() == 4 ? -20 : -40)); // below: −1
  const y = v128.add<T>(v128.mul<T>(v, inverse<T>(LOADED)), rounder<T>(1, LOADED));
  const n = v128.sub<T>(y, rounder<T>(1, LOADED));
  const t = v128.sub<T>(v, v128.mul<T>(n, ln2Hi<T>(LOADED)));
  const lo = v128.mul<T>(n, ln2Lo<T>(LOADED));
  const scale = toExponent<T>(y);
  const head = v128.add<T>(v128.mul<T>(scale, t), v128.sub<T>(scale, one<T>(LOADED)));
  return v128.add<T>(head, v128.mul<T>(scale, v128.sub<T>(expTail<T>(v128.sub<T>(t, lo), LOADED), lo)));
}

// ── log, log1p ─────────────────────────────────────────────────────────────────────────────────

// The coefficient of z^k in logTail, without its factor z.
const LOG32_0: f64 = 0.666667759;
const LOG32_1: f64 = 0.399775803;
const LOG32_2: f64 = 0.298709303;

const LOG64_0: f64 = 0.6666666666666734;
const LOG64_1: f64 = 0.39999999999416547;
const LOG64_2: f64 = 0.28571428742064353;
const LOG64_3: f64 = 0.22222198600068813;
const LOG64_4: f64 = 0.18183563167804015;
const LOG64_5: f64 = 0.15314075431406926;
const LOG64_6: f64 = 0.1479573944278996;

const TWO_52: f64 = 4503599627370496;

/** Places in the tables of log and log1p; from 8 on the coefficients of logTail. */
const LOG_TWO: i32 = 0;
const LOG_MIN: i32 = 1; // the smallest normal number
const LOG_SCALE: i32 = 2; // 2^LOG_SHIFT
const LOG_SHIFT: i32 = 3;
const LOG_BIAS: i32 = 4; // what exponentOf takes away
const LOG_MOST: i32 = 5;
const LOG_LEAST: i32 = 6;
const LOG_NONE: i32 = 7;
const LOG_TAIL: i32 = 8;

function log32Table(): usize {
  return memory.data<f32>([
    2, 1.1754943508222875e-38, 8388608, 23, 127, Infinity, -Infinity, NaN, <f32>LOG32_0, <f32>LOG32_1, <f32>LOG32_2,
  ]);
}

function log64Table(): usize {
  return memory.data<f64>([
    2, 2.2250738585072014e-308, TWO_52, 52, TWO_52 + 1023, Infinity, -Infinity, NaN, LOG64_0, LOG64_1, LOG64_2, LOG64_3, LOG64_4,
    LOG64_5, LOG64_6,
  ]);
}

/** A constant of log, loaded from its table where there are tables: float32 log 25 % faster, float64 log 28 (Node 20) to 45 % (Node 24). */
@inline
function ofLog<T>(place: i32, value: f64): v128 {
  if (isDefined(COMPACT)) return all<T>(value);
  else if (sizeof<T>() == 4) return v128.load32_splat(log32Table() + <usize>(place << 2));
  else return v128.load64_splat(log64Table() + <usize>(place << 3));
}

const HALF_ROOT32: i32 = 0x3f3504f3; // √½
const HALF_ROOT64: i64 = 0x3fe6a09e667f3bcd;

/** Bits of a positive normal x = 2^k·m, √½ ≤ m < √2, moved so that k alone decides the exponent field. */
@inline
function moved<T>(x: v128): v128 {
  const distance = allBits<T>(0x3f800000 - HALF_ROOT32, 0x3ff0000000000000 - HALF_ROOT64);
  return sizeof<T>() == 4 ? i32x4.add(x, distance) : i64x2.add(x, distance);
}

/** m − 1, exact. */
@inline
function fractionOf<T>(bits: v128): v128 {
  const field = v128.and(bits, allBits<T>(0x007fffff, 0x000fffffffffffff));
  const root = allBits<T>(HALF_ROOT32, HALF_ROOT64);
  return v128.sub<T>(sizeof<T>() == 4 ? i32x4.add(field, root) : i64x2.add(field, root), one<T>(LOADED));
}

/** k. There is no conversion from i64 lanes: under the exponent of 2^52 the field is the low end of an f64. */
@inline
function exponentOf<T>(bits: v128): v128 {
  if (sizeof<T>() == 4) return f32x4.sub(f32x4.convert_i32x4_s(i32x4.shr_s(bits, 23)), ofLog<f32>(LOG_BIAS, 127));
  return f64x2.sub(v128.or(i64x2.shr_u(bits, 52), ofLog<f64>(LOG_SCALE, TWO_52)), ofLog<f64>(LOG_BIAS, TWO_52 + 1023));
}

/**
 * f − log(1 + f) for √½ − 1 ≤ f < √2 − 1. With s = f/(2 + f), z = s²: log(1 + f) = 2·atanh s = 2s + s·z·L(z)
 * = f − (f²/2 − s·(f²/2 + z·L(z))), the last being the form of fdlibm's e_log.c. z·L(z): 2^-30 (f32), 2^-59 (f64).
 */
@inline
function logBend<T>(f: v128): v128 {
  const s = v128.div<T>(f, v128.add<T>(ofLog<T>(LOG_TWO, 2), f));
  const half = v128.mul<T>(v128.mul<T>(f, f), LOADED ? stored<T>(HALF) : all<T>(0.5));
  const tail = sizeof<T>() == 4 ? logTail32(v128.mul<T>(s, s)) : logTail64(v128.mul<T>(s, s));
  return v128.sub<T>(half, v128.mul<T>(s, v128.add<T>(half, tail)));
}

@inline
function logTail32(z: v128): v128 {
  const q = f32x4.add(f32x4.mul(z, ofLog<f32>(LOG_TAIL + 2, LOG32_2)), ofLog<f32>(LOG_TAIL + 1, LOG32_1));
  return f32x4.mul(z, f32x4.add(f32x4.mul(q, z), ofLog<f32>(LOG_TAIL, LOG32_0)));
}

@inline
function logTail64(z: v128): v128 {
  const z2 = f64x2.mul(z, z);
  const q12 = f64x2.add(f64x2.mul(z, ofLog<f64>(LOG_TAIL + 2, LOG64_2)), ofLog<f64>(LOG_TAIL + 1, LOG64_1));
  const q34 = f64x2.add(f64x2.mul(z, ofLog<f64>(LOG_TAIL + 4, LOG64_4)), ofLog<f64>(LOG_TAIL + 3, LOG64_3));
  const q56 = f64x2.add(f64x2.mul(z, ofLog<f64>(LOG_TAIL + 6, LOG64_6)), ofLog<f64>(LOG_TAIL + 5, LOG64_5));
  const q36 = f64x2.add(f64x2.mul(z2, q56), q34);
  const q16 = f64x2.add(f64x2.mul(z2, q36), q12);
  return f64x2.mul(z, f64x2.add(f64x2.mul(z, q16), ofLog<f64>(LOG_TAIL, LOG64_0)));
}

/** k·ln 2 + log(1 + f) + error. k·HI + f is kept with its rounding error, so that k = 1, m near √½ loses nothing. */
@inline
function logSum<T>(k: v128, f: v128, error: v128): v128 {
  const kHi = v128.mul<T>(k, ln2Hi<T>(LOADED));
  const sum = v128.add<T>(kHi, f);
  const lost = v128.sub<T>(f, v128.sub<T>(sum, kHi));
  const small = v128.add<T>(v128.mul<T>(k, ln2Lo<T>(LOADED)), error);
  return v128.add<T>(sum, v128.sub<T>(v128.add<T>(lost, small), logBend<T>(f)));
}

/** log of +Infinity and NaN is the argument itself, of ±0 −Infinity, below zero NaN; else `value`. */
@inline
function logSpecial<T>(x: v128, value: v128): v128 {
  const zero = v128.splat<T>(0);
  value = v128.bitselect(value, x, v128.lt<T>(x, ofLog<T>(LOG_MOST, Infinity)));
  value = v128.bitselect(ofLog<T>(LOG_LEAST, -Infinity), value, v128.eq<T>(x, zero));
  return v128.bitselect(ofLog<T>(LOG_NONE, NaN), value, v128.lt<T>(x, zero));
}

/** log x. A subnormal x is scaled by 2^23 (2^52) first. */
@inline
function log<T>(x: v128): v128 {
  const subnormal = v128.lt<T>(x, ofLog<T>(LOG_MIN, sizeof<T>() == 4 ? 1.1754943508222875e-38 : 2.2250738585072014e-308));
  const scaled = v128.mul<T>(x, ofLog<T>(LOG_SCALE, sizeof<T>() == 4 ? 8388608 : TWO_52));
  const bits = moved<T>(v128.bitselect(scaled, x, subnormal));
  const k = v128.sub<T>(exponentOf<T>(bits), v128.and(subnormal, ofLog<T>(LOG_SHIFT, sizeof<T>() == 4 ? 23 : 52)));
  return logSpecial<T>(x, logSum<T>(k, fractionOf<T>(bits), v128.splat<T>(0)));
}

/**
 * log(1 + x). With u = rnd(1 + x) = 2^k·m: where k = 0, f = x itself; elsewhere f = m − 1 and the error of u, relative to u,
 * is added. |x| < 2^-25 (f32), 2^-54 (f64), ±0 too, gives x.
 */
@inline
function log1p<T>(x: v128): v128 {
  const unit = one<T>(LOADED);
  const u = v128.add<T>(unit, x);
  const bits = moved<T>(u);
  const k = exponentOf<T>(bits);
  const near = v128.eq<T>(k, v128.splat<T>(0));
  // 1 + x − u, exact: the larger of 1 and x is taken from u first.
  const left = v128.bitselect(
    v128.sub<T>(unit, v128.sub<T>(u, x)), v128.sub<T>(x, v128.sub<T>(u, unit)), v128.gt<T>(x, unit),
  );
  const error = v128.andnot(v128.div<T>(left, u), near);
  const value = logSpecial<T>(u, logSum<T>(k, v128.bitselect(x, fractionOf<T>(bits), near), error));
  const small = all<T>(sizeof<T>() == 4 ? 2.9802322387695312e-8 : 5.551115123125783e-17);
  return v128.bitselect(x, value, v128.lt<T>(v128.abs<T>(x), small));
}

/** log(1 + e^x) = max(x, 0) + log(1 + e^−|x|). */
@inline
function softplus<T>(x: v128): v128 {
  const e = expWithin<T>(v128.pmax<T>(v128.or(x, signBit<T>()), expMin<T>(LOADED)), LOADED);
  return v128.add<T>(v128.and(x, v128.gt<T>(x, all<T>(0))), log1p<T>(e));
}

// ── The normal distribution, f64 ───────────────────────────────────────────────────────────────

/**
 * Φ(−u) = e^(−u²/2)·P(t)/(1 + u), t = (u − 5)/(u + 5), 0 ≤ u: P is our own Chebyshev fit of (1 + u)·e^(u²/2)·Φ(−u) over all u, degree
 * 23, 2^-56 before rounding; even and odd powers apart. The factor beside `gauss` = e^(−u²/2): at most 3 ulp off.
 */
@inline
function normalTail(u: v128, gauss: v128): v128 {
  const t = f64x2.div(f64x2.sub(u, all<f64>(5)), f64x2.add(u, all<f64>(5)));
  const s = f64x2.mul(t, t);
  let even = f64x2.add(f64x2.mul(s, all<f64>(-2.8233272215141205e-10)), all<f64>(3.6280682399194867e-9));
  even = f64x2.add(f64x2.mul(even, s), all<f64>(-2.6287875968778985e-8));
  even = f64x2.add(f64x2.mul(even, s), all<f64>(1.278804945396261e-7));
  even = f64x2.add(f64x2.mul(even, s), all<f64>(-7.034836922558877e-8));
  even = f64x2.add(f64x2.mul(even, s), all<f64>(-9.896096712884405e-6));
  even = f64x2.add(f64x2.mul(even, s), all<f64>(0.00018233414474988366));
  even = f64x2.add(f64x2.mul(even, s), all<f64>(-0.0016760723444742157));
  even = f64x2.add(f64x2.mul(even, s), all<f64>(-0.015170415402525146));
  even = f64x2.add(f64x2.mul(even, s), all<f64>(-0.02640104296630763));
  even = f64x2.add(f64x2.mul(even, s), all<f64>(0.03103036842596369));
  even = f64x2.add(f64x2.mul(even, s), all<f64>(0.46151582985003775));
  let odd = f64x2.add(f64x2.mul(s, all<f64>(-3.9886338590692045e-10)), all<f64>(4.500725392479864e-9));
  odd = f64x2.add(f64x2.mul(odd, s), all<f64>(-3.120147211147667e-8));
  odd = f64x2.add(f64x2.mul(odd, s), all<f64>(1.9663442631364518e-7));
  odd = f64x2.add(f64x2.mul(odd, s), all<f64>(-1.3077682743993349e-6));
  odd = f64x2.add(f64x2.mul(odd, s), all<f64>(9.060011716331426e-6));
  odd = f64x2.add(f64x2.mul(odd, s), all<f64>(-5.3607652870422455e-5));
  odd = f64x2.add(f64x2.mul(odd, s), all<f64>(7.79161509574746e-6));
  odd = f64x2.add(f64x2.mul(odd, s), all<f64>(0.006522000665119207));
  odd = f64x2.add(f64x2.mul(odd, s), all<f64>(0.02453696324390185));
  odd = f64x2.add(f64x2.mul(odd, s), all<f64>(0.010002352385220747));
  odd = f64x2.add(f64x2.mul(odd, s), all<f64>(-0.09155228183400893));
  const p = f64x2.add(f64x2.mul(odd, t), even);
  return f64x2.div(f64x2.mul(gauss, p), f64x2.add(u, all<f64>(1)));
}

/** Below −40 Φ is +0 and from 40 on 1. NaN stays. */
const NORMAL_END: f64 = 40;

/** x·Φ(x): the gelu. */
@inline
function gelu64(x: v128): v128 {
  const u = f64x2.pmin(f64x2.abs(x), all<f64>(NORMAL_END));
  const tail = normalTail(u, exp<f64>(f64x2.mul(f64x2.mul(u, u), all<f64>(-0.5)), LOADED));
  const phi = v128.bitselect(tail, f64x2.sub(all<f64>(1), tail), f64x2.lt(x, all<f64>(0)));
  return f64x2.mul(f64x2.pmax(x, all<f64>(-NORMAL_END)), phi);
}

/** Its derivative: Φ(x) + x·e^(−x²/2)/√(2π). */
@inline
function geluSlope64(x: v128): v128 {
  const u = f64x2.pmin(f64x2.abs(x), all<f64>(NORMAL_END));
  const gauss = exp<f64>(f64x2.mul(f64x2.mul(u, u), all<f64>(-0.5)), LOADED);
  const tail = normalTail(u, gauss);
  const negative = f64x2.lt(x, all<f64>(0));
  const phi = v128.bitselect(tail, f64x2.sub(all<f64>(1), tail), negative);
  const density = f64x2.mul(f64x2.mul(u, gauss), all<f64>(0.3989422804014327));
  return v128.bitselect(f64x2.sub(phi, density), f64x2.add(phi, density), negative);
}

// ── Lanes of the network's dtype ───────────────────────────────────────────────────────────────

@inline
export function vexp(x: v128): v128 {
  return exp<real>(x, LOADED);
}

/** For the float64 loops of maps.ts. */
@inline
export function vexpMapped(x: v128): v128 {
  return exp<real>(x, false);
}

@inline
export function vtanhMapped(x: v128): v128 {
  return tanh<real>(x, false);
}

@inline
export function vlog(x: v128): v128 {
  return log<real>(x);
}

/** e^x − 1 for x ≤ 0. */
@inline
export function vexpm1Below(x: v128): v128 {
  return isDefined(COMPACT) ? expm1BelowShared(x) : expm1Below<real>(x);
}

function expm1BelowShared(x: v128): v128 {
  return expm1Below<real>(x);
}

@inline
export function vsoftplus(x: v128): v128 {
  return softplus<real>(x);
}

/** The gelu, in f64 for both dtypes, rounded once. */
@inline
export function vgelu(x: v128): v128 {
  if (sizeof<real>() == 8) return gelu64(x);
  const low = f32x4.demote_f64x2_zero(geluOf(f64x2.promote_low_f32x4(x)));
  const high = f32x4.demote_f64x2_zero(geluOf(f64x2.promote_low_f32x4(v128.shuffle<i64>(x, x, 1, 0))));
  return v128.shuffle<i64>(low, high, 0, 2);
}

@inline
function geluOf(x: v128): v128 {
  return isDefined(COMPACT) ? geluShared(x) : gelu64(x);
}

function geluShared(x: v128): v128 {
  return gelu64(x);
}

/** Its derivative. */
@inline
export function vgeluSlope(x: v128): v128 {
  if (sizeof<real>() == 8) return geluSlope64(x);
  const low = f32x4.demote_f64x2_zero(geluSlope64(f64x2.promote_low_f32x4(x)));
  const high = f32x4.demote_f64x2_zero(geluSlope64(f64x2.promote_low_f32x4(v128.shuffle<i64>(x, x, 1, 0))));
  return v128.shuffle<i64>(low, high, 0, 2);
}

@inline
export function vtanh(x: v128): v128 {
  return tanh<real>(x, LOADED);
}

@inline
export function vsigmoid(x: v128): v128 {
  return isDefined(COMPACT) ? sigmoidShared(x) : sigmoid<real>(x, LOADED);
}

function sigmoidShared(x: v128): v128 {
  return sigmoid<real>(x, LOADED);
}

// ── f64 in every binary: two lanes, and scalars with the bits of a lane ────────────────────────

// Each in two functions: one that is inlined for other files, because the compiler warns of vectors in what they export.

@inline
export function vexp64(x: v128): v128 {
  return exp64(x);
}

function exp64(x: v128): v128 {
  return exp<f64>(x, LOADED);
}

@inline
export function vlog64(x: v128): v128 {
  return log64(x);
}

function log64(x: v128): v128 {
  return log<f64>(x);
}

@inline
export function vlog1p64(x: v128): v128 {
  return log1p64(x);
}

function log1p64(x: v128): v128 {
  return log1p<f64>(x);
}

export function sexp(x: f64): f64 {
  return f64x2.extract_lane(vexp64(f64x2.splat(x)), 0);
}

export function slog(x: f64): f64 {
  return f64x2.extract_lane(vlog64(f64x2.splat(x)), 0);
}

export function slog1p(x: f64): f64 {
  return f64x2.extract_lane(vlog1p64(f64x2.splat(x)), 0);
}

/** cos 2πv = 1 + w·C(w), w = v², |v| ≤ 1/8; 2^-61. */
function cosTurn(v: f64): f64 {
  const w = v * v;
  let q = w * -1.6872306158263199 + 7.9025773917541375;
  q = q * w + -26.426240179680054;
  q = q * w + 60.244641219104018;
  q = q * w + -85.456817205957748;
  q = q * w + 64.939394022666633;
  q = q * w + -19.739208802178716;
  return 1.0 + w * q;
}

/** sin 2πv = v·S(w), w = v², |v| ≤ 1/8; 2^-54.5, that of 2π in f64. */
function sinTurn(v: f64): f64 {
  const w = v * v;
  let q = w * 3.7482216362761869 + -15.092277981650433;
  q = q * w + 42.058658278569126;
  q = q * w + -76.705859488473209;
  q = q * w + 81.60524927516164;
  q = q * w + -41.34170224039859;
  q = q * w + 6.2831853071795862;
  return v * q;
}

/** cos 2πu, 0 ≤ u < 1: the nearest quarter turn is taken off exactly. */
export function scos2pi(u: f64): f64 {
  const quarter = floor(u * 4.0 + 0.5);
  const v = u - quarter * 0.25;
  switch (<i32>quarter & 3) {
    case 0: return cosTurn(v);
    case 1: return -sinTurn(v);
    case 2: return -cosTurn(v);
    default: return sinTurn(v);
  }
}
