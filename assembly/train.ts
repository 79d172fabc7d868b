// A chunk of work: order → gather → forward → loss → backward → update, block by block, resumable between blocks.
import {
  ACTIVATION_LINEAR, JOB_BATCH, JOB_BLOCK, JOB_EPOCH, JOB_EPOCHS_LEFT, JOB_EPOCH_CORRECT, JOB_EPOCH_LOSS, JOB_INPUT_GRADIENT_PTR,
  JOB_IN_STEP, JOB_MODE, JOB_OPTIMIZER, JOB_ORDERED, JOB_ORDER_PTR, JOB_OUT_PTR, JOB_POSITION, JOB_REPORTS_CAPACITY,
  JOB_REPORTS_COUNT, JOB_REPORTS_PTR, JOB_ROWS, JOB_STEP, JOB_STEPS_LEFT, JOB_STEP_CORRECT, JOB_STEP_LOSS,
  JOB_WINDOW_BEGIN, JOB_WINDOW_END, JOB_X_PITCH, JOB_X_PTR, MODE_EVALUATE, MODE_PREDICT, MODE_TRAIN, NET_SEED_HIGH,
  NET_SEED_LOW, NODE_A_PTR, NODE_DELTA_PTR, NODE_UNITS, OPTIMIZER_SGD, ORDER_SLICE, RUN_DIVERGED, RUN_DONE, RUN_MORE,
  RUN_NEEDS_DATA, RUN_REPORTS_FULL,
} from "./abi";
import { applySlope } from "./activation";
import { backward, forward, nodeAt, outputNode } from "./backprop";
import { PANEL, SIZE, TILE_COLS, roundUp } from "./lanes";
import { finishLoss, lossBlock } from "./loss";
import { update } from "./optimizer";
import { gatherRows, rowAt, scatterRows } from "./panels";
import { makeOrder } from "./random";

/** Does at most `blocks` blocks of the job's work (a slice of the order counts as one) and says why it stopped: RUN_…. */
export function run(net: usize, job: usize, blocks: i32): i32 {
  const mode = load<i32>(job, JOB_MODE);
  for (; blocks > 0; blocks--) {
    if (mode == MODE_TRAIN && makesOrder(net, job)) continue;
    const position = load<i32>(job, JOB_POSITION), inStep = load<i32>(job, JOB_IN_STEP);
    const batch = min(load<i32>(job, JOB_BATCH), load<i32>(job, JOB_ROWS) - position);
    const n = min(load<i32>(job, JOB_BLOCK), batch - inStep);
    const first = position + inStep;
    if (first < load<i32>(job, JOB_WINDOW_BEGIN) || first + n > load<i32>(job, JOB_WINDOW_END)) return RUN_NEEDS_DATA;
    block(net, job, mode, batch, n, first);
    store<i32>(job, inStep + n, JOB_IN_STEP);
    if (inStep + n < batch) continue;
    const status = mode == MODE_TRAIN ? finishStep(net, job, batch) : finishPass(job, mode, batch);
    if (status != RUN_MORE) return status;
  }
  return RUN_MORE;
}

/** One slice of the epoch's order where it is not made yet. */
function makesOrder(net: usize, job: usize): bool {
  const order = load<usize>(job, JOB_ORDER_PTR);
  const rows = load<i32>(job, JOB_ROWS), cursor = load<i32>(job, JOB_ORDERED);
  if (!order || cursor == 2 * rows) return false;
  const epoch = <i32>(<i64>load<f64>(job, JOB_EPOCH));
  const low = load<i32>(net, NET_SEED_LOW), high = load<i32>(net, NET_SEED_HIGH);
  store<i32>(job, makeOrder(order, rows, cursor, ORDER_SLICE, low, high, epoch), JOB_ORDERED);
  return true;
}

/** Rows first … first + n − 1 of the epoch's order through the network. */
function block(net: usize, job: usize, mode: i32, batch: i32, n: i32, first: i32): void {
  const vector = n == 1 && (batch == 1 || mode >= MODE_EVALUATE);
  readRows(net, job, n, first, vector);
  forward(net, n, vector);
  const output = outputNode(net);
  const windowRow = <usize>(first - load<i32>(job, JOB_WINDOW_BEGIN));
  if (mode == MODE_PREDICT) {
    const units = load<i32>(output, NODE_UNITS);
    const out = load<usize>(job, JOB_OUT_PTR) + windowRow * <usize>(units * SIZE);
    if (vector) memory.copy(out, load<usize>(output, NODE_A_PTR), <usize>(units * SIZE));
    else scatterRows(out, load<usize>(output, NODE_A_PTR), units, n);
    return;
  }
  lossBlock(net, job, output, batch, n, vector, mode != MODE_EVALUATE);
  if (mode == MODE_EVALUATE) return;
  const inStep = load<i32>(job, JOB_IN_STEP);
  const descend = mode == MODE_TRAIN && load<i32>(job, JOB_OPTIMIZER) == OPTIMIZER_SGD && inStep + n == batch;
  backward(net, job, n, vector, inStep > 0, descend);
  const inputGradients = load<usize>(job, JOB_INPUT_GRADIENT_PTR);
  if (inputGradients) {
    const input = nodeAt(net, 0);
    const inputs = load<i32>(input, NODE_UNITS);
    const to = inputGradients + windowRow * <usize>(inputs * SIZE);
    // Node 0 has no activation: this only makes what is below normal +0, as in every other delta.
    const delta = load<usize>(input, NODE_DELTA_PTR);
    const count = vector ? roundUp(inputs, TILE_COLS) : ((n + PANEL - 1) / PANEL) * inputs * PANEL;
    applySlope(ACTIVATION_LINEAR, delta, delta, count, 0);
    if (vector) memory.copy(to, load<usize>(input, NODE_DELTA_PTR), <usize>(inputs * SIZE));
    else scatterRows(to, load<usize>(input, NODE_DELTA_PTR), inputs, n);
  }
}

