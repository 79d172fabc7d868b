// A chunk of work: order → gather → forward → loss → backward → update, block by block, resumable between blocks.
import {
  ACTIVATION_LINEAR, JOB_ADJUST, JOB_BATCH, JOB_BLOCK, JOB_DONE, JOB_EPOCH, JOB_EPOCHS_LEFT, JOB_EPOCH_CORRECT, JOB_EPOCH_LOSS,
  JOB_INPUT_GRADIENT_PTR, JOB_IN_STEP, JOB_LEARNING_RATE, JOB_MODE, JOB_ORDERED, JOB_ORDER_PTR, JOB_OUT_PTR, JOB_PHASE,
  JOB_PIECE, JOB_POSITION, JOB_RATES_BASE, JOB_RATES_PTR, JOB_REPORTS_CAPACITY, JOB_REPORTS_COUNT, JOB_REPORTS_PTR, JOB_ROWS, JOB_STEP, JOB_STEPS_LEFT,
  JOB_STEP_CORRECT, JOB_STEP_LOSS, JOB_STEP_PENALTY, JOB_WINDOW_BEGIN, JOB_WINDOW_END, JOB_X_PITCH, JOB_X_PTR, LOSS_CUSTOM, MODE_EVALUATE,
  MODE_PREDICT, MODE_TRAIN, NET_LOSS, NET_NODE_COUNT, NET_PARAMS_LENGTH, NET_SEED_HIGH, NET_SEED_LOW, NODE_A_PTR, NODE_DELTA_PTR,
  NODE_DW_PTR, NODE_FLAGS, NODE_FLAG_TRAIN_W, NODE_INPUTS, NODE_KIND, NODE_KIND_DENSE, NODE_PITCH, NODE_STRIPS_PTR, NODE_UNITS, NODE_W_PTR, ORDER_SLICE, RUN_DIVERGED, RUN_DONE, RUN_MORE,
  RUN_NEEDS_DATA, RUN_NEEDS_LOSS, RUN_REPORTS_FULL,
} from "./abi";
import { applySlope } from "./activation";
import { adjust, penaltyOf } from "./adjust";
import { backwardNode, forwardNode, nodeAt, outputNode, passesDelta } from "./backprop";
import { packStrips, unpackStrips } from "./columns";
import { PANEL, SIZE, TILE_COLS, roundUp } from "./lanes";
import { giveOutputs, takeGradient } from "./host-loss";
import { lossBlock } from "./loss";
import { finishLoss } from "./loss-sum";
import { isOnline, online } from "./online";
import { isPlain, update } from "./optimizer";
import { gatherRows, rowAt, scatterRows } from "./panels";
import { makeOrder } from "./random";
import { scan } from "./scan";
import { isTwoLayers, twoLayers } from "./two-layers";

/**
 * Does at most `blocks` blocks of the job's work and says why it stopped: RUN_…. A slice of the order counts as a block, and
 * so does each piece of a block that JOB_PIECE divides: then JOB_PHASE and JOB_DONE say how far it has come.
 */
export function run(net: usize, job: usize, blocks: i32): i32 {
  const mode = load<i32>(job, JOB_MODE);
  if (isOnline(net, job)) return runOnline(net, job, blocks);
  const node = stepsWithin(job, blocks) < STRIP_STEPS ? <usize>0 : packNode(net, job);
  const status = runBlocks(net, job, mode, blocks);
  if (node) unpackNode(node);
  return status;
}

