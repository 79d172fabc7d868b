import { describe, expect, test } from "vitest";
import { checkTargets, nonFiniteError, targetSource } from "../../src/data/targets.ts";
import type { LossName } from "../../src/options/loss.ts";

const want = (rows: number, outputs: number, loss: LossName) => ({ rows, outputs, loss });

function refuses(
  y: unknown,
  wanted: ReturnType<typeof want>,
  kind: typeof TypeError | typeof RangeError,
  message: string,
) {
  const look = () => {
    const targets = targetSource(y, "y", wanted);
    if (targets.kind === "class") targets.copyTo(new Int32Array(wanted.rows), 0, wanted.rows);
    else targets.source.copyTo(new Float64Array(wanted.rows * wanted.outputs), 0, wanted.rows);
  };
  expect(look).toThrow(new kind(message));
  expect(look).toThrow(kind);
}

describe("targetSource", () => {
  test.each([
    ["an array", [2, 0, 1]],
    ["a Uint8Array", new Uint8Array([2, 0, 1])],
    ["an Int32Array", new Int32Array([2, 0, 1])],
    ["a Uint32Array", new Uint32Array([2, 0, 1])],
    ["a Float64Array", new Float64Array([2, -0, 1])],
    ["an array-like object", { length: 3, 0: 2, 1: 0, 2: 1 }],
  ])("crossEntropy takes class indices in %s", (_, y) => {
    const targets = targetSource(y, "y", want(3, 3, "crossEntropy"));
    if (targets.kind !== "class") throw new Error("expected class indices");
    const copy = new Int32Array(4).fill(-9);
    targets.copyTo(copy, 0, 3);
    expect([...copy]).toEqual([2, 0, 1, -9]);
    targets.copyTo(copy, 2, 3);
    expect([...copy]).toEqual([1, 0, 1, -9]);
  });

  test("crossEntropy takes rows too", () => {
    const targets = targetSource(
      [
        [0, 1],
        [0.5, 0.5],
      ],
      "y",
      want(2, 2, "crossEntropy"),
    );
    if (targets.kind !== "dense") throw new Error("expected rows");
    const copy = new Float64Array(4);
    targets.source.copyTo(copy, 0, 2);
    expect([...copy]).toEqual([0, 1, 0.5, 0.5]);
  });

  test.each([
    ["a flat array", [5, 6, 7]],
    ["a flat typed array", new Float32Array([5, 6, 7])],
    ["rows of 1", [[5], [6], [7]]],
    ["a Matrix of 1 column", { data: new Float64Array([5, 6, 7]), shape: [3, 1] }],
  ])("one output takes its column as %s", (_, y) => {
    const targets = targetSource(y, "y", want(3, 1, "squaredError"));
    if (targets.kind !== "dense") throw new Error("expected a column");
    const copy = new Float32Array(4).fill(-9);
    targets.source.copyTo(copy, 1, 3);
    expect([...copy]).toEqual([6, 7, -9, -9]);
    targets.source.copyRows(copy, [2, 0, 1]);
    expect([...copy]).toEqual([7, 5, 6, -9]);
    expect(targets.source.valueAt(2, 0)).toBe(7);
  });

  test("class indices out of range or of another kind, with their row", () => {
    const ten = want(3, 10, "crossEntropy");
    refuses([0, 10, 1], ten, RangeError, "y: expected a class index from 0 to 9, got 10 in row 1");
    refuses([0, 1, -1], ten, RangeError, "y: expected a class index from 0 to 9, got -1 in row 2");
    refuses([0.5, 1, 1], ten, RangeError, "y: expected a class index from 0 to 9, got 0.5 in row 0");
    refuses([NaN, 1, 1], ten, RangeError, "y: expected a class index from 0 to 9, got NaN in row 0");
    refuses(["cat", 1, 1], ten, TypeError, "y: expected a class index from 0 to 9, got 'cat' in row 0");
    refuses([0, 1, null], ten, TypeError, "y: expected a class index from 0 to 9, got null in row 2");
    refuses(Int32Array.of(0, 10, 1), ten, RangeError, "y: expected a class index from 0 to 9, got 10 in row 1");
    refuses(Int8Array.of(0, 1, -1), ten, RangeError, "y: expected a class index from 0 to 9, got -1 in row 2");
    refuses(
      Uint32Array.of(0, 2 ** 32 - 1, 1),
      ten,
      RangeError,
      "y: expected a class index from 0 to 9, got 4294967295 in row 1",
    );
    refuses(Float32Array.of(0.5, 1, 1), ten, RangeError, "y: expected a class index from 0 to 9, got 0.5 in row 0");
    refuses(
      BigInt64Array.of(0n, 1n, 1n),
      ten,
      TypeError,
      "y: expected a class index from 0 to 9, got a bigint in row 0",
    );
  });

  test("another number of rows than x", () => {
    refuses([0, 1], want(3, 10, "crossEntropy"), RangeError, "y: expected 3 rows as in x, got 2");
    refuses([[1], [2]], want(3, 1, "squaredError"), RangeError, "y: expected 3 rows as in x, got 2");
    refuses([1, 2], want(3, 1, "squaredError"), RangeError, "y: expected 3 rows as in x, got 2");
  });

  test("forms that do not go with the loss, with the fix", () => {
    refuses(
      [1, 2, 3],
      want(3, 2, "squaredError"),
      TypeError,
      "y: expected rows of 2 values, got a flat array of 3 elements; class indices go with the loss crossEntropy, a flat column with one output",
    );
    refuses(
      new Array(20).fill(0),
      want(2, 10, "crossEntropy"),
      RangeError,
      "y: expected 2 class indices or rows of 10 values, got a flat array of 20 numbers; pass { data, shape: [2, 10] }",
    );
    const column =
      "y: expected class indices or rows of 10 values, got rows of 1 value; pass class indices as a flat array";
    refuses([[1], [2]], want(2, 10, "crossEntropy"), RangeError, column);
    refuses({ data: new Float32Array(2), shape: [2, 1] }, want(2, 10, "crossEntropy"), RangeError, column);
    refuses([[1, 2]], want(1, 3, "meanSquaredError"), RangeError, "y: expected rows of 3 values, got 2 in row 0");
  });

  test("other kinds", () => {
    refuses(undefined, want(2, 2, "squaredError"), TypeError, "y: expected rows of 2 values, got undefined");
    refuses(5, want(2, 2, "crossEntropy"), TypeError, "y: expected rows of 2 values, got 5");
    refuses([], want(2, 2, "crossEntropy"), RangeError, "y: expected at least one row of 2 values, got none");
    refuses(["1", "2"], want(2, 1, "squaredError"), TypeError, "y: expected a number, got '1' in row 0, column 0");
  });
});

