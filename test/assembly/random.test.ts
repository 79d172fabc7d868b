// The generator: published vectors, the streams made of it, fills and orders; the same bits in every core.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { INIT_CONSTANT, INIT_NORMAL, INIT_UNIFORM, PURPOSE_INIT, PURPOSE_ORDER } from "../../src/core/abi.ts";
import { philox } from "../../src/js/random.ts";
import { cos2pi, log64 } from "../../src/js/vmath.ts";
import { Arena, CORES, expectBits, type TestCore } from "./cores.ts";

const f64 = CORES.find(({ name }) => name === "f64.simd") as TestCore;
const { uniform, normal } = f64.exports;

// Random123 1.14, tests/kat_vectors, the lines "philox4x32 10": counter, key, block.
const VECTORS: readonly [string, string, string][] = [
  ["00000000 00000000 00000000 00000000", "00000000 00000000", "6627e8d5 e169c58d bc57ac4c 9b00dbd8"],
  ["ffffffff ffffffff ffffffff ffffffff", "ffffffff ffffffff", "408f276d 41c83b0e a20bc7c6 6d5451fd"],
  ["243f6a88 85a308d3 13198a2e 03707344", "a4093822 299f31d0", "d16cfe09 94fdcceb 5001e420 24126ea1"],
];
const words = (hex: string): number[] => hex.split(" ").map((word) => Number.parseInt(word, 16));

test.each(VECTORS)("Philox4x32-10 of counter %s, key %s is %s", (counter, key, block) => {
  const [k0, k1] = words(key) as [number, number];
  const [c0, c1, c2, c3] = words(counter) as [number, number, number, number];
  expect([...philox(k0, k1, c0, c1, c2, c3)]).toEqual(words(block));
});

test("the first published block gives uniforms 0 and 1 of the stream of zeros", () => {
  const [w0, w1, w2, w3] = words(VECTORS[0]?.[2] as string).map(BigInt) as [bigint, bigint, bigint, bigint];
  const number = (high: bigint, low: bigint): number => Number(((high >> 5n) << 26n) | (low >> 6n)) / 2 ** 53;
  for (const { exports } of CORES) {
    expect(exports.uniform(0, 0, 0, 0, 0)).toBe(number(w0, w1));
    expect(exports.uniform(0, 0, 0, 0, 1)).toBe(number(w2, w3));
  }
});

const int32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });

test("every core draws what the definition says, over random seeds, purposes, indices and elements", () => {
  const word = (block: Uint32Array, at: number): number =>
    ((block[at] as number) >>> 5) * 2 ** -27 + ((block[at + 1] as number) >>> 6) * 2 ** -53;
  fc.assert(
    fc.property(int32, int32, int32, int32, int32, (low, high, purpose, index, element) => {
      const ofPair = word(philox(low, high, element >>> 1, index, 0, purpose), 2 * (element & 1));
      const block = philox(low, high, element, index, 0, purpose);
      const bell = Math.sqrt(-2 * log64(1 - word(block, 0))) * cos2pi(word(block, 2));
      for (const { name, exports } of CORES) {
        expectBits(name, [exports.uniform(low, high, purpose, index, element)], [ofPair]);
        expectBits(name, [exports.normal(low, high, purpose, index, element)], [bell]);
      }
    }),
    { seed: 1, numRuns: 1000 },
  );
});

// ── Do they look random? Bounds of five standard deviations, on fixed seeds ────────────────────

const COUNT = 100_000;
const draw = (f: typeof uniform, seed: number, index: number): Float64Array =>
  Float64Array.from({ length: COUNT }, (_, element) => f(seed, 0, PURPOSE_INIT, index, element));
const meanOf = (x: Float64Array, f: (each: number, i: number) => number): number =>
  x.reduce((sum, each, i) => sum + f(each, i), 0) / x.length;

