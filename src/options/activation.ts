// Activation functions: names, options, and what follows from the choice of one. Formulas stand in assembly/activation.ts.
import { numberThat, oneOf, optionsObject, rounded } from "./checks.ts";
import { ACTIVATION_DEFAULTS } from "./defaults.ts";
import type { DType } from "./network.ts";

export type ActivationName =
  | "linear"
  | "sigmoid"
  | "tanh"
  | "relu"
  | "leakyRelu"
  | "elu"
  | "selu"
  | "gelu"
  | "silu"
  | "softplus"
  | "softsign"
  | "mish"
  | "hardSigmoid"
  | "hardSwish"
  | "relu6"
  | "softmax";

type WithAlpha = "leakyRelu" | "elu";

export type Activation =
  | ActivationName
  | { type: Exclude<ActivationName, WithAlpha> }
  /** x < 0 ? alpha·x : x; alpha 0…1, 0.01. */
  | { type: "leakyRelu"; alpha?: number }
  /** x < 0 ? alpha·(e^x − 1) : x; alpha > 0, 1. */
  | { type: "elu"; alpha?: number };

export type ResolvedActivation =
  | { readonly type: Exclude<ActivationName, WithAlpha> }
  | { readonly type: WithAlpha; readonly alpha: number };

export const ACTIVATIONS: readonly ActivationName[] = [
  "linear",
  "sigmoid",
  "tanh",
  "relu",
  "leakyRelu",
  "elu",
  "selu",
  "gelu",
  "silu",
  "softplus",
  "softsign",
  "mish",
  "hardSigmoid",
  "hardSwish",
  "relu6",
  "softmax",
];

const ALPHAS: Readonly<Record<WithAlpha, { expected: string; holds: (alpha: number) => boolean }>> = {
  leakyRelu: { expected: "a number from 0 to 1", holds: (alpha) => alpha >= 0 && alpha <= 1 },
  elu: { expected: "a finite number > 0", holds: (alpha) => alpha > 0 && alpha < Number.POSITIVE_INFINITY },
};

/** @throws TypeError, RangeError for what is no activation. */
export function resolveActivation(activation: unknown, name: string, dtype: DType): ResolvedActivation {
  const isObject = typeof activation === "object" && activation !== null;
  const given = isObject ? (activation as { type?: unknown }).type : activation;
  const type = oneOf(isObject ? `${name}.type` : name, given, ACTIVATIONS);
  if (type !== "leakyRelu" && type !== "elu") {
    if (isObject) optionsObject(name, activation, { allowed: ["type"] });
    return Object.freeze({ type });
  }
  const { alpha } = isObject ? optionsObject(name, activation, { allowed: ["type", "alpha"] }) : {};
  if (alpha === undefined) return Object.freeze({ type, alpha: ACTIVATION_DEFAULTS[type].alpha });
  const { expected, holds } = ALPHAS[type];
  const inRange = (value: number) => holds(value) && holds(rounded(value, dtype));
  return Object.freeze({ type, alpha: numberThat(`${name}.alpha`, alpha, expected, inRange) });
}

/** Whether the derivative is computed from the net input, which is kept then. */
export function keepsNetInput({ type }: ResolvedActivation): boolean {
  return type === "gelu" || type === "silu" || type === "mish" || type === "hardSwish";
}

const HE: readonly ActivationName[] = [
  "relu",
  "leakyRelu",
  "elu",
  "gelu",
  "silu",
  "mish",
  "hardSwish",
  "relu6",
  "softplus",
];

/** By activation: He's for the relu family, LeCun's normal for selu (Klambauer et al. 2017), else Xavier's. */
export function initFor(activation: ActivationName): "heUniform" | "lecunNormal" | "xavierUniform" {
  if (activation === "selu") return "lecunNormal";
  return HE.includes(activation) ? "heUniform" : "xavierUniform";
}
