// What the user gave → the data window: training rows first, validation rows after them. Everything is checked here.
import * as abi from "../core/abi.ts";
import { gatherColumns, type RowSource, rowSource } from "../data/rows.ts";
import { type Split, seedWords, splitIndices, targetClasses, validationCount } from "../data/split.ts";
import { checkTargets, nonFiniteError, type TargetSource, targetSource } from "../data/targets.ts";
import { copyWeights, toMeanOne } from "../data/weights.ts";
import type { Reals } from "../memory.ts";
import type { DataIdentity, Model } from "../model.ts";
import { type ResolvedFitOptions, resolveFitOptions } from "../options/fit.ts";
import { lossName } from "../options/loss.ts";
import { LEAST_SQUARES, OPTIMIZER_SLOTS, OPTIMIZER_WORK, type ResolvedOptimizer } from "../options/optimizer.ts";
import { isScalingMethod } from "../options/scaling.ts";
import { batchLayers, hasPenalty } from "../options/spec.ts";
import type { Demand, Region } from "../plan.ts";
import type { DataMark } from "../receipt/record.ts";
import { countOf, trainableSegments } from "./full-batch/normal-equations.ts";
import { countsClasses } from "./passes.ts";

/** Data in the window, and what a run needs to know of them. */
export class Staged {
  readonly options: ResolvedFitOptions;
  /** N: rows that are trained on. */
  readonly rows: number;
  readonly validationRows: number;
  readonly validationIndices: Int32Array | undefined;
  readonly targetKind: number;
  private readonly wanted: Partial<Demand>;
  private copy: { x: Uint8Array; y: Uint8Array; weights: Uint8Array } | undefined;
  /** Says whose data stand in the window without holding on to anything. */
  readonly token = {};
  identity: DataIdentity = { fingerprint: "", shuffle: false, validation: "" };
  /** For the network's record. */
  marks: { data: DataMark; sampleWeights: string; validation: DataMark | undefined } = {
    data: { rows: 0, fingerprint: "" },
    sampleWeights: "",
    validation: undefined,
  };

  constructor(
    options: ResolvedFitOptions,
    rows: number,
    validation: { readonly rows: number; readonly indices: Int32Array | undefined },
    targetKind: number,
    wanted: Partial<Demand>,
  ) {
    this.options = options;
    this.rows = rows;
    this.validationRows = validation.rows;
    this.validationIndices = validation.indices;
    this.targetKind = targetKind;
    this.wanted = wanted;
  }

  /** Takes the data out of the window. */
  keepCopy(model: Model): void {
    const { memory } = model;
    const { x, y, sampleWeights } = memory.plan;
    this.copy = {
      x: memory.bytes(x).slice(),
      y: memory.bytes(y).slice(),
      weights: memory.bytes(sampleWeights).slice(),
    };
  }

  /** Puts the data back where another call has used the window since. */
  restage(model: Model): void {
    const { copy } = this;
    this.copy = undefined;
    if (model.windowOwner === this.token) return;
    const { memory } = model;
    model.demand(this.wanted);
    if (copy === undefined) throw new Error("the data window was overwritten");
    memory.bytes(memory.plan.x).set(copy.x);
    memory.bytes(memory.plan.y).set(copy.y);
    memory.bytes(memory.plan.sampleWeights).set(copy.weights);
    model.windowOwner = this.token;
  }
}

/**
 * Checks x, y and options and copies the rows into the window.
 * @throws TypeError, RangeError; then nothing but the (unused) window has changed
 */
