// The chain rule over node records. Superscript l is a node, node 0 the input:
//
//   forward    zˡ = Wˡ·aˡ⁻¹ + bˡ,  aˡ = f(zˡ)                          nodes ascending
//   backward   δᴸ = ∂loss/∂zᴸ (loss.ts),  δˡ⁻¹ = (Wˡ)ᵀ·δˡ ∘ f′(zˡ⁻¹)     nodes descending
//   gradients  dWˡ = δˡ·(aˡ⁻¹)ᵀ,  dbˡ = Σ δˡ                          over the samples of the batch
import {
  ACTIVATION_SOFTMAX, JOB_FLAGS, JOB_FLAG_ALL, JOB_INPUT_GRADIENT_PTR, JOB_LEARNING_RATE, NET_LOSS_SCRATCH_PTR,
  NET_NODES_PTR, NET_NODE_COUNT, NET_PACK_A_PTR, NET_PACK_D_PTR, NET_PACK_W_PTR, NODE_ACTIVATION, NODE_ALPHA, NODE_A_PTR,
  NODE_B_PTR, NODE_DB_PTR, NODE_DELTA_PTR, NODE_DW_PTR, NODE_FLAGS, NODE_FLAG_PASS_DELTA, NODE_FLAG_TRAIN_B,
  NODE_FLAG_TRAIN_W, NODE_FROM, NODE_INPUTS, NODE_KIND, NODE_KIND_AFFINE, NODE_KIND_DENSE, NODE_PITCH, NODE_SIZE,
  NODE_UNITS, NODE_W_PTR, NODE_Z_PTR,
} from "./abi";
import { activate, applySlope, softmaxPanels, softmaxVector } from "./activation";
import { biasGradient, deltaPanels, forwardPanels, gradientPanels, gradientPanelsUpdate } from "./gemm";
import { deltaVector, deltaVectorUpdate, forwardVector, gradientVector, updateVector } from "./gemv";
import { PANEL, SIZE, TILE_COLS, UNIT_BYTES, loadSplat, roundUp } from "./lanes";
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

/** Activations of all nodes from node 0's, for n samples in panels, or with `vector` for one. */
export function forward(net: usize, n: i32, vector: bool): void {
  const count = load<i32>(net, NET_NODE_COUNT);
  for (let l = 1; l < count; l++) {
    const node = nodeAt(net, l);
    const from = nodeAt(net, load<i32>(node, NODE_FROM));
    const units = load<i32>(node, NODE_UNITS);
    const a = load<usize>(node, NODE_A_PTR);
    if (load<i32>(node, NODE_KIND) == NODE_KIND_AFFINE) affineForward(node, load<usize>(from, NODE_A_PTR), n, vector);
    else denseForward(net, node, load<usize>(from, NODE_A_PTR), n, vector);
    if (!vector) clearPadding(a, units, n);
    else if (units % TILE_COLS != 0) {
      memory.fill(a + <usize>(units * SIZE), 0, <usize>((roundUp(units, TILE_COLS) - units) * SIZE));
    }
  }
}

