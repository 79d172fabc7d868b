// What is decided after every epoch: whether it was the best, whether the rate goes down, whether training ends.
import type { Model } from "../model.ts";
import type { ResolvedFitOptions } from "../options/fit.ts";
import type { EpochReport, History } from "../options/results.ts";
import { type Monitor, rises } from "../options/schedule.ts";
import { copyOf, putBack } from "./divergence.ts";
import { withinWarmUp } from "./schedule.ts";

/** How a watched value has developed; kept with the network, so that a run may be cut anywhere. */
export interface Watch {
  /** What is watched, on which data: another watch begins anew. */
  readonly key: string;
  /** The best value so far; null before the first. */
  best: number | null;
  /** Epochs since then. */
  since: number;
}

export interface PlateauWatch extends Watch {
  /** Of all reductions so far. */
  product: number;
}

export interface BestWatch extends Watch {
  /** The parameter region of the best epoch; undefined where it is not to be restored. */
  parameters: Uint8Array | undefined;
}

/** The watched value of an epoch. */
function watched(report: EpochReport, monitor: Monitor): number {
  const { loss, metrics, validation } = report;
  if (monitor === "loss") return loss;
  const values: Readonly<Record<string, unknown>> = monitor.startsWith("validation.")
    ? { ...validation }
    : { ...metrics };
  return values[monitor.replace("validation.", "")] as number;
}

/** Whether the value is the best so far by more than `minDelta`; counts epochs without one. */
function improves(watch: Watch, value: number, monitor: Monitor, minDelta: number): boolean {
  const sign = rises(monitor) ? 1 : -1;
  const gain = watch.best === null ? Number.POSITIVE_INFINITY : sign * (value - watch.best);
  watch.since = gain > minDelta ? 0 : watch.since + 1;
  if (gain > minDelta) watch.best = value;
  return gain > minDelta;
}

/** The rules of one call. */
export class Rules {
  private readonly model: Model;
  private readonly options: ResolvedFitOptions;

  constructor(model: Model, options: ResolvedFitOptions) {
    this.model = model;
    this.options = options;
  }

  /** Whether they look at every epoch. */
  get active(): boolean {
    const { goal, minGradient, earlyStopping, schedule } = this.options;
    return goal !== undefined || minGradient !== undefined || earlyStopping !== undefined || schedule !== undefined;
  }

  /** Goes on with the watches of an earlier call where they watch the same. */
  begin(): void {
    const { model, options } = this;
    const { began, progress } = model;
    const key = (monitor: string, more: readonly unknown[]) =>
      JSON.stringify([monitor, progress.data?.fingerprint, progress.data?.validation, ...more]);
    const { schedule, earlyStopping } = options;
    if (schedule?.type === "reduceOnPlateau") {
      const wanted = key(schedule.monitor, [began.step]);
      if (model.plateau?.key !== wanted) model.plateau = { key: wanted, best: null, since: 0, product: 1 };
    } else model.plateau = undefined;
    if (earlyStopping !== undefined) {
      const wanted = key(earlyStopping.monitor, [earlyStopping.restoreBest]);
      if (model.best?.key !== wanted) model.best = { key: wanted, best: null, since: 0, parameters: undefined };
    } else model.best = undefined;
  }

  /** Whether, and by which rule, training ends with the epoch of this report; `norm`: of its last step's gradient. */
  *after(report: EpochReport, norm: number): Generator<undefined, History["stopped"] | undefined, void> {
    this.reduce(report);
    const early = yield* this.watchBest(report);
    const { goal, minGradient } = this.options;
    if (goal !== undefined && report.loss <= goal) return "goal";
    return minGradient !== undefined && norm <= minGradient ? "minGradient" : early;
  }

  private reduce(report: EpochReport): void {
    const { schedule } = this.options;
    const { plateau, began, progress } = this.model;
    if (schedule?.type !== "reduceOnPlateau" || plateau === undefined) return;
    const place = { step: progress.step - began.step, epoch: progress.epoch - began.epoch };
    if (withinWarmUp(schedule, place)) return;
    const { monitor, minDelta, patience, factor } = schedule;
    if (improves(plateau, watched(report, monitor), monitor, minDelta) || plateau.since < patience) return;
    plateau.product *= factor;
    plateau.since = 0;
  }

  private *watchBest(report: EpochReport): Generator<undefined, "earlyStopping" | undefined, void> {
    const { earlyStopping } = this.options;
    const { model } = this;
    const { best } = model;
    if (earlyStopping === undefined || best === undefined) return undefined;
    const { monitor, minDelta, patience, restoreBest } = earlyStopping;
    const { params } = model.memory.plan;
    if (improves(best, watched(report, monitor), monitor, minDelta)) {
      if (restoreBest) best.parameters = yield* copyOf(model, params, best.parameters);
      return undefined;
    }
    return best.since < patience ? undefined : "earlyStopping";
  }

  /** After early stopping: the parameters of the best epoch come back, and the next call watches anew. */
  *restoreBest(): Generator<undefined, void, void> {
    const { model } = this;
    const parameters = model.best?.parameters;
    if (parameters !== undefined) yield* putBack(model, model.memory.plan.params, parameters);
    model.best = undefined;
  }
}
