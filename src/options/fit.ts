import type { Rows, Targets } from "../data/rows.ts";
import { validationCount } from "../data/split.ts";
import { kindError, valueError } from "../errors.ts";
import { booleanOf, integerIn, numberThat, optionsObject } from "./checks.ts";
import { CLIPPING_KEYS, type Clipping, type ResolvedClipping, resolveClipping } from "./clipping.ts";
import { FIT_DEFAULTS, LIMITS } from "./defaults.ts";
import { type MetricName, resolveMetrics } from "./metrics.ts";
import type { DType } from "./network.ts";
import {
  FULL_BATCH,
  OPTIMIZER_KEYS,
  type Optimizer,
  optimizerOrLast,
  type ResolvedOptimizer,
  SEARCHING,
} from "./optimizer.ts";
import type { EpochReport } from "./results.ts";
import {
  type EarlyStopping,
  type ResolvedEarlyStopping,
  type ResolvedSchedule,
  resolveEarlyStopping,
  resolveSchedule,
  type Schedule,
} from "./schedule.ts";
import type { ResolvedSpec } from "./spec.ts";

/** The part of an AbortSignal that is used, so that types need no DOM library. */
export interface AbortSignalLike {
  readonly aborted: boolean;
  readonly reason: unknown;
  addEventListener(type: "abort", listener: () => void): void;
  removeEventListener(type: "abort", listener: () => void): void;
}

/** Held-back data: rows of their own, or a share of the training rows between 0 and 1. */
export type Validation = number | { x: Rows; y: Targets };

export interface FitOptions extends Clipping {
  /** Passes over the data, 1…2³¹−1; 100. */
  epochs?: number;
  /**
   * Samples per step; 32, "full" for full-batch methods. More than the rows means all rows; `"full"`: all rows in the given order.
   */
  batchSize?: number | "full";
  /** Left out: the one last used, with its options and state; `adam` if there was none. */
  optimizer?: Optimizer;
  /** A new order of the rows in every epoch; true. */
  shuffle?: boolean;
  validation?: Validation;
  /**
   * One number ≥ 0 per row of x, at least one above 0: a sample's share in the loss. Scaled to a mean of 1 over the rows that are trained
   * on; the loss of a step is Σ w·ℓ / B. Rows held back for validation count alike.
   */
  sampleWeights?: ArrayLike<number>;
  /**
   * Computed after every epoch for the validation rows, or where there are none in a pass of its own over the rows that are trained on;
   * into `validation` or `metrics` of its report.
   */
  metrics?: readonly MetricName[];
  /** Finds scaling layers and targetScaling anew in these training rows; false: only the first fit finds them. */
  refit?: boolean;
  /** The learning rate of each step; left out: the optimizer's for all. */
  schedule?: Schedule | undefined;
  /** Ends training with the epoch whose loss in training is at most this; ≥ 0. */
  goal?: number;
  /**
   * Ends training with the step whose gradient's norm (penalty included, before clipping by norm) is at most this; ≥ 0. Only with
   * batchSize "full" or all rows.
   */
  minGradient?: number;
  /** Ends training when a value no longer improves; true: with the defaults. */
  earlyStopping?: EarlyStopping | boolean;
  /** Called after every epoch; a promise is awaited. */
  onEpoch?: ((report: EpochReport) => unknown) | undefined;
  signal?: AbortSignalLike | undefined;
  /** Steps of this call; when given, `epochs` has no effect. */
  maxSteps?: number;
  /** Ends the call after the step in which this time is over. Best effort: clocks can stand still. */
  maxSeconds?: number;
}

export interface ResolvedFitOptions extends ResolvedClipping {
  /** LIMITS.epochs when `maxSteps` was given. */
  readonly epochs: number;
  /** 1…rows that are trained on. */
  readonly batchSize: number;
  readonly optimizer: ResolvedOptimizer;
  /** false for `batchSize: "full"`. */
  readonly shuffle: boolean;
  readonly validation:
    | { readonly kind: "none" }
    | { readonly kind: "fraction"; readonly fraction: number; readonly rows: number }
    | { readonly kind: "data"; readonly x: unknown; readonly y: unknown };
  /** As given; data/ checks them. */
  readonly sampleWeights: unknown;
  readonly metrics: readonly MetricName[];
  readonly refit: boolean;
  readonly schedule: ResolvedSchedule | undefined;
  readonly goal: number | undefined;
  readonly minGradient: number | undefined;
  readonly earlyStopping: ResolvedEarlyStopping | undefined;
  readonly onEpoch: ((report: EpochReport) => unknown) | undefined;
  readonly signal: AbortSignalLike | undefined;
  /** undefined: no limit. */
  readonly maxSteps: number | undefined;
  /** Infinity: no limit. */
  readonly maxSeconds: number;
}

