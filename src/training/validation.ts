// Rows of the window through the network, in pieces: the held-back ones after every epoch, or those that were trained on for their metrics.
import * as abi from "../core/abi.ts";
import { Collection } from "../metrics/collect.ts";
import type { Model } from "../model.ts";
import type { MetricValues } from "../options/metrics.ts";
import type { Evaluation } from "../options/results.ts";
import { hasPenalty } from "../options/spec.ts";
import type { Driver } from "./driver.ts";
import { Job, RUN } from "./job.ts";
import { countsClasses, targetRows } from "./passes.ts";
import type { Staged } from "./stage.ts";

/** Loss, penalty and metrics of the held-back rows. Yields wherever the host may look at its event loop. */
export function* validate(model: Model, staged: Staged, driver: Driver): Generator<undefined, Evaluation, void> {
  const { job, metrics } = yield* pass(model, staged, driver, { first: staged.rows, rows: staged.validationRows });
  const loss = job.double(abi.JOB_STEP_LOSS);
  const accuracy = job.double(abi.JOB_STEP_CORRECT) / staged.validationRows;
  const penalty = job.double(abi.JOB_STEP_PENALTY);
  return Object.freeze(countsClasses(model) ? { loss, penalty, ...metrics, accuracy } : { loss, penalty, ...metrics });
}

/** Metrics of the rows that are trained on. */
export function* measure(model: Model, staged: Staged, driver: Driver): Generator<undefined, MetricValues, void> {
  return (yield* pass(model, staged, driver, { first: 0, rows: staged.rows })).metrics;
}

function* pass(
  model: Model,
  staged: Staged,
  driver: Driver,
  part: { readonly first: number; readonly rows: number },
): Generator<undefined, { job: Job; metrics: MetricValues }, void> {
  const { names, job } = { names: staged.options.metrics, job: jobOver(model, staged, part) };
  if (names.length === 0) {
    while ((yield* driver.advance(job, part.rows, false)).status !== RUN.done) yield;
    return { job, metrics: {} };
  }
  const { plan } = model.memory;
  const collection = new Collection(model.spec, names);
  for (let begin = 0, status: number = RUN.more; status !== RUN.done; ) {
    // As many rows as the staging region holds outputs of. Other passes use it too: it is read before the host may look elsewhere.
    setWindow(job, model, part.first, begin, Math.min(begin + plan.stagingRows, part.rows));
    status = (yield* driver.advance(job, part.rows, false)).status;
    const end = status === RUN.done ? part.rows : job.int(abi.JOB_IN_STEP);
    const bytes = (end - begin) * plan.outputs * plan.size;
    const outputs = model.memory.reals({ offset: plan.stagingOut.offset, bytes });
    const { targetBytes } = plan.demand;
    const at = { offset: plan.y.offset + (part.first + begin) * targetBytes, bytes: (end - begin) * targetBytes };
    collection.add(outputs, targetRows(model, at, end - begin, staged.targetKind === abi.TARGET_CLASS));
    begin = end;
    if (status !== RUN.done) yield;
  }
  return { job, metrics: yield* collection.values() };
}

function jobOver(model: Model, staged: Staged, { first, rows }: { first: number; rows: number }): Job {
  const { plan } = model.memory;
  const job = new Job(model.memory, plan.validationJob);
  job.clear();
  job.setInt(abi.JOB_MODE, abi.MODE_EVALUATE);
  job.setInt(abi.JOB_X_PITCH, plan.inputs);
  job.setInt(abi.JOB_TARGET_KIND, staged.targetKind);
  job.setInt(abi.JOB_ROWS, rows);
  job.setInt(abi.JOB_BATCH, rows);
  if (staged.options.metrics.length > 0) job.setInt(abi.JOB_OUT_PTR, plan.stagingOut.offset);
  job.setInt(abi.JOB_FLAGS, countsClasses(model) ? abi.JOB_FLAG_COUNT : 0);
  job.setAdjustment(hasPenalty(model.spec));
  setWindow(job, model, first, 0, rows);
  return job;
}

/** Rows begin … end − 1 of the job, whose row 0 is row `first` of the window. */
function setWindow(job: Job, model: Model, first: number, begin: number, end: number): void {
  const { plan } = model.memory;
  job.setInt(abi.JOB_X_PTR, plan.x.offset + (first + begin) * plan.inputs * plan.size);
  job.setInt(abi.JOB_Y_PTR, plan.y.offset + (first + begin) * plan.demand.targetBytes);
  job.setInt(abi.JOB_WINDOW_BEGIN, begin);
  job.setInt(abi.JOB_WINDOW_END, end);
}