function runBlocks(net: usize, job: usize, mode: i32, blocks: i32): i32 {
  for (; blocks > 0; blocks--) {
    if (mode == MODE_TRAIN) {
      if (makesOrder(net, job)) continue;
      setRate(job);
    }
    const position = load<i32>(job, JOB_POSITION), inStep = load<i32>(job, JOB_IN_STEP);
    const batch = min(load<i32>(job, JOB_BATCH), load<i32>(job, JOB_ROWS) - position);
    const n = min(load<i32>(job, JOB_BLOCK), batch - inStep);
    const first = position + inStep;
    if (first < load<i32>(job, JOB_WINDOW_BEGIN) || first + n > load<i32>(job, JOB_WINDOW_END)) return RUN_NEEDS_DATA;
    if (!block(net, job, mode, batch, n, first)) {
      if (load<i32>(job, JOB_DONE) == 1 && givesOutputs(net, mode, load<i32>(job, JOB_PHASE))) return RUN_NEEDS_LOSS;
      continue;
    }
    store<i32>(job, inStep + n, JOB_IN_STEP);
    if (inStep + n < batch) continue;
    const status = mode == MODE_TRAIN ? finishStep(net, job, batch) : finishPass(net, job, mode, batch);
    if (status != RUN_MORE) return status;
  }
  return RUN_MORE;
}

/** Steps that pay for the transposition of a layer into strips and back. */
const STRIP_STEPS: i32 = 16;

/** Steps of batch 1 that `blocks` blocks and the job's ends leave; only a count that comes to 0 ends the job. */
function stepsWithin(job: usize, blocks: i32): i64 {
  let steps = <i64>blocks;
  const left = <i64>load<i32>(job, JOB_STEPS_LEFT), epochs = <i64>load<i32>(job, JOB_EPOCHS_LEFT);
  if (left > 0) steps = min(steps, left);
  if (epochs > 0) steps = min(steps, epochs * <i64>load<i32>(job, JOB_ROWS) - <i64>load<i32>(job, JOB_POSITION));
  return steps;
}

/** The node whose W stands in strips from here on (columns.ts), in the gradient region, which plain descent at batch 1 leaves free; or 0. */
function packNode(net: usize, job: usize): usize {
  if (load<i32>(job, JOB_MODE) != MODE_TRAIN || load<i32>(job, JOB_BATCH) != 1 || !isPlain(net, job)) return 0;
  if (load<i32>(job, JOB_PIECE) || load<i32>(job, JOB_PHASE) || load<i32>(net, NET_LOSS) == LOSS_CUSTOM) return 0;
  let l = load<i32>(net, NET_NODE_COUNT) - 1;
  while (passesDelta(net, job, l)) l--;
  const node = nodeAt(net, l);
  if (load<i32>(node, NODE_KIND) != NODE_KIND_DENSE || !(load<i32>(node, NODE_FLAGS) & NODE_FLAG_TRAIN_W)) return 0;
  const strips = load<usize>(node, NODE_DW_PTR), units = load<i32>(node, NODE_UNITS), pitch = load<i32>(node, NODE_PITCH);
  if (!packStrips(strips, load<usize>(node, NODE_W_PTR), units, load<i32>(node, NODE_INPUTS), pitch)) {
    clearGradient(node);
    return 0;
  }
  store<usize>(node, strips, NODE_STRIPS_PTR);
  return node;
}

function unpackNode(node: usize): void {
  const units = load<i32>(node, NODE_UNITS), inputs = load<i32>(node, NODE_INPUTS);
  unpackStrips(load<usize>(node, NODE_W_PTR), load<usize>(node, NODE_STRIPS_PTR), units, inputs, load<i32>(node, NODE_PITCH));
  store<usize>(node, 0, NODE_STRIPS_PTR);
  clearGradient(node);
}

/** Strips leave numbers where dW's padding has to be +0. */
function clearGradient(node: usize): void {
  memory.fill(load<usize>(node, NODE_DW_PTR), 0, <usize>(load<i32>(node, NODE_UNITS) * load<i32>(node, NODE_PITCH) * SIZE));
}

