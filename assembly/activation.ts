// Activation functions: value and derivative side by side, on arrays of whole vectors. A new function is a code in abi.ts,
// a case in `value` (or a map of maps.ts) and in `slope`, a line in each switch, a row in its test. Derivatives are written in
// a = f(z) where that says enough; from ACTIVATION_SILU on in z.
import {
  ACTIVATION_ELU, ACTIVATION_GELU, ACTIVATION_HARD_SIGMOID, ACTIVATION_HARD_SWISH, ACTIVATION_LEAKY_RELU,
  ACTIVATION_LINEAR, ACTIVATION_MISH, ACTIVATION_RELU, ACTIVATION_RELU6, ACTIVATION_SELU, ACTIVATION_SIGMOID,
  ACTIVATION_SILU, ACTIVATION_SOFTPLUS, ACTIVATION_SOFTSIGN, ACTIVATION_TANH,
} from "./abi";
import { LANES, MIN_NORMAL, PANEL, SIZE, UNIT_BYTES, flush } from "./lanes";
import { mapExp, mapSigmoid, mapTanh } from "./maps";
import { vexp, vexpm1Below, vgelu, vgeluSlope, vsigmoid, vsoftplus, vtanh } from "./vmath";

/** Klambauer et al. 2017: selu(z) = λ·z above 0, λ·α·(e^z − 1) below. */
const SELU_LAMBDA: f64 = 1.0507009873554805;
const SELU_LAMBDA_ALPHA: f64 = 1.7580993408473766;

/** e^z is +0 below this: z·σ(z) and z·tanh(softplus(z)) need a z that is finite there. */
const Z_MIN: f64 = sizeof<real>() == 4 ? -104 : -746;
/** tanh(softplus(z)) is 1 from here on. */
const MISH_END: f64 = sizeof<real>() == 4 ? 20 : 40;

@inline
function splat(x: f64): v128 {
  return v128.splat<real>(<real>x);
}

/** z between `low` and `high`; NaN stays. */
@inline
function clamp(z: v128, low: f64, high: f64): v128 {
  return v128.pmin<real>(v128.pmax<real>(z, splat(low)), splat(high));
}

/** f(z); `alpha` is the slope of leakyRelu below 0, the α of elu. relu(z) = z < 0 ? 0 : z lets NaN pass. */
@inline
function value(code: i32, z: v128, alpha: v128): v128 {
  const negative = v128.lt<real>(z, splat(0));
  if (code == ACTIVATION_RELU) return v128.andnot(z, negative);
  if (code == ACTIVATION_LEAKY_RELU) return v128.bitselect(v128.mul<real>(alpha, z), z, negative);
  if (code == ACTIVATION_ELU) return v128.bitselect(v128.mul<real>(alpha, vexpm1Below(z)), z, negative);
  if (code == ACTIVATION_SELU) {
    const below = v128.mul<real>(splat(SELU_LAMBDA_ALPHA), vexpm1Below(z));
    return v128.bitselect(below, v128.mul<real>(splat(SELU_LAMBDA), z), negative);
  }
  if (code == ACTIVATION_SOFTPLUS) return vsoftplus(z);
  if (code == ACTIVATION_SOFTSIGN) {
    const size = v128.pmin<real>(v128.abs<real>(z), splat(sizeof<real>() == 4 ? 1e30 : 1e300)); // ∞/∞ is no number
    return v128.or(v128.div<real>(size, v128.add<real>(size, splat(1))), v128.and(z, splat(-0.0)));
  }
  if (code == ACTIVATION_RELU6) return clamp(z, 0, 6);
  if (code == ACTIVATION_HARD_SIGMOID) {
    return v128.div<real>(clamp(v128.add<real>(z, splat(3)), 0, 6), splat(6));
  }
  if (code == ACTIVATION_SILU) return v128.mul<real>(v128.pmax<real>(z, splat(Z_MIN)), vsigmoid(z));
  if (code == ACTIVATION_GELU) return vgelu(z);
  if (code == ACTIVATION_MISH) {
    const e = vexp(clamp(z, Z_MIN, MISH_END));
    const n = v128.mul<real>(e, v128.add<real>(e, splat(2)));
    return v128.mul<real>(v128.pmax<real>(z, splat(Z_MIN)), v128.div<real>(n, v128.add<real>(n, splat(2))));
  }
  if (code == ACTIVATION_HARD_SWISH) {
    const gate = clamp(v128.add<real>(z, splat(3)), 0, 6);
    return v128.div<real>(v128.mul<real>(v128.pmax<real>(z, splat(-3)), gate), splat(6));
  }
  return z;
}

