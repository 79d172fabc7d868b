// Activation functions: value and derivative side by side, on arrays of whole vectors. A new function is a code in abi.ts,
// a case in `value` (or a map of maps.ts) and in `slope`, a line in each switch, a row in its test.
import {
  ACTIVATION_LEAKY_RELU, ACTIVATION_LINEAR, ACTIVATION_RELU, ACTIVATION_SIGMOID, ACTIVATION_SOFTMAX, ACTIVATION_TANH,
} from "./abi";
import { LANES, MIN_NORMAL, PANEL, SIZE, UNIT_BYTES, flush, flushScalar } from "./lanes";
import { mapSigmoid, mapTanh } from "./maps";
import { vexp } from "./vmath";

/** f(z) of the functions that are a few instructions; `alpha` is the slope of leakyRelu below 0. relu(z) = z < 0 ? 0 : z lets NaN pass. */
@inline
function value(code: i32, z: v128, alpha: v128): v128 {
  const negative = v128.lt<real>(z, v128.splat<real>(0));
  if (code == ACTIVATION_RELU) return v128.andnot(z, negative);
  if (code == ACTIVATION_LEAKY_RELU) return v128.bitselect(v128.mul<real>(alpha, z), z, negative);
  return z;
}

/** d·f′(z) written in terms of a = f(z). The derivative of relu and leakyRelu at 0 is that of the left side. */
@inline
function slope(code: i32, d: v128, a: v128, alpha: v128): v128 {
  const one = v128.splat<real>(1);
  if (code == ACTIVATION_SIGMOID) return v128.mul<real>(d, v128.mul<real>(a, v128.sub<real>(one, a)));
  if (code == ACTIVATION_TANH) return v128.mul<real>(d, v128.sub<real>(one, v128.mul<real>(a, a)));
  const positive = v128.gt<real>(a, v128.splat<real>(0));
  if (code == ACTIVATION_RELU) return v128.and(d, positive);
  if (code == ACTIVATION_LEAKY_RELU) return v128.bitselect(d, v128.mul<real>(alpha, d), positive);
  return d;
}

/** a = f(z) over `count` elements, a multiple of LANES; a may be z. Not for softmax. */
export function activate(code: i32, a: usize, z: usize, count: i32, alpha: real): void {
  assert(count % LANES == 0);
  switch (code) {
    case ACTIVATION_LINEAR: if (a != z) memory.copy(a, z, <usize>(count * SIZE)); break;
    case ACTIVATION_SIGMOID: mapSigmoid(a, z, count); break;
    case ACTIVATION_TANH: mapTanh(a, z, count); break;
    case ACTIVATION_RELU: activateLoop(ACTIVATION_RELU, a, z, count, alpha); break;
    case ACTIVATION_LEAKY_RELU: activateLoop(ACTIVATION_LEAKY_RELU, a, z, count, alpha); break;
    default: assert(false);
  }
}

@inline
function activateLoop(code: i32, a: usize, z: usize, count: i32, alpha: real): void {
  const slopes = v128.splat<real>(alpha);
  const bytes = <usize>(count * SIZE);
  for (let i: usize = 0; i < bytes; i += 16) v128.store(a + i, value(code, v128.load(z + i), slopes));
}

/** delta ∘= f′(z), read from a = f(z), over `count` elements, a multiple of LANES; results below normal become +0. */
export function applySlope(code: i32, delta: usize, a: usize, count: i32, alpha: real): void {
  assert(count % LANES == 0);
  switch (code) {
    case ACTIVATION_LINEAR: slopeLoop(ACTIVATION_LINEAR, delta, a, count, alpha); break;
    case ACTIVATION_SIGMOID: slopeLoop(ACTIVATION_SIGMOID, delta, a, count, alpha); break;
    case ACTIVATION_TANH: slopeLoop(ACTIVATION_TANH, delta, a, count, alpha); break;
    case ACTIVATION_RELU: slopeLoop(ACTIVATION_RELU, delta, a, count, alpha); break;
    case ACTIVATION_LEAKY_RELU: slopeLoop(ACTIVATION_LEAKY_RELU, delta, a, count, alpha); break;
    default: assert(false);
  }
}

