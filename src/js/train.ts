// A chunk of work: order → gather → forward → loss → backward → update, block by block, resumable between blocks.
import {
  ACTIVATION_LINEAR,
  JOB_BATCH,
  JOB_BLOCK,
  JOB_EPOCH,
  JOB_EPOCH_CORRECT,
  JOB_EPOCH_LOSS,
  JOB_EPOCHS_LEFT,
  JOB_IN_STEP,
  JOB_INPUT_GRADIENT_PTR,
  JOB_MODE,
  JOB_OPTIMIZER,
  JOB_ORDER_PTR,
  JOB_ORDERED,
  JOB_OUT_PTR,
  JOB_POSITION,
  JOB_REPORTS_CAPACITY,
  JOB_REPORTS_COUNT,
  JOB_REPORTS_PTR,
  JOB_ROWS,
  JOB_STEP,
  JOB_STEP_CORRECT,
  JOB_STEP_LOSS,
  JOB_STEPS_LEFT,
  JOB_WINDOW_BEGIN,
  JOB_WINDOW_END,
  JOB_X_PITCH,
  JOB_X_PTR,
  MODE_EVALUATE,
  MODE_PREDICT,
  MODE_TRAIN,
  NET_SEED_HIGH,
  NET_SEED_LOW,
  NODE_A_PTR,
  NODE_DELTA_PTR,
  NODE_UNITS,
  OPTIMIZER_SGD,
  ORDER_SLICE,
  RUN_DIVERGED,
  RUN_DONE,
  RUN_MORE,
  RUN_NEEDS_DATA,
  RUN_REPORTS_FULL,
} from "../core/abi.ts";
import { applySlope } from "./activation.ts";
import { backward, forward, nodeAt, outputNode } from "./backprop.ts";
import type { Heap } from "./heap.ts";
import { PANEL, roundUp } from "./lanes.ts";
import { finishLoss, lossBlock } from "./loss.ts";
import { update } from "./optimizer.ts";
import { gatherRows, rowNumber, scatterRows } from "./panels.ts";
import { makeOrder } from "./random.ts";

/** Does at most `blocks` blocks of the job's work (a slice of the order counts as one) and says why it stopped: RUN_…. */
export function run(heap: Heap, net: number, job: number, blocks: number): number {
  const mode = heap.int(job, JOB_MODE);
  for (; blocks > 0; blocks--) {
    if (mode === MODE_TRAIN && makesOrder(heap, net, job)) continue;
    const position = heap.int(job, JOB_POSITION);
    const inStep = heap.int(job, JOB_IN_STEP);
    const batch = Math.min(heap.int(job, JOB_BATCH), heap.int(job, JOB_ROWS) - position);
    const n = Math.min(heap.int(job, JOB_BLOCK), batch - inStep);
    const first = position + inStep;
    if (first < heap.int(job, JOB_WINDOW_BEGIN) || first + n > heap.int(job, JOB_WINDOW_END)) return RUN_NEEDS_DATA;
    block(heap, net, job, mode, batch, n, first);
    heap.setInt(job, JOB_IN_STEP, inStep + n);
    if (inStep + n < batch) continue;
    const status = mode === MODE_TRAIN ? finishStep(heap, net, job, batch) : finishPass(heap, job, mode, batch);
    if (status !== RUN_MORE) return status;
  }
  return RUN_MORE;
}

/** One slice of the epoch's order where it is not made yet. */
function makesOrder(heap: Heap, net: number, job: number): boolean {
  const order = heap.ptr(job, JOB_ORDER_PTR);
  const rows = heap.int(job, JOB_ROWS);
  const cursor = heap.int(job, JOB_ORDERED);
  if (order === 0 || cursor === 2 * rows) return false;
  const low = heap.int(net, NET_SEED_LOW);
  const high = heap.int(net, NET_SEED_HIGH);
  const entries = heap.i32.subarray(order >>> 2, (order >>> 2) + rows);
  const made = makeOrder(entries, rows, cursor, ORDER_SLICE, low, high, heap.double(job, JOB_EPOCH));
  heap.setInt(job, JOB_ORDERED, made);
  return true;
}

/** Rows first … first + n − 1 of the epoch's order through the network. */
function block(heap: Heap, net: number, job: number, mode: number, batch: number, n: number, first: number): void {
  const vector = n === 1 && (batch === 1 || mode >= MODE_EVALUATE);
  readRows(heap, net, job, n, first, vector);
  forward(heap, net, n, vector);
  const output = outputNode(heap, net);
  const windowRow = first - heap.int(job, JOB_WINDOW_BEGIN);
  if (mode === MODE_PREDICT) {
    writeRows(heap, heap.ptr(job, JOB_OUT_PTR), windowRow, output, heap.ptr(output, NODE_A_PTR), n, vector);
    return;
  }
  lossBlock(heap, net, job, output, batch, n, vector, mode !== MODE_EVALUATE);
  if (mode === MODE_EVALUATE) return;
  const inStep = heap.int(job, JOB_IN_STEP);
  const descend = mode === MODE_TRAIN && heap.int(job, JOB_OPTIMIZER) === OPTIMIZER_SGD && inStep + n === batch;
  backward(heap, net, job, n, vector, inStep > 0, descend);
  const inputGradients = heap.ptr(job, JOB_INPUT_GRADIENT_PTR);
  const input = nodeAt(heap, net, 0);
  if (!inputGradients) return;
  // Node 0 has no activation: this only makes what is below normal +0, as in every other delta.
  const delta = heap.ptr(input, NODE_DELTA_PTR);
  const count = (vector ? 1 : Math.ceil(n / PANEL) * PANEL) * heap.int(input, NODE_UNITS);
  applySlope(heap, ACTIVATION_LINEAR, delta, delta, count, 0);
  writeRows(heap, inputGradients, windowRow, input, heap.ptr(input, NODE_DELTA_PTR), n, vector);
}

