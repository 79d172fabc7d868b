import type { DType } from "../index.ts";
import { parseNumber, rejectOverflow, type Table, textsOf } from "./csv.ts";
import { CliError, quoted } from "./errors.ts";
import { suggestion } from "./suggestion.ts";

export type Task = "classification" | "regression";

/** A numeric column with more different values than this is a quantity, not a set of classes. */
const MAX_NUMERIC_CLASSES = 20;

export interface Targets {
  task: Task;
  /** Class index per row (classification) or value per row (regression). */
  y: Int32Array | Float64Array;
  /** Class names by index: numbers ascending, or text in code-unit order; empty for regression. */
  classes: string[];
}

/**
 * The names under which fields stand for classes. In a column of numbers alone "1.0" and "1" are one class; as soon as
 * one field is text, has a leading zero or does not fit a double ("007", a code of 17 digits), all are taken as written.
 */
function classNamesOf(fields: readonly string[]): readonly string[] {
  return fields.every(isPlainNumber) ? fields.map((text) => String(parseNumber(text))) : fields;
}

function isPlainNumber(text: string): boolean {
  const value = parseNumber(text);
  return !Number.isNaN(value) && !/^[+-]?0\d/.test(text) && Math.abs(value) <= Number.MAX_SAFE_INTEGER;
}

/**
 * What a target column means when the user does not say: text is classes; so are numbers when all are integers and at
 * most MAX_NUMERIC_CLASSES of them differ; other numbers are a quantity.
 */
export function taskOf(fields: readonly string[]): Task {
  const values = new Set<number>();
  for (const text of fields) {
    const value = parseNumber(text);
    if (Number.isNaN(value)) return "classification";
    if (!Number.isInteger(value)) return "regression";
    values.add(value);
    if (values.size > MAX_NUMERIC_CLASSES) return "regression";
  }
  return "classification";
}

/** Reads the target column, which `table` must hold as text. `task` left out: `taskOf` decides. */
export function targetsOf(table: Table, target: string, dtype: DType, task?: Task): Targets {
  const fields = textsOf(table, target);
  const chosen = task ?? taskOf(fields);
  if (chosen === "regression") return { task: chosen, y: quantities(table, target, dtype, fields), classes: [] };
  const names = classNamesOf(fields);
  const classes = sortedClasses(names);
  const place = `${table.file}: column ${quoted(target)}`;
  if (classes.length < 2)
    throw new CliError(`${place}: every row is ${quoted(classes[0] as string)}: nothing to learn`);
  if (classes.length > names.length / 2)
    throw new CliError(`${place}: ${classes.length} different values in ${names.length} rows are too many classes`);
  return { task: chosen, y: indicesOf(table, target, names, classes), classes };
}

/** The target column as indices into the classes of a trained network. An unknown class is a CliError. */
export function classIndicesOf(table: Table, target: string, classes: readonly string[]): Int32Array {
  return indicesOf(table, target, textsOf(table, target), classes);
}

/** The target column as numbers. */
export function quantities(table: Table, target: string, dtype: DType, fields = textsOf(table, target)): Float64Array {
  return Float64Array.from(fields, (text, row) => {
    const value = parseNumber(text);
    if (!Number.isNaN(value)) {
      if (dtype === "float32") rejectOverflow(table, row, target, value);
      return value;
    }
    const place = `${table.file}: line ${table.lines[row]}, column ${quoted(target)}`;
    throw new CliError(`${place}: expected a number, got ${quoted(text)}`);
  });
}

function sortedClasses(names: readonly string[]): string[] {
  const classes = [...new Set(names)];
  if (classes.every((name) => !Number.isNaN(parseNumber(name)))) return classes.sort((a, b) => Number(a) - Number(b));
  return classes.sort();
}

function indicesOf(table: Table, target: string, fields: readonly string[], classes: readonly string[]): Int32Array {
  const indices = new Map(classes.map((name, index) => [name, index]));
  const numbers = classes.every((name) => isPlainNumber(name) && name === String(parseNumber(name)));
  return Int32Array.from(fields, (text, row) => {
    const index = indices.get(text) ?? (numbers ? indices.get(String(parseNumber(text))) : undefined);
    if (index !== undefined) return index;
    const place = `${table.file}: line ${table.lines[row]}, column ${quoted(target)}`;
    throw new CliError(`${place}: ${quoted(text)} is no class of the model${suggestion(text, classes, quoted)}`);
  });
}