/** d·f′(z) in terms of a = f(z). At a kink: the derivative of the left side; relu6 and hardSigmoid 0 at both. */
@inline
function slope(code: i32, d: v128, a: v128, alpha: v128): v128 {
  const one = splat(1);
  if (code == ACTIVATION_SIGMOID) return v128.mul<real>(d, v128.mul<real>(a, v128.sub<real>(one, a)));
  if (code == ACTIVATION_TANH) return v128.mul<real>(d, v128.sub<real>(one, v128.mul<real>(a, a)));
  if (code == ACTIVATION_SOFTPLUS) {
    // 1 − e^−a = −(e^−a − 1)
    return v128.mul<real>(d, v128.sub<real>(splat(0), vexpm1Below(v128.sub<real>(splat(0), a))));
  }
  if (code == ACTIVATION_SOFTSIGN) {
    const rest = v128.sub<real>(one, v128.abs<real>(a));
    return v128.mul<real>(d, v128.mul<real>(rest, rest));
  }
  const positive = v128.gt<real>(a, splat(0));
  if (code == ACTIVATION_RELU) return v128.and(d, positive);
  if (code == ACTIVATION_LEAKY_RELU) return v128.bitselect(d, v128.mul<real>(alpha, d), positive);
  if (code == ACTIVATION_ELU) return v128.bitselect(d, v128.mul<real>(d, v128.add<real>(a, alpha)), positive);
  if (code == ACTIVATION_SELU) {
    const factor = v128.bitselect(splat(SELU_LAMBDA), v128.add<real>(a, splat(SELU_LAMBDA_ALPHA)), positive);
    return v128.mul<real>(d, factor);
  }
  if (code == ACTIVATION_RELU6) return v128.and(d, v128.and(positive, v128.lt<real>(a, splat(6))));
  if (code == ACTIVATION_HARD_SIGMOID) {
    return v128.and(v128.div<real>(d, splat(6)), v128.and(positive, v128.lt<real>(a, one)));
  }
  return d;
}

/** d·f′(z) in terms of z. */
@inline
function slopeOfZ(code: i32, d: v128, z: v128): v128 {
  const one = splat(1);
  if (code == ACTIVATION_SILU) {
    // σ + z·σ·(1 − σ)
    const s = vsigmoid(z);
    const bend = v128.mul<real>(clamp(z, Z_MIN, -Z_MIN), v128.mul<real>(s, v128.sub<real>(one, s)));
    return v128.mul<real>(d, v128.add<real>(s, bend));
  }
  if (code == ACTIVATION_GELU) return v128.mul<real>(d, vgeluSlope(z));
  if (code == ACTIVATION_MISH) {
    // With e = e^z, n = e·(e + 2): n/(n + 2) + 4·z·e·(1 + e)/(n + 2)²
    const c = clamp(z, Z_MIN, MISH_END);
    const e = vexp(c);
    const n = v128.mul<real>(e, v128.add<real>(e, splat(2)));
    const m = v128.add<real>(n, splat(2));
    const over = v128.mul<real>(v128.mul<real>(splat(4), v128.mul<real>(c, e)), v128.add<real>(e, one));
    return v128.mul<real>(d, v128.add<real>(v128.div<real>(n, m), v128.div<real>(over, v128.mul<real>(m, m))));
  }
  // hardSwish: 0 below −3, z/3 + ½, 1 above 3
  const middle = v128.add<real>(v128.div<real>(z, splat(3)), splat(0.5));
  const above = v128.bitselect(one, middle, v128.gt<real>(z, splat(3)));
  return v128.mul<real>(d, v128.andnot(above, v128.lt<real>(z, splat(-3))));
}

