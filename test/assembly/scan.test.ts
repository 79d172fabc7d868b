import { describe, expect, test } from "vitest";
import { Arena, CORES, Draws, upTo } from "./cores.ts";

describe.each(CORES)("$name", (core) => {
  const { exports } = core;
  const arena = new Arena(core);

  test("scan finds the first NaN or ±Inf at every place of 1…37 elements, and −1 among finite ones", () => {
    const huge = core.size === 4 ? 3.4e38 : 1.7e308;
    for (const count of upTo(37)) {
      const finite = new Draws(count).numbers(count).map((x, i) => (i % 3 ? x : huge * Math.sign(x)));
      arena.clear();
      const region = arena.reals(finite);
      expect(exports.scan(region.ptr, count)).toBe(-1);
      for (let at = 0; at < count; at++)
        for (const bad of [NaN, Infinity, -Infinity]) {
          region.values.set(finite);
          region.values[at] = bad;
          region.values[count - 1] = at === count - 1 ? bad : NaN;
          expect(exports.scan(region.ptr, count)).toBe(at);
          // What lies past the count is not looked at.
          expect(exports.scan(region.ptr, at)).toBe(-1);
        }
    }
    expect(exports.scan(arena.reals(1).ptr, 0)).toBe(-1);
  });

  test("fingerprint folds word i into word i mod 4 of the state: h ← rotl(h + x·p₂, 13)·p₁, 0…19 words", () => {
    for (let words = 0; words < 20; words++) {
      const draws = new Draws(words);
      const data = Array.from({ length: words }, () => draws.below(2 ** 26) * 64 + draws.below(64));
      const begin = [1, 2, 3, 0xffffffff];
      const expected = [...begin];
      for (const [i, x] of data.entries()) {
        const sum = ((expected[i % 4] as number) + Math.imul(x, 0x85ebca77)) >>> 0;
        expected[i % 4] = Math.imul((sum << 13) | (sum >>> 19), 0x9e3779b1) >>> 0;
      }
      arena.clear();
      const state = arena.ints(begin);
      exports.fingerprint(arena.ints(data).ptr, 4 * words, state.ptr);
      expect([...state.values]).toEqual(expected);
      arena.check(`${words} words`);
    }
  });

  test("fingerprint of pieces of whole 16 bytes is that of the whole, and a changed, moved or missing word changes it", () => {
    const data = Array.from({ length: 23 }, (_, i) => i + 1);
    const of = (words: number[], cut = 0): string => {
      arena.clear();
      const [state, region] = [arena.ints([0, 0, 0, 0]), arena.ints(words)];
      exports.fingerprint(region.ptr, 4 * cut, state.ptr);
      exports.fingerprint(region.ptr + 4 * cut, 4 * (words.length - cut), state.ptr);
      return [...state.values].join(" ");
    };
    expect(of(data, 8)).toBe(of(data));
    const others = [data.slice(1), data.slice(0, -1), data.with(7, 9), data.with(0, 5).with(4, 1), [...data, 0]];
    expect(new Set([data, ...others].map((words) => of(words))).size).toBe(6);
  });

  test("scanFingerprint of 0…21 finite elements is −1 and their fingerprint; a bad one gives its place and no fingerprint", () => {
    for (let count = 0; count < 22; count++) {
      const finite = new Draws(count).numbers(count).map((x, i) => (i % 5 ? x : -0));
      arena.clear();
      const [begin, region] = [[1, 2, 3, 4], arena.reals(finite)];
      const [expected, state] = [arena.ints(begin), arena.ints(begin)];
      exports.fingerprint(region.ptr, count * core.size, expected.ptr);
      expect(exports.scanFingerprint(region.ptr, count, state.ptr)).toBe(-1);
      expect([...state.values]).toEqual([...expected.values]);
      for (let at = 0; at < count; at++)
        for (const bad of [NaN, -NaN, Infinity, -Infinity]) {
          region.values.set(finite);
          region.values[at] = bad;
          region.values[count - 1] = at === count - 1 ? bad : NaN;
          state.values.set(begin);
          expect(exports.scanFingerprint(region.ptr, count, state.ptr)).toBe(at);
          expect([...state.values]).toEqual(begin);
        }
      arena.check(`${count} elements`);
    }
  });

  test("scanFingerprint takes the largest and the smallest numbers of the dtype for finite", () => {
    const [huge, tiny] = core.size === 4 ? [3.4028234663852886e38, 1.401298464324817e-45] : [Number.MAX_VALUE, 5e-324];
    arena.clear();
    const region = arena.reals([huge, -huge, tiny, -tiny, huge, 0, -0, tiny]);
    expect(exports.scanFingerprint(region.ptr, 8, arena.ints([0, 0, 0, 0]).ptr)).toBe(-1);
  });
});
