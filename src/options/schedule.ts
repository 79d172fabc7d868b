// Learning-rate schedules: options, defaults, ranges. The rates themselves are made in training/schedule.ts.
import { kindError, valueError } from "../errors.ts";
import { integerIn, list, numberThat, oneOf, optionsObject } from "./checks.ts";
import { LIMITS, SCHEDULE_DEFAULTS } from "./defaults.ts";
import type { MetricName } from "./metrics.ts";

/** A length of training, counted from the step with which the optimizer's state began. */
export type Span = { epochs: number } | { steps: number };

/** What is watched after every epoch: losses and errors are to fall, the others to rise. Metrics are those of the option `metrics`. */
export type Monitor = "loss" | WatchedMetric | `validation.${"loss" | WatchedMetric}`;
type WatchedMetric = Exclude<MetricName, "confusionMatrix">;

interface WarmUp {
  /** From `from`·η (0 … 1; 0) linearly to η in this time; the schedule itself begins after it. Goyal et al. 2017. */
  warmUp?: { length: Span; from?: number };
}

/** With η the optimizer's rate and t the time since its state began (or since the warm-up): */
export type Schedule =
  /** η. */
  | ({ type: "constant" } & WarmUp)
  /** η·factor^⌊t/every⌋; factor 0 … 1, 0.1. */
  | ({ type: "step"; every: Span; factor?: number } & WarmUp)
  /** η·factor^(t/every); factor 0 … 1; every 1 epoch. */
  | ({ type: "exponential"; factor: number; every?: Span } & WarmUp)
  /** η/(1 + decay·t/every); decay > 0; every 1 epoch. */
  | ({ type: "inverseTime"; decay: number; every?: Span } & WarmUp)
  /**
   * minimum + (η − minimum)·½·(1 + cos(π·t/length)), then the minimum (0); with `restarts` again from η, each cycle `factor` ≥ 1 (1)
   * times as long as the one before. Loshchilov & Hutter 2017.
   */
  | ({ type: "cosine"; length: Span; minimum?: number; restarts?: { factor?: number } } & WarmUp)
  /**
   * From η/25 up to η in the first 30 % of the length, then down to η/250 000, both along a cosine: torch.optim's OneCycleLR with
   * max_lr = η and its defaults. Smith & Topin 2018.
   */
  | { type: "oneCycle"; length: Span; warmUp?: never }
  /**
   * η·factor each time `monitor` has not improved by more than minDelta (0) for `patience` (10) epochs, not below `minimum` (0);
   * factor 0 … 1, 0.1.
   */
  | ({
      type: "reduceOnPlateau";
      factor?: number;
      patience?: number;
      minDelta?: number;
      minimum?: number;
      monitor?: Monitor;
    } & WarmUp)
  /** A rate ≥ 0 for a step; step and epoch count from 0 since the optimizer's state began. */
  | ((progress: { step: number; epoch: number }) => number);

export interface ResolvedSpan {
  readonly count: number;
  readonly unit: "epochs" | "steps";
}

/** With every option filled in. */
export type ResolvedSchedule =
  | { readonly type: "function"; readonly rate: (progress: { step: number; epoch: number }) => unknown }
  | {
      readonly type: "constant" | "step" | "exponential" | "inverseTime" | "cosine" | "oneCycle" | "reduceOnPlateau";
      readonly span: ResolvedSpan;
      /** factor or decay. */
      readonly factor: number;
      readonly minimum: number;
      /** cosine: how much longer each cycle is; 0: one cycle. */
      readonly restart: number;
      readonly patience: number;
      readonly minDelta: number;
      readonly monitor: Monitor;
      readonly warmUp: { readonly span: ResolvedSpan; readonly from: number } | undefined;
    };

const TYPES = ["constant", "step", "exponential", "inverseTime", "cosine", "oneCycle", "reduceOnPlateau"] as const;
const KEYS: Readonly<Record<(typeof TYPES)[number], readonly string[]>> = {
  constant: [],
  step: ["every", "factor"],
  exponential: ["factor", "every"],
  inverseTime: ["decay", "every"],
  cosine: ["length", "minimum", "restarts"],
  oneCycle: ["length"],
  reduceOnPlateau: ["factor", "patience", "minDelta", "minimum", "monitor"],
};
const EPOCH: ResolvedSpan = Object.freeze({ count: 1, unit: "epochs" });

const share = (value: number) => value > 0 && value <= 1;

/** @throws TypeError, RangeError */
export function resolveSchedule(schedule: unknown, has: Watchable): ResolvedSchedule | undefined {
  if (schedule === undefined) return undefined;
  if (typeof schedule === "function") {
    return Object.freeze({
      type: "function",
      rate: schedule as (progress: { step: number; epoch: number }) => unknown,
    });
  }
  if (typeof schedule !== "object" || schedule === null) {
    throw kindError("schedule", "an object with a type, or a function", schedule);
  }
  const type = oneOf("schedule.type", (schedule as { type?: unknown }).type, TYPES);
  const warms = type === "oneCycle" ? [] : ["warmUp"];
  const given = optionsObject("schedule", schedule, { allowed: ["type", ...KEYS[type], ...warms] });
  const { factor = SCHEDULE_DEFAULTS.factor, minimum = 0, patience = SCHEDULE_DEFAULTS.patience, minDelta = 0 } = given;
  return Object.freeze({
    type,
    span: spanOf(type, given),
    factor:
      type === "inverseTime"
        ? numberThat("schedule.decay", given.decay, "a finite number > 0", (value) => value > 0)
        : numberThat("schedule.factor", type === "exponential" ? given.factor : factor, "a number > 0 and ≤ 1", share),
    minimum: numberThat("schedule.minimum", minimum, "a finite number ≥ 0", (value) => value >= 0),
    restart: restartOf(given.restarts),
    patience: integerIn("schedule.patience", patience, 1, LIMITS.epochs),
    minDelta: numberThat("schedule.minDelta", minDelta, "a finite number ≥ 0", (value) => value >= 0),
    monitor: resolveMonitor(given.monitor, "schedule.monitor", has),
    warmUp: warmUpOf(given.warmUp),
  });
}

