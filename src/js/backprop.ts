// The chain rule over node records. Superscript l is a node, node 0 the input:
//
//   forward    zˡ = Wˡ·aˡ⁻¹ + bˡ,  aˡ = f(zˡ)                          nodes ascending
//   backward   δᴸ = ∂loss/∂zᴸ (loss.ts),  δˡ⁻¹ = (Wˡ)ᵀ·δˡ ∘ f′(zˡ⁻¹)     nodes descending
//   gradients  dWˡ = δˡ·(aˡ⁻¹)ᵀ,  dbˡ = Σ δˡ                          over the samples of the batch
import {
  ACTIVATION_RELU,
  ACTIVATION_SILU,
  ACTIVATION_SOFTMAX,
  JOB_FLAG_ALL,
  JOB_FLAGS,
  JOB_INPUT_GRADIENT_PTR,
  JOB_LEARNING_RATE,
  JOB_MODE,
  MODE_TRAIN,
  NET_LOSS_SCRATCH_PTR,
  NET_NODE_COUNT,
  NET_NODES_PTR,
  NET_PACK_A_PTR,
  NET_PACK_D_PTR,
  NODE_A_PTR,
  NODE_ACTIVATION,
  NODE_ALPHA,
  NODE_B_PTR,
  NODE_DB_PTR,
  NODE_DELTA_PTR,
  NODE_DW_PTR,
  NODE_FLAG_PASS_DELTA,
  NODE_FLAG_TRAIN_B,
  NODE_FLAG_TRAIN_W,
  NODE_FLAGS,
  NODE_FROM,
  NODE_INPUTS,
  NODE_KIND,
  NODE_KIND_AFFINE,
  NODE_KIND_BATCH_NORM,
  NODE_KIND_DENSE,
  NODE_KIND_DROPOUT,
  NODE_KIND_NOISE,
  NODE_PITCH,
  NODE_SIZE,
  NODE_UNITS,
  NODE_W_PTR,
  NODE_Z_PTR,
} from "../core/abi.ts";
import { activate, applySlope, softmaxPanels, softmaxVector } from "./activation.ts";
import { biasGradient, deltaPanels, forwardPanels, gradientPanels, gradientPanelsUpdate } from "./gemm.ts";
import { deltaVector, forwardVector, gradientVector, updateVector } from "./gemv.ts";
import type { Heap } from "./heap.ts";
import { PANEL, roundUp } from "./lanes.ts";
import { dropoutBackward, dropoutForward, noiseForward } from "./noise.ts";
import { normalBackward, normalForward } from "./normalization.ts";
import { clearPadding, packActivations, packDeltas } from "./panels.ts";

export function nodeAt(heap: Heap, net: number, index: number): number {
  return heap.ptr(net, NET_NODES_PTR) + index * NODE_SIZE;
}

/** The node whose activation is the network's output: the last one. */
export function outputNode(heap: Heap, net: number): number {
  return nodeAt(heap, net, heap.int(net, NET_NODE_COUNT) - 1);
}

/**
 * Units [begin, end) of node l, for n samples in panels, or with `vector` for one; what needs all units of the node follows
 * the last. `begin` is a multiple of 8. `job` is 0 but in training: only there dropout, noise and a batch's statistics count.
 */
export function forwardNode(
  heap: Heap,
  net: number,
  job: number,
  l: number,
  n: number,
  vector: boolean,
  begin: number,
  end: number,
): void {
  const { real, lanes } = heap;
  const node = nodeAt(heap, net, l);
  const aFrom = heap.ptr(nodeAt(heap, net, heap.int(node, NODE_FROM)), NODE_A_PTR);
  const units = heap.int(node, NODE_UNITS);
  const a = heap.ptr(node, NODE_A_PTR);
  const kind = heap.int(node, NODE_KIND);
  if (kind === NODE_KIND_DENSE) denseForward(heap, net, node, aFrom, n, vector, begin, end);
  if (end < units) return;
  if (kind === NODE_KIND_AFFINE) affineForward(heap, node, aFrom, n, vector);
  else if (kind === NODE_KIND_DROPOUT) dropoutForward(heap, net, job, node, l, aFrom, n, vector);
  else if (kind === NODE_KIND_NOISE) noiseForward(heap, net, job, node, l, aFrom, n, vector);
  else if (kind >= NODE_KIND_BATCH_NORM) normalForward(heap, job, node, aFrom, n, vector);
  if (!vector) {
    clearPadding(heap, a, units, n);
    return;
  }
  const rest = roundUp(units, lanes.tileCols);
  const clear = (from: number) => real.fill(0, heap.index(from) + units, heap.index(from) + rest);
  clear(a);
  if (heap.int(node, NODE_ACTIVATION) >= ACTIVATION_SILU) clear(heap.ptr(node, NODE_Z_PTR));
}

