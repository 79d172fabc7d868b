// What the core counts of an epoch → the reports of one call and of the network's life.
import * as abi from "../core/abi.ts";
import type { Model } from "../model.ts";
import type { MetricValues } from "../options/metrics.ts";
import type { EpochReport, Evaluation } from "../options/results.ts";
import type { Job } from "./job.ts";
import { countsClasses } from "./passes.ts";

/** What the core reports of an epoch, and what it took. */
export interface FinishedEpoch {
  readonly loss: number;
  readonly correct: number;
  /** Of its last step. */
  readonly learningRate: number;
  /** ms. */
  readonly elapsed: number;
  /** Samples that this call trained on in it. */
  readonly samples: number;
}

/** The epochs that one call finishes. */
export class Reports {
  readonly list: EpochReport[] = [];
  private readonly model: Model;
  private readonly rows: number;
  /** ms of the unfinished epoch so far. */
  private elapsed = 0;
  /** Samples of an unfinished epoch that an earlier call has trained on. */
  private skipped = 0;

  constructor(model: Model, rows: number) {
    this.model = model;
    this.rows = rows;
  }

  begin(skipped: number): void {
    this.skipped = skipped;
  }

  /** The epochs that ended in a chunk of `elapsed` ms. */
  take(job: Job, elapsed: number): FinishedEpoch[] {
    const { memory } = this.model;
    const count = job.int(abi.JOB_REPORTS_COUNT);
    this.elapsed += elapsed;
    const each = this.elapsed / Math.max(1, count);
    if (count > 0) this.elapsed = 0;
    const values = memory.doubles(memory.plan.reports.offset, count * 2);
    const learningRate = job.double(abi.JOB_LEARNING_RATE);
    return Array.from({ length: count }, (_, i) => {
      const samples = this.rows - this.skipped;
      this.skipped = 0;
      const [loss, correct] = [values[2 * i] as number, values[2 * i + 1] as number];
      return { loss, correct, learningRate, elapsed: each, samples };
    });
  }

  /** `metrics`: of the rows that are trained on, after the epoch. */
  publish(epoch: FinishedEpoch, validation?: Evaluation, metrics: MetricValues = {}): EpochReport {
    const { loss, correct, learningRate, elapsed, samples } = epoch;
    const { model } = this;
    const last = model.history[model.history.length - 1];
    const report: EpochReport = Object.freeze({
      epoch: last === undefined ? 1 : last.epoch + 1,
      loss,
      metrics: Object.freeze(countsClasses(model) ? { ...metrics, accuracy: correct / this.rows } : { ...metrics }),
      ...(validation === undefined ? {} : { validation }),
      learningRate,
      samplesPerSecond: elapsed > 0 ? Math.round((samples / elapsed) * 1000) : 0,
    });
    model.history.push(report);
    this.list.push(report);
    return report;
  }
}
