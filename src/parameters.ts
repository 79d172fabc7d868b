// Parameters as the user sees them: layer by layer, without padding.
import { type Matrix, rowSource } from "./data/rows.ts";
import { nonFiniteError } from "./data/targets.ts";
import { copyVector, firstNonFinite, isArrayLike } from "./data/vector.ts";
import { kindError, valueError } from "./errors.ts";
import type { Reals } from "./memory.ts";
import type { Model } from "./model.ts";
import { optionsObject } from "./options/checks.ts";
import type { LayerWeights } from "./options/results.ts";
import type { Part, Region, Segment } from "./plan.ts";

/** Running values of batch normalisation. */
const STATISTICS = ["mean", "variance"] as const;

/** An array of a layer; undefined where the layer has none. */
export function findSegment(model: Model, layer: number, part: Part): Segment | undefined {
  return model.memory.plan.segments.find((segment) => segment.layer === layer && segment.part === part);
}

/** Copies of all layers of a region laid out as the parameters; a layer without any has W [0 × 0]. */
export function readLayers(model: Model, base: Region): LayerWeights[] {
  const { memory } = model;
  return model.spec.layers.map((_, l) => {
    const W = findSegment(model, l, "W");
    const b = findSegment(model, l, "b");
    if (W === undefined) return { W: { data: realArray(model, 0), shape: [0, 0] } };
    const matrix: Matrix = { data: memory.readSegment(base, W), shape: [W.rows, W.cols] };
    const layer: LayerWeights = b === undefined ? { W: matrix } : { W: matrix, b: memory.readSegment(base, b) };
    if (base !== memory.plan.params) return layer;
    for (const part of STATISTICS) {
      const segment = findSegment(model, l, part);
      if (segment !== undefined) layer[part] = memory.readSegment(base, segment);
    }
    return layer;
  });
}

/**
 * What `setWeights` was given, as values of the network's dtype by segment.
 * @throws TypeError, RangeError
 */
export function checkWeights(model: Model, weights: unknown): [Segment, Reals][] {
  const { layers } = model.spec;
  if (!isArrayLike(weights)) throw kindError("weights", `an array of ${layers.length} layers`, weights);
  if (weights.length !== layers.length) throw valueError("weights", `${layers.length} layers`, weights.length);
  return layers.flatMap((_, l) => checkLayer(model, weights[l], l));
}

function checkLayer(model: Model, given: unknown, l: number): [Segment, Reals][] {
  const W = findSegment(model, l, "W");
  const b = findSegment(model, l, "b");
  const name = `weights[${l}]`;
  if (W === undefined) return [];
  if (typeof given !== "object" || given === null) throw kindError(name, "{ W, b }", given);
  const statistics = STATISTICS.flatMap((part) => findSegment(model, l, part) ?? []);
  const allowed = [...(b === undefined ? ["W"] : ["W", "b"]), ...statistics.map(({ part }) => part)];
  const parts = optionsObject(name, given, { allowed });
  const { W: rows, b: bias } = parts;
  const source = rowSource(rows, `${name}.W`, W.cols);
  if (source.rows !== W.rows) throw valueError(`${name}.W`, `${W.rows} rows, one per unit`, source.rows);
  const values = realArray(model, W.rows * W.cols);
  source.copyTo(values, 0, source.rows);
  const bad = firstNonFinite(values, model.dtype);
  if (bad >= 0) {
    throw nonFiniteError(`${name}.W`, bad, W.cols, source.valueAt(Math.floor(bad / W.cols), bad % W.cols));
  }
  if (b === undefined) return [[W, values]];
  return [
    [W, values],
    [b, vector(model, bias, `${name}.b`, b.cols)],
    ...statistics.map((segment): [Segment, Reals] => {
      const at = `${name}.${segment.part}`;
      const copy = vector(model, parts[segment.part], at, segment.cols);
      const negative = segment.part === "variance" ? copy.findIndex((value) => value < 0) : -1;
      if (negative >= 0) throw valueError(`${at}[${negative}]`, "a number ≥ 0", copy[negative]);
      return [segment, copy];
    }),
  ];
}

function vector(model: Model, values: unknown, name: string, length: number): Reals {
  const copy = copyVector(values, name, length, model.dtype);
  return model.dtype === "float32" ? Float32Array.from(copy) : copy;
}

function realArray(model: Model, length: number): Reals {
  return model.dtype === "float32" ? new Float32Array(length) : new Float64Array(length);
}