function denseForward(
  heap: Heap,
  net: number,
  node: number,
  aFrom: number,
  n: number,
  vector: boolean,
  begin: number,
  end: number,
): void {
  const nOut = heap.int(node, NODE_UNITS);
  const nIn = heap.int(node, NODE_INPUTS);
  const pitch = heap.int(node, NODE_PITCH);
  const a = heap.ptr(node, NODE_A_PTR);
  const z = heap.ptr(node, NODE_Z_PTR);
  const W = heap.ptr(node, NODE_W_PTR);
  const b = heap.ptr(node, NODE_B_PTR);
  const activation = heap.int(node, NODE_ACTIVATION);
  const { size } = heap.lanes;
  const samples = roundUp(n, PANEL);
  const rectify = !vector && activation === ACTIVATION_RELU && a === z;
  if (vector) forwardVector(heap, z, aFrom, W, b, nOut, nIn, pitch, begin, end);
  else forwardPanels(heap, z, aFrom, W, b, nOut, nIn, pitch, samples / PANEL, begin, end, rectify);
  if (end < nOut || rectify) return;
  if (activation === ACTIVATION_SOFTMAX) {
    const max = heap.ptr(net, NET_LOSS_SCRATCH_PTR);
    if (vector) softmaxVector(heap, a, z, max, max + size, nOut);
    else softmaxPanels(heap, a, z, max, max + samples * size, nOut, samples / PANEL);
  } else activate(heap, activation, a, z, vector ? nOut : samples * nOut, heap.double(node, NODE_ALPHA));
}

/** a = scale ∘ a⁻ + shift, the product rounded before the sum. */
function affineForward(heap: Heap, node: number, aFrom: number, n: number, vector: boolean): void {
  const { real, lanes } = heap;
  const { round } = lanes;
  const units = heap.int(node, NODE_UNITS);
  const to = heap.index(heap.ptr(node, NODE_A_PTR));
  const from = heap.index(aFrom);
  const scale = heap.index(heap.ptr(node, NODE_W_PTR));
  const shift = heap.index(heap.ptr(node, NODE_B_PTR));
  const perUnit = vector ? 1 : PANEL;
  const count = vector ? units : roundUp(n, PANEL) * units;
  for (let i = 0; i < count; i += perUnit) {
    const unit = (i / perUnit) % units;
    for (let s = i; s < i + perUnit; s++) {
      const product = round((real[from + s] as number) * (real[scale + unit] as number));
      real[to + s] = round(product + (real[shift + unit] as number));
    }
  }
}

/** Whether node l hands a delta to the node it reads: something below is trained or asked for. */
export function passesDelta(heap: Heap, net: number, job: number, l: number): boolean {
  const node = nodeAt(heap, net, l);
  if (heap.ptr(job, JOB_INPUT_GRADIENT_PTR) || heap.int(node, NODE_FLAGS) & NODE_FLAG_PASS_DELTA) return true;
  return (heap.int(job, JOB_FLAGS) & JOB_FLAG_ALL) !== 0 && heap.int(node, NODE_FROM) > 0;
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
  heap: Heap,
  net: number,
  job: number,
  l: number,
  n: number,
  vector: boolean,
  add: boolean,
  descend: boolean,
  begin: number,
  end: number,
): void {
  const node = nodeAt(heap, net, l);
  const from = nodeAt(heap, net, heap.int(node, NODE_FROM));
  const pass = passesDelta(heap, net, job, l);
  if (heap.int(node, NODE_KIND) !== NODE_KIND_DENSE) {
    if (begin === 0) otherBackward(heap, job, node, from, n, vector, add, pass);
    return;
  }
  if (begin === 0 && l < heap.int(net, NET_NODE_COUNT) - 1 && !slopeIsDone(heap, net, l, vector)) {
    nodeSlope(heap, node, n, vector);
  }
  const all = (heap.int(job, JOB_FLAGS) & JOB_FLAG_ALL) !== 0;
  const flags = heap.int(node, NODE_FLAGS);
  const trainW = all || (flags & NODE_FLAG_TRAIN_W) !== 0;
  const trainB = (all && heap.ptr(node, NODE_B_PTR) !== 0) || (flags & NODE_FLAG_TRAIN_B) !== 0;
  const nIn = heap.int(node, NODE_INPUTS);
  if (pass && begin < nIn) denseDelta(heap, node, from, n, vector, begin, Math.min(end, nIn));
  if (end <= nIn || !(trainW || trainB)) return;
  const first = Math.max(begin - nIn, 0);
  const last = end - nIn;
  if (vector) denseGradientVector(heap, job, node, from, trainW, trainB, descend, first, last);
  else denseGradientPanels(heap, net, job, node, from, n, trainW, trainB, add, descend, first, last);
}