test("100000 uniforms: in [0, 1), mean, variance, neighbours, 64 bins", () => {
  const u = draw(uniform, 5, 0);
  const root = Math.sqrt(COUNT);
  expect(u.every((each) => each >= 0 && each < 1)).toBe(true);
  expect(Math.abs(meanOf(u, (x) => x) - 1 / 2)).toBeLessThan((5 * Math.sqrt(1 / 12)) / root);
  expect(Math.abs(meanOf(u, (x) => (x - 1 / 2) ** 2) - 1 / 12)).toBeLessThan((5 * Math.sqrt(1 / 180)) / root);
  const neighbours = meanOf(u.subarray(1), (x, i) => (x - 1 / 2) * ((u[i] as number) - 1 / 2));
  expect(Math.abs(neighbours)).toBeLessThan(5 / 12 / root);
  const bins = new Float64Array(64);
  for (const each of u) bins[Math.floor(each * 64)] = (bins[Math.floor(each * 64)] as number) + 1;
  const chiSquare = bins.reduce((sum, n) => sum + (n - COUNT / 64) ** 2 / (COUNT / 64), 0);
  expect(Math.abs(chiSquare - 63)).toBeLessThan(5 * Math.sqrt(2 * 63));
});

test("100000 normals: moments 0, 1, 0, 3, tails, neighbours", () => {
  const n = draw(normal, 5, 0);
  const root = Math.sqrt(COUNT);
  expect(Math.abs(meanOf(n, (x) => x))).toBeLessThan(5 / root);
  expect(Math.abs(meanOf(n, (x) => x ** 2) - 1)).toBeLessThan((5 * Math.sqrt(2)) / root);
  expect(Math.abs(meanOf(n, (x) => x ** 3))).toBeLessThan((5 * Math.sqrt(15)) / root);
  expect(Math.abs(meanOf(n, (x) => x ** 4) - 3)).toBeLessThan((5 * Math.sqrt(96)) / root);
  const beyond2 = 0.04550026389635842; // 2·(1 − Φ(2))
  expect(Math.abs(meanOf(n, (x) => (Math.abs(x) > 2 ? 1 : 0)) - beyond2)).toBeLessThan((5 * Math.sqrt(beyond2)) / root);
  expect(Math.abs(meanOf(n.subarray(1), (x, i) => x * (n[i] as number)))).toBeLessThan(5 / root);
});

test("streams of another seed half, purpose or index are other numbers, uncorrelated over 100000", () => {
  const base = draw(uniform, 5, 0);
  const others = [
    draw(uniform, 6, 0),
    draw(uniform, 5, 1),
    base.map((_, element) => uniform(5, 1, PURPOSE_INIT, 0, element)),
    base.map((_, element) => uniform(5, 0, PURPOSE_ORDER, 0, element)),
  ];
  for (const other of others) {
    const covariance = meanOf(base, (x, i) => (x - 1 / 2) * ((other[i] as number) - 1 / 2));
    expect(Math.abs(covariance)).toBeLessThan(5 / 12 / Math.sqrt(COUNT));
  }
});

// ── fill ───────────────────────────────────────────────────────────────────────────────────────

describe.each(CORES)("$name: fill", (core) => {
  const rnd = core.size === 4 ? Math.fround : (x: number): number => x;
  const KINDS: readonly [string, number, (element: number) => number][] = [
    ["constant", INIT_CONSTANT, () => -0.3],
    ["uniform", INIT_UNIFORM, (element) => -0.3 + (0.7 - -0.3) * uniform(7, 8, PURPOSE_INIT, 9, element)],
    ["normal", INIT_NORMAL, (element) => -0.3 + 0.7 * normal(7, 8, PURPOSE_INIT, 9, element)],
  ];

  test.each(KINDS)("%s: element row·cols + col, rounded once; padding +0", (_, kind, value) => {
    const arena = new Arena(core);
    const shapes = [
      [1, 1, 1],
      [5, 3, 3],
      [5, 3, 8],
      [7, 16, 32],
      [0, 3, 4],
    ] as const;
    for (const [rows, cols, pitch] of shapes) {
      const target = arena.reals(rows * pitch);
      core.exports.fill(target.ptr, rows, cols, pitch, kind, -0.3, 0.7, 7, 8, 9);
      const expected = Array.from({ length: rows * pitch }, (_, i) => {
        const col = i % pitch;
        return col < cols ? rnd(value(Math.floor(i / pitch) * cols + col)) : 0;
      });
      expectBits(`[${rows} × ${pitch}]`, target.values, expected);
    }
    arena.check("fill");
  });
});

