import { describe, expect, test } from "vitest";
import { readCsv } from "../../src/cli/csv.ts";
import { standardization, targetScale } from "../../src/cli/scaling.ts";
import { classIndicesOf, quantities, targetsOf, taskOf } from "../../src/cli/targets.ts";
import { scratchFolder } from "./recorder.ts";

const { write } = scratchFolder();
const table = (fields: string[]) => readCsv(write("t.csv", `a,y\n${fields.map((y) => `1,${y}`).join("\n")}\n`), ["y"]);
const times = (n: number, fields: string[]) => Array.from({ length: n }, () => fields).flat();

describe("what a target column means", () => {
  test.each<[string, string[], string]>([
    ["text", ["b", "a"], "classification"],
    ["text among numbers", ["1", "2", "x"], "classification"],
    ["20 different integers", Array.from({ length: 20 }, (_, i) => String(i)), "classification"],
    ["integers written 1.0", ["1.0", "2.0"], "classification"],
    ["21 different integers", Array.from({ length: 21 }, (_, i) => String(i)), "regression"],
    ["fractions", ["1", "1.5"], "regression"],
  ])("%s", (_, fields, task) => expect(taskOf(fields)).toBe(task));

  test("text classes are sorted, rows hold their indices", () => {
    const { y, classes, task } = targetsOf(table(times(2, ["red", "Blue", "green"])), "y", "float32");
    expect(task).toBe("classification");
    expect(classes).toEqual(["Blue", "green", "red"]);
    expect(y).toEqual(Int32Array.of(2, 0, 1, 2, 0, 1));
  });

  test("numeric classes are sorted as numbers; 1 and 1.0 are one class", () => {
    const { y, classes } = targetsOf(table(["10", "1", "1.0", "1e0", "2", "10", "2", "1"]), "y", "float32");
    expect(classes).toEqual(["1", "2", "10"]);
    expect(y).toEqual(Int32Array.of(2, 0, 0, 0, 1, 2, 1, 0));
  });

  test("codes keep their spelling: a leading zero, a text or 17 digits among them makes all of them text", () => {
    const classesOf = (...fields: string[]) =>
      targetsOf(table([...fields, ...fields]), "y", "float32", "classification").classes;
    expect(classesOf("007", "7")).toEqual(["007", "7"]);
    expect(classesOf("B7", "1e5", "100000")).toEqual(["100000", "1e5", "B7"]);
    expect(classesOf("9007199254740992", "9007199254740993")).toEqual(["9007199254740992", "9007199254740993"]);
  });

  test("--task regression keeps the numbers, and refuses text", () => {
    expect(targetsOf(table(["1", "2", "1", "2"]), "y", "float32", "regression").y).toEqual(Float64Array.of(1, 2, 1, 2));
    expect(() => targetsOf(table(["1", "x"]), "y", "float32", "regression")).toThrow(
      /line 3, column "y": expected a number, got "x"/,
    );
    expect(targetsOf(table(["1", "2e39"]), "y", "float64", "regression").y).toEqual(Float64Array.of(1, 2e39));
    expect(() => targetsOf(table(["1", "2e39"]), "y", "float32", "regression")).toThrow(
      /line 3, column "y": expected a number that float32 holds.*got 2e\+39/,
    );
  });

  test("one class, and as many classes as rows, are refused", () => {
    expect(() => targetsOf(table(["a", "a"]), "y", "float32")).toThrow(
      /column "y": every row is "a": nothing to learn/,
    );
    expect(() => targetsOf(table(["a", "b", "c"]), "y", "float32")).toThrow(
      /3 different values in 3 rows are too many classes/,
    );
  });

  test("a trained network's classes: other spellings of a number are found, others are not", () => {
    expect(classIndicesOf(table(["2.0", "1"]), "y", ["1", "2"])).toEqual(Int32Array.of(1, 0));
    expect(() => classIndicesOf(table(["setos"]), "y", ["setosa", "other"])).toThrow(
      /line 2, column "y": "setos" is no class of the model; did you mean "setosa"\?/,
    );
    expect(() => quantities(table(["x"]), "y", "float64")).toThrow(/expected a number, got "x"/);
  });
});

describe("scaling", () => {
  test("3 columns over 4 of 5 rows get mean 0 and deviation 1; a constant column gets scale and shift 0", () => {
    const x = Float64Array.of(1, 7, 1e6, 2, 7, 2e6, 3, 7, 3e6, 999, 8, -1, 6, 7, 6e6);
    const rows = Int32Array.of(0, 1, 2, 4);
    const { scale, shift } = standardization(x, 3, rows);
    expect([scale[1], shift[1]]).toEqual([0, 0]);
    for (const j of [0, 2]) {
      const values = Array.from(
        rows,
        (row) => (scale[j] as number) * (x[row * 3 + j] as number) + (shift[j] as number),
      );
      expect(values.reduce((a, b) => a + b) / 4).toBeCloseTo(0, 12);
      expect(values.reduce((a, b) => a + b * b, 0) / 4).toBeCloseTo(1, 12);
    }
  });

  test("equal values are constant even where their mean rounds", () => {
    const x = new Float64Array(10).fill(0.1);
    expect(
      standardization(
        x,
        1,
        Int32Array.from(x, (_, i) => i),
      ),
    ).toEqual({ scale: [0], shift: [0] });
  });

  test("a target: mean and deviation of the given rows; deviation 1 when constant", () => {
    expect(targetScale(Float64Array.of(1, 3, 99), Int32Array.of(0, 1))).toEqual({ mean: 2, deviation: 1 });
    expect(targetScale(Float64Array.of(5, 5), Int32Array.of(0, 1))).toEqual({ mean: 5, deviation: 1 });
  });
});
