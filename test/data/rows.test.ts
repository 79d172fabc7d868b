import { runInNewContext } from "node:vm";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type RowSource, rowSource } from "../../src/data/rows.ts";

function refuses(x: unknown, cols: number, kind: typeof TypeError | typeof RangeError, message: string) {
  expect(() => rowSource(x, "x", cols)).toThrow(new kind(message));
  expect(() => rowSource(x, "x", cols)).toThrow(kind);
}

/** Everything copied, with canaries behind it. */
function copied(source: RowSource, first = 0, last = source.rows): number[] {
  const size = (last - first) * source.cols;
  const target = new Float64Array(size + 2).fill(-99);
  source.copyTo(target, first, last);
  expect([...target.subarray(size)]).toEqual([-99, -99]);
  return [...target.subarray(0, size)];
}

/** The same 3×2 values in every accepted form. */
const forms: [string, unknown][] = [
  ["Matrix of float32", { data: new Float32Array([1, 2, 3, 4, 5, 6]), shape: [3, 2] }],
  ["Matrix of float64", { data: new Float64Array([1, 2, 3, 4, 5, 6]), shape: [3, 2] }],
  ["Matrix on part of a buffer", { data: new Float64Array([0, 1, 2, 3, 4, 5, 6, 7]).subarray(1, 7), shape: [3, 2] }],
  ["Matrix of another realm", runInNewContext("({ data: new Float32Array([1, 2, 3, 4, 5, 6]), shape: [3, 2] })")],
  [
    "arrays",
    [
      [1, 2],
      [3, 4],
      [5, 6],
    ],
  ],
  ["typed rows of many kinds", [new Float32Array([1, 2]), new Uint8Array([3, 4]), new Float64Array([5, 6])]],
  ["typed and plain rows", [[1, 2], new Int16Array([3, 4]), [5, 6]]],
  ["array-like objects", { length: 3, 0: { length: 2, 0: 1, 1: 2 }, 1: [3, 4], 2: [5, 6] }],
  ["arrays of another realm", runInNewContext("[[1, 2], [3, 4], new Float64Array([5, 6])]")],
];

