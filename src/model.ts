// The state of one network and the moves every method needs: sizes, initial values, passes over staged rows.
import type { Core } from "./core/exports.ts";
import { drawInitial } from "./initial.ts";
import { NetworkMemory, type Reals } from "./memory.ts";
import type { LossFunction } from "./options/loss.ts";
import type { Names } from "./options/names.ts";
import type { DType } from "./options/network.ts";
import type { ResolvedOptimizer } from "./options/optimizer-types.ts";
import type { EpochReport } from "./options/results.ts";
import { hasParameters, isNormalization, type ResolvedSpec, type Trainable } from "./options/spec.ts";
import { bytesPerSample, type Demand, NO_DEMAND, type Segment } from "./plan.ts";
import { newRecord, type TrainingRecord } from "./receipt/record.ts";
import type { Snapshot } from "./training/divergence.ts";
import type { BestWatch, PlateauWatch } from "./training/stopping.ts";
import { tuning } from "./training/tuning.ts";

/** Where training stands, over the network's life. */
export interface Progress {
  /** Finished epochs. */
  epoch: number;
  /** Finished steps. */
  step: number;
  /** Samples of the unfinished epoch in finished steps. */
  position: number;
  epochLoss: number;
  epochCorrect: number;
  /** What the unfinished epoch was begun with. */
  data: DataIdentity | undefined;
}

/** An unfinished epoch goes on only with the same data, order and validation. */
export interface DataIdentity {
  /** Of the training rows, in hexadecimal digits. */
  readonly fingerprint: string;
  readonly shuffle: boolean;
  /** How rows were held back. */
  readonly validation: string;
}

/** Activations of a block stay below this; blocks are never larger than 512 samples, which fills every tile. */
const BLOCK_BYTES = 2 ** 26;
const BLOCK_SAMPLES = 512;

export class Model {
  spec: ResolvedSpec;
  readonly dtype: DType;
  readonly seed: number;
  readonly memory: NetworkMemory;
  readonly trainable: Trainable[];
  /** Whose roundings the rules of targets allow for: `check` works in float64 on a float32 network's data. */
  targetDtype: DType;
  /** Of the loss "custom"; a file does not hold it. */
  lossFunction: LossFunction | undefined;
  optimizer: ResolvedOptimizer | undefined;
  /** What the optimizer carries from step to step besides its arrays (OPTIMIZER_SCALARS). */
  scalars: readonly number[] = [];
  /** The step and epoch with which the optimizer's state began: schedules count from there. */
  began: { readonly step: number; readonly epoch: number } = { step: 0, epoch: 0 };
  /** What reduceOnPlateau and early stopping have seen. */
  plateau: PlateauWatch | undefined;
  best: BestWatch | undefined;
  progress: Progress = { epoch: 0, step: 0, position: 0, epochLoss: 0, epochCorrect: 0, data: undefined };
  history: EpochReport[] = [];
  /** What was done to the network, for its receipt. */
  record: TrainingRecord;
  names: Names | undefined;
  unknownChunks: readonly { name: string; data: Uint8Array }[] = [];
  /**
   * The fit that is running. `finishBlock` brings it to where other passes may use the memory and parameters are those of
   * a whole step; `settle` brings counters and history to the same epoch besides.
   */
  running: { finishBlock(): void; settle(): void } | undefined;
  /** Flop/ms that training of a kind came to on this instance (training/driver.ts). */
  pace: { readonly work: string; readonly rate: number } | undefined;
  /** The last fit's snapshot, up to 8 MB, to be overwritten by the next one's (training/divergence.ts). */
  spare: Snapshot | undefined;
  /** Whose data stand in the window. */
  windowOwner: object | undefined;
  disposed = false;

  constructor(core: Core, spec: ResolvedSpec, dtype: DType, seed: number) {
    this.spec = spec;
    this.dtype = dtype;
    this.targetDtype = dtype;
    this.seed = seed;
    this.record = newRecord(spec);
    this.trainable = spec.layers.map((layer) => (hasParameters(layer) ? layer.trainable : false));
    const blockSamples = this.blockSamplesFor(NO_DEMAND.blockSamples);
    this.memory = new NetworkMemory(core, spec, dtype, seed, { ...NO_DEMAND, blockSamples });
    this.memory.writeRecords(this.trainable);
  }

  get core(): Core {
    return this.memory.core;
  }

  /** Lets go of what holds memory; the object stays, to say that it was disposed. */
  release(): void {
    this.history = [];
    this.best = undefined;
    this.spare = undefined;
    this.memory.release();
  }

  /** Whether a step's samples go through the network together: their statistics normalise them, or a function takes their loss. */
  get wholeBatches(): boolean {
    if (this.spec.loss === "custom") return true;
    return this.spec.layers.some(({ type }) => type === "batchNormalization");
  }

  /** M for steps of `batch` samples. */
  blockSamplesFor(batch: number): number {
    const whole = Math.max(8, Math.ceil(batch / 8) * 8);
    if (this.spec.loss === "custom") return Math.max(whole, this.largestBlock);
    if (this.wholeBatches) return whole;
    return tuning.blockSamples ?? Math.min(whole, this.largestBlock);
  }

  private get largestBlock(): number {
    const size = this.dtype === "float32" ? 4 : 8;
    const affordable = Math.floor(BLOCK_BYTES / bytesPerSample(this.spec, size) / 8) * 8;
    return Math.max(8, Math.min(BLOCK_SAMPLES, affordable));
  }

  /** Samples per block of a pass that takes no step: where a function sees each block, the same whatever was trained before. */
  get passBlock(): number {
    return this.spec.loss === "custom" ? this.largestBlock : this.memory.plan.demand.blockSamples;
  }

  /** Puts scalings into use that a fit has found; all else in `spec` is as before. */
  useScalings(spec: ResolvedSpec): void {
    if (spec === this.spec) return;
    this.spec = spec;
    this.memory.spec = spec;
    this.memory.writeRecords(this.trainable);
  }

  /** Lays the memory out for at least this demand and writes the records. State in use keeps its room. */
  demand(wanted: Partial<Demand>): void {
    const before = this.memory.plan.demand;
    const demand = { ...before, ...wanted };
    demand.training ||= before.training;
    demand.inputGradients ||= before.inputGradients;
    demand.slots = Math.max(before.slots, demand.slots);
    if ((Object.keys(demand) as (keyof Demand)[]).some((key) => demand[key] !== before[key])) {
      this.memory.replan(demand);
      this.windowOwner = undefined;
      this.memory.writeRecords(this.trainable);
    }
  }

  /** Draws the initial parameters: init(node and part, element), fans by layer. */
  initialize(): void {
    for (const segment of this.memory.plan.segments) {
      const layer = this.spec.layers[segment.layer];
      if (isNormalization(layer)) {
        const one = segment.part === "W" || segment.part === "variance" ? 1 : 0;
        drawInitial(this, segment, { type: "constant", value: one });
      }
      if (layer?.type !== "dense") continue;
      const init = segment.part === "W" ? layer.init : layer.biasInit;
      if (init.type === "values") {
        this.writeParameters(segment, this.dtype === "float32" ? Float32Array.from(init.values) : init.values);
      } else drawInitial(this, segment, init);
    }
  }

  writeParameters(segment: Segment, values: Reals): void {
    this.memory.writeSegmentValues(this.memory.plan.params, segment, values);
  }
}
