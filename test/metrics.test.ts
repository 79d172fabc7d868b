// Metrics against scikit-learn (test/fixtures/sklearn/metrics.py): in evaluate, in validation, in the history and through a file.
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { type FitOptions, type MetricName, type MetricValues, Network, type NetworkSpec } from "../src/index.ts";
import { tuning } from "../src/training/tuning.ts";

interface Case {
  x: number[][];
  y: number[] & number[][];
  metrics: MetricValues;
}

const NAMES = ["classes", "gaps", "binary", "regression", "constant"] as const;
type Name = (typeof NAMES)[number];
const cases = JSON.parse(readFileSync(new URL("fixtures/sklearn/metrics.json", import.meta.url), "utf8")) as Record<
  Name,
  Case
>;

/** Its net inputs are x. */
function specOf(name: Name): NetworkSpec {
  const inputs = cases[name].x[0]?.length ?? 0;
  const activation = name === "binary" ? "sigmoid" : name === "classes" || name === "gaps" ? "softmax" : "linear";
  return { inputs, layers: [{ units: inputs, init: "identity", activation, trainable: false }] };
}

const frozen: FitOptions = { epochs: 1, optimizer: "sgd" };

function expectClose(found: MetricValues, expected: MetricValues): void {
  for (const [name, value] of Object.entries(expected)) {
    const own = found[name as MetricName];
    if (typeof value !== "number") expect(own).toEqual(value);
    else
      expect(Math.abs((own as number) - value), `${name}: ${String(own)}`).toBeLessThanOrEqual(
        1e-12 * Math.max(1, value),
      );
  }
}

describe.each(NAMES)("%s", (name) => {
  const { x, y, metrics } = cases[name];
  const names = Object.keys(metrics) as MetricName[];

  test.each(["simd", "js"] as const)("evaluate on core %s gives scikit-learn's values", (core) => {
    const network = Network.createSync(specOf(name), { dtype: "float64", core });
    const found = network.evaluate(x, y, { metrics: names });
    expectClose(found, metrics);
    const { loss } = network.evaluate(x, y);
    expect(found.loss).toBe(loss);
    expect(network.evaluate(x, y, { metrics: names, sampleWeights: x.map((_, i) => i) })).toMatchObject({
      ...found,
      loss: expect.any(Number) as number,
    });
  });

  test("validation and, without it, the rows that are trained on give the same, in pieces too, and a file keeps it", () => {
    const network = Network.createSync(specOf(name), { dtype: "float64" });
    const other = x.slice(0, 8);
    const held = network.fitSync(other, y.slice(0, 8) as never, { ...frozen, metrics: names, validation: { x, y } });
    const evaluation = network.evaluate(x, y, { metrics: names });
    expect(held.epochs[0]?.validation).toEqual(evaluation);
    tuning.blockSamples = 8;
    const small = Network.createSync(specOf(name), { dtype: "float64" });
    const { epochs } = small.fitSync(x, y, { ...frozen, metrics: names });
    tuning.blockSamples = undefined;
    const { loss: _, penalty: __, ...values } = evaluation;
    expect(epochs[0]?.metrics).toEqual(values);
    expect(Network.loadSync(network.save()).history).toEqual(network.history);
  });
});

test("held-back rows that do not fit the staging region at once, with predictions in between, and class rows as targets", async () => {
  const rows = 5000;
  const x = Array.from({ length: rows }, (_, i) => [Math.sin(i), Math.cos(3 * i), i / rows]);
  const labels = x.map((_, i) => i % 3);
  const y = labels.map((k) => [0, 1, 2].map((j) => Number(j === k)));
  const network = Network.createSync({
    inputs: 3,
    layers: [
      { units: 4, activation: "tanh" },
      { units: 3, activation: "softmax" },
    ],
  });
  const metrics = ["rocAuc", "f1", "top2", "confusionMatrix", "brier"] as const;
  const run = network.fit(x.slice(0, 200), y.slice(0, 200), { epochs: 3, metrics, validation: { x, y } });
  const timer = setInterval(() => network.predict(x), 0);
  const { epochs } = await run;
  clearInterval(timer);
  expect(epochs[2]?.validation).toEqual(network.evaluate(x, labels, { metrics }));
});

