// Activation functions: names, options, and what follows from the choice of one.
import { numberThat, oneOf, optionsObject, rounded } from "./checks.ts";
import { SPEC_DEFAULTS } from "./defaults.ts";
import type { DType } from "./network.ts";

export type ActivationName = "linear" | "sigmoid" | "tanh" | "relu" | "leakyRelu" | "softmax";

export type Activation =
  | ActivationName
  | { type: Exclude<ActivationName, "leakyRelu"> }
  /** x < 0 ? alpha·x : x; alpha 0…1, 0.01. */
  | { type: "leakyRelu"; alpha?: number };

export type ResolvedActivation =
  | { readonly type: Exclude<ActivationName, "leakyRelu"> }
  | { readonly type: "leakyRelu"; readonly alpha: number };

export const ACTIVATIONS: readonly ActivationName[] = ["linear", "sigmoid", "tanh", "relu", "leakyRelu", "softmax"];

/** @throws TypeError, RangeError for what is no activation. */
export function resolveActivation(activation: unknown, name: string, dtype: DType): ResolvedActivation {
  const isObject = typeof activation === "object" && activation !== null;
  const given = isObject ? (activation as { type?: unknown }).type : activation;
  const type = oneOf(isObject ? `${name}.type` : name, given, ACTIVATIONS);
  if (type !== "leakyRelu") {
    if (isObject) optionsObject(name, activation, { allowed: ["type"] });
    return Object.freeze({ type });
  }
  const { alpha } = isObject ? optionsObject(name, activation, { allowed: ["type", "alpha"] }) : {};
  if (alpha === undefined) return Object.freeze({ type, alpha: SPEC_DEFAULTS.alpha });
  const inRange = (value: number) => value >= 0 && rounded(value, dtype) <= 1;
  return Object.freeze({ type, alpha: numberThat(`${name}.alpha`, alpha, "a number from 0 to 1", inRange) });
}

/** By activation: He's for the relu family, else Xavier's. */
export function initFor(activation: ActivationName): "heUniform" | "xavierUniform" {
  return activation === "relu" || activation === "leakyRelu" ? "heUniform" : "xavierUniform";
}
