// Batch and layer normalisation with their adjoints. x̂ = (a⁻ − mean)·inverse, z = γ·x̂ + β, a = f(z). Statistics are formed in f64;
// x̂ and the inverse deviations stay in the node's regions for the way back.
import {
  JOB_MODE, MODE_TRAIN, NODE_ACTIVATION, NODE_ALPHA, NODE_A_PTR, NODE_B_PTR, NODE_DB_PTR, NODE_DELTA_PTR, NODE_DW_PTR,
  NODE_EPSILON, NODE_EXTRA_PTR, NODE_FLAGS, NODE_FLAG_TRAIN_B, NODE_FLAG_TRAIN_W, NODE_INVERSE_PTR, NODE_KIND,
  NODE_KIND_BATCH_NORM, NODE_MEAN_PTR, NODE_RATE, NODE_UNITS, NODE_VARIANCE_PTR, NODE_W_PTR, NODE_Z_PTR,
} from "./abi";
import { activate } from "./activation";
import { MIN_NORMAL, PANEL, SIZE, TILE_COLS, UNIT_BYTES, flush, flushScalar, loadSplat, roundUp } from "./lanes";
import { clearPadding } from "./panels";

@inline
function pair(ptr: usize): v128 {
  return SIZE == 4 ? f64x2.promote_low_f32x4(v128.load64_zero(ptr)) : v128.load(ptr);
}

/** Lanes first and first + 1 where they are below `count`. */
@inline
function below(first: i64, count: i64): v128 {
  return v128.and(i64x2.splat(-1), i64x2.lt_s(i64x2.add(i64x2.splat(first), i64x2(0, 1)), i64x2.splat(count)));
}

@inline
function combined(s0: v128, s1: v128, s2: v128, s3: v128): f64 {
  const a = f64x2.extract_lane(s0, 0) + f64x2.extract_lane(s0, 1), b = f64x2.extract_lane(s1, 0) + f64x2.extract_lane(s1, 1);
  const c = f64x2.extract_lane(s2, 0) + f64x2.extract_lane(s2, 1), d = f64x2.extract_lane(s3, 0) + f64x2.extract_lane(s3, 1);
  return (a + b) + (c + d);
}

/** Σ x over n samples of one unit: sample s into accumulator s mod 8. Lanes past n are 0. */
function unitSum(x: usize, stride: usize, n: i32): f64 {
  let s0 = f64x2.splat(0), s1 = s0, s2 = s0, s3 = s0;
  const end = x + <usize>((n + PANEL - 1) / PANEL) * stride;
  for (let p = x; p < end; p += stride) {
    s0 = f64x2.add(s0, pair(p)); s1 = f64x2.add(s1, pair(p + 2 * SIZE));
    s2 = f64x2.add(s2, pair(p + 4 * SIZE)); s3 = f64x2.add(s3, pair(p + 6 * SIZE));
  }
  return combined(s0, s1, s2, s3);
}

/** Σ (x − mean)². */
function unitSquares(x: usize, stride: usize, n: i32, mean: f64): f64 {
  let s0 = f64x2.splat(0), s1 = s0, s2 = s0, s3 = s0;
  const m = f64x2.splat(mean);
  for (let s = 0, p = x; s < n; s += PANEL, p += stride) {
    const rest = <i64>(n - s);
    const d0 = v128.and(f64x2.sub(pair(p), m), below(0, rest)), d1 = v128.and(f64x2.sub(pair(p + 2 * SIZE), m), below(2, rest));
    const d2 = v128.and(f64x2.sub(pair(p + 4 * SIZE), m), below(4, rest));
    const d3 = v128.and(f64x2.sub(pair(p + 6 * SIZE), m), below(6, rest));
    s0 = f64x2.add(s0, f64x2.mul(d0, d0)); s1 = f64x2.add(s1, f64x2.mul(d1, d1));
    s2 = f64x2.add(s2, f64x2.mul(d2, d2)); s3 = f64x2.add(s3, f64x2.mul(d3, d3));
  }
  return combined(s0, s1, s2, s3);
}

