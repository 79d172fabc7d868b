// The learning rates of the next steps, laid ready in the core's memory.
import * as abi from "../core/abi.ts";
import type { Model } from "../model.ts";
import { rounded } from "../options/checks.ts";
import type { ResolvedOptimizer } from "../options/optimizer.ts";
import type { ResolvedSchedule } from "../options/schedule.ts";
import { RATES } from "../plan.ts";
import type { Job } from "./job.ts";
import { rateAt } from "./schedule.ts";

export class Rates {
  private readonly model: Model;
  private readonly schedule: ResolvedSchedule;
  private readonly optimizer: ResolvedOptimizer;
  private readonly base: number;
  /** Rates that steps have been given since the snapshot: the replay of a divergence takes the same ones. */
  private given: number[] = [];
  /** The step of the first of them. */
  private first = 0;

  constructor(model: Model, schedule: ResolvedSchedule, optimizer: ResolvedOptimizer) {
    this.model = model;
    this.schedule = schedule;
    this.optimizer = optimizer;
    this.base = "learningRate" in optimizer ? optimizer.learningRate : 0;
  }

  /** A snapshot was taken: no step before it will be made again. */
  forget(step: number): void {
    this.given = this.given.slice(step - this.first);
    this.first = step;
  }

  /**
   * Lays rates ready from the job's step on, at most to the end of its epoch; gives how many.
   * @throws TypeError, RangeError for what a user's function gives that is no rate
   */
  fill(job: Job): number {
    const { memory } = this.model;
    const step = job.double(abi.JOB_STEP);
    const rows = job.int(abi.JOB_ROWS) - job.int(abi.JOB_POSITION);
    const count = Math.min(RATES, Math.ceil(rows / job.int(abi.JOB_BATCH)));
    const rates = memory.doubles(memory.plan.rates.offset, count);
    for (let i = 0; i < count; i++) rates[i] = this.rateOf(step + i, job.double(abi.JOB_EPOCH));
    job.setInt(abi.JOB_RATES_PTR, memory.plan.rates.offset);
    job.setDouble(abi.JOB_RATES_BASE, step);
    return count;
  }

  private rateOf(step: number, epoch: number): number {
    const { model, optimizer } = this;
    const at = step - this.first;
    const before = this.given[at];
    if (before !== undefined) return before;
    const place = { step: step - model.began.step, epoch: epoch - model.began.epoch };
    const rate = rateAt(this.schedule, this.base, place, model.plateau?.product ?? 1);
    const weightDecay = "weightDecay" in optimizer ? optimizer.weightDecay : 0;
    if (!(rate * weightDecay < 1) || !Number.isFinite(rounded(rate, model.dtype))) {
      const where = `for step ${place.step} in epoch ${place.epoch}`;
      const limit = weightDecay > 0 ? `less than 1/weightDecay, ${1 / weightDecay}` : `finite in ${model.dtype}`;
      throw new RangeError(`schedule: expected a rate that is ${limit}, got ${rate} ${where}`);
    }
    this.given[at] = rate;
    return rate;
  }
}