test("metrics of scaled targets are in the targets' units", () => {
  const { x, y } = cases.regression;
  const network = Network.createSync({ ...specOf("regression"), targetScaling: "standardize" }, { dtype: "float64" });
  network.fitSync(x, y, frozen);
  const found = network.evaluate(x, y, { metrics: ["mae", "r2"] });
  const data = Array.from(network.predict(x).data);
  const mae = data.reduce((sum, value, i) => sum + Math.abs(value - (y.flat()[i] ?? 0)), 0) / data.length;
  expect(found.mae).toBeCloseTo(mae, 9);
});

test("early stopping and a plateau watch metrics: errors are to fall, shares to rise", () => {
  const { x, y } = cases.classes;
  const spec: NetworkSpec = {
    inputs: 4,
    layers: [
      { units: 8, activation: "tanh" },
      { units: 4, activation: "softmax" },
    ],
  };
  const options: FitOptions = {
    epochs: 200,
    optimizer: { type: "adam", learningRate: 0.05 },
    metrics: ["f1", "brier"],
    validation: 0.3,
  };
  for (const [monitor, better] of [
    ["validation.f1", Math.max],
    ["validation.brier", Math.min],
  ] as const) {
    const network = Network.createSync(spec);
    const history = network.fitSync(x, y, { ...options, earlyStopping: { monitor, patience: 5 } });
    expect(history.stopped).toBe("earlyStopping");
    const name = monitor.replace("validation.", "") as "f1" | "brier";
    const values = history.epochs.map(({ validation }) => validation?.[name] as number);
    expect(values.indexOf(better(...values))).toBe(values.length - 6);
    const held = history.validationIndices ?? [];
    const rows = Array.from(held, (row) => x[row] as number[]);
    const found = network.evaluate(
      rows,
      Array.from(held, (row) => y[row] as number),
      { metrics: [name] },
    );
    expect(found[name]).toBe(better(...values));
  }
  const network = Network.createSync(spec);
  const watch = (monitor: string) =>
    network.fitSync(x, y, { ...options, earlyStopping: { monitor: monitor as "loss" } });
  expect(() => watch("validation.f2")).toThrow("did you mean 'validation.f1'?");
  expect(() => watch("f1")).toThrow(
    "earlyStopping.monitor: expected loss, accuracy, validation.loss, validation.accuracy, validation.f1",
  );
});

test("a curve without one of the classes, r2 of one row: NaN, which a file keeps", () => {
  const network = Network.createSync(specOf("binary"), { dtype: "float64" });
  const metrics = ["rocAuc", "r2"] as const;
  const { epochs } = network.fitSync([[1]], [1], { ...frozen, metrics });
  expect(epochs[0]?.metrics).toEqual({ accuracy: 1, rocAuc: Number.NaN, r2: Number.NaN });
  expect(Network.loadSync(network.save()).history.epochs).toEqual(network.history.epochs);
});

test.each([
  ["classes", ["f2"], "metrics[0]: expected accuracy, precision"],
  [
    "classes",
    ["mse"],
    "metrics[0]: expected a metric of classes (accuracy, precision, precisionMacro or precisionMicro, …)",
  ],
  ["classes", ["f1", "top5"], "metrics[1]: expected top1 to top4, got 'top5'"],
  [
    "regression",
    ["accuracy"],
    "metrics[0]: expected mae, mse, rmse, r2, mape or explainedVariance for outputs that are no classes",
  ],
  ["regression", "mae", "metrics: expected an array of names, got 'mae'"],
] as const)("%s: metrics %j are refused", (name, metrics, message) => {
  const network = Network.createSync(specOf(name));
  const { x, y } = cases[name];
  expect(() => network.evaluate(x, y, { metrics: metrics as never })).toThrow(message);
  expect(() => network.fitSync(x, y, { metrics: metrics as never })).toThrow(message);
});
