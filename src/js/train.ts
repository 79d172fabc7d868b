// A chunk of work: order → gather → forward → loss → backward → update, block by block, resumable between blocks.
import {
  ACTIVATION_LINEAR,
  JOB_ADJUST,
  JOB_BATCH,
  JOB_BLOCK,
  JOB_DONE,
  JOB_EPOCH,
  JOB_EPOCH_CORRECT,
  JOB_EPOCH_LOSS,
  JOB_EPOCHS_LEFT,
  JOB_IN_STEP,
  JOB_INPUT_GRADIENT_PTR,
  JOB_LEARNING_RATE,
  JOB_MODE,
  JOB_ORDER_PTR,
  JOB_ORDERED,
  JOB_OUT_PTR,
  JOB_PHASE,
  JOB_PIECE,
  JOB_POSITION,
  JOB_RATES_BASE,
  JOB_RATES_PTR,
  JOB_REPORTS_CAPACITY,
  JOB_REPORTS_COUNT,
  JOB_REPORTS_PTR,
  JOB_ROWS,
  JOB_STEP,
  JOB_STEP_CORRECT,
  JOB_STEP_LOSS,
  JOB_STEP_PENALTY,
  JOB_STEPS_LEFT,
  JOB_WINDOW_BEGIN,
  JOB_WINDOW_END,
  JOB_X_PITCH,
  JOB_X_PTR,
  LOSS_CUSTOM,
  MODE_EVALUATE,
  MODE_PREDICT,
  MODE_TRAIN,
  NET_LOSS,
  NET_NODE_COUNT,
  NET_PARAMS_LENGTH,
  NET_SEED_HIGH,
  NET_SEED_LOW,
  NODE_A_PTR,
  NODE_DELTA_PTR,
  NODE_INPUTS,
  NODE_KIND,
  NODE_KIND_DENSE,
  NODE_UNITS,
  ORDER_SLICE,
  RUN_DIVERGED,
  RUN_DONE,
  RUN_MORE,
  RUN_NEEDS_DATA,
  RUN_NEEDS_LOSS,
  RUN_REPORTS_FULL,
} from "../core/abi.ts";
import { applySlope } from "./activation.ts";
import { adjust, penaltyOf } from "./adjust.ts";
import { backwardNode, forwardNode, nodeAt, outputNode, passesDelta } from "./backprop.ts";
import type { Heap } from "./heap.ts";
import { giveOutputs, takeGradient } from "./host-loss.ts";
import { PANEL, roundUp } from "./lanes.ts";
import { finishLoss, lossBlock } from "./loss.ts";
import { isPlain, update } from "./optimizer.ts";
import { gatherRows, rowNumber, scatterRows } from "./panels.ts";
import { makeOrder } from "./random.ts";
import { scan } from "./scan.ts";

/**
 * Does at most `blocks` blocks of the job's work and says why it stopped: RUN_…. A slice of the order counts as a block, and
 * so does each piece of a block that JOB_PIECE divides: then JOB_PHASE and JOB_DONE say how far it has come.
 */
export function run(heap: Heap, net: number, job: number, blocks: number): number {
  const mode = heap.int(job, JOB_MODE);
  for (; blocks > 0; blocks--) {
    if (mode === MODE_TRAIN) {
      if (makesOrder(heap, net, job)) continue;
      setRate(heap, job);
    }
    const position = heap.int(job, JOB_POSITION);
    const inStep = heap.int(job, JOB_IN_STEP);
    const batch = Math.min(heap.int(job, JOB_BATCH), heap.int(job, JOB_ROWS) - position);
    const n = Math.min(heap.int(job, JOB_BLOCK), batch - inStep);
    const first = position + inStep;
    if (first < heap.int(job, JOB_WINDOW_BEGIN) || first + n > heap.int(job, JOB_WINDOW_END)) return RUN_NEEDS_DATA;
    if (!block(heap, net, job, mode, batch, n, first)) {
      if (heap.int(job, JOB_DONE) === 1 && givesOutputs(heap, net, mode, heap.int(job, JOB_PHASE)))
        return RUN_NEEDS_LOSS;
      continue;
    }
    heap.setInt(job, JOB_IN_STEP, inStep + n);
    if (inStep + n < batch) continue;
    const status = mode === MODE_TRAIN ? finishStep(heap, job, batch) : finishPass(heap, net, job, mode, batch);
    if (status !== RUN_MORE) return status;
  }
  return RUN_MORE;
}

