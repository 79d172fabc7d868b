// Scaling of inputs and targets that the first fit finds: against scikit-learn's scalers (test/fixtures/sklearn/scaling.py).
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { diabetes } from "../src/datasets/index.ts";
import { type FitOptions, Network, type NetworkSpec, type ScalingMethod } from "../src/index.ts";

const fixture = JSON.parse(readFileSync(new URL("fixtures/sklearn/scaling.json", import.meta.url), "utf8")) as Record<
  "x" | "new" | ScalingMethod,
  number[][]
>;
const { x } = fixture;
const y = x.map(([a = 0, b = 0]) => [a + b, 1000 - a]);
const METHODS = ["standardize", "minMax", "robust"] as const;
const once: FitOptions = { epochs: 1, optimizer: { type: "sgd", learningRate: 1e-3 } };

/** Passes its scaled inputs on. */
const identity = (type: ScalingMethod): NetworkSpec => ({
  inputs: 3,
  layers: [{ type }, { units: 3, init: "identity", trainable: false }],
});

const regression = (type: ScalingMethod): NetworkSpec => ({
  inputs: 3,
  layers: [{ type: "standardize" }, { units: 4, activation: "tanh" }, { units: 2 }],
  targetScaling: type,
});

describe("scaling of inputs", () => {
  test.each(METHODS)("%s over 23 rows scales 4 new rows as scikit-learn does, simd and js alike", (type) => {
    const results = (["simd", "js"] as const).map((core) => {
      const network = Network.createSync(identity(type), { dtype: "float64", core });
      expect(Array.from(network.predict(fixture.new).data)).toEqual(fixture.new.flat());
      network.fitSync(x, x, once);
      return Array.from(network.predict(fixture.new).data);
    });
    for (const [i, value] of fixture[type].flat().entries()) {
      expect(Math.abs((results[0]?.[i] ?? Number.NaN) - value)).toBeLessThanOrEqual(
        1e-10 * Math.max(1, Math.abs(value)),
      );
    }
    expect(results[1]).toEqual(results[0]);
  });

  test("a later fit leaves it, refit finds it anew, a file keeps it", () => {
    const network = Network.createSync(identity("minMax"), { dtype: "float64" });
    network.fitSync(x, x, once);
    const { spec } = network;
    const other = x.map((row) => row.map((value) => 3 * value - 1));
    network.fitSync(other, other, once);
    expect(network.spec).toEqual(spec);
    expect(Network.loadSync(network.save()).spec).toEqual(spec);
    expect(network.clone().predict(other).data).toEqual(network.predict(other).data);
    network.fitSync(other, other, { ...once, refit: true });
    const ends = network.predict(other).data;
    for (let column = 0; column < 3; column++) {
      const values = other.map((_, row) => ends[row * 3 + column] as number);
      expect([Math.min(...values), Math.max(...values)]).toEqual([
        expect.closeTo(-1, 12) as number,
        expect.closeTo(1, 12) as number,
      ]);
    }
  });

  test("only rows that are trained on count", () => {
    const network = Network.createSync(identity("standardize"), { dtype: "float64" });
    const { validationIndices } = network.fitSync(x, x, { ...once, validation: 0.3 });
    const kept = x.filter((_, row) => !validationIndices?.includes(row));
    const other = Network.createSync(identity("standardize"), { dtype: "float64" });
    other.fitSync(kept, kept, once);
    expect(network.spec).toEqual(other.spec);
  });

  test("a column that is constant there becomes 0; quartiles that meet fall back on the deviation", () => {
    const rows = [0.1, 0.1, 0.1, 0.1, 5].map((value, i) => [0.1, value, i]);
    for (const type of METHODS) {
      const network = Network.createSync(identity(type), { dtype: "float64" });
      network.fitSync(rows, rows, once);
      const { data } = network.predict([[77, 0.1, 2]]);
      expect([data[0], data[2]]).toEqual([0, expect.closeTo(0, 12)]);
      if (type === "robust")
        expect([data[1], network.predict([[0, 2.06, 2]]).data[1]]).toEqual([0, expect.closeTo(1, 12)]);
    }
  });

  test("a run that ends before its first step leaves no scaling behind; step asks for a fit first", async () => {
    const network = Network.createSync(regression("standardize"));
    const before = network.save();
    expect(() => network.step(x, y)).toThrow("step: layers[0], standardize, is found by the first fit");
    const end = new AbortController();
    const run = network.fit(x, y, { signal: end.signal });
    end.abort(new Error("enough"));
    await expect(run).rejects.toThrow("enough");
    expect(network.save()).toEqual(before);
    network.fitSync(x, y, once);
    network.step(x, y);
  });

  test("a spread that the dtype cannot scale is refused with its column, and changes nothing", () => {
    const rows = [
      [1, 2, 0],
      [2, 1, 1e-45],
    ];
    const network = Network.createSync(identity("minMax"));
    const before = network.save();
    expect(() => network.fitSync(rows, rows, once)).toThrow(/x: expected columns whose scale is finite.*in column 2/);
    expect(network.save()).toEqual(before);
  });
});