// ── makeOrder ──────────────────────────────────────────────────────────────────────────────────

describe.each(CORES)("$name: makeOrder", (core) => {
  const arena = new Arena(core);

  /** The order made with these limits, one after the other and again from the first. */
  function orderOf(rows: number, limits: readonly number[], seed: number, epoch: number): number[] {
    arena.clear();
    const order = arena.ints(new Uint32Array(rows).fill(0xdeadbeef));
    let cursor = 0;
    for (let call = 0; cursor < 2 * rows; call++) {
      const limit = limits[call % limits.length] as number;
      const next = core.exports.makeOrder(order.ptr, rows, cursor, limit, seed, 0, epoch);
      expect(next).toBe(Math.min(cursor + limit, 2 * rows));
      cursor = next;
    }
    expect(core.exports.makeOrder(order.ptr, rows, cursor, 5, seed, 0, epoch)).toBe(2 * rows);
    arena.check("makeOrder");
    return [...order.values];
  }

  test("1 to 200 rows: Fisher and Yates from identity, in one call or in many", () => {
    const limits = fc.array(fc.integer({ min: 1, max: 150 }), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 200 }), limits, int32, fc.nat(1000), (rows, steps, seed, epoch) => {
        const expected = Array.from({ length: rows }, (_, i) => i);
        for (let i = rows - 1; i > 0; i--) {
          const j = Math.floor(uniform(seed, 0, PURPOSE_ORDER, epoch, i) * (i + 1));
          [expected[i], expected[j]] = [expected[j] as number, expected[i] as number];
        }
        expect(orderOf(rows, steps, seed, epoch)).toEqual(expected);
        expect(orderOf(rows, [2 ** 31 - 1], seed, epoch)).toEqual(expected);
      }),
      { seed: 2, numRuns: 100 },
    );
  });

  test("shuffle of elements 9…0, whole and in parts: those below `to` stay where no draw meets them", () => {
    for (const cuts of [[0], [5, 0], [8, 7, 6, 2, 0]]) {
      arena.clear();
      const order = arena.ints(Array.from({ length: 10 }, (_, i) => i));
      const expected = [...order.values];
      let from = 9;
      for (const to of cuts) {
        core.exports.shuffle(order.ptr, from, to, 5, 6, 7, 8);
        for (let i = from; i >= to; i--) {
          const j = Math.floor(uniform(5, 6, 7, 8, i) * (i + 1));
          [expected[i], expected[j]] = [expected[j] as number, expected[i] as number];
        }
        expect([...order.values]).toEqual(expected);
        from = to - 1;
      }
      core.exports.shuffle(order.ptr, 3, 4, 5, 6, 7, 8);
      expect([...order.values]).toEqual(expected);
      arena.check("shuffle");
    }
  });

  test("a step that does nothing leaves the cursor", () => {
    const order = arena.ints([9, 9, 9]);
    expect(core.exports.makeOrder(order.ptr, 3, 0, 0, 1, 0, 0)).toBe(0);
    expect([...order.values]).toEqual([9, 9, 9]);
  });
});

test("2400 epochs of 4 rows: each of the 24 orders about 100 times (chi-square, 5 sigma)", () => {
  const arena = new Arena(f64);
  const order = arena.ints([0, 0, 0, 0]);
  const counts = new Map<string, number>();
  for (let epoch = 0; epoch < 2400; epoch++) {
    f64.exports.makeOrder(order.ptr, 4, 0, 8, 3, 0, epoch);
    const key = order.values.join(" ");
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  expect(counts.size).toBe(24);
  const chiSquare = [...counts.values()].reduce((sum, n) => sum + (n - 100) ** 2 / 100, 0);
  expect(Math.abs(chiSquare - 23)).toBeLessThan(5 * Math.sqrt(2 * 23));
});