/** Σ x·y; where either is past n the other's 0 stands. */
function unitProducts(x: usize, y: usize, stride: usize, n: i32): f64 {
  let s0 = f64x2.splat(0), s1 = s0, s2 = s0, s3 = s0;
  for (let s = 0, p = x, q = y; s < n; s += PANEL, p += stride, q += stride) {
    s0 = f64x2.add(s0, f64x2.mul(pair(p), pair(q)));
    s1 = f64x2.add(s1, f64x2.mul(pair(p + 2 * SIZE), pair(q + 2 * SIZE)));
    s2 = f64x2.add(s2, f64x2.mul(pair(p + 4 * SIZE), pair(q + 4 * SIZE)));
    s3 = f64x2.add(s3, f64x2.mul(pair(p + 6 * SIZE), pair(q + 6 * SIZE)));
  }
  return combined(s0, s1, s2, s3);
}

/** The node's net inputs from x; `job` 0: no training. */
export function normalForward(job: usize, node: usize, aFrom: usize, n: i32, vector: bool): void {
  if (load<i32>(node, NODE_KIND) == NODE_KIND_BATCH_NORM) {
    if (job) batchStatistics(node, aFrom, n);
    batchForward(job, node, aFrom, n, vector);
  } else layerForward(node, aFrom, n, vector);
  const units = load<i32>(node, NODE_UNITS);
  const count = vector ? roundUp(units, TILE_COLS) : roundUp(n, PANEL) * units;
  activate(
    load<i32>(node, NODE_ACTIVATION), load<usize>(node, NODE_A_PTR), load<usize>(node, NODE_Z_PTR), count,
    <real>load<f64>(node, NODE_ALPHA),
  );
}

/**
 * Ioffe & Szegedy 2015: mean and biased variance of the batch normalise; the running values take a share `rate` of the mean and of
 * the unbiased variance. Leaves 1/√(variance + ε) in the inverse region and the mean behind it.
 */
function batchStatistics(node: usize, aFrom: usize, n: i32): void {
  const units = load<i32>(node, NODE_UNITS), stride = <usize>(units * UNIT_BYTES);
  const inverse = load<usize>(node, NODE_INVERSE_PTR), means = inverse + <usize>(units * SIZE);
  const running = load<usize>(node, NODE_MEAN_PTR), variances = load<usize>(node, NODE_VARIANCE_PTR);
  const rate = load<f64>(node, NODE_RATE), epsilon = load<f64>(node, NODE_EPSILON);
  for (let u = 0; u < units; u++) {
    const x = aFrom + <usize>(u * UNIT_BYTES), at = <usize>(u * SIZE);
    const mean = unitSum(x, stride, n) / <f64>n;
    const squares = unitSquares(x, stride, n, mean);
    store<real>(means + at, <real>mean);
    store<real>(inverse + at, <real>(1 / sqrt<f64>(squares / <f64>n + epsilon)));
    store<real>(running + at, flushScalar(<real>((1 - rate) * <f64>load<real>(running + at) + rate * mean)));
    const unbiased = squares / <f64>(n - 1);
    store<real>(variances + at, flushScalar(<real>((1 - rate) * <f64>load<real>(variances + at) + rate * unbiased)));
  }
}

function batchForward(job: usize, node: usize, aFrom: usize, n: i32, vector: bool): void {
  const units = load<i32>(node, NODE_UNITS);
  const inverse = load<usize>(node, NODE_INVERSE_PTR);
  const means = job ? inverse + <usize>(units * SIZE) : load<usize>(node, NODE_MEAN_PTR);
  const gamma = load<usize>(node, NODE_W_PTR), beta = load<usize>(node, NODE_B_PTR);
  const z = load<usize>(node, NODE_Z_PTR), normal = load<usize>(node, NODE_EXTRA_PTR);
  if (!job) {
    const variances = load<usize>(node, NODE_VARIANCE_PTR), epsilon = load<f64>(node, NODE_EPSILON);
    for (let i: usize = 0; i < <usize>(units * SIZE); i += SIZE) {
      store<real>(inverse + i, <real>(1 / sqrt<f64>(<f64>load<real>(variances + i) + epsilon)));
    }
  }
  if (vector) {
    for (let i: usize = 0; i < <usize>(units * SIZE); i += SIZE) {
      const value = (load<real>(aFrom + i) - load<real>(means + i)) * load<real>(inverse + i);
      store<real>(normal + i, value);
      store<real>(z + i, load<real>(gamma + i) * value + load<real>(beta + i));
    }
    return;
  }
  const panelBytes = <usize>(units * UNIT_BYTES), end = <usize>((n + PANEL - 1) / PANEL) * panelBytes;
  for (let u = 0; u < units; u++) {
    const at = <usize>(u * SIZE);
    const m = loadSplat(means + at), v = loadSplat(inverse + at), g = loadSplat(gamma + at), b = loadSplat(beta + at);
    for (let p = <usize>(u * UNIT_BYTES); p < end; p += panelBytes) {
      for (let s: usize = 0; s < <usize>UNIT_BYTES; s += 16) {
        const value = v128.mul<real>(v128.sub<real>(v128.load(aFrom + p + s), m), v);
        v128.store(normal + p + s, value);
        v128.store(z + p + s, v128.add<real>(v128.mul<real>(g, value), b));
      }
    }
  }
}

