import * as abi from "../core/abi.ts";
import type { RowSource } from "../data/rows.ts";
import type { TargetSource } from "../data/targets.ts";
import { weightsOf } from "../data/weights.ts";
import type { Model } from "../model.ts";
import type { ResolvedClipping } from "../options/clipping.ts";
import type { StepOptions } from "../options/network.ts";
import { OPTIMIZER_SLOTS, type ResolvedOptimizer, SEARCHING } from "../options/optimizer.ts";
import { batchLayers, hasPenalty, unfittedScaling } from "../options/spec.ts";
import { resolveStepOptions } from "../options/step.ts";
import { findDivergence } from "./divergence.ts";
import { Job } from "./job.ts";
import { scalarsOf, setOptimizer, useOptimizer } from "./optimizer.ts";
import { atOnce } from "./pace.ts";
import { runPass } from "./passes.ts";

/**
 * One update on the batch x, y with the options of `step`.
 * @throws TypeError, RangeError before anything changes; DivergenceError with the network as before
 */
export function stepRows(model: Model, x: RowSource, y: TargetSource, options: StepOptions | undefined): number {
  const { optimizer, sampleWeights, clipping } = resolveStepOptions(options, {
    dtype: model.dtype,
    last: model.optimizer,
  });
  if (SEARCHING.includes(optimizer.type)) {
    throw new TypeError(`step: expected an optimizer that steps by gradients alone, got '${optimizer.type}'; use fit`);
  }
  const unfitted = unfittedScaling(model.spec);
  if (unfitted !== undefined) {
    throw new Error(`step: ${unfitted} is found by the first fit; call fit first, or give scale and shift in the spec`);
  }
  const { batch } = batchLayers(model.spec);
  if (batch !== undefined && x.rows < 2) {
    throw new RangeError(`x: expected at least 2 rows for ${batch}, got ${x.rows}`);
  }
  const weights = weightsOf(sampleWeights, x.rows);
  const slots = OPTIMIZER_SLOTS[optimizer.type];
  const blockSamples = Math.max(model.memory.plan.demand.blockSamples, model.blockSamplesFor(x.rows));
  model.demand({ training: true, slots, reports: Math.max(1, model.memory.plan.demand.reports), blockSamples });
  if (weights !== undefined) model.demand({ weighted: true });
  return trainStep(model, x, y, { optimizer, weights, clipping });
}

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
  useOptimizer(model, optimizer);
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
        setOptimizer(job, optimizer, model.scalars);
        job.setAdjustment(hasPenalty(model.spec), clipping);
        job.setDouble(abi.JOB_STEP, progress.step);
      },
      onWindow: (_first, rows) => {
        if (rows < x.rows) return;
        scalars = scalarsOf(new Job(memory, memory.plan.passJob), optimizer);
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
