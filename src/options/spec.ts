import { isArrayLike } from "../data/vector.ts";
import { kindError, valueError } from "../errors.ts";
import { ACTIVATIONS, initFor, resolveActivation } from "./activation.ts";
import { booleanOf, integerIn, list, numberThat, oneOf, optionsObject, rounded } from "./checks.ts";
import { LIMITS, SPEC_DEFAULTS } from "./defaults.ts";
import {
  type KeptInitializer,
  type ResolvedInitializer,
  resolveBiasInitializer,
  resolveInitializer,
} from "./initializer.ts";
import { resolveLoss } from "./loss.ts";
import type { DType } from "./network.ts";
import {
  copyAffine,
  isScalingMethod,
  isUnfitted,
  resolveScaling,
  resolveTargetScaling,
  SCALING_METHODS,
} from "./scaling.ts";
import type {
  KeptSpec,
  ResolvedAffine,
  ResolvedDense,
  ResolvedLayer,
  ResolvedNormalization,
  ResolvedScaling,
  ResolvedSpec,
  Trainable,
} from "./spec-types.ts";

export type * from "./spec-types.ts";

/** Layers with parameters that training may change. */
export function hasParameters<I>(
  layer: ResolvedLayer<I> | undefined,
): layer is ResolvedDense<I> | ResolvedNormalization {
  return layer?.type === "dense" || isNormalization(layer);
}

export function isNormalization(layer: ResolvedLayer<unknown> | undefined): layer is ResolvedNormalization {
  return layer?.type === "batchNormalization" || layer?.type === "layerNormalization";
}

const DENSE_KEYS = {
  allowed: [
    "type",
    "units",
    "activation",
    "bias",
    "trainable",
    "init",
    "biasInit",
    "l1",
    "l2",
    "penalizeBias",
    "maxNorm",
  ],
  reserved: ["id", "from"],
};
const LAYER_TYPES = [
  "dense",
  "affine",
  ...SCALING_METHODS,
  "dropout",
  "gaussianNoise",
  "batchNormalization",
  "layerNormalization",
] as const;
const AFFINE_KEYS = { allowed: ["type", "scale", "shift"], reserved: ["id", "from"] };

/**
 * Fills in what was left out and checks all of it; numbers must be finite in the dtype too.
 * A resolved spec (without initial values) resolves to itself.
 * @throws TypeError for another kind or an unknown option, RangeError for a value out of range.
 */
export function resolveSpec(spec: unknown, dtype: DType = "float64"): ResolvedSpec {
  const allowed = ["inputs", "layers", "loss", "targetScaling"];
  const { inputs: given, layers, loss, targetScaling } = optionsObject("spec", spec, { allowed });
  const inputs = integerIn("inputs", given, 1, LIMITS.units);
  if (!isArrayLike(layers)) throw kindError("layers", "an array of layers", layers);
  const count = layers.length;
  if (count === 0) throw new RangeError("layers: expected at least one dense layer, got none");
  if (count > LIMITS.layers) throw new RangeError(`layers: expected at most ${LIMITS.layers} layers, got ${count}`);
  const resolved: ResolvedLayer[] = [];
  let nIn = inputs;
  for (let i = 0; i < count; i++) {
    const begun = resolved.find((before) => !isFixed(before))?.type;
    const layer = resolveLayer(layers[i], `layers[${i}]`, nIn, i === count - 1, begun, dtype);
    resolved.push(layer);
    nIn = widthOf(layer, nIn);
  }
  const last = resolved.at(-1) as ResolvedLayer;
  if (last.type !== "dense") {
    const others = resolved.every(isFixed) ? "affine layers alone" : last.type;
    throw new RangeError(`layers: expected a dense layer at the end, got ${others}`);
  }
  const { activation, units } = last;
  const checkedLoss = resolveLoss(loss, activation.type, units, dtype);
  const output = { units, activation: activation.type, loss: checkedLoss };
  return Object.freeze({
    inputs,
    layers: Object.freeze(resolved),
    loss: checkedLoss,
    ...(targetScaling !== undefined && { targetScaling: resolveTargetScaling(targetScaling, output, dtype) }),
  });
}

function resolveLayer(
  layer: unknown,
  name: string,
  nIn: number,
  isLast: boolean,
  before: ResolvedLayer["type"] | undefined,
  dtype: DType,
): ResolvedLayer {
  if (typeof layer !== "object" || layer === null || isArrayLike(layer)) throw kindError(name, "a layer object", layer);
  const given = (layer as { type?: unknown }).type;
  const type = given === undefined ? "dense" : oneOf(`${name}.type`, given, LAYER_TYPES);
  if (type === "dense") return resolveDense(layer, name, nIn, isLast, dtype);
  if (isScalingMethod(type)) {
    if (name !== "layers[0]")
      throw new RangeError(`${name}: expected ${type} as the first layer, got it after another`);
    return resolveScaling(layer, type, name, nIn, dtype);
  }
  if (type !== "affine") return resolveOther(layer, type, name, dtype);
  if (before === "dense") {
    throw new RangeError(`${name}: expected a dense layer after a dense layer, got an affine one`);
  }
  if (before !== undefined)
    throw new RangeError(`${name}: expected affine layers at the beginning, got one after ${before}`);
  return resolveAffine(layer, name, nIn, dtype);
}

