import { describe } from "../errors.ts";
import type { LossName } from "../options/loss.ts";
import type { DType } from "../options/network.ts";
import { columnSource, type Reals, type RowSource, rowSource, rowsOf } from "./rows.ts";
import { isArrayLike } from "./vector.ts";

/** One class index per sample; copying checks every index. */
export interface ClassSource {
  readonly kind: "class";
  readonly rows: number;
  /**
   * Writes the indices of rows first…last−1 from target[0].
   * @throws TypeError for an element that is no number, RangeError for no index of a class
   */
  copyTo(target: Int32Array, first: number, last: number): void;
}

export type TargetSource = ClassSource | { readonly kind: "dense"; readonly rows: number; readonly source: RowSource };

export interface TargetsWanted {
  /** Rows of `x`. */
  readonly rows: number;
  readonly outputs: number;
  readonly loss: LossName;
}

/**
 * Looks at the shape of `y`: a flat array holds class indices for crossEntropy, else the one column of one output;
 * anything else must be rows of `outputs` values. Elements are checked while they are copied, dense values after
 * that by `checkTargets`.
 * @throws TypeError for another kind, RangeError for another shape
 */
export function targetSource(y: unknown, name: string, want: TargetsWanted): TargetSource {
  const { rows, outputs, loss } = want;
  const flat = isFlat(y);
  if (!flat || (loss !== "crossEntropy" && outputs !== 1)) {
    if (flat) throw flatError(name, y.length, outputs);
    if (loss === "crossEntropy") rejectColumnOfClasses(y, name, outputs);
    const source = rowSource(y, name, outputs);
    checkRows(name, source.rows, rows);
    return { kind: "dense", rows, source };
  }
  if (loss === "crossEntropy" && y.length !== rows && y.length === rows * outputs) {
    throw new RangeError(
      `${name}: expected ${rows} class indices or ${rowsOf(outputs)}, got a flat array of ${y.length} numbers; ` +
        `pass { data, shape: [${rows}, ${outputs}] }`,
    );
  }
  checkRows(name, y.length, rows);
  if (loss === "crossEntropy") return new Classes(y, name, outputs);
  return { kind: "dense", rows, source: columnSource(y, name) };
}

/** Not `{ data, shape }`, and no array of arrays. An array of text counts as flat: its elements are at fault. */
function isFlat(y: unknown): y is ArrayLike<unknown> {
  if (!isArrayLike(y) || ("data" in y && "shape" in y)) return false;
  return y.length > 0 && !isArrayLike(y[0]);
}

function flatError(name: string, length: number, outputs: number): TypeError {
  return new TypeError(
    `${name}: expected ${rowsOf(outputs)}, got a flat array of ${length} elements; ` +
      "class indices go with the loss crossEntropy, a flat column with one output",
  );
}

function rejectColumnOfClasses(y: unknown, name: string, outputs: number): void {
  if (outputs === 1 || typeof y !== "object" || y === null) return;
  const { shape } = y as { shape?: unknown };
  const width = isArrayLike(y) && isArrayLike(y[0]) ? y[0].length : isArrayLike(shape) ? shape[1] : undefined;
  if (width !== 1) return;
  throw new RangeError(
    `${name}: expected class indices or ${rowsOf(outputs)}, got rows of 1 value; pass class indices as a flat array`,
  );
}

function checkRows(name: string, got: number, want: number): void {
  if (got !== want) throw new RangeError(`${name}: expected ${want} rows as in x, got ${got}`);
}

class Classes implements ClassSource {
  readonly kind = "class";
  readonly y: ArrayLike<unknown>;
  readonly name: string;
  readonly rows: number;
  readonly count: number;

  constructor(y: ArrayLike<unknown>, name: string, count: number) {
    this.y = y;
    this.name = name;
    this.rows = y.length;
    this.count = count;
  }

  copyTo(target: Int32Array, first: number, last: number): void {
    const { y, count } = this;
    if (isIntegers(y)) {
      target.set(y.subarray(first, last));
      // A number below 0 is above every count without its sign.
      for (let i = 0; i < last - first; i++) {
        if ((target[i] as number) >>> 0 >= count) target[i] = this.classAt(first + i);
      }
      return;
    }
    for (let row = first; row < last; row++) target[row - first] = this.classAt(row);
  }

