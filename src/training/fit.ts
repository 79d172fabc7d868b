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
/** Slices of an epoch's order in one chunk: a few milliseconds on any core. */
const ORDER_SLICES = 2;
/** ms of replayed steps between two looks at the event loop. */
const REPLAY_PAUSE = 10;

/** What the core reports of an epoch, and what it took. */
interface FinishedEpoch {
  readonly loss: number;
  readonly correct: number;
  /** ms. */
  readonly elapsed: number;
  /** Samples that this call trained on in it. */
  readonly samples: number;
}

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
  /** Samples of an unfinished epoch that an earlier call has trained on. */
  private skipped = 0;
  private replayed = 0;
  private job: Job;
  private before: Snapshot | undefined;
  /** Epochs reported since the snapshot. */
  private reportedSince = 0;
  /** When the snapshot was taken and how long that took, in ms. */
  private snapshotAt = 0;
  private snapshotTime = 0;
  /** The epoch whose validation is under way. */
  private pending: { readonly job: Job; readonly report: (validation: Evaluation) => EpochReport } | undefined;
  private readonly name: string;
  private undo: (() => void) | undefined;

  /** Validates and copies; nothing of the network's state is touched before all of it has passed. */
  constructor(
    model: Model,
    x: unknown,
    y: unknown,
    options: unknown,
    how: { readonly asynchronous: boolean; readonly perEpoch: boolean; readonly name: string },
  ) {
    this.model = model;
    this.name = how.name;
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
    this.undo = this.remember();
    model.useOptimizer(options.optimizer);
    const { progress } = model;
    if (progress.position > 0 && !sameData(progress.data, staged.identity)) {
      Object.assign(progress, { position: 0, epochLoss: 0, epochCorrect: 0 });
    }
    progress.data = staged.identity;
    this.skipped = progress.position;
    this.writeJob();
    this.started = now();
  }

  /** What puts optimizer, state and counters back where a run that ends before its first step found them. */
  private remember(): () => void {
    const { model } = this;
    const { optimizer, powers } = model;
    const progress = { ...model.progress };
    const { state } = model.memory.plan;
    const changes = optimizer !== undefined && optimizer.type !== this.options.optimizer.type;
    const bytes = changes ? model.memory.bytes(state).slice() : undefined;
    return () => {
      if (model.disposed || model.progress.step !== progress.step) return;
      Object.assign(model, { optimizer, powers, progress });
      if (bytes !== undefined) model.memory.bytes(state).set(bytes);
    };
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
        const { finished, diverged } = this.chunk();
        if (diverged) yield* this.replay();
        for (const epoch of finished) {
          if (this.staged.validationRows > 0) yield* this.validate(epoch);
          else this.publish(this.report(epoch, undefined));
          yield this.reports[this.reports.length - 1];
        }
      }
    } finally {
      this.undo?.();
      if (this.model.running === this) this.model.running = undefined;
    }
  }

  /** Throws where the run must not go on. */
  interrupt(): void {
    if (this.model.disposed) throw new Error(`${this.name}: the network was disposed while it was training`);
    const { signal } = this.options;
    // While a validation runs the network is between two epochs: an abort waits for its end.
    if (signal?.aborted && this.pending === undefined) throw signal.reason;
  }

  /** One piece of work between two looks at the event loop: the epochs that ended in it, or that it diverged. */
  private chunk(): { finished: FinishedEpoch[]; diverged: boolean } {
    const { job, model, pace } = this;
    if (this.options.maxSeconds < Number.POSITIVE_INFINITY) this.watchClock();
    this.takeSnapshot();
    // An order of many slices is made in chunks of its own, so each of its epochs ends one.
    const epochs = this.perEpoch || this.ordersInSlices ? 1 : Math.min(this.epochsLeft, REPORTS);
    job.setInt(abi.JOB_EPOCHS_LEFT, epochs);
    job.setInt(abi.JOB_STEPS_LEFT, this.stepsLeft);
    job.setInt(abi.JOB_REPORTS_COUNT, 0);
    const blocks = this.blocks();
    const before = this.done();
    const start = now();
    const status = job.run(blocks);
    const elapsed = now() - start;
    const after = this.done();
    const steps = after.steps - before.steps;
    if (status === RUN.diverged || (steps > 0 && findDivergence(model) !== undefined)) {
      return { finished: [], diverged: true };
    }
    const samples = after.samples - before.samples;
    if (samples > 0) pace.learn(this.flops(samples, steps), elapsed);
    if (this.stepsLeft !== ENDLESS) this.stepsLeft -= steps;
    const finished = this.takeEpochs(elapsed);
    this.epochsLeft -= finished.length;
    this.reportedSince += finished.length;
    this.readProgress();
    if (this.stepsLeft === 0) this.stopped = this.stopped === "epochs" ? "maxSteps" : this.stopped;
    this.finished = this.epochsLeft === 0 || this.stepsLeft === 0;
    return { finished, diverged: false };
  }

  /** Between steps; where a copy of a large network takes long, only after eight times as long. */
  private takeSnapshot(): void {
    if (this.job.int(abi.JOB_IN_STEP) !== 0) return;
    const start = now();
    if (this.before !== undefined && start - this.snapshotAt < 8 * this.snapshotTime) return;
    this.before = snapshot(this.model, this.before);
    this.reportedSince = 0;
    this.snapshotAt = now();
    this.snapshotTime = this.snapshotAt - start;
  }

  private get ordersInSlices(): boolean {
    return this.options.shuffle && 2 * this.staged.rows > abi.ORDER_SLICE;
  }

  /** Blocks of the next chunk; the size of a block follows too, where a step has several. */
  private blocks(): number {
    const { plan } = this.model.memory;
    const { batchSize } = this.options;
    const block = this.blockSamples(flopsPerSample(plan));
    this.job.setInt(abi.JOB_BLOCK, block);
    if (this.ordersInSlices && this.job.int(abi.JOB_ORDERED) < 2 * this.staged.rows) return ORDER_SLICES;
    const samples = Math.min(block, batchSize);
    return this.blockCount(this.flops(samples, samples / batchSize));
  }

  private blockSamples(flopsPerSample: number): number {
    const affordable = Math.floor(this.pace.budget / flopsPerSample / 8) * 8;
    return tuning.blockSamples ?? Math.max(8, Math.min(this.model.memory.plan.demand.blockSamples, affordable));
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

  private takeEpochs(elapsed: number): FinishedEpoch[] {
    const { job, model } = this;
    const count = job.int(abi.JOB_REPORTS_COUNT);
    this.epochTime += elapsed;
    const each = this.epochTime / Math.max(1, count);
    if (count > 0) this.epochTime = 0;
    const values = model.memory.doubles(model.memory.plan.reports.offset, count * 2);
    return Array.from({ length: count }, (_, i) => {
      const samples = this.staged.rows - this.skipped;
      this.skipped = 0;
      return { loss: values[2 * i] as number, correct: values[2 * i + 1] as number, elapsed: each, samples };
    });
  }

  private report({ loss, correct, elapsed, samples }: FinishedEpoch, validation: Evaluation | undefined): EpochReport {
    const { model, staged, options } = this;
    const last = model.history[model.history.length - 1];
    return Object.freeze({
      epoch: last === undefined ? 1 : last.epoch + 1,
      loss,
      metrics: Object.freeze(countsClasses(model) ? { accuracy: correct / staged.rows } : {}),
      ...(validation === undefined ? {} : { validation }),
      learningRate: options.optimizer.learningRate,
      samplesPerSecond: elapsed > 0 ? Math.round((samples / elapsed) * 1000) : 0,
    });
  }

  private publish(report: EpochReport): void {
    this.model.history.push(report);
    this.reports.push(report);
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

  /** Finds the first step that diverged since the snapshot, leaves the network before it, and throws. */
  private *replay(): Generator<undefined, never, void> {
    const { model, job } = this;
    const start = this.before as Snapshot;
    restore(model, job, start);
    let steps = 0;
    let found: Error | undefined;
    while (found === undefined) {
      const epoch = job.double(abi.JOB_EPOCH) + 1;
      const status = yield* this.replayStep();
      found = findDivergence(model, status === RUN.diverged, epoch, job.double(abi.JOB_STEP));
      if (found === undefined) steps++;
    }
    restore(model, job, start);
    const finished: FinishedEpoch[] = [];
    for (; steps > 0; steps--) {
      yield* this.replayStep();
      finished.push(...this.takeEpochs(0));
    }
    this.readProgress();
    // The snapshot may be older than the last chunk: then reports have been made again that are out already.
    for (const epoch of finished.slice(this.reportedSince)) this.publish(this.report(epoch, undefined));
    throw found;
  }

  private *replayStep(): Generator<undefined, number, void> {
    const { job } = this;
    job.setInt(abi.JOB_STEPS_LEFT, 1);
    // More epochs may end since the snapshot than the reports have room for.
    job.setInt(abi.JOB_REPORTS_COUNT, 0);
    for (let blocks = this.blocks(); ; blocks = this.blocks()) {
      const begin = now();
      const status = job.run(blocks);
      if (status !== RUN.more) {
        this.replayed += now() - begin;
        if (this.replayed > REPLAY_PAUSE) {
          this.replayed = 0;
          yield;
          this.interrupt();
        }
        return status;
      }
      yield;
      this.interrupt();
    }
  }

  /** Evaluates the held-back rows, in pieces, and publishes the epoch's report. */
  private *validate(epoch: FinishedEpoch): Generator<undefined, void, void> {
    this.pending = { job: this.validationJob(), report: (validation) => this.report(epoch, validation) };
    try {
      for (let ended = false; !ended; ) {
        // `settle` may have come to the end of it in the meantime.
        const { pending } = this;
        if (pending === undefined) return;
        const perSample = flopsPerSample(this.model.memory.plan) / 3;
        const block = this.blockSamples(perSample);
        pending.job.setInt(abi.JOB_BLOCK, block);
        ended = pending.job.run(this.blockCount(this.flops(block / 3, 0))) === RUN.done;
        if (ended) this.settle();
        else {
          yield;
          this.interrupt();
        }
      }
    } finally {
      this.pending = undefined;
    }
  }

  /**
   * Publishes the report of an epoch whose validation is under way, after the rest of it: whoever saves or copies the
   * network now must find its counters and its history at the same epoch.
   */
  settle(): void {
    const { pending, model, staged } = this;
    if (pending === undefined) return;
    const { job } = pending;
    if (job.int(abi.JOB_IN_STEP) < staged.validationRows) job.run(ENDLESS);
    this.pending = undefined;
    const loss = job.double(abi.JOB_STEP_LOSS);
    const accuracy = job.double(abi.JOB_STEP_CORRECT) / staged.validationRows;
    this.publish(
      pending.report(Object.freeze(countsClasses(model) ? { loss, penalty: 0, accuracy } : { loss, penalty: 0 })),
    );
  }

  private validationJob(): Job {
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
    return job;
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
      this.interrupt();
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
