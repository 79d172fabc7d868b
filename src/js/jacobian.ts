// Jacobian rows of eight samples, for Levenberg–Marquardt. A row holds ∂a_o/∂w for one output o of one sample, w the trainable
// parameters without padding: segment by segment, W row-major.
import {
  ACTIVATION_SOFTMAX,
  JOB_SAMPLE_WEIGHTS_PTR,
  JOB_WINDOW_BEGIN,
  JOB_Y_PTR,
  NET_NODE_COUNT,
  NET_SEGMENT_COUNT,
  NET_SEGMENTS_PTR,
  NODE_A_PTR,
  NODE_ACTIVATION,
  NODE_ALPHA,
  NODE_DELTA_PTR,
  NODE_FROM,
  NODE_INPUTS,
  NODE_UNITS,
  NODE_Z_PTR,
  SEGMENT_COLS,
  SEGMENT_NODE,
  SEGMENT_PART,
  SEGMENT_ROWS,
  SEGMENT_SIZE,
  SEGMENT_TRAINABLE,
} from "../core/abi.ts";
import { slope } from "./activation.ts";
import { backwardNode, forwardNode, nodeAt, outputNode, passesDelta } from "./backprop.ts";
import type { Heap } from "./heap.ts";
import { PANEL } from "./lanes.ts";
import { readRows } from "./train.ts";

/** Rows first … first + n − 1 of the window forward, n ≤ 8. */
export function jacobianForward(heap: Heap, net: number, job: number, first: number, n: number): void {
  readRows(heap, net, job, n, first, false);
  for (let l = 1; l < heap.int(net, NET_NODE_COUNT); l++) {
    forwardNode(heap, net, 0, l, n, false, 0, heap.int(nodeAt(heap, net, l), NODE_UNITS));
  }
}

/**
 * Output o of the samples of the last jacobianForward: rows [8 × pitch], and the errors e [8] = a_o − y_o; with sample weights both
 * times √w. Rows past n are 0.
 */
export function jacobianRows(
  heap: Heap,
  net: number,
  job: number,
  first: number,
  n: number,
  o: number,
  rows: number,
  pitch: number,
  e: number,
): void {
  const { real, lanes, f64 } = heap;
  outputDelta(heap, net, n, o);
  for (let l = heap.int(net, NET_NODE_COUNT) - 1; l > 0; l--) {
    backwardNode(heap, net, job, l, n, false, false, false, 0, heap.int(nodeAt(heap, net, l), NODE_INPUTS));
    if (!passesDelta(heap, net, job, l)) break;
  }
  let column = 0;
  for (let i = 0; i < heap.int(net, NET_SEGMENT_COUNT); i++) {
    const segment = heap.ptr(net, NET_SEGMENTS_PTR) + i * SEGMENT_SIZE;
    if (heap.int(segment, SEGMENT_TRAINABLE) === 0) continue;
    fillColumns(heap, net, segment, n, heap.index(rows) + column, pitch);
    column += heap.int(segment, SEGMENT_ROWS) * heap.int(segment, SEGMENT_COLS);
  }
  const output = outputNode(heap, net);
  const units = heap.int(output, NODE_UNITS);
  const a = heap.index(heap.ptr(output, NODE_A_PTR)) + o * PANEL;
  const y = heap.index(heap.ptr(job, JOB_Y_PTR)) + o;
  const weights = heap.ptr(job, JOB_SAMPLE_WEIGHTS_PTR);
  const row = first - heap.int(job, JOB_WINDOW_BEGIN);
  for (let s = 0; s < PANEL; s++) {
    const error = s < n ? lanes.round((real[a + s] as number) - (real[y + (row + s) * units] as number)) : 0;
    real[heap.index(e) + s] = error;
    if (weights === 0 || s >= n) continue;
    const root = lanes.round(Math.sqrt(f64[(weights >>> 3) + row + s] as number));
    real[heap.index(e) + s] = lanes.round(root * error);
    const at = heap.index(rows) + s * pitch;
    for (let k = at; k < at + column; k++) real[k] = lanes.round(root * (real[k] as number));
  }
}

/** ∂a_o/∂z of the output node, into its delta; samples past n 0. */
function outputDelta(heap: Heap, net: number, n: number, o: number): void {
  const { real, lanes } = heap;
  const node = outputNode(heap, net);
  const activation = heap.int(node, NODE_ACTIVATION);
  const alpha = lanes.round(heap.double(node, NODE_ALPHA));
  const a = heap.index(heap.ptr(node, NODE_A_PTR));
  const z = heap.index(heap.ptr(node, NODE_Z_PTR));
  const delta = heap.index(heap.ptr(node, NODE_DELTA_PTR));
  for (let u = 0; u < heap.int(node, NODE_UNITS); u++) {
    for (let s = 0; s < PANEL; s++) {
      const at = u * PANEL + s;
      const value = real[a + at] as number;
      let d = 0;
      if (s < n && activation === ACTIVATION_SOFTMAX) {
        d = lanes.round((real[a + o * PANEL + s] as number) * lanes.round((u === o ? 1 : 0) - value));
      } else if (s < n && u === o) d = lanes.flush(slope(lanes, activation, 1, value, real[z + at] as number, alpha));
      real[delta + at] = d;
    }
  }
}

/** ∂a_o/∂W = δ·a⁻ or ∂a_o/∂b = δ of one segment, for eight samples; `rows`: an index. */
function fillColumns(heap: Heap, net: number, segment: number, n: number, rows: number, pitch: number): void {
  const { real, lanes } = heap;
  const node = nodeAt(heap, net, heap.int(segment, SEGMENT_NODE));
  const delta = heap.index(heap.ptr(node, NODE_DELTA_PTR));
  const from = heap.index(heap.ptr(nodeAt(heap, net, heap.int(node, NODE_FROM)), NODE_A_PTR));
  const units = heap.int(node, NODE_UNITS);
  const inputs = heap.int(node, NODE_INPUTS);
  const bias = heap.int(segment, SEGMENT_PART) !== 0;
  for (let s = 0; s < PANEL; s++) {
    let to = rows + s * pitch;
    for (let u = 0; u < units; u++) {
      const d = s < n ? (real[delta + u * PANEL + s] as number) : 0;
      if (bias) real[to++] = d;
      else {
        for (let i = 0; i < inputs; i++) {
          real[to++] = s < n ? lanes.round(d * (real[from + i * PANEL + s] as number)) : 0;
        }
      }
    }
  }
}
