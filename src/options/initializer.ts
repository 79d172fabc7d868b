import { type Rows, rowSource } from "../data/rows.ts";
import { nonFiniteError } from "../data/targets.ts";
import { copyVector, firstNonFinite, isArrayLike } from "../data/vector.ts";
import { kindError } from "../errors.ts";
import { list, numberThat, oneOf, optionsObject, rounded } from "./checks.ts";
import type { DType } from "./network.ts";

/** Rules without options. */
type PlainName =
  | "zeros"
  | "xavierUniform"
  | "xavierNormal"
  | "heUniform"
  | "heNormal"
  | "lecunUniform"
  | "lecunNormal"
  | "nguyenWidrow";

export type InitializerName = PlainName | "truncatedNormal" | "orthogonal" | "identity";

/** An initialiser that is not an array: a name, draws from [−ε, ε], or one value everywhere. */
export type InitializerRule =
  | InitializerName
  | { type: PlainName }
  | { type: "uniform"; epsilon: number }
  | { type: "constant"; value: number }
  /** Mean 0, cut off at two deviations; deviation > 0, 0.05 as in Keras. */
  | { type: "truncatedNormal"; deviation?: number }
  /** Of W: orthonormal rows or columns, the fewer of them, times gain > 0 (1). Saxe, McClelland & Ganguli 2014. */
  | { type: "orthogonal"; gain?: number }
  /** Of W: gain (1) on the diagonal, 0 elsewhere. */
  | { type: "identity"; gain?: number };

/** Of W: a rule, or the values themselves as rows [units][inputs of the layer]. */
export type Initializer = InitializerRule | Rows;

/** Of b: a rule (with the fans of the layer), or the values themselves, one per unit. */
export type BiasInitializer = InitializerRule | ArrayLike<number>;

export type ResolvedInitializer =
  | { readonly type: PlainName }
  | { readonly type: "uniform"; readonly epsilon: number }
  | { readonly type: "constant"; readonly value: number }
  | { readonly type: "truncatedNormal"; readonly deviation: number }
  | { readonly type: "orthogonal" | "identity"; readonly gain: number }
  /** W row-major [units × inputs of the layer] or b [units]: a copy, finite in the dtype, not yet rounded to it. */
  | { readonly type: "values"; readonly values: Float64Array };

/** What a spec keeps when the network is made: values given as an array have become weights. */
export type KeptInitializer = Exclude<ResolvedInitializer, { readonly type: "values" }>;

const NAMES: readonly PlainName[] = [
  "zeros",
  "xavierUniform",
  "xavierNormal",
  "heUniform",
  "heNormal",
  "lecunUniform",
  "lecunNormal",
  "nguyenWidrow",
];
/** Rules whose options can be left out: a name is enough. */
const WITH_OPTIONS = ["truncatedNormal", "orthogonal", "identity"] as const;
const OF_WEIGHTS: readonly string[] = ["orthogonal", "identity"];
const ALL = [...NAMES, ...WITH_OPTIONS];

/** @throws TypeError, RangeError */
export function resolveInitializer(
  init: unknown,
  name: string,
  units: number,
  nIn: number,
  dtype: DType,
): ResolvedInitializer {
  if (isRule(init)) return resolveRule(init, name, dtype);
  if (typeof init !== "object" || init === null) throw kindError(name, `${list(ALL, "or")}, or rows`, init);
  const source = rowSource(init, name, nIn);
  if (source.rows !== units) throw new RangeError(`${name}: expected ${units} rows, one per unit, got ${source.rows}`);
  const values = new Float64Array(units * nIn);
  source.copyTo(values, 0, units);
  const bad = firstNonFinite(values, dtype);
  if (bad >= 0) throw nonFiniteError(name, bad, nIn, values[bad]);
  return Object.freeze({ type: "values", values });
}

function resolveScaled(
  type: (typeof WITH_OPTIONS)[number],
  init: unknown,
  name: string,
  dtype: DType,
): ResolvedInitializer {
  const key = type === "truncatedNormal" ? "deviation" : "gain";
  const given = optionsObject(name, init, { allowed: ["type", key] })[key];
  const holds = (value: number) => rounded(value, dtype) > 0 && Number.isFinite(rounded(2 * value, dtype));
  const expected = `a number > 0 and finite in ${dtype}`;
  const byDefault = type === "truncatedNormal" ? 0.05 : 1;
  const value = numberThat(`${name}.${key}`, given === undefined ? byDefault : given, expected, holds);
  return Object.freeze(type === "truncatedNormal" ? { type, deviation: value } : { type, gain: value });
}

/** @throws TypeError, RangeError */
export function resolveBiasInitializer(init: unknown, name: string, units: number, dtype: DType): ResolvedInitializer {
  const ofBias = ALL.filter((rule) => !OF_WEIGHTS.includes(rule));
  if (isRule(init)) return resolveRule(init, name, dtype, ofBias);
  if (!isArrayLike(init)) throw kindError(name, `${list(ofBias, "or")}, or an array of ${units} numbers`, init);
  return Object.freeze({ type: "values", values: copyVector(init, name, units, dtype) });
}

function isRule(init: unknown): boolean {
  if (typeof init === "string") return true;
  return typeof init === "object" && init !== null && !isArrayLike(init) && !("data" in init);
}

function resolveRule(init: unknown, name: string, dtype: DType, rules: readonly string[] = ALL): ResolvedInitializer {
  if (typeof init === "string") {
    const known = oneOf(name, init, rules) as (typeof ALL)[number];
    return resolveRule({ type: known }, name, dtype, rules);
  }
  const given = (init as { type?: unknown }).type;
  const type = oneOf(`${name}.type`, given, [...rules, "uniform", "constant"]) as
    | (typeof ALL)[number]
    | "uniform"
    | "constant";
  if (type === "truncatedNormal" || type === "orthogonal" || type === "identity") {
    return resolveScaled(type, init, name, dtype);
  }
  if (type === "uniform") {
    const { epsilon } = optionsObject(name, init, { allowed: ["type", "epsilon"] });
    const holds = (value: number) => rounded(value, dtype) > 0 && Number.isFinite(rounded(value, dtype));
    const expected = `a number > 0 and finite in ${dtype}`;
    return Object.freeze({ type, epsilon: numberThat(`${name}.epsilon`, epsilon, expected, holds) });
  }
  if (type === "constant") {
    const { value } = optionsObject(name, init, { allowed: ["type", "value"] });
    const holds = (number: number) => Number.isFinite(rounded(number, dtype));
    const expected = `a number that is finite in ${dtype}`;
    return Object.freeze({ type, value: numberThat(`${name}.value`, value, expected, holds) });
  }
  optionsObject(name, init, { allowed: ["type"] });
  return Object.freeze({ type });
}
