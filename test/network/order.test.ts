// Which rows a step sees, and what an epoch reports: read off a network whose only parameter practically stands still.
import { describe, expect, test } from "vitest";
import { type FitOptions, Network, type NetworkSpec } from "../../src/index.ts";
import { drawRows, drawsFrom } from "../draws.ts";
import { chunksOf } from "../saved-state.ts";

const ROWS = 23;
// The output is 0 and row i has the loss ½·(2ⁱ)²: a sum of losses tells which rows are in it.
const SPEC: NetworkSpec = {
  inputs: 1,
  layers: [{ units: 1, init: "zeros", trainable: "bias" }],
  loss: "squaredError",
};
const X = Array.from({ length: ROWS }, () => [0]);
const Y = Array.from({ length: ROWS }, (_, i) => 2 ** i);
const STILL = { optimizer: { type: "sgd", learningRate: 1e-40 } } as const;
const ALL = (4 ** ROWS - 1) / 6;

const lossSum = (network: Network): number =>
  JSON.parse(new TextDecoder().decode(chunksOf(network.save()).get("prog")!)).epochLoss;

/** The rows of each step of one epoch, ascending within a step. */
function visited(network: Network, options: FitOptions): number[][] {
  const steps: number[][] = [];
  const epochs = network.history.epochs.length;
  let before = lossSum(network);
  while (network.history.epochs.length === epochs) {
    network.fitSync(X, Y, { ...STILL, ...options, maxSteps: 1 });
    const ended = network.history.epochs.length > epochs;
    const after = ended ? network.history.epochs.at(-1)!.loss * ROWS : lossSum(network);
    const sum = Math.round(2 * (after - before));
    steps.push(X.map((_, i) => i).filter((i) => Math.floor(sum / 4 ** i) % 4 === 1));
    before = after;
  }
  return steps;
}

const create = (seed = 0, core: "simd" | "js" = "simd") => Network.createSync(SPEC, { dtype: "float64", seed, core });
const identity = X.map((_, i) => i);

describe.each(["simd", "js"] as const)("on the %s core an epoch of 23 rows", (core) => {
  test.each([1, 4, 8, 22, 23, 100])(
    "in batches of %i visits every row once, in another order each time",
    (batchSize) => {
      using network = create(0, core);
      const orders = new Set<string>();
      for (let epoch = 0; epoch < 4; epoch++) {
        const steps = visited(network, { batchSize });
        expect(steps.map(({ length }) => length)).toEqual(
          Array.from({ length: Math.ceil(ROWS / batchSize) }, (_, s) => Math.min(batchSize, ROWS - s * batchSize)),
        );
        expect(steps.flat().sort((a, b) => a - b)).toEqual(identity);
        orders.add(JSON.stringify(steps));
      }
      expect(orders.size).toBe(batchSize >= ROWS ? 1 : 4);
    },
  );

  test("without shuffle, and with batchSize 'full', takes them as they are given", () => {
    using network = create(0, core);
    expect(visited(network, { batchSize: 1, shuffle: false }).flat()).toEqual(identity);
    expect(visited(network, { batchSize: 5, shuffle: false })[1]).toEqual([5, 6, 7, 8, 9]);
    expect(visited(network, { batchSize: "full" })).toEqual([identity]);
  });

  test("reports the loss of all its rows", () => {
    using network = create(0, core);
    const { epochs } = network.fitSync(X, Y, { ...STILL, epochs: 3, batchSize: 4 });
    for (const { loss } of epochs) expect(loss * ROWS).toBeCloseTo(ALL, -4);
  });
});

describe("the order", () => {
  test("follows the seed and the epoch, not the batch size, the initialiser or the validation rows beside it", () => {
    const order = (seed: number, options: FitOptions, spec: NetworkSpec = SPEC) => {
      using network = Network.createSync(spec, { dtype: "float64", seed });
      const first = visited(network, { batchSize: 1, ...options }).flat();
      return [first, visited(network, { batchSize: 1, ...options }).flat()];
    };
    const [first, second] = order(3, {}) as [number[], number[]];
    expect(order(3, {})).toEqual([first, second]);
    expect(order(4, {})[0]).not.toEqual(first);
    expect(order(3 + 2 ** 32, {})[0]).not.toEqual(first);
    expect(order(3, { validation: { x: [[0]], y: [1] } })).toEqual([first, second]);
    const other: NetworkSpec = {
      ...SPEC,
      layers: [
        { units: 4, init: "heNormal", trainable: false },
        { units: 1, init: "zeros", trainable: "bias" },
      ],
    };
    expect(order(3, {}, other)).toEqual([first, second]);
    using network = create(3);
    const pairs = visited(network, { batchSize: 2 });
    expect(pairs.map((pair) => [...pair])).toEqual(
      pairs.map((_, s) => first.slice(2 * s, 2 * s + 2).sort((a, b) => a - b)),
    );
  });

  test("of a set of 2 rows is both ways equally often, within four standard deviations in 400 epochs", () => {
    using network = create(1);
    let swapped = 0;
    for (let epoch = 0; epoch < 400; epoch++) {
      network.fitSync([[0], [0]], [1, 2], { ...STILL, batchSize: 1, maxSteps: 1 });
      if (lossSum(network) === 2) swapped++;
      network.fitSync([[0], [0]], [1, 2], { ...STILL, batchSize: 1, maxSteps: 1 });
    }
    expect(Math.abs(swapped - 200)).toBeLessThan(40);
  });
});

describe("an epoch's report", () => {
  test("is the mean over 70 samples of the loss and the hits when each batch was computed, the last one of 22", () => {
    const draw = drawsFrom(91);
    const x = drawRows(draw, 70, 5, 1);
    const y = x.map((row) => Number(row[0]! > row[1]!));
    const spec: NetworkSpec = {
      inputs: 5,
      layers: [
        { units: 6, activation: "tanh" },
        { units: 2, activation: "softmax" },
      ],
    };
    for (const dtype of ["float32", "float64"] as const) {
      using network = Network.createSync(spec, { dtype });
      using twin = Network.createSync(spec, { dtype });
      const optimizer = { type: "momentum", learningRate: 0.3 } as const;
      const { epochs } = network.fitSync(x, y, { epochs: 3, batchSize: 24, shuffle: false, optimizer });
      for (const { loss, metrics, learningRate } of epochs) {
        let sum = 0;
        let hits = 0;
        for (const [begin, end] of [
          [0, 24],
          [24, 48],
          [48, 70],
        ] as const) {
          hits += Math.round(twin.evaluate(x.slice(begin, end), y.slice(begin, end)).accuracy! * (end - begin));
          sum += (end - begin) * twin.step(x.slice(begin, end), y.slice(begin, end), { optimizer });
        }
        expect(loss).toBe(sum / 70);
        expect(metrics.accuracy).toBe(hits / 70);
        expect(learningRate).toBe(0.3);
      }
      expect(network.weights()).toEqual(twin.weights());
    }
  });
});
