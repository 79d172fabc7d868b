import { kindError, valueError } from "../errors.ts";
import { nearestName } from "./nearest.ts";

/** The real number nearest to `value` that the dtype holds. */
export function rounded(value: number, dtype: "float32" | "float64"): number {
  return dtype === "float32" ? Math.fround(value) : value;
}

interface Keys {
  readonly allowed: readonly string[];
  /** Names that later versions will accept. */
  readonly reserved?: readonly string[];
  /** Names that belong into one of the allowed options: name → option. */
  readonly inside?: Readonly<Record<string, string>>;
}

/**
 * `value` as an object that has known keys alone. A key that is `undefined` counts as left out.
 * @throws TypeError for another kind, and for a key that is not known, with the nearest one that is.
 */
export function optionsObject(name: string, value: unknown, keys: Keys): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value) || ArrayBuffer.isView(value)) {
    throw kindError(name, `an object with ${list(keys.allowed, "and")}`, value);
  }
  for (const key of Object.keys(value)) {
    if (!keys.allowed.includes(key)) throw unknownKey(name, key, keys);
  }
  return value as Record<string, unknown>;
}

function unknownKey(name: string, key: string, { allowed, reserved = [], inside = {} }: Keys): TypeError {
  if (reserved.includes(key)) return new TypeError(`${name}: '${key}' is not available in this version`);
  const nearest = nearestName(key, [...allowed, ...Object.keys(inside)]);
  const shown = key.length > 40 ? `${key.slice(0, 40)}…` : key;
  const problem = `${name}: unknown option '${shown}'`;
  if (nearest === undefined) return new TypeError(`${problem}; the options are ${list(allowed, "and")}`);
  const home = allowed.includes(nearest) ? "" : ` inside '${inside[nearest]}'`;
  return new TypeError(`${problem}, did you mean '${nearest}'${home}?`);
}

/** @throws TypeError for no string, RangeError for a string that is not one of `names`. */
export function oneOf<T extends string>(name: string, value: unknown, names: readonly T[]): T {
  if (typeof value !== "string") throw kindError(name, list(names, "or"), value);
  if ((names as readonly string[]).includes(value)) return value as T;
  const { message } = valueError(name, list(names, "or"), value);
  const nearest = nearestName(value, names);
  throw new RangeError(nearest === undefined ? message : `${message}, did you mean '${nearest}'?`);
}

/** @throws TypeError for no number, RangeError outside `min…max` or with a fraction. */
export function integerIn(name: string, value: unknown, min: number, max: number): number {
  const expected = `an integer from ${min} to ${max}`;
  if (typeof value !== "number") throw kindError(name, expected, value);
  if (!Number.isInteger(value) || value < min || value > max) throw valueError(name, expected, value);
  return value;
}

/** A number that satisfies `test`, finite to begin with. */
export function numberThat(name: string, value: unknown, expected: string, test: (value: number) => boolean): number {
  if (typeof value !== "number") throw kindError(name, expected, value);
  if (!Number.isFinite(value) || !test(value)) throw valueError(name, expected, value);
  return value;
}

export function booleanOf(name: string, value: unknown): boolean {
  if (typeof value !== "boolean") throw kindError(name, "true or false", value);
  return value;
}

/** "a, b or c". */
export function list(words: readonly string[], last: "and" | "or"): string {
  if (words.length < 2) return words.join();
  return `${words.slice(0, -1).join(", ")} ${last} ${words.at(-1)}`;
}