export function stageData(
  model: Model,
  x: unknown,
  y: unknown,
  options: unknown,
  how: { readonly reports: number; readonly name: string },
): Staged {
  const { spec, dtype, memory } = model;
  const { inputs, outputs, size } = memory.plan;
  const xs = rowSource(x, "x", inputs);
  const ys = targetSource(y, "y", { rows: xs.rows, outputs, loss: lossName(spec.loss) });
  const resolved = resolveFitOptions(
    options,
    {
      rows: xs.rows,
      dtype,
      spec,
      classes: countsClasses(model),
      scales: spec.targetScaling !== undefined || isScalingMethod(spec.layers[0]?.type),
      layers: batchLayers(spec),
      last: model.optimizer,
    },
    how.name,
  );
  if (LEAST_SQUARES.includes(resolved.optimizer.type)) checkLeastSquares(model, resolved.optimizer);
  const { validation } = resolved;
  const { sampleWeights } = resolved;
  const weights = sampleWeights === undefined ? undefined : copyWeights(sampleWeights, "sampleWeights", xs.rows);
  const held = heldBack(model, validation, xs.rows, ys);
  const rows = xs.rows - (held.split ?? 0);
  const validationRows = held.split ?? held.x?.rows ?? 0;
  const classes = ys.kind === "class";
  const wanted: Partial<Demand> = {
    blockSamples: model.blockSamplesFor(resolved.batchSize),
    training: true,
    slots: OPTIMIZER_SLOTS[resolved.optimizer.type],
    work: OPTIMIZER_WORK[resolved.optimizer.type] ?? 0,
    rows: rows + validationRows,
    ordered: resolved.shuffle ? rows : 0,
    targetBytes: classes ? 4 : outputs * size,
    weighted: weights !== undefined,
    scheduled: resolved.schedule !== undefined,
    reports: how.reports,
  };
  model.demand(wanted);
  model.windowOwner = undefined;
  const { labels } = held;
  const split = validation.kind === "fraction" ? drawSplit(model, validation.fraction, xs.rows, labels) : undefined;
  const kind = classes ? abi.TARGET_CLASS : abi.TARGET_DENSE;
  const staged = new Staged(resolved, rows, { rows: validationRows, indices: split?.validation }, kind, wanted);
  model.windowOwner = staged.token;
  const fingerprint = copyRows(model, xs, ys, { name: "", begin: 0, indices: split?.train, labels });
  const weightsKey = weights === undefined ? "" : writeWeights(model, weights, split?.train);
  let heldFingerprint = "";
  if (split) {
    heldFingerprint = copyRows(model, xs, ys, { name: "", begin: rows, indices: split.validation, labels });
  } else if (held.x && held.y) {
    heldFingerprint = copyRows(model, held.x, held.y, { name: "validation.", begin: rows });
  }
  staged.identity = Object.freeze({
    fingerprint: fingerprint + weightsKey,
    shuffle: resolved.shuffle,
    validation: validationKey(validation, heldFingerprint),
  });
  staged.marks = {
    data: { rows, fingerprint },
    sampleWeights: weightsKey,
    validation: validationRows > 0 ? { rows: validationRows, fingerprint: heldFingerprint } : undefined,
  };
  return staged;
}

/** @throws TypeError, RangeError where Levenberg–Marquardt cannot train the network */
function checkLeastSquares(model: Model, optimizer: ResolvedOptimizer): void {
  if (!("maxParameters" in optimizer)) return;
  const { type, maxParameters } = optimizer;
  const loss = lossName(model.spec.loss);
  if (loss !== "squaredError" && loss !== "meanSquaredError") {
    throw new TypeError(`optimizer: '${type}' expects the loss squaredError or meanSquaredError, got '${loss}'`);
  }
  const limited = model.spec.layers.some((layer) => layer.type === "dense" && layer.maxNorm !== undefined);
  if (hasPenalty(model.spec) || limited) {
    const instead = type === "lm" ? "; 'br' regularises by itself" : "";
    throw new TypeError(`optimizer: '${type}' expects layers without l1, l2 and maxNorm${instead}`);
  }
  const count = countOf(trainableSegments(model));
  if (count <= maxParameters) return;
  const megabytes = Math.ceil((16 * count * count) / 1e6);
  throw new RangeError(
    `optimizer.maxParameters: '${type}' on ${count} trainable parameters takes ${megabytes} MB for its matrices, more than ` +
      `${maxParameters} parameters may; 'scg' and 'lbfgs' need no matrices`,
  );
}

/** The weights of the rows that are trained on, into the window; gives their fingerprint. */
function writeWeights(model: Model, weights: Float64Array, indices: Int32Array | undefined): string {
  const { memory, core } = model;
  const { sampleWeights, hash } = memory.plan;
  const own = toMeanOne(indices === undefined ? weights : Float64Array.from(indices, (row) => weights[row] as number));
  memory.doubles(sampleWeights.offset, own.length).set(own);
  memory.ints(hash).set([own.length, 8, 0, 0]);
  core.exports.fingerprint(sampleWeights.offset, 8 * own.length, hash.offset);
  return hashDigits(memory.ints(hash));
}

/** In hexadecimal digits. */
function hashDigits(words: Int32Array): string {
  let digits = "";
  for (const word of words) digits += (word >>> 0).toString(16).padStart(8, "0");
  return digits;
}

interface HeldBack {
  /** Rows that are to be drawn. */
  readonly split?: number;
  /** Of all rows, where they are split and have classes. */
  readonly labels?: Int32Array | undefined;
  readonly x?: RowSource;
  readonly y?: TargetSource;
}

function heldBack(model: Model, validation: ResolvedFitOptions["validation"], rows: number, y: TargetSource): HeldBack {
  if (validation.kind === "none") return {};
  if (validation.kind === "data") {
    const { inputs, outputs } = model.memory.plan;
    const vx = rowSource(validation.x, "validation.x", inputs);
    const vy = targetSource(validation.y, "validation.y", { rows: vx.rows, outputs, loss: lossName(model.spec.loss) });
    if (vy.kind !== y.kind) {
      const kinds = { class: "class indices", dense: "rows" };
      throw new TypeError(`validation.y: expected ${kinds[y.kind]} as in y, got ${kinds[vy.kind]}`);
    }
    return { x: vx, y: vy };
  }
  return { split: validationCount(validation.fraction, rows), labels: targetClasses(y, lossName(model.spec.loss)) };
}

