// Limited-memory BFGS: Nocedal & Wright, Numerical Optimization (2006), algorithms 7.4 and 7.5.
import { LBFGS_PAIRS } from "../../options/optimizer.ts";
import { type Sample, strongWolfe } from "./line-search.ts";
import type { Epoch, Method } from "./method.ts";
import type { Objective, Point, Sliced, Vector } from "./objective.ts";

/** An epoch is one outer iteration. state: ten steps s, then ten changes y of the gradient; the pair of iteration i in place i mod 10. */
export class Lbfgs implements Method {
  private readonly objective: Objective;
  private pairs: number;
  /** Pairs that were ever stored. */
  private stored: number;

  constructor(objective: Objective, [pairs, stored]: readonly number[]) {
    this.objective = objective;
    this.pairs = pairs as number;
    this.stored = stored as number;
  }

  get scalars(): readonly number[] {
    return [this.pairs, this.stored];
  }

  *epoch(point: Point): Sliced<Epoch> {
    const { objective: f } = this;
    const [base, g, p] = [f.work(0), f.work(1), f.work(2)];
    f.copy(base, f.parameters);
    f.copy(g, f.gradient);
    for (;;) {
      this.direction(p, g);
      const found = yield* this.search(point, p, base);
      if (found !== undefined) {
        this.remember(found.alpha, p, g);
        return { point: found.point, learningRate: found.alpha };
      }
      this.restore();
      f.copy(f.gradient, g);
      if (this.pairs === 0) return { point, learningRate: 0, ended: "noDescent" };
      // What is remembered misleads: once more along the gradient.
      this.pairs = 0;
    }
  }

  /** Leaves parameters and gradient at the sample it gives. */
  private *search(point: Point, p: Vector, base: Vector): Sliced<Sample | undefined> {
    const { objective: f } = this;
    let last = 0;
    const at = function* (alpha: number): Sliced<Sample> {
      last = alpha;
      f.combine(f.parameters, 1, base, alpha, p);
      const there = yield* f.point();
      return { alpha, value: there.loss, slope: f.dot(f.gradient, p), point: there };
    };
    const slope = f.dot(f.work(1), p);
    if (!(slope < 0)) return undefined;
    const first = this.pairs > 0 ? 1 : Math.min(1, 1 / point.norm);
    const found = yield* strongWolfe({ alpha: 0, value: point.loss, slope, point }, first, at);
    return found === undefined || found.alpha === last ? found : yield* at(found.alpha);
  }

  /** Algorithm 7.4, the two loops: p = −H·g. */
  private direction(p: Vector, g: Vector): void {
    const { objective: f } = this;
    f.combine(p, -1, g, 0, g);
    const order = Array.from({ length: this.pairs }, (_, i) => (this.stored - 1 - i) % LBFGS_PAIRS);
    const alphas: number[] = [];
    for (const i of order) {
      const [s, y] = this.pair(i);
      const alpha = f.dot(s, p) / f.dot(y, s);
      alphas.push(alpha);
      f.combine(p, 1, p, -alpha, y);
    }
    const newest = order[0];
    if (newest === undefined) return;
    const [s, y] = this.pair(newest);
    f.combine(p, f.dot(s, y) / f.dot(y, y), p, 0, p);
    for (const i of order.reverse()) {
      const [s, y] = this.pair(i);
      const beta = f.dot(y, p) / f.dot(y, s);
      f.combine(p, 1, p, (alphas.pop() as number) - beta, s);
    }
  }

  private pair(i: number): [s: Vector, y: Vector] {
    return [this.objective.state(i), this.objective.state(LBFGS_PAIRS + i)];
  }

  /** The pair of the step α·p, where its curvature is positive beyond rounding. */
  private remember(alpha: number, p: Vector, before: Vector): void {
    const { objective: f } = this;
    const [s, y] = this.pair(this.stored % LBFGS_PAIRS);
    // The room may hold the oldest pair, which is given up either way.
    f.combine(s, alpha, p, 0, p);
    f.combine(y, 1, f.gradient, -1, before);
    const curvature = f.dot(s, y);
    if (!(curvature > 1e-10 * f.dot(y, y))) {
      this.pairs = Math.min(this.pairs, LBFGS_PAIRS - 1);
      return;
    }
    this.stored++;
    this.pairs = Math.min(this.pairs + 1, LBFGS_PAIRS);
  }

  /** The parameters of the epoch's beginning. */
  private restore(): void {
    this.objective.copy(this.objective.parameters, this.objective.work(0));
  }
}
