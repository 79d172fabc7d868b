// The held-back rows through the network, in pieces.
import * as abi from "../core/abi.ts";
import type { Model } from "../model.ts";
import type { Evaluation } from "../options/results.ts";
import { hasPenalty } from "../options/spec.ts";
import type { Driver } from "./driver.ts";
import { Job, RUN } from "./job.ts";
import { countsClasses } from "./passes.ts";
import type { Staged } from "./stage.ts";

/** Yields wherever the host may look at its event loop. */
export function* validate(model: Model, staged: Staged, driver: Driver): Generator<undefined, Evaluation, void> {
  const job = validationJob(model, staged);
  while ((yield* driver.advance(job, staged.validationRows, false)).status !== RUN.done) yield;
  const loss = job.double(abi.JOB_STEP_LOSS);
  const accuracy = job.double(abi.JOB_STEP_CORRECT) / staged.validationRows;
  const penalty = job.double(abi.JOB_STEP_PENALTY);
  return Object.freeze(countsClasses(model) ? { loss, penalty, accuracy } : { loss, penalty });
}

function validationJob(model: Model, staged: Staged): Job {
  const { plan } = model.memory;
  const job = new Job(model.memory, plan.validationJob);
  job.clear();
  job.setInt(abi.JOB_MODE, abi.MODE_EVALUATE);
  job.setInt(abi.JOB_X_PTR, plan.x.offset + staged.rows * plan.inputs * plan.size);
  job.setInt(abi.JOB_X_PITCH, plan.inputs);
  job.setInt(abi.JOB_Y_PTR, plan.y.offset + staged.rows * plan.demand.targetBytes);
  job.setInt(abi.JOB_TARGET_KIND, staged.targetKind);
  job.setInt(abi.JOB_ROWS, staged.validationRows);
  job.setInt(abi.JOB_WINDOW_END, staged.validationRows);
  job.setInt(abi.JOB_BATCH, staged.validationRows);
  job.setInt(abi.JOB_FLAGS, countsClasses(model) ? abi.JOB_FLAG_COUNT : 0);
  job.setAdjustment(hasPenalty(model.spec));
  return job;
}
