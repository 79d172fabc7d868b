import { describe, expect, test } from "vitest";
import * as abi from "../../src/core/abi.ts";
import { Arena, CORES, Draws, expectBits, rounding, upTo } from "./cores.ts";

/** One row per activation: value from z with the core's own functions, and d·f′ written in a = f(z). */
interface Row {
  readonly name: string;
  readonly code: number;
  /** Undefined: the map that vmath.test.ts holds to its bound. */
  readonly value?: (z: number, alpha: number, rnd: (x: number) => number) => number;
  readonly map?: "mapSigmoid" | "mapTanh";
  readonly slope: (d: number, a: number, alpha: number, rnd: (x: number) => number) => number;
}

const ROWS: readonly Row[] = [
  { name: "linear", code: abi.ACTIVATION_LINEAR, value: (z) => z, slope: (d) => d },
  {
    name: "sigmoid",
    code: abi.ACTIVATION_SIGMOID,
    map: "mapSigmoid",
    slope: (d, a, _, rnd) => rnd(d * rnd(a * rnd(1 - a))),
  },
  {
    name: "tanh",
    code: abi.ACTIVATION_TANH,
    map: "mapTanh",
    slope: (d, a, _, rnd) => rnd(d * rnd(1 - rnd(a * a))),
  },
  {
    name: "relu",
    code: abi.ACTIVATION_RELU,
    value: (z) => (z >= 0 || Number.isNaN(z) ? z : 0),
    slope: (d, a) => (a > 0 ? d : 0),
  },
  {
    name: "leakyRelu",
    code: abi.ACTIVATION_LEAKY_RELU,
    value: (z, alpha, rnd) => (z < 0 ? rnd(alpha * z) : z),
    slope: (d, a, alpha, rnd) => (a > 0 ? d : rnd(alpha * d)),
  },
];

const [js32, js64] = CORES.filter((core) => core.isJs) as [(typeof CORES)[0], (typeof CORES)[0]];