/** Ba, Kiros & Hinton 2016: mean and biased variance of a sample over its units, which are taken in order. */
function layerForward(node: usize, aFrom: usize, n: i32, vector: bool): void {
  const units = load<i32>(node, NODE_UNITS), stride: usize = vector ? SIZE : UNIT_BYTES, bytes = <usize>units * stride;
  const gamma = load<usize>(node, NODE_W_PTR), beta = load<usize>(node, NODE_B_PTR);
  const z = load<usize>(node, NODE_Z_PTR), normal = load<usize>(node, NODE_EXTRA_PTR);
  const inverses = load<usize>(node, NODE_INVERSE_PTR), epsilon = load<f64>(node, NODE_EPSILON);
  for (let s = 0; s < n; s++) {
    const sample = sampleOffset(s, units, vector);
    const x = aFrom + sample;
    let sum: f64 = 0, squares: f64 = 0;
    for (let i: usize = 0; i < bytes; i += stride) sum += <f64>load<real>(x + i);
    const mean = sum / <f64>units;
    for (let i: usize = 0; i < bytes; i += stride) {
      const d = <f64>load<real>(x + i) - mean;
      squares += d * d;
    }
    const m = <real>mean, inverse = <real>(1 / sqrt<f64>(squares / <f64>units + epsilon));
    store<real>(inverses + <usize>(s * SIZE), inverse);
    for (let i: usize = 0, w: usize = 0; i < bytes; i += stride, w += SIZE) {
      const value = (load<real>(x + i) - m) * inverse;
      store<real>(normal + sample + i, value);
      store<real>(z + sample + i, load<real>(gamma + w) * value + load<real>(beta + w));
    }
  }
}

@inline
function sampleOffset(s: i32, units: i32, vector: bool): usize {
  return vector ? 0 : <usize>((s >> 3) * units * UNIT_BYTES + (s & 7) * SIZE);
}

/** Gradients of γ and β, continued with `add`, and with `pass` the delta of what the node reads; δ = ∂loss/∂z stands. */
export function normalBackward(job: usize, node: usize, dst: usize, pass: bool, all: bool, n: i32, vector: bool, add: bool): void {
  const batch = load<i32>(node, NODE_KIND) == NODE_KIND_BATCH_NORM && load<i32>(job, JOB_MODE) == MODE_TRAIN;
  const flags = load<i32>(node, NODE_FLAGS);
  const trainW = all || (flags & NODE_FLAG_TRAIN_W) != 0, trainB = all || (flags & NODE_FLAG_TRAIN_B) != 0;
  if (batch) batchBackward(node, dst, pass, trainW, trainB, n);
  else {
    sequentialGradients(node, trainW, trainB, n, vector, add);
    if (!pass) return;
    if (load<i32>(node, NODE_KIND) == NODE_KIND_BATCH_NORM) fixedBackward(node, dst, n, vector);
    else layerBackward(node, dst, n, vector);
  }
  if (pass && !vector) clearPadding(dst, load<i32>(node, NODE_UNITS), n);
}

/** δ⁻ = γ·inverse·((δ − Σδ/n) − x̂·Σδx̂/n). */
function batchBackward(node: usize, dst: usize, pass: bool, trainW: bool, trainB: bool, n: i32): void {
  const units = load<i32>(node, NODE_UNITS), stride = <usize>(units * UNIT_BYTES);
  const delta = load<usize>(node, NODE_DELTA_PTR), normal = load<usize>(node, NODE_EXTRA_PTR);
  const inverse = load<usize>(node, NODE_INVERSE_PTR), gamma = load<usize>(node, NODE_W_PTR);
  const min = v128.splat<real>(<real>MIN_NORMAL), end = <usize>((n + PANEL - 1) / PANEL) * stride;
  for (let u = 0; u < units; u++) {
    const unit = <usize>(u * UNIT_BYTES), at = <usize>(u * SIZE);
    const sum = unitSum(delta + unit, stride, n), products = unitProducts(delta + unit, normal + unit, stride, n);
    if (trainW) store<real>(load<usize>(node, NODE_DW_PTR) + at, <real>products);
    if (trainB) store<real>(load<usize>(node, NODE_DB_PTR) + at, <real>sum);
    if (!pass) continue;
    const factor = v128.splat<real>(load<real>(gamma + at) * load<real>(inverse + at));
    const mean = v128.splat<real>(<real>(sum / <f64>n)), slope = v128.splat<real>(<real>(products / <f64>n));
    for (let p = unit; p < end; p += stride) {
      for (let s: usize = 0; s < <usize>UNIT_BYTES; s += 16) {
        const own = v128.sub<real>(v128.load(delta + p + s), mean);
        const rest = v128.sub<real>(own, v128.mul<real>(v128.load(normal + p + s), slope));
        v128.store(dst + p + s, flush(v128.mul<real>(factor, rest), min));
      }
    }
  }
}

