// Training: stages the data, drives the core chunk by chunk, and turns what comes back into reports.
import * as abi from "../core/abi.ts";
import type { DataIdentity, Model } from "../model.ts";
import type { ResolvedFitOptions } from "../options/fit.ts";
import { SEARCHING } from "../options/optimizer.ts";
import type { EpochReport, History } from "../options/results.ts";
import { hasPenalty } from "../options/spec.ts";
import { fitCall } from "../receipt/record.ts";
import { findDivergence, restore, type Snapshot, snapshot, spareOf } from "./divergence.ts";
import { type Advance, Driver, ordersInSlices } from "./driver.ts";
import { Search } from "./full-batch/search.ts";
import { Job, RUN } from "./job.ts";
import { scalarsOf, setOptimizer, useOptimizer } from "./optimizer.ts";
import { now, Pause } from "./pace.ts";
import { countsClasses } from "./passes.ts";
import { Rates } from "./rates.ts";
import { type FinishedEpoch, Reports } from "./reports.ts";
import { findScalings, scaleWindow } from "./scaling.ts";
import { type Staged, stageData } from "./stage.ts";
import { Rules } from "./stopping.ts";
import { measure, validate } from "./validation.ts";

/** Epochs between two looks of the host, where nobody waits for each. */
const REPORTS = 256;
const ENDLESS = 2 ** 31 - 1;
/** ms of replayed steps between two looks at the event loop. */
const REPLAY_PAUSE = 10;

function sameData(a: DataIdentity | undefined, b: DataIdentity): boolean {
  return a?.fingerprint === b.fingerprint && a.shuffle === b.shuffle && a.validation === b.validation;
}

/** A run that has checked and copied its data. */
export function startFit(...given: ConstructorParameters<typeof FitRun>): FitRun {
  return new FitRun(...given);
}