describe.each(CORES)("$name", (core) => {
  const { exports } = core;
  const rnd = rounding(core);
  const arena = new Arena(core);
  const alpha = rnd(0.01);
  const minNormal = core.size === 4 ? 2 ** -126 : 2 ** -1022;
  const flush = (x: number): number => (Math.abs(x) < minNormal ? 0 : x);
  // Whole vectors, as the kernels ask for.
  const counts = upTo(9)
    .map((vectors) => (vectors * 16) / core.size)
    .concat(4096);
  const numbers = (count: number, seed: number): number[] => {
    const draws = new Draws(seed);
    const scaled = draws.special(count, core.size).map((x) => rnd(x * 2 ** (draws.below(12) - 4)));
    scaled[count - 1] = NaN;
    return scaled;
  };

  test.each(ROWS)("$name: a = f(z), also in place, NaN, ±0, ±Inf and subnormals included", (row) => {
    for (const count of counts) {
      const z = numbers(count, count);
      arena.clear();
      const [a, from, mapped] = [arena.reals(count), arena.reals(z), arena.reals(count)];
      if (row.map) exports[row.map](mapped.ptr, from.ptr, count);
      const expected = row.map ? mapped.values : z.map((x) => row.value?.(x, alpha, rnd) as number);
      exports.activate(row.code, a.ptr, from.ptr, count, 0.01);
      expectBits(`${count} elements`, a.values, expected);
      expectBits("z", from.values, z);
      exports.activate(row.code, from.ptr, from.ptr, count, 0.01);
      expectBits(`${count} elements in place`, from.values, expected);
      arena.check(`${count} elements`);
    }
    expect(row.value !== undefined || row.map !== undefined).toBe(true);
  });

  test.each(ROWS)("$name: delta ∘ f′(z) from a, results below the smallest normal number +0", (row) => {
    for (const count of counts) {
      const d = numbers(count, count + 1);
      const a = numbers(count, count + 2);
      arena.clear();
      const [delta, values] = [arena.reals(d), arena.reals(a)];
      exports.applySlope(row.code, delta.ptr, values.ptr, count, 0.01);
      const expected = d.map((x, i) => flush(row.slope(x, a[i] as number, alpha, rnd)));
      expectBits(`${count} elements`, delta.values, expected);
      arena.check(`${count} elements`);
    }
  });

  test("applySlope leaves no subnormal and no −0: ±2^-126·k/8 (f64 ±2^-1022·k/8) for k 0…12", () => {
    const d = Array.from({ length: 32 }, (_, k) => (k % 2 ? 1 : -1) * minNormal * ((k >> 1) / 8));
    arena.clear();
    const delta = arena.reals(d);
    const ones = arena.reals(d.map(() => 1));
    exports.applySlope(abi.ACTIVATION_LINEAR, delta.ptr, ones.ptr, d.length, 0);
    expectBits(
      "flushed",
      delta.values,
      d.map((x) => (Math.abs(x) < minNormal ? 0 : x)),
    );
    expect([...delta.values].filter((x) => x !== 0)).toHaveLength(16);
  });

  const softmaxInputs = (units: number, seed: number): number[] => {
    const draws = new Draws(seed);
    const spread = [1, 30, 1000][seed % 3] as number;
    return Array.from({ length: units }, () => rnd(draws.number() * spread));
  };

  test("softmax is exp(z − max)/Σ term by term, 1…9 and 97 units × 1…3 panels; max and sum are handed on", () => {
    for (const units of [...upTo(9), 97])
      for (const panels of upTo(3)) {
        const what = `${units} units, ${panels} panels`;
        const z = softmaxInputs(units * panels * 8, units * 3 + panels);
        arena.clear();
        const [a, max, sum] = [arena.reals(z.length), arena.reals(panels * 8), arena.reals(panels * 8)];
        const from = arena.reals(z);
        const [shifted, scratch] = [arena.reals(units), arena.reals(units)];
        exports.softmaxPanels(a.ptr, from.ptr, max.ptr, sum.ptr, units, panels);
        for (let sample = 0; sample < panels * 8; sample++) {
          const at = (o: number) => ((sample >> 3) * units + o) * 8 + (sample & 7);
          const own = upTo(units).map((o) => z[at(o - 1)] as number);
          const m = Math.max(...own);
          shifted.values.set(own.map((x) => rnd(x - m)));
          exports.mapExp(scratch.ptr, shifted.ptr, units);
          let total = 0;
          for (const e of scratch.values) total = rnd(total + e);
          const expected = Array.from(scratch.values, (e) => rnd(e / total));
          const got = own.map((_, o) => a.values[at(o)] as number);
          expectBits(`${what}, sample ${sample}`, got, expected);
          expectBits(`${what}, max and sum`, [max.values[sample] as number, sum.values[sample] as number], [m, total]);

          // One sample alone has the same bits as in a batch.
          const [one, oneMax, oneSum] = [arena.reals(units), arena.reals(1), arena.reals(1)];
          exports.softmaxVector(one.ptr, arena.reals(own).ptr, oneMax.ptr, oneSum.ptr, units);
          expectBits(`${what}, alone`, [...one.values, ...oneMax.values, ...oneSum.values], [...expected, m, total]);
        }
        arena.check(what);
        exports.softmaxPanels(from.ptr, from.ptr, max.ptr, sum.ptr, units, panels);
        expectBits(`${what}, in place`, from.values, a.values);
      }
  });

  test("softmax of ±1000 is finite; one infinite or NaN input makes its own sample NaN and no other", () => {
    arena.clear();
    const z = Array.from({ length: 4 * 8 }, (_, at): number => (at % 2 ? 1000 : -1000));
    z[3] = Infinity;
    z[8 + 5] = NaN;
    const [a, max, sum] = [arena.reals(32), arena.reals(8), arena.reals(8)];
    exports.softmaxPanels(a.ptr, arena.reals(z).ptr, max.ptr, sum.ptr, 4, 1);
    const bad = [...a.values.keys()].filter((at) => Number.isNaN(a.values[at])).map((at) => at % 8);
    expect([...new Set(bad)]).toEqual([3, 5]);
    expect(a.values[0]).toBe(0.25);
  });

  test("value, slope and softmax have the bits of the pure-JS core", () => {
    const twin = core.size === 4 ? js32 : js64;
    const other = new Arena(twin);
    for (const { code } of ROWS)
      for (const kernel of ["activate", "applySlope"] as const) {
        const [x, y] = [numbers(2048, 5), numbers(2048, 6)];
        const result = [arena, other].map((memory) => {
          memory.clear();
          const [first, second] = [memory.reals(x), memory.reals(y)];
          memory.core.exports[kernel](code, first.ptr, second.ptr, 2048, 0.01);
          return first.values;
        });
        expectBits(`${kernel} of ${code}`, result[0] as Float64Array, result[1] as Float64Array);
      }
    const z = softmaxInputs(10 * 64, 2);
    const result = [arena, other].map((memory) => {
      memory.clear();
      const [a, max, sum] = [memory.reals(z), memory.reals(64), memory.reals(64)];
      memory.core.exports.softmaxPanels(a.ptr, a.ptr, max.ptr, sum.ptr, 10, 8);
      return [...a.values, ...max.values, ...sum.values];
    });
    expectBits("softmax", result[0] as number[], result[1] as number[]);
  });
});
