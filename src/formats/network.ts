import type { Reals } from "../data/rows.ts";
import { kindError, valueError } from "../errors.ts";
import { booleanOf, integerIn, numberThat, oneOf, optionsObject } from "../options/checks.ts";
import { LIMITS } from "../options/defaults.ts";
import { isMetricName, type MetricName, type MetricValues } from "../options/metrics.ts";
import { type Names, resolveNames } from "../options/names.ts";
import { DTYPES, type DType } from "../options/network.ts";
import { OPTIMIZER_SCALARS, OPTIMIZER_SLOTS, type ResolvedOptimizer, resolveOptimizer } from "../options/optimizer.ts";
import type { EpochReport, Evaluation } from "../options/results.ts";
import { type KeptSpec, parameterCount, type ResolvedSpec, resolveSpec, withoutValues } from "../options/spec.ts";
import { NO_RECORD, recordOf, type SavedRecord } from "../receipt/record.ts";
import { type Chunk, type ChunkWriter, isChunkName, isOptional, readChunks, writeChunks } from "./chunks.ts";
import { bytesPerReal, readJson, readReals, writeJson, writeReals } from "./values.ts";

/** Where training stands. */
export interface SavedProgress {
  /** Finished epochs of the network's life. */
  readonly epoch: number;
  /** Finished steps of the network's life. */
  readonly step: number;
  /** Samples of the unfinished epoch in finished steps; 0 between epochs. */
  readonly position: number;
  /** Σ B·loss over the finished steps of the unfinished epoch. */
  readonly epochLoss: number;
  /** Correctly classified samples of the unfinished epoch. */
  readonly epochCorrect: number;
  /** Of the data, in hexadecimal digits. */
  readonly fingerprint?: string;
  readonly shuffle?: boolean;
  /** How rows were held back, in the words of training/. */
  readonly validation?: string;
}

export interface SavedOptimizer {
  readonly options: ResolvedOptimizer;
  /** Arrays as long as the parameters, laid out like them; 0, 1 or 2 by type. */
  readonly slots: readonly Reals[];
  /** What the optimizer carries besides, in the order of OPTIMIZER_SCALARS. */
  readonly scalars: readonly number[];
  /** Steps and epochs of the network's life before its state began. */
  readonly began: { readonly step: number; readonly epoch: number };
}

/** What reduceOnPlateau and early stopping have seen, in the words of training/. */
export interface SavedWatches {
  readonly plateau?: SavedWatch & { readonly product: number };
  /** `parameters` as those of the network. */
  readonly best?: SavedWatch & { readonly parameters?: Reals };
}

export interface SavedWatch {
  readonly key: string;
  readonly best: number | null;
  readonly since: number;
}

/** All that a file holds. */
export interface SavedNetwork {
  readonly spec: ResolvedSpec;
  readonly dtype: DType;
  readonly seed: number;
  /** Logical values without padding, dense layer by dense layer: W row-major [units × inputs], then b [units]. */
  readonly parameters: Reals;
  readonly optimizer?: SavedOptimizer;
  readonly watches: SavedWatches;
  readonly progress: SavedProgress;
  readonly history: readonly EpochReport[];
  /** What was done to the network. */
  readonly record: SavedRecord;
  readonly names?: Names;
  /** Optional chunks of newer versions or other writers, kept as they are, in the file's order. */
  readonly unknown: readonly Chunk[];
}

/** What `decode` gives: its spec holds no initial values. */
export type LoadedNetwork = SavedNetwork & { readonly spec: KeptSpec };

const KNOWN = ["SPEC", "WGHT", "optm", "slot", "rule", "best", "prog", "hist", "rcpt", "name"] as const;
type KnownName = (typeof KNOWN)[number];

/**
 * The file's bytes (docs/format.md). Initial values in the spec are left out: the weights have replaced them.
 * @throws RangeError where arrays do not fit the spec, or an unknown chunk may not be written
 */
