import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { type Dataset, diabetes, diabetesCsv, digits, digitsCsv, iris, irisCsv } from "../../src/datasets/index.ts";

const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");

// Of the CSV files that were handed over for embedding.
const SHA256 = {
  digits: "1a8c0ce573804cf39bc6fdc9a6cc8f23d15cbf27a72575c1ca5fac15163717d0",
  iris: "9cc1c345c71bcc9b486b74cbf6063fa66f4bb5e0f603a4b3c3471ec2e5e8e355",
  diabetes: "afdef7586777d6041e5cf2ba08808a168219ead24f766ac5fe92e442d5bfec64",
};

/** Every value of the set equals the field of the CSV text in its place. */
function expectValuesOfCsv(set: Dataset<Float32Array | Float64Array, Int32Array | Float64Array>, csv: string) {
  const [header = "", ...lines] = csv.trimEnd().split("\n");
  expect([...set.columns, set.target]).toEqual(header.split(","));
  expect(set.x.shape).toEqual([lines.length, set.columns.length]);
  expect(set.y.length).toBe(lines.length);
  const expected = lines.map((line) => line.split(","));
  expect(Array.from(set.x.data)).toEqual(expected.flatMap((fields) => fields.slice(0, -1).map(Number)));
  const targets = expected.map((fields) => fields.at(-1) ?? "");
  if (set.classes.length > 0) expect(Array.from(set.y, (k) => set.classes[k])).toEqual(targets);
  else expect(Array.from(set.y)).toEqual(targets.map(Number));
}

const countClasses = (y: Int32Array, classes: number) =>
  Array.from({ length: classes }, (_, k) => y.filter((value) => value === k).length);

describe("embedded data sets", () => {
  test("digits: 1797 × 64 values equal to the handed-over CSV, with the published class counts", () => {
    const set = digits();
    expect(sha256(digitsCsv())).toBe(SHA256.digits);
    expectValuesOfCsv(set, digitsCsv());
    expect(set.x.shape).toEqual([1797, 64]);
    expect(countClasses(set.y, 10)).toEqual([178, 182, 177, 183, 181, 182, 181, 179, 174, 180]);
    expect([Math.min(...set.x.data.slice(0, 640)), Math.max(...set.x.data.slice(0, 640))]).toEqual([0, 16]);
  });

  test("iris: 150 × 4 values equal to the handed-over CSV, 50 of each species", () => {
    const set = iris();
    expect(sha256(irisCsv())).toBe(SHA256.iris);
    expectValuesOfCsv(set, irisCsv());
    expect(set.classes).toEqual(["setosa", "versicolor", "virginica"]);
    expect(countClasses(set.y, 3)).toEqual([50, 50, 50]);
  });

  test("diabetes: 442 × 10 values equal to the handed-over CSV, targets 25…346", () => {
    const set = diabetes();
    expect(sha256(diabetesCsv())).toBe(SHA256.diabetes);
    expectValuesOfCsv(set, diabetesCsv());
    expect(set.x.shape).toEqual([442, 10]);
    expect([Math.min(...set.y), Math.max(...set.y)]).toEqual([25, 346]);
  });

  test("every call makes new arrays and names the source", () => {
    for (const load of [digits, iris, diabetes]) {
      const first = load();
      first.x.data.fill(-1);
      first.columns.length = 0;
      expect(load().x.data).not.toEqual(first.x.data);
      expect(load().columns.length).toBe(load().x.shape[1]);
      expect(load().source).toMatch(/scikit-learn 1\.2\.1/);
    }
  });
});
