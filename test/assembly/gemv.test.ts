import { describe, expect, test } from "vitest";
import { Arena, CORES, Draws, expectBits, rounding, type TestCore, upTo } from "./cores.ts";

interface Sizes {
  readonly nOut: number;
  readonly nIn: number;
  readonly pitch: number;
  readonly special: boolean;
}

const roundUp = (n: number, multiple: number): number => Math.ceil(n / multiple) * multiple;
const show = ({ nOut, nIn, pitch }: Sizes): string => `nOut ${nOut}, nIn ${nIn}, pitch ${pitch}`;

/** Rows up to two groups of four vectors and one; columns up to two tiles and one; primes near 100; a 1024-byte pitch. */
function* allSizes(core: TestCore): Generator<Sizes> {
  const tileCols = 32 / core.size;
  const wide = 1088 / core.size;
  for (const nOut of upTo(128 / core.size + 1))
    for (const nIn of upTo(2 * tileCols + 1)) yield { nOut, nIn, pitch: roundUp(nIn, tileCols), special: nIn === 7 };
  for (const special of [false, true])
    for (const [nOut, nIn] of [
      [97, 101],
      [103, 97],
      [1, 101],
      [101, 1],
      [13, wide - 64 / core.size],
    ] as const)
      yield { nOut, nIn, pitch: wide, special };
}