/** One call of fit, fitSync or epochs, from validation to its history. */
export class FitRun {
  private readonly model: Model;
  private readonly options: ResolvedFitOptions;
  private readonly staged: Staged;
  private readonly perEpoch: boolean;
  private readonly driver: Driver;
  private readonly reports: Reports;
  private readonly rules: Rules;
  private readonly rates: Rates | undefined;
  private search: Search | undefined;
  private epochsLeft: number;
  private stepsLeft: number;
  private stopped: History["stopped"] = "epochs";
  private finished = false;
  private started = 0;
  private replayed = 0;
  private job: Job;
  private before: Snapshot | undefined;
  /** Epochs reported since the snapshot. */
  private reportedSince = 0;
  /** When the snapshot was taken and how long that took, in ms. */
  private snapshotAt = 0;
  private snapshotTime = 0;
  /** The chunk under way: `bringOn` may be ahead of `work` in it. */
  private current: Generator<undefined, void, void> | undefined;
  /** What `current` threw where another call brought it on. */
  private failure: { readonly error: unknown } | undefined;
  /** Parameters are on their way to an earlier step. */
  private unsteady = false;
  /** Within an epoch of a method that tries steps. */
  private searching = false;
  private readonly name: string;
  private readonly asynchronous: boolean;
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
    this.rules = new Rules(model, this.options);
    const { onEpoch, schedule, optimizer, metrics } = this.options;
    const looks = this.staged.validationRows > 0 || this.rules.active || metrics.length > 0;
    this.perEpoch = how.perEpoch || onEpoch !== undefined || looks;
    this.rates = schedule === undefined ? undefined : new Rates(model, schedule, optimizer);
    this.asynchronous = how.asynchronous;
    const { batchSize } = this.options;
    this.driver = new Driver(model, how.asynchronous, `${optimizer.type} ${batchSize} of ${this.staged.rows}`);
    this.reports = new Reports(model, this.staged.rows);
    this.epochsLeft = this.options.epochs;
    this.stepsLeft = this.options.maxSteps ?? ENDLESS;
    this.job = new Job(model.memory, model.memory.plan.trainJob);
    if (this.options.signal?.aborted) throw this.options.signal.reason;
  }

  /** The data leave the memory (another fit may come first) and return with `begin`. */
  park(): void {
    this.staged.keepCopy(this.model);
  }

  private *begin(): Generator<undefined, void, void> {
    const { model, staged, options } = this;
    staged.restage(model);
    this.job = new Job(model.memory, model.memory.plan.trainJob);
    model.running = this;
    const spec = yield* findScalings(model, staged);
    this.undo = this.remember();
    model.useScalings(spec);
    yield* scaleWindow(model, staged);
    useOptimizer(model, options.optimizer);
    const { progress } = model;
    if (progress.position > 0 && (options.refit || !sameData(progress.data, staged.identity))) {
      Object.assign(progress, { position: 0, epochLoss: 0, epochCorrect: 0 });
    }
    progress.data = staged.identity;
    model.record.beginFit(fitCall(options, model.core.kind, staged.marks), progress);
    this.rules.begin();
    this.reports.begin(progress.position);
    this.writeJob();
    if (SEARCHING.includes(options.optimizer.type)) {
      this.search = new Search(model, staged, this.driver, options.optimizer, this.asynchronous);
      Object.assign(progress, { position: 0, epochLoss: 0, epochCorrect: 0 });
    }
    this.started = now();
  }

  /** What puts optimizer, state and counters back where a run that ends before its first step found them. */
  private remember(): () => void {
    const { model } = this;
    const { spec, optimizer, scalars, began, plateau, best } = model;
    const progress = { ...model.progress };
    const { state } = model.memory.plan;
    const changes = optimizer !== undefined && optimizer.type !== this.options.optimizer.type;
    const bytes = changes ? model.memory.bytes(state).slice() : undefined;
    return () => {
      if (model.disposed || model.progress.step !== progress.step) return;
      model.useScalings(spec);
      Object.assign(model, { optimizer, scalars, began, plateau, best, progress });
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
    job.setInt(abi.JOB_SAMPLE_WEIGHTS_PTR, options.sampleWeights === undefined ? 0 : plan.sampleWeights.offset);
    job.setAdjustment(hasPenalty(model.spec), options, options.minGradient !== undefined);
    setOptimizer(job, options.optimizer, model.scalars);
    const { progress } = model;
    job.setInt(abi.JOB_POSITION, progress.position);
    job.setDouble(abi.JOB_EPOCH, progress.epoch);
    job.setDouble(abi.JOB_STEP, progress.step);
    job.setDouble(abi.JOB_EPOCH_LOSS, progress.epochLoss);
    job.setDouble(abi.JOB_EPOCH_CORRECT, progress.epochCorrect);
  }

  /** Yields a report per finished epoch, and undefined wherever the host may pause. */
  *work(): Generator<EpochReport | undefined, void, void> {
    try {
      for (const _ of this.begin()) {
        yield;
        this.interrupt();
      }
      for (let handed = 0; !this.finished; ) {
        yield;
        this.interrupt();
        this.current = this.advance();
        for (const _ of this.current) {
          yield;
          this.interrupt();
        }
        this.current = undefined;
        // What went wrong while another call brought the chunk to its end.
        if (this.failure !== undefined) throw this.failure.error;
        while (handed < this.reports.list.length) yield this.reports.list[handed++];
      }
    } finally {
      this.leaveSearch();
      if (!this.model.disposed) this.model.spare = spareOf(this.before ?? this.model.spare);
      this.undo?.();
      this.model.record.endFit(this.model.progress);
      if (this.model.running === this) this.model.running = undefined;
    }
  }

  /** A run that ends within an epoch of a search goes back to its beginning. */
  private leaveSearch(): void {
    if (!this.searching || this.model.disposed || this.before === undefined) return;
    for (const _ of restore(this.model, this.job, this.before));
    this.searching = false;
    this.unsteady = false;
  }

  /** Throws where the run must not go on. */
  interrupt(): void {
    if (this.model.disposed) throw new Error(`${this.name}: the network was disposed while it was training`);
    const { signal } = this.options;
    // Within a chunk the network may be between two whole steps, or an epoch without its report: an abort waits for the chunk's end. A search,
    // which may take long, is left and undone.
    if (signal?.aborted && (this.current === undefined || this.searching)) throw signal.reason;
  }

  /** Before another pass uses the memory or looks at parameters. */
  finishBlock(): void {
    this.bringOn(() => !this.unsteady && !this.driver.withinBlock);
  }

  /** Before the network is saved or copied: its counters and its history must be at the same epoch. */
  settle(): void {
    this.bringOn(() => false);
  }

  /** Goes on with the chunk at hand until `enough`, at most to its end. */
  private bringOn(enough: () => boolean): void {
    try {
      while (this.current !== undefined && !enough()) if (this.current.next().done) return;
    } catch (error) {
      this.failure = { error };
    }
  }

  /** One chunk of work, and what follows from it: the epochs that ended in it are published, or it diverged. */
  private *advance(): Generator<undefined, void, void> {
    if (this.search !== undefined) return yield* this.advanceSearch(this.search);
    const { job, model, options } = this;
    if (options.maxSeconds < Number.POSITIVE_INFINITY) this.watchClock();
    yield* this.takeSnapshot();
    // An order of many slices is made in chunks of its own, so each of its epochs ends one.
    const epochs = this.perEpoch || ordersInSlices(job) ? 1 : Math.min(this.epochsLeft, REPORTS);
    job.setInt(abi.JOB_EPOCHS_LEFT, epochs);
    job.setInt(abi.JOB_STEPS_LEFT, Math.min(this.stepsLeft, this.rates?.fill(job) ?? ENDLESS));
    job.setInt(abi.JOB_REPORTS_COUNT, 0);
    const before = job.double(abi.JOB_STEP);
    const { status, elapsed } = yield* this.advanceOrLeave();
    const steps = job.double(abi.JOB_STEP) - before;
    if (status === RUN.diverged || (steps > 0 && (yield* findDivergence(model)) !== undefined)) yield* this.replay();
    if (this.stepsLeft !== ENDLESS) this.stepsLeft -= steps;
    const finished = this.reports.take(job, elapsed);
    this.epochsLeft -= finished.length;
    this.reportedSince += finished.length;
    this.readProgress();
    if (this.stepsLeft === 0) this.stopped = this.stopped === "epochs" ? "maxSteps" : this.stopped;
    this.finished = this.epochsLeft === 0 || this.stepsLeft === 0;
    for (const epoch of finished) {
      yield* this.conclude(epoch, job.double(abi.JOB_GRADIENT_NORM));
    }
  }

  /** A loss of the user's own may throw in the middle of a step: the steps before it stay. */
  private *advanceOrLeave(): Generator<undefined, Advance, void> {
    const { job, driver, options } = this;
    try {
      return yield* driver.advance(job, options.batchSize, true);
    } catch (error) {
      const finished = this.reports.take(job, 0);
      this.readProgress();
      for (const epoch of finished) this.reports.publish(epoch);
      throw error;
    }
  }

  /** An epoch of a method that tries steps before it takes them. */
  private *advanceSearch(search: Search): Generator<undefined, void, void> {
    if (this.options.maxSeconds < Number.POSITIVE_INFINITY) this.watchClock();
    yield* this.takeSnapshot(true);
    const start = now();
    this.unsteady = true;
    this.searching = true;
    const { point, learningRate, ended } = yield* search.epoch();
    this.searching = false;
    this.unsteady = false;
    this.epochsLeft--;
    if (this.stepsLeft !== ENDLESS) this.stepsLeft--;
    if (this.stepsLeft === 0 && this.stopped === "epochs") this.stopped = "maxSteps";
    this.finished = this.epochsLeft === 0 || this.stepsLeft === 0 || ended !== undefined;
    if (ended !== undefined) this.endBy(ended);
    const { loss, correct, norm } = point;
    const { rows } = this.staged;
    yield* this.conclude({ loss, correct, learningRate, elapsed: now() - start, samples: rows }, norm);
  }

  /** Publishes an epoch; whether a rule ends training with it. */
  private *conclude(epoch: FinishedEpoch, norm: number): Generator<undefined, void, void> {
    const { model, staged, driver } = this;
    const held = staged.validationRows > 0;
    let report: EpochReport;
    try {
      const validation = held ? yield* validate(model, staged, driver) : undefined;
      const metrics = held || this.options.metrics.length === 0 ? undefined : yield* measure(model, staged, driver);
      report = this.reports.publish(epoch, validation, metrics);
    } catch (error) {
      // A loss of the user's own threw: the epoch has been trained all the same.
      this.reports.publish(epoch);
      throw error;
    }
    if (!this.rules.active) return;
    const rule = yield* this.rules.after(report, norm);
    if (rule === undefined) return;
    this.endBy(rule);
    this.finished = true;
    if (rule !== "earlyStopping") return;
    this.unsteady = true;
    yield* this.rules.restoreBest();
    this.unsteady = false;
  }

  /** Before the epoch's report is handed out: a network that is saved then has been ended by the rule. */
  private endBy(rule: History["stopped"]): void {
    this.stopped = rule;
    this.model.record.endsBy(rule);
  }

  /** Between steps; where a copy of a large network takes long, only after eight times as long. */
  private *takeSnapshot(always = false): Generator<undefined, void, void> {
    if (this.job.int(abi.JOB_IN_STEP) !== 0) return;
    const start = now();
    if (!always && this.before !== undefined && start - this.snapshotAt < 8 * this.snapshotTime) return;
    const reuse = this.before ?? this.model.spare;
    this.model.spare = undefined;
    this.before = yield* snapshot(this.model, reuse);
    this.rates?.forget(this.job.double(abi.JOB_STEP));
    this.reportedSince = 0;
    this.snapshotAt = now();
    this.snapshotTime = this.snapshotAt - start;
  }

  /** maxSeconds: when time is over, the step at hand is the last. */
  private watchClock(): void {
    if (now() - this.started < this.options.maxSeconds * 1000) return;
    this.stopped = "maxSeconds";
    this.stepsLeft = 1;
  }

  private readProgress(): void {
    const { job, model } = this;
    const { progress } = model;
    progress.epoch = job.double(abi.JOB_EPOCH);
    progress.step = job.double(abi.JOB_STEP);
    progress.position = job.int(abi.JOB_POSITION);
    progress.epochLoss = job.double(abi.JOB_EPOCH_LOSS);
    progress.epochCorrect = job.double(abi.JOB_EPOCH_CORRECT);
    model.scalars = scalarsOf(job, this.options.optimizer);
  }

  /** Finds the first step that diverged since the snapshot, leaves the network before it, and throws. */
  private *replay(): Generator<undefined, never, void> {
    const { model, job } = this;
    const start = this.before as Snapshot;
    this.unsteady = true;
    yield* restore(model, job, start);
    let steps = 0;
    let found: Error | undefined;
    while (found === undefined) {
      const epoch = job.double(abi.JOB_EPOCH) + 1;
      const status = yield* this.replayStep();
      found = yield* findDivergence(model, status === RUN.diverged, epoch, job.double(abi.JOB_STEP));
      if (found === undefined) steps++;
    }
    yield* restore(model, job, start);
    const finished: FinishedEpoch[] = [];
    for (; steps > 0; steps--) {
      yield* this.replayStep();
      finished.push(...this.reports.take(job, 0));
    }
    this.readProgress();
    // The snapshot may be older than the last chunk: then reports have been made again that are out already.
    for (const epoch of finished.slice(this.reportedSince)) this.reports.publish(epoch);
    throw found;
  }

  private *replayStep(): Generator<undefined, number, void> {
    const { job } = this;
    this.rates?.fill(job);
    job.setInt(abi.JOB_STEPS_LEFT, 1);
    // More epochs may end since the snapshot than the reports have room for.
    job.setInt(abi.JOB_REPORTS_COUNT, 0);
    for (;;) {
      const { status, elapsed } = yield* this.driver.advance(job, this.options.batchSize, true);
      this.replayed += elapsed;
      if (this.replayed > REPLAY_PAUSE || status === RUN.more) {
        this.replayed = 0;
        yield;
      }
      if (status !== RUN.more) return status;
    }
  }

  history(): History {
    const { validationIndices } = this.staged;
    return Object.freeze({
      epochs: this.reports.list,
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