/** `run` for tiny networks, a step to a block. */
function runOnline(net: usize, job: usize, blocks: i32): i32 {
  const small = isTwoLayers(net, job);
  let apart = 1;
  while (blocks > 0) {
    if (makesOrder(net, job)) {
      blocks--;
      continue;
    }
    const position = load<i32>(job, JOB_POSITION), rows = load<i32>(job, JOB_ROWS);
    if (position < load<i32>(job, JOB_WINDOW_BEGIN) || position >= load<i32>(job, JOB_WINDOW_END)) return RUN_NEEDS_DATA;
    // As in the general path, only a count that comes to 0 ends the job.
    const left = load<i32>(job, JOB_STEPS_LEFT);
    const most = setRate(job) ? 1 : min(blocks, left > 0 ? left : blocks);
    const steps = min(most, min(rows, load<i32>(job, JOB_WINDOW_END)) - position);
    let done = 0;
    if (small) done = twoLayers(net, job, steps);
    // What it does not do is done in the general way, and where it did little before, some more: it may well come again.
    if (!done) {
      done = online(net, job, small ? min(steps, apart) : steps);
      apart = 16;
    } else if (done >= 16) apart = 1;
    blocks -= done;
    const status = afterStep(job);
    if (status != RUN_MORE) return status;
  }
  return RUN_MORE;
}

