// What was done to a network, in order: enough to do it again. Kept with the network and saved with it.
import { kindError } from "../errors.ts";
import { LIMITS } from "../options/defaults.ts";
import type { ResolvedFitOptions } from "../options/fit.ts";
import { isUnfitted } from "../options/scaling.ts";
import type { ResolvedSchedule, ResolvedSpan } from "../options/schedule.ts";
import { hasParameters, type ResolvedSpec, type Trainable } from "../options/spec.ts";

/** Rows as they were staged, in the network's dtype. */
export interface DataMark {
  readonly rows: number;
  /** 128 bits in hexadecimal digits; not cryptographic (docs/receipt.md). */
  readonly fingerprint: string;
}

/** `fit`, `fitSync` or `epochs`. */
export interface FitCall {
  readonly call: "fit";
  /** simd and js have the same bits. */
  readonly core: "baseline" | "relaxed";
  /** FitOptions with every default filled in, those that decide the bits: with `maxSteps: steps` the call is done again. */
  readonly options: Readonly<Record<string, unknown>>;
  /** Rows that were trained on. */
  readonly data: DataMark;
  /** Fingerprint of the sample weights, scaled to a mean of 1. */
  readonly sampleWeights?: string;
  /** Rows that were held back. */
  readonly validation?: DataMark;
  /** Finished by this call. */
  readonly steps: number;
  readonly epochs: number;
  /** The rule that ended it, if one did: "earlyStopping", "goal", "minGradient" or a full-batch method's own. */
  readonly ended?: string;
}

/** One thing that was done. */
export type Call =
  | FitCall
  /** One update each; `times` in a row, if more than one. */
  | { readonly call: "step" | "setWeights"; readonly times?: number }
  | { readonly call: "setTrainable"; readonly layer: number; readonly trainable: Trainable }
  /** Saved without its optimizer and loaded. */
  | { readonly call: "load"; readonly optimizer: false }
  /** A file that knows nothing of its training. */
  | { readonly call: "unrecorded" }
  /** `times` calls and their steps, where a list would only grow. */
  | UnlistedCalls;

export interface UnlistedCalls {
  readonly call: "unlisted";
  readonly times: number;
  readonly steps: number;
}

/** Calls after which no list makes the weights again. */
const UNREPLAYABLE: readonly Call["call"][] = ["step", "setWeights", "unrecorded"];
/** As many calls are listed at least; more only while they can be replayed. */
const LISTED = 64;

type Counters = { readonly step: number; readonly epoch: number };

/** What stands in a file. */
export interface SavedRecord {
  /** Initial values that were arrays, which a spec does not keep. */
  readonly given: readonly string[];
  /** Scalings that the spec left to the first fit. */
  readonly found: readonly ScalingPlace[];
  /** Of each layer, when the network was made. */
  readonly trainable: readonly Trainable[];
  readonly calls: readonly Call[];
}

export type ScalingPlace = "layers[0]" | "targetScaling";

export class TrainingRecord {
  readonly given: readonly string[];
  readonly found: readonly ScalingPlace[];
  readonly trainable: readonly Trainable[];
  private readonly calls: Call[];
  private running: { call: FitCall; readonly from: Counters } | undefined;

  constructor({ given, found, trainable, calls }: SavedRecord) {
    this.given = given;
    this.found = found;
    this.trainable = trainable;
    this.calls = [...calls];
  }

  add(call: Call): void {
    addTo(this.calls, call);
  }

  /** `call` has begun; its counts follow with `endFit`. */
  beginFit(call: FitCall, { step, epoch }: Counters): void {
    this.running = { call, from: { step, epoch } };
  }

  /** A rule ends the running fit: it stands in what is saved before `endFit`, too. */
  endsBy(ended: string): void {
    if (this.running !== undefined) this.running.call = { ...this.running.call, ended };
  }

  /** A fit that made no step has changed nothing. */
  endFit(now: Counters): void {
    const call = this.unfinished(now);
    this.running = undefined;
    if (call !== undefined) this.add(call);
  }

  private unfinished({ step, epoch }: Counters): FitCall | undefined {
    if (this.running === undefined) return undefined;
    const { call, from } = this.running;
    return step === from.step ? undefined : { ...call, steps: step - from.step, epochs: epoch - from.epoch };
  }

  /** With the running fit as far as it has come. */
  saved(now: Counters, optimizerLost = false): SavedRecord {
    const calls = [...this.calls];
    const running = this.unfinished(now);
    if (running !== undefined) addTo(calls, running);
    const last = calls.at(-1)?.call;
    if (optimizerLost && last !== "load" && last !== "unlisted") calls.push({ call: "load", optimizer: false });
    return { given: this.given, found: this.found, trainable: this.trainable, calls };
  }
}

/**
 * A run that was cut in pieces is one call, and so is a million of steps: equal bits, equal records. What follows a list that is long
 * and cannot be replayed is counted.
 */