/** The rate of the step at hand, where each has its own. */
function setRate(heap: Heap, job: number): void {
  const rates = heap.ptr(job, JOB_RATES_PTR);
  if (rates === 0) return;
  const at = heap.double(job, JOB_STEP) - heap.double(job, JOB_RATES_BASE);
  heap.setDouble(job, JOB_LEARNING_RATE, heap.double(rates, 8 * at));
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

/**
 * Rows first … first + n − 1 of the epoch's order through the network, as a list of phases: 0 the rows; 1 … L forward; L + 1 the
 * loss, or the outputs; L + 2 … 2L + 1 backward; 2L + 2 the gradients' adjustment; 2L + 3 the update. Goes on where the last call stopped, stops after
 * JOB_PIECE weights, and says whether the block is done.
 */
function block(heap: Heap, net: number, job: number, mode: number, batch: number, n: number, first: number): boolean {
  const last = heap.int(net, NET_NODE_COUNT) - 1;
  const vector = n === 1 && (batch === 1 || mode >= MODE_EVALUATE);
  const inStep = heap.int(job, JOB_IN_STEP);
  const endsStep = inStep + n === batch;
  const descend = mode === MODE_TRAIN && endsStep && isPlain(heap, net, job);
  const end = endOf(mode, last, endsStep && !descend);
  let left = heap.int(job, JOB_PIECE) || Number.POSITIVE_INFINITY;
  let phase = heap.int(job, JOB_PHASE);
  let done = heap.int(job, JOB_DONE);
  while (phase < end) {
    if (left <= 0) {
      heap.setInt(job, JOB_PHASE, phase);
      heap.setInt(job, JOB_DONE, done);
      return false;
    }
    if (phase === 2 * last + 2 && heap.int(job, JOB_ADJUST) === 0) {
      phase++;
      continue;
    }
    if (givesOutputs(heap, net, mode, phase)) {
      if (done === 0) {
        giveOutputs(heap, net, outputNode(heap, net), n, vector);
        done = 1;
        left = 0;
        continue;
      }
      if (mode < MODE_EVALUATE) takeGradient(heap, net, outputNode(heap, net), batch, n, vector);
      else writeOutputs(heap, net, job, n, first, vector);
    } else if (phase === 0) readRows(heap, net, job, n, first, vector);
    else if (phase === last + 1) atOutput(heap, net, job, mode, batch, n, first, vector);
    else {
      const l = phase <= last ? phase : Math.max(0, 2 * last + 2 - phase);
      const size = phaseSize(heap, net, phase, last);
      const cost = weightsPerUnit(heap, net, l, phase > last, done);
      const to = pieceEnd(heap, net, l, phase > last, done, size, left / cost);
      if (phase <= last) forwardNode(heap, net, mode === MODE_TRAIN ? job : 0, l, n, vector, done, to);
      else if (l > 0) backwardNode(heap, net, job, l, n, vector, inStep > 0, descend, done, to);
      else if (phase === 2 * last + 2) adjust(heap, net, job, done, to);
      else update(heap, net, job, done, to);
      left -= (to - done) * cost;
      done = to;
      if (done < size) continue;
      // Nothing below is trained: the rest of the backward list has nothing to do.
      if (phase > last && l > 0 && !passesDelta(heap, net, job, l)) phase = 2 * last + 1;
    }
    phase++;
    done = 0;
  }
  heap.setInt(job, JOB_PHASE, 0);
  heap.setInt(job, JOB_DONE, 0);
  if (mode < MODE_EVALUATE) writeInputGradients(heap, net, job, n, first, vector);
  return true;
}

/** One past the last phase; `whole`: the step's gradients are complete with this block. */
function endOf(mode: number, last: number, whole: boolean): number {
  if (mode >= MODE_EVALUATE) return last + 2;
  return whole ? (mode === MODE_TRAIN ? 2 * last + 4 : 2 * last + 3) : 2 * last + 2;
}

/** Units that a phase counts: of a node forward, of what it reads and then itself backward, elements after that. */
function phaseSize(heap: Heap, net: number, phase: number, last: number): number {
  if (phase >= 2 * last + 2) return heap.int(net, NET_PARAMS_LENGTH);
  const node = nodeAt(heap, net, phase <= last ? phase : 2 * last + 2 - phase);
  const units = heap.int(node, NODE_UNITS);
  return phase <= last ? units : heap.int(node, NODE_INPUTS) + units;
}

/** Weights that unit `done` of node l's phase touches; l = 0 is what follows them. */
function weightsPerUnit(heap: Heap, net: number, l: number, isBackward: boolean, done: number): number {
  const node = nodeAt(heap, net, l);
  if (heap.int(node, NODE_KIND) !== NODE_KIND_DENSE) return 1;
  const inputs = heap.int(node, NODE_INPUTS);
  return isBackward && done < inputs ? heap.int(node, NODE_UNITS) : inputs;
}

/** Where a piece of about `units` units from `done` on ends: whole tiles, and the two parts of a backward phase apart. */
function pieceEnd(
  heap: Heap,
  net: number,
  l: number,
  isBackward: boolean,
  done: number,
  size: number,
  units: number,
): number {
  const inputs = heap.int(nodeAt(heap, net, l), NODE_INPUTS);
  const end = isBackward && l > 0 && done < inputs ? inputs : size;
  return Math.min(end, done + Math.max(8, Math.floor(units / 8) * 8));
}

/** Loss and its delta, or what the pass asks for. */
function atOutput(
  heap: Heap,
  net: number,
  job: number,
  mode: number,
  batch: number,
  n: number,
  first: number,
  vector: boolean,
): void {
  if (mode !== MODE_PREDICT) {
    lossBlock(heap, net, job, outputNode(heap, net), batch, n, vector, mode !== MODE_EVALUATE);
  }
  if (mode >= MODE_EVALUATE) writeOutputs(heap, net, job, n, first, vector);
}

function writeOutputs(heap: Heap, net: number, job: number, n: number, first: number, vector: boolean): void {
  const output = outputNode(heap, net);
  const out = heap.ptr(job, JOB_OUT_PTR);
  if (out !== 0) writeRows(heap, job, output, heap.ptr(output, NODE_A_PTR), out, n, first, vector);
}

/** Whether the phase is that of a loss which the host computes; JOB_DONE is 1 while it does. */
function givesOutputs(heap: Heap, net: number, mode: number, phase: number): boolean {
  return heap.int(net, NET_LOSS) === LOSS_CUSTOM && mode !== MODE_PREDICT && phase === heap.int(net, NET_NODE_COUNT);
}

function writeInputGradients(heap: Heap, net: number, job: number, n: number, first: number, vector: boolean): void {
  const to = heap.ptr(job, JOB_INPUT_GRADIENT_PTR);
  if (to === 0) return;
  const input = nodeAt(heap, net, 0);
  const delta = heap.ptr(input, NODE_DELTA_PTR);
  // Node 0 has no activation: this only makes what is below normal +0, as in every other delta.
  const count = (vector ? 1 : roundUp(n, PANEL)) * heap.int(input, NODE_UNITS);
  applySlope(heap, ACTIVATION_LINEAR, delta, delta, delta, count, 0);
  writeRows(heap, job, input, delta, to, n, first, vector);
}

/** The block's `values` of `node`, panels or a vector, to its rows of `out`. */
function writeRows(
  heap: Heap,
  job: number,
  node: number,
  values: number,
  out: number,
  n: number,
  first: number,
  vector: boolean,
): void {
  const units = heap.int(node, NODE_UNITS);
  const to = out + (first - heap.int(job, JOB_WINDOW_BEGIN)) * units * heap.lanes.size;
  if (vector) heap.real.copyWithin(heap.index(to), heap.index(values), heap.index(values) + units);
  else scatterRows(heap, to, values, units, n);
}

/** The block's rows into node 0: panels, or one padded vector. */
export function readRows(heap: Heap, net: number, job: number, n: number, first: number, vector: boolean): void {
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

/** Loss and counters after the last block of a training step. */
function finishStep(heap: Heap, job: number, batch: number): number {
  const loss = finishLoss(heap, job, batch) + heap.double(job, JOB_STEP_PENALTY);
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
function finishPass(heap: Heap, net: number, job: number, mode: number, rows: number): number {
  if (mode === MODE_EVALUATE && heap.int(job, JOB_ADJUST) !== 0) {
    heap.setDouble(job, JOB_STEP_PENALTY, penaltyOf(heap, net, job));
  }
  if (mode !== MODE_PREDICT) heap.setDouble(job, JOB_STEP_LOSS, finishLoss(heap, job, rows));
  return RUN_DONE;
}

/**
 * The prediction of one row that stands in node 0's activation, into the output node's. Gives −1, or the index of the first
 * input that is not finite; then nothing is computed.
 */
export function predictRow(heap: Heap, net: number): number {
  const input = nodeAt(heap, net, 0);
  const inputs = heap.int(input, NODE_UNITS);
  const a = heap.ptr(input, NODE_A_PTR);
  const bad = scan(heap, a, inputs);
  if (bad >= 0) return bad;
  const at = heap.index(a);
  heap.real.fill(0, at + inputs, at + roundUp(inputs, heap.lanes.tileCols));
  for (let l = 1; l < heap.int(net, NET_NODE_COUNT); l++) {
    forwardNode(heap, net, 0, l, 1, true, 0, heap.int(nodeAt(heap, net, l), NODE_UNITS));
  }
  return -1;
}
