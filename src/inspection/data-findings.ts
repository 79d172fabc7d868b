// What can be wrong with the data before any training: scales of inputs, and equal inputs with different targets.
import type { Matrix } from "../data/rows.ts";
import { type Finding, figure, percent } from "./diagnosis.ts";

/** Of the largest to the smallest deviation, and of a mean to its deviation. */
const SCALE_LIMIT = 10;

/** `x` [rows × inputs] as the first dense layer sees it. */
export function findScales(x: Matrix): Finding[] {
  const [rows, cols] = x.shape;
  const columns = Array.from({ length: cols }, (_, c) => {
    let mean = 0;
    for (let r = 0; r < rows; r++) mean += (x.data[r * cols + c] as number) / rows;
    let squares = 0;
    for (let r = 0; r < rows; r++) {
      const difference = (x.data[r * cols + c] as number) - mean;
      squares += difference * difference;
    }
    return { c, mean, deviation: Math.sqrt(squares / rows) };
  });
  const findings: Finding[] = [];
  const advice =
    'Put { type: "standardize" } in front of the other layers: the first fit finds its numbers and the file keeps them.';
  const varied = columns
    .filter(({ mean, deviation }) => deviation > 1e-12 * Math.abs(mean))
    .sort((a, b) => a.deviation - b.deviation);
  const [low, high] = [varied[0], varied.at(-1)];
  if (rows > 1 && low !== undefined && high !== undefined && high.deviation / low.deviation > SCALE_LIMIT) {
    const ratio = high.deviation / low.deviation;
    findings.push({
      kind: "inputScale",
      figure: ratio,
      limit: SCALE_LIMIT,
      message:
        `Inputs of very different scale: column ${high.c} has a deviation of ${figure(high.deviation)}, column ${low.c} of ` +
        `${figure(low.deviation)}, ${figure(ratio)} times less.`,
      advice,
    });
  }
  const off = varied
    .map((column) => ({ ...column, ratio: Math.abs(column.mean) / column.deviation }))
    .sort((a, b) => b.ratio - a.ratio)[0];
  if (rows > 1 && off !== undefined && off.ratio > SCALE_LIMIT) {
    findings.push({
      kind: "inputScale",
      figure: off.ratio,
      limit: SCALE_LIMIT,
      message: `Inputs far from 0: column ${off.c} has a mean of ${figure(off.mean)}, ${figure(off.ratio)} times its deviation of ${figure(off.deviation)}.`,
      advice,
    });
  }
  const constant = columns.length - varied.length;
  if (rows > 1 && constant > 0) {
    const first = columns.find((column) => !varied.some(({ c }) => c === column.c));
    findings.push({
      kind: "constantInput",
      figure: constant,
      limit: 0,
      message: `${constant} of ${cols} input columns ${constant === 1 ? "is" : "are"} constant in these rows, column ${first?.c} first.`,
      advice: "They say nothing: leave them out, or check how the data were read.",
    });
  }
  return findings;
}

/** Rows that agree in every input and differ in the target. */
export function findConflicts(x: Matrix, y: Matrix | Int32Array): Finding[] {
  const [rows, cols] = x.shape;
  const width = y instanceof Int32Array ? 1 : y.shape[1];
  const targets = y instanceof Int32Array ? y : y.data;
  const same = (values: ArrayLike<number>, a: number, b: number, count: number) => {
    for (let i = 0; i < count; i++) if (values[a * count + i] !== values[b * count + i]) return false;
    return true;
  };
  const words = new Uint32Array(x.data.buffer, x.data.byteOffset, x.data.byteLength / 4);
  const perRow = (cols * x.data.BYTES_PER_ELEMENT) / 4;
  const seen = new Map<number, number[]>();
  const groups = new Map<number, { size: number; conflicts: boolean; other: number }>();
  for (let row = 0; row < rows; row++) {
    let hash = 0x811c9dc5; // FNV-1a, by words
    for (let i = row * perRow; i < (row + 1) * perRow; i++) hash = Math.imul(hash ^ (words[i] as number), 0x01000193);
    const bucket = seen.get(hash);
    const first = bucket?.find((other) => same(x.data, other, row, cols));
    if (first === undefined) {
      if (bucket === undefined) seen.set(hash, [row]);
      else bucket.push(row);
      continue;
    }
    const group = groups.get(first) ?? { size: 1, conflicts: false, other: row };
    group.size++;
    if (!group.conflicts && !same(targets, first, row, width)) Object.assign(group, { conflicts: true, other: row });
    groups.set(first, group);
  }
  const [example] = [...groups].filter(([, { conflicts }]) => conflicts);
  if (example === undefined) return [];
  const count = [...groups.values()].reduce((sum, { size, conflicts }) => sum + (conflicts ? size : 0), 0);
  return [
    {
      kind: "conflictingTargets",
      figure: count,
      limit: 0,
      message:
        `Conflicting targets: ${count} of ${rows} rows (${percent(count / rows)}) have the inputs of another row and another target, ` +
        `rows ${example[0]} and ${example[1].other} for one.`,
      advice: "No network can meet both: check the labels, or add the input that tells these rows apart.",
    },
  ];
}
