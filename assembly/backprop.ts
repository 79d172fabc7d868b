// The chain rule over node records. Superscript l is a node, node 0 the input:
//
//   forward    zˡ = Wˡ·aˡ⁻¹ + bˡ,  aˡ = f(zˡ)                          nodes ascending
//   backward   δᴸ = ∂loss/∂zᴸ (loss.ts),  δˡ⁻¹ = (Wˡ)ᵀ·δˡ ∘ f′(zˡ⁻¹)     nodes descending
//   gradients  dWˡ = δˡ·(aˡ⁻¹)ᵀ,  dbˡ = Σ δˡ                          over the samples of the batch
import {
  ACTIVATION_RELU, ACTIVATION_SILU, ACTIVATION_SOFTMAX, JOB_FLAGS, JOB_FLAG_ALL, JOB_INPUT_GRADIENT_PTR, JOB_LEARNING_RATE, JOB_MODE,
  MODE_TRAIN,
  NET_LOSS_SCRATCH_PTR, NET_NODES_PTR, NET_NODE_COUNT, NET_PACK_A_PTR, NET_PACK_D_PTR, NET_PACK_W_PTR,
  NODE_ACTIVATION, NODE_ALPHA, NODE_A_PTR, NODE_B_PTR, NODE_DB_PTR, NODE_DELTA_PTR, NODE_DW_PTR, NODE_FLAGS,
  NODE_FLAG_PASS_DELTA, NODE_FLAG_TRAIN_B, NODE_FLAG_TRAIN_W, NODE_FROM, NODE_INPUTS, NODE_KIND, NODE_KIND_AFFINE, NODE_KIND_BATCH_NORM, NODE_KIND_DENSE, NODE_KIND_DROPOUT, NODE_KIND_NOISE, NODE_PITCH, NODE_SIZE,
  NODE_STRIPS_PTR, NODE_UNITS, NODE_W_PTR, NODE_Z_PTR,
} from "./abi";
import { activate, applySlope, softmaxPanels, softmaxVector } from "./activation";
import { forwardStrips, stripUnits, updateStrips } from "./columns";
import { biasGradient, deltaPanels, forwardPanels, gradientPanels, gradientPanelsUpdate } from "./gemm";
import { deltaVector, deltaVectorUpdate, forwardVector, gradientVector, updateVector } from "./gemv";
import { PANEL, SIZE, TILE_COLS, UNIT_BYTES, loadSplat, roundUp } from "./lanes";
import { dropoutBackward, dropoutForward, noiseForward } from "./noise";
import { normalBackward, normalForward } from "./normalization";
import { clearPadding, packActivations, packDeltas } from "./panels";

@inline
export function nodeAt(net: usize, index: i32): usize {
  return load<usize>(net, NET_NODES_PTR) + <usize>(index * NODE_SIZE);
}

/** The node whose activation is the network's output: the last one. */
@inline
export function outputNode(net: usize): usize {
  return nodeAt(net, load<i32>(net, NET_NODE_COUNT) - 1);
}

/**
 * Units [begin, end) of node l, for n samples in panels, or with `vector` for one; what needs all units of the node follows
 * the last. `begin` is a multiple of 8. `job` is 0 but in training: only there dropout, noise and a batch's statistics count.
 */