export function encode(saved: SavedNetwork): Uint8Array<ArrayBuffer> {
  const { dtype, seed, parameters, optimizer, progress, history, record, names, unknown } = saved;
  const spec = withoutValues(saved.spec);
  const count = parameterCount(spec);
  checkLength("parameters", parameters, count);
  const chunks = [json("SPEC", { spec, dtype, seed }), reals("WGHT", [parameters])];
  if (optimizer !== undefined) {
    const { options, slots, scalars, began } = optimizer;
    const expected = OPTIMIZER_SLOTS[options.type];
    if (slots.length !== expected) throw new RangeError(`save: expected ${expected} slots, got ${slots.length}`);
    for (const slot of slots) checkLength("slot", slot, count);
    const carried = OPTIMIZER_SCALARS[options.type];
    if (scalars.length !== carried.length) {
      throw new RangeError(`save: expected ${carried.length} scalars, got ${scalars.length}`);
    }
    const named = Object.fromEntries(carried.map(({ name }, i) => [name, scalars[i]]));
    chunks.push(json("optm", { options, scalars: named, began }));
    if (slots.length > 0) chunks.push(reals("slot", slots));
  }
  chunks.push(...watchChunks(saved.watches, count));
  chunks.push(json("prog", progress), json("hist", history), json("rcpt", record));
  if (names !== undefined) chunks.push(json("name", names));
  for (const { name, data } of unknown) {
    if (!isChunkName(name) || !isOptional(name) || isKnown(name)) {
      throw valueError("save", "an unknown optional chunk to have a name of its own", name);
    }
    chunks.push({ name, length: data.length, fill: (target) => target.set(data) });
  }
  return writeChunks(chunks);
}

function watchChunks({ plateau, best }: SavedWatches, count: number): ChunkWriter[] {
  if (plateau === undefined && best === undefined) return [];
  const { parameters, ...watch } = best ?? {};
  const rule = json("rule", { ...(plateau && { plateau }), ...(best && { best: watch }) });
  if (parameters === undefined) return [rule];
  checkLength("best", parameters, count);
  return [rule, reals("best", [parameters])];
}

function json(name: KnownName, value: unknown): ChunkWriter {
  const data = writeJson(value);
  return { name, length: data.length, fill: (target) => target.set(data) };
}

function reals(name: KnownName, arrays: readonly Reals[]): ChunkWriter {
  const length = arrays.reduce((sum, array) => sum + array.byteLength, 0);
  const fill = (target: Uint8Array) => {
    let at = 0;
    for (const array of arrays) {
      writeReals(target, at, array);
      at += array.byteLength;
    }
  };
  return { name, length, fill };
}

function checkLength(name: string, values: Reals, count: number): void {
  if (values.length !== count) throw new RangeError(`save: expected ${count} ${name} values, got ${values.length}`);
}

/**
 * Reads a file; everything is checked against the spec before arrays are made, and everything returned is a copy.
 * @throws TypeError for something that is no Uint8Array, RangeError for bytes that are not a whole, undamaged file
 */
export function decode(bytes: unknown): LoadedNetwork {
  const { known, unknown } = sort(readChunks(bytes));
  const { spec, dtype, seed } = fromJson(known, "SPEC", readSpec);
  const count = parameterCount(spec);
  const [parameters] = fromReals(known, "WGHT", 1, count, dtype) as [Reals];
  const optimizer = known.has("optm") ? readOptimizer(known, count, dtype) : undefined;
  if (optimizer === undefined && known.has("slot")) throw new RangeError("load: chunk slot occurs without chunk optm");
  return {
    spec,
    dtype,
    seed,
    parameters,
    ...(optimizer && { optimizer }),
    watches: readWatches(known, count, dtype),
    progress: known.has("prog") ? fromJson(known, "prog", readProgress) : NO_PROGRESS,
    history: known.has("hist") ? fromJson(known, "hist", readHistory) : [],
    record: known.has("rcpt") ? fromJson(known, "rcpt", recordOf) : NO_RECORD,
    ...(known.has("name") && { names: fromJson(known, "name", (value) => resolveNames(value, spec)) }),
    unknown,
  };
}

/**
 * The parameters, and what `read` finds in the chunk SPEC's JSON; the other chunks are not looked into.
 * @throws as `decode`
 */
export function decodeParameters<Facts extends { readonly dtype: DType; readonly count: number }>(
  bytes: unknown,
  read: (value: unknown) => Facts,
): Facts & { readonly parameters: Reals } {
  const { known } = sort(readChunks(bytes));
  const facts = fromJson(known, "SPEC", read);
  const [parameters] = fromReals(known, "WGHT", 1, facts.count, facts.dtype) as [Reals];
  return { ...facts, parameters };
}

type KnownChunks = ReadonlyMap<KnownName, Uint8Array>;

/** The data of the chunks with a meaning, not looked into. @throws as `decode` */
export function knownChunks(bytes: unknown): KnownChunks {
  return sort(readChunks(bytes)).known;
}

function isKnown(name: string): name is KnownName {
  return (KNOWN as readonly string[]).includes(name);
}

