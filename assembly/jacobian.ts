// Jacobian rows of eight samples, for Levenberg–Marquardt. A row holds ∂a_o/∂w for one output o of one sample, w the trainable
// parameters without padding: segment by segment, W row-major.
import {
  ACTIVATION_SOFTMAX, JOB_SAMPLE_WEIGHTS_PTR, JOB_WINDOW_BEGIN, JOB_Y_PTR, NET_NODE_COUNT, NET_SEGMENTS_PTR, NET_SEGMENT_COUNT,
  NODE_ACTIVATION, NODE_ALPHA, NODE_A_PTR, NODE_DELTA_PTR, NODE_FROM, NODE_INPUTS, NODE_UNITS, NODE_Z_PTR, SEGMENT_COLS,
  SEGMENT_NODE, SEGMENT_PART, SEGMENT_ROWS, SEGMENT_SIZE, SEGMENT_TRAINABLE,
} from "./abi";
import { applySlope } from "./activation";
import { backwardNode, forwardNode, nodeAt, outputNode, passesDelta } from "./backprop";
import { PANEL, SIZE, UNIT_BYTES } from "./lanes";
import { readRows } from "./train";

/** Rows first … first + n − 1 of the window forward, n ≤ 8. */
export function jacobianForward(net: usize, job: usize, first: i32, n: i32): void {
  readRows(net, job, n, first, false);
  const count = load<i32>(net, NET_NODE_COUNT);
  for (let l = 1; l < count; l++) forwardNode(net, 0, l, n, false, 0, load<i32>(nodeAt(net, l), NODE_UNITS));
}

/**
 * Output o of the samples of the last jacobianForward: rows [8 × pitch], and the errors e [8] = a_o − y_o; with sample weights both
 * times √w. Rows past n are 0.
 */
export function jacobianRows(
  net: usize, job: usize, first: i32, n: i32, o: i32, rows: usize, pitch: i32, e: usize,
): void {
  outputDelta(net, n, o);
  for (let l = load<i32>(net, NET_NODE_COUNT) - 1; l > 0; l--) {
    backwardNode(net, job, l, n, false, false, false, 0, load<i32>(nodeAt(net, l), NODE_INPUTS));
    if (!passesDelta(net, job, l)) break;
  }
  let column = 0;
  let segment = load<usize>(net, NET_SEGMENTS_PTR);
  for (let i = load<i32>(net, NET_SEGMENT_COUNT); i > 0; i--, segment += SEGMENT_SIZE) {
    if (!load<i32>(segment, SEGMENT_TRAINABLE)) continue;
    fillColumns(net, segment, n, rows + <usize>(column * SIZE), pitch);
    column += load<i32>(segment, SEGMENT_ROWS) * load<i32>(segment, SEGMENT_COLS);
  }
  const output = outputNode(net), units = load<i32>(output, NODE_UNITS);
  const a = load<usize>(output, NODE_A_PTR) + <usize>(o * UNIT_BYTES);
  const weights = load<usize>(job, JOB_SAMPLE_WEIGHTS_PTR);
  const row = first - load<i32>(job, JOB_WINDOW_BEGIN);
  for (let s = 0; s < PANEL; s++) {
    const y = load<usize>(job, JOB_Y_PTR) + <usize>((row + s) * units + o) * SIZE;
    const error: real = s < n ? load<real>(a + <usize>(s * SIZE)) - load<real>(y) : 0;
    store<real>(e + <usize>(s * SIZE), error);
    if (!weights || s >= n) continue;
    const root = <real>sqrt<f64>(load<f64>(weights + (<usize>(row + s) << 3)));
    store<real>(e + <usize>(s * SIZE), root * error);
    const at = rows + <usize>(s * pitch) * SIZE;
    for (let k = 0; k < column; k++) {
      const p = at + <usize>k * SIZE;
      store<real>(p, root * load<real>(p));
    }
  }
}

/** ∂a_o/∂z of the output node, into its delta; samples past n 0. */
function outputDelta(net: usize, n: i32, o: i32): void {
  const node = outputNode(net);
  const units = load<i32>(node, NODE_UNITS), activation = load<i32>(node, NODE_ACTIVATION);
  const a = load<usize>(node, NODE_A_PTR), z = load<usize>(node, NODE_Z_PTR), delta = load<usize>(node, NODE_DELTA_PTR);
  const alpha = <real>load<f64>(node, NODE_ALPHA);
  const softmax = activation == ACTIVATION_SOFTMAX, row = <usize>(o * UNIT_BYTES);
  for (let u = 0; u < units; u++) {
    const hit: real = u == o ? 1 : 0;
    for (let s = 0; s < PANEL; s++) {
      const at = <usize>(u * UNIT_BYTES + s * SIZE);
      let d: real = 0;
      if (s < n) d = softmax ? load<real>(a + row + <usize>(s * SIZE)) * (hit - load<real>(a + at)) : hit;
      store<real>(delta + at, d);
    }
  }
  if (!softmax) applySlope(activation, delta + row, a + row, z + row, PANEL, alpha);
}

/** ∂a_o/∂W = δ·a⁻ or ∂a_o/∂b = δ of one segment, for eight samples. */
function fillColumns(net: usize, segment: usize, n: i32, rows: usize, pitch: i32): void {
  const node = nodeAt(net, load<i32>(segment, SEGMENT_NODE));
  const delta = load<usize>(node, NODE_DELTA_PTR);
  const from = load<usize>(nodeAt(net, load<i32>(node, NODE_FROM)), NODE_A_PTR);
  const units = load<i32>(node, NODE_UNITS), inputs = load<i32>(node, NODE_INPUTS);
  const bias = load<i32>(segment, SEGMENT_PART) != 0;
  for (let s = 0; s < PANEL; s++) {
    let to = rows + <usize>(s * pitch) * SIZE;
    const lane = <usize>(s * SIZE);
    for (let u = 0; u < units; u++) {
      const d: real = s < n ? load<real>(delta + <usize>(u * UNIT_BYTES) + lane) : 0;
      if (bias) {
        store<real>(to, d);
        to += SIZE;
      } else for (let i = 0; i < inputs; i++, to += SIZE) {
        store<real>(to, s < n ? d * load<real>(from + <usize>(i * UNIT_BYTES) + lane) : 0);
      }
    }
  }
}