describe.each(forms)("rowSource of 3×2 values, %s", (_, x) => {
  test("copies windows and chosen rows, and tells values", () => {
    const source = rowSource(x, "x", 2);
    expect([source.rows, source.cols]).toEqual([3, 2]);
    expect(copied(source)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(copied(source, 1, 3)).toEqual([3, 4, 5, 6]);
    expect(copied(source, 2, 2)).toEqual([]);
    const chosen = new Float32Array(7).fill(-99);
    source.copyRows(chosen, Int32Array.of(2, 0, 2));
    expect([...chosen]).toEqual([5, 6, 1, 2, 5, 6, -99]);
    expect(source.valueAt(2, 1)).toBe(6);
  });

  test("keeps no copy: what is read is what stands there when it is copied", () => {
    const own = structuredClone(x) as { data?: Float32Array } & number[][];
    const source = rowSource(own, "x", 2);
    if (own.data) own.data[0] = 70;
    else (own[0] as number[])[0] = 70;
    expect(copied(source)[0]).toBe(70);
  });
});

test("over 200 random shapes, a Matrix and its rows give the same bits, rounded to float32 once", () => {
  const shapes = fc.record({ rows: fc.integer({ min: 1, max: 9 }), cols: fc.integer({ min: 1, max: 9 }) });
  fc.assert(
    fc.property(shapes, fc.infiniteStream(fc.double()), ({ rows, cols }, stream) => {
      const data = Float64Array.from({ length: rows * cols }, () => stream.next().value as number);
      const arrays = Array.from({ length: rows }, (_, r) => [...data.subarray(r * cols, (r + 1) * cols)]);
      const rounded = data.map(Math.fround);
      for (const x of [{ data, shape: [rows, cols] }, arrays]) {
        const target = new Float32Array(rows * cols);
        rowSource(x, "x", cols).copyTo(target, 0, rows);
        expect(Float64Array.from(target)).toEqual(rounded);
      }
    }),
    { numRuns: 200, seed: 1 },
  );
});

test("chosen rows of 1 to 70 columns are those of the data, in any order and in runs, in both dtypes", () => {
  for (const cols of [1, 2, 3, 4, 5, 6, 7, 8, 9, 31, 32, 33, 70]) {
    for (const indices of [[], [3], [0, 1, 2, 3], [0, 1, 2, 5, 6, 9, 10, 11, 12], [12, 11, 0, 0, 1, 7, 8, 8]]) {
      for (const kind of [Float32Array, Float64Array]) {
        const data = new kind(Array.from({ length: 13 * cols }, (_, i) => i / 8));
        const target = new Float32Array(indices.length * cols + 1).fill(-1);
        rowSource({ data, shape: [13, cols] }, "x", cols).copyRows(target, Int32Array.from(indices));
        const expected = indices.flatMap((row) => Array.from({ length: cols }, (_, col) => (row * cols + col) / 8));
        expect([...target]).toEqual([...expected, -1]);
      }
    }
  }
});

describe("rowSource refuses", () => {
  test("a flat array, and shows the fix", () => {
    const message =
      "x: expected rows of 64 values, got a flat array of 640 numbers; pass { data, shape: [10, 64] } or an array of rows";
    refuses(new Array(640).fill(0), 64, TypeError, message);
    refuses(new Float32Array(640), 64, TypeError, message);
    refuses(
      [1, 2, 3],
      2,
      TypeError,
      "x: expected rows of 2 values, got a flat array of 3 numbers; pass { data, shape: [rows, 2] } or an array of rows",
    );
    refuses(
      [1],
      1,
      TypeError,
      "x: expected rows of 1 value, got a flat array of 1 numbers; pass { data, shape: [1, 1] } or an array of rows",
    );
  });

  test("other kinds", () => {
    refuses(undefined, 2, TypeError, "x: expected rows of 2 values, got undefined");
    refuses(null, 2, TypeError, "x: expected rows of 2 values, got null");
    refuses("12", 2, TypeError, "x: expected rows of 2 values, got '12'");
    refuses({}, 2, TypeError, "x: expected rows of 2 values, or { data, shape }, got an object");
    refuses(new Map(), 2, TypeError, "x: expected rows of 2 values, or { data, shape }, got a Map");
    refuses({ length: -1 }, 2, TypeError, "x: expected rows of 2 values, or { data, shape }, got an object");
    refuses(["12"], 2, TypeError, "x: expected rows of 2 values, got '12' in row 0");
    refuses([[1, 2], 3], 2, TypeError, "x: expected rows of 2 values, got 3 in row 1");
    refuses([[1, 2], undefined], 2, TypeError, "x: expected rows of 2 values, got undefined in row 1");
    refuses([new DataView(new ArrayBuffer(2))], 2, TypeError, "x: expected rows of 2 values, got a DataView in row 0");
  });

  test("no rows, ragged rows and another width", () => {
    refuses([], 2, RangeError, "x: expected at least one row of 2 values, got none");
    refuses([[1, 2], [3]], 2, RangeError, "x: expected rows of 2 values, got 1 in row 1");
    refuses([[1, 2, 3]], 2, RangeError, "x: expected rows of 2 values, got 3 in row 0");
    refuses([[]], 2, RangeError, "x: expected rows of 2 values, got 0 in row 0");
    refuses({ length: 2 ** 31 }, 2, RangeError, "x: expected at most 2147483647 rows, got 2147483648");
  });

  test("a Matrix whose parts do not fit together", () => {
    const data = new Float32Array(6);
    refuses({ data, shape: [2, 3] }, 2, RangeError, "x: expected rows of 2 values, got 3 (shape [2, 3])");
    refuses({ data, shape: [4, 2] }, 2, RangeError, "x.data: expected 8 values for shape [4, 2], got 6");
    refuses(
      { data: new Float32Array(0), shape: [0, 2] },
      2,
      RangeError,
      "x: expected at least one row of 2 values, got none",
    );
    refuses({ data, shape: [2.5, 2] }, 2, RangeError, "x.shape: expected [rows, cols] with integers ≥ 0, got [2.5, 2]");
    refuses(
      { data, shape: ["3", 2] },
      2,
      RangeError,
      "x.shape: expected [rows, cols] with integers ≥ 0, got other values",
    );
    refuses({ data, shape: [6] }, 2, TypeError, "x.shape: expected [rows, cols], got an array of 1");
    refuses({ data, shape: 6 }, 2, TypeError, "x.shape: expected [rows, cols], got 6");
    refuses(
      { data: [1, 2], shape: [1, 2] },
      2,
      TypeError,
      "x.data: expected a Float32Array or a Float64Array, got an array of 2",
    );
    refuses(
      { data: new Int8Array(2), shape: [1, 2] },
      2,
      TypeError,
      "x.data: expected a Float32Array or a Float64Array, got an Int8Array of 2",
    );
    refuses({ data, shape: [2 ** 31, 2] }, 2, RangeError, "x: expected at most 2147483647 rows, got 2147483648");
  });

  test("elements that are no numbers, when they are copied, with row and column", () => {
    const copy = (x: unknown) => () => rowSource(x, "x", 2).copyTo(new Float64Array(8), 0, 2);
    expect(
      copy([
        [1, 2],
        [3, "4"],
      ]),
    ).toThrow(new TypeError("x: expected a number, got '4' in row 1, column 1"));
    expect(
      copy([
        [1, null],
        [3, 4],
      ]),
    ).toThrow(new TypeError("x: expected a number, got null in row 0, column 1"));
    expect(copy([[1, 2], new BigInt64Array(2)])).toThrow(
      new TypeError("x: expected a number, got a bigint in row 1, column 0"),
    );
    expect(copy([[1, 2], new Array(2)])).toThrow(
      new TypeError("x: expected a number, got undefined in row 1, column 0"),
    );
    const chosen = () =>
      rowSource(
        [
          [1, 2],
          [3, true],
        ],
        "x",
        2,
      ).copyRows(new Float64Array(2), [1]);
    expect(chosen).toThrow(new TypeError("x: expected a number, got true in row 1, column 1"));
  });

  test("a row that a getter makes longer after it was looked at", () => {
    let looks = 0;
    const rows = [[1, 2]] as unknown[];
    Object.defineProperty(rows, 0, { get: () => (looks++ < 2 ? [1, 2] : new Float64Array(9)) });
    const source = rowSource(rows, "x", 2);
    expect(() => source.copyTo(new Float64Array(99), 0, 1)).toThrow(
      new RangeError("x: expected rows of 2 values, got 9 in row 0"),
    );
  });
});
