import { digits } from "../datasets/digits.ts";
import type { DType, LayerSpec } from "../index.ts";
import { indexOfColumn, numbersOf, readCsv } from "./csv.ts";
import { CliError } from "./errors.ts";
import { type Targets, type Task, targetsOf } from "./targets.ts";

/** Data to learn from, in raw units. */
export interface Problem extends Targets {
  name: string;
  /** [rows × columns.length], row-major. */
  x: Float32Array | Float64Array;
  columns: string[];
  target: string;
  /** What scales the inputs. */
  scaling: LayerSpec;
}

/** Fewer rows cannot be cut into 64/16/20 % of any use. */
const MIN_ROWS = 10;

/** The embedded digits: grey levels 0…16 scaled to −1…1. */
export function digitsProblem(): Problem {
  const { x, y, columns, classes, target } = digits();
  const scaling: LayerSpec = { type: "affine", scale: columns.map(() => 1 / 8), shift: columns.map(() => -1) };
  return { name: "digits", task: "classification", x: x.data, y, columns, classes, target, scaling };
}

/** A CSV file: `target` is one of its columns, `ignore` names columns to leave out, all others are inputs. */
export function csvProblem(
  file: string,
  target: string,
  ignore: readonly string[],
  dtype: DType,
  task?: Task,
): Problem {
  const table = readCsv(file, [target]);
  for (const name of ignore) indexOfColumn(table, name);
  if (ignore.includes(target)) throw new CliError(`${file}: the target cannot be ignored`);
  const columns = table.columns.filter((name) => name !== target && !ignore.includes(name));
  if (columns.length === 0) throw new CliError(`${file}: no column is left as an input`);
  if (table.rows < MIN_ROWS) throw new CliError(`${file}: expected at least ${MIN_ROWS} rows, got ${table.rows}`);
  const targets = targetsOf(table, target, dtype, task);
  const x = numbersOf(table, columns, dtype);
  return { name: file, ...targets, x, columns, target, scaling: { type: "standardize" } };
}