/**
 * Draws the rows that are held back with the core's generator, in the memory that x will stand in. The rows that are
 * trained on stand where the order of the first epoch will be made, if there is one.
 */
function drawSplit(model: Model, fraction: number, rows: number, labels: Int32Array | undefined): Split {
  const { memory, core, seed } = model;
  const { offset } = memory.plan.x;
  const { ordered } = memory.plan.demand;
  const [low, high] = seedWords(seed);
  const want = { fraction, rows, seed };
  return splitIndices(labels === undefined ? want : { ...want, labels }, {
    order: memory.ints({ offset, bytes: 4 * rows }),
    train: ordered > 0 ? memory.ints(memory.plan.order) : undefined,
    shuffle: (begin, from, to, group) =>
      core.exports.shuffle(offset + 4 * begin, from, to, low, high, abi.PURPOSE_SPLIT, group),
  });
}

function part(region: Region, first: number, count: number, rowBytes: number): Region {
  return { offset: region.offset + first * rowBytes, bytes: count * rowBytes };
}

/** Elements that are copied, scanned and fingerprinted while they are in the cache. */
const SLICE = 2 ** 16;

/** Where rows go, and which. */
interface Destination {
  /** What stands before "x" and "y" in errors. */
  readonly name: string;
  /** Row of the window. */
  readonly begin: number;
  /** Left out: all rows. */
  readonly indices?: Int32Array | undefined;
  /** The classes of all rows, checked. */
  readonly labels?: Int32Array | undefined;
}

/** Copies rows (all, or those with `indices`) to the window from row `begin` on, checks them and returns their fingerprint. */
function copyRows(model: Model, x: RowSource, y: TargetSource, to: Destination): string {
  const { memory, spec, dtype, core } = model;
  const { plan } = memory;
  const { begin, indices, name, labels } = to;
  const count = indices?.length ?? x.rows;
  memory.ints(plan.hash).set([count, plan.inputs, plan.outputs, y.kind === "class" ? 1 : 0]);
  copyReals(model, x, part(plan.x, begin, count, plan.inputs * plan.size), { name: `${name}x`, indices });
  const targets = part(plan.y, begin, count, plan.demand.targetBytes);
  if (y.kind === "class") {
    const values = memory.ints(targets);
    if (indices === undefined || labels === undefined) y.copyTo(values, 0, count);
    else gatherColumns(values, labels, 1, indices);
    core.exports.fingerprint(targets.offset, targets.bytes, plan.hash.offset);
  } else {
    const { cols } = y.source;
    const check = (values: Reals, first: number) => {
      const at = indices === undefined ? first : indices.subarray(first);
      checkTargets(values, values.length / cols, cols, lossName(spec.loss), dtype, `${name}y`, at);
    };
    copyReals(model, y.source, targets, { name: `${name}y`, indices, check });
  }
  return hashDigits(memory.ints(plan.hash));
}

/**
 * Copies rows of reals to a region, slice by slice, and folds each slice into the fingerprint when it has been scanned;
 * `check` sees it after that, with the number of its first row.
 */
function copyReals(
  model: Model,
  source: RowSource,
  region: Region,
  how: {
    readonly name: string;
    readonly indices: Int32Array | undefined;
    readonly check?: (values: Reals, first: number) => void;
  },
): void {
  const { memory, core } = model;
  const { size, hash } = memory.plan;
  const { cols } = source;
  const { name, indices, check } = how;
  const count = indices?.length ?? source.rows;
  // Whole multiples of 4 rows keep the fingerprint independent of the slices.
  const slice = Math.max(4, Math.floor(SLICE / cols / 4) * 4);
  for (let first = 0; first < count; first += slice) {
    const last = Math.min(first + slice, count);
    const at = part(region, first, last - first, cols * size);
    const values = memory.reals(at);
    if (indices === undefined) source.copyTo(values, first, last);
    else source.copyRows(values, indices.subarray(first, last));
    const bad = core.exports.scanFingerprint(at.offset, values.length, hash.offset);
    if (bad >= 0) {
      const row = first + Math.floor(bad / cols);
      const original = indices === undefined ? row : (indices[row] as number);
      const value = source.valueAt(original, bad % cols);
      throw nonFiniteError(name, original * cols + (bad % cols), cols, value);
    }
    check?.(values, first);
  }
}

/** How rows are held back, in a word that two fits can be compared by. */
function validationKey(validation: ResolvedFitOptions["validation"], fingerprint: string): string {
  if (validation.kind === "none") return "none";
  return validation.kind === "fraction" ? String(validation.fraction) : fingerprint;
}
