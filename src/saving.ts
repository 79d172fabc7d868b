// Model ⇄ file.

import type { Core } from "./core/exports.ts";
import { instantiateCore, instantiateCoreSync } from "./core/instantiate.ts";
import { decode, encode, type LoadedNetwork, type SavedWatches } from "./formats/network.ts";
import type { Reals } from "./memory.ts";
import { Model } from "./model.ts";
import type { Core as CoreOption } from "./options/network.ts";
import { OPTIMIZER_SLOTS, stateSlots } from "./options/optimizer.ts";
import type { EpochReport } from "./options/results.ts";
import { hasParameters } from "./options/spec.ts";
import type { Region } from "./plan.ts";
import { TrainingRecord } from "./receipt/record.ts";

/** The file of the last whole step. */
export function saveModel(model: Model, withOptimizer: boolean): Uint8Array {
  model.running?.settle();
  const { memory, optimizer, progress } = model;
  const { params, state } = memory.plan;
  const spec = {
    ...model.spec,
    layers: model.spec.layers.map((layer, l) =>
      hasParameters(layer) ? { ...layer, trainable: model.trainable[l] ?? layer.trainable } : layer,
    ),
  };
  return encode({
    spec,
    dtype: model.dtype,
    seed: model.seed,
    parameters: logical(model, params, 0),
    ...(withOptimizer && optimizer
      ? {
          optimizer: {
            options: optimizer,
            slots: Array.from({ length: stateSlots(model.optimizer) }, (_, slot) => logical(model, state, slot)),
            scalars: model.scalars,
            began: model.began,
          },
        }
      : {}),
    watches: withOptimizer ? watchesOf(model) : {},
    progress: {
      epoch: progress.epoch,
      step: progress.step,
      position: progress.position,
      epochLoss: progress.epochLoss,
      epochCorrect: progress.epochCorrect,
      ...(progress.data ?? {}),
    },
    history: model.history,
    record: model.record.saved(progress, !withOptimizer && losesState(model)),
    ...(model.names === undefined ? {} : { names: model.names }),
    unknown: model.unknownChunks,
  });
}

/** Whether a file without the optimizer trains on differently. */
function losesState({ optimizer, plateau, best }: Model): boolean {
  return optimizer !== undefined || plateau !== undefined || best !== undefined;
}

function watchesOf(model: Model): SavedWatches {
  const { plateau, best } = model;
  if (best === undefined) return plateau === undefined ? {} : { plateau };
  const { parameters, ...watch } = best;
  return {
    ...(plateau && { plateau }),
    best: { ...watch, ...(parameters && { parameters: unpadded(model, parameters) }) },
  };
}

function frozen(report: EpochReport): EpochReport {
  Object.freeze(report.metrics);
  if (report.validation !== undefined) Object.freeze(report.validation);
  return Object.freeze(report);
}

/** The same of a copy of the parameter region. */
function unpadded(model: Model, copy: Uint8Array): Reals {
  const { parameterCount, segments } = model.memory.plan;
  const from = model.dtype === "float32" ? new Float32Array(copy.buffer) : new Float64Array(copy.buffer);
  const values = from instanceof Float32Array ? new Float32Array(parameterCount) : new Float64Array(parameterCount);
  let at = 0;
  for (const { rows, cols, pitch, offset } of segments) {
    for (let row = 0; row < rows; row++, at += cols) {
      values.set(from.subarray(offset + row * pitch, offset + row * pitch + cols), at);
    }
  }
  return values;
}

/** Back into the layout of the parameter region. */
function padded(model: Model, values: Reals): Uint8Array {
  const { params, segments } = model.memory.plan;
  const copy = new Uint8Array(params.bytes);
  const to = model.dtype === "float32" ? new Float32Array(copy.buffer) : new Float64Array(copy.buffer);
  let at = 0;
  for (const { rows, cols, pitch, offset } of segments) {
    for (let row = 0; row < rows; row++, at += cols) to.set(values.subarray(at, at + cols), offset + row * pitch);
  }
  return copy;
}

/** All segments of a region laid out as the parameters, one after the other, without padding. */
function logical(model: Model, base: Region, slot: number): Reals {
  const { memory } = model;
  const { parameterCount, size, segments } = memory.plan;
  const values = size === 4 ? new Float32Array(parameterCount) : new Float64Array(parameterCount);
  let at = 0;
  for (const segment of segments) {
    const part = memory.readSegment(base, segment, slot);
    values.set(part, at);
    at += part.length;
  }
  return values;
}

function writeLogical(model: Model, base: Region, values: Reals, slot: number): void {
  let at = 0;
  for (const segment of model.memory.plan.segments) {
    const count = segment.rows * segment.cols;
    model.memory.writeSegmentValues(base, segment, values.subarray(at, at + count), slot);
    at += count;
  }
}

export async function loadModel(bytes: unknown, core: CoreOption): Promise<Model> {
  const saved = decode(bytes);
  return restoreModel(saved, await instantiateCore(core, saved.dtype));
}

export function loadModelSync(bytes: unknown, core: CoreOption): Model {
  const saved = decode(bytes);
  return restoreModel(saved, instantiateCoreSync(core, saved.dtype));
}

function restoreModel(saved: LoadedNetwork, core: Core): Model {
  const model = new Model(core, saved.spec, saved.dtype, saved.seed);
  writeLogical(model, model.memory.plan.params, saved.parameters, 0);
  const { optimizer, progress } = saved;
  if (optimizer !== undefined) {
    model.demand({ training: true, slots: OPTIMIZER_SLOTS[optimizer.options.type], reports: 1 });
    for (const [slot, values] of optimizer.slots.entries()) {
      writeLogical(model, model.memory.plan.state, values, slot);
    }
    model.optimizer = optimizer.options;
    model.scalars = optimizer.scalars;
    model.began = optimizer.began;
  }
  const { plateau, best } = saved.watches;
  if (plateau !== undefined) model.plateau = { ...plateau };
  if (best !== undefined) {
    const { parameters, ...watch } = best;
    model.best = { ...watch, parameters: parameters && padded(model, parameters) };
  }
  const { epoch, step, position, epochLoss, epochCorrect, fingerprint, shuffle, validation } = progress;
  const data =
    fingerprint === undefined || shuffle === undefined || validation === undefined
      ? undefined
      : { fingerprint, shuffle, validation };
  model.progress = { epoch, step, position, epochLoss, epochCorrect, data };
  model.history = saved.history.map(frozen);
  model.record = new TrainingRecord(saved.record);
  model.names = saved.names;
  model.unknownChunks = saved.unknown;
  return model;
}
