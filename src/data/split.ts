import { PURPOSE_SPLIT } from "../core/abi.ts";
import { shuffle } from "../js/random.ts";
import type { LossName } from "../options/loss.ts";
import type { TargetSource } from "./targets.ts";

export interface Split {
  /** Ascending. */
  readonly train: Int32Array;
  /** Ascending. */
  readonly validation: Int32Array;
}

/** Where a draw is made. */
export interface Lots {
  /** [rows], overwritten. */
  readonly order: Int32Array;
  /** Where the training rows go, at least as many; left out: fresh memory, which costs more than the draw (measured). */
  readonly train?: Int32Array | undefined;
  /** Shuffles order[begin …] from element `from` down to element `to` (js/random.ts) with the draws of a class. */
  shuffle(begin: number, from: number, to: number, group: number): void;
}

/** The draw in fresh memory, by the pure-JS generator. */
export function plainLots(rows: number, seed: number): Lots {
  const order = new Int32Array(rows);
  const [low, high] = seedWords(seed);
  return {
    order,
    shuffle: (begin, from, to, group) => shuffle(order, begin, from, to, low, high, PURPOSE_SPLIT, group),
  };
}

/** The words of a seed, for the generator. */
export function seedWords(seed: number): readonly [low: number, high: number] {
  return [seed | 0, Math.floor(seed / 2 ** 32) | 0];
}

/** Rows that the fraction f of N ≥ 2 rows holds back: round(f·N), at least 1, at most N − 1. */
export function validationCount(fraction: number, rows: number): number {
  return Math.min(Math.max(Math.round(fraction * rows), 1), rows - 1);
}

/**
 * Draws the rows that are held back. With labels (class indices ≥ 0) every class gives its share, by largest
 * remainder, the lower class first on a tie. Draw = f(seed, PURPOSE_SPLIT, class, position): each class (or all rows,
 * as class 0) is shuffled from its end, and the last ones of the shuffled list are held back.
 */
export function splitIndices(
  want: { readonly fraction: number; readonly rows: number; readonly labels?: Int32Array; readonly seed: number },
  lots = plainLots(want.rows, want.seed),
): Split {
  const { fraction, rows, labels } = want;
  const { order } = lots;
  const count = validationCount(fraction, rows);
  const held = new Uint8Array(rows);
  const sizes = labels === undefined ? [rows] : classSizes(labels);
  const shares = labels === undefined ? [count] : sharesOf(sizes, count, rows);
  writeByClass(order, labels, sizes);
  let end = 0;
  for (const [group, size] of sizes.entries()) {
    end += size;
    const share = shares[group] as number;
    lots.shuffle(end - size, size - 1, size - share, group);
    for (let i = end - share; i < end; i++) held[order[i] as number] = 1;
  }
  // Each row is written to both and counted in one: branches would be mispredicted (measured: half the time). What is
  // written past the end of `train` is dropped; `order` has served, and there is room in it.
  const train = lots.train?.subarray(0, rows - count) ?? new Int32Array(rows - count);
  for (let row = 0, t = 0, v = 0; row < rows; row++) {
    const isHeld = held[row] as number;
    train[t] = row;
    order[v] = row;
    t += 1 - isHeld;
    v += isHeld;
  }
  return { train, validation: order.slice(0, count) };
}

/** How many rows each class 0, 1, … has, up to the highest that has one. */
function classSizes(labels: Int32Array): number[] {
  let classes = 0;
  for (let row = 0; row < labels.length; row++) classes = Math.max(classes, (labels[row] as number) + 1);
  const sizes = new Int32Array(classes);
  for (let row = 0; row < labels.length; row++) {
    const label = labels[row] as number;
    sizes[label] = (sizes[label] as number) + 1;
  }
  return Array.from(sizes);
}

/** All rows, class by class, ascending within one; without labels as one class. */
function writeByClass(order: Int32Array, labels: Int32Array | undefined, sizes: readonly number[]): void {
  const rows = order.length;
  if (labels === undefined) {
    for (let row = 0; row < rows; row++) order[row] = row;
    return;
  }
  const next = new Int32Array(sizes.length);
  for (let group = 1; group < sizes.length; group++) {
    next[group] = (next[group - 1] as number) + (sizes[group - 1] as number);
  }
  for (let row = 0; row < rows; row++) {
    const label = labels[row] as number;
    const to = next[label] as number;
    order[to] = row;
    next[label] = to + 1;
  }
}

/** Largest remainders of count·size/rows, in integers: the products pass 2⁵³. */
function sharesOf(sizes: readonly number[], count: number, rows: number): number[] {
  const products = sizes.map((size) => BigInt(count) * BigInt(size));
  const shares = products.map((product) => Number(product / BigInt(rows)));
  const remainders = products.map((product) => Number(product % BigInt(rows)));
  let left = count - shares.reduce((sum, share) => sum + share, 0);
  const order = remainders.map((_, group) => group);
  order.sort((a, b) => (remainders[b] as number) - (remainders[a] as number) || a - b);
  for (const group of order) {
    if (left === 0) break;
    shares[group] = (shares[group] as number) + 1;
    left--;
  }
  return shares;
}

/**
 * The class of every row, where targets are classes: class indices as they are, the largest of a row of crossEntropy
 * (the lowest on a tie), y ≥ 0.5 for the one output of binaryCrossEntropy. undefined for everything else.
 * @throws what copying the targets throws
 */
export function targetClasses(targets: TargetSource, loss: LossName): Int32Array | undefined {
  if (targets.kind === "class") {
    const classes = new Int32Array(targets.rows);
    targets.copyTo(classes, 0, targets.rows);
    return classes;
  }
  const { source } = targets;
  const { rows, cols } = source;
  const binary = loss === "binaryCrossEntropy" && cols === 1;
  if (!binary && loss !== "crossEntropy") return undefined;
  const classes = new Int32Array(rows);
  const slice = Math.min(rows, Math.max(1, Math.floor(SLICE / cols)));
  const values = new Float64Array(slice * cols);
  for (let first = 0; first < rows; first += slice) {
    const last = Math.min(first + slice, rows);
    source.copyTo(values, first, last);
    for (let row = first; row < last; row++) {
      const begin = (row - first) * cols;
      classes[row] = binary ? Number((values[begin] as number) >= 0.5) : largest(values, begin, cols);
    }
  }
  return classes;
}

/** Elements that are looked at while they are in the cache. */
const SLICE = 2 ** 12;

/** Place of the largest of values[begin … begin + count − 1], from 0. */
function largest(values: Float64Array, begin: number, count: number): number {
  let best = 0;
  let highest = values[begin] as number;
  for (let i = 1; i < count; i++) {
    const value = values[begin + i] as number;
    if (value > highest) {
      best = i;
      highest = value;
    }
  }
  return best;
}