/** a = f(z) over `count` elements, a multiple of LANES; a may be z. Not for softmax. */
export function activate(code: i32, a: usize, z: usize, count: i32, alpha: real): void {
  assert(count % LANES == 0);
  // One loop instead of one per function: half the bytes of what only predicts (standalone.ts).
  if (isDefined(COMPACT)) return activateCompact(code, a, z, count, alpha);
  switch (code) {
    case ACTIVATION_LINEAR: if (a != z) memory.copy(a, z, <usize>(count * SIZE)); break;
    case ACTIVATION_SIGMOID: mapSigmoid(a, z, count); break;
    case ACTIVATION_TANH: mapTanh(a, z, count); break;
    case ACTIVATION_RELU: activateLoop(ACTIVATION_RELU, a, z, count, alpha); break;
    case ACTIVATION_LEAKY_RELU: activateLoop(ACTIVATION_LEAKY_RELU, a, z, count, alpha); break;
    case ACTIVATION_ELU: activateLoop(ACTIVATION_ELU, a, z, count, alpha); break;
    case ACTIVATION_SELU: activateLoop(ACTIVATION_SELU, a, z, count, alpha); break;
    case ACTIVATION_SOFTPLUS: activateLoop(ACTIVATION_SOFTPLUS, a, z, count, alpha); break;
    case ACTIVATION_SOFTSIGN: activateLoop(ACTIVATION_SOFTSIGN, a, z, count, alpha); break;
    case ACTIVATION_HARD_SIGMOID: activateLoop(ACTIVATION_HARD_SIGMOID, a, z, count, alpha); break;
    case ACTIVATION_RELU6: activateLoop(ACTIVATION_RELU6, a, z, count, alpha); break;
    case ACTIVATION_SILU: activateLoop(ACTIVATION_SILU, a, z, count, alpha); break;
    case ACTIVATION_GELU: activateLoop(ACTIVATION_GELU, a, z, count, alpha); break;
    case ACTIVATION_MISH: activateLoop(ACTIVATION_MISH, a, z, count, alpha); break;
    case ACTIVATION_HARD_SWISH: activateLoop(ACTIVATION_HARD_SWISH, a, z, count, alpha); break;
    default: assert(false);
  }
}

@inline
function activateLoop(code: i32, a: usize, z: usize, count: i32, alpha: real): void {
  const alphas = v128.splat<real>(alpha);
  const bytes = <usize>(count * SIZE);
  for (let i: usize = 0; i < bytes; i += 16) v128.store(a + i, value(code, v128.load(z + i), alphas));
}

function activateCompact(code: i32, a: usize, z: usize, count: i32, alpha: real): void {
  const alphas = v128.splat<real>(alpha);
  const bytes = <usize>(count * SIZE);
  for (let i: usize = 0; i < bytes; i += 16) v128.store(a + i, valueCompact(code, v128.load(z + i), alphas));
}

function valueCompact(code: i32, z: v128, alphas: v128): v128 {
  if (code == ACTIVATION_SIGMOID) return vsigmoid(z);
  if (code == ACTIVATION_TANH) return vtanh(z);
  return value(code, z, alphas);
}

/**
 * delta ∘= f′(z) over `count` elements, a multiple of LANES; results below normal become +0. Reads a = f(z), or z where
 * the derivative is written in it.
 */