function sort(chunks: readonly Chunk[]): { known: KnownChunks; unknown: Chunk[] } {
  const known = new Map<KnownName, Uint8Array>();
  const unknown: Chunk[] = [];
  for (const { name, data } of chunks) {
    if (isKnown(name)) {
      if (known.has(name)) throw new RangeError(`load: chunk ${name} occurs twice`);
      known.set(name, data);
    } else if (isOptional(name)) unknown.push({ name, data: data.slice() });
    else throw new RangeError(`load: chunk ${name} is required but not known: a newer version of chainrule is needed`);
  }
  return { known, unknown };
}

/** @throws RangeError where there is none */
export function required(known: KnownChunks, name: KnownName): Uint8Array {
  const data = known.get(name);
  if (data === undefined) throw new RangeError(`load: chunk ${name} is missing`);
  return data;
}

/** `read` of the chunk's JSON; whatever is wrong with it is an error that names the chunk. */
export function fromJson<T>(known: KnownChunks, name: KnownName, read: (value: unknown) => T): T {
  const data = required(known, name);
  try {
    return read(readJson(data));
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new RangeError(`load: chunk ${name}: ${message}`, { cause });
  }
}

function fromReals(known: KnownChunks, name: KnownName, arrays: number, count: number, dtype: DType): Reals[] {
  const data = required(known, name);
  const size = count * bytesPerReal(dtype);
  if (data.length !== arrays * size) {
    const values = `${arrays * count} ${dtype} values`;
    throw new RangeError(`load: chunk ${name}: expected ${arrays * size} bytes for ${values}, got ${data.length}`);
  }
  return Array.from({ length: arrays }, (_, index) => readReals(data, index * size, count, dtype));
}

function readSpec(value: unknown): { spec: KeptSpec; dtype: DType; seed: number } {
  const given = optionsObject("file", value, { allowed: ["spec", "dtype", "seed"] });
  const dtype = oneOf("dtype", given.dtype, DTYPES);
  const seed = integerIn("seed", given.seed, 0, LIMITS.seed);
  return { spec: withoutValues(resolveSpec(given.spec, dtype)), dtype, seed };
}

function readOptimizer(known: KnownChunks, count: number, dtype: DType): SavedOptimizer {
  const scalars = fromJson(known, "optm", (value) => {
    const given = optionsObject("optimizer", value, { allowed: ["options", "scalars", "began"] });
    const options = resolveOptimizer(given.options, dtype, "options");
    const carried = OPTIMIZER_SCALARS[options.type];
    const named = optionsObject("scalars", given.scalars, { allowed: carried.map(({ name }) => name) });
    const scalars = carried.map(({ name, min, max }) => {
      const inRange = (scalar: number) => scalar >= min && scalar <= max;
      return numberThat(`scalars.${name}`, named[name], `a number from ${min} to ${max}`, inRange);
    });
    const began = optionsObject("began", given.began, { allowed: ["step", "epoch"] });
    const step = integerIn("began.step", began.step, 0, Number.MAX_SAFE_INTEGER);
    const epoch = integerIn("began.epoch", began.epoch, 0, Number.MAX_SAFE_INTEGER);
    return { options, scalars, began: { step, epoch } };
  });
  const arrays = OPTIMIZER_SLOTS[scalars.options.type];
  if (arrays > 0) return { ...scalars, slots: fromReals(known, "slot", arrays, count, dtype) };
  if (known.has("slot")) throw new RangeError(`load: chunk slot: expected none for ${scalars.options.type}`);
  return { ...scalars, slots: [] };
}

function readWatches(known: KnownChunks, count: number, dtype: DType): SavedWatches {
  if (!known.has("rule")) {
    if (known.has("best")) throw new RangeError("load: chunk best occurs without chunk rule");
    return {};
  }
  return fromJson(known, "rule", (value) => {
    const { plateau, best } = optionsObject("rule", value, { allowed: ["plateau", "best"] });
    if (best === undefined && known.has("best"))
      throw new TypeError("best: expected a watch, as there is a chunk best");
    const [parameters] = known.has("best") ? fromReals(known, "best", 1, count, dtype) : [];
    return {
      ...(plateau !== undefined && { plateau: { ...readWatch(plateau, "plateau"), product: readProduct(plateau) } }),
      ...(best !== undefined && { best: { ...readWatch(best, "best"), ...(parameters && { parameters }) } }),
    };
  });
}

function readWatch(value: unknown, name: string): SavedWatch {
  const product = name === "plateau" ? ["product"] : [];
  const { key, best, since } = optionsObject(name, value, { allowed: ["key", "best", "since", ...product] });
  return {
    key: text(`${name}.key`, key, /^/, "a string"),
    best: best === null ? null : anyNumber(`${name}.best`, best),
    since: integerIn(`${name}.since`, since, 0, Number.MAX_SAFE_INTEGER),
  };
}

