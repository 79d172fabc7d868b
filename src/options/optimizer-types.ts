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
  | LionOptions;

export type OptimizerName = OptimizerOptions["type"];

/** A name (with the defaults of our table) or the options of one. */
export type Optimizer = OptimizerName | OptimizerOptions;

type Complete<T> = T extends unknown ? Readonly<Required<T>> : never;

/** An optimizer with every option filled in, frozen. */
export type ResolvedOptimizer = Complete<OptimizerOptions>;