function resolveOther(
  layer: object,
  type: "dropout" | "gaussianNoise" | "batchNormalization" | "layerNormalization",
  name: string,
  dtype: DType,
): ResolvedLayer {
  if (type === "dropout") {
    const { rate } = optionsObject(name, layer, { allowed: ["type", "rate"] });
    const within = (value: number) => value >= 0 && value < 1;
    return Object.freeze({ type, rate: numberThat(`${name}.rate`, rate, "a number ≥ 0 and < 1", within) });
  }
  const positive = (value: number) => rounded(value, dtype) > 0 && Number.isFinite(rounded(value, dtype));
  const expected = `a number > 0 and finite in ${dtype}`;
  if (type === "gaussianNoise") {
    const { deviation } = optionsObject(name, layer, { allowed: ["type", "deviation"] });
    return Object.freeze({ type, deviation: numberThat(`${name}.deviation`, deviation, expected, positive) });
  }
  const own = type === "batchNormalization" ? ["momentum"] : [];
  const given = optionsObject(name, layer, { allowed: ["type", "epsilon", "activation", "trainable", ...own] });
  const { epsilon = 1e-5, momentum = 0.1, trainable = SPEC_DEFAULTS.trainable } = given;
  const { activation: f = SPEC_DEFAULTS.activation } = given;
  const activation = resolveActivation(f, `${name}.activation`, dtype);
  if (activation.type === "softmax")
    throw new RangeError(`${name}.activation: expected one of a hidden layer, got 'softmax'`);
  const share = (value: number) => value > 0 && value <= 1;
  return Object.freeze({
    type,
    epsilon: numberThat(`${name}.epsilon`, epsilon, expected, positive),
    activation,
    trainable: resolveTrainable(trainable, `${name}.trainable`, true),
    ...(own.length > 0 && { momentum: numberThat(`${name}.momentum`, momentum, "a number > 0 and ≤ 1", share) }),
  });
}

function resolveDense(layer: object, name: string, nIn: number, isLast: boolean, dtype: DType): ResolvedDense {
  const given = optionsObject(name, layer, DENSE_KEYS);
  const { units: width, activation: f = SPEC_DEFAULTS.activation, init, trainable = SPEC_DEFAULTS.trainable } = given;
  const { bias: hasBias = SPEC_DEFAULTS.bias, biasInit } = given;
  const units = integerIn(`${name}.units`, width, 1, LIMITS.units);
  const activation = resolveActivation(f, `${name}.activation`, dtype);
  if (activation.type === "softmax" && !isLast) {
    const others = list(ACTIVATIONS.slice(0, -1), "or");
    throw new RangeError(`${name}.activation: expected ${others} in a hidden layer, got 'softmax'`);
  }
  const bias = booleanOf(`${name}.bias`, hasBias);
  const weights = resolveInitializer(
    init === undefined ? initFor(activation.type) : init,
    `${name}.init`,
    units,
    nIn,
    dtype,
  );
  const biases = biasInit === undefined ? biasInitFor(weights) : biasInit;
  return Object.freeze({
    type: "dense",
    units,
    activation,
    bias,
    trainable: resolveTrainable(trainable, `${name}.trainable`, bias),
    init: weights,
    biasInit: resolveBiasInitializer(biases, `${name}.biasInit`, units, dtype),
    ...resolveLimits(given, name, bias, dtype),
  });
}

/** nguyenWidrow spreads the units' active regions by their biases. */
function biasInitFor({ type }: ResolvedInitializer): "nguyenWidrow" | "zeros" {
  return type === "nguyenWidrow" ? type : SPEC_DEFAULTS.biasInit;
}