const KEYS = {
  allowed: [
    "epochs",
    "batchSize",
    "optimizer",
    "shuffle",
    "validation",
    "sampleWeights",
    "metrics",
    "refit",
    "schedule",
    "goal",
    "minGradient",
    "earlyStopping",
    ...CLIPPING_KEYS,
    "onEpoch",
    "signal",
    "maxSteps",
    "maxSeconds",
  ],
  reserved: ["shards"],
  inside: OPTIMIZER_KEYS,
};

export interface FitContext {
  /** Rows of `x`, 1 or more. */
  readonly rows: number;
  readonly dtype: DType;
  /** Metrics are checked against it. */
  readonly spec?: ResolvedSpec;
  /** Whether the network has a scaling that a fit finds. */
  readonly scales?: boolean;
  /** Layers that work with batches alone. */
  readonly layers?: { readonly random: string | undefined; readonly batch: string | undefined };
  /** Whether outputs are classes, so that accuracy is counted. */
  readonly classes?: boolean;
  /** The optimizer last used, if any. */
  readonly last?: ResolvedOptimizer | undefined;
}

/**
 * Fills in what was left out. `validation: { x, y }` is handed on as it is: data/ checks it.
 * @throws TypeError for another kind or an unknown option, RangeError for a value out of range.
 */
export function resolveFitOptions(options: unknown = {}, context: FitContext, name = "fit"): ResolvedFitOptions {
  const given = optionsObject(name, options, KEYS);
  const { epochs, shuffle, maxSteps, maxSeconds } = given;
  const validation = resolveValidation(given.validation, context.rows);
  const trainingRows = context.rows - (validation.kind === "fraction" ? validation.rows : 0);
  const optimizer = optimizerOrLast(given.optimizer, context.last, context.dtype);
  const wholeBatch = FULL_BATCH.includes(optimizer.type);
  const wantedBatch = given.batchSize === undefined && wholeBatch ? "full" : given.batchSize;
  const batchSize = resolveBatchSize(wantedBatch, trainingRows);
  if (wholeBatch) checkFullBatch(given, optimizer, batchSize, trainingRows, context.layers?.random);
  if (context.layers?.batch !== undefined) checkBatches(context.layers.batch, batchSize, trainingRows);
  const metrics = context.spec === undefined ? [] : resolveMetrics(given.metrics, context.spec);
  const has = { validation: validation.kind !== "none", accuracy: context.classes ?? false, metrics };
  const checkedEpochs = epochs === undefined ? FIT_DEFAULTS.epochs : integerIn("epochs", epochs, 1, LIMITS.epochs);
  const checkedShuffle = shuffle === undefined ? FIT_DEFAULTS.shuffle : booleanOf("shuffle", shuffle);
  return Object.freeze({
    epochs: maxSteps === undefined ? checkedEpochs : LIMITS.epochs,
    batchSize,
    optimizer,
    shuffle: checkedShuffle && wantedBatch !== "full" && !wholeBatch,
    validation,
    sampleWeights: given.sampleWeights,
    metrics,
    refit: resolveRefit(given.refit, context.scales ?? false),
    schedule: resolveSchedule(given.schedule, has),
    goal: given.goal === undefined ? undefined : numberThat("goal", given.goal, "a finite number ≥ 0", (x) => x >= 0),
    minGradient: resolveMinGradient(given.minGradient, batchSize, trainingRows),
    ...resolveClipping(given, context.dtype),
    earlyStopping: resolveEarlyStopping(given.earlyStopping, has),
    onEpoch: resolveOnEpoch(given.onEpoch),
    signal: resolveSignal(given.signal),
    maxSteps: maxSteps === undefined ? undefined : integerIn("maxSteps", maxSteps, 1, LIMITS.steps),
    maxSeconds: maxSeconds === undefined ? Number.POSITIVE_INFINITY : resolveSeconds(maxSeconds),
  });
}

function resolveRefit(given: unknown, scales: boolean): boolean {
  const refit = given === undefined ? false : booleanOf("refit", given);
  if (refit && !scales) {
    throw new RangeError(
      "refit: expected false for a network without a standardize, minMax or robust layer and without targetScaling, got true",
    );
  }
  return refit;
}