export function forwardNode(net: usize, job: usize, l: i32, n: i32, vector: bool, begin: i32, end: i32): void {
  const node = nodeAt(net, l);
  const aFrom = load<usize>(nodeAt(net, load<i32>(node, NODE_FROM)), NODE_A_PTR);
  const units = load<i32>(node, NODE_UNITS);
  const a = load<usize>(node, NODE_A_PTR);
  const kind = load<i32>(node, NODE_KIND);
  if (kind == NODE_KIND_DENSE) denseForward(net, node, aFrom, n, vector, begin, end);
  if (end < units) return;
  if (kind == NODE_KIND_AFFINE) affineForward(node, aFrom, n, vector);
  else if (kind == NODE_KIND_DROPOUT) dropoutForward(net, job, node, l, aFrom, n, vector);
  else if (kind == NODE_KIND_NOISE) noiseForward(net, job, node, l, aFrom, n, vector);
  else if (kind >= NODE_KIND_BATCH_NORM) normalForward(job, node, aFrom, n, vector);
  if (!vector) clearPadding(a, units, n);
  else if (units % TILE_COLS != 0) {
    const z = load<usize>(node, NODE_Z_PTR), used = <usize>(units * SIZE);
    const rest = <usize>(roundUp(units, TILE_COLS) * SIZE) - used;
    memory.fill(a + used, 0, rest);
    // The derivative of these is taken from z, in whole vectors.
    if (load<i32>(node, NODE_ACTIVATION) >= ACTIVATION_SILU) memory.fill(z + used, 0, rest);
  }
}

function denseForward(net: usize, node: usize, aFrom: usize, n: i32, vector: bool, begin: i32, end: i32): void {
  const nOut = load<i32>(node, NODE_UNITS), nIn = load<i32>(node, NODE_INPUTS), pitch = load<i32>(node, NODE_PITCH);
  const a = load<usize>(node, NODE_A_PTR), z = load<usize>(node, NODE_Z_PTR);
  const W = load<usize>(node, NODE_W_PTR), b = load<usize>(node, NODE_B_PTR);
  const activation = load<i32>(node, NODE_ACTIVATION);
  const panels = (n + PANEL - 1) / PANEL;
  const strips = load<usize>(node, NODE_STRIPS_PTR);
  const rectify = !vector && activation == ACTIVATION_RELU && a == z;
  if (strips) {
    forwardStrips(z, aFrom, strips, b, nOut, nIn);
    forwardVector(z, aFrom, W, b, nOut, nIn, pitch, stripUnits(nOut), nOut);
  } else if (vector) forwardVector(z, aFrom, W, b, nOut, nIn, pitch, begin, end);
  else forwardPanels(z, aFrom, W, b, nOut, nIn, pitch, panels, begin, end, rectify);
  if (end < nOut || rectify) return;
  if (activation == ACTIVATION_SOFTMAX) {
    const max = load<usize>(net, NET_LOSS_SCRATCH_PTR);
    if (vector) softmaxVector(a, z, max, max + SIZE, nOut);
    else softmaxPanels(a, z, max, max + <usize>(panels * UNIT_BYTES), nOut, panels);
  } else {
    const count = vector ? roundUp(nOut, TILE_COLS) : panels * nOut * PANEL;
    activate(activation, a, z, count, <real>load<f64>(node, NODE_ALPHA));
  }
}

/** a = scale ∘ a⁻ + shift, the product rounded before the sum. */
export function affineForward(node: usize, aFrom: usize, n: i32, vector: bool): void {
  const units = load<i32>(node, NODE_UNITS);
  const a = load<usize>(node, NODE_A_PTR);
  const scale = load<usize>(node, NODE_W_PTR), shift = load<usize>(node, NODE_B_PTR);
  if (vector) {
    for (let i: usize = 0; i < <usize>(units * SIZE); i += SIZE) {
      store<real>(a + i, load<real>(aFrom + i) * load<real>(scale + i) + load<real>(shift + i));
    }
    return;
  }
  const panelBytes = <usize>(units * UNIT_BYTES);
  for (let i = 0; i < units; i++) {
    const factor = loadSplat(scale + <usize>(i * SIZE)), term = loadSplat(shift + <usize>(i * SIZE));
    const end = <usize>((n + PANEL - 1) / PANEL) * panelBytes;
    for (let p = <usize>(i * UNIT_BYTES); p < end; p += panelBytes) {
      for (let s: usize = 0; s < <usize>UNIT_BYTES; s += 16) {
        v128.store(a + p + s, v128.add<real>(v128.mul<real>(v128.load(aFrom + p + s), factor), term));
      }
    }
  }
}

