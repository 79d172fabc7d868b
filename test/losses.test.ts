// Losses against PyTorch (test/fixtures/pytorch/losses.py wrote the values), and weights of samples against what they stand for.
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { type ActivationName, type Loss, Network } from "../src/index.ts";
import { drawRows, drawsFrom } from "./draws.ts";

const torch = JSON.parse(readFileSync(new URL("fixtures/pytorch/losses.json", import.meta.url), "utf8")) as {
  z: number[][];
  cases: { activation: ActivationName; loss: Loss; y: number[][] | number[]; value: number; gradient: number[][] }[];
};
const IDENTITY = [
  [1, 0, 0],
  [0, 1, 0],
  [0, 0, 1],
];

describe.each(["simd", "js"] as const)("on the %s core", (core) => {
  test.each(torch.cases)(
    "$activation with $loss: PyTorch's value and gradient within 1e-10",
    ({ activation, loss, y, ...expected }) => {
      const layers = [{ units: 3, activation, init: IDENTITY, bias: false }];
      using network = Network.createSync({ inputs: 3, layers, loss }, { dtype: "float64", core });
      expect(Math.abs(network.evaluate(torch.z, y).loss - expected.value)).toBeLessThan(
        1e-10 * Math.abs(expected.value),
      );
      const found = network.inputGradients(torch.z, y).data;
      for (const [i, value] of expected.gradient.flat().entries()) {
        expect(Math.abs(found[i]! - value), `element ${i}: ${found[i]} for ${value}`).toBeLessThan(1e-11);
      }
    },
  );
});

/** Output activation and loss: every loss of rows of numbers, and every way from it to the net input. */
const PAIRS: [ActivationName, Loss][] = [
  ["linear", "squaredError"],
  ["tanh", "meanSquaredError"],
  ["softmax", "meanSquaredError"],
  ["gelu", "squaredError"],
  ["softmax", "crossEntropy"],
  ["softmax", "kullbackLeibler"],
  ["sigmoid", "binaryCrossEntropy"],
  ["linear", "meanAbsoluteError"],
  ["elu", "meanAbsoluteError"],
  ["linear", { type: "huber", delta: 0.25 }],
  ["sigmoid", { type: "huber", delta: 0.25 }],
  ["linear", "logCosh"],
  ["mish", "logCosh"],
  ["tanh", "hinge"],
  ["linear", "squaredHinge"],
  ["softplus", "poisson"],
];

describe.each(["float32", "float64"] as const)("in %s", (dtype) => {
  test.each(PAIRS)(
    "%s with %o: batches of 1 to 9 of 23 rows, weighted or not, shuffled, have the bits of the JS core",
    (activation, loss) => {
      const draw = drawsFrom(5);
      const outputs = 5;
      const x = drawRows(draw, 23, 4, 2);
      const y = drawRows(draw, 23, outputs, 1).map((row) => {
        if (loss === "hinge" || loss === "squaredHinge") return row.map((value) => (value < 0 ? -1 : 1));
        const positive = row.map(Math.abs);
        const sum = positive.reduce((total, value) => total + value, 0);
        return activation === "softmax" ? positive.map((value) => value / sum) : positive;
      });
      const weights = x.map((_, row) => (row % 5 === 0 ? 0 : 2 ** ((row * 7) % 21)));
      const layers = [
        { units: 6, activation: "tanh" as const },
        { units: outputs, activation },
      ];
      for (let batchSize = 1; batchSize <= 9; batchSize++) {
        for (const weighting of [{}, { sampleWeights: weights }]) {
          const [simd, js] = (["simd", "js"] as const).map((core) => {
            using network = Network.createSync({ inputs: 4, layers, loss }, { dtype, core, seed: 3 });
            const before = network.evaluate(x, y, weighting).loss;
            network.fitSync(x, y, { epochs: 2, batchSize, ...weighting, optimizer: "sgd" });
            return { before, parameters: network.weights(), after: network.evaluate(x, y, weighting) };
          });
          expect(simd, `batches of ${batchSize}, ${Object.keys(weighting)}`).toEqual(js);
        }
      }
    },
  );
});

test.each(["simd", "js"] as const)(
  "%s: an error signal below the normal numbers is 0 before a weight enlarges it",
  (core) => {
    const layers = [{ units: 1, activation: "sigmoid" as const, init: [[1]] }];
    const x = (z: number) => Array.from({ length: 64 }, () => [z]);
    const biasAfterStep = (z: number) => {
      using network = Network.createSync({ inputs: 1, layers, loss: "squaredError" }, { dtype: "float32", core });
      const [y, sampleWeights] = [x(0.25), x(0).map((_, row) => Number(row === 0))];
      // The only row that counts has the weight 64, since their mean is 1.
      network.fitSync(x(z), y, { batchSize: 1, epochs: 1, sampleWeights, optimizer: { type: "sgd", learningRate: 1 } });
      return network.weights()[0]!.b![0]!;
    };
    // (σ − ¼)·σ′ is −1.12e-38 at −86, below 2^-126 = 1.18e-38, and −3.04e-38 at −85.
    expect(biasAfterStep(-86)).toBe(0);
    expect(biasAfterStep(-85)).toBeGreaterThan(64 * 2 ** -126);
  },
);

