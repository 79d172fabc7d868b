// A network that only predicts, as a binary of its own: no imports, its own memory, buffers for rows in and out. What
// src/predict/place.ts writes into the memory from NET_ADDRESS on is a network as any other (abi.ts); a file carries it as data segments.
import {
  ACTIVATION_SOFTMAX, NET_ADDRESS, NET_BLOCK_CAPACITY, NET_INPUT_PTR, NET_LOSS_SCRATCH_PTR, NET_NODE_COUNT,
  NET_OUTPUT_PTR, NET_ROW_CAPACITY, NET_TARGET_SCALE_PTR, NET_TARGET_SHIFT_PTR, NODE_ACTIVATION, NODE_ALPHA, NODE_A_PTR,
  NODE_B_PTR, NODE_FROM, NODE_INPUTS, NODE_KIND, NODE_KIND_AFFINE, NODE_KIND_DENSE, NODE_PITCH,
  NODE_UNITS, NODE_W_PTR, NODE_Z_PTR,
} from "./abi";
import { activate, softmaxPanels } from "./activation";
import { affineForward, nodeAt, outputNode } from "./backprop";
import { forwardPanels } from "./gemm";
import { PANEL, SIZE, UNIT_BYTES } from "./lanes";
import { normalForward } from "./normalization";
import { gatherRows, scatterRows } from "./panels";
import { scan } from "./scan";

const NET: usize = NET_ADDRESS;

/** Bytes of a value: 4 for float32, 8 for float64. */
export function bytesPerValue(): i32 {
  return SIZE;
}

export function inputs(): i32 {
  return load<i32>(nodeAt(NET, 0), NODE_UNITS);
}

export function outputs(): i32 {
  return load<i32>(outputNode(NET), NODE_UNITS);
}

/** Rows that the buffers hold. */
export function rowCapacity(): i32 {
  return load<i32>(NET, NET_ROW_CAPACITY);
}

/** [rowCapacity × inputs], row-major. */
export function inputAddress(): usize {
  return load<usize>(NET, NET_INPUT_PTR);
}

/** [rowCapacity × outputs], row-major. */
export function outputAddress(): usize {
  return load<usize>(NET, NET_OUTPUT_PTR);
}

/**
 * The first `rows` rows of the input buffer through the network, to the output buffer. Gives 0; −1 for a number of rows that is not
 * 0 … rowCapacity; or 1 + the index of the first input that is not finite. Then the output buffer is as before.
 */
export function predict(rows: i32): i32 {
  if (<u32>rows > <u32>rowCapacity()) return -1;
  const nIn = inputs(), nOut = outputs(), from = inputAddress(), to = outputAddress();
  const bad = scan(from, rows * nIn);
  if (bad >= 0) return bad + 1;
  const last = load<i32>(NET, NET_NODE_COUNT) - 1, block = load<i32>(NET, NET_BLOCK_CAPACITY);
  const first = load<usize>(nodeAt(NET, 0), NODE_A_PTR), result = load<usize>(outputNode(NET), NODE_A_PTR);
  for (let row = 0; row < rows; row += block) {
    const n = min(block, rows - row);
    gatherRows(first, from, nIn, nIn, 0, row, n);
    for (let l = 1; l <= last; l++) forward(nodeAt(NET, l), n);
    scatterRows(to + <usize>(row * nOut * SIZE), result, nOut, n);
  }
  unscale(to, rows, nOut);
  return 0;
}

/**
 * One node for n samples in panels, as `forwardNode` of backprop.ts where nothing is trained; lanes past n hold numbers nobody
 * reads. Dropout and noise, which do nothing then, are no nodes here.
 */
function forward(node: usize, n: i32): void {
  const aFrom = load<usize>(nodeAt(NET, load<i32>(node, NODE_FROM)), NODE_A_PTR);
  const kind = load<i32>(node, NODE_KIND);
  if (kind == NODE_KIND_DENSE) denseForward(node, aFrom, n);
  else if (kind == NODE_KIND_AFFINE) affineForward(node, aFrom, n, false);
  else normalForward(0, node, aFrom, n, false);
}

function denseForward(node: usize, aFrom: usize, n: i32): void {
  const nOut = load<i32>(node, NODE_UNITS), nIn = load<i32>(node, NODE_INPUTS), panels = (n + PANEL - 1) / PANEL;
  const a = load<usize>(node, NODE_A_PTR), z = load<usize>(node, NODE_Z_PTR);
  const W = load<usize>(node, NODE_W_PTR), b = load<usize>(node, NODE_B_PTR);
  const activation = load<i32>(node, NODE_ACTIVATION);
  forwardPanels(z, aFrom, W, b, nOut, nIn, load<i32>(node, NODE_PITCH), panels, 0, nOut, false);
  if (activation == ACTIVATION_SOFTMAX) {
    const max = load<usize>(NET, NET_LOSS_SCRATCH_PTR);
    softmaxPanels(a, z, max, max + <usize>(panels * UNIT_BYTES), nOut, panels);
  } else activate(activation, a, z, panels * nOut * PANEL, <real>load<f64>(node, NODE_ALPHA));
}

/** y = scale·a + shift in f64, rounded once, as the library's own predictions. */
function unscale(out: usize, rows: i32, nOut: i32): void {
  const scale = load<usize>(NET, NET_TARGET_SCALE_PTR), shift = load<usize>(NET, NET_TARGET_SHIFT_PTR);
  if (!scale) return;
  for (let row = 0; row < rows; row++) {
    for (let o = 0; o < nOut; o++, out += SIZE) {
      const at = <usize>(o << 3);
      store<real>(out, <real>(<f64>load<real>(out) * load<f64>(scale + at) + load<f64>(shift + at)));
    }
  }
}