function spanOf(type: (typeof TYPES)[number], { every, length }: Record<string, unknown>): ResolvedSpan {
  if (type === "cosine" || type === "oneCycle") return resolveSpan("schedule.length", length);
  if (type === "step") return resolveSpan("schedule.every", every);
  return every === undefined ? EPOCH : resolveSpan("schedule.every", every);
}

function restartOf(restarts: unknown): number {
  if (restarts === undefined) return 0;
  const { factor = 1 } = optionsObject("schedule.restarts", restarts, { allowed: ["factor"] });
  return numberThat("schedule.restarts.factor", factor, "a finite number ≥ 1", (value) => value >= 1);
}

function warmUpOf(warmUp: unknown): { span: ResolvedSpan; from: number } | undefined {
  if (warmUp === undefined) return undefined;
  const { length, from = 0 } = optionsObject("schedule.warmUp", warmUp, { allowed: ["length", "from"] });
  const inRange = (value: number) => value >= 0 && value <= 1;
  return {
    span: resolveSpan("schedule.warmUp.length", length),
    from: numberThat("schedule.warmUp.from", from, "a number from 0 to 1", inRange),
  };
}

/** @throws TypeError, RangeError */
function resolveSpan(name: string, span: unknown): ResolvedSpan {
  const expected = "{ epochs: … } or { steps: … }";
  if (typeof span !== "object" || span === null) throw kindError(name, expected, span);
  const { epochs, steps } = optionsObject(name, span, { allowed: ["epochs", "steps"] });
  if ((epochs === undefined) === (steps === undefined))
    throw new TypeError(`${name}: expected ${expected}, one of them`);
  const unit = epochs === undefined ? "steps" : "epochs";
  return Object.freeze({ count: integerIn(`${name}.${unit}`, epochs ?? steps, 1, LIMITS.steps), unit });
}

// ── Early stopping ─────────────────────────────────────────────────────────────────────────────

export interface EarlyStopping {
  /** "validation.loss" where there is validation, else "loss". */
  monitor?: Monitor;
  /** Epochs without an improvement after which training stops, 1 or more; 10. */
  patience?: number;
  /** ≥ 0: a smaller change is no improvement; 0. */
  minDelta?: number;
  /** When it stops, the parameters of the best epoch come back (optimizer state and counters stay); true. */
  restoreBest?: boolean;
}

export interface ResolvedEarlyStopping {
  readonly monitor: Monitor;
  readonly patience: number;
  readonly minDelta: number;
  readonly restoreBest: boolean;
}

/** `true`: with the defaults. @throws TypeError, RangeError */
export function resolveEarlyStopping(given: unknown, has: Watchable): ResolvedEarlyStopping | undefined {
  if (given === undefined || given === false) return undefined;
  const allowed = ["monitor", "patience", "minDelta", "restoreBest"];
  const options = optionsObject("earlyStopping", given === true ? {} : given, { allowed });
  const { patience = SCHEDULE_DEFAULTS.patience, minDelta = 0, restoreBest = true } = options;
  if (typeof restoreBest !== "boolean") throw kindError("earlyStopping.restoreBest", "true or false", restoreBest);
  return Object.freeze({
    monitor: resolveMonitor(options.monitor, "earlyStopping.monitor", has),
    patience: integerIn("earlyStopping.patience", patience, 1, LIMITS.epochs),
    minDelta: numberThat("earlyStopping.minDelta", minDelta, "a finite number ≥ 0", (value) => value >= 0),
    restoreBest,
  });
}

/** What can be watched. */
export interface Watchable {
  readonly validation: boolean;
  /** Accuracy is counted in any case. */
  readonly accuracy: boolean;
  /** Those that are computed, of the validation rows where there are any. */
  readonly metrics: readonly MetricName[];
}

/** @throws TypeError, RangeError, also where what is to be watched is not there */
function resolveMonitor(monitor: unknown, name: string, has: Watchable): Monitor {
  if (monitor === undefined) return has.validation ? "validation.loss" : "loss";
  const always = has.accuracy ? ["loss", "accuracy"] : ["loss"];
  const computed = has.metrics.filter((metric) => metric !== "confusionMatrix" && !always.includes(metric));
  const own = [...always, ...(has.validation ? [] : computed)];
  const held = has.validation ? [...always, ...computed].map((each) => `validation.${each}`) : [];
  if (typeof monitor === "string" && monitor.startsWith("validation.") && !has.validation) {
    throw valueError(name, `${list(own, "or")}, as there is no validation`, monitor);
  }
  if (monitor === "accuracy" && !own.includes(monitor)) {
    throw valueError(name, `${list(own, "or")}, as the outputs are no classes`, monitor);
  }
  return oneOf(name, monitor, [...own, ...held]) as Monitor;
}

/** Whether more of it is better. */
export function rises(monitor: Monitor): boolean {
  const name = monitor.replace("validation.", "");
  return !["loss", "logLoss", "brier", "mae", "mse", "rmse", "mape"].includes(name);
}