describe("checkTargets", () => {
  const check = (
    values: number[],
    cols: number,
    loss: LossName,
    dtype: "float32" | "float64" = "float64",
    firstRow = 0,
  ) => {
    const array = dtype === "float32" ? Float32Array.from(values) : Float64Array.from(values);
    return () => checkTargets(array, values.length / cols, cols, loss, dtype, "y", firstRow);
  };

  test("crossEntropy: rows ≥ 0 that sum to 1 within 1e-5 in float32, 1e-9 in float64", () => {
    expect(check([0, 1, 0.25, 0.75], 2, "crossEntropy")).not.toThrow();
    expect(check([0.1, 0.2, 0.7], 3, "crossEntropy", "float32")).not.toThrow();
    expect(check([0.5, 0.5 + 9e-6], 2, "crossEntropy", "float32")).not.toThrow();
    expect(check([0.5, 0.5 + 2e-5], 2, "crossEntropy", "float32")).toThrow(RangeError);
    expect(check([0.5, 0.5 + 9e-10], 2, "crossEntropy")).not.toThrow();
    expect(check([0.5, 0.5 + 2e-9], 2, "crossEntropy")).toThrow(RangeError);
    expect(check([0, 1, 0.5, 0.25], 2, "crossEntropy")).toThrow(
      new RangeError("y: expected probabilities that sum to 1 (within 1e-9), got a sum of 0.75 in row 1"),
    );
    expect(check([0, 1, 1.5, -0.5], 2, "crossEntropy", "float64", 100)).toThrow(
      new RangeError("y: expected a probability ≥ 0, got -0.5 in row 101, column 1"),
    );
    expect(check([NaN, 1], 2, "crossEntropy")).toThrow(RangeError);
  });

  test("binaryCrossEntropy: values in [0, 1]", () => {
    expect(check([0, 1, 0.5, -0], 2, "binaryCrossEntropy")).not.toThrow();
    expect(check([0, 1, 1.5, 0], 2, "binaryCrossEntropy", "float32", 7)).toThrow(
      new RangeError("y: expected a value from 0 to 1, got 1.5 in row 8, column 0"),
    );
    expect(check([0, -1], 1, "binaryCrossEntropy")).toThrow(
      new RangeError("y: expected a value from 0 to 1, got -1 in row 1, column 0"),
    );
    expect(check([NaN], 1, "binaryCrossEntropy")).toThrow(RangeError);
  });

  test("the squared errors take anything, and rows behind the window are not read", () => {
    expect(check([-5, 1e30], 1, "squaredError")).not.toThrow();
    expect(check([-5, 1e30], 1, "meanSquaredError")).not.toThrow();
    expect(() => checkTargets(new Float64Array([1, 5]), 1, 1, "binaryCrossEntropy", "float64", "y")).not.toThrow();
  });
});

test("nonFiniteError names row, column, value and overflow", () => {
  expect(nonFiniteError("x", 13, 4, Number.NaN)).toEqual(
    new RangeError("x: expected a finite number, got NaN in row 3, column 1"),
  );
  expect(nonFiniteError("x", 0, 4, 1e39).message).toBe(
    "x: expected a finite number, got 1e+39 in row 0, column 0, which overflows float32",
  );
  expect(nonFiniteError("x", 3, 1).message).toBe(
    "x: expected a finite number, got NaN or an infinity in row 3, column 0",
  );
});