function readProduct(value: unknown): number {
  const { product } = value as { product?: unknown };
  return numberThat("plateau.product", product, "a number from 0 to 1", (factor) => factor >= 0 && factor <= 1);
}

const NO_PROGRESS: SavedProgress = { epoch: 0, step: 0, position: 0, epochLoss: 0, epochCorrect: 0 };

function readProgress(value: unknown): SavedProgress {
  const counts = ["epoch", "step", "position", "epochLoss", "epochCorrect"];
  const given = optionsObject("progress", value, { allowed: [...counts, "fingerprint", "shuffle", "validation"] });
  const { fingerprint, shuffle, validation } = given;
  return {
    epoch: integerIn("epoch", given.epoch, 0, Number.MAX_SAFE_INTEGER),
    step: integerIn("step", given.step, 0, Number.MAX_SAFE_INTEGER),
    position: integerIn("position", given.position, 0, LIMITS.rows),
    epochLoss: anyNumber("epochLoss", given.epochLoss),
    epochCorrect: integerIn("epochCorrect", given.epochCorrect, 0, LIMITS.rows),
    ...(fingerprint !== undefined && {
      fingerprint: text("fingerprint", fingerprint, /^[0-9a-f]+$/, "hexadecimal digits"),
    }),
    ...(shuffle !== undefined && { shuffle: booleanOf("shuffle", shuffle) }),
    ...(validation !== undefined && { validation: text("validation", validation, /^/, "a string") }),
  };
}

function readHistory(value: unknown): EpochReport[] {
  if (!Array.isArray(value)) throw kindError("history", "an array of reports", value);
  return value.map((report: unknown, index) => readReport(report, `history[${index}]`));
}

function readReport(value: unknown, name: string): EpochReport {
  const numbers = ["epoch", "loss", "learningRate", "samplesPerSecond"];
  const given = optionsObject(name, value, { allowed: [...numbers, "metrics", "validation"] });
  return {
    epoch: integerIn(`${name}.epoch`, given.epoch, 1, Number.MAX_SAFE_INTEGER),
    loss: anyNumber(`${name}.loss`, given.loss),
    metrics: readMetrics(given.metrics, `${name}.metrics`),
    ...(given.validation !== undefined && { validation: readEvaluation(given.validation, `${name}.validation`) }),
    learningRate: anyNumber(`${name}.learningRate`, given.learningRate),
    samplesPerSecond: anyNumber(`${name}.samplesPerSecond`, given.samplesPerSecond),
  };
}

function readEvaluation(value: unknown, name: string): Evaluation {
  const { loss, penalty } = optionsObject(name, value, { allowed: ["loss", "penalty", ...metricsIn(value)] });
  return {
    loss: anyNumber(`${name}.loss`, loss),
    penalty: anyNumber(`${name}.penalty`, penalty),
    ...readMetrics(value, name),
  };
}

/** Keys that are names of metrics. */
function metricsIn(value: unknown): MetricName[] {
  return typeof value === "object" && value !== null ? Object.keys(value).filter(isMetricName) : [];
}

/** The metrics of an object that may hold more. */
function readMetrics(value: unknown, name: string): MetricValues {
  const names = metricsIn(value);
  const more = name.endsWith(".metrics") ? [] : ["loss", "penalty"];
  const given = optionsObject(name, value, { allowed: [...names, ...more] });
  return Object.fromEntries(
    names.map((metric) => {
      const at = `${name}.${metric}`;
      return [metric, metric === "confusionMatrix" ? readCounts(given[metric], at) : anyNumber(at, given[metric])];
    }),
  ) as MetricValues;
}

function readCounts(value: unknown, name: string): number[][] {
  if (!Array.isArray(value)) throw kindError(name, "an array of rows", value);
  return value.map((row: unknown, r) => {
    if (!Array.isArray(row) || row.length !== value.length)
      throw kindError(`${name}[${r}]`, `${value.length} counts`, row);
    return row.map((count: unknown, c) => integerIn(`${name}[${r}][${c}]`, count, 0, LIMITS.rows));
  });
}

function anyNumber(name: string, value: unknown): number {
  if (typeof value !== "number") throw kindError(name, "a number", value);
  return value;
}

function text(name: string, value: unknown, pattern: RegExp, expected: string): string {
  if (typeof value !== "string") throw kindError(name, expected, value);
  if (!pattern.test(value)) throw valueError(name, expected, value);
  return value;
}
