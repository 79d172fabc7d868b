// The loss of all rows and its gradient at parameters that a method tries, and arithmetic on vectors as long as the parameters.
import * as abi from "../../core/abi.ts";
import type { Model } from "../../model.ts";
import { hasPenalty } from "../../options/spec.ts";
import type { Driver } from "../driver.ts";
import { Job, RUN } from "../job.ts";
import { countsClasses } from "../passes.ts";
import type { Staged } from "../stage.ts";

export type Sliced<T> = Generator<undefined, T, void>;

/** What one pass over all rows tells. */
export interface Point {
  /** The objective, penalty included. */
  readonly loss: number;
  readonly correct: number;
  /** ‖∇‖ over the trainable parameters. */
  readonly norm: number;
}

/** Byte address of a vector in the core's memory. */
export type Vector = number;

export class Objective {
  readonly model: Model;
  private readonly staged: Staged;
  private readonly driver: Driver;
  private readonly job: Job;

  constructor(model: Model, staged: Staged, driver: Driver) {
    this.model = model;
    this.staged = staged;
    this.driver = driver;
    this.job = new Job(model.memory, model.memory.plan.validationJob);
    // Frozen parameters have no gradient: every vector is 0 there.
    model.memory.bytes(model.memory.plan.gradients).fill(0);
  }

  get parameters(): Vector {
    return this.model.memory.plan.params.offset;
  }

  /** Of the last `point`. */
  get gradient(): Vector {
    return this.model.memory.plan.gradients.offset;
  }

  /** Array `slot` of the optimizer's state, kept from call to call. */
  state(slot: number): Vector {
    const { state, paramsLength, size } = this.model.memory.plan;
    return state.offset + slot * paramsLength * size;
  }

  /** Array `slot` that lives as long as the call. */
  work(slot: number): Vector {
    const { work, paramsLength, size } = this.model.memory.plan;
    return work.offset + slot * paramsLength * size;
  }

  /** Loss and gradient at the parameters as they stand; yields wherever the host may look at its event loop. */
  *point(): Sliced<Point> {
    const { job, staged, driver } = this;
    this.writeJob();
    while ((yield* driver.advance(job, staged.rows, true)).status !== RUN.done) yield;
    return {
      loss: job.double(abi.JOB_STEP_LOSS) + job.double(abi.JOB_STEP_PENALTY),
      correct: job.double(abi.JOB_STEP_CORRECT),
      norm: job.double(abi.JOB_GRADIENT_NORM),
    };
  }

  private writeJob(): void {
    const { job, model, staged } = this;
    const { plan } = model.memory;
    job.clear();
    job.setInt(abi.JOB_MODE, abi.MODE_GRADIENT);
    job.setInt(abi.JOB_X_PTR, plan.x.offset);
    job.setInt(abi.JOB_X_PITCH, plan.inputs);
    job.setInt(abi.JOB_Y_PTR, plan.y.offset);
    job.setInt(abi.JOB_TARGET_KIND, staged.targetKind);
    job.setInt(abi.JOB_ROWS, staged.rows);
    job.setInt(abi.JOB_WINDOW_END, staged.rows);
    job.setInt(abi.JOB_BATCH, staged.rows);
    job.setInt(abi.JOB_FLAGS, countsClasses(model) ? abi.JOB_FLAG_COUNT : 0);
    const weighted = staged.options.sampleWeights !== undefined;
    job.setInt(abi.JOB_SAMPLE_WEIGHTS_PTR, weighted ? plan.sampleWeights.offset : 0);
    job.setAdjustment(hasPenalty(model.spec), undefined, true);
  }

  dot(x: Vector, y: Vector): number {
    const { core, memory } = this.model;
    return core.exports.dot(x, y, memory.plan.paramsLength, this.job.region.offset + abi.JOB_PENALTY_SUM);
  }

  /** to ← a·x + b·y. */
  combine(to: Vector, a: number, x: Vector, b: number, y: Vector): void {
    const { core, memory } = this.model;
    const isState = to === this.parameters ? 0 : 1;
    core.exports.combine(to, x, y, memory.plan.paramsLength, a, b, isState);
  }

  copy(to: Vector, from: Vector): void {
    const { memory } = this.model;
    const bytes = memory.plan.paramsLength * memory.plan.size;
    memory.bytes({ offset: to, bytes }).set(memory.bytes({ offset: from, bytes }));
  }
}
