import { describe, expect, test } from "vitest";
import { csvField, indexOfColumn, numbersOf, parseNumber, readCsv, textsOf } from "../../src/cli/csv.ts";
import { scratchFolder } from "./recorder.ts";

const { write, folder, path } = scratchFolder();
let count = 0;
const csv = (content: string | Uint8Array) => write(`${count++}.csv`, content);
const read = (content: string | Uint8Array, text: string[] = []) => readCsv(csv(content), text);

describe("reading CSV", () => {
  test("3 rows × 2 numeric columns and a text column, in any column order", () => {
    const table = read("b,name,a\n1,x,-2.5\n3,y,4e1\n5,z,.5\n", ["name"]);
    expect(table.columns).toEqual(["b", "name", "a"]);
    expect(table.rows).toBe(3);
    expect(Array.from(numbersOf(table, ["a", "b"], "float64"))).toEqual([-2.5, 1, 40, 3, 0.5, 5]);
    expect(textsOf(table, "name")).toEqual(["x", "y", "z"]);
  });

  test.each([
    ["semicolons", "a;b;c\n1;2;x,y\n"],
    ["tabs", "a\tb\tc\n1\t2\tx,y\n"],
    ["quotes, commas inside", 'a,b,"c"\n1,2,"x,y"\n'],
    ["carriage returns", "a;b;c\r\n1;2;x,y\r\n"],
    ["a byte order mark", "\ufeffa;b;c\n1;2;x,y"],
    ["blanks and empty lines", '\n a ; b ;c \n\n 1;2 ; "x,y" \n\n'],
  ])("%s", (_, content) => {
    const table = read(content, ["c"]);
    expect(table.columns).toEqual(["a", "b", "c"]);
    expect(Array.from(numbersOf(table, ["a", "b"], "float64"))).toEqual([1, 2]);
    expect(textsOf(table, "c")).toEqual(["x,y"]);
  });

  test("10 000 rows, more than two blocks, keep their order", () => {
    const rows = Array.from({ length: 10_000 }, (_, i) => `${i},${i / 8}`);
    const table = read(`a,b\n${rows.join("\n")}\n`);
    expect(table.rows).toBe(10_000);
    const b = numbersOf(table, ["b"], "float64");
    expect(b.every((value, i) => value === i / 8)).toBe(true);
  });

  test.each([
    ["1", 1],
    ["-1.50", -1.5],
    ["+.5e-3", 0.0005],
    ["1.", 1],
    ["", Number.NaN],
    ["0x10", Number.NaN],
    ["1e999", Number.NaN],
    ["Infinity", Number.NaN],
    ["1,5", Number.NaN],
    ["1 000", Number.NaN],
  ])("the field %j is the number %d", (text, value) => expect(parseNumber(text)).toBe(value));
});

describe("errors in CSV name the file, the line and the column", () => {
  const message = (work: () => unknown): string => {
    try {
      work();
    } catch (error) {
      return (error as Error).message.replace(folder, "");
    }
    throw new Error("nothing was thrown");
  };

  test.each<[string, string, RegExp]>([
    ["an empty file", "", /^\/\d+\.csv: the file is empty$/],
    ["a header alone", "a,b\n", /no rows below the line of column names$/],
    ["a short row", "a,b\n1,2\n\n3\n", /line 4: expected 2 fields, got 1$/],
    ["a long row", "a,b\n1,2,3\n", /line 2: expected 2 fields, got 3$/],
    ["two columns of one name", "a,b,a\n1,2,3\n", /line 1: columns 1 and 3 are both named "a"$/],
    ["a column without a name", ",b\n1,2\n", /line 1: column 1 has no name$/],
    ["text among numbers", "a,b\n1,2\n3,red\n", /line 3, column "b": expected a number, got "red"$/],
    ["a missing number", "a,b\n1,2\n,4\n", /line 3, column "a": the value is missing$/],
    ["a marked missing number", "a,b\n1,NA\n", /line 2, column "b": the value is missing$/],
    ["an infinite number", "a,b\n1,1e999\n", /line 2, column "b": expected a number, got "1e999"$/],
    ["an open quote", 'a,b\n1,"2\n', /not a CSV file: .*[Qq]uote/],
  ])("%s", (_, content, expected) => {
    const file = csv(content);
    expect(message(() => numbersOf(readCsv(file), ["a", "b"], "float64"))).toMatch(expected);
  });

  test("a number beyond float32, in the line it stands in, unless the network is float64", () => {
    const file = csv("a,b\n1,2\n\n3,-1e39\n");
    expect(message(() => numbersOf(readCsv(file), ["a", "b"], "float32"))).toMatch(
      /line 4, column "b": expected a number that float32 holds, at most 3\.4e38 in size, got -1e\+39$/,
    );
    expect(Array.from(numbersOf(readCsv(file), ["b"], "float64"))).toEqual([2, -1e39]);
  });

  test("a missing target", () => {
    expect(message(() => textsOf(read("a,b\n1,x\n2,\n", ["b"]), "b"))).toMatch(
      /line 3, column "b": the value is missing/,
    );
  });

  test("an unknown column: the nearest name, else those there are", () => {
    const table = read("sepal_length,species\n1,2\n");
    expect(message(() => indexOfColumn(table, "specie"))).toMatch(/no column "specie"; did you mean "species"\?$/);
    expect(message(() => indexOfColumn(table, "zzz"))).toMatch(/no column "zzz"; there is "sepal_length", "species"$/);
  });

  test("no such file, a directory", () => {
    expect(message(() => readCsv(path("none.csv")))).toBe("/none.csv: no such file");
    expect(message(() => readCsv(folder))).toBe(": is a directory, not a CSV file");
  });

  test("control characters are not repeated", () => {
    expect(message(() => numbersOf(read("a\n\u001b[31mred\n"), ["a"], "float64"))).toMatch(/got "\\u001b\[31mred"$/);
  });
});

test.each([
  ["plain", "plain"],
  ["a,b", '"a,b"'],
  ['say "x"', '"say ""x"""'],
  ["two\nlines", '"two\nlines"'],
  [" blank", '" blank"'],
])("the field %j is written %s", (text, written) => expect(csvField(text)).toBe(written));
