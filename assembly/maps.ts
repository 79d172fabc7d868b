// Elementary functions over arrays: dst[i] = f(src[i]) for `count` elements; nothing beyond is written; dst may be src.
import { LANES, all } from "./lanes";
import { SIGMOID_END } from "./sigmoid64";
import { exp32, expGroups, sigmoid32, sigmoid64Within, slog1p, tanh32, tanhGroups, vexpMapped, vlog, vsigmoid, vtanhMapped } from "./vmath";

const MAP_EXP: i32 = 0;
const MAP_TANH: i32 = 1;
const MAP_SIGMOID: i32 = 2;
const MAP_LOG: i32 = 3;

/** `f` is a constant at every call, so one branch is left. */
@inline
function apply(f: i32, x: v128): v128 {
  if (f == MAP_EXP) return sizeof<real>() == 4 ? exp32(x) : vexpMapped(x);
  if (f == MAP_TANH) return sizeof<real>() == 4 ? tanh32(x) : vtanhMapped(x);
  if (f == MAP_SIGMOID) return sigmoid32(x);
  return vlog(x);
}

/** 1 … LANES elements; the other lanes are 0. */
function loadSome(src: usize, count: i32): v128 {
  if (count == LANES) return v128.load(src);
  if (sizeof<real>() == 8) return v128.load64_zero(src);
  let x = v128.load32_zero(src);
  if (count > 1) x = f32x4.replace_lane(x, 1, load<f32>(src, 4));
  if (count > 2) x = f32x4.replace_lane(x, 2, load<f32>(src, 8));
  return x;
}

function storeSome(dst: usize, x: v128, count: i32): void {
  if (count == LANES) return v128.store(dst, x);
  if (sizeof<real>() == 8) return store<f64>(dst, f64x2.extract_lane(x, 0));
  store<f32>(dst, f32x4.extract_lane(x, 0));
  if (count > 1) store<f32>(dst, f32x4.extract_lane(x, 1), 4);
  if (count > 2) store<f32>(dst, f32x4.extract_lane(x, 2), 8);
}

/** Four registers a turn, the test at its end: so V8 builds the constants before the loop, or at most once a turn. */
@inline
function map(f: i32, dst: usize, src: usize, count: i32): void {
  const end = src + <usize>(count / (4 * LANES)) * 64;
  if (src < end) {
    do {
      const y0 = apply(f, v128.load(src));
      const y1 = apply(f, v128.load(src, 16));
      const y2 = apply(f, v128.load(src, 32));
      const y3 = apply(f, v128.load(src, 48));
      v128.store(dst, y0);
      v128.store(dst, y1, 16);
      v128.store(dst, y2, 32);
      v128.store(dst, y3, 48);
      src += 64;
      dst += 64;
    } while (src < end);
  }
  mapRest(f, dst, src, count % (4 * LANES));
}

@inline
function mapRest(f: i32, dst: usize, src: usize, count: i32): void {
  for (; count > 0; count -= LANES, dst += 16, src += 16) {
    const some = min(count, LANES);
    storeSome(dst, apply(f, loadSome(src, some)), some);
  }
}

/** Float32, four vectors side by side. */
@inline
function mapGroups(f: i32, dst: usize, src: usize, count: i32): void {
  const bytes = <usize>(count / 16) * 64;
  if (f == MAP_TANH) tanhGroups(dst, src, bytes);
  else expGroups(f == MAP_SIGMOID, dst, src, bytes);
  dst += bytes;
  src += bytes;
  count %= 16;
  for (; count >= 4; count -= 4, dst += 16, src += 16) v128.store(dst, apply(f, v128.load(src)));
  if (count > 0) storeSome(dst, apply(f, loadSome(src, count)), count);
}

/** e^x. */
export function mapExp(dst: usize, src: usize, count: i32): void {
  if (sizeof<real>() == 4) mapGroups(MAP_EXP, dst, src, count);
  else map(MAP_EXP, dst, src, count);
}

/** tanh x. */
export function mapTanh(dst: usize, src: usize, count: i32): void {
  if (sizeof<real>() == 4) mapGroups(MAP_TANH, dst, src, count);
  else map(MAP_TANH, dst, src, count);
}

/** 1/(1 + e^−x). */
export function mapSigmoid(dst: usize, src: usize, count: i32): void {
  if (sizeof<real>() == 4) mapGroups(MAP_SIGMOID, dst, src, count);
  else mapSigmoid64(dst, src, count);
}

/** Two registers a turn in a loop of their own where the table serves both, else one in another. */
function mapSigmoid64(dst: usize, src: usize, count: i32): void {
  const end = src + <usize>count * 8;
  while (src < end) {
    for (; isWithin(src, end); src += 32, dst += 32) {
      const y0 = sigmoid64Within(v128.load(src)), y1 = sigmoid64Within(v128.load(src, 16));
      v128.store(dst, y0);
      v128.store(dst, y1, 16);
    }
    for (; src < end && !isWithin(src, end); src += 16, dst += 16) {
      const some = min<i32>(2, <i32>((end - src) / 8));
      storeSome(dst, vsigmoid(loadSome(src, some)), some);
    }
  }
}

/** Whether there are two registers from `src` on, and they are within the table. */
@inline
function isWithin(src: usize, end: usize): bool {
  if (src + 32 > end) return false;
  const near = v128.and(
    f64x2.lt(f64x2.abs(v128.load(src)), all<f64>(SIGMOID_END)),
    f64x2.lt(f64x2.abs(v128.load(src, 16)), all<f64>(SIGMOID_END)),
  );
  return i64x2.all_true(near);
}

/** log x. */
export function mapLog(dst: usize, src: usize, count: i32): void {
  mapRest(MAP_LOG, dst, src, count);
}

/** log(1 + x) over f64 arrays in every binary. */
export function mapLog1p(dst: usize, src: usize, count: i32): void {
  for (let i = 0; i < count; ++i, dst += 8, src += 8) store<f64>(dst, slog1p(load<f64>(src)));
}
