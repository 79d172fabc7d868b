// The optimizers and their options. Defaults stand in defaults.ts; formulas and their sources in assembly/optimizer.ts and
// assembly/adaptive.ts, which follow PyTorch's torch.optim where it has the method.

/** What every optimizer takes. */
interface Common {
  /** η > 0. */
  learningRate?: number;
  /**
   * λ ≥ 0 of decoupled weight decay: before its step w ← (1 − η·λ)·w, with η·λ < 1. 0; adamw 0.01, PyTorch's. Not the L2 penalty,
   * which goes through the gradient (torch.optim's `weight_decay` of the other optimizers).
   */
  weightDecay?: number;
  /** Whether biases decay too; false. PyTorch's AdamW decays them. */
  decayBias?: boolean;
}

/** w ← w − η·g. η 0.1. */
export interface SgdOptions extends Common {
  type: "sgd";
}

/** v ← μ·v + (1 − τ)·g, w ← w − η·v. η 0.02. */
export interface MomentumOptions extends Common {
  type: "momentum";
  /** μ in [0, 1); 0.9. */
  momentum?: number;
  /** τ in [0, 1), from the second step on; 0. */
  dampening?: number;
}

/** v ← μ·v + g, w ← w − η·(g + μ·v). η 0.02. */
export interface NesterovOptions extends Common {
  type: "nesterov";
  /** μ in [0, 1); 0.9. */
  momentum?: number;
}

/** s ← s + g², w ← w − η·g / (√s + ε). η 0.01. */
export interface AdagradOptions extends Common {
  type: "adagrad";
  /** ε > 0; 1e-10. */
  epsilon?: number;
}

/** Steps in the ratio of two root mean squares, of past steps and of gradients. η 1. */
export interface AdadeltaOptions extends Common {
  type: "adadelta";
  /** ρ in [0, 1); 0.9. */
  rho?: number;
  /** ε > 0; 1e-6. */
  epsilon?: number;
}

/** s ← ρ·s + (1 − ρ)·g², w ← w − η·g / (√s + ε). η 0.001. */
export interface RmspropOptions extends Common {
  type: "rmsprop";
  /** ρ in [0, 1); 0.99. */
  rho?: number;
  /** Of the steps, [0, 1); 0. */
  momentum?: number;
  /** Divides by the deviation, not by the root mean square; false. */
  centered?: boolean;
  /** ε > 0; 1e-8. */
  epsilon?: number;
}

interface Moments extends Common {
  /** β₁ in [0, 1); 0.9. */
  beta1?: number;
  /** β₂ in [0, 1); 0.999; lion 0.99. */
  beta2?: number;
}

interface AdamLike extends Moments {
  /** ε > 0; 1e-8. */
  epsilon?: number;
}

/** m ← β₁·m + (1 − β₁)·g, v ← β₂·v + (1 − β₂)·g², w ← w − η·m̂ / (√v̂ + ε), hats: bias-corrected. η 0.001. */
export interface AdamOptions extends AdamLike {
  type: "adam";
}

/** Adam with the largest v so far. η 0.001. */
export interface AmsgradOptions extends AdamLike {
  type: "amsgrad";
}

/** Adam with decoupled weight decay: adam whose `weightDecay` is 0.01 when left out. η 0.001. */
export interface AdamwOptions extends AdamLike {
  type: "adamw";
}

/** Adam with the largest recent |g| in place of √v. η 0.002. */
export interface AdamaxOptions extends AdamLike {
  type: "adamax";
}

/** Adam with Nesterov's momentum. η 0.002. */
export interface NadamOptions extends AdamLike {
  type: "nadam";
  /** ψ ≥ 0 in β₁·(1 − ½·0.96^(t·ψ)); 0.004. */
  momentumDecay?: number;
}

/** Adam that begins without v while too few gradients were seen. η 0.001. */
export interface RadamOptions extends AdamLike {
  type: "radam";
}

/** w ← w − η·sign(β₁·m + (1 − β₁)·g), m ← β₂·m + (1 − β₂)·g. η 0.0001. */
export interface LionOptions extends Moments {
  type: "lion";
}

// ── Full-batch methods: one step per epoch, from all rows ──────────────────────────────────────

/** A step size of its own for each parameter, by the signs of its last two gradients; Igel & Hüsken 2000 (iRprop−), as PyTorch. */
export interface RpropOptions {
  type: "rprop";
  /** The first step size, > 0; 0.01. */
  learningRate?: number;
  /** η⁺ > 1: while the sign stays; 1.2. */
  increase?: number;
  /** η⁻ in (0, 1): where it changes; 0.5. */
  decrease?: number;
  /** > 0; 1e-6. */
  minStep?: number;
  /** ≥ minStep; 50. */
  maxStep?: number;
}

