// One pass over rows that are staged window by window: predict, evaluate, gradients, and a single step.
import * as abi from "../core/abi.ts";
import type { RowSource } from "../data/rows.ts";
import { scaleTargets } from "../data/scaling.ts";
import { checkTargets, nonFiniteError, type TargetSource } from "../data/targets.ts";
import type { Reals } from "../memory.ts";
import type { Model } from "../model.ts";
import { lossName } from "../options/loss.ts";
import { hasPenalty } from "../options/spec.ts";
import type { Region } from "../plan.ts";
import { runJob } from "./host-loss.ts";
import { Job, RUN } from "./job.ts";

const ALL = 2 ** 31 - 1;

export interface PassResult {
  /** Mean over the rows of the data term; of MODE_TRAIN: the objective, penalty included. */
  readonly loss: number;
  /** Of the parameters before the pass; 0 for predictions. */
  readonly penalty: number;
  readonly correct: number;
}

/** Whether `correct` counts classes: softmax or one sigmoid unit under its cross-entropy. */
export function countsClasses(model: Model): boolean {
  const loss = lossName(model.spec.loss);
  return loss === "crossEntropy" || (loss === "binaryCrossEntropy" && model.memory.plan.outputs === 1);
}

/** Copies rows [first, last) of x into the staging region and checks that they are finite. */
function stageRows(model: Model, source: RowSource, name: string, first: number, last: number, at: "x" | "y"): void {
  const { memory } = model;
  const region = at === "x" ? memory.plan.stagingX : memory.plan.stagingY;
  const count = (last - first) * source.cols;
  source.copyTo(memory.reals({ offset: region.offset, bytes: count * memory.plan.size }), first, last);
  const bad = model.core.exports.scan(region.offset, count);
  if (bad < 0) return;
  const index = first * source.cols + bad;
  throw nonFiniteError(
    name,
    index,
    source.cols,
    source.valueAt(first + Math.floor(bad / source.cols), bad % source.cols),
  );
}

function stageTargets(model: Model, y: TargetSource, name: string, first: number, last: number): void {
  const { memory, spec, targetDtype } = model;
  const { stagingY } = memory.plan;
  if (y.kind === "class") {
    y.copyTo(memory.ints({ offset: stagingY.offset, bytes: (last - first) * 4 }), first, last);
    return;
  }
  stageRows(model, y.source, name, first, last, "y");
  const { cols } = y.source;
  const values = memory.reals({ offset: stagingY.offset, bytes: (last - first) * cols * memory.plan.size });
  checkTargets(values, last - first, cols, lossName(spec.loss), targetDtype, name, first);
  if (spec.targetScaling !== undefined) scaleTargets(values, spec.targetScaling);
}

/** The first `rows` targets of a region. */
export function targetRows(model: Model, at: Region, rows: number, classes: boolean): Reals | Int32Array {
  const { memory } = model;
  const { outputs, size } = memory.plan;
  const { offset } = at;
  return classes ? memory.ints({ offset, bytes: 4 * rows }) : memory.reals({ offset, bytes: rows * outputs * size });
}

/** Passes x (and y) through the network in `mode`; `onWindow` sees each finished window's results while they stand. */
export function runPass(
  model: Model,
  mode: number,
  x: RowSource,
  y: TargetSource | undefined,
  options: {
    readonly all?: boolean;
    readonly inputGradients?: boolean;
    /** Whether `onWindow` of an evaluation gets the outputs. */
    readonly outputs?: boolean;
    /** Of all rows of x, mean 1. */
    readonly weights?: Float64Array | undefined;
    readonly prepare?: (job: Job) => void;
    /** `targets` as the network learns them: rows, or class indices. */
    readonly onWindow?: (first: number, last: number, out: Reals, targets: Reals | Int32Array) => void;
  } = {},
): PassResult {
  const { memory } = model;
  const { plan } = memory;
  const job = new Job(memory, plan.passJob);
  job.clear();
  const record = memory.record(job.region);
  const set = (field: number, value: number) => record.setInt32(field, value, true);
  set(abi.JOB_MODE, mode);
  set(abi.JOB_X_PTR, plan.stagingX.offset);
  set(abi.JOB_X_PITCH, plan.inputs);
  set(abi.JOB_Y_PTR, plan.stagingY.offset);
  set(abi.JOB_TARGET_KIND, y?.kind === "class" ? abi.TARGET_CLASS : abi.TARGET_DENSE);
  set(abi.JOB_ROWS, x.rows);
  set(abi.JOB_BATCH, x.rows);
  const block = mode === abi.MODE_TRAIN ? plan.demand.blockSamples : model.passBlock;
  set(abi.JOB_BLOCK, block);
  set(abi.JOB_EPOCHS_LEFT, 1);
  set(abi.JOB_STEPS_LEFT, 1);
  set(abi.JOB_OUT_PTR, mode === abi.MODE_PREDICT || options.outputs ? plan.stagingOut.offset : 0);
  set(abi.JOB_INPUT_GRADIENT_PTR, options.inputGradients ? plan.stagingOut.offset : 0);
  set(abi.JOB_REPORTS_PTR, plan.reports.offset);
  set(abi.JOB_REPORTS_CAPACITY, 1);
  set(abi.JOB_FLAGS, (options.all ? abi.JOB_FLAG_ALL : 0) | (countsClasses(model) ? abi.JOB_FLAG_COUNT : 0));
  const { weights } = options;
  if (weights !== undefined) set(abi.JOB_SAMPLE_WEIGHTS_PTR, plan.stagingWeights.offset);
  job.setAdjustment(mode !== abi.MODE_PREDICT && hasPenalty(model.spec));
  options.prepare?.(job);
  const width = options.inputGradients ? plan.inputs : plan.outputs;
  const windowRows = Math.floor(plan.stagingRows / block) * block;
  for (let first = 0; first < x.rows; first += windowRows) {
    const last = Math.min(first + windowRows, x.rows);
    stageRows(model, x, "x", first, last, "x");
    if (y !== undefined) stageTargets(model, y, "y", first, last);
    if (weights !== undefined) {
      memory.doubles(plan.stagingWeights.offset, last - first).set(weights.subarray(first, last));
    }
    set(abi.JOB_WINDOW_BEGIN, first);
    set(abi.JOB_WINDOW_END, last);
    const status = runJob(model, job, ALL);
    if (status !== (last < x.rows ? RUN.needsData : RUN.done) && status !== RUN.diverged) {
      throw new Error(`the core ended a pass with status ${status}`);
    }
    const { offset } = plan.stagingOut;
    const out = memory.reals({ offset, bytes: (last - first) * width * plan.size });
    options.onWindow?.(first, last, out, targetRows(model, plan.stagingY, last - first, y?.kind === "class"));
  }
  const correctField = mode === abi.MODE_TRAIN ? abi.JOB_EPOCH_CORRECT : abi.JOB_STEP_CORRECT;
  const penalty = job.double(abi.JOB_STEP_PENALTY);
  return { loss: job.double(abi.JOB_STEP_LOSS), penalty, correct: job.double(correctField) };
}
