// A saved network's bytes → what a prediction needs. Looks at those fields of the file alone that a prediction depends on
// (docs/format.md), and fills in what a layer leaves out: resolveSpec of src/options/ would be half of the entry's code.
import type { Reals } from "../data/rows.ts";
import { isArrayLike } from "../data/vector.ts";
import { kindError } from "../errors.ts";
import { decodeParameters } from "../formats/network.ts";
import { type ResolvedActivation, resolveActivation } from "../options/activation.ts";
import { booleanOf, integerIn, numberThat, oneOf } from "../options/checks.ts";
import { LIMITS } from "../options/defaults.ts";
import type { DType } from "../options/network.ts";

/** a = scale ∘ x + shift. */
export interface Scaling {
  readonly scale: Float64Array;
  readonly shift: Float64Array;
}

/** `units` is the width of what comes out; of all but dense layers that of what goes in, too. */
export type PredictingLayer =
  | { readonly kind: "dense"; readonly units: number; readonly bias: boolean; readonly activation: ResolvedActivation }
  | { readonly kind: "affine"; readonly units: number; readonly scaling: Scaling }
  | {
      readonly kind: "batchNormalization" | "layerNormalization";
      readonly units: number;
      readonly epsilon: number;
      readonly activation: ResolvedActivation;
    };

export interface PredictingNetwork {
  readonly dtype: DType;
  readonly inputs: number;
  readonly outputs: number;
  /** Without those that do nothing in a prediction. */
  readonly layers: readonly PredictingLayer[];
  readonly targetScaling: Scaling | undefined;
  /** As in the chunk WGHT. */
  readonly parameters: Reals;
}

const TYPES = [
  "dense",
  "affine",
  "standardize",
  "minMax",
  "robust",
  "dropout",
  "gaussianNoise",
  "batchNormalization",
  "layerNormalization",
] as const;

/** @throws TypeError for what is no Uint8Array, RangeError for bytes that are not a whole, undamaged file */
export function readPredictor(bytes: unknown): PredictingNetwork {
  return decodeParameters(bytes, readSpec);
}

function readSpec(value: unknown) {
  const { spec, dtype: named } = fields("file", value);
  const dtype = oneOf("dtype", named, ["float32", "float64"]);
  const given = fields("spec", spec);
  const inputs = integerIn("inputs", given.inputs, 1, LIMITS.units);
  if (!Array.isArray(given.layers)) throw kindError("layers", "an array of layers", given.layers);
  const layers: PredictingLayer[] = [];
  let count = 0;
  let nIn = inputs;
  for (const [index, layer] of given.layers.entries()) {
    const read = readLayer(fields(`layers[${index}]`, layer), `layers[${index}]`, nIn, dtype);
    if (read === undefined) continue;
    layers.push(read);
    count += parametersOf(read, nIn);
    nIn = read.units;
  }
  if (layers.at(-1)?.kind !== "dense") throw new RangeError("layers: expected a dense layer at the end");
  const { targetScaling: scaling } = given;
  const targetScaling =
    scaling === undefined ? undefined : readScaling(fields("targetScaling", scaling), "targetScaling", nIn);
  return { dtype, inputs, outputs: nIn, layers, targetScaling, count };
}

/** Undefined for a layer that passes on what it reads. */
function readLayer(
  layer: Record<string, unknown>,
  name: string,
  nIn: number,
  dtype: DType,
): PredictingLayer | undefined {
  const type = layer.type === undefined ? "dense" : oneOf(`${name}.type`, layer.type, TYPES);
  if (type === "dropout" || type === "gaussianNoise") return undefined;
  if (type !== "dense" && type !== "batchNormalization" && type !== "layerNormalization") {
    const scaling = readScaling(layer, name, nIn);
    return scaling && { kind: "affine", units: nIn, scaling };
  }
  const { activation: f = "linear", bias = true, epsilon = 1e-5 } = layer;
  const activation = resolveActivation(f, `${name}.activation`, dtype);
  if (type === "dense") {
    const units = integerIn(`${name}.units`, layer.units, 1, LIMITS.units);
    return { kind: type, units, bias: booleanOf(`${name}.bias`, bias), activation };
  }
  if (activation.type === "softmax") throw new RangeError(`${name}.activation: expected one of a hidden layer`);
  const positive = numberThat(`${name}.epsilon`, epsilon, "a number > 0", (value) => value > 0);
  return { kind: type, units: nIn, epsilon: positive, activation };
}

function parametersOf(layer: PredictingLayer, nIn: number): number {
  if (layer.kind === "dense") return layer.units * (nIn + (layer.bias ? 1 : 0));
  if (layer.kind === "affine") return 0;
  return nIn * (layer.kind === "batchNormalization" ? 4 : 2);
}

/** Undefined before the fit that finds it. */
function readScaling({ scale, shift }: Record<string, unknown>, name: string, cols: number): Scaling | undefined {
  if (scale === undefined && shift === undefined) return undefined;
  return { scale: numbers(`${name}.scale`, scale, cols), shift: numbers(`${name}.shift`, shift, cols) };
}

function numbers(name: string, values: unknown, count: number): Float64Array {
  if (!isArrayLike(values)) throw kindError(name, `${count} numbers`, values);
  if (values.length !== count) throw new RangeError(`${name}: expected ${count} numbers, got ${values.length}`);
  return Float64Array.from(values, (value, i) => numberThat(`${name}[${i}]`, value, "a number", () => true));
}

function fields(name: string, value: unknown): Record<string, unknown> {
  if (typeof value !== "object" || value === null) throw kindError(name, "an object", value);
  return value as Record<string, unknown>;
}
