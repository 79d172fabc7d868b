// Public names and types, nothing else.

export {
  type AsyncCoreInput,
  type CoreInput,
  type CoreSources,
  init,
  initSync,
  type ResponseLike,
  type URLLike,
} from "./core/init.ts";
export type { Matrix, Rows, Targets } from "./data/rows.ts";
export { type DivergedQuantity, DivergenceError } from "./errors.ts";
export type { Diagnosis, Finding, FindingKind, LayerDiagnosis } from "./inspection/diagnosis.ts";
export type { RangeTest, RangeTestOptions } from "./inspection/range-test.ts";
export { Network } from "./network.ts";
export type { Activation, ActivationName, ResolvedActivation } from "./options/activation.ts";
export type { Clipping } from "./options/clipping.ts";
export type { AbortSignalLike, FitOptions, Validation } from "./options/fit.ts";
export type {
  BiasInitializer,
  Initializer,
  InitializerName,
  InitializerRule,
  KeptInitializer,
} from "./options/initializer.ts";
export type { CrossEntropyLoss, HuberLoss, Loss, LossFunction, LossName, ResolvedLoss } from "./options/loss.ts";
export type { ClassMetric, MetricName, MetricValues, RegressionMetric } from "./options/metrics.ts";
export type { Names } from "./options/names.ts";
export type {
  CheckOptions,
  Core,
  DiagnoseOptions,
  DType,
  EvaluateOptions,
  LoadOptions,
  NetworkOptions,
  PredictOptions,
  SaveOptions,
  StepOptions,
} from "./options/network.ts";
export type {
  AdadeltaOptions,
  AdagradOptions,
  AdamaxOptions,
  AdamOptions,
  AdamwOptions,
  AmsgradOptions,
  BrOptions,
  GdaOptions,
  GdxOptions,
  IrpropPlusOptions,
  LbfgsOptions,
  LionOptions,
  LmOptions,
  MomentumOptions,
  NadamOptions,
  NesterovOptions,
  Optimizer,
  OptimizerName,
  QuickpropOptions,
  RadamOptions,
  ResolvedOptimizer,
  RmspropOptions,
  RpropOptions,
  RpropPlusOptions,
  ScgOptions,
  SgdOptions,
} from "./options/optimizer-types.ts";
export type {
  EpochReport,
  Evaluation,
  GradientCheck,
  History,
  LayerWeights,
  LayerWeightsLike,
  Metrics,
} from "./options/results.ts";
export type { ScalingMethod } from "./options/scaling.ts";
export type { EarlyStopping, Monitor, Schedule, Span } from "./options/schedule.ts";
export type {
  AffineSpec,
  BatchNormalizationSpec,
  DenseSpec,
  DropoutSpec,
  GaussianNoiseSpec,
  KeptSpec,
  LayerNormalizationSpec,
  LayerSpec,
  NetworkSpec,
  ScalingSpec,
  Trainable,
} from "./options/spec.ts";