/** Whether the node above, the one that reads l, applied the derivative of l's activation. */
function slopeIsDone(heap: Heap, net: number, l: number, vector: boolean): boolean {
  const above = nodeAt(heap, net, l + 1);
  return !vector && heap.int(above, NODE_KIND) === NODE_KIND_DENSE && isDenseRelu(heap, nodeAt(heap, net, l));
}

/** A dense node whose relu′ the dense node above applies where it stores the delta of panels. */
function isDenseRelu(heap: Heap, node: number): boolean {
  return heap.int(node, NODE_KIND) === NODE_KIND_DENSE && heap.int(node, NODE_ACTIVATION) === ACTIVATION_RELU;
}

/** The whole of a node that is not dense. */
function otherBackward(
  heap: Heap,
  job: number,
  node: number,
  from: number,
  n: number,
  vector: boolean,
  add: boolean,
  pass: boolean,
): void {
  const kind = heap.int(node, NODE_KIND);
  const dst = heap.ptr(from, NODE_DELTA_PTR);
  if (kind >= NODE_KIND_BATCH_NORM) {
    nodeSlope(heap, node, n, vector);
    const all = (heap.int(job, JOB_FLAGS) & JOB_FLAG_ALL) !== 0;
    normalBackward(heap, job, node, dst, { pass, all, n, vector, add });
  } else if (!pass) return;
  else if (kind === NODE_KIND_AFFINE) affineBackward(heap, node, from, n, vector);
  else {
    const trains = kind === NODE_KIND_DROPOUT && heap.int(job, JOB_MODE) === MODE_TRAIN;
    dropoutBackward(heap, node, dst, trains, n, vector);
  }
}

/** δ = (what the consumers handed down) ∘ f′(z). */
function nodeSlope(heap: Heap, node: number, n: number, vector: boolean): void {
  const units = heap.int(node, NODE_UNITS);
  const count = vector ? units : roundUp(n, PANEL) * units;
  const delta = heap.ptr(node, NODE_DELTA_PTR);
  const a = heap.ptr(node, NODE_A_PTR);
  const z = heap.ptr(node, NODE_Z_PTR);
  applySlope(heap, heap.int(node, NODE_ACTIVATION), delta, a, z, count, heap.double(node, NODE_ALPHA));
}

/** Wᵀ·δ for inputs [begin, end) into the delta of the node below; it must come before W is updated. */
function denseDelta(
  heap: Heap,
  node: number,
  from: number,
  n: number,
  vector: boolean,
  begin: number,
  end: number,
): void {
  const nOut = heap.int(node, NODE_UNITS);
  const nIn = heap.int(node, NODE_INPUTS);
  const pitch = heap.int(node, NODE_PITCH);
  const dst = heap.ptr(from, NODE_DELTA_PTR);
  const delta = heap.ptr(node, NODE_DELTA_PTR);
  const W = heap.ptr(node, NODE_W_PTR);
  const column = begin * heap.lanes.size;
  if (vector) deltaVector(heap, dst + column, delta, W + column, nOut, end - begin, pitch);
  else {
    const relu = isDenseRelu(heap, from) ? heap.ptr(from, NODE_A_PTR) : 0;
    deltaPanels(heap, dst, delta, W, 0, nOut, nIn, pitch, roundUp(n, PANEL) / PANEL, begin, end, relu);
  }
}

