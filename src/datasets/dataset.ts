/** An embedded data set. Every call of its function makes new arrays, so the caller owns them. */
export interface Dataset<X extends Float32Array | Float64Array, Y extends Int32Array | Float64Array> {
  /** One row per sample, row-major. */
  x: { data: X; shape: readonly [rows: number, cols: number] };
  /** One entry per sample: a class index (Int32Array) or a value (Float64Array). */
  y: Y;
  /** Names of the columns of `x`. */
  columns: string[];
  /** Names of the classes, by index; empty for a set with real targets. */
  classes: string[];
  /** Name of the target. */
  target: string;
  /** Where the data come from and under which licence. To be kept with copies of the data. */
  source: string;
}

/** Splits a CSV text that has a header row, the target in its last column and no quoted fields. */
export function parsePlainCsv(text: string): { header: string[]; rows: string[][] } {
  const [header = "", ...lines] = text.trimEnd().split("\n");
  return { header: header.split(","), rows: lines.map((line) => line.split(",")) };
}

/** The fields of all columns but the last as numbers, [rows × (columns − 1)]. */
export function numbersBeforeLast(rows: string[][]): { data: Float64Array; shape: readonly [number, number] } {
  const data = Float64Array.from(rows.flatMap((row) => row.slice(0, -1).map(Number)));
  return { data, shape: [rows.length, data.length / rows.length] };
}
