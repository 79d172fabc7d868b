import { describe, expect, test } from "vitest";
import { PACK_COLUMNS, PACK_DEPTH } from "../../src/core/abi.ts";
import { Arena, CORES, Draws, expectBits, type Region, rounding, type TestCore, upTo } from "./cores.ts";

/** Sizes of one product: dW [m × n] and its like, k the contracted index, the elements between rows of W. */
interface Sizes {
  readonly nOut: number;
  readonly nIn: number;
  /** Samples. */
  readonly n: number;
  readonly pitch: number;
}

/** Columns of a tile: rows of W are padded to whole ones. */
const tileCols = (core: TestCore): number => 32 / core.size;
const roundUp = (n: number, multiple: number): number => Math.ceil(n / multiple) * multiple;
const show = ({ nOut, nIn, n, pitch }: Sizes): string => `nOut ${nOut}, nIn ${nIn}, n ${n}, pitch ${pitch}`;

type Fill = (count: number, core: TestCore, seed: number) => number[];
const ordinary: Fill = (count, _, seed) => new Draws(seed).numbers(count);
const special: Fill = (count, core, seed) => new Draws(seed).special(count, core.size);

/** W [nOut × pitch] with +0 past nIn. */
function weights(core: TestCore, { nOut, nIn, pitch }: Sizes, fill: Fill, seed: number): number[] {
  return fill(nOut * pitch, core, seed).map((w, at) => (at % pitch < nIn ? w : 0));
}

/** Every size up to two tiles and one: rows 9, columns 17 (f32) or 9 (f64), two panels and one sample. */
function* smallSizes(core: TestCore): Generator<Sizes> {
  const columns = 2 * tileCols(core) + 1;
  for (const nOut of upTo(9))
    for (const nIn of upTo(columns))
      for (const n of upTo(17)) yield { nOut, nIn, n, pitch: roundUp(nIn, tileCols(core)) };
}

/** Primes near 100; a pitch of 1024 bytes and 64 more, as rows of a multiple of 1024 bytes get. */
function* largeSizes(core: TestCore): Generator<Sizes> {
  const pitch = 1088 / core.size;
  for (const [nOut, nIn, n] of [
    [97, 101, 103],
    [101, 103, 64],
    [103, 97, 8],
    [1, 107, 1],
    [107, 1, 71],
  ] as const) {
    yield { nOut, nIn, n, pitch };
  }
  yield { nOut: 5, nIn: pitch - 64 / core.size, n: 67, pitch };
  // Rows that do not stay in the first cache: deltaPanels copies their columns, in three groups.
  yield { nOut: 131, nIn: 11, n: 17, pitch };
}

function* allSizes(core: TestCore): Generator<[Sizes, Fill]> {
  for (const sizes of smallSizes(core)) yield [sizes, ordinary];
  for (const sizes of largeSizes(core)) yield [sizes, ordinary];
  for (const sizes of largeSizes(core)) yield [sizes, special];
  // Few terms, so that sums of −0 and subnormals alone occur too.
  for (const sizes of smallSizes(core)) if (sizes.nIn <= 3 || sizes.nOut * sizes.n <= 9) yield [sizes, special];
}

/** Calls `kernel` with the whole range, or for every second size in two parts that meet at a tile. */
function inParts(rows: number, turn: number, kernel: (begin: number, end: number) => void): void {
  const cut = turn % 2 === 0 || rows <= 4 ? 0 : 4 * (1 + (turn % Math.floor((rows - 1) / 4)));
  kernel(cut, rows);
  if (cut > 0) kernel(0, cut);
}

/** [⌈rows/width⌉][n][width] of value(row, sample), +0 past rows. */
function packed(rows: number, n: number, width: number, value: (row: number, sample: number) => number): number[] {
  const tiles = Math.ceil(rows / width);
  return Array.from({ length: tiles * n * width }, (_, at) => {
    const row = Math.floor(at / (n * width)) * width + (at % width);
    return row < rows ? value(row, Math.floor(at / width) % n) : 0;
  });
}

