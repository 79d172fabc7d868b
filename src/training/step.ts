import * as abi from "../core/abi.ts";
import type { RowSource } from "../data/rows.ts";
import type { TargetSource } from "../data/targets.ts";
import type { Model } from "../model.ts";
import type { ResolvedClipping } from "../options/clipping.ts";
import type { ResolvedOptimizer } from "../options/optimizer.ts";
import { hasPenalty } from "../options/spec.ts";
import { findDivergence } from "./divergence.ts";
import { Job } from "./job.ts";
import { atOnce } from "./pace.ts";
import { runPass } from "./passes.ts";

/**
 * One update on the batch x, y; the memory has been planned. Returns the loss before it.
 * @throws what the data are refused for, before anything changes; DivergenceError with the network as before
 */
export function trainStep(
  model: Model,
  x: RowSource,
  y: TargetSource,
  how: {
    readonly optimizer: ResolvedOptimizer;
    readonly weights: Float64Array | undefined;
    readonly clipping: ResolvedClipping;
  },
): number {
  const { optimizer, weights, clipping } = how;
  const { memory, progress } = model;
  const { params, state } = memory.plan;
  // Rows are checked window by window, so the update itself, in the last block, comes after every check.
  const before = { params: memory.bytes(params).slice(), state: memory.bytes(state).slice() };
  const { optimizer: lastOptimizer, scalars: lastScalars, began } = model;
  model.useOptimizer(optimizer);
  const undo = () => {
    memory.bytes(params).set(before.params);
    memory.bytes(state).set(before.state);
    Object.assign(model, { optimizer: lastOptimizer, scalars: lastScalars, began });
  };
  let { scalars } = model;
  try {
    const { loss } = runPass(model, abi.MODE_TRAIN, x, y, {
      weights,
      prepare: (job) => {
        job.setOptimizer(optimizer, model.scalars);
        job.setAdjustment(hasPenalty(model.spec), clipping);
        job.setDouble(abi.JOB_STEP, progress.step);
      },
      onWindow: (_first, rows) => {
        if (rows < x.rows) return;
        scalars = new Job(memory, memory.plan.passJob).scalars(optimizer);
      },
    });
    const search = findDivergence(model, !Number.isFinite(loss), progress.epoch + 1, progress.step + 1);
    const diverged = atOnce(search);
    if (diverged !== undefined) throw diverged;
    model.scalars = scalars;
    progress.step++;
    return loss;
  } catch (error) {
    undo();
    throw error;
  }
}