/** Whether node l hands a delta to the node it reads: something below is trained or asked for. */
export function passesDelta(net: usize, job: usize, l: i32): bool {
  const node = nodeAt(net, l);
  if (load<usize>(job, JOB_INPUT_GRADIENT_PTR) || (load<i32>(node, NODE_FLAGS) & NODE_FLAG_PASS_DELTA)) return true;
  return (load<i32>(job, JOB_FLAGS) & JOB_FLAG_ALL) != 0 && load<i32>(node, NODE_FROM) > 0;
}

/**
 * Node l's share of the backward pass over n samples; its delta is in place, before f′ but where `slopeIsDone`. Two parts, one after the other in
 * [begin, end): the delta of its nIn inputs, where it hands one down, then the gradients of its nOut units, which read
 * nothing that the first part still needs. Both bounds are multiples of 8 within a part, or a part's end.
 *
 * `add`: the gradients of the step's earlier blocks are continued. `descend`: W and b take the plain descent step at
 * once, no gradient is stored.
 */
export function backwardNode(
  net: usize, job: usize, l: i32, n: i32, vector: bool, add: bool, descend: bool, begin: i32, end: i32,
): void {
  const node = nodeAt(net, l);
  const from = nodeAt(net, load<i32>(node, NODE_FROM));
  const pass = passesDelta(net, job, l);
  const kind = load<i32>(node, NODE_KIND);
  if (kind != NODE_KIND_DENSE) {
    if (begin == 0) otherBackward(job, node, from, n, vector, add, pass);
    return;
  }
  if (begin == 0 && l < load<i32>(net, NET_NODE_COUNT) - 1 && !slopeIsDone(net, l, vector)) nodeSlope(node, n, vector);
  const all = (load<i32>(job, JOB_FLAGS) & JOB_FLAG_ALL) != 0, flags = load<i32>(node, NODE_FLAGS);
  const trainW = all || (flags & NODE_FLAG_TRAIN_W) != 0;
  const trainB = (all && load<usize>(node, NODE_B_PTR) != 0) || (flags & NODE_FLAG_TRAIN_B) != 0;
  const nIn = load<i32>(node, NODE_INPUTS);
  const fused = vector && pass && trainW && descend;
  if (pass && begin < nIn) {
    const last = min(end, nIn);
    if (vector) denseDeltaVector(job, node, from, fused, begin, last);
    else denseDeltaPanels(net, node, from, n, begin, last);
  }
  if (end <= nIn || !(trainW || trainB)) return;
  const first = max(begin - nIn, 0), last = end - nIn;
  if (vector) denseGradientVector(job, node, from, trainW && !fused, trainB, descend, first, last);
  else denseGradientPanels(net, job, node, from, n, trainW, trainB, add, descend, first, last);
}

/** Whether the node above, the one that reads l, applied the derivative of l's activation. */
function slopeIsDone(net: usize, l: i32, vector: bool): bool {
  return !vector && load<i32>(nodeAt(net, l + 1), NODE_KIND) == NODE_KIND_DENSE && isDenseRelu(nodeAt(net, l));
}

/** A dense node whose relu′ the dense node above applies where it stores the delta of panels. */
function isDenseRelu(node: usize): bool {
  return load<i32>(node, NODE_KIND) == NODE_KIND_DENSE && load<i32>(node, NODE_ACTIVATION) == ACTIVATION_RELU;
}