function addTo(calls: Call[], call: Call): void {
  const last = calls.at(-1);
  if (last?.call === "unlisted") {
    calls[calls.length - 1] = { ...last, times: last.times + 1, steps: last.steps + stepsOf(call) };
    return;
  }
  if (last?.call === "fit" && call.call === "fit" && goesOn(last, call)) {
    const { steps, epochs } = last;
    calls[calls.length - 1] = { ...call, steps: steps + call.steps, epochs: epochs + call.epochs };
  } else if ((last?.call === "step" || last?.call === "setWeights") && last.call === call.call) {
    calls[calls.length - 1] = { call: last.call, times: (last.times ?? 1) + 1 };
  } else if (calls.length >= LISTED && calls.some((each) => UNREPLAYABLE.includes(each.call))) {
    calls.push({ call: "unlisted", times: 1, steps: stepsOf(call) });
  } else calls.push(call);
}

/** Steps of the network's life that a call has made. */
export function stepsOf(call: Call): number {
  if (call.call === "step") return call.times ?? 1;
  return call.call === "fit" || call.call === "unlisted" ? call.steps : 0;
}

/** Whether the second fit takes the steps that the first would have taken next: what `fit` promises, unless a rule ended the first. */
function goesOn(first: FitCall, second: FitCall): boolean {
  if (first.ended !== undefined || second.options.refit === true) return false;
  if (first.steps + second.steps > LIMITS.steps) return false; // as `maxSteps` may not be more
  const { steps: _, epochs: _e, ended: _r, ...told } = second;
  return isSame(told, { ...first, steps: undefined, epochs: undefined });
}

/** Of what JSON can say; what is undefined is left out. Texts of both would take a tenth of a short fit. */
function isSame(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  const [one, other] = [a as Record<string, unknown>, b as Record<string, unknown>];
  return [...Object.keys(one), ...Object.keys(other)].every((key) => isSame(one[key], other[key]));
}

/** Of a network that has just been made. */
export function newRecord(spec: ResolvedSpec): TrainingRecord {
  const given = spec.layers.flatMap((layer, l) => {
    if (layer.type !== "dense") return [];
    const parts = (["init", "biasInit"] as const).filter((part) => layer[part].type === "values");
    return parts.map((part) => `layers[${l}].${part}`);
  });
  const found: ScalingPlace[] = [];
  if (isUnfitted(spec.layers[0])) found.push("layers[0]");
  if (isUnfitted(spec.targetScaling)) found.push("targetScaling");
  const trainable = spec.layers.map((layer) => (hasParameters(layer) ? layer.trainable : false));
  return new TrainingRecord({ given, found, trainable, calls: [] });
}

/** What a fit was told and given. */
export function fitCall(
  options: ResolvedFitOptions,
  core: string,
  marks: { readonly data: DataMark; readonly sampleWeights: string; readonly validation: DataMark | undefined },
): FitCall {
  const { optimizer, batchSize, shuffle, validation, metrics, refit, schedule, goal, minGradient } = options;
  const { earlyStopping, clipValue, clipNorm } = options;
  const decisive = {
    optimizer,
    batchSize,
    shuffle,
    validation: validation.kind === "fraction" ? validation.fraction : undefined,
    metrics: metrics.length > 0 ? metrics : undefined,
    refit: refit || undefined,
    schedule: schedule && scheduleOption(schedule),
    goal,
    minGradient,
    earlyStopping,
    clipValue,
    clipNorm,
  };
  return {
    call: "fit",
    core: core === "relaxed" ? "relaxed" : "baseline",
    options: given(decisive),
    data: marks.data,
    ...(marks.sampleWeights !== "" && { sampleWeights: marks.sampleWeights }),
    ...(marks.validation && { validation: marks.validation }),
    steps: 0,
    epochs: 0,
  };
}

/** Without what is left out. */
function given(options: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  for (const key of Object.keys(options)) if (options[key] !== undefined) out[key] = options[key];
  return out;
}

/** The option that resolves to `schedule`; a function has no words. */
function scheduleOption(schedule: ResolvedSchedule): unknown {
  if (schedule.type === "function") return "function";
  const { type, span, factor, minimum, restart, patience, minDelta, monitor, warmUp } = schedule;
  const time = ({ count, unit }: ResolvedSpan) => ({ [unit]: count });
  const own = {
    constant: {},
    step: { every: time(span), factor },
    exponential: { every: time(span), factor },
    inverseTime: { every: time(span), decay: factor },
    cosine: { length: time(span), minimum, ...(restart > 0 && { restarts: { factor: restart } }) },
    oneCycle: { length: time(span) },
    reduceOnPlateau: { factor, patience, minDelta, minimum, monitor },
  };
  return { type, ...own[type], ...(warmUp && { warmUp: { length: time(warmUp.span), from: warmUp.from } }) };
}

/** Of a network that was read from a file without a record. */
export const NO_RECORD: SavedRecord = { given: [], found: [], trainable: [], calls: [{ call: "unrecorded" }] };

/** As far as training needs it; saved-record.ts looks at all of it. @throws TypeError */
export function recordOf(value: unknown): SavedRecord {
  const { given, found, trainable, calls } = (value ?? {}) as Partial<SavedRecord>;
  if (
    ![given, found, trainable, calls].every(Array.isArray) ||
    !calls?.every((each) => typeof each?.call === "string")
  ) {
    throw kindError("record", "an object with arrays given, found, trainable and calls", value);
  }
  return value as SavedRecord;
}
