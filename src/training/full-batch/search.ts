// The epochs of one call with a method that looks at the loss behind a step before it takes it.
import { DivergenceError } from "../../errors.ts";
import type { Model } from "../../model.ts";
import type { ResolvedOptimizer } from "../../options/optimizer.ts";
import type { Driver } from "../driver.ts";
import type { Staged } from "../stage.ts";
import { LeastSquares } from "./least-squares.ts";
import { type Epoch, type Method, methodOf } from "./method.ts";
import { Objective, type Point, type Sliced } from "./objective.ts";

export class Search {
  private readonly model: Model;
  /** Evaluates the parameters as they stand. */
  private readonly objective: { point(): Sliced<Point> };
  private readonly method: Method;
  /** Of the parameters as they stand; undefined before the first epoch. */
  private point: Point | undefined;

  constructor(model: Model, staged: Staged, driver: Driver, optimizer: ResolvedOptimizer, asynchronous: boolean) {
    this.model = model;
    if (optimizer.type === "lm" || optimizer.type === "br") {
      const method = new LeastSquares(model, staged, optimizer, model.scalars, asynchronous);
      [this.method, this.objective] = [method, method];
      return;
    }
    const objective = new Objective(model, staged, driver);
    [this.method, this.objective] = [methodOf(optimizer, objective, model.scalars), objective];
  }

  /**
   * One epoch, which is one step; the model's counters and scalars follow. While it runs, parameters may be others than before and
   * after.
   * @throws DivergenceError where the loss is not finite to begin with: steps to where it is not are never taken
   */
  *epoch(): Sliced<Epoch> {
    const { model, method } = this;
    const { progress } = model;
    this.point ??= yield* this.objective.point();
    if (!Number.isFinite(this.point.loss)) {
      throw new DivergenceError({ epoch: progress.epoch + 1, step: progress.step + 1, quantity: "loss" });
    }
    const epoch = yield* method.epoch(this.point);
    this.point = epoch.point;
    model.scalars = method.scalars;
    progress.epoch++;
    progress.step++;
    return epoch;
  }
}
