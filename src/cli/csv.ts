import { readFileSync } from "node:fs";
import { parse } from "csv-parse/sync";
import type { DType } from "../index.ts";
import { CliError, messageOf, quoted } from "./errors.ts";
import { suggestion } from "./suggestion.ts";

/** The first field of a column that is not a finite number. */
export interface Flaw {
  line: number;
  text: string;
}

/** A CSV file read into numbers; text is kept only for the columns that were asked for. */
export interface Table {
  file: string;
  columns: string[];
  rows: number;
  /** Blocks of BLOCK_ROWS rows, row-major, `columns.length` numbers a row; NaN where a field is not a number. */
  blocks: Float64Array[];
  /** By column: its first field that is not a number. */
  flaws: (Flaw | undefined)[];
  /** Fields of the columns named in `textColumns`, one per row. */
  texts: Map<string, string[]>;
  /** Line of the file on which each row ends. */
  lines: number[];
}

const BLOCK_ROWS = 4096;
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;
const MISSING = new Set(["", "na", "n/a", "nan", "null", "?"]);

/** A decimal number, or NaN: no hexadecimal, no "Infinity", nothing that overflows. */
export function parseNumber(text: string): number {
  if (!NUMBER.test(text)) return Number.NaN;
  const value = Number(text);
  return Number.isFinite(value) ? value : Number.NaN;
}

export const isMissing = (text: string): boolean => MISSING.has(text.toLowerCase());

/** The separator that the first line that is not empty uses most outside quotes: comma, semicolon or tab; comma when there is none. */
function separatorOf(bytes: Uint8Array): string {
  const counts = new Map([
    [",", 0],
    [";", 0],
    ["\t", 0],
  ]);
  let quoting = false;
  let begun = false;
  for (const byte of bytes) {
    const char = String.fromCharCode(byte);
    if (char === '"') quoting = !quoting;
    if (quoting) continue;
    if (begun && (char === "\n" || char === "\r")) break;
    begun ||= char.trim() !== "";
    if (counts.has(char)) counts.set(char, (counts.get(char) ?? 0) + 1);
  }
  return [...counts].reduce((best, entry) => (entry[1] > best[1] ? entry : best))[0];
}

function readBytes(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === "ENOENT") throw new CliError(`${file}: no such file`);
    if (code === "EISDIR") throw new CliError(`${file}: is a directory, not a CSV file`);
    if (code === "EACCES") throw new CliError(`${file}: permission denied`);
    throw new CliError(`${file}: cannot be read: ${messageOf(error)}`);
  }
}

function checkHeader(file: string, columns: string[]): void {
  const seen = new Map<string, number>();
  columns.forEach((name, index) => {
    if (name === "") throw new CliError(`${file}: line 1: column ${index + 1} has no name`);
    const first = seen.get(name);
    if (first !== undefined)
      throw new CliError(`${file}: line 1: columns ${first + 1} and ${index + 1} are both named ${quoted(name)}`);
    seen.set(name, index);
  });
}

/** Collects the records of one file. */
class TableBuilder {
  readonly table: Table;
  private readonly textIndices: [column: number, fields: string[]][] = [];

  constructor(file: string, columns: string[], textColumns: readonly string[]) {
    checkHeader(file, columns);
    this.table = {
      file,
      columns,
      rows: 0,
      blocks: [],
      flaws: columns.map(() => undefined),
      texts: new Map(),
      lines: [],
    };
    for (const name of textColumns) {
      const fields: string[] = [];
      this.textIndices.push([indexOfColumn(this.table, name), fields]);
      this.table.texts.set(name, fields);
    }
  }

  add(record: string[], line: number): void {
    const { file, columns, blocks, flaws, lines } = this.table;
    const width = columns.length;
    if (record.length !== width)
      throw new CliError(`${file}: line ${line}: expected ${width} fields, got ${record.length}`);
    const inBlock = this.table.rows % BLOCK_ROWS;
    if (inBlock === 0) blocks.push(new Float64Array(BLOCK_ROWS * width));
    const block = blocks.at(-1) as Float64Array;
    for (let i = 0; i < width; i++) {
      const text = record[i] as string;
      const value = parseNumber(text);
      block[inBlock * width + i] = value;
      if (flaws[i] === undefined && Number.isNaN(value)) flaws[i] = { line, text };
    }
    for (const [column, fields] of this.textIndices) fields.push(record[column] as string);
    lines.push(line);
    this.table.rows++;
  }
}

