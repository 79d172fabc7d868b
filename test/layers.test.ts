// Dropout, Gaussian noise, batch and layer normalisation, from outside.
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { type LayerSpec, type LayerWeights, Network, type NetworkSpec } from "../src/index.ts";
import { tuning } from "../src/training/tuning.ts";
import { drawRows, drawsFrom } from "./draws.ts";
import { stateOf } from "./saved-state.ts";

interface Layer {
  W: number[][];
  b: number[];
  mean?: number[];
  variance?: number[];
}

const torch = JSON.parse(readFileSync(new URL("fixtures/pytorch/normalization.json", import.meta.url), "utf8")) as {
  x: number[][];
  y: number[][];
  first: Layer;
  last: Layer;
  runs: {
    type: "batchNormalization" | "layerNormalization";
    losses: number[];
    prediction: number[][];
    weights: Layer[];
  }[];
};

const numbers = (layers: readonly LayerWeights[]) =>
  layers.flatMap(({ W, b, mean, variance }) =>
    [W.data, b ?? [], mean ?? [], variance ?? []].flatMap((a) => Array.from(a)),
  );

describe.each(torch.runs)("7 steps with $type are PyTorch's", ({ type, losses, prediction, weights }) => {
  test.each(["simd", "js"] as const)("on the %s core: weights, running statistics, losses, predictions", (core) => {
    const norm = {
      type,
      epsilon: 1e-3,
      activation: "sigmoid",
      ...(type === "batchNormalization" && { momentum: 0.3 }),
    };
    const network = Network.createSync(
      { inputs: 3, layers: [{ units: 6 }, norm as LayerSpec, { units: 2 }] },
      { dtype: "float64", core },
    );
    const [, normal] = network.weights();
    network.setWeights([torch.first, normal!, torch.last]);
    const optimizer = { type: "momentum", learningRate: 0.3, momentum: 0.8 } as const;
    for (const loss of losses) expect(network.step(torch.x, torch.y, { optimizer })).toBeCloseTo(loss, 12);
    const expected = weights.flatMap(({ W, b, mean, variance }) => [
      ...W.flat(),
      ...b,
      ...(mean ?? []),
      ...(variance ?? []),
    ]);
    const found = numbers(network.weights());
    expect(found).toHaveLength(expected.length);
    for (const [i, value] of expected.entries()) {
      expect(Math.abs(found[i]! - value), `value ${i}`).toBeLessThanOrEqual(1e-10 * Math.max(Math.abs(value), 0.1));
    }
    const predicted = network.predict(torch.x).data;
    for (const [i, value] of prediction.flat().entries()) expect(predicted[i]).toBeCloseTo(value, 10);
  });
});

const KINDS: readonly (readonly [string, LayerSpec])[] = [
  ["dropout", { type: "dropout", rate: 0.4 }],
  ["gaussianNoise", { type: "gaussianNoise", deviation: 0.3 }],
  ["batchNormalization", { type: "batchNormalization", activation: "relu" }],
  ["layerNormalization", { type: "layerNormalization", activation: "silu" }],
];

const draw = drawsFrom(17);
const x = drawRows(draw, 37, 5, 1);
const y = x.map((row) => [Math.sin(row[0]! * 2), row[1]! * row[2]!]);

const specOf = (layer: LayerSpec): NetworkSpec => ({
  inputs: 5,
  layers: [layer, { units: 11, activation: "tanh" }, layer, { units: 6, activation: "silu" }, layer, { units: 2 }],
});

