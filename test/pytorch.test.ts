// Weights after 9 steps against PyTorch, float64: test/fixtures/pytorch/make.py wrote the values.
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import {
  type ActivationName,
  type Loss,
  Network,
  type NetworkSpec,
  type Optimizer,
  type OptimizerName,
} from "../src/index.ts";
import { FULL_BATCH, OPTIMIZER_NAMES } from "../src/options/optimizer.ts";

interface Layer {
  W: number[][];
  b: number[];
}

interface Fixture {
  torch: string;
  inputs: number;
  activation: ActivationName;
  output: ActivationName;
  loss: Loss;
  batchSize: number;
  steps: number;
  initial: Layer[];
  x: number[][];
  /** Rows, or class indices. */
  y: number[][] | number[];
  runs: { optimizer: Extract<Optimizer, { learningRate?: number }>; losses: number[]; weights: Layer[] }[];
}

const read = (name: string) =>
  JSON.parse(readFileSync(new URL(`fixtures/pytorch/${name}.json`, import.meta.url), "utf8")) as Fixture;

const spec = ({ inputs, initial, activation, output, loss }: Fixture): NetworkSpec => ({
  inputs,
  layers: initial.map(({ b }, l) => ({ units: b.length, activation: l === 0 ? activation : output })),
  loss,
});

const near = (actual: number, expected: number) => Math.abs(actual - expected) <= 1e-10 * Math.abs(expected);

function expectWeights(network: Network, expected: readonly Layer[]) {
  for (const [l, { W, b }] of network.weights().entries()) {
    const found = [...W.data, ...b!];
    const wanted = [...expected[l]!.W.flat(), ...expected[l]!.b];
    expect(found.length).toBe(wanted.length);
    for (const [i, value] of wanted.entries()) {
      expect(near(found[i]!, value), `layer ${l}, parameter ${i}: ${found[i]} for ${value}`).toBe(true);
    }
  }
}

for (const [name, title] of [
  ["tanh-linear-mse", "a 3-5-2 network, tanh, linear outputs, mean squared error, 11 rows in batches of 4"],
  ["relu-softmax-ce", "a 4-6-3 network, relu, softmax, cross-entropy, 10 rows in batches of 3"],
] as const) {
  const fixture = read(name);
  const { x, y, batchSize, steps, initial, runs } = fixture;

  describe.each(["simd", "js"] as const)(`${title}, on the %s core`, (core) => {
    const create = () => {
      const network = Network.createSync(spec(fixture), { dtype: "float64", core });
      network.setWeights(initial);
      return network;
    };

    test("the fixture has every optimizer that PyTorch has, and a short last batch within its 9 steps", () => {
      const types = new Set<OptimizerName>(runs.map(({ optimizer }) => optimizer.type));
      // Full-batch methods: test/full-batch.
      const missing = OPTIMIZER_NAMES.filter((type) => !types.has(type) && !FULL_BATCH.includes(type));
      expect(missing).toEqual(["lion"]);
      expect(steps).toBe(9);
      expect(x.length % batchSize).toBeGreaterThan(0);
      expect(steps * batchSize).toBeGreaterThan(x.length);
    });

    test.each(runs)("fit with $optimizer.type has PyTorch's weights after 9 steps", ({ optimizer, weights }) => {
      using network = create();
      network.fitSync(x, y, { maxSteps: steps, batchSize, shuffle: false, optimizer });
      expectWeights(network, weights);
    });

    test.each(runs)(
      "step with $optimizer.type has PyTorch's loss before each of 9 steps",
      ({ optimizer, losses, weights }) => {
        using network = create();
        let position = 0;
        for (const loss of losses) {
          const end = Math.min(position + batchSize, x.length);
          const found = network.step(x.slice(position, end), y.slice(position, end), { optimizer });
          expect(near(found, loss), `${found} for ${loss}`).toBe(true);
          position = end === x.length ? 0 : end;
        }
        expectWeights(network, weights);
      },
    );

    test("another learning rate ends elsewhere", () => {
      const [{ optimizer, weights }] = runs as [Fixture["runs"][number]];
      using network = create();
      const other = { ...optimizer, learningRate: optimizer.learningRate! * (1 + 1e-7) } as Optimizer;
      network.fitSync(x, y, { maxSteps: steps, batchSize, shuffle: false, optimizer: other });
      expect(() => expectWeights(network, weights)).toThrow();
    });
  });
}
