import { PURPOSE_SPLIT } from "../core/abi.ts";
import { uniform } from "../js/random.ts";
import type { Loss } from "../options/spec.ts";
import type { TargetSource } from "./targets.ts";

export interface Split {
  /** Ascending. */
  readonly train: Int32Array;
  /** Ascending. */
  readonly validation: Int32Array;
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
export function splitIndices(want: { fraction: number; rows: number; labels?: Int32Array; seed: number }): Split {
  const { fraction, rows, labels, seed } = want;
  const count = validationCount(fraction, rows);
  const held = new Uint8Array(rows);
  if (labels === undefined) {
    for (const row of drawn(rows, count, 0, seed)) held[row] = 1;
  } else {
    const groups = rowsByClass(labels);
    const shares = sharesOf(groups, count, rows);
    for (const [group, members] of groups.entries()) {
      for (const i of drawn(members.length, shares[group] as number, group, seed)) held[members[i] as number] = 1;
    }
  }
  const split = { train: new Int32Array(rows - count), validation: new Int32Array(count) };
  for (let row = 0, t = 0, v = 0; row < rows; row++) {
    if (held[row] === 1) split.validation[v++] = row;
    else split.train[t++] = row;
  }
  return split;
}

/** `count` of 0…n−1: Fisher and Yates from the end, as far as needed; the positions that are final. */
function drawn(n: number, count: number, group: number, seed: number): Int32Array {
  const order = new Int32Array(n);
  for (let i = 0; i < n; i++) order[i] = i;
  const [low, high] = [seed >>> 0, Math.floor(seed / 0x1_0000_0000)];
  for (let i = n - 1; i >= n - count; i--) {
    const j = Math.floor(uniform(low, high, PURPOSE_SPLIT, group, i) * (i + 1));
    const held = order[i] as number;
    order[i] = order[j] as number;
    order[j] = held;
  }
  return order.subarray(n - count);
}

/** Ascending rows of each class 0, 1, …; classes without a row are empty. */
function rowsByClass(labels: Int32Array): Int32Array[] {
  const sizes: number[] = [];
  for (const label of labels) {
    while (sizes.length <= label) sizes.push(0);
    sizes[label] = (sizes[label] as number) + 1;
  }
  const groups = sizes.map((size) => new Int32Array(size));
  const filled = sizes.map(() => 0);
  for (const [row, label] of labels.entries()) {
    const next = filled[label] as number;
    (groups[label] as Int32Array)[next] = row;
    filled[label] = next + 1;
  }
  return groups;
}

/** Largest remainders of count·size/rows, in integers: the products pass 2⁵³. */
function sharesOf(groups: readonly Int32Array[], count: number, rows: number): number[] {
  const products = groups.map((members) => BigInt(count) * BigInt(members.length));
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
export function targetClasses(targets: TargetSource, loss: Loss): Int32Array | undefined {
  const classes = new Int32Array(targets.rows);
  if (targets.kind === "class") {
    targets.copyTo(classes, 0, targets.rows);
    return classes;
  }
  const { source } = targets;
  const row = new Float64Array(source.cols);
  const binary = loss === "binaryCrossEntropy" && source.cols === 1;
  if (!binary && loss !== "crossEntropy") return undefined;
  for (let i = 0; i < source.rows; i++) {
    source.copyTo(row, i, i + 1);
    classes[i] = binary ? ((row[0] as number) >= 0.5 ? 1 : 0) : largest(row);
  }
  return classes;
}

function largest(values: Float64Array): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if ((values[i] as number) > (values[best] as number)) best = i;
  return best;
}