/** Rprop that takes the last step back where the sign changes; Riedmiller & Braun 1993. */
export interface RpropPlusOptions extends Omit<RpropOptions, "type"> {
  type: "rpropPlus";
}

/** Rprop that takes it back where the sign changes and the loss rose; Igel & Hüsken 2000. */
export interface IrpropPlusOptions extends Omit<RpropOptions, "type"> {
  type: "irpropPlus";
}

/** To the minimum of a parabola through the last two gradients; Fahlman 1988. */
export interface QuickpropOptions {
  type: "quickprop";
  /** η > 0 of the share of plain descent; 0.1. */
  learningRate?: number;
  /** μ > 1: no step is larger than μ times the last; 1.75. */
  maxFactor?: number;
}

/** Gradient descent whose rate grows while the loss falls; a step after which it is too large is undone. MATLAB's traingda. */
export interface GdaOptions {
  type: "gda";
  /** The first rate, > 0; 0.01. */
  learningRate?: number;
  /** ≥ 1: the rate's factor where the loss has fallen; 1.05. */
  rateIncrease?: number;
  /** In (0, 1): its factor after a step that was undone; 0.7. */
  rateDecrease?: number;
  /** ≥ 1: loss after a step over loss before it beyond which it is undone; 1.04. */
  maxLossIncrease?: number;
}

/** gda with momentum: step ← μ·step − (1 − μ)·η·g. MATLAB's traingdx. */
export interface GdxOptions extends Omit<GdaOptions, "type"> {
  type: "gdx";
  /** μ in [0, 1); 0.9. */
  momentum?: number;
}

/** Scaled conjugate gradient: a curvature estimate in place of a line search; Møller 1993. */
export interface ScgOptions {
  type: "scg";
  /** Length of the step that estimates curvature, > 0; 5e-5. */
  sigma?: number;
  /** First λ, which keeps the Hessian positive, > 0; 5e-7. */
  lambda?: number;
}

/** Limited-memory BFGS with ten pairs and a line search for the strong Wolfe conditions; Nocedal & Wright 2006. */
export interface LbfgsOptions {
  type: "lbfgs";
}

/**
 * Levenberg–Marquardt, for the squared errors and up to some thousand parameters; Hagan & Menhaj 1994. μ and its rules as MATLAB's
 * trainlm. Always in float64: a float32 network's parameters are rounded after each step.
 */
export interface LmOptions {
  type: "lm";
  /** First μ > 0, added to the diagonal of JᵀJ; 0.001; br 0.005. */
  mu?: number;
  /** > 1: μ's factor after a step that does not lower the loss; 10. */
  muIncrease?: number;
  /** In (0, 1): its factor after one that does; 0.1. */
  muDecrease?: number;
  /** Where μ would be larger, training ends; 1e10. */
  maxMu?: number;
  /** Trainable parameters for which matrices are made, 16·P² bytes; 2000. */
  maxParameters?: number;
}

/**
 * Bayesian regularisation: lm on β·Σe² + α·Σw², α and β from the evidence after every step; MacKay 1992, Foresee & Hagan 1997, MATLAB's
 * trainbr.
 */
export interface BrOptions extends Omit<LmOptions, "type"> {
  type: "br";
}

type OptimizerOptions =
  | SgdOptions
  | MomentumOptions
  | NesterovOptions
  | AdagradOptions
  | AdadeltaOptions
  | RmspropOptions
  | AdamOptions
  | AmsgradOptions
  | AdamwOptions
  | AdamaxOptions
  | NadamOptions
  | RadamOptions
  | LionOptions
  | RpropOptions
  | RpropPlusOptions
  | IrpropPlusOptions
  | QuickpropOptions
  | GdaOptions
  | GdxOptions
  | ScgOptions
  | LbfgsOptions
  | LmOptions
  | BrOptions;

export type OptimizerName = OptimizerOptions["type"];

/** Methods that need the gradient of all rows: `batchSize` is "full". */
export const FULL_BATCH: readonly OptimizerName[] = [
  "rprop",
  "rpropPlus",
  "irpropPlus",
  "quickprop",
  "gda",
  "gdx",
  "scg",
  "lbfgs",
  "lm",
  "br",
];

/** Of these, those that look at the loss behind a step before they take it. */
export const SEARCHING: readonly OptimizerName[] = ["gda", "gdx", "scg", "lbfgs", "lm", "br"];

/** Of these, those that need every output's gradient of every row. */
export const LEAST_SQUARES: readonly OptimizerName[] = ["lm", "br"];

/** A name (with the defaults of our table) or the options of one. */
export type Optimizer = OptimizerName | OptimizerOptions;

type Complete<T> = T extends unknown ? Readonly<Required<T>> : never;

/** An optimizer with every option filled in, frozen. */
export type ResolvedOptimizer = Complete<OptimizerOptions>;
