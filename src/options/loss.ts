// Losses: names, options, and the output activations each goes with. Formulas stand in assembly/abi.ts, assembly/loss.ts and
// assembly/output-loss.ts.
import type { Matrix, Rows } from "../data/rows.ts";
import { copyVector } from "../data/vector.ts";
import type { ActivationName } from "./activation.ts";
import { list, numberThat, oneOf, optionsObject, rounded } from "./checks.ts";
import { LOSS_DEFAULTS } from "./defaults.ts";
import type { DType } from "./network.ts";

export type LossName =
  | "squaredError"
  | "meanSquaredError"
  | "meanAbsoluteError"
  | "huber"
  | "logCosh"
  | "crossEntropy"
  | "binaryCrossEntropy"
  | "kullbackLeibler"
  | "hinge"
  | "squaredHinge"
  | "poisson"
  | "custom";

/**
 * A loss of one's own: the mean over the batch's samples and its gradient ∂loss/∂output [samples × outputs], from the outputs and targets of
 * a batch, copies in the network's dtype. With one output the gradient may be a flat array.
 */
export type LossFunction = (output: Matrix, target: Matrix) => { loss: number; gradient: Rows | ArrayLike<number> };

type CrossEntropyName = "crossEntropy" | "binaryCrossEntropy";

export interface HuberLoss {
  type: "huber";
  /** δ > 0: quadratic up to this error, linear beyond; 1. */
  delta?: number;
}

export interface CrossEntropyLoss {
  type: CrossEntropyName;
  /** 0 ≤ s < 1: targets become (1 − s)·y + s/classes, of binaryCrossEntropy (1 − s)·y + s/2; 0. */
  labelSmoothing?: number;
  /**
   * A number ≥ 0 per class, at least one above 0; binaryCrossEntropy: of 0 and of 1, for every output. A sample's loss is
   * −Σ cₖ·yₖ·log pₖ, and the mean divides by the number of samples (torch.nn.CrossEntropyLoss divides by the weights' sum). All 1.
   */
  classWeights?: ArrayLike<number>;
}

/** A name, or an object with options; `{ type }` alone is the name. "custom": what a spec shows for a function. */
export type Loss = LossName | HuberLoss | CrossEntropyLoss | { type: Exclude<LossName, "huber" | CrossEntropyName> };

/** A plain name where no option differs from its default. */
export type ResolvedLoss =
  | LossName
  | { readonly type: "huber"; readonly delta: number }
  | { readonly type: CrossEntropyName; readonly labelSmoothing: number; readonly classWeights?: readonly number[] };

export function lossName(loss: ResolvedLoss): LossName {
  return typeof loss === "string" ? loss : loss.type;
}

/** Whether the loss is computed from net inputs. */
export function readsNetInput(loss: ResolvedLoss): boolean {
  const name = lossName(loss);
  return name === "crossEntropy" || name === "binaryCrossEntropy" || name === "kullbackLeibler";
}

/** Each loss with the output activations it goes with; null: all. */
const LOSSES: Readonly<Record<LossName, readonly ActivationName[] | null>> = {
  squaredError: null,
  meanSquaredError: null,
  meanAbsoluteError: null,
  huber: null,
  logCosh: null,
  crossEntropy: ["softmax"],
  binaryCrossEntropy: ["sigmoid"],
  kullbackLeibler: ["softmax"],
  hinge: ["linear", "tanh"],
  squaredHinge: ["linear", "tanh"],
  poisson: ["softplus"],
  custom: null,
};
const LOSS_NAMES = Object.keys(LOSSES) as LossName[];
/** Those that messages name. */
const OWN_NAMES = LOSS_NAMES.filter((name) => name !== "custom");

/** @throws TypeError, RangeError for what is no loss, or does not go with the output's activation. */
export function resolveLoss(given: unknown, output: ActivationName, units: number, dtype: DType): ResolvedLoss {
  if (given === undefined) {
    if (output === "softmax") return "crossEntropy";
    return output === "sigmoid" ? "binaryCrossEntropy" : "meanSquaredError";
  }
  if (typeof given === "function") return "custom";
  const isObject = typeof given === "object" && given !== null;
  const name = isObject ? (given as { type?: unknown }).type : given;
  if (name === "custom") return name;
  const type = oneOf(isObject ? "loss.type" : "loss", name, OWN_NAMES);
  const outputs = LOSSES[type];
  if (outputs !== null && !outputs.includes(output)) {
    const admissible = OWN_NAMES.filter((name) => LOSSES[name]?.includes(output) ?? true);
    throw new RangeError(
      `loss: expected ${list(admissible, "or")} with a ${output} output, got '${type}', ` +
        `which goes only with ${list(outputs, "or")}`,
    );
  }
  return isObject ? withOptions(type, given, units, dtype) : type;
}

function withOptions(type: LossName, given: object, units: number, dtype: DType): ResolvedLoss {
  if (type === "huber") {
    const { delta = LOSS_DEFAULTS.delta } = optionsObject("loss", given, { allowed: ["type", "delta"] });
    const positive = (value: number) => rounded(value, dtype) > 0 && Number.isFinite(rounded(value, dtype));
    const checked = numberThat("loss.delta", delta, "a finite number > 0", positive);
    return checked === LOSS_DEFAULTS.delta ? type : Object.freeze({ type, delta: checked });
  }
  if (type !== "crossEntropy" && type !== "binaryCrossEntropy") {
    optionsObject("loss", given, { allowed: ["type"] });
    return type;
  }
  const allowed = ["type", "labelSmoothing", "classWeights"];
  const { labelSmoothing = 0, classWeights } = optionsObject("loss", given, { allowed });
  const inRange = (value: number) => value >= 0 && value < 1;
  const smoothing = numberThat("loss.labelSmoothing", labelSmoothing, "a number ≥ 0 and < 1", inRange);
  if (classWeights === undefined) return smoothing === 0 ? type : Object.freeze({ type, labelSmoothing: smoothing });
  const classes = type === "crossEntropy" ? units : 2;
  const weights = Array.from(copyVector(classWeights, "loss.classWeights", classes, dtype));
  const negative = weights.findIndex((weight) => weight < 0);
  if (negative >= 0) {
    throw new RangeError(`loss.classWeights: expected numbers ≥ 0, got ${weights[negative]} at ${negative}`);
  }
  if (!weights.some((weight) => weight > 0)) {
    throw new RangeError("loss.classWeights: expected at least one number above 0, got none");
  }
  return Object.freeze({ type, labelSmoothing: smoothing, classWeights: Object.freeze(weights) });
}
