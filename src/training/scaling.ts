// Finds the scaling of inputs and targets in the window's training rows, and puts it into use.
import { type ColumnScaling, centreAndSpread, scaleTargets } from "../data/scaling.ts";
import type { Model } from "../model.ts";
import { isScalingMethod, isUnfitted } from "../options/scaling.ts";
import { type ResolvedScaling, type ResolvedSpec, unfittedScaling } from "../options/spec.ts";
import type { Region } from "../plan.ts";
import { atOnce } from "./pace.ts";
import { type Staged, stageData } from "./stage.ts";

type Sliced<T> = Generator<undefined, T, void>;

/** Values between two looks at the event loop: a few ms. */
const SLICE = 2 ** 19;

/** Rows of `cols` values in the memory. */
interface Table {
  readonly region: Region;
  readonly rows: number;
  readonly cols: number;
}

/**
 * The model's spec with every scaling that the first fit finds; the spec itself where there is nothing to find. Changes nothing.
 * @throws RangeError for columns whose scaling is not finite in the network's dtype
 */
export function* findScalings(model: Model, staged: Staged): Sliced<ResolvedSpec> {
  const { spec } = model;
  const { refit } = staged.options;
  const { x, y, inputs, outputs } = model.memory.plan;
  const { rows } = staged;
  const [first, ...others] = spec.layers;
  let found = spec;
  if (first !== undefined && isScalingMethod(first.type) && (refit || isUnfitted(first))) {
    const { type } = first;
    const columns = yield* scaleColumns(model, type, { region: x, rows, cols: inputs }, "x");
    found = Object.freeze({ ...found, layers: Object.freeze([withNumbers(type, columns), ...others]) });
  }
  const { targetScaling } = spec;
  if (targetScaling !== undefined && (refit || isUnfitted(targetScaling))) {
    const { type } = targetScaling;
    const columns = yield* scaleColumns(model, type, { region: y, rows, cols: outputs }, "y");
    found = Object.freeze({ ...found, targetScaling: withNumbers(type, columns) });
  }
  return found;
}

/**
 * Puts the scalings that a first fit on these rows would find into use.
 * @throws TypeError, RangeError as fit does
 */
export function fitScalings(model: Model, x: unknown, y: unknown): void {
  if (unfittedScaling(model.spec) === undefined) return;
  const staged = stageData(model, x, y, { batchSize: "full" }, { reports: 1, name: "fit" });
  model.useScalings(atOnce(findScalings(model, staged)));
}

function withNumbers(type: ResolvedScaling["type"], columns: readonly ColumnScaling[]): ResolvedScaling {
  // JSON knows no −0.
  const pick = (key: keyof ColumnScaling) => Object.freeze(columns.map((column) => column[key] + 0));
  return Object.freeze({ type, scale: pick("scale"), shift: pick("shift") });
}

/** Inputs: a = scale·x + shift, constant columns become 0. Targets the other way round: y = scale·a + shift, scale 1 where they are constant. */
function* scaleColumns(
  model: Model,
  type: ResolvedScaling["type"],
  table: Table,
  name: "x" | "y",
): Sliced<ColumnScaling[]> {
  const sums = yield* sumColumns(model, table);
  const rounded = (value: number) => (model.dtype === "float32" ? Math.fround(value) : value);
  const columns: ColumnScaling[] = [];
  for (const [column, sum] of sums.entries()) {
    const { centre, spread } = centreAndSpread(type, sum, () => sortedColumn(model, table, column));
    const [scale, shift] =
      name === "y" ? [spread || 1, centre] : spread === 0 ? [0, 0] : [1 / spread, -centre / spread];
    const pair = { scale: rounded(scale), shift: rounded(shift) };
    if (!Number.isFinite(pair.scale) || !Number.isFinite(pair.shift) || (spread > 0 && pair.scale === 0)) {
      throw new RangeError(
        `${name}: expected columns whose scale is finite in ${model.dtype} for ${type}, got a centre of ${centre} ` +
          `and a spread of ${spread} in column ${column}`,
      );
    }
    columns.push(pair);
    if (type === "robust") yield;
  }
  return columns;
}

function* sumColumns(model: Model, table: Table) {
  const { rows, cols } = table;
  const min = new Float64Array(cols).fill(Number.POSITIVE_INFINITY);
  const max = new Float64Array(cols).fill(Number.NEGATIVE_INFINITY);
  const mean = new Float64Array(cols);
  const squares = new Float64Array(cols);
  yield* eachRow(model, table, (values, at) => {
    for (let c = 0; c < cols; c++) {
      const value = values[at + c] as number;
      mean[c] = (mean[c] as number) + value;
      if (value < (min[c] as number)) min[c] = value;
      if (value > (max[c] as number)) max[c] = value;
    }
  });
  for (let c = 0; c < cols; c++) mean[c] = (mean[c] as number) / rows;
  yield* eachRow(model, table, (values, at) => {
    for (let c = 0; c < cols; c++) {
      const difference = (values[at + c] as number) - (mean[c] as number);
      squares[c] = (squares[c] as number) + difference * difference;
    }
  });
  return Array.from({ length: cols }, (_, c) => ({
    rows,
    min: min[c] as number,
    max: max[c] as number,
    mean: mean[c] as number,
    squares: squares[c] as number,
  }));
}

/** `work` sees every row: values[at …]. */
function* eachRow(
  model: Model,
  { region, rows, cols }: Table,
  work: (values: Float32Array | Float64Array, at: number) => void,
): Sliced<void> {
  const rowBytes = cols * model.memory.plan.size;
  const slice = Math.max(1, Math.floor(SLICE / cols));
  for (let first = 0; first < rows; first += slice) {
    if (first > 0) yield;
    const count = Math.min(slice, rows - first);
    const values = model.memory.reals({ offset: region.offset + first * rowBytes, bytes: count * rowBytes });
    for (let row = 0; row < count; row++) work(values, row * cols);
  }
}

function sortedColumn(model: Model, { region, rows, cols }: Table, column: number): Float64Array {
  const values = model.memory.reals({ offset: region.offset, bytes: rows * cols * model.memory.plan.size });
  return Float64Array.from({ length: rows }, (_, row) => values[row * cols + column] as number).sort();
}

/** The window's targets, validation rows too, to what the network learns. */
export function* scaleWindow(model: Model, staged: Staged): Sliced<void> {
  const { targetScaling } = model.spec;
  if (targetScaling === undefined) return;
  const { plan } = model.memory;
  const rowBytes = plan.outputs * plan.size;
  const rows = staged.rows + staged.validationRows;
  const slice = Math.max(1, Math.floor(SLICE / plan.outputs));
  for (let first = 0; first < rows; first += slice) {
    if (first > 0) yield;
    const count = Math.min(slice, rows - first);
    const region = { offset: plan.y.offset + first * rowBytes, bytes: count * rowBytes };
    scaleTargets(model.memory.reals(region), targetScaling);
  }
}
