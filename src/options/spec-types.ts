// A network's spec: what the user may give, and what it becomes with every default filled in.
import type { Activation, ResolvedActivation } from "./activation.ts";
import type { BiasInitializer, Initializer, KeptInitializer, ResolvedInitializer } from "./initializer.ts";
import type { Loss, LossFunction, ResolvedLoss } from "./loss.ts";
import type { ScalingMethod } from "./scaling.ts";

/** true: all of it; "weights", "bias": that part alone. */
export type Trainable = boolean | "weights" | "bias";

/** a = activation(W·a⁻ + b). */
export interface DenseSpec {
  type?: "dense";
  units: number;
  /** "linear". */
  activation?: Activation;
  /** true. */
  bias?: boolean;
  /** true. */
  trainable?: Trainable;
  /** lecunNormal for selu, heUniform for relu and its kin (elu, gelu, silu, softplus, mish, …), else xavierUniform. */
  init?: Initializer;
  /** "zeros"; with init nguyenWidrow the same. */
  biasInit?: BiasInitializer;
  /** Adds l1·Σ|w| to the loss in training; ≥ 0; 0. */
  l1?: number;
  /** Adds l2·Σw² to the loss in training (Keras's factor; PyTorch's weight_decay of sgd is twice this); ≥ 0; 0. */
  l2?: number;
  /** Whether l1 and l2 hold for biases too; false. */
  penalizeBias?: boolean;
  /** Largest Euclidean norm of the weights into a unit: after a step a larger one is scaled to it; > 0; none. */
  maxNorm?: number;
  scale?: never;
  shift?: never;
}

/** a = scale∘x + shift with fixed numbers, one per input; stands before the first dense layer. */
export interface AffineSpec {
  type: "affine";
  scale: ArrayLike<number>;
  shift: ArrayLike<number>;
}

/**
 * a = scale∘x + shift with numbers that the first `fit` finds in its training rows and later ones leave (`refit: true` finds them again);
 * only the first layer. Until then a = x. Values of a column that is constant in those rows become 0, whatever they are later.
 *
 * - standardize: mean 0, standard deviation (divisor N) 1
 * - minMax: −1 … 1
 * - robust: median 0, distance between the quartiles 1; where that is 0, as standardize around the median
 */
export interface ScalingSpec {
  type: ScalingMethod;
  /** Both or none: one per input; found by `fit` where they are left out. */
  scale?: ArrayLike<number>;
  shift?: ArrayLike<number>;
}

/** In training each value is 0 with probability `rate`, else divided by 1 − rate; elsewhere nothing. Srivastava et al. 2014. */
export interface DropoutSpec {
  type: "dropout";
  /** 0 ≤ rate < 1. */
  rate: number;
}

/** In training a normal number of mean 0 is added to each value; elsewhere nothing. */
export interface GaussianNoiseSpec {
  type: "gaussianNoise";
  /** > 0. */
  deviation: number;
}

interface NormalizationSpec {
  /** ε > 0 under the root; 1e-5. */
  epsilon?: number;
  /** Of γ·x̂ + β, not softmax; "linear". */
  activation?: Activation;
  /** Of γ (W) and β (b), which begin with 1 and 0; true. */
  trainable?: Trainable;
}

/**
 * γ·x̂ + β, x̂ normalised by mean and biased variance of the unit over the batch, outside of training by their running values. Ioffe &
 * Szegedy 2015. Batches have at least 2 samples.
 */
export interface BatchNormalizationSpec extends NormalizationSpec {
  type: "batchNormalization";
  /** Share of the batch in the running mean and (unbiased) variance, 0 < momentum ≤ 1; 0.1, PyTorch's (Keras counts the rest: 0.99). */
  momentum?: number;
}

/** γ·x̂ + β, x̂ normalised by mean and biased variance of the sample over the units. Ba, Kiros & Hinton 2016. */
export interface LayerNormalizationSpec extends NormalizationSpec {
  type: "layerNormalization";
}

export type LayerSpec =
  | DenseSpec
  | AffineSpec
  | ScalingSpec
  | DropoutSpec
  | GaussianNoiseSpec
  | BatchNormalizationSpec
  | LayerNormalizationSpec;

export interface NetworkSpec {
  inputs: number;
  layers: readonly LayerSpec[];
  /**
   * By the last activation: softmax → crossEntropy, sigmoid → binaryCrossEntropy, else meanSquaredError. A function is called once for every
   * batch in training, which is slower and whose bits are its own; in other passes for every 512 rows (fewer in very wide networks), and
   * the mean is taken by rows. A file does not hold it: `load(bytes, { loss })`.
   */
  loss?: Loss | LossFunction;
  /**
   * Targets of a regression are learnt as (y − shift)/scale, with numbers from the training rows of the first `fit` as in ScalingSpec;
   * predictions and metrics are in the targets' units again, the loss and its gradients in scaled ones. With squaredError,
   * meanSquaredError, meanAbsoluteError, huber, logCosh, and a linear output (minMax: or tanh). None.
   */
  targetScaling?: ScalingMethod | ScalingSpec;
}

export interface ResolvedDense<I = ResolvedInitializer> {
  readonly type: "dense";
  readonly units: number;
  readonly activation: ResolvedActivation;
  readonly bias: boolean;
  readonly trainable: Trainable;
  readonly init: I;
  readonly biasInit: I;
  /** Each only where it is in force. */
  readonly l1?: number;
  readonly l2?: number;
  readonly penalizeBias?: boolean;
  readonly maxNorm?: number;
}

export interface ResolvedAffine {
  readonly type: "affine";
  readonly scale: readonly number[];
  readonly shift: readonly number[];
}

/** Without scale and shift until a fit has found them; of targets: prediction = scale∘output + shift. */
export interface ResolvedScaling {
  readonly type: ScalingMethod;
  readonly scale?: readonly number[];
  readonly shift?: readonly number[];
}

export interface ResolvedDropout {
  readonly type: "dropout";
  readonly rate: number;
}

export interface ResolvedNoise {
  readonly type: "gaussianNoise";
  readonly deviation: number;
}

export interface ResolvedNormalization {
  readonly type: "batchNormalization" | "layerNormalization";
  readonly epsilon: number;
  readonly activation: ResolvedActivation;
  readonly trainable: Trainable;
  /** Of batchNormalization alone. */
  readonly momentum?: number;
}

export type ResolvedLayer<I = ResolvedInitializer> =
  | ResolvedDense<I>
  | ResolvedAffine
  | ResolvedScaling
  | ResolvedDropout
  | ResolvedNoise
  | ResolvedNormalization;

/** A spec with every default filled in, a deep copy of what the user gave, frozen. */
export interface ResolvedSpec<I = ResolvedInitializer> {
  readonly inputs: number;
  readonly layers: readonly ResolvedLayer<I>[];
  readonly loss: ResolvedLoss;
  readonly targetScaling?: ResolvedScaling;
}

/** A resolved spec that holds no arrays of initial values: what `network.spec` shows and a file holds; a NetworkSpec. */
export type KeptSpec = ResolvedSpec<KeptInitializer>;
