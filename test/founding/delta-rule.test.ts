// One layer is the delta rule: Δw = η·(y − a)·f′(z)·x, after every sample.
import { describe, expect, test } from "vitest";
import { type LayerWeights, Network, type NetworkSpec } from "../../src/index.ts";
import { drawRows, drawsFrom } from "../draws.ts";

const ETA = 0.25;
const SAMPLES = 9;
const INPUTS = 4;
const UNITS = 3;

const TRANSFER = {
  linear: { f: (z: number) => z, slope: (_z: number) => 1 },
  sigmoid: { f: (z: number) => 1 / (1 + Math.exp(-z)), slope: (z: number) => Math.exp(-z) / (1 + Math.exp(-z)) ** 2 },
};

/** The rule, unit by unit: what W and b are after one pass over the samples, one by one. */
function deltaRule(kind: keyof typeof TRANSFER, W: number[][], b: number[], x: number[][], y: number[][]) {
  const { f, slope } = TRANSFER[kind];
  const weights = W.map((row) => [...row]);
  const biases = [...b];
  for (const [s, input] of x.entries()) {
    for (const [unit, row] of weights.entries()) {
      const z = row.reduce((sum, w, i) => sum + w * input[i]!, biases[unit]!);
      const change = ETA * (y[s]![unit]! - f(z)) * slope(z);
      for (const [i, value] of input.entries()) row[i] = row[i]! + change * value;
      biases[unit] = biases[unit]! + change;
    }
  }
  return { weights, biases };
}

function expectLayer({ W, b }: LayerWeights, weights: number[][], biases: number[]) {
  for (const [i, value] of weights.flat().entries()) expect(W.data[i]).toBeCloseTo(value, 13);
  for (const [i, value] of biases.entries()) expect(b![i]).toBeCloseTo(value, 13);
}

describe.each(["simd", "js"] as const)("one layer on the %s core", (core) => {
  test.each(["linear", "sigmoid"] as const)(
    "of 3 %s units follows the delta rule over 9 samples, one by one",
    (kind) => {
      const draw = drawsFrom(11);
      const W = drawRows(draw, UNITS, INPUTS, 1);
      const b = drawRows(draw, 1, UNITS, 1)[0]!;
      const x = drawRows(draw, SAMPLES, INPUTS, 1);
      const y = drawRows(draw, SAMPLES, UNITS, 1);
      const spec: NetworkSpec = {
        inputs: INPUTS,
        layers: [{ units: UNITS, activation: kind, init: W, biasInit: b }],
        loss: "squaredError",
      };
      using network = Network.createSync(spec, { dtype: "float64", core });
      const optimizer = { type: "sgd", learningRate: ETA } as const;
      network.fitSync(x, y, { epochs: 1, batchSize: 1, shuffle: false, optimizer });
      const { weights, biases } = deltaRule(kind, W, b, x, y);
      expectLayer(network.weights()[0]!, weights, biases);
    },
  );

  // Whatever output and loss belong together, δ is a − y, and the rule has no slope in it.
  test.each([
    ["linear", "squaredError", 1],
    ["sigmoid", "binaryCrossEntropy", UNITS],
    ["softmax", "crossEntropy", 1],
  ] as const)("with %s outputs and %s moves W by η·(y − a)·xᵀ", (activation, loss, outputsInTheMean) => {
    const draw = drawsFrom(12);
    const W = drawRows(draw, UNITS, INPUTS, 1);
    const x = drawRows(draw, 1, INPUTS, 1);
    const y = [[0, 1, 0]];
    const spec: NetworkSpec = { inputs: INPUTS, layers: [{ units: UNITS, activation, init: W }], loss };
    using network = Network.createSync(spec, { dtype: "float64", core });
    const a = network.predict(x).data;
    network.step(x, y, { optimizer: { type: "sgd", learningRate: ETA } });
    const change = y[0]!.map((target, unit) => (ETA * (target - a[unit]!)) / outputsInTheMean);
    expectLayer(
      network.weights()[0]!,
      W.map((row, unit) => row.map((w, i) => w + change[unit]! * x[0]![i]!)),
      change,
    );
  });
});
