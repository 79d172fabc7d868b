// A loss, parameter or state that turns non-finite ends the run with a DivergenceError, and the network is back at the
// last step at which all were finite.
import { afterEach, describe, expect, test } from "vitest";
import { DivergenceError, type FitOptions, Network, type NetworkSpec } from "../../src/index.ts";
import { tuning } from "../../src/training/tuning.ts";
import { drawRows, drawsFrom } from "../draws.ts";
import { stateOf } from "../saved-state.ts";

type DType = "float32" | "float64";

interface Case {
  title: string;
  dtype: DType;
  spec: NetworkSpec;
  x: number[][];
  y: number[][];
  options: FitOptions;
  expected: { layer: number | undefined; quantity: string; step?: number };
}

const draw = drawsFrom(61);
const X = drawRows(draw, 21, 2, 1);
const Y = drawRows(draw, 21, 1, 1);

const CASES: Case[] = [
  {
    title: "weights that swing up over hundreds of steps, sgd in float32",
    dtype: "float32",
    spec: { inputs: 2, layers: [{ units: 1, bias: false }], loss: "squaredError" },
    x: X,
    y: Y,
    // Steps of two blocks and of one: chunks also end within a step.
    options: { optimizer: { type: "sgd", learningRate: 7 }, batchSize: 16 },
    expected: { layer: 0, quantity: "weights" },
  },
  {
    title: "a deep linear network that explodes, momentum in float64",
    dtype: "float64",
    spec: { inputs: 2, layers: [{ units: 2 }, { units: 1 }], loss: "squaredError" },
    x: X,
    y: Y,
    options: { optimizer: { type: "momentum", learningRate: 1.5 }, batchSize: 4 },
    expected: { layer: 0, quantity: "weights" },
  },
  {
    title: "one weight over 631 epochs of three blocks",
    dtype: "float32",
    spec: { inputs: 1, layers: [{ units: 1, bias: false, init: [[2]] }], loss: "squaredError" },
    x: Array.from({ length: 24 }, () => [1]),
    y: Array.from({ length: 24 }, () => [1]),
    options: { optimizer: { type: "sgd", learningRate: 2.15 }, batchSize: "full" },
    expected: { layer: 0, quantity: "weights", step: 631 },
  },
  {
    title: "a bias alone, sgd in float32",
    dtype: "float32",
    spec: {
      inputs: 2,
      layers: [
        { units: 2, trainable: false },
        { units: 1, trainable: "bias" },
      ],
      loss: "squaredError",
    },
    x: [[0, 0]],
    y: [[1e30]],
    options: { optimizer: { type: "sgd", learningRate: 1e20 } },
    expected: { layer: 1, quantity: "bias", step: 1 },
  },
  {
    title: "the square of a gradient in Adam's state, float32",
    dtype: "float32",
    spec: { inputs: 2, layers: [{ units: 1, init: "zeros" }], loss: "squaredError" },
    x: [[1, 1]],
    y: [[1e25]],
    options: { optimizer: "adam" },
    expected: { layer: 0, quantity: "optimizer state", step: 1 },
  },
  {
    title: "the loss alone, float64",
    dtype: "float64",
    spec: { inputs: 2, layers: [{ units: 1, init: "zeros" }], loss: "squaredError" },
    x: [[1, 1]],
    y: [[1e200]],
    options: { optimizer: { type: "sgd", learningRate: 1e-3 } },
    expected: { layer: undefined, quantity: "loss", step: 1 },
  },
];

afterEach(() => {
  tuning.blockSamples = undefined;
  tuning.chunkBlocks = undefined;
  tuning.pieceWeights = undefined;
});

async function divergence(call: () => unknown): Promise<DivergenceError> {
  try {
    await call();
  } catch (error) {
    expect(error).toBeInstanceOf(DivergenceError);
    return error as DivergenceError;
  }
  throw new Error("the run ended well");
}