/** Penalties and the largest norm, those that are in force. */
function resolveLimits(
  given: Record<string, unknown>,
  name: string,
  bias: boolean,
  dtype: DType,
): Pick<ResolvedDense, "l1" | "l2" | "penalizeBias" | "maxNorm"> {
  const { l1: one = 0, l2: two = 0, penalizeBias = false, maxNorm } = given;
  const finite = (value: number) => Number.isFinite(rounded(2 * value, dtype));
  const factor = (value: number) => value >= 0 && finite(value);
  const l1 = numberThat(`${name}.l1`, one, `a number ≥ 0 and finite in ${dtype}`, factor);
  const l2 = numberThat(`${name}.l2`, two, `a number ≥ 0 and finite in ${dtype}`, factor);
  const biases = booleanOf(`${name}.penalizeBias`, penalizeBias);
  if (biases && !bias) throw new RangeError(`${name}.penalizeBias: expected false, as the layer has no bias, got true`);
  const positive = (value: number) => value > 0 && finite(value);
  const norm =
    maxNorm === undefined
      ? {}
      : { maxNorm: numberThat(`${name}.maxNorm`, maxNorm, `a number > 0 and finite in ${dtype}`, positive) };
  return { ...(l1 > 0 && { l1 }), ...(l2 > 0 && { l2 }), ...(biases && { penalizeBias: true }), ...norm };
}

/** The first layer that changes the loss from step to step, and the first that needs batches, in words. */
export function batchLayers({ layers }: ResolvedSpec): { random: string | undefined; batch: string | undefined } {
  const first = (types: readonly string[]) => {
    const l = layers.findIndex(({ type }) => types.includes(type));
    return l < 0 ? undefined : `layers[${l}], ${layers[l]?.type}`;
  };
  return { random: first(["dropout", "gaussianNoise", "batchNormalization"]), batch: first(["batchNormalization"]) };
}

/** Whether the loss in training has a penalty. */
export function hasPenalty(spec: ResolvedSpec): boolean {
  return spec.layers.some((layer) => layer.type === "dense" && (layer.l1 !== undefined || layer.l2 !== undefined));
}

function resolveAffine(layer: object, name: string, nIn: number, dtype: DType): ResolvedAffine {
  const { scale, shift } = optionsObject(name, layer, AFFINE_KEYS);
  return Object.freeze({ type: "affine", ...copyAffine(scale, shift, name, nIn, dtype) });
}

/** Layers a = scale∘x + shift that no gradient changes. */
export function isFixed(layer: ResolvedLayer<unknown> | undefined): layer is ResolvedAffine | ResolvedScaling {
  return layer !== undefined && (layer.type === "affine" || isScalingMethod(layer.type));
}

/** The scaling that waits for the first fit, in words. */
export function unfittedScaling({ layers, targetScaling }: ResolvedSpec): string | undefined {
  if (isUnfitted(layers[0])) return `layers[0], ${layers[0].type},`;
  return isUnfitted(targetScaling) ? `targetScaling, ${targetScaling.type},` : undefined;
}

/** @throws TypeError, RangeError; also the check of `setTrainable` */
export function resolveTrainable(trainable: unknown, name: string, bias: boolean): Trainable {
  const expected = bias ? "true, false, 'weights' or 'bias'" : "true, false or 'weights' (the layer has no bias)";
  if (typeof trainable === "boolean" || trainable === "weights") return trainable;
  if (trainable === "bias" && bias) return trainable;
  throw typeof trainable === "string" ? valueError(name, expected, trainable) : kindError(name, expected, trainable);
}

/** Units of a layer that reads nIn. */
export function widthOf(layer: ResolvedLayer<unknown>, nIn: number): number {
  return layer.type === "dense" ? layer.units : nIn;
}

/** Units of the last layer. */
export function outputsOf(spec: ResolvedSpec): number {
  return (spec.layers.at(-1) as ResolvedDense).units;
}

/** Values that a file holds: parameters of all layers, trainable or not, and running statistics. A double: it may be far more than fits. */
export function parameterCount(spec: ResolvedSpec): number {
  let count = 0;
  let nIn = spec.inputs;
  for (const layer of spec.layers) {
    if (layer.type === "dense") count += layer.units * (nIn + (layer.bias ? 1 : 0));
    else if (isNormalization(layer)) count += (layer.type === "batchNormalization" ? 4 : 2) * nIn;
    nIn = widthOf(layer, nIn);
  }
  return count;
}

/**
 * The spec without initial values that were given as arrays, which the weights have replaced: such a layer gets the
 * initialiser it would have had by default. Safe to show and to save.
 */
export function withoutValues(spec: ResolvedSpec): KeptSpec {
  const layers = spec.layers.map((layer): ResolvedLayer<KeptInitializer> => {
    if (layer.type !== "dense") return layer;
    const init = layer.init.type === "values" ? ({ type: initFor(layer.activation.type) } as const) : layer.init;
    const biasInit = layer.biasInit.type === "values" ? ({ type: SPEC_DEFAULTS.biasInit } as const) : layer.biasInit;
    return Object.freeze({ ...layer, init: Object.freeze(init), biasInit: Object.freeze(biasInit) });
  });
  return Object.freeze({ ...spec, layers: Object.freeze(layers) });
}
