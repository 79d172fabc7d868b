// The normal equations of a sum of squares over all rows, on a float64 model whose plan has room for their matrices.
import * as abi from "../../core/abi.ts";
import type { Model } from "../../model.ts";
import type { Segment } from "../../plan.ts";
import { Job } from "../job.ts";
import { now } from "../pace.ts";
import type { Sliced } from "./objective.ts";

/** Multiplications and additions in one call of a kernel, about 2 ms on any core. */
const CALL_FLOPS = { simd: 4e6, relaxed: 4e6, js: 4e5 } as const;
/** ms between two looks at the event loop. */
const PAUSE = 8;

export class NormalEquations {
  private readonly model: Model;
  private readonly job: Job;
  private readonly rows: number;
  /** Trainable segments, in the order of their columns. */
  private readonly segments: readonly Segment[];
  /** Trainable parameters. */
  readonly count: number;
  private looked = now();

  /** `job`: MODE_EVALUATE over the window's `rows`. */
  constructor(model: Model, job: Job, rows: number) {
    this.model = model;
    this.job = job;
    this.rows = rows;
    this.segments = trainableSegments(model);
    this.count = countOf(this.segments);
  }

  /** JᵀJ and Jᵀe at the parameters as they stand, rows and outputs in order. */
  *build(): Sliced<void> {
    const { model, job, rows } = this;
    const { core, memory } = model;
    const { net, outputs, normal, normalGradient, jacobian, errors, matrixPitch } = memory.plan;
    memory.bytes(normal).fill(0);
    memory.bytes(normalGradient).fill(0);
    for (let first = 0; first < rows; first += 8) {
      const n = Math.min(8, rows - first);
      core.exports.jacobianForward(net.offset, job.region.offset, first, n);
      for (let o = 0; o < outputs; o++) {
        const at = [jacobian.offset, matrixPitch, errors.offset] as const;
        core.exports.jacobianRows(net.offset, job.region.offset, first, n, o, ...at);
        for (const [from, to] of this.slices((row) => 16 * row)) {
          const [J, pitch, e] = at;
          core.exports.addNormal(normal.offset, normalGradient.offset, J, e, pitch, from, to);
          yield* this.pause();
        }
      }
    }
  }

  /** Factors scale·JᵀJ + shift·I; false where it is not positive definite. */
  *factorize(scale: number, shift: number): Sliced<boolean> {
    const { core, memory } = this.model;
    const { normal, factor, matrixPitch } = memory.plan;
    for (const [from, to] of this.slices((row) => row * row)) {
      if (core.exports.factorize(normal.offset, factor.offset, matrixPitch, scale, shift, from, to) >= 0) return false;
      yield* this.pause();
    }
    return true;
  }

  /** The solution of the factored equations for a right side. */
  solve(right: Float64Array): Float64Array {
    const { core, memory } = this.model;
    const { factor, solution, matrixPitch } = memory.plan;
    memory.doubles(solution.offset, this.count).set(right);
    core.exports.solve(factor.offset, solution.offset, matrixPitch, this.count);
    return memory.doubles(solution.offset, this.count).slice();
  }

  /** The trace of the inverse of what was factored. */
  *inverseTrace(): Sliced<number> {
    const { core, memory } = this.model;
    const { factor, solution, matrixPitch } = memory.plan;
    let trace = 0;
    for (const [from, to] of this.slices((row) => (this.count - row) * (this.count - row))) {
      for (let c = from; c < to; c++) {
        trace += core.exports.inverseTrace(factor.offset, solution.offset, matrixPitch, this.count, c, c + 1);
      }
      yield* this.pause();
    }
    return trace;
  }

  /** Jᵀe: a copy. */
  gradient(): Float64Array {
    const { memory } = this.model;
    return memory.doubles(memory.plan.normalGradient.offset, this.count).slice();
  }

  /** The trainable parameters, in the order of columns: a copy. */
  parameters(): Float64Array {
    const values = new Float64Array(this.count);
    let at = 0;
    for (const segment of this.segments) {
      values.set(this.model.memory.readSegment(this.model.memory.plan.params, segment), at);
      at += segment.rows * segment.cols;
    }
    return values;
  }

  setParameters(values: Float64Array): void {
    let at = 0;
    for (const segment of this.segments) {
      const count = segment.rows * segment.cols;
      this.model.writeParameters(segment, values.subarray(at, at + count));
      at += count;
    }
  }

  /** Ranges of the matrices' rows whose flops fit one call. */
  private *slices(flops: (row: number) => number): Generator<readonly [number, number], void, void> {
    const budget = CALL_FLOPS[this.model.core.kind];
    for (let from = 0; from < this.count; ) {
      let to = from;
      for (let sum = 0; to < this.count && (sum === 0 || sum < budget); to++) sum += 1 + flops(to);
      yield [from, to];
      from = to;
    }
  }

  private *pause(): Sliced<void> {
    if (now() - this.looked < PAUSE) return;
    yield;
    this.looked = now();
  }
}

/** Trainable W and b of the model. */
export function trainableSegments(model: Model): Segment[] {
  return model.memory.plan.segments.filter(({ layer, part }) => {
    const trainable = model.trainable[layer];
    return trainable === true || trainable === (part === "W" ? "weights" : "bias");
  });
}

export function countOf(segments: readonly Segment[]): number {
  return segments.reduce((sum, { rows, cols }) => sum + rows * cols, 0);
}

/** The job of passes over the window of a model: MODE_EVALUATE, all of its rows. */
export function evaluationJob(model: Model, rows: number, weighted: boolean): Job {
  const { plan } = model.memory;
  const job = new Job(model.memory, plan.validationJob);
  job.clear();
  job.setInt(abi.JOB_MODE, abi.MODE_EVALUATE);
  job.setInt(abi.JOB_X_PTR, plan.x.offset);
  job.setInt(abi.JOB_X_PITCH, plan.inputs);
  job.setInt(abi.JOB_Y_PTR, plan.y.offset);
  job.setInt(abi.JOB_TARGET_KIND, abi.TARGET_DENSE);
  job.setInt(abi.JOB_ROWS, rows);
  job.setInt(abi.JOB_WINDOW_END, rows);
  job.setInt(abi.JOB_BATCH, rows);
  job.setInt(abi.JOB_SAMPLE_WEIGHTS_PTR, weighted ? plan.sampleWeights.offset : 0);
  return job;
}
