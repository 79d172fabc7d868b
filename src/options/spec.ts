import { copyVector, isArrayLike } from "../data/vector.ts";
import { kindError, valueError } from "../errors.ts";
import { ACTIVATIONS, type Activation, initFor, type ResolvedActivation, resolveActivation } from "./activation.ts";
import { booleanOf, integerIn, list, numberThat, oneOf, optionsObject, rounded } from "./checks.ts";
import { LIMITS, SPEC_DEFAULTS } from "./defaults.ts";
import {
  type BiasInitializer,
  type Initializer,
  type KeptInitializer,
  type ResolvedInitializer,
  resolveBiasInitializer,
  resolveInitializer,
} from "./initializer.ts";
import { type Loss, type ResolvedLoss, resolveLoss } from "./loss.ts";
import type { DType } from "./network.ts";

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

export type LayerSpec = DenseSpec | AffineSpec;

export interface NetworkSpec {
  inputs: number;
  layers: readonly LayerSpec[];
  /** By the last activation: softmax → crossEntropy, sigmoid → binaryCrossEntropy, else meanSquaredError. */
  loss?: Loss;
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

export type ResolvedLayer<I = ResolvedInitializer> = ResolvedDense<I> | ResolvedAffine;

/** A spec with every default filled in, a deep copy of what the user gave, frozen. */
export interface ResolvedSpec<I = ResolvedInitializer> {
  readonly inputs: number;
  readonly layers: readonly ResolvedLayer<I>[];
  readonly loss: ResolvedLoss;
}

/** A resolved spec that holds no arrays of initial values: what `network.spec` shows and a file holds; a NetworkSpec. */
export type KeptSpec = ResolvedSpec<KeptInitializer>;

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
const AFFINE_KEYS = { allowed: ["type", "scale", "shift"], reserved: ["id", "from"] };

/**
 * Fills in what was left out and checks all of it; numbers must be finite in the dtype too.
 * A resolved spec (without initial values) resolves to itself.
 * @throws TypeError for another kind or an unknown option, RangeError for a value out of range.
 */
export function resolveSpec(spec: unknown, dtype: DType = "float64"): ResolvedSpec {
  const { inputs: given, layers, loss } = optionsObject("spec", spec, { allowed: ["inputs", "layers", "loss"] });
  const inputs = integerIn("inputs", given, 1, LIMITS.units);
  if (!isArrayLike(layers)) throw kindError("layers", "an array of layers", layers);
  const count = layers.length;
  if (count === 0) throw new RangeError("layers: expected at least one dense layer, got none");
  if (count > LIMITS.layers) throw new RangeError(`layers: expected at most ${LIMITS.layers} layers, got ${count}`);
  const resolved: ResolvedLayer[] = [];
  let nIn = inputs;
  for (let i = 0; i < count; i++) {
    const layer = resolveLayer(layers[i], `layers[${i}]`, nIn, i === count - 1, resolved.at(-1)?.type, dtype);
    resolved.push(layer);
    nIn = widthOf(layer);
  }
  const last = resolved.at(-1) as ResolvedLayer;
  if (last.type !== "dense") throw new RangeError("layers: expected a dense layer at the end, got affine layers alone");
  return Object.freeze({
    inputs,
    layers: Object.freeze(resolved),
    loss: resolveLoss(loss, last.activation.type, last.units, dtype),
  });
}

function resolveLayer(
  layer: unknown,
  name: string,
  nIn: number,
  isLast: boolean,
  before: "dense" | "affine" | undefined,
  dtype: DType,
): ResolvedLayer {
  if (typeof layer !== "object" || layer === null || isArrayLike(layer)) throw kindError(name, "a layer object", layer);
  const given = (layer as { type?: unknown }).type;
  const type = given === undefined ? "dense" : oneOf(`${name}.type`, given, ["dense", "affine"]);
  if (type === "dense") return resolveDense(layer, name, nIn, isLast, dtype);
  if (before === "dense") {
    throw new RangeError(`${name}: expected a dense layer after a dense layer, got an affine one`);
  }
  return resolveAffine(layer, name, nIn, dtype);
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

/** Whether the loss in training has a penalty. */
export function hasPenalty(spec: ResolvedSpec): boolean {
  return spec.layers.some((layer) => layer.type === "dense" && (layer.l1 !== undefined || layer.l2 !== undefined));
}

function resolveAffine(layer: object, name: string, nIn: number, dtype: DType): ResolvedAffine {
  const { scale, shift } = optionsObject(name, layer, AFFINE_KEYS);
  return Object.freeze({
    type: "affine",
    scale: Object.freeze(Array.from(copyVector(scale, `${name}.scale`, nIn, dtype))),
    shift: Object.freeze(Array.from(copyVector(shift, `${name}.shift`, nIn, dtype))),
  });
}

/** @throws TypeError, RangeError; also the check of `setTrainable` */
export function resolveTrainable(trainable: unknown, name: string, bias: boolean): Trainable {
  const expected = bias ? "true, false, 'weights' or 'bias'" : "true, false or 'weights' (the layer has no bias)";
  if (typeof trainable === "boolean" || trainable === "weights") return trainable;
  if (trainable === "bias" && bias) return trainable;
  throw typeof trainable === "string" ? valueError(name, expected, trainable) : kindError(name, expected, trainable);
}

function widthOf(layer: ResolvedLayer): number {
  return layer.type === "dense" ? layer.units : layer.scale.length;
}

/** Units of the last layer. */
export function outputsOf(spec: ResolvedSpec): number {
  return widthOf(spec.layers.at(-1) as ResolvedLayer);
}

/** Weights and biases of all dense layers, trainable or not. A double: it may be far more than fits in memory. */
export function parameterCount(spec: ResolvedSpec): number {
  let count = 0;
  let nIn = spec.inputs;
  for (const layer of spec.layers) {
    if (layer.type === "dense") count += layer.units * (nIn + (layer.bias ? 1 : 0));
    nIn = widthOf(layer);
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
