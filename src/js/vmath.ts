// The elementary functions of assembly/vmath.ts on plain numbers: the same operations in the same order, so the
// same bits; bounds, derivations and sources stand there. A …32 function takes and returns numbers that
// are float32 values, and rounds (`f`) after every operation: for + − × ÷ of two float32 the double rounding changes nothing.
// Where the lanes compute something and select, a branch here leaves it out.

const f = Math.fround;

const float32 = new Float32Array(1);
const bits32 = new Int32Array(float32.buffer);
const float64 = new Float64Array(1);
const bits64 = new Int32Array(float64.buffer);
// Word order of the machine, asked of it rather than assumed.
float64[0] = 1;
const HIGH = bits64[0] === 0 ? 1 : 0;
const LOW = 1 - HIGH;

/** 2^(i − 1022), i = 0 … 2045, each the double of the one before. */
const POWERS = powers();
// A function: a loop among the definitions would have the engine compile all of them as hot code.
function powers(): Float64Array {
  const all = new Float64Array(2046);
  for (let i = 0, power = 2.2250738585072014e-308; i < 2046; i++, power *= 2) all[i] = power;
  return all;
}

/** 2^n, −1022 ≤ n ≤ 1023. A NaN gives a number, which is then multiplied by a NaN. */
function power(n: number): number {
  return POWERS[(n | 0) + 1022] as number;
}

const LN2_HI32 = 0.693145751953125;
const LN2_LO32 = f(1.4286068203094173e-6);
const LN2_HI64 = 0.6931471805601177;
const LN2_LO64 = -1.7239444525614835e-13;
const LOG2E32 = f(Math.LOG2E);
const LOG2E64 = Math.LOG2E;

// x + ROUND − ROUND is x rounded to an integer, ties to even; the lanes' constant has the exponent bias in it.
const ROUND32 = 12582912 + 254;
const ROUND32_TANH = 12582912 + 127;
const ROUND64 = 6755399441055744 + 2046;
const ROUND64_TANH = 6755399441055744 + 1023;

const EXP1_32 = f(0.166665345);
const EXP2_32 = f(0.0416672416);
const EXP3_32 = f(0.00836743321);
const EXP4_32 = f(0.00138634187);

/** e^r − 1 − r, |r| ≤ ½·ln 2. */
function expTail32(r: number): number {
  const r2 = f(r * r);
  const q01 = f(f(r * EXP1_32) + 0.5);
  const q23 = f(f(r * EXP3_32) + EXP2_32);
  const q24 = f(f(r2 * EXP4_32) + q23);
  return f(r2 * f(f(r2 * q24) + q01));
}

function expTail64(r: number): number {
  const r2 = r * r;
  const r4 = r2 * r2;
  const q01 = r * 0.16666666666666433 + 0.5;
  const q23 = r * 0.0083333333335003906 + 0.041666666666603992;
  const q45 = r * 1.9841269465612445e-4 + 1.3888888926784188e-3;
  const q67 = r * 2.755764131942297e-6 + 2.4801508695885476e-5;
  const q89 = r * 2.4978254932523455e-8 + 2.7625182105524094e-7;
  const q03 = r2 * q23 + q01;
  const q47 = r2 * q67 + q45;
  const q49 = r4 * q89 + q47;
  return r2 * (r4 * q49 + q03);
}

/** e^x. */
export function exp32(x: number): number {
  const within = Math.max(Math.min(x, 100), -104);
  const n = f(f(f(within * LOG2E32) + ROUND32) - ROUND32);
  const t = f(within - f(n * LN2_HI32));
  const lo = f(n * LN2_LO32);
  const p = f(1 + f(t + f(expTail32(f(t - lo)) - lo)));
  const half = n >> 1;
  return f(f(p * power(half)) * power(n - half));
}

/** e^x. */
export function exp64(x: number): number {
  const within = Math.max(Math.min(x, 710), -746);
  const n = within * LOG2E64 + ROUND64 - ROUND64;
  const t = within - n * LN2_HI64;
  const lo = n * LN2_LO64;
  const p = 1 + (t + (expTail64(t - lo) - lo));
  const half = n >> 1;
  return p * power(half) * power(n - half);
}

/** 1/(1 + e^−x). */
export function sigmoid32(x: number): number {
  const e = exp32(-Math.abs(x));
  return f((x < 0 ? e : 1) / f(1 + e));
}

