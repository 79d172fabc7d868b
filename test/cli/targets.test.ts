import { describe, expect, test } from "vitest";
import { readCsv } from "../../src/cli/csv.ts";
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
