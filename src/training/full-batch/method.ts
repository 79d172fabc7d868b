// Methods that look at the loss behind a step before they take it: an epoch is one step.
import type { ResolvedOptimizer } from "../../options/optimizer.ts";
import { AdaptiveDescent } from "./adaptive-descent.ts";
import { Lbfgs } from "./lbfgs.ts";
import type { Objective, Point, Sliced } from "./objective.ts";
import { ScaledConjugateGradient } from "./scg.ts";

/** The network after an epoch. */
export interface Epoch {
  readonly point: Point;
  /** The rate or the length of the step. */
  readonly learningRate: number;
  /** Why no further epoch can lower the loss. */
  readonly ended?: "noDescent" | "maxMu";
}

export interface Method {
  /** What goes on in the next call, by place in OPTIMIZER_SCALARS. */
  readonly scalars: readonly number[];
  /**
   * One epoch. `point` belongs to the parameters, which stand at the end where the epoch leaves them; while it runs they may be
   * others.
   */
  epoch(point: Point): Sliced<Epoch>;
}

/** Methods of the core's own dtype and memory; least squares: least-squares.ts. @throws where `optimizer` is not such a method */
export function methodOf(optimizer: ResolvedOptimizer, objective: Objective, scalars: readonly number[]): Method {
  switch (optimizer.type) {
    case "gda":
    case "gdx":
      return new AdaptiveDescent(objective, optimizer, scalars);
    case "scg":
      return new ScaledConjugateGradient(objective, optimizer, scalars);
    case "lbfgs":
      return new Lbfgs(objective, scalars);
    default:
      throw new Error(`${optimizer.type} takes its steps in the core`);
  }
}