/** 1/(1 + e^−x). */
export function sigmoid64(x: number): number {
  if (!(Math.abs(x) < 15.75)) return sigmoidByExp64(x);
  if (TABLE[0] === 0) fillTable();
  const n = x + 1688849860263936 - 1688849860263936; // to quarters
  const r = n - x;
  const at = ((n * 4) & 127) * 2;
  const T = TABLE[at] as number;
  const r2 = r * r;
  const r3 = r2 * r;
  const start = r2 * 0.5 + r;
  const g01 = r * 0.04166666666699041 + 0.16666666666666863;
  const g23 = r * 0.0013888887906053084 + 0.008333333332667751;
  const g46 = r2 * 2.7542556755091327e-6 + (r * 2.4810840552890618e-5 + 0.0001984127618947048);
  const G = r2 * r2 * g46 + (r2 * g23 + g01);
  return 1 / (1 + T + (T * start + (TABLE[at + 1] as number) + T * r3 * G));
}

function sigmoidByExp64(x: number): number {
  const e = exp64(-Math.abs(x));
  return (x < 0 ? e : 1) / (1 + e);
}

/** T and W of assembly/sigmoid64.ts for n = j/4, at 2·(j & 127). Filled at the first use. */
const TABLE = new Float64Array(256);

/** The high half of 26 bits of x. */
function high(x: number): number {
  const shifted = x * 134217729;
  return shifted - (shifted - x);
}

/** e^−n = T + lo, each e^¼ times the one before. */
function fillTable(): void {
  const [q, qLo] = [1.2840254166877414, 8.968972781793724e-17];
  const qHigh = high(q);
  const qLow = q - qHigh;
  let [T, lo] = [1.4449802461092448e-7, -5.0759166926752916e-24];
  for (let j = 63; j >= -63; j--) {
    const at = (j & 127) * 2;
    const U = 1 + T;
    const lost = T < 1 ? T - (U - 1) : 1 - (U - T);
    TABLE[at] = T;
    TABLE[at + 1] = f(lost + lo);
    const product = T * q;
    const tHigh = high(T);
    const tLow = T - tHigh;
    const error = tHigh * qHigh - product + tHigh * qLow + tLow * qHigh + tLow * qLow;
    const rest = error + (T * qLo + lo * q);
    T = product + rest;
    lo = rest - (T - product);
  }
}

export function tanh32(x: number): number {
  const size = Math.abs(x);
  const v = Math.min(f(size * 2), 20);
  const n = f(f(f(v * LOG2E32) + ROUND32_TANH) - ROUND32_TANH);
  const t = f(v - f(n * LN2_HI32));
  const lo = f(n * LN2_LO32);
  const scale = power(n);
  const head = f(f(scale * t) + f(scale - 1));
  const tail = f(scale * f(expTail32(f(t - lo)) - lo));
  const E = f(head + tail);
  const D = f(E + 2);
  const d = f(E - f(D - 2));
  const N = f(head + f(tail - f(d * Math.min(size, 1))));
  return withSign(f(N / D), x);
}

export function tanh64(x: number): number {
  const size = Math.abs(x);
  const v = Math.min(size * 2, 40);
  const n = v * LOG2E64 + ROUND64_TANH - ROUND64_TANH;
  const t = v - n * LN2_HI64;
  const lo = n * LN2_LO64;
  const scale = power(n);
  const head = scale * t + (scale - 1);
  const tail = scale * (expTail64(t - lo) - lo);
  const E = head + tail;
  const D = E + 2;
  const d = E - (D - 2);
  const N = head + (tail - d * Math.min(size, 1));
  return withSign(N / D, x);
}

/** A number ≥ +0 with the sign of x. */
function withSign(size: number, x: number): number {
  return x < 0 || Object.is(x, -0) ? -size : size;
}

/** e^x − 1 for x ≤ 0. */
export function expm1Below32(x: number): number {
  const v = Math.max(x, -20);
  const n = f(f(f(v * LOG2E32) + ROUND32_TANH) - ROUND32_TANH);
  const t = f(v - f(n * LN2_HI32));
  const lo = f(n * LN2_LO32);
  const scale = power(n);
  const head = f(f(scale * t) + f(scale - 1));
  return f(head + f(scale * f(expTail32(f(t - lo)) - lo)));
}