/** The rate of the step at hand, where each has its own. */
function setRate(job: usize): bool {
  const rates = load<usize>(job, JOB_RATES_PTR);
  if (!rates) return false;
  const at = <usize>(load<f64>(job, JOB_STEP) - load<f64>(job, JOB_RATES_BASE));
  store<f64>(job, load<f64>(rates + (at << 3)), JOB_LEARNING_RATE);
  return true;
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

/**
 * Rows first … first + n − 1 of the epoch's order through the network, as a list of phases: 0 the rows; 1 … L forward; L + 1 the
 * loss, or the outputs; L + 2 … 2L + 1 backward; 2L + 2 the gradients' adjustment; 2L + 3 the update. Goes on where the last call stopped, stops after
 * JOB_PIECE weights, and says whether the block is done.
 */
function block(net: usize, job: usize, mode: i32, batch: i32, n: i32, first: i32): bool {
  const last = load<i32>(net, NET_NODE_COUNT) - 1;
  const vector = n == 1 && (batch == 1 || mode >= MODE_EVALUATE);
  const endsStep = load<i32>(job, JOB_IN_STEP) + n == batch;
  const descend = mode == MODE_TRAIN && endsStep && isPlain(net, job);
  const end = endOf(mode, last, endsStep && !descend);
  const piece = load<i32>(job, JOB_PIECE);
  let left = piece ? piece : i32.MAX_VALUE;
  let phase = load<i32>(job, JOB_PHASE), done = load<i32>(job, JOB_DONE);
  while (phase < end) {
    if (left <= 0) {
      store<i32>(job, phase, JOB_PHASE);
      store<i32>(job, done, JOB_DONE);
      return false;
    }
    if (phase == 2 * last + 2 && !load<i32>(job, JOB_ADJUST)) {
      phase++;
      continue;
    }
    if (givesOutputs(net, mode, phase)) {
      if (done == 0) {
        giveOutputs(net, outputNode(net), n, vector);
        done = 1;
        left = 0;
        continue;
      }
      if (mode < MODE_EVALUATE) takeGradient(net, outputNode(net), batch, n, vector);
      else writeOutputs(net, job, n, first, vector);
    } else if (phase == 0) readRows(net, job, n, first, vector);
    else if (phase == last + 1) atOutput(net, job, mode, batch, n, first, vector);
    else {
      const size = phaseSize(net, phase, last);
      const cost = piece ? weightsPerUnit(net, phase, last, done) : 0;
      const to = piece ? pieceEnd(net, phase, last, done, size, left / cost) : size;
      if (phase <= last) forwardNode(net, mode == MODE_TRAIN ? job : 0, phase, n, vector, done, to);
      else if (phase == 2 * last + 2) adjust(net, job, done, to);
      else if (phase == 2 * last + 3) update(net, job, done, to);
      else backwardNode(net, job, 2 * last + 2 - phase, n, vector, load<i32>(job, JOB_IN_STEP) > 0, descend, done, to);
      left -= (to - done) * cost;
      done = to;
      if (done < size) continue;
      // Nothing below is trained: the rest of the backward list has nothing to do.
      if (phase > last && phase < 2 * last + 2 && !passesDelta(net, job, 2 * last + 2 - phase)) phase = 2 * last + 1;
    }
    phase++;
    done = 0;
  }
  store<i32>(job, 0, JOB_PHASE);
  store<i32>(job, 0, JOB_DONE);
  if (mode < MODE_EVALUATE && load<usize>(job, JOB_INPUT_GRADIENT_PTR)) writeInputGradients(net, job, n, first, vector);
  return true;
}

/** One past the last phase; `whole`: the step's gradients are complete with this block. */
@inline
function endOf(mode: i32, last: i32, whole: bool): i32 {
  if (mode >= MODE_EVALUATE) return last + 2;
  return whole ? (mode == MODE_TRAIN ? 2 * last + 4 : 2 * last + 3) : 2 * last + 2;
}

/** Units that a phase counts: of a node forward, of what it reads and then itself backward, elements after that. */
function phaseSize(net: usize, phase: i32, last: i32): i32 {
  if (phase >= 2 * last + 2) return load<i32>(net, NET_PARAMS_LENGTH);
  const node = nodeAt(net, phase <= last ? phase : 2 * last + 2 - phase);
  const units = load<i32>(node, NODE_UNITS);
  return phase <= last ? units : load<i32>(node, NODE_INPUTS) + units;
}

/** Weights that the phase's unit `done` touches. */
function weightsPerUnit(net: usize, phase: i32, last: i32, done: i32): i32 {
  if (phase >= 2 * last + 2) return 1;
  const node = nodeAt(net, phase <= last ? phase : 2 * last + 2 - phase);
  if (load<i32>(node, NODE_KIND) != NODE_KIND_DENSE) return 1;
  const inputs = load<i32>(node, NODE_INPUTS);
  return phase > last && done < inputs ? load<i32>(node, NODE_UNITS) : inputs;
}

/** Where a piece of about `units` units from `done` on ends: whole tiles, and the two parts of a backward phase apart. */
function pieceEnd(net: usize, phase: i32, last: i32, done: i32, size: i32, units: i32): i32 {
  let end = size;
  if (phase > last && phase < 2 * last + 2) {
    const inputs = load<i32>(nodeAt(net, 2 * last + 2 - phase), NODE_INPUTS);
    if (done < inputs) end = inputs;
  }
  return min(end - done, max(8, units & -8)) + done;
}

/** Whether the phase is that of a loss which the host computes; JOB_DONE is 1 while it does. */
@inline
function givesOutputs(net: usize, mode: i32, phase: i32): bool {
  return load<i32>(net, NET_LOSS) == LOSS_CUSTOM && mode != MODE_PREDICT && phase == load<i32>(net, NET_NODE_COUNT);
}

/** Loss and its delta, and the outputs where the pass asks for them. */
function atOutput(net: usize, job: usize, mode: i32, batch: i32, n: i32, first: i32, vector: bool): void {
  if (mode != MODE_PREDICT) lossBlock(net, job, outputNode(net), batch, n, vector, mode != MODE_EVALUATE);
  if (mode >= MODE_EVALUATE) writeOutputs(net, job, n, first, vector);
}

function writeOutputs(net: usize, job: usize, n: i32, first: i32, vector: bool): void {
  const output = outputNode(net), out = load<usize>(job, JOB_OUT_PTR);
  if (out) writeRows(job, output, load<usize>(output, NODE_A_PTR), out, n, first, vector);
}

function writeInputGradients(net: usize, job: usize, n: i32, first: i32, vector: bool): void {
  const input = nodeAt(net, 0);
  const units = load<i32>(input, NODE_UNITS), delta = load<usize>(input, NODE_DELTA_PTR);
  // Node 0 has no activation: this only makes what is below normal +0, as in every other delta.
  const count = vector ? roundUp(units, TILE_COLS) : ((n + PANEL - 1) / PANEL) * units * PANEL;
  applySlope(ACTIVATION_LINEAR, delta, delta, delta, count, 0);
  writeRows(job, input, delta, load<usize>(job, JOB_INPUT_GRADIENT_PTR), n, first, vector);
}

/** The block's `values` of `node`, panels or a vector, to its rows of `out`. */
function writeRows(
  job: usize, node: usize, values: usize, out: usize, n: i32, first: i32, vector: bool,
): void {
  const units = load<i32>(node, NODE_UNITS);
  const to = out + <usize>(first - load<i32>(job, JOB_WINDOW_BEGIN)) * <usize>(units * SIZE);
  if (vector) memory.copy(to, values, <usize>(units * SIZE));
  else scatterRows(to, values, units, n);
}

/** The block's rows into node 0: panels, or one padded vector. */
export function readRows(net: usize, job: usize, n: i32, first: i32, vector: bool): void {
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

/** Loss and counters after the last block of a training step. */
function finishStep(net: usize, job: usize, batch: i32): i32 {
  const loss = finishLoss(job, batch) + load<f64>(job, JOB_STEP_PENALTY);
  store<f64>(job, loss, JOB_STEP_LOSS);
  store<f64>(job, load<f64>(job, JOB_EPOCH_LOSS) + <f64>batch * loss, JOB_EPOCH_LOSS);
  store<f64>(job, load<f64>(job, JOB_EPOCH_CORRECT) + load<f64>(job, JOB_STEP_CORRECT), JOB_EPOCH_CORRECT);
  store<f64>(job, 0, JOB_STEP_CORRECT);
  store<f64>(job, load<f64>(job, JOB_STEP) + 1, JOB_STEP);
  store<i32>(job, 0, JOB_IN_STEP);
  store<i32>(job, load<i32>(job, JOB_POSITION) + batch, JOB_POSITION);
  store<i32>(job, load<i32>(job, JOB_STEPS_LEFT) - 1, JOB_STEPS_LEFT);
  return afterStep(job);
}

/** Ends the epoch where its last step is done, and says whether the job goes on. */
function afterStep(job: usize): i32 {
  const position = load<i32>(job, JOB_POSITION);
  if (position == load<i32>(job, JOB_ROWS)) finishEpoch(job, position);
  const loss = load<f64>(job, JOB_STEP_LOSS);
  if (loss - loss != 0) return RUN_DIVERGED;
  if (load<i32>(job, JOB_STEPS_LEFT) == 0 || load<i32>(job, JOB_EPOCHS_LEFT) == 0) return RUN_DONE;
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
function finishPass(net: usize, job: usize, mode: i32, rows: i32): i32 {
  if (mode == MODE_EVALUATE && load<i32>(job, JOB_ADJUST)) store<f64>(job, penaltyOf(net, job), JOB_STEP_PENALTY);
  if (mode != MODE_PREDICT) store<f64>(job, finishLoss(job, rows), JOB_STEP_LOSS);
  return RUN_DONE;
}

/**
 * The prediction of one row that stands in node 0's activation, into the output node's. Gives −1, or the index of the first
 * input that is not finite; then nothing is computed.
 */
export function predictRow(net: usize): i32 {
  const input = nodeAt(net, 0);
  const inputs = load<i32>(input, NODE_UNITS), a = load<usize>(input, NODE_A_PTR);
  const bad = scan(a, inputs);
  if (bad >= 0) return bad;
  memory.fill(a + <usize>(inputs * SIZE), 0, <usize>((roundUp(inputs, TILE_COLS) - inputs) * SIZE));
  const count = load<i32>(net, NET_NODE_COUNT);
  for (let l = 1; l < count; l++) forwardNode(net, 0, l, 1, true, 0, load<i32>(nodeAt(net, l), NODE_UNITS));
  return -1;
}