/** The whole of a node that is not dense. */
function otherBackward(
  job: usize, node: usize, from: usize, n: i32, vector: bool, add: bool, pass: bool,
): void {
  const kind = load<i32>(node, NODE_KIND), dst = load<usize>(from, NODE_DELTA_PTR);
  if (kind >= NODE_KIND_BATCH_NORM) {
    nodeSlope(node, n, vector);
    normalBackward(job, node, dst, pass, (load<i32>(job, JOB_FLAGS) & JOB_FLAG_ALL) != 0, n, vector, add);
  } else if (!pass) return;
  else if (kind == NODE_KIND_AFFINE) affineBackward(node, from, n, vector);
  else dropoutBackward(node, dst, kind == NODE_KIND_DROPOUT && load<i32>(job, JOB_MODE) == MODE_TRAIN, n, vector);
}

/** δ = (what the consumers, or the loss, handed down) ∘ f′(z), results below normal +0. Not for softmax. */
export function nodeSlope(node: usize, n: i32, vector: bool): void {
  const units = load<i32>(node, NODE_UNITS);
  const count = vector ? roundUp(units, TILE_COLS) : ((n + PANEL - 1) / PANEL) * units * PANEL;
  applySlope(
    load<i32>(node, NODE_ACTIVATION), load<usize>(node, NODE_DELTA_PTR), load<usize>(node, NODE_A_PTR),
    load<usize>(node, NODE_Z_PTR), count, <real>load<f64>(node, NODE_ALPHA),
  );
}

/** Wᵀ·δ, ∘ relu′ where the node below is a dense relu, for inputs [begin, end). */
function denseDeltaPanels(net: usize, node: usize, from: usize, n: i32, begin: i32, end: i32): void {
  const nOut = load<i32>(node, NODE_UNITS), nIn = load<i32>(node, NODE_INPUTS), pitch = load<i32>(node, NODE_PITCH);
  const delta = load<usize>(node, NODE_DELTA_PTR), W = load<usize>(node, NODE_W_PTR);
  const pack = load<usize>(net, NET_PACK_W_PTR);
  const relu = isDenseRelu(from) ? load<usize>(from, NODE_A_PTR) : 0;
  deltaPanels(load<usize>(from, NODE_DELTA_PTR), delta, W, pack, nOut, nIn, pitch, (n + PANEL - 1) / PANEL, begin, end, relu);
}

/** Wᵀ·δ for one sample, without relu′; `update`: W takes its descent step in the same pass. */
function denseDeltaVector(job: usize, node: usize, from: usize, update: bool, begin: i32, end: i32): void {
  const nOut = load<i32>(node, NODE_UNITS), pitch = load<i32>(node, NODE_PITCH);
  const column = <usize>(begin * SIZE);
  const dst = load<usize>(from, NODE_DELTA_PTR) + column, delta = load<usize>(node, NODE_DELTA_PTR);
  const W = load<usize>(node, NODE_W_PTR) + column;
  if (!update) return deltaVector(dst, delta, W, nOut, end - begin, pitch);
  const eta = <real>load<f64>(job, JOB_LEARNING_RATE);
  deltaVectorUpdate(dst, delta, W, load<usize>(from, NODE_A_PTR) + column, eta, nOut, end - begin, pitch);
}

/** dW and db of units [begin, end), or their descent step. */
function denseGradientPanels(
  net: usize, job: usize, node: usize, from: usize, n: i32,
  trainW: bool, trainB: bool, add: bool, descend: bool, begin: i32, end: i32,
): void {
  const nOut = load<i32>(node, NODE_UNITS), nIn = load<i32>(node, NODE_INPUTS), pitch = load<i32>(node, NODE_PITCH);
  const packA = load<usize>(net, NET_PACK_A_PTR), packD = load<usize>(net, NET_PACK_D_PTR);
  const eta = <real>load<f64>(job, JOB_LEARNING_RATE);
  if (begin == 0) {
    packDeltas(packD, load<usize>(node, NODE_DELTA_PTR), nOut, n);
    if (trainW) packActivations(packA, load<usize>(from, NODE_A_PTR), nIn, n);
  }
  if (trainW) {
    const W = load<usize>(node, NODE_W_PTR), dW = load<usize>(node, NODE_DW_PTR);
    if (descend && !add) gradientPanelsUpdate(W, eta, packD, packA, nOut, nIn, pitch, n, begin, end);
    else if (!descend) gradientPanels(dW, packD, packA, nOut, nIn, pitch, n, add, begin, end);
    else {
      // The last of several blocks: rows of two tiles at a time, whose gradient then still is in a cache.
      for (let o = begin; o < end;) {
        const stop = min(o + 12, end);
        gradientPanels(dW, packD, packA, nOut, nIn, pitch, n, add, o, stop);
        for (; o < stop; o++) {
          const row = <usize>(o * pitch * SIZE);
          descendRow(W + row, dW + row, eta, roundUp(nIn, TILE_COLS));
        }
      }
    }
  }
  if (!trainB || end < nOut) return;
  const db = load<usize>(node, NODE_DB_PTR);
  biasGradient(db, packD, n, add, 0, nOut);
  if (descend) descendRow(load<usize>(node, NODE_B_PTR), db, eta, nOut);
}