function resolveBatchSize(batchSize: unknown, trainingRows: number): number {
  if (batchSize === "full") return trainingRows;
  if (batchSize === undefined) return Math.min(FIT_DEFAULTS.batchSize, trainingRows);
  const expected = `an integer from 1 to ${LIMITS.batchSize}, or "full"`;
  if (typeof batchSize !== "number") throw kindError("batchSize", expected, batchSize);
  if (!Number.isInteger(batchSize) || batchSize < 1 || batchSize > LIMITS.batchSize) {
    throw valueError("batchSize", expected, batchSize);
  }
  return Math.min(batchSize, trainingRows);
}

/** What a full-batch method does not go with. */
function checkFullBatch(
  given: Record<string, unknown>,
  { type }: ResolvedOptimizer,
  batchSize: number,
  rows: number,
  layer: string | undefined,
): void {
  if (layer !== undefined) {
    throw new TypeError(`optimizer: '${type}' expects layers whose loss is the same in every step, got ${layer}`);
  }
  if (batchSize < rows) {
    throw new RangeError(`batchSize: expected "full" with optimizer '${type}', got ${batchSize} of ${rows} rows`);
  }
  if (given.schedule !== undefined) {
    throw new TypeError(`schedule: expected none with optimizer '${type}', which makes its own step sizes`);
  }
  const clip = CLIPPING_KEYS.find((key) => given[key] !== undefined);
  if (clip !== undefined && SEARCHING.includes(type)) {
    throw new TypeError(`${clip}: expected none with optimizer '${type}', which needs the loss's own gradient`);
  }
}

/** Every batch has two samples at least. */
function checkBatches(layer: string, batchSize: number, rows: number): void {
  const least = rows % batchSize === 0 ? batchSize : rows % batchSize;
  if (least >= 2) return;
  const last = batchSize === 1 ? "batches of 1" : "a last batch of 1";
  throw new RangeError(
    `batchSize: expected batches of at least 2 samples for ${layer}, got ${last} from ${rows} rows and batchSize ${batchSize}`,
  );
}

function resolveMinGradient(minGradient: unknown, batchSize: number, rows: number): number | undefined {
  if (minGradient === undefined) return undefined;
  const least = numberThat("minGradient", minGradient, "a finite number ≥ 0", (value) => value >= 0);
  if (batchSize < rows) {
    throw new RangeError(
      `minGradient: expected batchSize "full", as a batch's gradient is noise, got ${batchSize} of ${rows} rows`,
    );
  }
  return least;
}

function resolveValidation(validation: unknown, rows: number): ResolvedFitOptions["validation"] {
  if (validation === undefined) return { kind: "none" };
  if (typeof validation === "number") {
    const between = (value: number) => value > 0 && value < 1;
    const fraction = numberThat("validation", validation, "a fraction > 0 and < 1, or { x, y }", between);
    if (rows < 2) throw new RangeError(`validation: expected at least 2 rows to hold a fraction back, got ${rows}`);
    return { kind: "fraction", fraction, rows: validationCount(fraction, rows) };
  }
  if (typeof validation !== "object" || validation === null || Array.isArray(validation)) {
    throw kindError("validation", "a fraction > 0 and < 1, or { x, y }", validation);
  }
  const { x, y } = optionsObject("validation", validation, { allowed: ["x", "y"] });
  if (x === undefined) throw kindError("validation.x", "rows", x);
  if (y === undefined) throw kindError("validation.y", "targets", y);
  return { kind: "data", x, y };
}

function resolveOnEpoch(onEpoch: unknown): ResolvedFitOptions["onEpoch"] {
  if (onEpoch === undefined) return undefined;
  if (typeof onEpoch !== "function") throw kindError("onEpoch", "a function", onEpoch);
  return onEpoch as (report: EpochReport) => unknown;
}

export function resolveSignal(signal: unknown): AbortSignalLike | undefined {
  if (signal === undefined) return undefined;
  const like = signal as Partial<AbortSignalLike> | null;
  if (typeof like === "object" && like !== null) {
    const listens = typeof like.addEventListener === "function" && typeof like.removeEventListener === "function";
    if (typeof like.aborted === "boolean" && listens) return like as AbortSignalLike;
    if ("signal" in like && "abort" in like) {
      throw new TypeError("signal: expected an AbortSignal, got an AbortController; pass its .signal");
    }
  }
  throw kindError("signal", "an AbortSignal", signal);
}

function resolveSeconds(maxSeconds: unknown): number {
  const inRange = (value: number) => value > 0 && value <= LIMITS.seconds;
  return numberThat("maxSeconds", maxSeconds, `a number > 0 and ≤ ${LIMITS.seconds}`, inRange);
}