export function applySlope(code: i32, delta: usize, a: usize, z: usize, count: i32, alpha: real): void {
  assert(count % LANES == 0);
  switch (code) {
    case ACTIVATION_LINEAR: slopeLoop(ACTIVATION_LINEAR, delta, a, count, alpha); break;
    case ACTIVATION_SIGMOID: slopeLoop(ACTIVATION_SIGMOID, delta, a, count, alpha); break;
    case ACTIVATION_TANH: slopeLoop(ACTIVATION_TANH, delta, a, count, alpha); break;
    case ACTIVATION_RELU: slopeLoop(ACTIVATION_RELU, delta, a, count, alpha); break;
    case ACTIVATION_LEAKY_RELU: slopeLoop(ACTIVATION_LEAKY_RELU, delta, a, count, alpha); break;
    case ACTIVATION_ELU: slopeLoop(ACTIVATION_ELU, delta, a, count, alpha); break;
    case ACTIVATION_SELU: slopeLoop(ACTIVATION_SELU, delta, a, count, alpha); break;
    case ACTIVATION_SOFTPLUS: slopeLoop(ACTIVATION_SOFTPLUS, delta, a, count, alpha); break;
    case ACTIVATION_SOFTSIGN: slopeLoop(ACTIVATION_SOFTSIGN, delta, a, count, alpha); break;
    case ACTIVATION_HARD_SIGMOID: slopeLoop(ACTIVATION_HARD_SIGMOID, delta, a, count, alpha); break;
    case ACTIVATION_RELU6: slopeLoop(ACTIVATION_RELU6, delta, a, count, alpha); break;
    case ACTIVATION_SILU: slopeLoop(ACTIVATION_SILU, delta, z, count, alpha); break;
    case ACTIVATION_GELU: slopeLoop(ACTIVATION_GELU, delta, z, count, alpha); break;
    case ACTIVATION_MISH: slopeLoop(ACTIVATION_MISH, delta, z, count, alpha); break;
    case ACTIVATION_HARD_SWISH: slopeLoop(ACTIVATION_HARD_SWISH, delta, z, count, alpha); break;
    default: assert(false);
  }
}

@inline
function slopeLoop(code: i32, delta: usize, from: usize, count: i32, alpha: real): void {
  const alphas = v128.splat<real>(alpha);
  const min = v128.splat<real>(<real>MIN_NORMAL);
  const bytes = <usize>(count * SIZE);
  for (let i: usize = 0; i < bytes; i += 16) {
    const d = v128.load(delta + i), x = v128.load(from + i);
    v128.store(delta + i, flush(code >= ACTIVATION_SILU ? slopeOfZ(code, d, x) : slope(code, d, x, alphas), min));
  }
}

/**
 * a[p][o][s] = exp(z[p][o][s] − m) / Σₒ exp(z[p][o][s] − m), m = maxₒ z[p][o][s], the sum over o ascending from +0.
 *
 * a, z [panels][units][8] written, read (may be the same) | max, sum [panels][8] written: what the loss needs.
 */
export function softmaxPanels(a: usize, z: usize, max: usize, sum: usize, units: i32, panels: i32): void {
  if (isDefined(COMPACT)) return softmaxPanelsCompact(a, z, max, sum, units, panels);
  const panelBytes = <usize>(units * UNIT_BYTES);
  const most = <i32>(SOFTMAX_BYTES / panelBytes) + 1;
  for (; panels > 0; panels -= most) {
    const some = min(panels, most), first = a;
    for (let p = 0; p < some; p++, z += panelBytes, a += panelBytes, max += UNIT_BYTES) {
      for (let s: usize = 0; s < <usize>UNIT_BYTES; s += 16) {
        let m = v128.load(z + s);
        for (let i = s + UNIT_BYTES; i < panelBytes; i += UNIT_BYTES) m = v128.pmax<real>(m, v128.load(z + i));
        for (let i = s; i < panelBytes; i += UNIT_BYTES) v128.store(a + i, v128.sub<real>(v128.load(z + i), m));
        v128.store(max + s, m);
      }
    }
    mapExp(first, first, some * units * PANEL);
    a = first;
    for (let p = 0; p < some; p++, a += panelBytes, sum += UNIT_BYTES) {
      for (let s: usize = 0; s < <usize>UNIT_BYTES; s += 16) {
        let total = v128.splat<real>(0);
        for (let i = s; i < panelBytes; i += UNIT_BYTES) total = v128.add<real>(total, v128.load(a + i));
        for (let i = s; i < panelBytes; i += UNIT_BYTES) v128.store(a + i, v128.div<real>(v128.load(a + i), total));
        v128.store(sum + s, total);
      }
    }
  }
}

/** What is at hand from one loop over panels to the next: half of a first cache. */
const SOFTMAX_BYTES: usize = 16384;

function softmaxPanelsCompact(a: usize, z: usize, max: usize, sum: usize, units: i32, panels: i32): void {
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
