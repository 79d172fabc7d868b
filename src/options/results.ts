import type { Matrix, Rows } from "../data/rows.ts";
import type { MetricValues } from "./metrics.ts";
import type { ResolvedOptimizer } from "./optimizer.ts";

/** What `evaluate` gives, and what `validation` gives after every epoch; the metrics asked for beside it. */
export interface Evaluation extends MetricValues {
  /** Mean over the samples of the data term of the loss. */
  readonly loss: number;
  /** l1·Σ|w| + l2·Σw² of the layers; 0 without any. In training it is part of the loss. */
  readonly penalty: number;
  /** Share of correctly classified samples, 0…1; of cross-entropies, and where it was asked for. */
  readonly accuracy?: number;
}

export interface Metrics extends MetricValues {
  /** Share of the epoch's samples that were right when their batch was computed, 0…1; of cross-entropies. */
  readonly accuracy?: number;
}

export interface EpochReport {
  /** From 1, over the network's life. */
  readonly epoch: number;
  /** Mean over the samples of the objective when each batch was computed; gda, gdx, scg, lbfgs: after the step. */
  readonly loss: number;
  readonly metrics: Metrics;
  readonly validation?: Evaluation;
  /** Of the epoch's last step; scg, lbfgs: the length of the step along its direction; lm, br: μ. */
  readonly learningRate: number;
  readonly samplesPerSecond: number;
}

export interface History {
  /** One report per finished epoch, oldest first. */
  readonly epochs: readonly EpochReport[];
  /** Ascending rows of `x` that were held back, when `validation` was a fraction. */
  readonly validationIndices?: Int32Array;
  readonly optimizer: ResolvedOptimizer;
  /** The rule that ended the call; maxMu: of lm and br; noDescent: a full-batch method found no step that lowers the loss. */
  readonly stopped:
    | "epochs"
    | "maxSteps"
    | "maxSeconds"
    | "goal"
    | "minGradient"
    | "earlyStopping"
    | "noDescent"
    | "maxMu";
}

/** Gradients of backpropagation against central differences, in float64. */
export interface GradientCheck {
  /** max |g − ĝ| / max(|g|, |ĝ|, 1e-3·‖g‖∞) over the checked parameters. */
  readonly maxRelativeError: number;
  /** Where the largest error is; `row` and `col` of W, or `row` of b with `col` 0. */
  readonly worst: {
    readonly layer: number;
    readonly part: "W" | "b";
    readonly row: number;
    readonly col: number;
    readonly gradient: number;
    readonly difference: number;
  };
  /** How many parameters were checked. */
  readonly checked: number;
}

/** The parameters of one layer: W [units × inputs of the layer], b [units]; no `b` key without bias. */
export interface LayerWeights {
  W: Matrix;
  b?: Float32Array | Float64Array;
  /** Of batch normalisation: running values [units]. */
  mean?: Float32Array | Float64Array;
  variance?: Float32Array | Float64Array;
}

/** What `setWeights` takes for one layer. */
export interface LayerWeightsLike {
  W: Rows;
  b?: ArrayLike<number>;
  mean?: ArrayLike<number>;
  variance?: ArrayLike<number>;
}