/** With fixed statistics: δ⁻ = γ·inverse·δ. */
function fixedBackward(node: usize, dst: usize, n: i32, vector: bool): void {
  const units = load<i32>(node, NODE_UNITS), stride: usize = vector ? SIZE : UNIT_BYTES;
  const delta = load<usize>(node, NODE_DELTA_PTR), inverse = load<usize>(node, NODE_INVERSE_PTR);
  const gamma = load<usize>(node, NODE_W_PTR);
  for (let s = 0; s < n; s++) {
    const sample = sampleOffset(s, units, vector);
    for (let u = 0; u < units; u++) {
      const at = sample + <usize>u * stride, w = <usize>(u * SIZE);
      store<real>(dst + at, flushScalar(load<real>(gamma + w) * load<real>(inverse + w) * load<real>(delta + at)));
    }
  }
}

/** δ⁻ = inverse·((γδ − Σγδ/units) − x̂·Σγδx̂/units) of each sample. */
function layerBackward(node: usize, dst: usize, n: i32, vector: bool): void {
  const units = load<i32>(node, NODE_UNITS), stride: usize = vector ? SIZE : UNIT_BYTES, bytes = <usize>units * stride;
  const delta = load<usize>(node, NODE_DELTA_PTR), normal = load<usize>(node, NODE_EXTRA_PTR);
  const inverses = load<usize>(node, NODE_INVERSE_PTR), gamma = load<usize>(node, NODE_W_PTR);
  for (let s = 0; s < n; s++) {
    const sample = sampleOffset(s, units, vector);
    const d = delta + sample, x = normal + sample;
    let sum: f64 = 0, products: f64 = 0;
    for (let i: usize = 0, w: usize = 0; i < bytes; i += stride, w += SIZE) {
      const own = <f64>load<real>(gamma + w) * <f64>load<real>(d + i);
      sum += own;
      products += own * <f64>load<real>(x + i);
    }
    const mean = <real>(sum / <f64>units), slope = <real>(products / <f64>units);
    const inverse = load<real>(inverses + <usize>(s * SIZE));
    for (let i: usize = 0, w: usize = 0; i < bytes; i += stride, w += SIZE) {
      const own = load<real>(gamma + w) * load<real>(d + i) - mean;
      store<real>(dst + sample + i, flushScalar(inverse * (own - load<real>(x + i) * slope)));
    }
  }
}

/** dγ = Σ δ·x̂, dβ = Σ δ, sample after sample, so that blocks may be of any size. */
function sequentialGradients(node: usize, trainW: bool, trainB: bool, n: i32, vector: bool, add: bool): void {
  const units = load<i32>(node, NODE_UNITS), stride: usize = vector ? SIZE : UNIT_BYTES;
  const delta = load<usize>(node, NODE_DELTA_PTR), normal = load<usize>(node, NODE_EXTRA_PTR);
  for (let u = 0; u < units; u++) {
    const unit = <usize>u * stride, at = <usize>(u * SIZE);
    const dW = load<usize>(node, NODE_DW_PTR) + at, db = load<usize>(node, NODE_DB_PTR) + at;
    let products: real = add && trainW ? load<real>(dW) : 0, sum: real = add && trainB ? load<real>(db) : 0;
    for (let s = 0; s < n; s++) {
      const i = unit + sampleOffset(s, units, vector);
      const d = load<real>(delta + i);
      products += d * load<real>(normal + i);
      sum += d;
    }
    if (trainW) store<real>(dW, products);
    if (trainB) store<real>(db, sum);
  }
}