/** The block's rows into node 0: panels, or one padded vector. */
function readRows(heap: Heap, net: number, job: number, n: number, first: number, vector: boolean): void {
  const { real, lanes } = heap;
  const input = nodeAt(heap, net, 0);
  const a = heap.ptr(input, NODE_A_PTR);
  const inputs = heap.int(input, NODE_UNITS);
  const pitch = heap.int(job, JOB_X_PITCH);
  const x = heap.ptr(job, JOB_X_PTR) - heap.int(job, JOB_WINDOW_BEGIN) * pitch * lanes.size;
  const made = heap.ptr(job, JOB_ORDER_PTR);
  const order = made ? made + 4 * first : 0;
  if (!vector) {
    gatherRows(heap, a, x, pitch, inputs, order, first, n);
    return;
  }
  const from = heap.index(x + rowNumber(heap, order, first, 0) * pitch * lanes.size);
  const to = heap.index(a);
  real.copyWithin(to, from, from + inputs);
  real.fill(0, to + inputs, to + roundUp(inputs, lanes.tileCols));
}

/** The block's values of `node` to rows `windowRow` … of `out`. */
function writeRows(
  heap: Heap,
  out: number,
  windowRow: number,
  node: number,
  panels: number,
  n: number,
  vector: boolean,
): void {
  const units = heap.int(node, NODE_UNITS);
  const to = out + windowRow * units * heap.lanes.size;
  if (vector) heap.real.copyWithin(heap.index(to), heap.index(panels), heap.index(panels) + units);
  else scatterRows(heap, to, panels, units, n);
}

/** Update, loss and counters after the last block of a training step. */
function finishStep(heap: Heap, net: number, job: number, batch: number): number {
  if (heap.int(job, JOB_OPTIMIZER) !== OPTIMIZER_SGD) update(heap, net, job);
  const loss = finishLoss(heap, job, batch);
  heap.setDouble(job, JOB_STEP_LOSS, loss);
  heap.setDouble(job, JOB_EPOCH_LOSS, heap.double(job, JOB_EPOCH_LOSS) + batch * loss);
  heap.setDouble(job, JOB_EPOCH_CORRECT, heap.double(job, JOB_EPOCH_CORRECT) + heap.double(job, JOB_STEP_CORRECT));
  heap.setDouble(job, JOB_STEP_CORRECT, 0);
  heap.setDouble(job, JOB_STEP, heap.double(job, JOB_STEP) + 1);
  heap.setInt(job, JOB_IN_STEP, 0);
  const position = heap.int(job, JOB_POSITION) + batch;
  heap.setInt(job, JOB_POSITION, position);
  const stepsLeft = heap.int(job, JOB_STEPS_LEFT) - 1;
  heap.setInt(job, JOB_STEPS_LEFT, stepsLeft);
  if (position === heap.int(job, JOB_ROWS)) finishEpoch(heap, job, position);
  if (loss - loss !== 0) return RUN_DIVERGED;
  if (stepsLeft === 0 || heap.int(job, JOB_EPOCHS_LEFT) === 0) return RUN_DONE;
  return heap.int(job, JOB_REPORTS_COUNT) === heap.int(job, JOB_REPORTS_CAPACITY) ? RUN_REPORTS_FULL : RUN_MORE;
}

/** Reports the epoch and sets the job to the start of the next. */
function finishEpoch(heap: Heap, job: number, rows: number): void {
  const count = heap.int(job, JOB_REPORTS_COUNT);
  const report = heap.ptr(job, JOB_REPORTS_PTR) + 16 * count;
  heap.setDouble(report, 0, heap.double(job, JOB_EPOCH_LOSS) / rows);
  heap.setDouble(report, 8, heap.double(job, JOB_EPOCH_CORRECT));
  heap.setInt(job, JOB_REPORTS_COUNT, count + 1);
  heap.setDouble(job, JOB_EPOCH, heap.double(job, JOB_EPOCH) + 1);
  heap.setDouble(job, JOB_EPOCH_LOSS, 0);
  heap.setDouble(job, JOB_EPOCH_CORRECT, 0);
  heap.setInt(job, JOB_POSITION, 0);
  heap.setInt(job, JOB_ORDERED, 0);
  heap.setInt(job, JOB_EPOCHS_LEFT, heap.int(job, JOB_EPOCHS_LEFT) - 1);
}

/** The end of the one pass of the other modes. */
function finishPass(heap: Heap, job: number, mode: number, rows: number): number {
  if (mode !== MODE_PREDICT) heap.setDouble(job, JOB_STEP_LOSS, finishLoss(heap, job, rows));
  return RUN_DONE;
}
