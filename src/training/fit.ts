// Training: stages the data, drives the core chunk by chunk, and turns what comes back into reports.
import * as abi from "../core/abi.ts";
import type { DataIdentity, Model } from "../model.ts";
import type { ResolvedFitOptions } from "../options/fit.ts";
import type { EpochReport, Evaluation, History } from "../options/results.ts";
import { flopsPerSample } from "../plan.ts";
import { findDivergence, restore, type Snapshot, snapshot } from "./divergence.ts";
import { Job, RUN } from "./job.ts";
import { now, Pace, Pause } from "./pace.ts";
import { countsClasses } from "./passes.ts";
import { type Staged, stageData } from "./stage.ts";
import { tuning } from "./tuning.ts";

/** Epochs between two looks of the host, where nobody waits for each. */
const REPORTS = 256;
const ENDLESS = 2 ** 31 - 1;

function sameData(a: DataIdentity | undefined, b: DataIdentity): boolean {
  return a?.fingerprint === b.fingerprint && a.shuffle === b.shuffle && a.validation === b.validation;
}

/** One call of fit, fitSync or epochs, from validation to its history. */
export class FitRun {
  private readonly model: Model;
  private readonly options: ResolvedFitOptions;
  private readonly staged: Staged;
  private readonly perEpoch: boolean;
  private readonly pace: Pace;
  private readonly reports: EpochReport[] = [];
  private epochsLeft: number;
  private stepsLeft: number;
  private stopped: History["stopped"] = "epochs";
  private finished = false;
  private started = 0;
  private epochTime = 0;
  private job: Job;
  private before: Snapshot | undefined;
  /** Epochs reported since the snapshot. */
  private reportedSince = 0;
  /** While a validation runs the network is between two epochs: an abort waits for its end. */
  private validating = false;

  /** Validates and copies; nothing of the network's state is touched before all of it has passed. */
  constructor(
    model: Model,
    x: unknown,
    y: unknown,
    options: unknown,
    how: { readonly asynchronous: boolean; readonly perEpoch: boolean; readonly name: string },
  ) {
    this.model = model;
    this.staged = stageData(model, x, y, options, { reports: REPORTS, name: how.name });
    this.options = this.staged.options;
    this.perEpoch = how.perEpoch || this.options.onEpoch !== undefined || this.staged.validationRows > 0;
    this.pace = new Pace(model.core.kind, how.asynchronous);
    this.epochsLeft = this.options.epochs;
    this.stepsLeft = this.options.maxSteps ?? ENDLESS;
    this.job = new Job(model.memory, model.memory.plan.trainJob);
    if (this.options.signal?.aborted) throw this.options.signal.reason;
  }

  /** The data leave the memory (another fit may come first) and return with `begin`. */
  park(): void {
    this.staged.keepCopy(this.model);
  }

  private begin(): void {
    const { model, staged, options } = this;
    staged.restage(model);
    this.job = new Job(model.memory, model.memory.plan.trainJob);
    model.running = this;
    model.useOptimizer(options.optimizer);
    const { progress } = model;
    if (progress.position > 0 && !sameData(progress.data, staged.identity)) {
      Object.assign(progress, { position: 0, epochLoss: 0, epochCorrect: 0 });
    }
    progress.data = staged.identity;
    this.writeJob();
    this.started = now();
  }