/** e^x − 1 for x ≤ 0. */
export function expm1Below64(x: number): number {
  const v = Math.max(x, -40);
  const n = v * LOG2E64 + ROUND64_TANH - ROUND64_TANH;
  const t = v - n * LN2_HI64;
  const lo = n * LN2_LO64;
  const scale = power(n);
  const head = scale * t + (scale - 1);
  return head + scale * (expTail64(t - lo) - lo);
}

const LOG0_32 = f(0.666667759);
const LOG1_32 = f(0.399775803);
const LOG2_32 = f(0.298709303);

/** f − log(1 + f), √½ − 1 ≤ f < √2 − 1. */
function logBend32(fraction: number): number {
  const s = f(fraction / f(2 + fraction));
  const z = f(s * s);
  const tail = f(z * f(f(f(f(z * LOG2_32) + LOG1_32) * z) + LOG0_32));
  const half = f(f(fraction * fraction) * 0.5);
  return f(half - f(s * f(half + tail)));
}

function logBend64(fraction: number): number {
  const s = fraction / (2 + fraction);
  const z = s * s;
  const z2 = z * z;
  const q12 = z * 0.28571428742064353 + 0.39999999999416547;
  const q34 = z * 0.18183563167804015 + 0.22222198600068813;
  const q56 = z * 0.1479573944278996 + 0.15314075431406926;
  const q36 = z2 * q56 + q34;
  const q16 = z2 * q36 + q12;
  const tail = z * (z * q16 + 0.6666666666666734);
  const half = fraction * fraction * 0.5;
  return half - s * (half + tail);
}

/** Natural logarithm; −Infinity at ±0, NaN below. */
export function log32(x: number): number {
  if (!(x > 0)) return x === 0 ? -Infinity : NaN;
  if (x === Infinity) return x;
  const subnormal = x < 1.1754943508222875e-38; // 2^-126
  float32[0] = subnormal ? x * 8388608 : x;
  const exponent = ((((bits32[0] as number) + (0x3f800000 - 0x3f3504f3)) | 0) >> 23) - 127;
  bits32[0] = (bits32[0] as number) - (exponent << 23);
  const k = subnormal ? exponent - 23 : exponent;
  const fraction = f((float32[0] as number) - 1);
  const kHi = f(k * LN2_HI32);
  const sum = f(kHi + fraction);
  const rest = f(f(fraction - f(sum - kHi)) + f(k * LN2_LO32));
  return f(sum + f(rest - logBend32(fraction)));
}

/** k of x = 2^k·m, √½ ≤ m < √2, for positive normal x; m is left in float64[0]. */
function split64(x: number): number {
  float64[0] = x;
  const high = bits64[HIGH] as number;
  // 0x3fe6a09e667f3bcd = √½; its distance to 1 is 0x00095f61 9980c433.
  const carry = ((bits64[LOW] as number) >>> 0) + 0x9980c433 > 0xffffffff ? 1 : 0;
  const k = ((high + 0x00095f61 + carry) >> 20) - 1023;
  bits64[HIGH] = high - (k << 20);
  return k;
}

/** Natural logarithm; −Infinity at ±0, NaN below. */
export function log64(x: number): number {
  if (!(x > 0)) return x === 0 ? -Infinity : NaN;
  if (x === Infinity) return x;
  const k = x < 2.2250738585072014e-308 ? split64(x * 4503599627370496) - 52 : split64(x);
  const fraction = (float64[0] as number) - 1;
  const kHi = k * LN2_HI64;
  const sum = kHi + fraction;
  const rest = fraction - (sum - kHi) + k * LN2_LO64;
  return sum + (rest - logBend64(fraction));
}

/** log(1 + x); −Infinity at −1, NaN below. */
export function log1p32(x: number): number {
  if (Math.abs(x) < 2.9802322387695312e-8) return x;
  const u = f(1 + x);
  if (!(u > 0)) return u === 0 ? -Infinity : NaN;
  if (u === Infinity) return u;
  float32[0] = u;
  const k = ((((bits32[0] as number) + (0x3f800000 - 0x3f3504f3)) | 0) >> 23) - 127;
  bits32[0] = (bits32[0] as number) - (k << 23);
  const fraction = k === 0 ? x : f((float32[0] as number) - 1);
  const error = k === 0 ? 0 : f((x > 1 ? f(1 - f(u - x)) : f(x - f(u - 1))) / u);
  const kHi = f(k * LN2_HI32);
  const sum = f(kHi + fraction);
  const rest = f(f(fraction - f(sum - kHi)) + f(f(k * LN2_LO32) + error));
  return f(sum + f(rest - logBend32(fraction)));
}

