// Scaling of inputs and targets that the first fit finds.
import { copyVector } from "../data/vector.ts";
import { kindError } from "../errors.ts";
import { list, oneOf, optionsObject } from "./checks.ts";
import { type LossName, lossName, type ResolvedLoss } from "./loss.ts";
import type { DType } from "./network.ts";
import type { ResolvedLayer, ResolvedScaling } from "./spec-types.ts";

export const SCALING_METHODS = ["standardize", "minMax", "robust"] as const;
/** What a column is scaled to: see ScalingSpec. */
export type ScalingMethod = (typeof SCALING_METHODS)[number];

/** Losses of a difference between target and output. */
const LOSSES_OF_DIFFERENCES: readonly LossName[] = [
  "squaredError",
  "meanSquaredError",
  "meanAbsoluteError",
  "huber",
  "logCosh",
];

export function isScalingMethod(type: unknown): type is ScalingMethod {
  return (SCALING_METHODS as readonly unknown[]).includes(type);
}

/** Whether the layer is a scaling that no fit has found yet. */
export function isUnfitted(scaling: ResolvedLayer<unknown> | ResolvedScaling | undefined): scaling is ResolvedScaling {
  return scaling !== undefined && isScalingMethod(scaling.type) && !("scale" in scaling);
}

/** `{ type, scale?, shift? }` with `count` columns. @throws TypeError, RangeError */
export function resolveScaling(given: object, type: ScalingMethod, name: string, count: number, dtype: DType) {
  const allowed = ["type", "scale", "shift"];
  const { scale, shift } = optionsObject(name, given, { allowed, reserved: ["id", "from"] });
  if (scale === undefined && shift === undefined) return Object.freeze({ type });
  return Object.freeze({ type, ...copyAffine(scale, shift, name, count, dtype) });
}

/** @throws TypeError, RangeError */
export function copyAffine(scale: unknown, shift: unknown, name: string, count: number, dtype: DType) {
  return {
    scale: Object.freeze(Array.from(copyVector(scale, `${name}.scale`, count, dtype))),
    shift: Object.freeze(Array.from(copyVector(shift, `${name}.shift`, count, dtype))),
  };
}

/** @throws TypeError, RangeError */
export function resolveTargetScaling(
  given: unknown,
  output: { readonly units: number; readonly activation: string; readonly loss: ResolvedLoss },
  dtype: DType,
): ResolvedScaling {
  const name = "targetScaling";
  const isObject = typeof given === "object" && given !== null;
  if (!isObject && typeof given !== "string") throw kindError(name, `${list(SCALING_METHODS, "or")}`, given);
  const at = isObject ? `${name}.type` : name;
  const type = oneOf(at, isObject ? (given as { type?: unknown }).type : given, SCALING_METHODS);
  const { units, activation, loss } = output;
  if (!LOSSES_OF_DIFFERENCES.includes(lossName(loss))) {
    const losses = list(LOSSES_OF_DIFFERENCES, "or");
    throw new RangeError(`${name}: expected none with the loss ${lossName(loss)}; it goes with ${losses}`);
  }
  if (activation !== "linear" && !(activation === "tanh" && type === "minMax")) {
    throw new RangeError(`${name}: expected a linear output (minMax: or tanh), got ${activation}`);
  }
  if (!isObject) return Object.freeze({ type });
  const scaling: ResolvedScaling = resolveScaling(given, type, name, units, dtype);
  const bad = scaling.scale?.findIndex((value) => !(value > 0)) ?? -1;
  if (bad >= 0) throw new RangeError(`${name}.scale[${bad}]: expected a number > 0, got ${scaling.scale?.[bad]}`);
  return scaling;
}
