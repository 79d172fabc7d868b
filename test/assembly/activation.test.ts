import { readFileSync } from "node:fs";
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

const torch = JSON.parse(readFileSync(new URL("../fixtures/pytorch/activations.json", import.meta.url), "utf8")) as {
  z: number[];
  functions: Record<string, { value: number[]; derivative: number[] }>;
};

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
      exports.applySlope(row.code, delta.ptr, values.ptr, 0, count, 0.01);
      const expected = d.map((x, i) => flush(row.slope(x, a[i] as number, alpha, rnd)));
      expectBits(`${count} elements`, delta.values, expected);
      arena.check(`${count} elements`);
    }
  });

  // [name, code, f at −∞, at +∞, the plain value, the plain derivative]: bounds in units of the dtype's ε, relative to max(1, |f|)·ε
  // for values; for derivatives to ε, and to z·ε, since 1 − σ has the rounding of 1.
  const sigmoid = (z: number) => 1 / (1 + Math.exp(-z));
  const clamp = (z: number, low: number, high: number) => Math.min(Math.max(z, low), high);
  const [lambda, alphaSelu] = [1.0507009873554805, 1.6732632423543772];
  const tanhSoftplus = (z: number) => Math.tanh(Math.log1p(Math.exp(z)));
  const FORMULAS: readonly [string, number, number, number, (z: number) => number, (z: number) => number][] = [
    [
      "elu",
      abi.ACTIVATION_ELU,
      -0.5,
      Infinity,
      (z) => (z < 0 ? 0.5 * Math.expm1(z) : z),
      (z) => (z > 0 ? 1 : 0.5 * Math.exp(z)),
    ],
    [
      "selu",
      abi.ACTIVATION_SELU,
      -lambda * alphaSelu,
      Infinity,
      (z) => lambda * (z < 0 ? alphaSelu * Math.expm1(z) : z),
      (z) => lambda * (z > 0 ? 1 : alphaSelu * Math.exp(z)),
    ],
    [
      "softplus",
      abi.ACTIVATION_SOFTPLUS,
      0,
      Infinity,
      (z) => Math.max(z, 0) + Math.log1p(Math.exp(-Math.abs(z))),
      sigmoid,
    ],
    ["softsign", abi.ACTIVATION_SOFTSIGN, -1, 1, (z) => z / (1 + Math.abs(z)), (z) => 1 / (1 + Math.abs(z)) ** 2],
    [
      "hardSigmoid",
      abi.ACTIVATION_HARD_SIGMOID,
      0,
      1,
      (z) => clamp(z / 6 + 0.5, 0, 1),
      (z) => (Math.abs(z) < 3 ? 1 / 6 : 0),
    ],
    ["relu6", abi.ACTIVATION_RELU6, 0, 6, (z) => clamp(z, 0, 6), (z) => (z > 0 && z < 6 ? 1 : 0)],
    ["silu", abi.ACTIVATION_SILU, 0, Infinity, (z) => z * sigmoid(z), (z) => sigmoid(z) * (1 + z * (1 - sigmoid(z)))],
    [
      "mish",
      abi.ACTIVATION_MISH,
      0,
      Infinity,
      (z) => z * tanhSoftplus(z),
      (z) => tanhSoftplus(z) + z * (1 - tanhSoftplus(z) ** 2) * sigmoid(z),
    ],
    [
      "hardSwish",
      abi.ACTIVATION_HARD_SWISH,
      0,
      Infinity,
      (z) => z * clamp(z / 6 + 0.5, 0, 1),
      (z) => (z < -3 ? 0 : z > 3 ? 1 : z / 3 + 0.5),
    ],
  ];

  test.each(FORMULAS)(
    "%s: value and derivative are those of the formula, ends and NaN too",
    (name, code, low, high, f, slope) => {
      const spread = [0.01, 1, 5, 12, 80];
      const draws = new Draws(code);
      const drawn = Array.from({ length: 4000 }, (_, i) => rnd(draws.number() * (spread[i % 5] as number)));
      const z = drawn.filter((x) => [-3, 0, 3, 6].every((kink) => Math.abs(x - kink) > 1e-3));
      z.length = Math.floor(z.length / 8) * 8;
      z.splice(0, 8, -Infinity, Infinity, NaN, -1e30, 1e30, -30, 30, 100);
      arena.clear();
      const [from, a] = [arena.reals(z), arena.reals(z.length)];
      exports.activate(code, a.ptr, from.ptr, z.length, 0.5);
      const delta = arena.reals(z.map(() => 1));
      exports.applySlope(code, delta.ptr, a.ptr, from.ptr, z.length, 0.5);
      const epsilon = core.size === 4 ? 2 ** -24 : 2 ** -53;
      expect(Math.abs((a.values[0] as number) - low), "at −∞").toBeLessThanOrEqual(2 * epsilon);
      expect(a.values[1], "at ∞").toBe(high);
      expect(
        [a.values[2], delta.values[2]].every((x) => Number.isNaN(x) || ["relu6", "hardSigmoid"].includes(name)),
      ).toBe(true);
      expect(Number.isNaN(a.values[2])).toBe(true);
      for (let i = 3; i < z.length; i++) {
        const x = z[i] as number;
        const value = a.values[i] as number;
        const ofSize = 8 * epsilon * Math.max(1, Math.abs(f(x)));
        expect(Math.abs(value - f(x)), `${name}(${x}) = ${value}`).toBeLessThanOrEqual(ofSize);
        // Nothing is lost where softplus is small: its logarithm is a loss.
        if (name === "softplus" && f(x) > minNormal)
          expect(Math.abs(value / f(x) - 1)).toBeLessThanOrEqual(8 * epsilon);
        const got = delta.values[i] as number;
        expect(Math.abs(got - slope(x)), `${name}′(${x}) = ${got}`).toBeLessThanOrEqual(
          (12 + 2 * Math.min(Math.abs(x), 100)) * epsilon,
        );
      }
    },
  );

  // Φ to 20 digits: 40-digit arithmetic.
  test("gelu is z·Φ(z) with Φ to the last digits, at 16 points", () => {
    const z = [0.5, 1, 2, 3, 5, -0.5, -1, -2, -3, -5, -0.125, 0.125, 8, -8, 0, 10];
    const phi = [
      0.6914624612740131, 0.8413447460685429, 0.9772498680518208, 0.9986501019683699, 0.9999997133484281,
      0.3085375387259869, 0.15865525393145705, 0.02275013194817921, 0.0013498980316300946, 2.866515718791939e-7,
      0.4502617751698871, 0.5497382248301129, 0.9999999999999993, 6.220960574271784e-16, 0.5, 1.0,
    ];
    arena.clear();
    const [from, a, delta] = [arena.reals(z), arena.reals(16), arena.reals(z.map(() => 1))];
    exports.activate(abi.ACTIVATION_GELU, a.ptr, from.ptr, 16, 0);
    exports.applySlope(abi.ACTIVATION_GELU, delta.ptr, a.ptr, from.ptr, 16, 0);
    const epsilon = core.size === 4 ? 2 ** -24 : 2 ** -53;
    for (const [i, x] of z.entries()) {
      const expected = x * (phi[i] as number);
      expect(Math.abs((a.values[i] as number) - expected), `${x}`).toBeLessThanOrEqual(
        16 * epsilon * Math.abs(expected),
      );
      const slope = (phi[i] as number) + (x * Math.exp((-x * x) / 2)) / Math.sqrt(2 * Math.PI);
      expect(Math.abs((delta.values[i] as number) - slope), `slope at ${x}`).toBeLessThanOrEqual(8 * epsilon);
    }
    arena.clear();
    const ends = arena.reals([-Infinity, Infinity, NaN, -100, -Infinity, Infinity, NaN, -100]);
    const [values, slopes] = [arena.reals(8), arena.reals([1, 1, 1, 1, 1, 1, 1, 1])];
    exports.activate(abi.ACTIVATION_GELU, values.ptr, ends.ptr, 8, 0);
    exports.applySlope(abi.ACTIVATION_GELU, slopes.ptr, values.ptr, ends.ptr, 8, 0);
    expect(Array.from(values.values.subarray(0, 4), (x) => x + 0)).toEqual([0, Infinity, NaN, 0]);
    expect(Array.from(slopes.values.subarray(0, 4))).toEqual([0, 1, NaN, 0]);
  });

  test.runIf(core.size === 8).each(Object.entries(torch.functions))(
    "%s: PyTorch's values and derivatives within 1e-10",
    (name, expected) => {
      const code = (abi as unknown as Record<string, number>)[`ACTIVATION_${name}`] as number;
      const count = torch.z.length;
      arena.clear();
      const [from, a, delta] = [arena.reals(torch.z), arena.reals(count), arena.reals(torch.z.map(() => 1))];
      exports.activate(code, a.ptr, from.ptr, count, 0.5);
      exports.applySlope(code, delta.ptr, a.ptr, from.ptr, count, 0.5);
      // PyTorch's softplus is z itself above 20, which these do not reach; its 1/6 is float32's.
      const near = name === "HARD_SIGMOID" ? 1e-7 : 1e-10;
      for (const [i, z] of torch.z.entries()) {
        const [value, derivative] = [expected.value[i] as number, expected.derivative[i] as number];
        expect(Math.abs((a.values[i] as number) - value), `f(${z})`).toBeLessThanOrEqual(
          1e-10 * Math.max(1e-3, Math.abs(value)),
        );
        expect(Math.abs((delta.values[i] as number) - derivative), `f′(${z})`).toBeLessThanOrEqual(near);
      }
    },
  );

  test("applySlope leaves no subnormal and no −0: ±2^-126·k/8 (f64 ±2^-1022·k/8) for k 0…12", () => {
    const d = Array.from({ length: 32 }, (_, k) => (k % 2 ? 1 : -1) * minNormal * ((k >> 1) / 8));
    arena.clear();
    const delta = arena.reals(d);
    const ones = arena.reals(d.map(() => 1));
    exports.applySlope(abi.ACTIVATION_LINEAR, delta.ptr, ones.ptr, 0, d.length, 0);
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

  // 52 panels of 10 units in float32 go together, of 600 units one.
  test("many panels of softmax have the bits of each alone, near and far from their maxima", () => {
    for (const [units, panels] of [
      [10, 130],
      [600, 3],
    ] as const) {
      arena.clear();
      const z = numbers(units * panels * 8, 8).map((x, at) => (at % 97 ? x : x * 200));
      const [a, max, sum] = [arena.reals(z.length), arena.reals(panels * 8), arena.reals(panels * 8)];
      const from = arena.reals(z);
      exports.softmaxPanels(a.ptr, from.ptr, max.ptr, sum.ptr, units, panels);
      const [one, oneMax, oneSum] = [arena.reals(units * 8), arena.reals(8), arena.reals(8)];
      for (let p = 0; p < panels; p++) {
        exports.softmaxPanels(one.ptr, from.ptr + p * units * 8 * core.size, oneMax.ptr, oneSum.ptr, units, 1);
        const what = `${panels} panels of ${units}, panel ${p}`;
        expectBits(what, a.values.subarray(p * units * 8, (p + 1) * units * 8), one.values);
        expectBits(what, max.values.subarray(p * 8, (p + 1) * 8), oneMax.values);
        expectBits(what, sum.values.subarray(p * 8, (p + 1) * 8), oneSum.values);
      }
      arena.check(`${panels} panels of ${units}`);
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
    const codes = Array.from({ length: abi.ACTIVATION_HARD_SWISH + 1 }, (_, code) => code);
    for (const code of codes.filter((each) => each !== abi.ACTIVATION_SOFTMAX))
      for (const kernel of ["activate", "applySlope"] as const) {
        const [x, z] = [numbers(2048, 5), numbers(2048, 7)];
        // softplus has no negative values.
        const y = numbers(2048, 6).map((a) =>
          code === abi.ACTIVATION_SOFTPLUS && kernel === "applySlope" ? Math.abs(a) : a,
        );
        const result = [arena, other].map((memory) => {
          memory.clear();
          const [first, second, third] = [memory.reals(x), memory.reals(y), memory.reals(z)];
          const { activate, applySlope } = memory.core.exports;
          if (kernel === "activate") activate(code, first.ptr, second.ptr, 2048, 0.01);
          else applySlope(code, first.ptr, second.ptr, third.ptr, 2048, 0.01);
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