describe.each(KINDS)("%s", (_, layer) => {
  const batched = layer.type === "batchNormalization";
  const made = (core: "simd" | "js", dtype: "float32" | "float64", seed = 3) =>
    Network.createSync(specOf(layer), { core, dtype, seed });

  test.each(["float32", "float64"] as const)(
    "%s: both cores, any blocks, pieces and cuts: one state",
    async (dtype) => {
      for (const [batchSize, optimizer] of [
        [8, "adam"],
        [37, "sgd"],
        [13, "momentum"],
        ...(batched ? [] : [[1, "sgd"] as const]),
      ] as const) {
        const options = { batchSize, optimizer, validation: { x, y } } as const;
        const run = (core: "simd" | "js") => {
          const network = made(core, dtype);
          network.fitSync(x, y, { ...options, epochs: 3 });
          return stateOf(network);
        };
        const expected = run("simd");
        expect(run("js")).toEqual(expected);
        for (const change of [{ blockSamples: 8 }, { pieceWeights: 16 }, { chunkBlocks: 1 }]) {
          Object.assign(tuning, change);
          try {
            expect(run("simd")).toEqual(expected);
            expect(run("js")).toEqual(expected);
          } finally {
            Object.assign(tuning, { blockSamples: undefined, pieceWeights: undefined, chunkBlocks: undefined });
          }
        }
        let parts = made("simd", dtype);
        await parts.fit(x, y, { ...options, epochs: 1 });
        parts = Network.loadSync(parts.save());
        await parts.fit(x, y, { ...options, epochs: 2 });
        expect(stateOf(parts)).toEqual(expected);
      }
    },
  );

  test("its gradient is that of the loss: in float64, as the network predicts", () => {
    const network = made("simd", "float64");
    network.fitSync(x, y, { epochs: 2, batchSize: 8 });
    expect(network.check(x, y).maxRelativeError).toBeLessThan(1e-7);
    const dx = network.inputGradients(x, y).data;
    for (const [row, col] of [
      [0, 0],
      [7, 3],
      [36, 4],
    ] as const) {
      const at = (h: number) =>
        network.evaluate(
          x.map((r, i) => (i === row ? r.map((v, j) => (j === col ? v + h : v)) : r)),
          y,
        ).loss;
      const difference = (at(1e-6) - at(-1e-6)) / 2e-6;
      expect(Math.abs(dx[row * 5 + col]! - difference)).toBeLessThan(1e-8);
    }
  });

  test("its gradient is that of the loss in training: one plain step against the losses of nudged networks", () => {
    const network = made("simd", "float64", 5);
    const before = network.weights();
    // The noise of a step depends on its number alone, so clones draw the same.
    const lossAt = (l: number, part: "W" | "b", i: number, h: number) => {
      const clone = network.clone();
      const weights = clone.weights();
      const values = part === "W" ? weights[l]!.W.data : weights[l]!.b!;
      values[i]! += h;
      clone.setWeights(weights);
      return clone.step(x, y, { optimizer: { type: "sgd", learningRate: 1e-300 } });
    };
    const trained = network.clone();
    trained.step(x, y, { optimizer: { type: "sgd", learningRate: 1 } });
    const after = trained.weights();
    let largest = 0;
    let scale = 0;
    for (const [l, { W, b }] of before.entries()) {
      for (const [part, values] of [["W", W.data] as const, ["b", b ?? []] as const]) {
        const now = part === "W" ? after[l]!.W.data : after[l]!.b;
        for (let i = 0; i < values.length; i += 3) {
          const gradient = values[i]! - now![i]!;
          const difference = (lossAt(l, part, i, 1e-5) - lossAt(l, part, i, -1e-5)) / 2e-5;
          largest = Math.max(largest, Math.abs(gradient - difference));
          scale = Math.max(scale, Math.abs(difference));
        }
      }
    }
    expect(largest / scale).toBeLessThan(1e-7);
  });

  test("rows are predicted one by one as all together, and the spec is shown and kept", () => {
    const network = made("simd", "float32");
    network.fitSync(x, y, { epochs: 2, batchSize: 8 });
    const all = network.predict(x).data;
    for (const [r, row] of x.slice(0, 9).entries()) {
      expect([...network.predict([row]).data]).toEqual([...all.slice(2 * r, 2 * r + 2)]);
      const into = { data: new Float32Array(2), shape: [1, 2] as [number, number] };
      network.predict({ data: Float32Array.from(row), shape: [1, 5] }, { into });
      expect([...into.data]).toEqual([...all.slice(2 * r, 2 * r + 2)]);
    }
    const loaded = Network.loadSync(network.save());
    expect(loaded.spec).toEqual(network.spec);
    expect(loaded.weights()).toEqual(network.weights());
    expect(network.summary()).toContain(layer.type!);
  });
});