  private writeJob(): void {
    const { job, model, staged, options } = this;
    const { plan } = model.memory;
    job.clear();
    job.setInt(abi.JOB_MODE, abi.MODE_TRAIN);
    job.setInt(abi.JOB_X_PTR, plan.x.offset);
    job.setInt(abi.JOB_X_PITCH, plan.inputs);
    job.setInt(abi.JOB_Y_PTR, plan.y.offset);
    job.setInt(abi.JOB_TARGET_KIND, staged.targetKind);
    job.setInt(abi.JOB_ROWS, staged.rows);
    job.setInt(abi.JOB_WINDOW_END, staged.rows);
    job.setInt(abi.JOB_ORDER_PTR, options.shuffle ? plan.order.offset : 0);
    job.setInt(abi.JOB_BATCH, options.batchSize);
    job.setInt(abi.JOB_REPORTS_PTR, plan.reports.offset);
    job.setInt(abi.JOB_REPORTS_CAPACITY, REPORTS);
    job.setInt(abi.JOB_FLAGS, countsClasses(model) ? abi.JOB_FLAG_COUNT : 0);
    job.setOptimizer(options.optimizer, model.powers);
    const { progress } = model;
    job.setInt(abi.JOB_POSITION, progress.position);
    job.setDouble(abi.JOB_EPOCH, progress.epoch);
    job.setDouble(abi.JOB_STEP, progress.step);
    job.setDouble(abi.JOB_EPOCH_LOSS, progress.epochLoss);
    job.setDouble(abi.JOB_EPOCH_CORRECT, progress.epochCorrect);
  }

  /** Yields a report per finished epoch, and undefined wherever the host may pause. */
  *work(): Generator<EpochReport | undefined, void, void> {
    this.begin();
    try {
      while (!this.finished) {
        yield;
        this.interrupt();
        for (const { loss, correct, elapsed } of this.chunk()) {
          const validation = this.staged.validationRows > 0 ? yield* this.validate() : undefined;
          const report = this.report(loss, correct, elapsed, validation);
          this.model.history.push(report);
          this.reports.push(report);
          yield report;
        }
      }
    } finally {
      if (!this.model.disposed && this.job.int(abi.JOB_IN_STEP) > 0) this.job.dropPartialStep();
      if (this.model.running === this) this.model.running = undefined;
    }
  }

  /** Throws where the run must not go on. */
  interrupt(): void {
    if (this.model.disposed) throw new Error("fit: the network was disposed while it was training");
    const { signal } = this.options;
    if (signal?.aborted && !this.validating) throw signal.reason;
  }

  /** One piece of work between two looks at the event loop. */
  private chunk(): { loss: number; correct: number; elapsed: number }[] {
    const { job, model, pace } = this;
    if (this.options.maxSeconds < Number.POSITIVE_INFINITY) this.watchClock();
    if (job.int(abi.JOB_IN_STEP) === 0) {
      this.before = snapshot(model, this.before);
      this.reportedSince = 0;
    }
    const epochs = this.perEpoch ? 1 : Math.min(this.epochsLeft, REPORTS);
    job.setInt(abi.JOB_EPOCHS_LEFT, epochs);
    job.setInt(abi.JOB_STEPS_LEFT, this.stepsLeft);
    job.setInt(abi.JOB_REPORTS_COUNT, 0);
    const blocks = this.blocks();
    const before = this.done();
    const start = now();
    const status = job.run(blocks);
    const elapsed = now() - start;
    const divergence = status === RUN.diverged || !this.isFinite() ? this.replay() : undefined;
    const after = this.done();
    if (!divergence) pace.learn(this.flops(after.samples - before.samples, after.steps - before.steps), elapsed);
    if (this.stepsLeft !== ENDLESS) this.stepsLeft -= after.steps - before.steps;
    const finished = divergence?.finished ?? this.takeEpochs(elapsed);
    this.epochsLeft -= finished.length;
    this.readProgress();
    if (divergence) {
      // The snapshot may be older than this chunk: then the replay has made reports again that are out already.
      for (const { loss, correct, elapsed: time } of finished.slice(this.reportedSince)) {
        this.model.history.push(this.report(loss, correct, time, undefined));
      }
      throw divergence.error;
    }
    this.reportedSince += finished.length;
    if (this.stepsLeft === 0) this.stopped = this.stopped === "epochs" ? "maxSteps" : this.stopped;
    this.finished = this.epochsLeft === 0 || this.stepsLeft === 0;
    return finished;
  }

