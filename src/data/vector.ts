import { kindError, valueError } from "../errors.ts";

/** A value that has a length and numbered elements; strings and functions do not count. */
export function isArrayLike(value: unknown): value is ArrayLike<unknown> {
  if (typeof value !== "object" || value === null) return false;
  if (Array.isArray(value)) return true;
  const { length } = value as { length?: unknown };
  return typeof length === "number" && Number.isSafeInteger(length) && length >= 0;
}

/**
 * A copy of `length` numbers, finite also after rounding to the dtype (the copy is not rounded).
 * @throws TypeError for another kind, RangeError for another length or a number that is not finite.
 */
export function copyVector(value: unknown, name: string, length: number, dtype: "float32" | "float64"): Float64Array {
  const expected = `${length} number${length === 1 ? "" : "s"}`;
  if (!isArrayLike(value)) throw kindError(name, `an array of ${expected}`, value);
  if (value.length !== length) throw new RangeError(`${name}: expected ${expected}, got ${value.length}`);
  const copy = new Float64Array(length);
  for (let i = 0; i < length; i++) {
    const element = value[i];
    if (typeof element !== "number") throw kindError(`${name}[${i}]`, "a number", element);
    copy[i] = element;
  }
  const bad = firstNonFinite(copy, dtype);
  if (bad >= 0) throw valueError(`${name}[${bad}]`, `a number that is finite in ${dtype}`, copy[bad]);
  return copy;
}

/** Index of the first value that is not finite after rounding to the dtype; −1 if all are. */
export function firstNonFinite(values: ArrayLike<number>, dtype: "float32" | "float64"): number {
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number;
    if (!Number.isFinite(dtype === "float32" ? Math.fround(value) : value)) return i;
  }
  return -1;
}
