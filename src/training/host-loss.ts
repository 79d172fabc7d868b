// A user's own loss: the core stops with a block's outputs, the function gives the gradient, the core goes on.
import * as abi from "../core/abi.ts";
import type { Matrix } from "../data/rows.ts";
import { targetSource } from "../data/targets.ts";
import { kindError } from "../errors.ts";
import type { Reals } from "../memory.ts";
import type { Model } from "../model.ts";
import { type Job, RUN } from "./job.ts";

/** As `job.run`; a loss that the host computes is asked for wherever the core waits for it. */
export function runJob(model: Model, job: Job, blocks: number): number {
  if (model.spec.loss !== "custom") return job.run(blocks);
  let undo = (): void => {};
  for (let left = blocks; left > 0; ) {
    if (job.int(abi.JOB_PHASE) === 0) undo = keepStatistics(model);
    const status = job.run(1);
    if (status === abi.RUN_NEEDS_LOSS) {
      try {
        answer(model, job);
      } catch (error) {
        undo();
        throw error;
      }
    } else if (status === RUN.more) left--;
    else return status;
  }
  return RUN.more;
}

/** What puts back the running statistics, which the forward pass moves before the function may throw. */
function keepStatistics({ memory }: Model): () => void {
  const { segments, params } = memory.plan;
  const moved = segments.filter(({ part }) => part === "mean" || part === "variance");
  const kept = moved.map((segment) => memory.readSegment(params, segment));
  return () => {
    for (const [i, segment] of moved.entries()) memory.writeSegmentValues(params, segment, kept[i] as Reals);
  };
}

/** One call of the function with the outputs and targets of the block at hand. */
function answer(model: Model, job: Job): void {
  const { memory, lossFunction } = model;
  if (lossFunction === undefined) throw new Error("loss: the function is missing");
  const { outputs, size, exchange } = memory.plan;
  const position = job.int(abi.JOB_POSITION);
  const inStep = job.int(abi.JOB_IN_STEP);
  const batch = Math.min(job.int(abi.JOB_BATCH), job.int(abi.JOB_ROWS) - position);
  const rows = Math.min(job.int(abi.JOB_BLOCK), batch - inStep);
  const at = { offset: exchange.offset, bytes: rows * outputs * size };
  const shape = [rows, outputs] as const;
  const target: Matrix = { data: targetsOf(model, job, position + inStep, rows), shape };
  const result: unknown = lossFunction({ data: memory.reals(at).slice(), shape }, target);
  const { loss, gradient } = (typeof result === "object" && result !== null ? result : {}) as Record<string, unknown>;
  if (typeof loss !== "number") throw kindError("loss", "a function that returns { loss: a number, gradient }", result);
  if (job.int(abi.JOB_MODE) < abi.MODE_EVALUATE) {
    const source = targetSource(gradient, "loss: gradient", { rows, outputs, loss: "meanSquaredError" });
    if (source.kind === "dense") source.source.copyTo(memory.reals(at), 0, rows);
  }
  // The core divides the sum by the samples of the step.
  job.setDouble(abi.JOB_LOSS_TOTAL, job.double(abi.JOB_LOSS_TOTAL) + rows * loss);
}

/** Targets of rows first … first + rows − 1 of the epoch's order: a copy. */
function targetsOf(model: Model, job: Job, first: number, rows: number): Reals {
  const { memory } = model;
  const { outputs, size } = memory.plan;
  const begin = job.int(abi.JOB_WINDOW_BEGIN);
  const order = job.int(abi.JOB_ORDER_PTR);
  const numbers = order === 0 ? undefined : memory.ints({ offset: order + 4 * first, bytes: 4 * rows });
  const values = size === 4 ? new Float32Array(rows * outputs) : new Float64Array(rows * outputs);
  const y = job.int(abi.JOB_Y_PTR) >>> 0;
  for (let i = 0; i < rows; i++) {
    const row = (numbers?.[i] ?? first + i) - begin;
    const bytes = outputs * size;
    values.set(memory.reals({ offset: y + row * bytes, bytes }), i * outputs);
  }
  return values;
}