function denseForward(net: usize, node: usize, aFrom: usize, n: i32, vector: bool): void {
  const nOut = load<i32>(node, NODE_UNITS), nIn = load<i32>(node, NODE_INPUTS), pitch = load<i32>(node, NODE_PITCH);
  const a = load<usize>(node, NODE_A_PTR), z = load<usize>(node, NODE_Z_PTR);
  const W = load<usize>(node, NODE_W_PTR), b = load<usize>(node, NODE_B_PTR);
  const activation = load<i32>(node, NODE_ACTIVATION);
  const panels = (n + PANEL - 1) / PANEL;
  if (vector) forwardVector(z, aFrom, W, b, nOut, nIn, pitch, 0, nOut);
  else forwardPanels(z, aFrom, W, b, nOut, nIn, pitch, panels, 0, nOut);
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
function affineForward(node: usize, aFrom: usize, n: i32, vector: bool): void {
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

/**
 * Deltas and gradients of a block of n samples; the output node's delta is in place. `add`: the gradients of the step's
 * earlier blocks are continued. `descend`: W and b take the plain descent step at once, no gradient is stored.
 */
export function backward(net: usize, job: usize, n: i32, vector: bool, add: bool, descend: bool): void {
  const all = (load<i32>(job, JOB_FLAGS) & JOB_FLAG_ALL) != 0;
  const toInputs = load<usize>(job, JOB_INPUT_GRADIENT_PTR) != 0;
  const count = load<i32>(net, NET_NODE_COUNT);
  for (let l = count - 1; l > 0; l--) {
    const node = nodeAt(net, l);
    const fromIndex = load<i32>(node, NODE_FROM);
    const from = nodeAt(net, fromIndex);
    const flags = load<i32>(node, NODE_FLAGS);
    const isDense = load<i32>(node, NODE_KIND) == NODE_KIND_DENSE;
    if (l < count - 1 && isDense) nodeSlope(node, n, vector);
    const pass = toInputs || (all && fromIndex > 0) || (flags & NODE_FLAG_PASS_DELTA) != 0;
    if (isDense) {
      const trainW = all || (flags & NODE_FLAG_TRAIN_W) != 0, trainB = all || (flags & NODE_FLAG_TRAIN_B) != 0;
      if (vector) denseBackwardVector(job, node, from, pass, trainW, trainB, descend);
      else denseBackwardPanels(net, job, node, from, n, pass, trainW, trainB, add, descend);
    } else if (pass) affineBackward(node, from, n, vector);
    // Nothing below is trained: the rest of the list has nothing to do.
    if (!pass) return;
  }
}

/** δ = (what the consumers handed down) ∘ f′(z). */
function nodeSlope(node: usize, n: i32, vector: bool): void {
  const units = load<i32>(node, NODE_UNITS);
  const count = vector ? roundUp(units, TILE_COLS) : ((n + PANEL - 1) / PANEL) * units * PANEL;
  applySlope(
    load<i32>(node, NODE_ACTIVATION), load<usize>(node, NODE_DELTA_PTR), load<usize>(node, NODE_A_PTR), count,
    <real>load<f64>(node, NODE_ALPHA),
  );
}

function denseBackwardPanels(
  net: usize, job: usize, node: usize, from: usize, n: i32,
  pass: bool, trainW: bool, trainB: bool, add: bool, descend: bool,
): void {
  const nOut = load<i32>(node, NODE_UNITS), nIn = load<i32>(node, NODE_INPUTS), pitch = load<i32>(node, NODE_PITCH);
  const delta = load<usize>(node, NODE_DELTA_PTR), W = load<usize>(node, NODE_W_PTR);
  const packA = load<usize>(net, NET_PACK_A_PTR), packD = load<usize>(net, NET_PACK_D_PTR);
  const eta = <real>load<f64>(job, JOB_LEARNING_RATE);
  if (pass) {
    const dst = load<usize>(from, NODE_DELTA_PTR);
    const panels = (n + PANEL - 1) / PANEL;
    deltaPanels(dst, delta, W, load<usize>(net, NET_PACK_W_PTR), nOut, nIn, pitch, panels, 0, nIn);
  }
  if (!trainW && !trainB) return;
  packDeltas(packD, delta, nOut, n);
  if (trainW) {
    const dW = load<usize>(node, NODE_DW_PTR);
    packActivations(packA, load<usize>(from, NODE_A_PTR), nIn, n);
    if (descend) gradientPanelsUpdate(W, dW, eta, packD, packA, nOut, nIn, pitch, n, add, 0, nOut);
    else gradientPanels(dW, packD, packA, nOut, nIn, pitch, n, add, 0, nOut);
  }
  if (trainB) {
    const db = load<usize>(node, NODE_DB_PTR);
    biasGradient(db, packD, n, add, 0, nOut);
    if (descend) descendBias(load<usize>(node, NODE_B_PTR), db, eta, nOut);
  }
}

function denseBackwardVector(
  job: usize, node: usize, from: usize, pass: bool, trainW: bool, trainB: bool, descend: bool,
): void {
  const nOut = load<i32>(node, NODE_UNITS), nIn = load<i32>(node, NODE_INPUTS), pitch = load<i32>(node, NODE_PITCH);
  const delta = load<usize>(node, NODE_DELTA_PTR), W = load<usize>(node, NODE_W_PTR);
  const a = load<usize>(from, NODE_A_PTR), dst = load<usize>(from, NODE_DELTA_PTR);
  const eta = <real>load<f64>(job, JOB_LEARNING_RATE);
  if (pass && trainW && descend) deltaVectorUpdate(dst, delta, W, a, eta, nOut, nIn, pitch);
  else {
    if (pass) deltaVector(dst, delta, W, nOut, nIn, pitch);
    if (trainW && descend) updateVector(W, delta, a, eta, nOut, nIn, pitch);
    else if (trainW) gradientVector(load<usize>(node, NODE_DW_PTR), delta, a, nOut, nIn, pitch);
  }
  if (!trainB) return;
  const db = load<usize>(node, NODE_DB_PTR);
  for (let o: usize = 0; o < <usize>(nOut * SIZE); o += SIZE) store<real>(db + o, <real>0 + load<real>(delta + o));
  if (descend) descendBias(load<usize>(node, NODE_B_PTR), db, eta, nOut);
}

/** b −= rnd(η·db). */
function descendBias(b: usize, db: usize, eta: real, nOut: i32): void {
  for (let o: usize = 0; o < <usize>(nOut * SIZE); o += SIZE) {
    store<real>(b + o, load<real>(b + o) - eta * load<real>(db + o));
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