test("a weighted evaluation of more rows than are staged at once has the JS core's loss", () => {
  const draw = drawsFrom(8);
  const [rows, outputs] = [1200, 110];
  const fill = (count: number) => Float32Array.from({ length: count }, draw);
  const x = { data: fill(rows * 4), shape: [rows, 4] as [number, number] };
  const y = { data: fill(rows * outputs), shape: [rows, outputs] as [number, number] };
  const sampleWeights = fill(rows);
  const losses = (["simd", "js"] as const).map((core) => {
    using network = Network.createSync({ inputs: 4, layers: [{ units: outputs }] }, { core, seed: 1 });
    return network.evaluate(x, y, { sampleWeights }).loss;
  });
  expect(losses[0]).toBe(losses[1]);
});

describe("weights of samples", () => {
  const draw = drawsFrom(11);
  const [x, y] = [drawRows(draw, 12, 3, 1), drawRows(draw, 12, 2, 1)];
  const weights = x.map((_, row) => row % 3);
  const spec = { inputs: 3, layers: [{ units: 4, activation: "tanh" as const }, { units: 2 }] };
  const create = () => Network.createSync(spec, { dtype: "float64", seed: 2 });
  const repeated = <T>(rows: T[]) => rows.flatMap((row, i) => Array.from({ length: weights[i]! }, () => row));

  test("a step with weights 0, 1 and 2 is a step on rows left out, once and twice", () => {
    using weighted = create();
    using plain = create();
    const optimizer = "sgd";
    const loss = weighted.step(x, y, { optimizer, sampleWeights: weights });
    // 12 rows of weight 1 on the mean on the one side, 12 rows on the other.
    expect(repeated(x).length).toBe(12);
    expect(Math.abs(plain.step(repeated(x), repeated(y), { optimizer }) - loss)).toBeLessThan(1e-14);
    expect(plain.evaluate(repeated(x), repeated(y)).loss).toBeCloseTo(
      weighted.evaluate(x, y, { sampleWeights: weights }).loss,
      13,
    );
    for (const [l, { W }] of weighted.weights().entries()) {
      for (const [i, value] of W.data.entries())
        expect(Math.abs(value - plain.weights()[l]!.W.data[i]!)).toBeLessThan(1e-14);
    }
  });

  test("only their ratios count, rows of weight 0 not at all, and equal weights are no weights", () => {
    const trained = (sampleWeights?: number[], rows = x) => {
      using network = create();
      network.fitSync(rows, y, { epochs: 3, batchSize: 5, ...(sampleWeights && { sampleWeights }) });
      return network.weights();
    };
    const expected = trained(weights);
    expect(trained(weights.map((weight) => 4 * weight))).toEqual(expected);
    const other = x.map((row, i) => (weights[i] === 0 ? row.map((value) => value + 1) : row));
    expect(trained(weights, other)).toEqual(expected);
    expect(trained(x.map(() => 8))).toEqual(trained());
    expect(trained(weights)).not.toEqual(trained());
  });

  test("weights that cannot be are refused before anything changes", () => {
    using network = create();
    const before = network.save();
    const refuses = (sampleWeights: number[], message: string) => {
      expect(() => network.fitSync(x, y, { sampleWeights })).toThrow(new RangeError(message));
      expect(() => network.step(x, y, { sampleWeights })).toThrow(new RangeError(message));
      expect(() => network.evaluate(x, y, { sampleWeights })).toThrow(new RangeError(message));
    };
    refuses([1, 2], "sampleWeights: expected 12 numbers, got 2");
    refuses(weights.with(4, -1), "sampleWeights: expected numbers ≥ 0, got -1 in row 4");
    refuses(
      weights.map(() => 0),
      "sampleWeights: expected a number above 0 in some row, got none",
    );
    refuses(weights.with(3, NaN), "sampleWeights[3]: expected a number that is finite in float64, got NaN");
    expect(network.save()).toEqual(before);
  });

  test("an unfinished epoch does not go on with other weights", () => {
    const half = (sampleWeights: number[]) => {
      using network = create();
      network.fitSync(x, y, { batchSize: 4, maxSteps: 2, sampleWeights: weights });
      return network.fitSync(x, y, { batchSize: 4, epochs: 1, sampleWeights }).epochs[0]?.loss;
    };
    expect(half(weights.with(1, 2))).not.toBe(half(weights));
  });
});
