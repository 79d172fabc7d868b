// The learning-rate range test: steps with growing rates, and the loss before each.

import type { Rows, Targets } from "../data/rows.ts";
import { DivergenceError } from "../errors.ts";
import { exp64, log64 } from "../js/vmath.ts";
import type { Model } from "../model.ts";
import { integerIn, numberThat, optionsObject } from "../options/checks.ts";
import { FIT_DEFAULTS, LIMITS } from "../options/defaults.ts";
import { type AbortSignalLike, resolveSignal } from "../options/fit.ts";
import {
  FULL_BATCH,
  OPTIMIZER_KEYS,
  type Optimizer,
  optimizerOrLast,
  type ResolvedOptimizer,
} from "../options/optimizer.ts";
import { now, Pause } from "../training/pace.ts";
import { fitScalings } from "../training/scaling.ts";
import { Picker } from "./batches.ts";

export interface RangeTestOptions {
  /** The first rate; > 0; 1e-7. */
  from?: number;
  /** The last rate; above `from`; 10. */
  to?: number;
  /** How many rates, each `factor` times the one before; 2 or more; 100. */
  steps?: number;
  /** Samples per step; 32. */
  batchSize?: number;
  /** Left out: the one last used; adam if there was none. Its own rate has no effect. */
  optimizer?: Optimizer;
  signal?: AbortSignalLike | undefined;
}

/** The curve of a range test. */
export interface RangeTest {
  /** Of each step that was taken, ascending. */
  readonly rates: readonly number[];
  /** Of the batch before the step. */
  readonly losses: readonly number[];
  /** The losses' exponential mean, factor 0.9, corrected for its start. */
  readonly smoothed: readonly number[];
  /** The rate at which half of the longest fall of the smoothed loss is done; undefined where it never falls by 5 %. */
  readonly suggestion: number | undefined;
}

/** Resolved options. */
export interface ResolvedRangeTest {
  readonly from: number;
  readonly to: number;
  readonly steps: number;
  readonly batchSize: number;
  readonly optimizer: ResolvedOptimizer;
  readonly signal: AbortSignalLike | undefined;
}

const SMOOTHING = 0.9;
/** The test ends when the smoothed loss is so many times the lowest. */
const STOP = 4;
/** A fall by less of the loss is noise: the network has nothing to learn, or too little time. */
const LEAST_FALL = 0.05;
/** ms between two looks at the event loop. */
const PAUSE = 8;

/** @throws TypeError, RangeError */
export function resolveRangeTest(options: unknown, model: Model): ResolvedRangeTest {
  const allowed = ["from", "to", "steps", "batchSize", "optimizer", "signal"];
  const given = optionsObject("findLearningRate", options === undefined ? {} : options, {
    allowed,
    inside: OPTIMIZER_KEYS,
  });
  const { from = 1e-7, to = 10, steps = 100, batchSize = FIT_DEFAULTS.batchSize } = given;
  const optimizer = optimizerOrLast(given.optimizer, model.optimizer, model.dtype);
  if (!("learningRate" in optimizer) || FULL_BATCH.includes(optimizer.type)) {
    throw new TypeError(
      `findLearningRate: expected an optimizer whose every step has the given rate, got '${optimizer.type}'`,
    );
  }
  const first = numberThat("from", from, "a finite number > 0", (rate) => rate > 0);
  return {
    from: first,
    to: numberThat("to", to, `a finite number above from (${first})`, (rate) => rate > first),
    steps: integerIn("steps", steps, 2, LIMITS.steps),
    batchSize: integerIn("batchSize", batchSize, 1, LIMITS.batchSize),
    optimizer,
    signal: resolveSignal(given.signal),
  };
}

/**
 * Takes the steps on a copy that is thrown away: `model`, and `step` of its network.
 * @throws (by rejection) TypeError, RangeError for data of another shape, the signal's reason
 */
export async function runRangeTest(
  model: Model,
  step: (x: Rows, y: Targets, options: { optimizer: Optimizer }) => number,
  data: { readonly x: Rows; readonly y: Targets },
  options: ResolvedRangeTest,
): Promise<RangeTest> {
  fitScalings(model, data.x, data.y);
  const picker = new Picker(model, data.x, data.y);
  const { from, to, steps, batchSize, optimizer, signal } = options;
  const growth = log64(to / from) / (steps - 1);
  const curve = { rates: [] as number[], losses: [] as number[], smoothed: [] as number[] };
  const pause = new Pause();
  let mean = 0;
  let weight = 1;
  let order: Int32Array = new Int32Array(0);
  try {
    for (let i = 0, at = 0, epoch = 0, looked = now(); i < steps; i++, at += batchSize) {
      if (at + Math.min(batchSize, order.length) > order.length || order.length === 0) {
        order = picker.order(epoch++);
        at = 0;
      }
      const rate = from * exp64(growth * i);
      const { x, y } = picker.pick(order.subarray(at, at + batchSize));
      let loss: number;
      try {
        loss = step(x, y, { optimizer: { ...optimizer, learningRate: rate } as Optimizer });
      } catch (error) {
        if (error instanceof DivergenceError) break;
        throw error;
      }
      mean = SMOOTHING * mean + (1 - SMOOTHING) * loss;
      weight *= SMOOTHING;
      curve.rates.push(rate);
      curve.losses.push(loss);
      curve.smoothed.push(mean / (1 - weight));
      if (mean / (1 - weight) > STOP * Math.min(...curve.smoothed)) break;
      if (now() - looked < PAUSE) continue;
      await pause.wait();
      if (signal?.aborted) throw signal.reason;
      looked = now();
    }
  } finally {
    pause.close();
  }
  return { ...curve, suggestion: middleOfFall(curve.rates, curve.smoothed) };
}

/**
 * Of the longest fall of the smoothed loss without a rise, the rate at which half of it is done; the first tenth, where the mean has seen few
 * batches, does not count.
 */
function middleOfFall(rates: readonly number[], losses: readonly number[]): number | undefined {
  let best = { from: 0, to: 0, fall: 0 };
  const begin = Math.floor(losses.length / 10);
  for (let from = begin, to = begin; from < losses.length; from = to + 1, to = from) {
    while (to + 1 < losses.length && (losses[to + 1] as number) < (losses[to] as number)) to++;
    const fall = (losses[from] as number) - (losses[to] as number);
    if (fall > best.fall) best = { from, to, fall };
  }
  if (!(best.fall > LEAST_FALL * Math.abs(losses[best.from] as number))) return undefined;
  const half = (losses[best.from] as number) - best.fall / 2;
  const at = losses.findIndex((loss, i) => i > best.from && i <= best.to && loss <= half);
  return rates[at];
}
