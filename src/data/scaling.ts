// Affine scaling of columns: its numbers from statistics of the columns, and its use on targets and predictions.
import type { ResolvedScaling } from "../options/spec.ts";
import type { Reals } from "./rows.ts";

/** a = scale·x + shift of one column. */
export interface ColumnScaling {
  readonly scale: number;
  readonly shift: number;
}

/** What `standardize` and `minMax` need to know of a column; `squares`: Σ(x − mean)². */
export interface ColumnSums {
  readonly rows: number;
  readonly min: number;
  readonly max: number;
  readonly mean: number;
  readonly squares: number;
}

/** The three quartiles of ascending values, interpolated linearly (numpy's and R's default, type 7 of Hyndman & Fan 1996). */
export function quartiles(sorted: Float64Array): [number, number, number] {
  const at = (share: number): number => {
    const place = share * (sorted.length - 1);
    const below = Math.floor(place);
    const low = sorted[below] as number;
    const high = sorted[Math.min(below + 1, sorted.length - 1)] as number;
    return low + (place - below) * (high - low);
  };
  return [at(0.25), at(0.5), at(0.75)];
}

/** The spread that becomes 1 and the centre that becomes 0; a spread of 0: the column is constant. */
export function centreAndSpread(
  type: ResolvedScaling["type"],
  { rows, min, max, mean, squares }: ColumnSums,
  sorted: () => Float64Array,
): { centre: number; spread: number } {
  if (min === max) return { centre: min, spread: 0 };
  if (type === "minMax") return { centre: min / 2 + max / 2, spread: max / 2 - min / 2 };
  const deviation = Math.sqrt(squares / rows);
  if (type === "standardize") return { centre: mean, spread: deviation };
  const [low, middle, high] = quartiles(sorted());
  return { centre: middle, spread: high > low ? high - low : deviation };
}

/** Targets of rows of `scale.length` values to what the network learns, in place; nothing where no scaling is known. */
export function scaleTargets(values: Reals, { scale, shift }: ResolvedScaling): void {
  if (scale === undefined || shift === undefined) return;
  const cols = scale.length;
  for (let i = 0; i < values.length; i++) {
    values[i] = ((values[i] as number) - (shift[i % cols] as number)) / (scale[i % cols] as number);
  }
}

/** Outputs of rows of `scale.length` values back to the targets' units, in place. */
export function unscaleOutputs(values: Reals, { scale, shift }: ResolvedScaling): void {
  if (scale === undefined || shift === undefined) return;
  const cols = scale.length;
  for (let i = 0; i < values.length; i++) {
    values[i] = (values[i] as number) * (scale[i % cols] as number) + (shift[i % cols] as number);
  }
}
