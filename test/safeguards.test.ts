// Penalties, clipping, the largest norm of a unit: against PyTorch (test/fixtures/pytorch/safeguards.py), float64.
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { type Clipping, type FitOptions, Network, type NetworkSpec } from "../src/index.ts";
import { tuning } from "../src/training/tuning.ts";
import { stateOf } from "./saved-state.ts";

interface Layer {
  W: number[][];
  b: number[];
}

const fixture = JSON.parse(readFileSync(new URL("fixtures/pytorch/safeguards.json", import.meta.url), "utf8")) as {
  initial: Layer[];
  x: number[][];
  y: number[][];
  rprop: { losses: number[]; weights: Layer[] };
  runs: { layers: object[]; clipping: Clipping; losses: number[]; norms: number[]; weights: Layer[] }[];
};
const { x, y, initial } = fixture;
const optimizer = { type: "momentum", learningRate: 0.1, momentum: 0.8 } as const;

const specOf = (layers: readonly object[]): NetworkSpec => ({
  inputs: 3,
  layers: [
    { units: 5, activation: "tanh", ...layers[0] },
    { units: 2, ...layers[1] },
  ],
});

function made(
  layers: readonly object[],
  core: "simd" | "js" = "simd",
  dtype: "float32" | "float64" = "float64",
): Network {
  const network = Network.createSync(specOf(layers), { dtype, core });
  network.setWeights(initial);
  return network;
}

function flat(weights: readonly { W: { data: ArrayLike<number> }; b?: ArrayLike<number> }[]): number[] {
  return weights.flatMap(({ W, b }) => [...Array.from(W.data), ...Array.from(b ?? [])]);
}

describe.each(["simd", "js"] as const)("9 steps on the %s core are PyTorch's", (core) => {
  test.each(fixture.runs.map((run) => [JSON.stringify([run.layers, run.clipping]), run] as const))("%s", (_, run) => {
    const network = made(run.layers, core);
    const history = network.fitSync(x, y, { epochs: 9, batchSize: "full", optimizer, ...run.clipping });
    for (const [i, { loss }] of history.epochs.entries()) {
      expect(Math.abs(loss - run.losses[i]!)).toBeLessThanOrEqual(1e-12 * run.losses[i]!);
    }
    const expected = run.weights.flatMap(({ W, b }) => [...W.flat(), ...b]);
    for (const [i, value] of flat(network.weights()).entries()) {
      expect(Math.abs(value - expected[i]!), `parameter ${i}`).toBeLessThanOrEqual(1e-10 * Math.abs(expected[i]!));
    }
    const single = made(run.layers, core);
    for (let i = 0; i < 9; i++) single.step(x, y, { optimizer, ...run.clipping });
    expect(single.weights()).toEqual(network.weights());
  });
});

test.each(["simd", "js"] as const)("9 steps of rprop on the %s core are PyTorch's", (core) => {
  const network = made([{}, {}], core);
  const options = { learningRate: 0.1, increase: 1.3, decrease: 0.6, minStep: 0.02, maxStep: 0.15 };
  const { epochs } = network.fitSync(x, y, { epochs: 9, optimizer: { type: "rprop", ...options } });
  expect(epochs.map(({ loss }) => loss)).toEqual(fixture.rprop.losses.map((loss) => expect.closeTo(loss, 12)));
  const expected = fixture.rprop.weights.flatMap(({ W, b }) => [...W.flat(), ...b]);
  for (const [i, value] of flat(network.weights()).entries()) {
    expect(Math.abs(value - expected[i]!), `parameter ${i}`).toBeLessThanOrEqual(1e-10 * Math.abs(expected[i]!));
  }
});

describe("penalties", () => {
  const layers = [{ l1: 0.03, l2: 0.01, penalizeBias: true }, { l2: 0.5 }];

  test("are part of the gradient, and evaluate shows them beside the loss", () => {
    const network = made(layers);
    expect(network.check(x, y).maxRelativeError).toBeLessThan(1e-7);
    const [first, second] = initial as [Layer, Layer];
    const all = [...first.W.flat(), ...first.b];
    const penalty =
      0.03 * all.reduce((sum, w) => sum + Math.abs(w), 0) +
      0.01 * all.reduce((sum, w) => sum + w * w, 0) +
      0.5 * second.W.flat().reduce((sum, w) => sum + w * w, 0);
    const evaluation = network.evaluate(x, y);
    expect(evaluation.penalty).toBeCloseTo(penalty, 12);
    expect(evaluation.loss).toBe(made([{}, {}]).evaluate(x, y).loss);
    expect(network.gradients(x, y).loss).toBe(evaluation.loss + evaluation.penalty);
    const { epochs } = network.fitSync(x, y, { epochs: 1, batchSize: "full", optimizer, validation: { x, y } });
    expect(epochs[0]!.loss).toBe(evaluation.loss + evaluation.penalty);
    expect(epochs[0]!.validation).toEqual(network.evaluate(x, y));
  });

  test("of frozen layers count in the loss and change nothing", () => {
    const network = made([{ l2: 0.1, trainable: false }, {}]);
    const plain = made([{ trainable: false }, {}]);
    const options = { epochs: 4, batchSize: 4, optimizer };
    const [a, b] = [network.fitSync(x, y, options), plain.fitSync(x, y, options)];
    expect(network.weights()).toEqual(plain.weights());
    expect(a.epochs[0]!.loss - b.epochs[0]!.loss).toBeCloseTo(network.evaluate(x, y).penalty, 12);
  });

  test("stay with the network: saved, loaded, shown in its spec", () => {
    const network = made(layers);
    const loaded = Network.loadSync(network.save());
    expect(loaded.spec).toEqual(network.spec);
    expect(loaded.spec.layers[0]).toMatchObject({ l1: 0.03, l2: 0.01, penalizeBias: true });
    expect(loaded.evaluate(x, y)).toEqual(network.evaluate(x, y));
  });
});

