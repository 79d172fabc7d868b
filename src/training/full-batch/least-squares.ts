// Levenberg–Marquardt and Bayesian regularisation. All of it runs on a float64 copy of the network; the network itself gets the parameters of
// every step that is taken, rounded to its dtype, and the copy goes on from these.

import * as abi from "../../core/abi.ts";
import { instantiateCoreSync } from "../../core/instantiate.ts";
import { Model } from "../../model.ts";
import type { BrOptions, LmOptions } from "../../options/optimizer.ts";
import { findSegment } from "../../parameters.ts";
import type { Segment } from "../../plan.ts";
import { Driver } from "../driver.ts";
import { type Job, RUN } from "../job.ts";
import type { Staged } from "../stage.ts";
import type { Epoch, Method } from "./method.ts";
import { countOf, evaluationJob, NormalEquations, trainableSegments } from "./normal-equations.ts";
import type { Point, Sliced } from "./objective.ts";

type Options = Readonly<Required<LmOptions>> | Readonly<Required<BrOptions>>;

/** MATLAB's trainbr keeps μ above it. */
const LEAST_MU = 1e-20;

export class LeastSquares implements Method {
  private readonly model: Model;
  private readonly copy: Model;
  private readonly options: Options;
  private readonly rows: number;
  private readonly equations: NormalEquations;
  private readonly driver: Driver;
  private readonly weighted: boolean;
  /** Σe² per unit of loss. */
  private readonly perLoss: number;
  private mu: number;
  private alpha: number;
  private beta: number;
  /** γ: how many parameters the data determine. */
  private effective: number;
  /** Whether the normal equations belong to the parameters. */
  private built = false;

  constructor(model: Model, staged: Staged, options: Options, scalars: readonly number[], asynchronous: boolean) {
    const [mu = 0, alpha = 0, beta = 0, effective = 0] = scalars;
    this.model = model;
    this.options = options;
    this.rows = staged.rows;
    this.weighted = staged.options.sampleWeights !== undefined;
    this.mu = mu > 0 ? mu : options.mu;
    [this.alpha, this.beta, this.effective] = [alpha, beta, effective];
    const { outputs } = model.memory.plan;
    this.perLoss = staged.rows * (model.spec.loss === "squaredError" ? 2 : outputs);
    this.copy = copyOf(model, staged.rows, this.weighted);
    this.driver = new Driver(this.copy, asynchronous, "least squares");
    this.equations = new NormalEquations(this.copy, this.job(), staged.rows);
  }

  get scalars(): readonly number[] {
    const { mu, alpha, beta, effective } = this;
    return this.options.type === "br" ? [mu, alpha, beta, effective] : [mu];
  }

  private job(): Job {
    return evaluationJob(this.copy, this.rows, this.weighted);
  }

  /** The loss at the copy's parameters. */
  *point(): Sliced<Point> {
    const job = this.job();
    while ((yield* this.driver.advance(job, this.rows, false)).status !== RUN.done) yield;
    return { loss: job.double(abi.JOB_STEP_LOSS), correct: 0, norm: Number.POSITIVE_INFINITY };
  }

  *epoch(point: Point): Sliced<Epoch> {
    const { equations, options } = this;
    if (!this.built) yield* equations.build();
    this.built = true;
    const x = equations.parameters();
    const g = equations.gradient();
    let squares = point.loss * this.perLoss;
    const bayesian = options.type === "br";
    if (bayesian && !(this.beta > 0)) this.begin(squares, x);
    const [alpha, beta] = bayesian ? [this.alpha, this.beta] : [0, 1];
    const before = beta * squares + alpha * sumOfSquares(x);
    const right = g.map((value, i) => -(beta * value + alpha * (x[i] as number)));
    while (this.mu <= options.maxMu) {
      const mu = this.mu;
      if (yield* equations.factorize(beta, mu + alpha)) {
        const step = equations.solve(right);
        equations.setParameters(x.map((value, i) => value + (step[i] as number)));
        this.round();
        const next = yield* this.point();
        squares = next.loss * this.perLoss;
        const after = beta * squares + alpha * sumOfSquares(equations.parameters());
        if (after < before) {
          this.mu = Math.max(mu * options.muDecrease, LEAST_MU);
          yield* this.accept(squares);
          // ∇ of the loss is 2/perLoss·Jᵀe.
          const norm = (2 / this.perLoss) * Math.sqrt(sumOfSquares(equations.gradient()));
          return { point: { ...next, norm }, learningRate: mu };
        }
        equations.setParameters(x);
      }
      this.mu = mu * options.muIncrease;
    }
    return { point, learningRate: this.mu, ended: "maxMu" };
  }