/**
 * Reads a CSV file whose first line names the columns: UTF-8 with or without a mark, comma, semicolon or tab, fields
 * quoted by " where needed, blanks around fields dropped, empty lines skipped.
 * `textColumns` must exist. Every failure is a CliError with the file's name and, where there is one, the line.
 */
export function readCsv(file: string, textColumns: readonly string[] = []): Table {
  const bytes = readBytes(file);
  let builder: TableBuilder | undefined;
  try {
    parse(bytes, {
      bom: true,
      delimiter: separatorOf(bytes),
      trim: true,
      skip_empty_lines: true,
      relax_column_count: true,
      on_record: (record: string[], { lines }) => {
        if (builder) builder.add(record, lines);
        else builder = new TableBuilder(file, record, textColumns);
        return null; // kept by the builder: nothing is collected by the parser
      },
    });
  } catch (error) {
    if (error instanceof CliError) throw error;
    throw new CliError(`${file}: not a CSV file: ${messageOf(error)}`);
  }
  if (!builder) throw new CliError(`${file}: the file is empty`);
  if (builder.table.rows === 0) throw new CliError(`${file}: no rows below the line of column names`);
  return builder.table;
}

/** Index of a column; a CliError that suggests the nearest name when there is none. */
export function indexOfColumn({ file, columns }: Table, name: string): number {
  const index = columns.indexOf(name);
  if (index < 0) throw new CliError(`${file}: no column ${quoted(name)}${suggestion(name, columns, quoted)}`);
  return index;
}

/**
 * The columns `names` as numbers, [rows × names.length] row-major. A field that is no number, or none that the network's
 * dtype holds, is a CliError.
 */
export function numbersOf(table: Table, names: readonly string[], dtype: DType): Float64Array {
  const indices = names.map((name) => indexOfColumn(table, name));
  for (const index of indices) rejectFlaw(table, index);
  const { rows, blocks, columns } = table;
  const out = new Float64Array(rows * indices.length);
  let at = 0;
  for (let row = 0; row < rows; row++) {
    const block = blocks[Math.floor(row / BLOCK_ROWS)] as Float64Array;
    const start = (row % BLOCK_ROWS) * columns.length;
    for (const index of indices) {
      const value = block[start + index] as number;
      if (dtype === "float32") rejectOverflow(table, row, columns[index] as string, value);
      out[at++] = value;
    }
  }
  return out;
}

/** A number beyond float32: the network would name its row among those it was given, not the line of the file. */
export function rejectOverflow({ file, lines }: Table, row: number, name: string, value: number): void {
  if (Number.isFinite(Math.fround(value))) return;
  const place = `${file}: line ${lines[row]}, column ${quoted(name)}`;
  throw new CliError(`${place}: expected a number that float32 holds, at most 3.4e38 in size, got ${value}`);
}

function rejectFlaw({ file, columns, flaws }: Table, index: number): void {
  const flaw = flaws[index];
  if (!flaw) return;
  const place = `${file}: line ${flaw.line}, column ${quoted(columns[index] as string)}`;
  if (isMissing(flaw.text)) throw new CliError(`${place}: the value is missing`);
  throw new CliError(`${place}: expected a number, got ${quoted(flaw.text)}`);
}

/** The fields of a column that was asked for as text. A missing field is a CliError. */
export function textsOf(table: Table, name: string): string[] {
  const fields = table.texts.get(name) as string[];
  const row = fields.findIndex(isMissing);
  if (row >= 0)
    throw new CliError(`${table.file}: line ${table.lines[row]}, column ${quoted(name)}: the value is missing`);
  return fields;
}

/** One field of a CSV file, quoted where its text needs it. */
export function csvField(text: string): string {
  return /[",\r\n]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