  classAt(row: number): number {
    const index = this.y[row];
    if (typeof index === "number" && index >= 0 && index < this.count && Number.isInteger(index)) return index;
    const expected = `a class index from 0 to ${this.count - 1}`;
    const message = `${this.name}: expected ${expected}, got ${describe(index)} in row ${row}`;
    throw typeof index === "number" ? new RangeError(message) : new TypeError(message);
  }
}

/** Arrays whose numbers an Int32Array holds as they are; those of another realm go element by element. */
function isIntegers(y: ArrayLike<unknown>): y is Int8Array | Uint8Array | Int16Array | Uint16Array | Int32Array {
  return (
    y instanceof Int32Array ||
    y instanceof Uint8Array ||
    y instanceof Uint16Array ||
    y instanceof Int8Array ||
    y instanceof Int16Array
  );
}

/** How far from 1 a row of target probabilities may sum: roundings of a long row in the dtype. */
const SUM_TOLERANCE: Readonly<Record<DType, number>> = { float32: 1e-5, float64: 1e-9 };

interface Rule {
  readonly expected: string;
  holds(value: number): boolean;
}

const SIGN: Rule = {
  expected: "−1 or 1 (classes 0 and 1 become 2·y − 1)",
  holds: (value) => value === 1 || value === -1,
};
const RULES: Partial<Record<LossName, Rule>> = {
  binaryCrossEntropy: { expected: "a value from 0 to 1", holds: (value) => value >= 0 && value <= 1 },
  hinge: SIGN,
  squaredHinge: SIGN,
  poisson: { expected: "a number ≥ 0", holds: (value) => value >= 0 },
};

/**
 * Checks what a loss asks of dense targets, on the staged and rounded values [rows × cols]: crossEntropy and kullbackLeibler
 * take rows ≥ 0 that sum to 1, others what RULES says; the rest any finite value, which the core scans.
 * `at` is the row of the user's array that stands at values[0], or the rows that stand one after the other.
 * @throws RangeError with row and column
 */
export function checkTargets(
  values: Reals,
  rows: number,
  cols: number,
  loss: LossName,
  dtype: DType,
  name: string,
  at: number | Int32Array = 0,
): void {
  if (loss === "crossEntropy" || loss === "kullbackLeibler") {
    checkDistributions(values, rows, cols, SUM_TOLERANCE[dtype], name, at);
  }
  const rule = RULES[loss];
  if (rule === undefined) return;
  for (let i = 0; i < rows * cols; i++) {
    const value = values[i] as number;
    if (!rule.holds(value)) throw elementError(name, rule.expected, value, i, cols, at);
  }
}

function checkDistributions(
  values: Reals,
  rows: number,
  cols: number,
  tolerance: number,
  name: string,
  at: number | Int32Array,
): void {
  for (let row = 0; row < rows; row++) {
    let sum = 0;
    for (let i = row * cols; i < (row + 1) * cols; i++) {
      const value = values[i] as number;
      if (!(value >= 0)) throw elementError(name, "a probability ≥ 0", value, i, cols, at);
      sum += value;
    }
    if (!(Math.abs(sum - 1) <= tolerance)) {
      const expected = `probabilities that sum to 1 (within ${tolerance})`;
      throw new RangeError(`${name}: expected ${expected}, got a sum of ${sum} in row ${rowAt(at, row)}`);
    }
  }
}

function rowAt(at: number | Int32Array, row: number): number {
  return typeof at === "number" ? at + row : (at[row] as number);
}

function elementError(
  name: string,
  expected: string,
  value: number,
  index: number,
  cols: number,
  at: number | Int32Array,
): RangeError {
  const where = `in row ${rowAt(at, Math.floor(index / cols))}, column ${index % cols}`;
  return new RangeError(`${name}: expected ${expected}, got ${describe(value)} ${where}`);
}

/**
 * The error for element `index` of rows of `cols` values that is not finite in the dtype. `value` is what the user
 * gave there: a finite one overflowed when it was rounded.
 */
export function nonFiniteError(name: string, index: number, cols: number, value?: number): RangeError {
  const where = `in row ${Math.floor(index / cols)}, column ${index % cols}`;
  const got = value === undefined ? "NaN or an infinity" : describe(value);
  const overflow = value !== undefined && Number.isFinite(value) ? ", which overflows float32" : "";
  return new RangeError(`${name}: expected a finite number, got ${got} ${where}${overflow}`);
}
