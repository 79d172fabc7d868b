// Gradient descent with an adaptive rate, and with momentum: the rules of MATLAB's traingda and traingdx.
import type { GdaOptions, GdxOptions } from "../../options/optimizer.ts";
import type { Epoch, Method } from "./method.ts";
import type { Objective, Point, Sliced } from "./objective.ts";

type Options = Readonly<Required<GdaOptions>> | Readonly<Required<GdxOptions>>;

/**
 * d = −η·g (gda) or d ← μ·d − (1 − μ)·η·g (gdx, from d = −η·g). Where the loss behind the step is more than maxLossIncrease times the
 * loss before it, the step is undone, η shrinks and d begins anew; where it is smaller, η grows.
 */
export class AdaptiveDescent implements Method {
  private readonly objective: Objective;
  private readonly options: Options;
  private rate: number;
  /** Whether work 1 holds the gradient at the parameters: after a step that was undone. */
  private undone = false;
  private begun: boolean;

  constructor(objective: Objective, options: Options, [rate]: readonly number[]) {
    this.objective = objective;
    this.options = options;
    this.begun = (rate as number) > 0;
    this.rate = this.begun ? (rate as number) : options.learningRate;
  }

  get scalars(): readonly number[] {
    return [this.begun ? this.rate : 0];
  }

  *epoch(point: Point): Sliced<Epoch> {
    const { objective: f, options } = this;
    const base = f.work(0);
    const g = f.work(1);
    f.copy(base, f.parameters);
    if (!this.undone) f.copy(g, f.gradient);
    const d = options.type === "gdx" ? f.state(0) : f.work(0);
    if (options.type === "gdx") {
      const { momentum } = options;
      if (!this.begun) f.combine(d, -this.rate, g, 0, g);
      f.combine(d, momentum, d, -(1 - momentum) * this.rate, g);
      f.combine(f.parameters, 1, base, 1, d);
    } else f.combine(f.parameters, 1, base, -this.rate, g);
    this.begun = true;
    const used = this.rate;
    const next = yield* f.point();
    // Also a loss that is not a number is too large.
    if (!(next.loss <= point.loss * options.maxLossIncrease)) {
      this.restore();
      this.undone = true;
      this.rate *= options.rateDecrease;
      if (options.type === "gdx") f.combine(d, -this.rate, g, 0, g);
      return { point, learningRate: used };
    }
    this.undone = false;
    if (next.loss < point.loss) this.rate *= options.rateIncrease;
    return { point: next, learningRate: used };
  }

  /** The parameters of the epoch's beginning. */
  private restore(): void {
    this.objective.copy(this.objective.parameters, this.objective.work(0));
  }
}
