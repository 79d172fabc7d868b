import plot, { type CustomSymbol, type LineFormatterArgs, type Point } from "simple-ascii-chart";

const HEIGHT = 12;
const MAX_WIDTH = 100;
const MARKS = ["●", "○"] as const;
const COLOURS = ["\u001b[36m", "\u001b[33m"] as const; // cyan, yellow
const NO_COLOUR = "\u001b[0m";

export interface Curve {
  name: string;
  /** One positive number per epoch, from epoch 1. */
  values: readonly number[];
}

/**
 * `count` points with equal distances from epoch 1 to the last: means of equal stretches of epochs where there are more
 * epochs than points, else values between neighbouring epochs.
 */
function resampled(values: readonly number[], count: number): Point[] {
  const n = values.length;
  return Array.from({ length: count }, (_, i) => {
    const position = (i * (n - 1)) / (count - 1);
    return [1 + position, n > count ? meanOfStretch(values, i, count) : between(values, position)];
  });
}

function meanOfStretch(values: readonly number[], index: number, count: number): number {
  const begin = Math.floor((index * values.length) / count);
  const end = Math.floor(((index + 1) * values.length) / count);
  let sum = 0;
  for (let i = begin; i < end; i++) sum += values[i] as number;
  return sum / (end - begin);
}

function between(values: readonly number[], position: number): number {
  const left = Math.min(Math.floor(position), values.length - 2);
  const start = values[left] as number;
  return start + (position - left) * ((values[left + 1] as number) - start);
}

/** Round losses in [min, max]: powers of ten, or 1, 2, 5 times powers of ten where those are few; else the ends. */
function lossTicks(min: number, max: number): number[] {
  const powers: number[] = [];
  for (let k = Math.floor(Math.log10(min)); k <= Math.ceil(Math.log10(max)); k++) powers.push(k);
  const inRange = (digits: number[]) =>
    powers.flatMap((k) => digits.map((digit) => Number(`${digit}e${k}`))).filter((tick) => tick >= min && tick <= max);
  const decades = inRange([1]);
  const ticks = decades.length > 2 ? decades : inRange([1, 2, 5]);
  return ticks.length > 1 ? ticks : [min, max];
}

/** Epoch 1 and about five multiples of 1, 2 or 5 · 10ᵏ. */
function epochTicks(epochs: number): number[] {
  const steps = [1, 2, 5].flatMap((digit) => Array.from({ length: 10 }, (_, k) => Number(`${digit}e${k}`)));
  const step = steps.sort((a, b) => a - b).find((candidate) => epochs / candidate <= 6) ?? epochs;
  const multiples = Array.from({ length: Math.floor(epochs / step) }, (_, i) => (i + 1) * step);
  return multiples[0] === 1 ? multiples : [1, ...multiples];
}

/** Draws a mark at every point and fills the column towards the point before, so that a steep curve has no holes. */
function marks(colour: boolean): (args: LineFormatterArgs) => CustomSymbol[] {
  let series = -1;
  let before = 0;
  return ({ index, plotX, plotY }) => {
    if (index === 0) [series, before] = [series + 1, plotY];
    const mark = MARKS[series] ?? "●";
    const symbol = colour ? `${COLOURS[series] ?? ""}${mark}${NO_COLOUR}` : mark;
    const symbols: CustomSymbol[] = [{ x: plotX, y: plotY, symbol }];
    const towards = Math.sign(plotY - before);
    for (let y = before + towards; towards !== 0 && y !== plotY; y += towards) symbols.push({ x: plotX, y, symbol });
    before = plotY;
    return symbols;
  };
}

/**
 * The loss over the epochs as text of at most `width` columns, the loss on a logarithmic axis; "" when there are
 * fewer than two epochs, a loss is not positive (a logarithm has no place for it), or nothing changes.
 */
export function lossChart(curves: readonly Curve[], width: number, colour: boolean): string {
  const all = curves.flatMap(({ values }) => values);
  const epochs = Math.max(...curves.map(({ values }) => values.length));
  if (epochs < 2 || all.some((value) => !(value > 0 && value < Number.POSITIVE_INFINITY))) return "";
  const min = all.reduce((a, b) => Math.min(a, b));
  const max = all.reduce((a, b) => Math.max(a, b));
  if (max < min * (1 + 1e-6)) return "";
  const label = (logarithm: number) => String(Number((10 ** logarithm).toPrecision(2)));
  const ticks = lossTicks(min, max).map(Math.log10);
  const margin = Math.max(...ticks.map((tick) => label(tick).length)) + 3;
  const columns = Math.max(10, Math.min(width, MAX_WIDTH) - margin);
  const points = curves.map(({ values }) =>
    resampled(values, columns).map(([epoch, loss]): Point => [epoch, Math.log10(loss)]),
  );
  const chart = plot(points, {
    width: columns,
    height: HEIGHT,
    customXAxisTicks: epochTicks(epochs),
    customYAxisTicks: ticks,
    formatter: (value, { axis }) => (axis === "y" ? label(value) : value),
    lineFormatter: marks(colour),
  });
  const legend = curves.map(
    ({ name }, i) => `${colour ? COLOURS[i] : ""}${MARKS[i]}${colour ? NO_COLOUR : ""} ${name}`,
  );
  const lines = chart.split("\n").filter((line) => line.trim() !== "");
  return `loss by epoch  ${legend.join("  ")}\n${lines.map((line) => line.trimEnd()).join("\n")}\n`;
}