  /** Blocks of the next chunk; the size of a block follows too, where a step has several. */
  private blocks(): number {
    const { plan } = this.model.memory;
    const { batchSize } = this.options;
    const affordable = Math.floor(this.pace.budget / flopsPerSample(plan) / 8) * 8;
    const block = tuning.blockSamples ?? Math.max(8, Math.min(plan.demand.blockSamples, affordable));
    this.job.setInt(abi.JOB_BLOCK, block);
    const samples = Math.min(block, batchSize);
    return this.blockCount(this.flops(samples, samples / batchSize));
  }

  private blockCount(flopsPerBlock: number): number {
    return tuning.chunkBlocks ?? Math.min(Math.max(1, Math.floor(this.pace.budget / flopsPerBlock)), ENDLESS);
  }

  /** An estimate: an update reads and writes every parameter, about as long as 8 flops each; a sample's bookkeeping: 100. */
  private flops(samples: number, steps: number): number {
    const { plan } = this.model.memory;
    return samples * (flopsPerSample(plan) + 100) + steps * 8 * plan.paramsLength;
  }

  /** Samples and steps that the job has finished, over the network's life. */
  private done(): { samples: number; steps: number } {
    const { job } = this;
    const epochs = job.double(abi.JOB_EPOCH) * this.staged.rows;
    const samples = epochs + job.int(abi.JOB_POSITION) + job.int(abi.JOB_IN_STEP);
    return { samples, steps: job.double(abi.JOB_STEP) };
  }

  /** maxSeconds: when time is over, the step at hand is the last. */
  private watchClock(): void {
    if (now() - this.started < this.options.maxSeconds * 1000) return;
    this.stopped = "maxSeconds";
    this.stepsLeft = 1;
  }

  private isFinite(): boolean {
    return findDivergence(this.model) === undefined;
  }

  private takeEpochs(elapsed: number): { loss: number; correct: number; elapsed: number }[] {
    const { job, model } = this;
    const count = job.int(abi.JOB_REPORTS_COUNT);
    this.epochTime += elapsed;
    const each = this.epochTime / Math.max(1, count);
    if (count > 0) this.epochTime = 0;
    const values = model.memory.doubles(model.memory.plan.reports.offset, count * 2);
    return Array.from({ length: count }, (_, i) => ({
      loss: values[2 * i] as number,
      correct: values[2 * i + 1] as number,
      elapsed: each,
    }));
  }

  private report(loss: number, correct: number, elapsed: number, validation: Evaluation | undefined): EpochReport {
    const { model, staged, options } = this;
    const last = model.history[model.history.length - 1];
    return Object.freeze({
      epoch: last === undefined ? 1 : last.epoch + 1,
      loss,
      metrics: Object.freeze(countsClasses(model) ? { accuracy: correct / staged.rows } : {}),
      ...(validation === undefined ? {} : { validation }),
      learningRate: options.optimizer.learningRate,
      samplesPerSecond: elapsed > 0 ? Math.round((staged.rows / elapsed) * 1000) : 0,
    });
  }

  private readProgress(): void {
    const { job, model } = this;
    const { progress } = model;
    progress.epoch = job.double(abi.JOB_EPOCH);
    progress.step = job.double(abi.JOB_STEP);
    progress.position = job.int(abi.JOB_POSITION);
    progress.epochLoss = job.double(abi.JOB_EPOCH_LOSS);
    progress.epochCorrect = job.double(abi.JOB_EPOCH_CORRECT);
    model.powers = { beta1: job.double(abi.JOB_BETA1_POWER), beta2: job.double(abi.JOB_BETA2_POWER) };
  }