@inline
function slopeLoop(code: i32, delta: usize, a: usize, count: i32, alpha: real): void {
  const slopes = v128.splat<real>(alpha);
  const min = v128.splat<real>(<real>MIN_NORMAL);
  const bytes = <usize>(count * SIZE);
  for (let i: usize = 0; i < bytes; i += 16) {
    v128.store(delta + i, flush(slope(code, v128.load(delta + i), v128.load(a + i), slopes), min));
  }
}

/** One element of applySlope, for the loss. */
@inline
export function slopeScalar(code: i32, d: real, a: real, alpha: real): real {
  switch (code) {
    case ACTIVATION_SIGMOID: return d * (a * (1 - a));
    case ACTIVATION_TANH: return d * (1 - a * a);
    case ACTIVATION_RELU: return a > 0 ? d : 0;
    case ACTIVATION_LEAKY_RELU: return a > 0 ? d : alpha * d;
    default: return d;
  }
}

/**
 * a[p][o][s] = exp(z[p][o][s] − m) / Σₒ exp(z[p][o][s] − m), m = maxₒ z[p][o][s], the sum over o ascending from +0.
 *
 * a, z [panels][units][8] written, read (may be the same) | max, sum [panels][8] written: what the loss needs.
 */
export function softmaxPanels(a: usize, z: usize, max: usize, sum: usize, units: i32, panels: i32): void {
  const panelBytes = <usize>(units * UNIT_BYTES);
  for (let p = 0; p < panels; p++) {
    for (let s = 0; s < PANEL; s += LANES) {
      const lane = <usize>(s * SIZE);
      const from = z + <usize>p * panelBytes + lane;
      const to = a + <usize>p * panelBytes + lane;
      let m = v128.load(from);
      for (let i: usize = UNIT_BYTES; i < panelBytes; i += UNIT_BYTES) m = v128.pmax<real>(m, v128.load(from + i));
      let total = v128.splat<real>(0);
      for (let i: usize = 0; i < panelBytes; i += UNIT_BYTES) {
        const e = vexp(v128.sub<real>(v128.load(from + i), m));
        v128.store(to + i, e);
        total = v128.add<real>(total, e);
      }
      for (let i: usize = 0; i < panelBytes; i += UNIT_BYTES) {
        v128.store(to + i, v128.div<real>(v128.load(to + i), total));
      }
      v128.store(max + <usize>(p * UNIT_BYTES) + lane, m);
      v128.store(sum + <usize>(p * UNIT_BYTES) + lane, total);
    }
  }
}

/** softmaxPanels for one sample: a, z [units]; max, sum [1]. */
export function softmaxVector(a: usize, z: usize, max: usize, sum: usize, units: i32): void {
  const bytes = <usize>(units * SIZE);
  let m = load<real>(z);
  for (let i: usize = SIZE; i < bytes; i += SIZE) {
    const x = load<real>(z + i);
    m = m < x ? x : m;
  }
  let total: real = 0;
  for (let i: usize = 0; i < bytes; i += SIZE) {
    const e = v128.extract_lane<real>(vexp(v128.splat<real>(load<real>(z + i) - m)), 0);
    store<real>(a + i, e);
    total += e;
  }
  for (let i: usize = 0; i < bytes; i += SIZE) store<real>(a + i, load<real>(a + i) / total);
  store<real>(max, m);
  store<real>(sum, total);
}

/**
 * delta = Jᵀ·g of the softmax for one sample: delta[o] = a[o]·(g[o] − Σⱼ g[j]·a[j]), j ascending; `stride` bytes between
 * units. delta holds g on entry.
 */
export function softmaxSlope(delta: usize, a: usize, units: i32, stride: usize): void {
  const end = <usize>units * stride;
  let dot: real = 0;
  for (let i: usize = 0; i < end; i += stride) dot += load<real>(delta + i) * load<real>(a + i);
  for (let i: usize = 0; i < end; i += stride) {
    store<real>(delta + i, load<real>(a + i) * (load<real>(delta + i) - dot));
  }
}