/** The block's rows into node 0: panels, or one padded vector. */
function readRows(net: usize, job: usize, n: i32, first: i32, vector: bool): void {
  const input = nodeAt(net, 0);
  const a = load<usize>(input, NODE_A_PTR);
  const inputs = load<i32>(input, NODE_UNITS);
  const pitch = load<i32>(job, JOB_X_PITCH);
  const begin = load<i32>(job, JOB_WINDOW_BEGIN);
  let order = load<usize>(job, JOB_ORDER_PTR);
  const x = load<usize>(job, JOB_X_PTR) - <usize>begin * <usize>(pitch * SIZE);
  if (order) order += <usize>first << 2;
  if (!vector) return gatherRows(a, x, pitch, inputs, order, first, n);
  memory.copy(a, rowAt(x, pitch, order, first, 0), <usize>(inputs * SIZE));
  memory.fill(a + <usize>(inputs * SIZE), 0, <usize>((roundUp(inputs, TILE_COLS) - inputs) * SIZE));
}

/** Update, loss and counters after the last block of a training step. */
function finishStep(net: usize, job: usize, batch: i32): i32 {
  if (load<i32>(job, JOB_OPTIMIZER) != OPTIMIZER_SGD) update(net, job);
  const loss = finishLoss(job, batch);
  store<f64>(job, loss, JOB_STEP_LOSS);
  store<f64>(job, load<f64>(job, JOB_EPOCH_LOSS) + <f64>batch * loss, JOB_EPOCH_LOSS);
  store<f64>(job, load<f64>(job, JOB_EPOCH_CORRECT) + load<f64>(job, JOB_STEP_CORRECT), JOB_EPOCH_CORRECT);
  store<f64>(job, 0, JOB_STEP_CORRECT);
  store<f64>(job, load<f64>(job, JOB_STEP) + 1, JOB_STEP);
  store<i32>(job, 0, JOB_IN_STEP);
  const position = load<i32>(job, JOB_POSITION) + batch;
  store<i32>(job, position, JOB_POSITION);
  const stepsLeft = load<i32>(job, JOB_STEPS_LEFT) - 1;
  store<i32>(job, stepsLeft, JOB_STEPS_LEFT);
  if (position == load<i32>(job, JOB_ROWS)) finishEpoch(job, position);
  if (loss - loss != 0) return RUN_DIVERGED;
  if (stepsLeft == 0 || load<i32>(job, JOB_EPOCHS_LEFT) == 0) return RUN_DONE;
  return load<i32>(job, JOB_REPORTS_COUNT) == load<i32>(job, JOB_REPORTS_CAPACITY) ? RUN_REPORTS_FULL : RUN_MORE;
}

/** Reports the epoch and sets the job to the start of the next. */
function finishEpoch(job: usize, rows: i32): void {
  const count = load<i32>(job, JOB_REPORTS_COUNT);
  const report = load<usize>(job, JOB_REPORTS_PTR) + (<usize>count << 4);
  store<f64>(report, load<f64>(job, JOB_EPOCH_LOSS) / <f64>rows);
  store<f64>(report, load<f64>(job, JOB_EPOCH_CORRECT), 8);
  store<i32>(job, count + 1, JOB_REPORTS_COUNT);
  store<f64>(job, load<f64>(job, JOB_EPOCH) + 1, JOB_EPOCH);
  store<f64>(job, 0, JOB_EPOCH_LOSS);
  store<f64>(job, 0, JOB_EPOCH_CORRECT);
  store<i32>(job, 0, JOB_POSITION);
  store<i32>(job, 0, JOB_ORDERED);
  store<i32>(job, load<i32>(job, JOB_EPOCHS_LEFT) - 1, JOB_EPOCHS_LEFT);
}

/** The end of the one pass of the other modes. */
function finishPass(job: usize, mode: i32, rows: i32): i32 {
  if (mode != MODE_PREDICT) store<f64>(job, finishLoss(job, rows), JOB_STEP_LOSS);
  return RUN_DONE;
}
