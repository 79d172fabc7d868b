// Dropout and Gaussian noise: what is drawn for a unit depends on seed, node, step, the sample's position in its batch and the unit
// alone. Counters of Philox (random.ts): (unit or group of four units, position, step, purpose + 256·node).
import {
  JOB_IN_STEP, JOB_STEP, NET_SEED_HIGH, NET_SEED_LOW, NODE_A_PTR, NODE_DELTA_PTR, NODE_EXTRA_PTR, NODE_RATE, NODE_UNITS,
  PURPOSE_DROPOUT, PURPOSE_NOISE,
} from "./abi";
import { LANES, MIN_NORMAL, PANEL, SIZE, UNIT_BYTES, flush, roundUp, TILE_COLS } from "./lanes";
import { normalAt, philoxAt, philoxFour, words1, words2, words3 } from "./random";

/** Elements of `units` units: of n samples in panels, or one padded vector. */
@inline
function elements(units: i32, n: i32, vector: bool): i32 {
  return vector ? roundUp(units, TILE_COLS) : roundUp(n, PANEL) * units;
}

@inline
function stepOf(job: usize): i32 {
  return <i32>(<i64>load<f64>(job, JOB_STEP));
}

/**
 * Inverted dropout (Srivastava et al. 2014): a = a⁻·m, m = rnd(1 / (1 − rate)) with probability 1 − rate, else 0; without a job
 * a = a⁻. The factors m stay in the node's extra region for the way back.
 */
export function dropoutForward(net: usize, job: usize, node: usize, l: i32, aFrom: usize, n: i32, vector: bool): void {
  const units = load<i32>(node, NODE_UNITS), a = load<usize>(node, NODE_A_PTR);
  const bytes = <usize>(elements(units, n, vector) * SIZE);
  if (!job) {
    memory.copy(a, aFrom, bytes);
    return;
  }
  const factors = load<usize>(node, NODE_EXTRA_PTR);
  makeFactors(net, job, node, l, factors, units, n, vector);
  for (let i: usize = 0; i < bytes; i += 16) {
    v128.store(a + i, v128.mul<real>(v128.load(aFrom + i), v128.load(factors + i)));
  }
}

function makeFactors(net: usize, job: usize, node: usize, l: i32, to: usize, units: i32, n: i32, vector: bool): void {
  const rate = load<f64>(node, NODE_RATE);
  const threshold = <u32>(rate * 4294967296.0);
  const keep = <real>(1 / (1 - rate));
  const low = load<i32>(net, NET_SEED_LOW), high = load<i32>(net, NET_SEED_HIGH);
  const step = stepOf(job), purpose = PURPOSE_DROPOUT + 256 * l;
  const first = load<i32>(job, JOB_IN_STEP);
  if (vector) {
    memory.fill(to, 0, <usize>(roundUp(units, TILE_COLS) * SIZE));
    for (let u = 0; u < units; u++) {
      const words = philoxAt(low, high, u >>> 2, first, step, purpose);
      store<real>(to + <usize>(u * SIZE), wordOf(words, u & 3) >= threshold ? keep : 0);
    }
    return;
  }
  const panelBytes = <usize>(units * UNIT_BYTES);
  for (let p = 0; p < n; p += PANEL) {
    const panel = to + <usize>(p / PANEL) * panelBytes;
    for (let u = 0; u < units; u += 4) {
      for (let s = 0; s < PANEL; s += 4) {
        const at = panel + <usize>(u * UNIT_BYTES + s * SIZE);
        fourByFour(at, min(4, units - u), low, high, u >>> 2, first + p + s, step, purpose, threshold, keep);
      }
    }
  }
}

@inline
function wordOf(words: v128, k: i32): u32 {
  if (k == 0) return i32x4.extract_lane(words, 0);
  if (k == 1) return i32x4.extract_lane(words, 1);
  return k == 2 ? i32x4.extract_lane(words, 2) : i32x4.extract_lane(words, 3);
}

/** Factors of up to four units of a group for four positions: four blocks of Philox side by side, word k for unit k. */
function fourByFour(
  to: usize, count: i32, key0: i32, key1: i32, group: i32, position: i32, step: i32, purpose: i32, threshold: u32, keep: real,
): void {
  const positions = i32x4.add(i32x4.splat(position), i32x4(0, 1, 2, 3));
  const words0 = philoxFour(key0, key1, i32x4.splat(group), positions, step, purpose);
  storeFactors(to, words0, threshold, keep);
  if (count > 1) storeFactors(to + UNIT_BYTES, words1, threshold, keep);
  if (count > 2) storeFactors(to + 2 * UNIT_BYTES, words2, threshold, keep);
  if (count > 3) storeFactors(to + 3 * UNIT_BYTES, words3, threshold, keep);
}

@inline
function storeFactors(to: usize, words: v128, threshold: u32, keep: real): void {
  const kept = i32x4.ge_u(words, i32x4.splat(threshold)), factor = v128.splat<real>(keep);
  if (LANES == 4) return v128.store(to, v128.and(kept, factor));
  v128.store(to, v128.and(i64x2.extend_low_i32x4_s(kept), factor));
  v128.store(to, v128.and(i64x2.extend_high_i32x4_s(kept), factor), 16);
}

/** δ⁻ = δ·m, or δ without dropout. */
export function dropoutBackward(node: usize, dst: usize, trains: bool, n: i32, vector: bool): void {
  const units = load<i32>(node, NODE_UNITS), delta = load<usize>(node, NODE_DELTA_PTR);
  const bytes = <usize>(elements(units, n, vector) * SIZE);
  if (!trains) {
    memory.copy(dst, delta, bytes);
    return;
  }
  const factors = load<usize>(node, NODE_EXTRA_PTR), min = v128.splat<real>(<real>MIN_NORMAL);
  for (let i: usize = 0; i < bytes; i += 16) {
    v128.store(dst + i, flush(v128.mul<real>(v128.load(delta + i), v128.load(factors + i)), min));
  }
}

/** a = a⁻ + rnd(deviation·ε), ε standard normal; without a job a = a⁻. */
export function noiseForward(net: usize, job: usize, node: usize, l: i32, aFrom: usize, n: i32, vector: bool): void {
  const units = load<i32>(node, NODE_UNITS), a = load<usize>(node, NODE_A_PTR);
  memory.copy(a, aFrom, <usize>(elements(units, n, vector) * SIZE));
  if (!job) return;
  const deviation = load<f64>(node, NODE_RATE);
  const low = load<i32>(net, NET_SEED_LOW), high = load<i32>(net, NET_SEED_HIGH);
  const step = stepOf(job), purpose = PURPOSE_NOISE + 256 * l, first = load<i32>(job, JOB_IN_STEP);
  for (let s = 0; s < n; s++) {
    for (let u = 0; u < units; u++) {
      const at = a + <usize>(vector ? u * SIZE : ((s >> 3) * units + u) * UNIT_BYTES + (s & 7) * SIZE);
      const noise = <real>(deviation * normalAt(low, high, u, first + s, step, purpose));
      store<real>(at, load<real>(at) + noise);
    }
  }
}
