// diagnose: every kind of finding from a network that has the fault, none from one that has not.
import { describe, expect, test } from "vitest";
import { iris } from "../../src/datasets/index.ts";
import {
  type FindingKind,
  type LayerSpec,
  Network,
  type NetworkSpec,
  type Optimizer,
  type Targets,
} from "../../src/index.ts";

const x = Array.from({ length: 60 }, (_, i) => [Math.sin(i), Math.cos(2 * i)]);
const y = x.map(([a = 0, b = 0]) => 0.5 * a * b);
const hidden = (layer: Partial<LayerSpec>): NetworkSpec => ({
  inputs: 2,
  layers: [{ units: 10, ...layer } as LayerSpec, { units: 1 }],
});
const deep = (layers: number, deviation: number, activation: "sigmoid" | "relu"): NetworkSpec => ({
  inputs: 2,
  layers: [
    ...Array.from({ length: layers }, () => ({
      units: 10,
      activation,
      init: { type: "truncatedNormal", deviation } as const,
    })),
    { units: 1 },
  ],
});

interface Fault {
  kind: FindingKind;
  spec?: NetworkSpec;
  x?: number[][];
  y?: Targets;
  optimizer?: Optimizer;
  layer?: number;
  figure: (value: number) => boolean;
  message: RegExp;
}

const FAULTS: Fault[] = [
  {
    kind: "inputScale",
    x: x.map(([a = 0, b = 0]) => [a, 1000 * b]),
    figure: (ratio) => Math.abs(ratio - 1000) < 50,
    message: /column 1 has a deviation of 7\d\d, column 0 of 0\.7/,
  },
  {
    kind: "inputScale",
    x: x.map(([a = 0, b = 0]) => [a + 2000, b]),
    figure: (ratio) => ratio > 2500 && ratio < 3200,
    message: /column 0 has a mean of 2000/,
  },
  {
    kind: "constantInput",
    x: x.map(([a = 0]) => [a, 5]),
    figure: (count) => count === 1,
    message: /1 of 2 input columns is constant.*column 1/,
  },
  {
    kind: "conflictingTargets",
    x: [...x, x[7] ?? [], x[7] ?? [], x[9] ?? []],
    y: [...y, 2, y[7] ?? 0, y[9] ?? 0],
    figure: (count) => count === 3,
    message: /3 of 63 rows \(4\.76 %\).*rows 7 and 60/,
  },
  {
    kind: "deadUnits",
    spec: hidden({ activation: "relu", biasInit: { type: "constant", value: -50 } }),
    layer: 0,
    figure: (share) => share === 1,
    message: /100 % of the units of layers\[0\] \(dense, relu\) give 0 for all 60 rows/,
  },
  {
    kind: "saturatedUnits",
    spec: hidden({ activation: "tanh", biasInit: { type: "constant", value: 30 } }),
    layer: 0,
    figure: (share) => share === 1,
    message: /100 % of the outputs of layers\[0\] \(dense, tanh\)/,
  },
  {
    kind: "vanishingGradient",
    spec: deep(8, 0.1, "sigmoid"),
    layer: 0,
    figure: (ratio) => ratio < 1e-4,
    message: /layers\[0\] has a gradient/,
  },
  {
    kind: "explodingGradient",
    spec: deep(9, 0.0002, "relu"),
    layer: 0,
    figure: (ratio) => ratio > 1e4,
    message: /Exploding/,
  },
  {
    kind: "learningRateHigh",
    optimizer: { type: "sgd", learningRate: 50 },
    figure: (rise) => rise > 1.05,
    message: /sgd with a learning rate of 50 the loss/,
  },
  {
    kind: "learningRateHigh",
    optimizer: { type: "adam", learningRate: 1e9 },
    figure: (rise) => rise > 1.05,
    message: /adam/,
  },
  {
    kind: "learningRateLow",
    optimizer: { type: "adam", learningRate: 1e-9 },
    figure: (share) => share < 1e-6,
    message: /adam with a learning rate of 1\.0e-9/,
  },
];

describe("diagnose", () => {
  test.each(FAULTS)("$kind: $message", (fault) => {
    for (const core of ["simd", "js"] as const) {
      const network = Network.createSync(fault.spec ?? hidden({ activation: "tanh" }), { core, dtype: "float64" });
      const before = network.save();
      const { findings, text } = network.diagnose(
        fault.x ?? x,
        fault.y ?? y,
        fault.optimizer ? { optimizer: fault.optimizer } : {},
      );
      const finding = findings.find(({ kind, message }) => kind === fault.kind && fault.message.test(message));
      expect(finding, text).toBeDefined();
      expect(fault.figure(finding?.figure ?? Number.NaN), String(finding?.figure)).toBe(true);
      if (fault.layer !== undefined) expect(finding?.layer).toBe(fault.layer);
      expect(text).toContain(finding?.message);
      expect(text).toContain(finding?.advice);
      expect(network.save()).toEqual(before);
    }
  });

  test("a sound network on sound data: no finding, before training and after", () => {
    const set = iris();
    const network = Network.createSync({
      inputs: 4,
      layers: [{ type: "standardize" }, { units: 16, activation: "relu" }, { units: 3, activation: "softmax" }],
    });
    const distinct = Array.from({ length: 100 }, (_, i) => i);
    const rows = distinct.map((i) => Array.from(set.x.data.subarray(4 * i, 4 * i + 4)));
    const labels = distinct.map((i) => set.y[i] as number);
    expect(network.diagnose(rows, labels).findings).toEqual([]);
    network.fitSync(rows, labels, { epochs: 10 });
    const { findings, layers, text } = network.diagnose(rows, labels);
    expect(findings).toEqual([]);
    expect(layers.map(({ layer }) => layer)).toEqual([1, 2]);
    expect(text).toMatch(
      /^nothing unusual in 100 rows\n\nlayer +type +dead +saturated +gradient +update\n1 +dense relu/,
    );
  });

  test("one row, frozen layers, batch normalisation, methods that search: figures that are not to be had are left out", () => {
    const network = Network.createSync({
      inputs: 2,
      layers: [
        { units: 4, activation: "tanh", trainable: false },
        { type: "batchNormalization" },
        { type: "dropout", rate: 0.5 },
        { units: 1 },
      ],
    });
    expect(network.diagnose(x.slice(0, 1), y.slice(0, 1)).layers.map(({ update }) => update)).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
    const { layers } = network.diagnose(x, y);
    expect(layers.map(({ update }) => update === undefined)).toEqual([true, false, false]);
    const plain = Network.createSync(hidden({}));
    expect(plain.diagnose(x, y, { optimizer: "lbfgs" }).layers.map(({ update }) => update)).toEqual([
      undefined,
      undefined,
    ]);
    expect(() => plain.diagnose(x, y, { optimizer: "sdg" as never })).toThrow("did you mean 'sgd'");
    expect(() => plain.diagnose(x.slice(1), y)).toThrow("y: expected 59 rows");
  });
});