describe.each(["simd", "js"] as const)("on the %s core", (core) => {
  describe.each(CASES)("$title", ({ dtype, spec, x, y, options, expected }) => {
    const create = () => Network.createSync(spec, { dtype, core, seed: 2 });
    const epochs = 5000;
    const fields = ({ epoch, step, layer, quantity }: DivergenceError) => ({ epoch, step, layer, quantity });

    test("is found at its step, and the step before it stands, whatever the chunks", async () => {
      using network = create();
      const error = await divergence(() => network.fitSync(x, y, { ...options, epochs }));
      expect(error).toMatchObject(expected);
      expect(error.message).toContain(`step ${error.step}`);
      expect(error.message).toContain(`epoch ${error.epoch}`);

      using twin = create();
      if (error.step > 1) twin.fitSync(x, y, { ...options, maxSteps: error.step - 1 });
      expect(stateOf(network).WGHT).toBe(stateOf(twin).WGHT);
      if (error.step > 1) expect(stateOf(network)).toEqual(stateOf(twin));
      const batch = options.batchSize === "full" ? x.length : (options.batchSize ?? 32);
      const perEpoch = Math.ceil(x.length / batch);
      expect(error.epoch).toBe(Math.ceil(error.step / perEpoch));
      expect(network.history.epochs.length).toBe(error.epoch - 1);

      for (const [blockSamples, chunkBlocks, pieceWeights] of [
        [8, undefined, 3],
        [8, 1],
        [8, 2],
        [8, 5],
        [8, 7],
        [8, 700],
        [undefined, 100],
        [16, undefined],
      ] as [number | undefined, number | undefined, number?][]) {
        tuning.blockSamples = blockSamples;
        tuning.chunkBlocks = chunkBlocks;
        tuning.pieceWeights = pieceWeights;
        using other = create();
        expect(fields(await divergence(() => other.fitSync(x, y, { ...options, epochs })))).toEqual(fields(error));
        expect(stateOf(other)).toEqual(stateOf(network));
      }
      tuning.blockSamples = undefined;
      tuning.chunkBlocks = undefined;
      tuning.pieceWeights = undefined;

      using asynchronous = create();
      expect(fields(await divergence(() => asynchronous.fit(x, y, { ...options, epochs })))).toEqual(fields(error));
      expect(stateOf(asynchronous)).toEqual(stateOf(network));
      using walked = create();
      const walk = async () => {
        for await (const _ of walked.epochs(x, y, { ...options, epochs }));
      };
      expect(fields(await divergence(walk))).toEqual(fields(error));
      expect(stateOf(walked)).toEqual(stateOf(network));
      using single = create();
      const singly = () => {
        for (let step = 0; step < 1e5; step++) single.fitSync(x, y, { ...options, maxSteps: 1 });
      };
      expect(fields(await divergence(singly))).toEqual(fields(error));
      expect(stateOf(single)).toEqual(stateOf(network));
    });

    test("leaves finite weights, and the network trains on from others", async () => {
      using network = create();
      const weights = network.weights();
      await divergence(() => network.fitSync(x, y, { ...options, epochs }));
      for (const { W, b } of network.weights()) {
        expect(W.data.every(Number.isFinite)).toBe(true);
        expect(b?.every(Number.isFinite) ?? true).toBe(true);
      }
      network.setWeights(weights);
      const { epochs: reports } = network.fitSync(
        x.slice(0, 1),
        y.slice(0, 1).map((row) => row.map(() => 1)),
        { epochs: 2, optimizer: { type: "sgd", learningRate: 1e-3 } },
      );
      expect(reports.length).toBe(2);
    });

    test("step() throws it too and changes nothing", async () => {
      using network = create();
      await divergence(() => network.fitSync(x, y, { ...options, epochs }));
      if (options.batchSize !== undefined && options.batchSize !== "full") return;
      const before = network.save();
      const error = await divergence(() => network.step(x, y, { optimizer: options.optimizer! }));
      expect(error).toMatchObject(expected);
      expect(network.save()).toEqual(before);
    });
  });

  // 255 epochs and one block a chunk: the next chunk that begins with a step is the eighteenth.
  test("4139 epochs of 17 blocks, in chunks that all end within a step, are traced back to the one that diverged", () => {
    const x = Array.from({ length: 136 }, () => [1]);
    const spec: NetworkSpec = { inputs: 1, layers: [{ units: 1, bias: false, init: [[2]] }], loss: "squaredError" };
    const optimizer = { type: "sgd", learningRate: 2.0215 } as const;
    const found = new Set<string>();
    for (const [blockSamples, chunkBlocks] of [
      [undefined, undefined],
      [8, 255 * 17 + 1],
    ]) {
      tuning.blockSamples = blockSamples;
      tuning.chunkBlocks = chunkBlocks;
      using network = Network.createSync(spec, { core });
      expect(() => network.fitSync(x, x, { epochs: 20_000, batchSize: "full", optimizer })).toThrow(DivergenceError);
      expect(network.history.epochs.map(({ epoch }) => epoch)).toEqual(Array.from({ length: 4138 }, (_, i) => i + 1));
      found.add(JSON.stringify(stateOf(network)));
    }
    expect(found.size).toBe(1);
  });

  test("a run in which nothing overflows has no DivergenceError at the largest finite values", () => {
    using network = Network.createSync({ inputs: 1, layers: [{ units: 1, init: [[1]] }] }, { core });
    const history = network.fitSync([[1e18]], [[1e18]], { epochs: 3, optimizer: { type: "sgd", learningRate: 1e-37 } });
    expect(history.epochs.every(({ loss }) => loss === 0)).toBe(true);
  });
});
