import { describe, kindError } from "../errors.ts";
import { LIMITS } from "../options/defaults.ts";
import { isArrayLike } from "./vector.ts";

/** Row-major values and their shape; `data.length` = rows · cols. */
export interface Matrix {
  data: Float32Array | Float64Array;
  shape: readonly [rows: number, cols: number];
}

/** One row per sample. */
export type Rows = Matrix | ArrayLike<ArrayLike<number>>;

/** Class indices (crossEntropy), the one column of a network with one output, or one row per sample. */
export type Targets = Rows | ArrayLike<number>;

export type Reals = Float32Array | Float64Array;

/** Rows of what the user gave, looked at but not copied: read it before control goes back to the user. */
export interface RowSource {
  readonly rows: number;
  readonly cols: number;
  /**
   * Writes rows first…last−1, packed row-major [last − first][cols], from target[0].
   * @throws TypeError for an element that is no number, RangeError for a ragged row
   */
  copyTo(target: Reals, first: number, last: number): void;
  /** Writes the rows with these indices, packed, from target[0]; throws as `copyTo`. */
  copyRows(target: Reals, indices: ArrayLike<number>): void;
  /** The value as the user gave it, before rounding to the dtype: for messages. */
  valueAt(row: number, col: number): number;
}

/**
 * Looks at the shape of `x`, which must have `cols` columns and at least one row. Elements are checked while they
 * are copied; whether they are finite is left to the scan of the staged copy.
 * @throws TypeError for another kind (a flat array of numbers among them), RangeError for another shape
 */
export function rowSource(x: unknown, name: string, cols: number): RowSource {
  if (typeof x !== "object" || x === null) throw kindError(name, rowsOf(cols), x);
  if ("data" in x && "shape" in x) return matrixSource(x as { data: unknown; shape: unknown }, name, cols);
  if (!isArrayLike(x)) throw kindError(name, `${rowsOf(cols)}, or { data, shape }`, x);
  const rows = x.length;
  if (rows === 0) throw new RangeError(`${name}: expected at least one row of ${values(cols)}, got none`);
  checkRowCount(name, rows);
  if (typeof x[0] === "number") throw flatError(name, cols, rows);
  for (let row = 0; row < rows; row++) checkRow(x[row], name, row, cols);
  return new ArraysSource(x, name, cols);
}

/** One column given as a flat array; elements are checked while they are copied. */
export function columnSource(y: ArrayLike<unknown>, name: string): RowSource {
  return new ColumnSource(y, name);
}

/** "rows of 64 values". */
export function rowsOf(cols: number): string {
  return `rows of ${values(cols)}`;
}

function values(count: number): string {
  return count === 1 ? "1 value" : `${count} values`;
}

function flatError(name: string, cols: number, length: number): TypeError {
  const rows = length % cols === 0 ? String(length / cols) : "rows";
  return new TypeError(
    `${name}: expected ${rowsOf(cols)}, got a flat array of ${length} numbers; ` +
      `pass { data, shape: [${rows}, ${cols}] } or an array of rows`,
  );
}

function checkRowCount(name: string, rows: number): void {
  if (rows > LIMITS.rows) throw new RangeError(`${name}: expected at most ${LIMITS.rows} rows, got ${rows}`);
}

function checkRow(row: unknown, name: string, index: number, cols: number): asserts row is ArrayLike<unknown> {
  if (!isArrayLike(row)) {
    throw new TypeError(`${name}: expected ${rowsOf(cols)}, got ${describe(row)} in row ${index}`);
  }
  if (row.length !== cols) throw new RangeError(`${name}: expected ${rowsOf(cols)}, got ${row.length} in row ${index}`);
}

function elementError(name: string, element: unknown, row: number, col: number): TypeError {
  return new TypeError(`${name}: expected a number, got ${describe(element)} in row ${row}, column ${col}`);
}

// ── { data, shape } ────────────────────────────────────────────────────────────────────────────

