// Scaled conjugate gradient: Møller, A scaled conjugate gradient algorithm for fast supervised learning, Neural Networks 6 (1993).
import type { ScgOptions } from "../../options/optimizer.ts";
import type { Epoch, Method } from "./method.ts";
import type { Objective, Point, Sliced } from "./objective.ts";

/** An epoch is one pass through steps 2 to 9 of the paper's algorithm; the names are the paper's. state 0: p. */
export class ScaledConjugateGradient implements Method {
  private readonly objective: Objective;
  private readonly sigma: number;
  private lambda: number;
  private lambdaBar: number;
  private delta: number;
  private success: boolean;
  /** Steps so far: after as many as there are parameters the direction is the gradient's. */
  private k: number;

  constructor(objective: Objective, { sigma, lambda }: Readonly<Required<ScgOptions>>, scalars: readonly number[]) {
    const [last, lambdaBar, delta, success, k] = scalars as [number, number, number, number, number];
    this.objective = objective;
    this.sigma = sigma;
    this.lambda = k > 0 ? last : lambda;
    this.lambdaBar = lambdaBar;
    this.delta = delta;
    this.success = success !== 0;
    this.k = k;
  }

  get scalars(): readonly number[] {
    return [this.k > 0 ? this.lambda : 0, this.lambdaBar, this.delta, this.success ? 1 : 0, this.k];
  }

  *epoch(point: Point): Sliced<Epoch> {
    const { objective: f } = this;
    const [p, base, g] = [f.state(0), f.work(0), f.work(1)];
    f.copy(base, f.parameters);
    f.copy(g, f.gradient);
    // 1. r = p = −E′(w)
    if (this.k === 0) f.combine(p, -1, g, 0, g);
    const length = f.dot(p, p);
    const mu = -f.dot(p, g);
    if (length === 0 || point.norm === 0 || !(mu !== 0)) return { point, learningRate: 0, ended: "noDescent" };
    if (this.success) yield* this.curvature(length);
    // 3., 4. Scale, and make the Hessian positive.
    this.delta += (this.lambda - this.lambdaBar) * length;
    if (!(this.delta > 0)) {
      this.lambdaBar = 2 * (this.lambda - this.delta / length);
      this.delta = -this.delta + this.lambda * length;
      this.lambda = this.lambdaBar;
    }
    // 5., 6. The step, and how well the quadratic model has foreseen it.
    const alpha = mu / this.delta;
    f.combine(f.parameters, 1, base, alpha, p);
    const next = yield* f.point();
    const comparison = (2 * this.delta * (point.loss - next.loss)) / (mu * mu);
    this.k++;
    const taken = comparison >= 0;
    if (taken) this.accept(mu, comparison);
    else {
      this.lambdaBar = this.lambda;
      this.success = false;
      this.restore();
      f.copy(f.gradient, g);
    }
    // 8. Also a comparison that is not a number asks for a smaller step.
    if (!(comparison >= 0.25)) {
      const share = Number.isFinite(comparison) ? 1 - comparison : 4;
      this.lambda = Math.min(this.lambda + (this.delta * share) / length, Number.MAX_VALUE);
    }
    return { point: taken ? next : point, learningRate: taken ? alpha : 0 };
  }

  /** 2. s = (E′(w + σ·p) − E′(w)) / σ with σ/|p| for σ; δ = pᵀs. */
  private *curvature(length: number): Sliced<void> {
    const { objective: f } = this;
    const [p, base, g, s] = [f.state(0), f.work(0), f.work(1), f.work(2)];
    const sigma = this.sigma / Math.sqrt(length);
    f.combine(f.parameters, 1, base, sigma, p);
    yield* f.point();
    f.combine(s, 1 / sigma, f.gradient, -1 / sigma, g);
    this.delta = f.dot(p, s);
  }

  /** 7. r = −E′(w), and the next direction. */
  private accept(mu: number, comparison: number): void {
    const { objective: f } = this;
    const [p, before] = [f.state(0), f.work(1)];
    this.lambdaBar = 0;
    this.success = true;
    if (this.k % f.model.memory.plan.parameterCount === 0) f.combine(p, -1, f.gradient, 0, f.gradient);
    else {
      const beta = (f.dot(f.gradient, f.gradient) - f.dot(f.gradient, before)) / mu;
      f.combine(p, -1, f.gradient, beta, p);
    }
    if (comparison >= 0.75) this.lambda /= 4;
  }

  /** The parameters of the epoch's beginning. */
  private restore(): void {
    this.objective.copy(this.objective.parameters, this.objective.work(0));
  }
}
