// Drives a job of the core in pieces that leave the event loop free: how many blocks, how large, and whether one is divided.
import * as abi from "../core/abi.ts";
import type { Model } from "../model.ts";
import { flopsPerSample } from "../plan.ts";
import { runJob } from "./host-loss.ts";
import type { Job } from "./job.ts";
import { now, Pace } from "./pace.ts";
import { tuning } from "./tuning.ts";

/** Slices of an epoch's order in one chunk: a few milliseconds on any core. */
const ORDER_SLICES = 2;
/** Of a divided block: fewer weights than this are not worth a call. */
const LEAST_PIECE = 4096;
/** With fewer samples to a block a wide layer waits for its weights to come from memory; a larger one is divided. */
const LEAST_BLOCK = 64;
/** Per parameter of an update, which reads and writes it: an estimate of the time, in flops. */
const UPDATE_FLOPS = 8;
/** Per sample, for what does not grow with the network. */
const SAMPLE_FLOPS = 100;

/** What the core did: why it stopped, and the ms it took. */
export interface Advance {
  readonly status: number;
  readonly elapsed: number;
}

export class Driver {
  private readonly model: Model;
  private readonly work: string;
  private readonly pace: Pace;
  /** The job whose block is being done in pieces. */
  private divided: Job | undefined;

  /** `work`: what flop/ms depends on besides the network; training of the same kind begins where the last ended. */
  constructor(model: Model, asynchronous: boolean, work: string) {
    this.model = model;
    this.work = work;
    this.pace = new Pace(model.core.kind, asynchronous, model.pace?.work === work ? model.pace.rate : undefined);
  }

  /** Whether a block is half done: until its end nothing else may use activations, and parameters may be half new. */
  get withinBlock(): boolean {
    return this.divided !== undefined && this.divided.int(abi.JOB_PHASE) !== 0;
  }

  /**
   * One chunk of `job`, which ends between two blocks; yields wherever the host may look at its event loop before that.
   * `batch`: samples per step. `trains`: the job goes backward too.
   */
  *advance(job: Job, batch: number, trains: boolean): Generator<undefined, Advance, void> {
    const { plan } = this.model.memory;
    const passes = trains ? 1 : 1 / 3;
    const perSample = passes * flopsPerSample(plan);
    const block = this.blockSamples(job, perSample);
    job.setInt(abi.JOB_BLOCK, block);
    const samples = Math.min(block, batch);
    const flops = samples * (perSample + SAMPLE_FLOPS) + (trains ? (samples / batch) * this.updateFlops : 0);
    const piece = tuning.pieceWeights ?? this.pieceWeights(flops, samples);
    job.setInt(abi.JOB_PIECE, piece);
    const before = this.done(job);
    const run = (blocks: number): Advance => {
      const start = now();
      return { status: runJob(this.model, job, blocks), elapsed: now() - start };
    };
    let { status, elapsed } = run(piece > 0 ? 1 : this.blocks(job, flops));
    this.divided = job;
    while (this.withinBlock) {
      yield;
      const next = run(1);
      status = next.status;
      elapsed += next.elapsed;
    }
    this.divided = undefined;
    const after = this.done(job);
    const work = (after.samples - before.samples) * (perSample + SAMPLE_FLOPS);
    if (trains && work > 0) {
      this.pace.learn(work + (after.steps - before.steps) * this.updateFlops, elapsed);
      const rate = this.pace.measured;
      this.model.pace = rate === undefined ? undefined : { work: this.work, rate };
    }
    return { status, elapsed };
  }

  private get updateFlops(): number {
    return UPDATE_FLOPS * this.model.memory.plan.paramsLength;
  }

  private blockSamples(job: Job, perSample: number): number {
    const steps = job.int(abi.JOB_MODE) === abi.MODE_TRAIN;
    if (this.model.wholeBatches) return steps ? this.model.memory.plan.demand.blockSamples : this.model.passBlock;
    const affordable = Math.floor(this.pace.budget / perSample / 8) * 8;
    return (
      tuning.blockSamples ?? Math.min(this.model.memory.plan.demand.blockSamples, Math.max(LEAST_BLOCK, affordable))
    );
  }

  /** 0 where the block fits the budget; else weights: each takes 2 flops a sample, or its update. */
  private pieceWeights(flops: number, samples: number): number {
    if (flops <= this.pace.budget) return 0;
    return Math.max(LEAST_PIECE, Math.floor(this.pace.budget / Math.max(2 * samples, UPDATE_FLOPS)));
  }

  private blocks(job: Job, flops: number): number {
    const rows = job.int(abi.JOB_ROWS);
    if (ordersInSlices(job) && job.int(abi.JOB_ORDERED) < 2 * rows) return ORDER_SLICES;
    return tuning.chunkBlocks ?? Math.min(Math.max(1, Math.floor(this.pace.budget / flops)), 2 ** 31 - 1);
  }

  /** Samples and steps that the job has finished. */
  private done(job: Job): { samples: number; steps: number } {
    const epochs = job.double(abi.JOB_EPOCH) * job.int(abi.JOB_ROWS);
    return {
      samples: epochs + job.int(abi.JOB_POSITION) + job.int(abi.JOB_IN_STEP),
      steps: job.double(abi.JOB_STEP),
    };
  }
}

/** An order of many slices is made in chunks of its own. */
export function ordersInSlices(job: Job): boolean {
  return job.int(abi.JOB_ORDER_PTR) !== 0 && 2 * job.int(abi.JOB_ROWS) > abi.ORDER_SLICE;
}