describe("bits", () => {
  const options: FitOptions = { epochs: 3, batchSize: 4, clipValue: 0.3, clipNorm: 0.4 };
  const layers = [
    { l1: 0.01, l2: 0.02, maxNorm: 0.9 },
    { l2: 0.1, maxNorm: 0.5 },
  ];

  test.each(["float32", "float64"] as const)("%s: both cores, with every optimizer, whole and in pieces", (dtype) => {
    for (const type of ["sgd", "momentum", "adam", "lion"] as const) {
      const run = (core: "simd" | "js") => {
        const network = made(layers, core, dtype);
        network.fitSync(x, y, { ...options, optimizer: type });
        return stateOf(network);
      };
      const expected = run("simd");
      expect(run("js")).toEqual(expected);
      try {
        tuning.pieceWeights = 8;
        expect(run("simd")).toEqual(expected);
        expect(run("js")).toEqual(expected);
      } finally {
        tuning.pieceWeights = undefined;
      }
    }
  });

  test("sums of more than a block of 4096 elements are equal in pieces and on both cores", () => {
    const spec: NetworkSpec = {
      inputs: 90,
      layers: [{ units: 100, activation: "relu", l1: 1e-3, l2: 1e-3 }, { units: 3 }],
    };
    const rows = Array.from({ length: 9 }, (_, r) =>
      Array.from({ length: 90 }, (_, c) => ((r * 37 + c * 11) % 23) / 23),
    );
    const targets = rows.map((row) => row.slice(0, 3));
    const run = (core: "simd" | "js", pieces?: number) => {
      tuning.pieceWeights = pieces;
      try {
        const network = Network.createSync(spec, { core, seed: 2 });
        network.fitSync(rows, targets, { epochs: 2, batchSize: 4, clipNorm: 0.01, optimizer: "adam" });
        return stateOf(network);
      } finally {
        tuning.pieceWeights = undefined;
      }
    };
    const expected = run("simd");
    expect(run("js")).toEqual(expected);
    expect(run("simd", 1000)).toEqual(expected);
    expect(run("js", 3333)).toEqual(expected);
  });
});

describe("minGradient", () => {
  test("ends training with the first step whose gradient is small enough", () => {
    const { norms } = fixture.runs[0]!;
    const network = made(fixture.runs[0]!.layers);
    const limit = [...norms].sort((a, b) => a - b)[4]! * (1 + 1e-9);
    const history = network.fitSync(x, y, { epochs: 9, batchSize: "full", optimizer, minGradient: limit });
    expect(history.stopped).toBe("minGradient");
    expect(history.epochs).toHaveLength(norms.findIndex((norm) => norm <= limit) + 1);
  });
});

test("what cannot be is refused, and nothing changes", () => {
  const create = (layer: object) => () => Network.createSync({ inputs: 2, layers: [{ units: 1, ...layer }] });
  expect(create({ l1: -1 })).toThrow("layers[0].l1: expected a number ≥ 0 and finite in float32, got -1");
  expect(create({ l2: 1e39 })).toThrow("layers[0].l2: expected a number ≥ 0 and finite in float32");
  expect(create({ maxNorm: 0 })).toThrow("layers[0].maxNorm: expected a number > 0 and finite in float32, got 0");
  expect(create({ bias: false, penalizeBias: true })).toThrow("layers[0].penalizeBias: expected false");
  const network = made([{}, {}]);
  const before = stateOf(network);
  expect(() => network.fitSync(x, y, { clipNorm: 0 })).toThrow(
    "clipNorm: expected a number > 0 and finite in float64, got 0",
  );
  expect(() => network.step(x, y, { clipValue: Number.NaN })).toThrow("clipValue: expected");
  expect(() => network.fitSync(x, y, { minGradient: 1, batchSize: 4 })).toThrow(
    'minGradient: expected batchSize "full", as a batch\'s gradient is noise, got 4 of 11 rows',
  );
  expect(stateOf(network)).toEqual(before);
});