  /** Finds the first step that diverged since the snapshot, and leaves the network before it. */
  private replay(): { readonly error: Error; readonly finished: { loss: number; correct: number; elapsed: number }[] } {
    const { model, job } = this;
    const start = this.before as Snapshot;
    const oneStep = () => {
      job.setInt(abi.JOB_STEPS_LEFT, 1);
      // More epochs may end since the snapshot than the reports have room for.
      job.setInt(abi.JOB_REPORTS_COUNT, 0);
      let status: number;
      do status = job.run(ENDLESS);
      while (status === RUN.more);
      return status;
    };
    restore(model, job, start);
    let steps = 0;
    for (;;) {
      const epoch = job.double(abi.JOB_EPOCH) + 1;
      const status = oneStep();
      const found = findDivergence(model, status === RUN.diverged, epoch, job.double(abi.JOB_STEP));
      if (found === undefined) {
        steps++;
        continue;
      }
      restore(model, job, start);
      const finished: { loss: number; correct: number; elapsed: number }[] = [];
      for (; steps > 0; steps--) {
        oneStep();
        finished.push(...this.takeEpochs(0));
      }
      return { error: found, finished };
    }
  }

  /** Evaluates the held-back rows, in pieces. */
  private *validate(): Generator<undefined, Evaluation, void> {
    const { model, staged } = this;
    const { plan } = model.memory;
    const job = new Job(model.memory, plan.validationJob);
    job.clear();
    job.setInt(abi.JOB_MODE, abi.MODE_EVALUATE);
    job.setInt(abi.JOB_X_PTR, plan.x.offset + staged.rows * plan.inputs * plan.size);
    job.setInt(abi.JOB_X_PITCH, plan.inputs);
    job.setInt(abi.JOB_Y_PTR, plan.y.offset + staged.rows * plan.demand.targetBytes);
    job.setInt(abi.JOB_TARGET_KIND, staged.targetKind);
    job.setInt(abi.JOB_ROWS, staged.validationRows);
    job.setInt(abi.JOB_WINDOW_END, staged.validationRows);
    job.setInt(abi.JOB_BATCH, staged.validationRows);
    job.setInt(abi.JOB_BLOCK, plan.demand.blockSamples);
    job.setInt(abi.JOB_FLAGS, countsClasses(model) ? abi.JOB_FLAG_COUNT : 0);
    const perBlock = this.flops(plan.demand.blockSamples / 3, 0);
    this.validating = true;
    try {
      while (job.run(this.blockCount(perBlock)) !== RUN.done) {
        yield;
        this.interrupt();
      }
    } finally {
      this.validating = false;
    }
    const loss = job.double(abi.JOB_STEP_LOSS);
    if (!countsClasses(model)) return Object.freeze({ loss, penalty: 0 });
    const accuracy = job.double(abi.JOB_STEP_CORRECT) / staged.validationRows;
    return Object.freeze({ loss, penalty: 0, accuracy });
  }

  history(): History {
    const { validationIndices } = this.staged;
    return Object.freeze({
      epochs: this.reports,
      ...(validationIndices === undefined ? {} : { validationIndices: validationIndices.slice() }),
      optimizer: this.options.optimizer,
      stopped: this.stopped,
    });
  }

  /** To the end, on this thread. */
  runSync(): History {
    for (const event of this.work()) {
      if (event === undefined || this.options.onEpoch === undefined) continue;
      const answer = this.options.onEpoch(event);
      if (typeof (answer as { then?: unknown } | undefined)?.then === "function") {
        throw new TypeError("onEpoch: expected a plain function in fitSync, got one that returns a promise; use fit");
      }
    }
    return this.history();
  }

  /** To the end, giving the event loop back between chunks. */
  async runAsync(): Promise<History> {
    const pause = new Pause();
    try {
      for (const event of this.work()) {
        if (event === undefined) await pause.wait();
        else if (this.options.onEpoch !== undefined) {
          await this.options.onEpoch(event);
          this.interrupt();
        }
      }
      return this.history();
    } finally {
      pause.close();
    }
  }

  /** As `runAsync`, a report at a time; breaking off ends the run after the last whole step. */
  async *runEpochs(): AsyncGenerator<EpochReport, History, void> {
    const pause = new Pause();
    try {
      for (const event of this.work()) {
        if (event === undefined) await pause.wait();
        else {
          await this.options.onEpoch?.(event);
          this.interrupt();
          yield event;
        }
      }
      return this.history();
    } finally {
      pause.close();
    }
  }
}
