// The learning rate of every step. A rate depends on the step's number alone (and on what a plateau has made of it), so that it is the
// same however a run is cut; it reaches weights, so only + − × ÷ and the core's own functions form it.
import { cos2pi, exp64, log64 } from "../js/vmath.ts";
import type { ResolvedSchedule, ResolvedSpan } from "../options/schedule.ts";

/** cos πx, 0 ≤ x ≤ 1. */
const cosPi = (x: number): number => cos2pi(x / 2);

/** base^n for whole n ≥ 0, by squaring. */
function power(base: number, n: number): number {
  let result = 1;
  for (let square = base, rest = n; rest > 0; rest = Math.floor(rest / 2), square *= square) {
    if (rest % 2 === 1) result *= square;
  }
  return result;
}

/** Where a step stands: steps and epochs since the optimizer's state began, both from 0. */
export interface Place {
  readonly step: number;
  readonly epoch: number;
}

/**
 * The rate of the step at `place`. `base`: the optimizer's rate; `plateau`: the product of a plateau's reductions.
 * @throws RangeError for what a user's function gives that is no rate
 */
export function rateAt(schedule: ResolvedSchedule, base: number, place: Place, plateau: number): number {
  if (schedule.type === "function") return userRate(schedule.rate({ step: place.step, epoch: place.epoch }), place);
  const { warmUp, minimum } = schedule;
  const past = { step: place.step, epoch: place.epoch };
  if (warmUp !== undefined) {
    const done = timeOf(warmUp.span, place);
    if (done < warmUp.span.count) return base * (warmUp.from + (1 - warmUp.from) * (done / warmUp.span.count));
    // In the other unit the warm-up has no length: then the schedule counts from the very beginning.
    if (warmUp.span.unit === "steps") past.step -= warmUp.span.count;
    else past.epoch -= warmUp.span.count;
  }
  const t = timeOf(schedule.span, past);
  const { count } = schedule.span;
  switch (schedule.type) {
    case "constant":
      return base;
    case "step":
      return base * power(schedule.factor, Math.floor(t / count));
    case "exponential":
      return base * exp64((t / count) * log64(schedule.factor));
    case "inverseTime":
      return base / (1 + schedule.factor * (t / count));
    case "cosine":
      return minimum + (base - minimum) * cosineShare(t, count, schedule.restart);
    case "oneCycle":
      return oneCycle(base, t, count);
    case "reduceOnPlateau": {
      const reduced = base * plateau;
      return reduced < minimum && minimum < base ? minimum : reduced;
    }
  }
}

/** Whether a warm-up still determines the rate of the step at `place`. */
export function withinWarmUp(schedule: ResolvedSchedule, place: Place): boolean {
  const warmUp = schedule.type === "function" ? undefined : schedule.warmUp;
  return warmUp !== undefined && timeOf(warmUp.span, place) < warmUp.span.count;
}

function timeOf({ unit }: ResolvedSpan, { step, epoch }: Place): number {
  return unit === "steps" ? step : epoch;
}

/** ½·(1 + cos π·x) of the cycle that t lies in. `restart` 0: one cycle; else each is `restart` times as long as the one before. */
function cosineShare(t: number, length: number, restart: number): number {
  if (restart === 0) return t >= length ? 0 : 0.5 * (1 + cosPi(t / length));
  let rest = t;
  let cycle = length;
  if (restart === 1) rest = t % length;
  else {
    while (rest >= cycle) {
      rest -= cycle;
      cycle *= restart;
    }
  }
  return 0.5 * (1 + cosPi(rest / cycle));
}

/** torch.optim.lr_scheduler.OneCycleLR with pct_start 0.3, div_factor 25, final_div_factor 1e4. */
function oneCycle(maximum: number, t: number, length: number): number {
  const first = maximum / 25;
  const last = first / 1e4;
  const top = 0.3 * length - 1;
  const between = (from: number, to: number, x: number) => to + ((from - to) / 2) * (1 + cosPi(x));
  if (t <= top) return between(first, maximum, top > 0 ? t / top : 1);
  const end = length - 1;
  return t >= end ? last : between(maximum, last, (t - top) / (end - top));
}

function userRate(rate: unknown, { step, epoch }: Place): number {
  const where = `for step ${step} in epoch ${epoch}`;
  if (typeof rate !== "number")
    throw new TypeError(`schedule: expected a function that gives a number, got ${typeof rate} ${where}`);
  if (!(rate >= 0 && rate < Number.POSITIVE_INFINITY)) {
    throw new RangeError(`schedule: expected a finite rate ≥ 0, got ${rate} ${where}`);
  }
  return rate;
}