/** log(1 + x); −Infinity at −1, NaN below. */
export function log1p64(x: number): number {
  if (Math.abs(x) < 5.551115123125783e-17) return x;
  const u = 1 + x;
  if (!(u > 0)) return u === 0 ? -Infinity : NaN;
  if (u === Infinity) return u;
  const k = split64(u);
  const fraction = k === 0 ? x : (float64[0] as number) - 1;
  const error = k === 0 ? 0 : (x > 1 ? 1 - (u - x) : x - (u - 1)) / u;
  const kHi = k * LN2_HI64;
  const sum = kHi + fraction;
  const rest = fraction - (sum - kHi) + (k * LN2_LO64 + error);
  return sum + (rest - logBend64(fraction));
}

/** log(1 + e^x). */
export function softplus32(x: number): number {
  return f((x > 0 ? x : 0) + log1p32(exp32(-Math.abs(x))));
}

/** log(1 + e^x). */
export function softplus64(x: number): number {
  return (x > 0 ? x : 0) + log1p64(exp64(-Math.abs(x)));
}

/** By ascending power of t. */
const NORMAL = [
  0.46151582985003775, -0.09155228183400893, 0.03103036842596369, 0.010002352385220747, -0.02640104296630763,
  0.02453696324390185, -0.015170415402525146, 0.006522000665119207, -0.0016760723444742157, 7.79161509574746e-6,
  0.00018233414474988366, -5.3607652870422455e-5, -9.896096712884405e-6, 9.060011716331426e-6, -7.034836922558877e-8,
  -1.3077682743993349e-6, 1.278804945396261e-7, 1.9663442631364518e-7, -2.6287875968778985e-8, -3.120147211147667e-8,
  3.6280682399194867e-9, 4.500725392479864e-9, -2.8233272215141205e-10, -3.9886338590692045e-10,
] as const;

/** Φ(−u), u ≥ 0, where `gauss` = e^(−u²/2). */
function normalTail(u: number, gauss: number): number {
  const t = (u - 5) / (u + 5);
  const s = t * t;
  let even: number = NORMAL[22];
  for (let k = 20; k >= 0; k -= 2) even = even * s + (NORMAL[k] as number);
  let odd: number = NORMAL[23];
  for (let k = 21; k > 0; k -= 2) odd = odd * s + (NORMAL[k] as number);
  return (gauss * (odd * t + even)) / (u + 1);
}

const NORMAL_END = 40;

/** x·Φ(x), in f64 for both dtypes. */
export function gelu64(x: number): number {
  const u = Math.min(Math.abs(x), NORMAL_END);
  const tail = normalTail(u, exp64(u * u * -0.5));
  return Math.max(x, -NORMAL_END) * (x < 0 ? tail : 1 - tail);
}

/** Its derivative. */
export function geluSlope64(x: number): number {
  const u = Math.min(Math.abs(x), NORMAL_END);
  const gauss = exp64(u * u * -0.5);
  const tail = normalTail(u, gauss);
  const density = u * gauss * 0.3989422804014327;
  return x < 0 ? tail - density : 1 - tail + density;
}

/** cos 2πv, |v| ≤ 1/8. */
function cosTurn(v: number): number {
  const w = v * v;
  let q = w * -1.6872306158263199 + 7.9025773917541375;
  q = q * w + -26.426240179680054;
  q = q * w + 60.244641219104018;
  q = q * w + -85.456817205957748;
  q = q * w + 64.939394022666633;
  q = q * w + -19.739208802178716;
  return 1 + w * q;
}

/** sin 2πv, |v| ≤ 1/8. */
function sinTurn(v: number): number {
  const w = v * v;
  let q = w * 3.7482216362761869 + -15.092277981650433;
  q = q * w + 42.058658278569126;
  q = q * w + -76.705859488473209;
  q = q * w + 81.60524927516164;
  q = q * w + -41.34170224039859;
  q = q * w + 6.2831853071795862;
  return v * q;
}

/** cos 2πu, 0 ≤ u < 1. */
export function cos2pi(u: number): number {
  const quarter = Math.floor(u * 4 + 0.5);
  const v = u - quarter * 0.25;
  switch (quarter & 3) {
    case 0:
      return cosTurn(v);
    case 1:
      return -sinTurn(v);
    case 2:
      return -cosTurn(v);
    default:
      return sinTurn(v);
  }
}