/** [rows][roundUp(n, 8)] of value(row, sample), NaN past n: no kernel may read it. */
function packedRows(rows: number, n: number, value: (row: number, sample: number) => number): number[] {
  const length = Math.ceil(n / 8) * 8;
  return Array.from({ length: rows * length }, (_, at) =>
    at % length < n ? value(Math.floor(at / length), at % length) : NaN,
  );
}

describe.each(CORES)("$name", (core) => {
  const { exports } = core;
  const rnd = rounding(core);
  const arena = new Arena(core);
  const toReals = (values: number[]): number[] => values.map(rnd);
  const minNormal = core.size === 4 ? 2 ** -126 : 2 ** -1022;
  /** d·relu′ where the relu gave a, below normal +0. */
  const slope = (d: number, a: number): number => (a > 0 && !(Math.abs(d) < minNormal) ? d : 0);

  test("forwardPanels is b + Σ W·a term by term, or its relu, nOut 1…9 × nIn 1…17 × 1…3 panels and near 100", () => {
    let runs = 0;
    for (const [sizes, fill] of allSizes(core)) {
      if (sizes.n <= 17 && sizes.n % 8 !== 1) continue;
      const { nOut, nIn, pitch } = sizes;
      const panels = Math.ceil(sizes.n / 8);
      const W = toReals(weights(core, sizes, fill, 1));
      const a = toReals(fill(panels * nIn * 8, core, 2));
      const b = toReals(fill(nOut, core, 3));
      for (const [bias, rectify] of [
        [true, false],
        [false, false],
        [true, true],
      ] as const) {
        arena.clear();
        const z = arena.reals(panels * nOut * 8);
        const regions = [arena.reals(a).ptr, arena.reals(W).ptr, bias ? arena.reals(b).ptr : 0] as const;
        inParts(nOut, runs++, (begin, end) =>
          exports.forwardPanels(z.ptr, ...regions, nOut, nIn, pitch, panels, begin, end, rectify),
        );
        const expected = Array.from(z.values, (_, at) => {
          const [p, o, s] = [Math.floor(at / (nOut * 8)), Math.floor(at / 8) % nOut, at % 8];
          let sum = bias ? (b[o] as number) : 0;
          for (let i = 0; i < nIn; i++)
            sum = rnd(sum + rnd((W[o * pitch + i] as number) * (a[(p * nIn + i) * 8 + s] as number)));
          return rectify && sum < 0 ? 0 : sum;
        });
        expectBits(show(sizes), z.values, expected);
        arena.check(show(sizes));
      }
    }
    expect(runs).toBeGreaterThan(400);
  });

  test("deltaPanels is Σ Wᵀ·delta term by term, also ∘ relu′, nOut 1…9 × nIn 1…17 × 1…3 panels, 8 and more panels, near 100", () => {
    let runs = 0;
    for (const [sizes, fill] of allSizes(core)) {
      if (sizes.n <= 17 && sizes.n % 8 !== 1) continue;
      const { nOut, nIn, pitch } = sizes;
      const panels = Math.ceil(sizes.n / 8);
      const W = toReals(weights(core, sizes, fill, 4));
      const delta = toReals(fill(panels * nOut * 8, core, 5));
      arena.clear();
      const dst = arena.reals(panels * nIn * 8);
      const regions = [
        arena.reals(delta).ptr,
        arena.reals(W).ptr,
        arena.reals(PACK_COLUMNS * Math.min(roundUp(nOut, 4), PACK_DEPTH)).ptr,
      ] as const;
      // Every second time times the derivative of a relu.
      const a = toReals(fill(panels * nIn * 8, core, 13));
      const relu = runs % 4 < 2 ? arena.reals(a).ptr : 0;
      inParts(nIn, runs++, (begin, end) =>
        exports.deltaPanels(dst.ptr, ...regions, nOut, nIn, pitch, panels, begin, end, relu),
      );
      const expected = Array.from(dst.values, (_, at) => {
        const [p, i, s] = [Math.floor(at / (nIn * 8)), Math.floor(at / 8) % nIn, at % 8];
        let sum = 0;
        for (let o = 0; o < nOut; o++)
          sum = rnd(sum + rnd((W[o * pitch + i] as number) * (delta[(p * nOut + o) * 8 + s] as number)));
        return relu > 0 ? slope(sum, a[at] as number) : sum;
      });
      expectBits(show(sizes), dst.values, expected);
      arena.check(show(sizes));
    }
    expect(runs).toBeGreaterThan(200);
  });

  test("deltaPanels continues its sums where it contracts many units in parts, nOut 1024…1541 × nIn 1…7 × 2 panels", () => {
    // f64 goes by parts from half as many units on; the numbers are those of f32 and f64 alike.
    for (const [nOut, nIn] of [
      [1024, 4],
      [1025, 1],
      [1029, 2],
      [1536, 3],
      [1541, 7],
    ] as const) {
      const pitch = Math.ceil(nIn / tileCols(core)) * tileCols(core);
      const draws = new Draws(nOut);
      const W = draws.numbers(nOut * pitch).map(rnd);
      const delta = draws.numbers(2 * nOut * 8).map(rnd);
      arena.clear();
      const dst = arena.reals(2 * nIn * 8);
      const pack = arena.reals(PACK_COLUMNS * Math.min(roundUp(nOut, 4), PACK_DEPTH)).ptr;
      const a = draws.numbers(2 * nIn * 8).map(rnd);
      const relu = nOut % 2 === 1 ? arena.reals(a).ptr : 0;
      exports.deltaPanels(dst.ptr, arena.reals(delta).ptr, arena.reals(W).ptr, pack, nOut, nIn, pitch, 2, 0, nIn, relu);
      const expected = Array.from(dst.values, (_, at) => {
        const [p, i, s] = [Math.floor(at / (nIn * 8)), Math.floor(at / 8) % nIn, at % 8];
        let sum = 0;
        for (let o = 0; o < nOut; o++)
          sum = rnd(sum + rnd((W[o * pitch + i] as number) * (delta[(p * nOut + o) * 8 + s] as number)));
        return relu > 0 ? slope(sum, a[at] as number) : sum;
      });
      expectBits(`nOut ${nOut}, nIn ${nIn}`, dst.values, expected);
      arena.check(`nOut ${nOut}, nIn ${nIn}`);
    }
  });

  /** Operands of a weight gradient and its three-line loop, which goes on from `start`. */
  function gradientCase(sizes: Sizes, fill: Fill) {
    const { nOut, nIn, n, pitch } = sizes;
    const delta = toReals(fill(nOut * n, core, 6));
    const a = toReals(fill(nIn * n, core, 7));
    const packD = packedRows(nOut, n, (o, s) => delta[o * n + s] as number);
    const packA = packed(nIn, n, tileCols(core), (i, s) => a[i * n + s] as number);
    const dW = (start: (at: number) => number): Map<number, number> => {
      const result = new Map<number, number>();
      for (let o = 0; o < nOut; o++)
        for (let i = 0; i < nIn; i++) {
          let sum = start(o * pitch + i);
          for (let s = 0; s < n; s++) sum = rnd(sum + rnd((delta[o * n + s] as number) * (a[i * n + s] as number)));
          result.set(o * pitch + i, sum);
        }
      return result;
    };
    return { packD, packA, dW };
  }

  /** dW as it must stand after the kernel: sums, +0 in the padding of the last tile, the rest untouched. */
  function expectRows(
    sizes: Sizes,
    got: Region,
    before: ArrayLike<number>,
    sums: Map<number, number>,
    finite: boolean,
  ): void {
    const { nIn, pitch } = sizes;
    for (let at = 0; at < got.values.length; at++) {
      const column = at % pitch;
      const isPadding = column >= nIn && column < roundUp(nIn, tileCols(core));
      // Where an operand is infinite the padding is ∞·0; it is never read for a result.
      if (isPadding && !finite) continue;
      const expected = column < nIn ? (sums.get(at) as number) : isPadding ? 0 : (before[at] as number);
      expectBits(`${show(sizes)} at ${at}`, [got.values[at] as number], [expected]);
    }
  }

  test("gradientPanels is Σ delta·a over the samples, all of nOut 1…9 × nIn 1…17 × n 1…17 and near 100", () => {
    let runs = 0;
    for (const [sizes, fill] of allSizes(core)) {
      const { nOut, nIn, n, pitch } = sizes;
      const { packD, packA, dW } = gradientCase(sizes, fill);
      arena.clear();
      const got = arena.reals(nOut * pitch);
      const regions = [arena.reals(packD).ptr, arena.reals(packA).ptr] as const;
      inParts(nOut, runs++, (begin, end) =>
        exports.gradientPanels(got.ptr, ...regions, nOut, nIn, pitch, n, false, begin, end),
      );
      expectRows(
        sizes,
        got,
        Array(nOut * pitch).fill(NaN),
        dW(() => 0),
        fill === ordinary,
      );
      arena.check(show(sizes));
    }
    expect(runs).toBeGreaterThan(1300);
  });

  test("gradientPanels with `add` goes on from what is there: two blocks give the bits of one", () => {
    for (const [sizes, fill] of allSizes(core)) {
      const { nOut, nIn, n, pitch } = sizes;
      if (n % 3 !== 0) continue;
      const { packD, packA, dW } = gradientCase(sizes, fill);
      const before = weights(core, sizes, fill, 8).map(rnd);
      arena.clear();
      const got = arena.reals(before);
      const regions = [arena.reals(packD).ptr, arena.reals(packA).ptr] as const;
      exports.gradientPanels(got.ptr, ...regions, nOut, nIn, pitch, n, true, 0, nOut);
      expectRows(
        sizes,
        got,
        before,
        dW((at) => before[at] as number),
        fill === ordinary,
      );
      arena.check(show(sizes));
    }
  });

  test("gradientPanelsUpdate is W − rnd(η·dW)", () => {
    const eta = rnd(0.1);
    let runs = 0;
    for (const [sizes, fill] of allSizes(core)) {
      const { nOut, nIn, n, pitch } = sizes;
      if (n <= 17 && n % 2 !== 0) continue;
      const { packD, packA, dW } = gradientCase(sizes, fill);
      const W = toReals(weights(core, sizes, fill, 9));
      arena.clear();
      const got = arena.reals(W);
      const regions = [arena.reals(packD).ptr, arena.reals(packA).ptr] as const;
      inParts(nOut, runs++, (begin, end) =>
        exports.gradientPanelsUpdate(got.ptr, eta, ...regions, nOut, nIn, pitch, n, begin, end),
      );
      const sums = dW(() => 0);
      for (const [at, sum] of sums) sums.set(at, rnd((W[at] as number) - rnd(eta * sum)));
      expectRows(sizes, got, W, sums, fill === ordinary);
      arena.check(show(sizes));
    }
    expect(runs).toBeGreaterThan(500);
  });

  test("biasGradient is Σ delta over the samples, nOut 1…9 × n 1…17 and near 100, padding +0", () => {
    for (const fill of [ordinary, special])
      for (const nOut of [...upTo(9), 97])
        for (const n of [...upTo(17), 103])
          for (const add of [false, true]) {
            const delta = toReals(fill(nOut * n, core, 11));
            const before = toReals(fill(roundUp(nOut, 4), core, 12)).map((x, o) => (o < nOut ? x : 0));
            arena.clear();
            const db = arena.reals(add ? before : roundUp(nOut, 4));
            const packD = arena.reals(packedRows(nOut, n, (o, s) => delta[o * n + s] as number));
            exports.biasGradient(db.ptr, packD.ptr, n, add, 0, nOut);
            const expected = Array.from(db.values, (_, o) => {
              let sum = add ? (before[o] as number) : 0;
              for (let s = 0; s < n && o < nOut; s++) sum = rnd(sum + (delta[o * n + s] as number));
              return o < nOut ? sum : 0;
            });
            expectBits(`nOut ${nOut}, n ${n}`, db.values, expected);
            arena.check(`nOut ${nOut}, n ${n}`);
          }
  });
});
