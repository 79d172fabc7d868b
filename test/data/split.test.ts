import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { PURPOSE_SPLIT } from "../../src/core/abi.ts";
import { splitIndices, targetClasses, validationCount } from "../../src/data/split.ts";
import { targetSource } from "../../src/data/targets.ts";
import { uniform } from "../../src/js/random.ts";

const counts = (labels: Int32Array, indices: Int32Array) => {
  const found: number[] = [];
  for (const index of indices) {
    const label = labels[index] as number;
    found[label] = (found[label] ?? 0) + 1;
  }
  return found;
};

describe("splitIndices", () => {
  test("over 300 random sizes: two ascending halves of all rows, the right number held back, the same again", () => {
    const cases = fc.record({
      rows: fc.integer({ min: 2, max: 200 }),
      fraction: fc.double({ min: 0.001, max: 0.999, noNaN: true }),
      seed: fc.maxSafeNat(),
      classes: fc.option(fc.integer({ min: 1, max: 5 })),
    });
    fc.assert(
      fc.property(cases, ({ rows, fraction, seed, classes }) => {
        const labels =
          classes === null ? undefined : Int32Array.from({ length: rows }, (_, row) => (row * row) % classes);
        const want = { rows, fraction, seed, ...(labels && { labels }) };
        const { train, validation } = splitIndices(want);
        expect(validation.length).toBe(Math.min(Math.max(Math.round(fraction * rows), 1), rows - 1));
        for (const half of [train, validation]) expect([...half]).toEqual([...half].sort((a, b) => a - b));
        expect([...train, ...validation].sort((a, b) => a - b)).toEqual(Array.from({ length: rows }, (_, row) => row));
        expect(splitIndices(want)).toEqual({ train, validation });
      }),
      { numRuns: 300, seed: 1 },
    );
  });

  test("classes of 50, 30 and 20 rows give 10, 6 and 4 of a fifth, wherever they stand", () => {
    const labels = Int32Array.from({ length: 100 }, (_, row) => (row % 10 < 5 ? 0 : row % 10 < 8 ? 1 : 2));
    for (let seed = 0; seed < 5; seed++) {
      expect(counts(labels, splitIndices({ rows: 100, fraction: 0.2, labels, seed }).validation)).toEqual([10, 6, 4]);
    }
  });

  test("the rows left over go to the largest remainders, the lower class first", () => {
    // 4 of 10 rows; shares 2.0 of 5, 1.2 of 3, 0.8 of 2
    const labels = Int32Array.of(0, 0, 0, 0, 0, 1, 1, 1, 2, 2);
    expect(counts(labels, splitIndices({ rows: 10, fraction: 0.4, labels, seed: 1 }).validation)).toEqual([2, 1, 1]);
    // 1 of 4 rows; shares 0.5 and 0.5
    const tie = Int32Array.of(1, 1, 0, 0);
    expect(counts(tie, splitIndices({ rows: 4, fraction: 0.25, labels: tie, seed: 1 }).validation)).toEqual([1]);
  });

  test("every row is held back about as often as any other: 4000 seeds, 10 rows, 3 held back", () => {
    const hits = new Array<number>(10).fill(0);
    for (let seed = 0; seed < 4000; seed++) {
      for (const row of splitIndices({ rows: 10, fraction: 0.3, seed }).validation) hits[row] = (hits[row] ?? 0) + 1;
    }
    // 1200 expected each, standard deviation 29: five of them
    for (const count of hits) expect(Math.abs(count - 1200)).toBeLessThan(145);
  });

  test("the draws stay what they are: rows held back of 20, by two seeds and of two classes", () => {
    expect([...splitIndices({ rows: 20, fraction: 0.3, seed: 0 }).validation]).toEqual([1, 2, 3, 8, 15, 16]);
    expect([...splitIndices({ rows: 20, fraction: 0.3, seed: 2 ** 32 + 1 }).validation]).toEqual([0, 2, 6, 7, 15, 18]);
    const labels = Int32Array.from({ length: 20 }, (_, row) => row % 2);
    expect([...splitIndices({ rows: 20, fraction: 0.3, labels, seed: 0 }).validation]).toEqual([1, 2, 6, 12, 15, 19]);
  });

  test("held back are the ends of the shuffled classes, the draws those of uniform(seed, split, class, position)", () => {
    const classes = 3;
    const labels = Int32Array.from({ length: 60 }, (_, row) => row % classes);
    const expected: number[] = [];
    for (let group = 0; group < classes; group++) {
      const members = [...labels.keys()].filter((row) => labels[row] === group);
      for (let i = members.length - 1; i > 0; i--) {
        const j = Math.floor(uniform(9, 1, PURPOSE_SPLIT, group, i) * (i + 1));
        [members[i], members[j]] = [members[j] as number, members[i] as number];
      }
      expected.push(...members.slice(-5));
    }
    const { validation } = splitIndices({ rows: 60, fraction: 0.25, labels, seed: 2 ** 32 + 9 });
    expect([...validation]).toEqual(expected.sort((a, b) => a - b));
  });

  test("a larger fraction holds back the same rows and more", () => {
    const small = splitIndices({ rows: 100, fraction: 0.1, seed: 3 }).validation;
    const large = new Set(splitIndices({ rows: 100, fraction: 0.3, seed: 3 }).validation);
    expect([...small].every((row) => large.has(row))).toBe(true);
  });

  test("the high half of the seed matters", () => {
    const draw = (seed: number) => [...splitIndices({ rows: 100, fraction: 0.3, seed }).validation];
    expect(draw(5)).not.toEqual(draw(5 + 2 ** 32));
    expect(draw(5)).not.toEqual(draw(6));
  });

  test("a million rows of ten classes", () => {
    const labels = Int32Array.from({ length: 1_000_000 }, (_, row) => row % 10);
    const { validation } = splitIndices({ rows: 1_000_000, fraction: 0.2, labels, seed: 1 });
    expect(counts(labels, validation)).toEqual(new Array(10).fill(20_000));
  });
});

test.each([
  [0.5, 2, 1],
  [0.001, 10, 1],
  [0.999, 10, 9],
  [0.25, 10, 3],
  [0.2, 1797, 359],
])("a fraction of %d of %d rows is %d", (fraction, rows, count) => {
  expect(validationCount(fraction, rows)).toBe(count);
});

describe("targetClasses", () => {
  test("class indices, one-hot rows and a column of 0 and 1 are classes", () => {
    const classes = targetSource([2, 0], "y", { rows: 2, outputs: 3, loss: "crossEntropy" });
    expect(targetClasses(classes, "crossEntropy")).toEqual(Int32Array.of(2, 0));
    const rows = targetSource(
      [
        [0, 1, 0],
        [0.4, 0.2, 0.4],
      ],
      "y",
      { rows: 2, outputs: 3, loss: "crossEntropy" },
    );
    expect(targetClasses(rows, "crossEntropy")).toEqual(Int32Array.of(1, 0));
    const column = targetSource([0, 1, 0.5], "y", { rows: 3, outputs: 1, loss: "binaryCrossEntropy" });
    expect(targetClasses(column, "binaryCrossEntropy")).toEqual(Int32Array.of(0, 1, 1));
  });

  test("several labels per row, and real targets, are not", () => {
    const rows = targetSource([[0, 1]], "y", { rows: 1, outputs: 2, loss: "binaryCrossEntropy" });
    expect(targetClasses(rows, "binaryCrossEntropy")).toBeUndefined();
    const reals = targetSource([0, 1], "y", { rows: 2, outputs: 1, loss: "squaredError" });
    expect(targetClasses(reals, "squaredError")).toBeUndefined();
  });
});
