// σ(x) = 1/(1 + e^−x) in f64 for |x| < 15.75: a chain of dependent operations a third shorter than the exponential function and
// what follows it, and two of those are most of a step of the smallest networks. 1.9 ulp (1.85 the largest of 42 million drawn).
//
// n = the multiple of ¼ nearest to x, r = n − x, exact. 1 + e^−x = 1 + e^−n·e^r = U + (T·(e^r − 1) + W) with T = rnd(e^−n),
// U = rnd(1 + T), W = what U lacks of 1 + e^−n: so the sum is rounded once, and the quotient once.
import { all } from "./lanes";

/** T and W (24 bits of it) of each n = j/4, j = −63 … 63, at 16·(j & 127): what j's low bits in a rounded x say. */
const TABLE: usize = memory.data(2048, 16);

// When an instance is made: the code is a seventh of the numbers, which do not compress. f32 has no use for them.
if (sizeof<real>() == 8) fillTable();

/** The high half of 26 bits of x (Dekker 1971): x − high has the others. */
@inline
function high(x: f64): f64 {
  const shifted = x * 134217729;
  return shifted - (shifted - x);
}

/** e^−n = T + lo, each e^¼ times the one before: good to 2^-102, where 2^-78 of 1 + e^−n are kept. */
function fillTable(): void {
  const q: f64 = 1.2840254166877414, qLo: f64 = 8.968972781793724e-17; // e^¼
  const qHigh = high(q), qLow = q - qHigh;
  let T: f64 = 1.4449802461092448e-7, lo: f64 = -5.0759166926752916e-24; // e^−15.75
  // j = 63 … −63
  for (let at: usize = 63 << 4; at != 64 << 4; at = (at - 16) & 2032) {
    const lost = min<f64>(T, 1) - ((1 + T) - max<f64>(T, 1));
    store<f64>(at, T, TABLE);
    store<f64>(at, <f64><f32>(lost + lo), TABLE + 8);
    const product = T * q;
    const tHigh = high(T), tLow = T - tHigh;
    const error = tHigh * qHigh - product + tHigh * qLow + tLow * qHigh + tLow * qLow;
    const rest = error + (T * qLo + lo * q);
    T = product + rest;
    lo = rest - (T - product);
  }
}

/** The table is for |x| below; ±63 quarters are the last. */
export const SIGMOID_END: f64 = 15.75;

/** 1.5·2^50: adding it rounds to quarters, and their count stands in the low bits. */
const QUARTERS: f64 = 1688849860263936;

/** What sigmoidWithin needs beside x: 0 what rounds, 1 a half, 2 … 8 the coefficients of r^0 … r^6 in G, 9 one. */
@inline
export function sigmoidConstant(i: i32): v128 {
  if (i == 0) return all<f64>(QUARTERS);
  if (i == 1) return all<f64>(0.5);
  if (i == 2) return all<f64>(0.16666666666666863);
  if (i == 3) return all<f64>(0.04166666666699041);
  if (i == 4) return all<f64>(0.008333333332667751);
  if (i == 5) return all<f64>(0.0013888887906053084);
  if (i == 6) return all<f64>(0.0001984127618947048);
  if (i == 7) return all<f64>(2.4810840552890618e-5);
  if (i == 8) return all<f64>(2.7542556755091327e-6);
  return all<f64>(1);
}

/**
 * σ(x) where |x| < SIGMOID_END, elsewhere anything; `alike`: both lanes of x are. e^r − 1 = r + r²/2 + r³·G(r) on |r| ≤ 1/8; 2^-59.8 of e^r, our own fit as in vmath.ts.
 */
@inline
export function sigmoidWithin(
  x: v128, alike: bool,
  round: v128, half: v128, g0: v128, g1: v128, g2: v128, g3: v128, g4: v128, g5: v128, g6: v128, one: v128,
): v128 {
  const y = f64x2.add(x, round);
  const r = f64x2.sub(f64x2.sub(y, round), x);
  const place0 = place(f64x2.extract_lane(y, 0));
  let T: v128, W: v128;
  if (alike) {
    T = v128.load64_splat(place0, TABLE);
    W = v128.load64_splat(place0, TABLE + 8);
  } else {
    const row0 = v128.load(place0, TABLE), row1 = v128.load(place(f64x2.extract_lane(y, 1)), TABLE);
    T = v128.shuffle<i64>(row0, row1, 0, 2);
    W = v128.shuffle<i64>(row0, row1, 1, 3);
  }
  const r2 = f64x2.mul(r, r);
  const r3 = f64x2.mul(r2, r), r4 = f64x2.mul(r2, r2);
  const start = f64x2.add(f64x2.mul(r2, half), r);
  const g01 = f64x2.add(f64x2.mul(r, g1), g0), g23 = f64x2.add(f64x2.mul(r, g3), g2);
  const g46 = f64x2.add(f64x2.mul(r2, g6), f64x2.add(f64x2.mul(r, g5), g4));
  const G = f64x2.add(f64x2.mul(r4, g46), f64x2.add(f64x2.mul(r2, g23), g01));
  const rest = f64x2.add(f64x2.add(f64x2.mul(T, start), W), f64x2.mul(f64x2.mul(T, r3), G));
  return f64x2.div(one, f64x2.add(f64x2.add(one, T), rest));
}

@inline
function place(y: f64): usize {
  return <usize>(<i32>reinterpret<i64>(y) << 4) & 2032;
}
