// Weights of samples.
import { copyVector } from "./vector.ts";

/**
 * A copy of `weights`, checked.
 * @throws TypeError for another kind, RangeError for another length, a number below 0, or nothing above 0
 */
export function copyWeights(weights: unknown, name: string, rows: number): Float64Array {
  const copy = Float64Array.from(copyVector(weights, name, rows, "float64"));
  const negative = copy.findIndex((weight) => weight < 0);
  if (negative >= 0) throw new RangeError(`${name}: expected numbers ≥ 0, got ${copy[negative]} in row ${negative}`);
  if (!copy.some((weight) => weight > 0))
    throw new RangeError(`${name}: expected a number above 0 in some row, got none`);
  return copy;
}

/** Scaled to a mean of 1, in place. @throws RangeError where all of them are 0 */
export function toMeanOne(weights: Float64Array): Float64Array {
  let sum = 0;
  for (const weight of weights) sum += weight;
  if (!(sum > 0))
    throw new RangeError("sampleWeights: expected a number above 0 among the rows that are trained on, got none");
  const factor = weights.length / sum;
  for (let i = 0; i < weights.length; i++) weights[i] = (weights[i] as number) * factor;
  return weights;
}

/** As the core takes them; undefined where none are given. @throws TypeError, RangeError */
export function weightsOf(given: unknown, rows: number): Float64Array | undefined {
  return given === undefined ? undefined : toMeanOne(copyWeights(given, "sampleWeights", rows));
}