/** dW and db of units [begin, end), or their descent step. */
function denseGradientPanels(
  heap: Heap,
  net: number,
  job: number,
  node: number,
  from: number,
  n: number,
  trainW: boolean,
  trainB: boolean,
  add: boolean,
  descend: boolean,
  begin: number,
  end: number,
): void {
  const nOut = heap.int(node, NODE_UNITS);
  const nIn = heap.int(node, NODE_INPUTS);
  const pitch = heap.int(node, NODE_PITCH);
  const packA = heap.ptr(net, NET_PACK_A_PTR);
  const packD = heap.ptr(net, NET_PACK_D_PTR);
  const eta = heap.double(job, JOB_LEARNING_RATE);
  if (begin === 0) {
    packDeltas(heap, packD, heap.ptr(node, NODE_DELTA_PTR), nOut, n);
    if (trainW) packActivations(heap, packA, heap.ptr(from, NODE_A_PTR), nIn, n);
  }
  if (trainW) {
    const W = heap.ptr(node, NODE_W_PTR);
    const dW = heap.ptr(node, NODE_DW_PTR);
    if (descend && !add) gradientPanelsUpdate(heap, W, eta, packD, packA, nOut, nIn, pitch, n, begin, end);
    else {
      gradientPanels(heap, dW, packD, packA, nOut, nIn, pitch, n, add, begin, end);
      for (let o = begin; descend && o < end; o++) {
        const row = o * pitch * heap.lanes.size;
        descendRow(heap, W + row, dW + row, eta, roundUp(nIn, heap.lanes.tileCols));
      }
    }
  }
  if (!trainB || end < nOut) return;
  biasGradient(heap, heap.ptr(node, NODE_DB_PTR), packD, n, add, 0, nOut);
  if (descend) descendRow(heap, heap.ptr(node, NODE_B_PTR), heap.ptr(node, NODE_DB_PTR), eta, nOut);
}

function denseGradientVector(
  heap: Heap,
  job: number,
  node: number,
  from: number,
  trainW: boolean,
  trainB: boolean,
  descend: boolean,
  begin: number,
  end: number,
): void {
  const { real, lanes } = heap;
  const nOut = heap.int(node, NODE_UNITS);
  const nIn = heap.int(node, NODE_INPUTS);
  const pitch = heap.int(node, NODE_PITCH);
  const delta = heap.ptr(node, NODE_DELTA_PTR);
  const a = heap.ptr(from, NODE_A_PTR);
  const eta = heap.double(job, JOB_LEARNING_RATE);
  if (trainW) {
    const row = begin * pitch * lanes.size;
    const unit = delta + begin * lanes.size;
    if (descend) updateVector(heap, heap.ptr(node, NODE_W_PTR) + row, unit, a, eta, end - begin, nIn, pitch);
    else gradientVector(heap, heap.ptr(node, NODE_DW_PTR) + row, unit, a, end - begin, nIn, pitch);
  }
  if (!trainB || end < nOut) return;
  const db = heap.index(heap.ptr(node, NODE_DB_PTR));
  for (let o = 0; o < nOut; o++) real[db + o] = 0 + (real[heap.index(delta) + o] as number);
  if (descend) descendRow(heap, heap.ptr(node, NODE_B_PTR), heap.ptr(node, NODE_DB_PTR), eta, nOut);
}

/** w −= rnd(η·g), elements side by side. */
function descendRow(heap: Heap, w: number, g: number, eta: number, count: number): void {
  const { real, lanes } = heap;
  const { round } = lanes;
  const rate = round(eta);
  const [to, from] = [heap.index(w), heap.index(g)];
  for (let i = 0; i < count; i++) {
    real[to + i] = round((real[to + i] as number) - round(rate * (real[from + i] as number)));
  }
}

/** ∂loss/∂a⁻ = scale ∘ delta. */
function affineBackward(heap: Heap, node: number, from: number, n: number, vector: boolean): void {
  const { real, lanes } = heap;
  const units = heap.int(node, NODE_UNITS);
  const delta = heap.index(heap.ptr(node, NODE_DELTA_PTR));
  const dst = heap.index(heap.ptr(from, NODE_DELTA_PTR));
  const scale = heap.index(heap.ptr(node, NODE_W_PTR));
  const perUnit = vector ? 1 : PANEL;
  const count = vector ? units : roundUp(n, PANEL) * units;
  for (let i = 0; i < count; i += perUnit) {
    const factor = real[scale + ((i / perUnit) % units)] as number;
    for (let s = i; s < i + perUnit; s++) real[dst + s] = lanes.round((real[delta + s] as number) * factor);
  }
}