function denseGradientVector(
  job: usize, node: usize, from: usize, trainW: bool, trainB: bool, descend: bool, begin: i32, end: i32,
): void {
  const nOut = load<i32>(node, NODE_UNITS), nIn = load<i32>(node, NODE_INPUTS), pitch = load<i32>(node, NODE_PITCH);
  const delta = load<usize>(node, NODE_DELTA_PTR), a = load<usize>(from, NODE_A_PTR);
  const eta = <real>load<f64>(job, JOB_LEARNING_RATE);
  if (trainW) {
    const strips = load<usize>(node, NODE_STRIPS_PTR);
    if (strips) {
      updateStrips(strips, delta, a, eta, nOut, nIn);
      begin = stripUnits(nOut);
    }
    const row = <usize>begin * <usize>(pitch * SIZE), unit = delta + <usize>(begin * SIZE);
    if (descend) updateVector(load<usize>(node, NODE_W_PTR) + row, unit, a, eta, end - begin, nIn, pitch);
    else gradientVector(load<usize>(node, NODE_DW_PTR) + row, unit, a, end - begin, nIn, pitch);
  }
  if (!trainB || end < nOut) return;
  const db = load<usize>(node, NODE_DB_PTR);
  for (let o: usize = 0; o < <usize>(nOut * SIZE); o += SIZE) store<real>(db + o, <real>0 + load<real>(delta + o));
  if (descend) descendRow(load<usize>(node, NODE_B_PTR), db, eta, nOut);
}

/** w −= rnd(η·g), elements side by side. */
function descendRow(w: usize, g: usize, eta: real, count: i32): void {
  const rate = v128.splat<real>(eta);
  let i: usize = 0;
  for (; i + 16 <= <usize>(count * SIZE); i += 16) {
    v128.store(w + i, v128.sub<real>(v128.load(w + i), v128.mul<real>(rate, v128.load(g + i))));
  }
  for (; i < <usize>(count * SIZE); i += SIZE) {
    store<real>(w + i, load<real>(w + i) - eta * load<real>(g + i));
  }
}

/** ∂loss/∂a⁻ = scale ∘ delta. */
function affineBackward(node: usize, from: usize, n: i32, vector: bool): void {
  const units = load<i32>(node, NODE_UNITS);
  const delta = load<usize>(node, NODE_DELTA_PTR), dst = load<usize>(from, NODE_DELTA_PTR);
  const scale = load<usize>(node, NODE_W_PTR);
  const lanes = vector ? 1 : PANEL;
  const panels = vector ? 1 : (n + PANEL - 1) / PANEL;
  for (let i = 0; i < panels * units; i++) {
    const factor = load<real>(scale + <usize>((i % units) * SIZE));
    for (let s = 0; s < lanes; s++) {
      const at = <usize>((i * lanes + s) * SIZE);
      store<real>(dst + at, load<real>(delta + at) * factor);
    }
  }
}