  /** α and β before the first step. */
  private begin(squares: number, x: Float64Array): void {
    const { outputs } = this.model.memory.plan;
    this.effective = x.length;
    const beta = (this.rows * outputs - this.effective) / (2 * squares);
    this.beta = beta > 0 ? beta : 1;
    this.alpha = this.effective / (2 * sumOfSquares(x));
  }

  /** The step is taken: the network gets it, and α and β follow from the evidence at it. */
  private *accept(squares: number): Sliced<void> {
    const { equations, model, copy, options } = this;
    for (const segment of model.memory.plan.segments) {
      const values = copy.memory.readSegment(
        copy.memory.plan.params,
        findSegment(copy, segment.layer, segment.part) as Segment,
      );
      model.writeParameters(segment, model.dtype === "float32" ? Float32Array.from(values) : values);
    }
    yield* equations.build();
    if (options.type !== "br") return;
    const n = this.rows * model.memory.plan.outputs;
    if (!(yield* equations.factorize(this.beta, this.alpha))) return;
    this.effective = equations.count - this.alpha * (yield* equations.inverseTrace());
    const weights = sumOfSquares(equations.parameters());
    this.alpha = weights === 0 ? 1 : this.effective / (2 * weights);
    const beta = squares === 0 ? 1 : (n - this.effective) / (2 * squares);
    this.beta = beta > 0 ? beta : 1;
  }

  /** The copy's parameters to what the network can hold. */
  private round(): void {
    if (this.model.dtype === "float64") return;
    this.equations.setParameters(Float64Array.from(Float32Array.from(this.equations.parameters())));
  }
}

function sumOfSquares(values: Float64Array): number {
  let sum = 0;
  for (const value of values) sum += value * value;
  return sum;
}

/** A float64 model with the parameters and the training rows of `model`, and room for the matrices. */
function copyOf(model: Model, rows: number, weighted: boolean): Model {
  const copy = new Model(instantiateCoreSync(model.core.kind, "float64"), model.spec, "float64", model.seed);
  copy.targetDtype = model.dtype;
  copy.trainable.splice(0, copy.trainable.length, ...model.trainable);
  const { inputs, outputs, x, y, size, params, segments, sampleWeights } = model.memory.plan;
  copy.demand({
    training: true,
    rows,
    targetBytes: 8 * outputs,
    weighted,
    reports: 1,
    blockSamples: copy.blockSamplesFor(rows),
    jacobian: countOf(trainableSegments(model)),
  });
  const { memory } = copy;
  for (const segment of segments) {
    const own = findSegment(copy, segment.layer, segment.part) as Segment;
    copy.writeParameters(own, Float64Array.from(model.memory.readSegment(params, segment)));
  }
  const take = (offset: number, count: number) => model.memory.reals({ offset, bytes: count * size });
  memory.reals({ offset: memory.plan.x.offset, bytes: rows * inputs * 8 }).set(take(x.offset, rows * inputs));
  memory.reals({ offset: memory.plan.y.offset, bytes: rows * outputs * 8 }).set(take(y.offset, rows * outputs));
  if (weighted)
    memory.doubles(memory.plan.sampleWeights.offset, rows).set(model.memory.doubles(sampleWeights.offset, rows));
  memory.writeRecords(copy.trainable);
  return copy;
}