describe.each(CORES)("$name", (core) => {
  const { exports } = core;
  const rnd = rounding(core);
  const arena = new Arena(core);
  const tileCols = 32 / core.size;

  /** Operands as the kernels want them: W and a with +0 past nIn. */
  function operands({ nOut, nIn, pitch, special }: Sizes) {
    const draws = new Draws(nOut * 1000 + nIn);
    const fill = (count: number) => (special ? draws.special(count, core.size) : draws.numbers(count)).map(rnd);
    const columns = roundUp(nIn, tileCols);
    return {
      W: fill(nOut * pitch).map((w, at) => (at % pitch < nIn ? w : 0)),
      a: fill(columns).map((x, i) => (i < nIn ? x : 0)),
      b: fill(nOut),
      delta: fill(nOut),
      columns,
    };
  }

  test("forwardVector is b + Σ W·a term by term, and has the bits of forwardPanels at every place of a batch", () => {
    let turn = 0;
    for (const sizes of allSizes(core)) {
      const { nOut, nIn, pitch } = sizes;
      const { W, a, b } = operands(sizes);
      for (const bias of [true, false]) {
        const what = show(sizes);
        const expected = b.map((start, o) => {
          let sum = bias ? start : 0;
          for (let i = 0; i < nIn; i++) sum = rnd(sum + rnd((W[o * pitch + i] as number) * (a[i] as number)));
          return sum;
        });
        arena.clear();
        const [z, rows, start] = [arena.reals(nOut), arena.reals(W), bias ? arena.reals(b).ptr : 0];
        exports.forwardVector(z.ptr, arena.reals(a.slice(0, nIn)).ptr, rows.ptr, start, nOut, nIn, pitch, 0, nOut);
        expectBits(what, z.values, expected);

        // The same row as sample `place` of two panels whose other samples are NaN.
        const place = turn++ % 16;
        const panels = Array<number>(2 * nIn * 8).fill(NaN);
        for (let i = 0; i < nIn; i++) panels[((place >> 3) * nIn + i) * 8 + (place & 7)] = a[i] as number;
        const zPanels = arena.reals(2 * nOut * 8);
        const from = arena.reals(panels);
        exports.forwardPanels(zPanels.ptr, from.ptr, rows.ptr, start, nOut, nIn, pitch, 2, 0, nOut, false);
        const column = expected.map((_, o) => zPanels.values[((place >> 3) * nOut + o) * 8 + (place & 7)] as number);
        expectBits(`${what}, sample ${place}`, column, expected);
        arena.check(what);
      }
    }
    expect(turn).toBeGreaterThan(300);
  });

  test("forwardVector computes the rows of its range alone", () => {
    const sizes = { nOut: 41, nIn: 19, pitch: 24, special: false };
    const { W, a, b } = operands(sizes);
    arena.clear();
    const [whole, parts] = [arena.reals(41), arena.reals(41)];
    const regions = [arena.reals(a).ptr, arena.reals(W).ptr, arena.reals(b).ptr, 41, 19, 24] as const;
    exports.forwardVector(whole.ptr, ...regions, 0, 41);
    exports.forwardVector(parts.ptr, ...regions, 8, 24);
    expectBits("inside", parts.values.subarray(8, 24), whole.values.slice(8, 24));
    expectBits("outside", [...parts.values.subarray(0, 8), ...parts.values.subarray(24)], Array(25).fill(NaN));
    exports.forwardVector(parts.ptr, ...regions, 0, 8);
    exports.forwardVector(parts.ptr, ...regions, 24, 41);
    expectBits("all", parts.values, whole.values);
  });

  test("deltaVector is Σ Wᵀ·delta term by term with padding +0; deltaVectorUpdate reads each weight before it changes it", () => {
    const eta = rnd(0.3);
    for (const sizes of allSizes(core)) {
      const { nOut, nIn, pitch, special } = sizes;
      const { W, a, delta, columns } = operands(sizes);
      const what = show(sizes);
      const expected = Array.from({ length: columns }, (_, i) => {
        let sum = 0;
        for (let o = 0; o < nOut; o++) sum = rnd(sum + rnd((W[o * pitch + i] as number) * (delta[o] as number)));
        return sum;
      });
      arena.clear();
      const [dst, again, rows] = [arena.reals(columns), arena.reals(columns), arena.reals(W)];
      const [errors, from] = [arena.reals(delta), arena.reals(a)];
      exports.deltaVector(dst.ptr, errors.ptr, rows.ptr, nOut, nIn, pitch);
      expectBits(what, dst.values.subarray(0, nIn), expected.slice(0, nIn));
      if (!special) expectBits(`${what}, padding`, dst.values.subarray(nIn), Array(columns - nIn).fill(0));
      expectBits(`${what}, W`, rows.values, W);

      exports.deltaVectorUpdate(again.ptr, errors.ptr, rows.ptr, from.ptr, eta, nOut, nIn, pitch);
      expectBits(`${what}, with update`, again.values.subarray(0, nIn), expected.slice(0, nIn));
      expectUpdated(sizes, rows.values, W, delta, a, eta);
      arena.check(what);
    }
  });

  /** W − rnd(η·(+0 + rnd(delta·a))); +0 in the padding, except where an infinite delta makes it NaN. */
  function expectUpdated(
    sizes: Sizes,
    got: ArrayLike<number>,
    W: number[],
    delta: number[],
    a: number[],
    eta: number,
  ): void {
    const { nIn, pitch, special } = sizes;
    for (let at = 0; at < W.length; at++) {
      const [o, i] = [Math.floor(at / pitch), at % pitch];
      const gradient = 0 + rnd((delta[o] as number) * (a[i] ?? 0));
      const expected = i < nIn ? rnd((W[at] as number) - rnd(eta * gradient)) : 0;
      if (i < nIn || !special) expectBits(`${show(sizes)} at [${o}][${i}]`, [got[at] as number], [expected]);
    }
  }

  test("updateVector and gradientVector are W − rnd(η·delta·aᵀ) and delta·aᵀ, each gradient +0 + rnd(delta·a)", () => {
    const eta = rnd(0.3);
    for (const sizes of allSizes(core)) {
      const { nOut, nIn, pitch, special } = sizes;
      const { W, a, delta, columns } = operands(sizes);
      arena.clear();
      const [rows, dW] = [arena.reals(W), arena.reals(nOut * pitch)];
      const [errors, from] = [arena.reals(delta), arena.reals(a)];
      exports.updateVector(rows.ptr, errors.ptr, from.ptr, eta, nOut, nIn, pitch);
      expectUpdated(sizes, rows.values, W, delta, a, eta);
      exports.gradientVector(dW.ptr, errors.ptr, from.ptr, nOut, nIn, pitch);
      for (let at = 0; at < W.length; at++) {
        const [o, i] = [Math.floor(at / pitch), at % pitch];
        const expected = i < columns ? 0 + rnd((delta[o] as number) * (a[i] as number)) : NaN;
        if (i < nIn || !special) expectBits(`${show(sizes)} at [${o}][${i}]`, [dW.values[at] as number], [expected]);
      }
      arena.check(show(sizes));
    }
  });

  test("the gradient and the descent of one sample have the same bits in panels, nOut 13 × nIn 11", () => {
    const [nOut, nIn, pitch] = [13, 11, 16];
    const { W, a, delta } = operands({ nOut, nIn, pitch, special: false });
    delta[3] = -0;
    a[2] = -0;
    W[3 * pitch + 2] = -0;
    const tiles = (values: number[], count: number, width: number) =>
      Array.from({ length: roundUp(count, width) }, (_, at) => (at < count ? (values[at] as number) : 0));
    arena.clear();
    const rowsOfEight = delta.flatMap((value) => [value, ...Array<number>(7).fill(NaN)]);
    const [packD, packA] = [arena.reals(rowsOfEight), arena.reals(tiles(a, nIn, tileCols))];
    const [errors, from] = [arena.reals(delta), arena.reals(a)];
    const [dW, dWPanels, rows, rowsPanels] = [arena.reals(W), arena.reals(W), arena.reals(W), arena.reals(W)];
    exports.gradientVector(dW.ptr, errors.ptr, from.ptr, nOut, nIn, pitch);
    exports.gradientPanels(dWPanels.ptr, packD.ptr, packA.ptr, nOut, nIn, pitch, 1, false, 0, nOut);
    expectBits("gradient", dW.values, dWPanels.values);
    exports.updateVector(rows.ptr, errors.ptr, from.ptr, 0.25, nOut, nIn, pitch);
    exports.gradientPanelsUpdate(rowsPanels.ptr, 0.25, packD.ptr, packA.ptr, nOut, nIn, pitch, 1, 0, nOut);
    expectBits("descent", rows.values, rowsPanels.values);
  });
});