describe("dropout", () => {
  test("drops its share, keeps the mean, anew in every step, and nothing in a prediction", () => {
    // y = W·dropout(1): a step's loss tells how many inputs were kept.
    const spec: NetworkSpec = {
      inputs: 1000,
      layers: [
        { type: "dropout", rate: 0.25 },
        { units: 1, init: { type: "constant", value: 0.001 }, bias: false },
      ],
      loss: "squaredError",
    };
    const network = Network.createSync(spec, { dtype: "float64", seed: 9 });
    const ones = [new Array<number>(1000).fill(1)];
    expect(network.predict(ones).data[0]).toBeCloseTo(1, 12);
    const kept: number[] = [];
    for (let i = 0; i < 200; i++) {
      const loss = network.step(ones, [[0]], { optimizer: { type: "sgd", learningRate: 1e-300 } });
      kept.push(Math.sqrt(2 * loss) * 0.75);
    }
    const mean = kept.reduce((sum, v) => sum + v, 0) / kept.length;
    // Deviation of the mean: √(0.25·0.75/1000/200) = 0.00097
    expect(Math.abs(mean - 0.75)).toBeLessThan(0.004);
    expect(new Set(kept.map((v) => v.toFixed(6))).size).toBeGreaterThan(20);
    const deviation = Math.sqrt(kept.reduce((sum, v) => sum + (v - mean) ** 2, 0) / kept.length);
    expect(deviation).toBeGreaterThan(0.011);
    expect(deviation).toBeLessThan(0.017);
  });
});

describe("what cannot be is refused, and nothing changes", () => {
  const create = (layer: object) => () => Network.createSync({ inputs: 2, layers: [layer as LayerSpec, { units: 1 }] });

  test("specs", () => {
    expect(create({ type: "dropout", rate: 1 })).toThrow("layers[0].rate: expected a number ≥ 0 and < 1, got 1");
    expect(create({ type: "gaussianNoise", deviation: 0 })).toThrow("layers[0].deviation: expected a number > 0");
    expect(create({ type: "batchNormalization", momentum: 0 })).toThrow(
      "layers[0].momentum: expected a number > 0 and ≤ 1, got 0",
    );
    expect(create({ type: "layerNormalization", momentum: 0.1 })).toThrow("layers[0]: unknown option 'momentum'");
    expect(create({ type: "batchNormalization", activation: "softmax" })).toThrow(
      "layers[0].activation: expected one of a hidden layer",
    );
    expect(() => Network.createSync({ inputs: 2, layers: [{ units: 1 }, { type: "dropout", rate: 0.5 }] })).toThrow(
      "layers: expected a dense layer at the end, got dropout",
    );
  });

  test("batches of one sample with batch normalisation", () => {
    const network = Network.createSync({ inputs: 5, layers: [{ type: "batchNormalization" }, { units: 2 }] });
    const before = stateOf(network);
    expect(() => network.fitSync(x, y, { batchSize: 9 })).toThrow(
      "batchSize: expected batches of at least 2 samples for layers[0], batchNormalization, got a last batch of 1 from 37 rows and batchSize 9",
    );
    expect(() => network.fitSync(x, y, { batchSize: 1 })).toThrow("got batches of 1 from 37 rows");
    expect(() => network.step([x[0]!], [y[0]!])).toThrow(
      "x: expected at least 2 rows for layers[0], batchNormalization, got 1",
    );
    expect(() =>
      network.setWeights([{ ...network.weights()[0]!, variance: [1, 1, -1, 1, 1] }, network.weights()[1]!]),
    ).toThrow("weights[0].variance[2]: expected a number ≥ 0, got -1");
    expect(stateOf(network)).toEqual(before);
  });

  test.each(["dropout", "gaussianNoise", "batchNormalization"] as const)("full-batch methods on %s", (type) => {
    const layer = KINDS.find(([name]) => name === type)![1];
    const network = Network.createSync(specOf(layer));
    for (const optimizer of ["rprop", "scg", "lbfgs", "lm"] as const) {
      expect(() => network.fitSync(x, y, { optimizer })).toThrow(
        `optimizer: '${optimizer}' expects layers whose loss is the same in every step, got layers[0], ${type}`,
      );
    }
  });
});