function matrixSource(x: { data: unknown; shape: unknown }, name: string, cols: number): RowSource {
  const { data, shape } = x;
  if (!isReals(data)) throw kindError(`${name}.data`, "a Float32Array or a Float64Array", data);
  if (!isArrayLike(shape) || shape.length !== 2) throw kindError(`${name}.shape`, "[rows, cols]", shape);
  const [rows, width] = [shape[0], shape[1]];
  if (!isCount(rows) || !isCount(width)) {
    const got = typeof rows === "number" && typeof width === "number" ? `[${rows}, ${width}]` : "other values";
    throw new RangeError(`${name}.shape: expected [rows, cols] with integers ≥ 0, got ${got}`);
  }
  if (width !== cols) {
    throw new RangeError(`${name}: expected ${rowsOf(cols)}, got ${width} (shape [${rows}, ${width}])`);
  }
  if (rows === 0) throw new RangeError(`${name}: expected at least one row of ${values(cols)}, got none`);
  checkRowCount(name, rows);
  if (data.length !== rows * cols) {
    const want = `${rows * cols} values for shape [${rows}, ${cols}]`;
    throw new RangeError(`${name}.data: expected ${want}, got ${data.length}`);
  }
  return new MatrixSource(data, rows, cols);
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

/** Also for arrays of another realm (vm contexts, edge routes), where `instanceof` fails. */
export function isReals(value: unknown): value is Reals {
  if (value instanceof Float32Array || value instanceof Float64Array) return true;
  if (!ArrayBuffer.isView(value)) return false;
  const tag = Object.prototype.toString.call(value);
  return tag === "[object Float32Array]" || tag === "[object Float64Array]";
}

class MatrixSource implements RowSource {
  readonly data: Reals;
  readonly rows: number;
  readonly cols: number;

  constructor(data: Reals, rows: number, cols: number) {
    this.data = data;
    this.rows = rows;
    this.cols = cols;
  }

  copyTo(target: Reals, first: number, last: number): void {
    const { data, rows, cols } = this;
    target.set(first === 0 && last === rows ? data : data.subarray(first * cols, last * cols));
  }

  copyRows(target: Reals, indices: ArrayLike<number>): void {
    gather(target, this.data, this.cols, indices);
  }

  valueAt(row: number, col: number): number {
    return this.data[row * this.cols + col] as number;
  }
}

/** Columns up to which a column at a time, and from which whole rows by `set`, are the fastest (measured). */
const NARROW = 4;
const WIDE = 32;

/** The rows of data [rows × cols] with these indices, packed, from target[0]. */
function gather(target: Reals, data: Reals, cols: number, indices: ArrayLike<number>): void {
  if (cols <= NARROW) gatherColumns(target, data, cols, indices);
  else if (cols < WIDE) gatherRows(target, data, cols, indices);
  else gatherRuns(target, data, cols, indices);
}

/** `gather`, column by column. Four loads before four stores take half the time of one by one (measured), here and below. */
export function gatherColumns(
  target: Reals | Int32Array,
  data: Reals | Int32Array,
  cols: number,
  indices: ArrayLike<number>,
): void {
  const count = indices.length;
  for (let col = 0; col < cols; col++) {
    let to = col;
    let i = 0;
    for (; i + 4 <= count; i += 4, to += 4 * cols) {
      const x0 = data[(indices[i] as number) * cols + col] as number;
      const x1 = data[(indices[i + 1] as number) * cols + col] as number;
      const x2 = data[(indices[i + 2] as number) * cols + col] as number;
      const x3 = data[(indices[i + 3] as number) * cols + col] as number;
      target[to] = x0;
      target[to + cols] = x1;
      target[to + 2 * cols] = x2;
      target[to + 3 * cols] = x3;
    }
    for (; i < count; i++, to += cols) target[to] = data[(indices[i] as number) * cols + col] as number;
  }
}

/** `gather`, row by row. */
function gatherRows(target: Reals, data: Reals, cols: number, indices: ArrayLike<number>): void {
  const count = indices.length;
  for (let i = 0, to = 0; i < count; i++) {
    let from = (indices[i] as number) * cols;
    const end = from + cols;
    for (; from + 4 <= end; from += 4, to += 4) {
      const x0 = data[from] as number;
      const x1 = data[from + 1] as number;
      const x2 = data[from + 2] as number;
      const x3 = data[from + 3] as number;
      target[to] = x0;
      target[to + 1] = x1;
      target[to + 2] = x2;
      target[to + 3] = x3;
    }
    for (; from < end; from++, to++) target[to] = data[from] as number;
  }
}

/** `gather`; rows that stand together in both are copied together. */
function gatherRuns(target: Reals, data: Reals, cols: number, indices: ArrayLike<number>): void {
  const count = indices.length;
  for (let i = 0; i < count; ) {
    const first = indices[i] as number;
    let run = 1;
    while (i + run < count && indices[i + run] === first + run) run++;
    target.set(data.subarray(first * cols, (first + run) * cols), i * cols);
    i += run;
  }
}

// ── Arrays of rows ─────────────────────────────────────────────────────────────────────────────

class ArraysSource implements RowSource {
  readonly x: ArrayLike<unknown>;
  readonly name: string;
  readonly rows: number;
  readonly cols: number;

  constructor(x: ArrayLike<unknown>, name: string, cols: number) {
    this.x = x;
    this.name = name;
    this.rows = x.length;
    this.cols = cols;
  }

  copyTo(target: Reals, first: number, last: number): void {
    for (let row = first, to = 0; row < last; row++, to += this.cols) this.copyRow(row, target, to);
  }

  copyRows(target: Reals, indices: ArrayLike<number>): void {
    for (let i = 0, to = 0; i < indices.length; i++, to += this.cols) this.copyRow(indices[i] as number, target, to);
  }

  copyRow(index: number, target: Reals, to: number): void {
    const row = this.x[index];
    checkRow(row, this.name, index, this.cols); // again: a getter may give another row than the first time
    if (ArrayBuffer.isView(row) && typeof row[0] === "number") {
      target.set(row as unknown as ArrayLike<number>, to);
      return;
    }
    for (let col = 0; col < this.cols; col++) {
      const element = row[col];
      if (typeof element !== "number") throw elementError(this.name, element, index, col);
      target[to + col] = element;
    }
  }

  valueAt(row: number, col: number): number {
    return (this.x[row] as ArrayLike<number>)[col] as number;
  }
}

class ColumnSource implements RowSource {
  readonly y: ArrayLike<unknown>;
  readonly name: string;
  readonly rows: number;
  readonly cols = 1;

  constructor(y: ArrayLike<unknown>, name: string) {
    this.y = y;
    this.name = name;
    this.rows = y.length;
  }

  copyTo(target: Reals, first: number, last: number): void {
    const { y } = this;
    if (isReals(y)) {
      target.set(y.subarray(first, last));
      return;
    }
    for (let row = first; row < last; row++) {
      const element = y[row];
      if (typeof element !== "number") throw elementError(this.name, element, row, 0);
      target[row - first] = element;
    }
  }

  copyRows(target: Reals, indices: ArrayLike<number>): void {
    if (isReals(this.y)) gather(target, this.y, 1, indices);
    else for (let i = 0; i < indices.length; i++) target[i] = this.valueAt(indices[i] as number);
  }

  valueAt(row: number): number {
    const element = this.y[row];
    if (typeof element !== "number") throw elementError(this.name, element, row, 0);
    return element;
  }
}