describe("scaling of targets", () => {
  test.each(METHODS)("%s learns what a network learns from targets that were scaled before", (type) => {
    const scaled = Network.createSync(regression(type), { dtype: "float64" });
    const options: FitOptions = { epochs: 5, batchSize: 7, validation: { x, y } };
    const history = scaled.fitSync(x, y, options);
    const { scale = [], shift = [] } = scaled.spec.targetScaling ?? {};
    const own = (rows: number[][]) =>
      rows.map((row) => row.map((value, c) => (value - (shift[c] ?? 0)) / (scale[c] ?? 0)));
    const { targetScaling: _, ...spec } = regression(type);
    const plain = Network.createSync(spec, { dtype: "float64" });
    const plainHistory = plain.fitSync(x, own(y), { ...options, validation: { x, y: own(y) } });
    expect(history.epochs.map(({ loss }) => loss)).toEqual(plainHistory.epochs.map(({ loss }) => loss));
    expect(history.epochs.map(({ validation }) => validation)).toEqual(
      plainHistory.epochs.map(({ validation }) => validation),
    );
    expect(scaled.weights()).toEqual(plain.weights());
    expect(scaled.evaluate(x, y)).toEqual(plain.evaluate(x, own(y)));
    const expected = plain.predict(x).data.map((value, i) => value * (scale[i % 2] ?? 0) + (shift[i % 2] ?? 0));
    expect(scaled.predict(x).data).toEqual(expected);
    const into = { data: new Float64Array(2), shape: [1, 2] as const };
    scaled.predict({ data: Float64Array.from(x[4] ?? []), shape: [1, 3] }, { into });
    expect(into.data).toEqual(expected.slice(8, 10));
    expect(scaled.check(x, y).maxRelativeError).toBeLessThan(1e-6);
  });

  test.each(["scg", "lm", "sgd"] as const)("%s learns diabetes in its own units, R² above 0.4", (optimizer) => {
    const set = diabetes();
    const network = Network.createSync({
      inputs: 10,
      layers: [{ type: "standardize" }, { units: 3, activation: "tanh" }, { units: 1 }],
      targetScaling: "robust",
    });
    network.fitSync(set.x, set.y, { epochs: 20, optimizer });
    const mean = set.y.reduce((sum, value) => sum + value, 0) / set.y.length;
    const found = network.predict(set.x).data;
    const squares = set.y.reduce((sum, value, i) => sum + (value - (found[i] ?? 0)) ** 2, 0);
    expect(1 - squares / set.y.reduce((sum, value) => sum + (value - mean) ** 2, 0)).toBeGreaterThan(0.4);
  });

  test("epochs that go on after a file equal those of one run, bit for bit", () => {
    const whole = Network.createSync(regression("robust"));
    whole.fitSync(x, y, { epochs: 6, batchSize: 5 });
    const first = Network.createSync(regression("robust"));
    first.fitSync(x, y, { epochs: 2, batchSize: 5 });
    const second = Network.loadSync(first.save());
    second.fitSync(x, y, { epochs: 4, batchSize: 5 });
    expect(second.weights()).toEqual(whole.weights());
    expect(second.spec).toEqual(whole.spec);
  });

  test("the summary says what is scaled and whether it has been found", () => {
    const network = Network.createSync(regression("robust"));
    expect(network.summary()).toMatch(/^0 +standardize +3 → 3 +0 +by the first fit$/m);
    expect(network.summary()).toContain("2 outputs, targets scaled by robust, loss meanSquaredError");
    network.fitSync(x, y, once);
    expect(network.summary()).toMatch(/^0 +standardize +3 → 3 +0 +fixed$/m);
  });

  test("data that wait in epochs() are scaled when training begins", async () => {
    const network = Network.createSync(regression("standardize"));
    const run = network.epochs(x, y, { epochs: 2 });
    network.predict(x);
    for await (const _ of run);
    const other = Network.createSync(regression("standardize"));
    other.fitSync(x, y, { epochs: 2 });
    expect(network.weights()).toEqual(other.weights());
  });
});

test.each([
  [{ layers: [{ units: 2 }, { type: "robust" }, { units: 2 }] }, "layers[1]: expected robust as the first layer"],
  [{ layers: [{ type: "robust", scale: [1, 2] }, { units: 2 }] }, "layers[0].scale: expected 3 numbers, got 2"],
  [{ layers: [{ type: "robust", scale: [1, 2, 3] }, { units: 2 }] }, "layers[0].shift"],
  [{ layers: [{ units: 2 }], targetScaling: "zscore" }, "targetScaling: expected"],
  [{ layers: [{ units: 2 }], targetScaling: 3 }, "targetScaling: expected"],
  [
    { layers: [{ units: 2, activation: "sigmoid" }], targetScaling: "minMax" },
    "targetScaling: expected none with the loss binaryCrossEntropy",
  ],
  [
    { layers: [{ units: 2, activation: "relu" }], targetScaling: "minMax" },
    "targetScaling: expected a linear output (minMax: or tanh), got relu",
  ],
  [
    { layers: [{ units: 2 }], targetScaling: { type: "minMax", scale: [1, 0], shift: [0, 0] } },
    "targetScaling.scale[1]: expected a number > 0, got 0",
  ],
])("%j is refused", (spec, message) => {
  expect(() => Network.createSync({ inputs: 3, ...spec } as NetworkSpec)).toThrow(message);
});

test("refit is refused where there is nothing to find", () => {
  const network = Network.createSync({ inputs: 3, layers: [{ units: 2 }] });
  expect(() => network.fitSync(x, y, { refit: true })).toThrow("refit: expected false for a network without");
  expect(() => network.fitSync(x, y, { refit: 1 as never })).toThrow("refit: expected true or false");
});
