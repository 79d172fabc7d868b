import type { Matrix } from "../data/rows.ts";
import { kindError } from "../errors.ts";
import { booleanOf, integerIn, oneOf, optionsObject } from "./checks.ts";
import type { Clipping } from "./clipping.ts";
import { LIMITS, NETWORK_DEFAULTS } from "./defaults.ts";
import type { LossFunction } from "./loss.ts";
import type { MetricName } from "./metrics.ts";
import type { Optimizer } from "./optimizer-types.ts";

export type DType = "float32" | "float64";

/** "auto": simd, or js where SIMD or compiling is missing; never relaxed. */
export type Core = "auto" | "simd" | "relaxed" | "js";

export interface NetworkOptions {
  /** Of every random draw; a safe integer ≥ 0; 0. */
  seed?: number;
  /** Of the arithmetic and of every array that comes back; "float32". */
  dtype?: DType;
  /** "auto". */
  core?: Core;
}

export type ResolvedNetworkOptions = Readonly<Required<NetworkOptions>>;

export interface LoadOptions {
  /** "auto". */
  core?: Core;
  /** Of a network whose loss is a function: without it the network predicts, and neither trains nor evaluates. */
  loss?: LossFunction;
}

export interface SaveOptions {
  /** Save the optimizer and its state too; true. */
  optimizer?: boolean;
}

export interface StepOptions extends Clipping {
  /** Left out: the one last used, with its options and state; `adam` if there was none. */
  optimizer?: Optimizer;
  /** One number ≥ 0 per row of x, at least one above 0; scaled to a mean of 1. */
  sampleWeights?: ArrayLike<number>;
}

/** Options of `evaluate`. */
export interface EvaluateOptions {
  /** Rows count alike in all of them. */
  metrics?: readonly MetricName[];
  /** One number ≥ 0 per row of x, at least one above 0. */
  sampleWeights?: ArrayLike<number>;
}

/** Options of `check`. */
export interface CheckOptions {
  /** How many parameters are checked, spread evenly over all; 1 or more; 1000. */
  parameters?: number;
}

/** Options of `diagnose`. */
export interface DiagnoseOptions {
  /** Left out: the one last used; adam if there was none. */
  optimizer?: Optimizer;
}

/** Options of `predict`. */
export interface PredictOptions {
  /** Takes the result: [rows × outputs] in the network's dtype, not overlapping x. */
  into?: Matrix;
}

export const DTYPES: readonly DType[] = ["float32", "float64"];
const CORES: readonly Core[] = ["auto", "simd", "relaxed", "js"];

/** @throws TypeError, RangeError */
export function resolveNetworkOptions(options: unknown = {}, name = "create"): ResolvedNetworkOptions {
  const { seed, dtype, core } = optionsObject(name, options, { allowed: ["seed", "dtype", "core"] });
  return Object.freeze({
    seed: seed === undefined ? NETWORK_DEFAULTS.seed : integerIn("seed", seed, 0, LIMITS.seed),
    dtype: dtype === undefined ? NETWORK_DEFAULTS.dtype : oneOf("dtype", dtype, DTYPES),
    core: resolveCore(core),
  });
}

/** @throws TypeError, RangeError */
export function resolveLoadOptions(
  options: unknown = {},
  name = "load",
): { readonly core: Core; readonly loss: LossFunction | undefined } {
  const { core, loss } = optionsObject(name, options, { allowed: ["core", "loss"] });
  if (loss !== undefined && typeof loss !== "function") throw kindError("loss", "a function", loss);
  return Object.freeze({ core: resolveCore(core), loss: loss as LossFunction | undefined });
}

/** @throws TypeError */
export function resolveSaveOptions(options: unknown = {}, name = "save"): Readonly<Required<SaveOptions>> {
  const { optimizer } = optionsObject(name, options, { allowed: ["optimizer"] });
  return Object.freeze({ optimizer: optimizer === undefined ? true : booleanOf("optimizer", optimizer) });
}

function resolveCore(core: unknown): Core {
  return core === undefined ? NETWORK_DEFAULTS.core : oneOf("core", core, CORES);
}
