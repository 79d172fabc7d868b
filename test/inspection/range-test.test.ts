// The learning-rate range test.
import { describe, expect, test } from "vitest";
import { iris } from "../../src/datasets/index.ts";
import { Network, type NetworkSpec } from "../../src/index.ts";

const x = Array.from({ length: 40 }, (_, i) => [Math.sin(i), Math.cos(i)]);
const y = x.map(([a = 0, b = 0]) => a - 2 * b);
const neuron: NetworkSpec = { inputs: 2, layers: [{ units: 1 }] };

describe("findLearningRate", () => {
  test("rates grow by one factor; the network and its state stay as they are", async () => {
    const network = Network.createSync(neuron);
    network.fitSync(x, y, { epochs: 2 });
    const before = network.save();
    const { rates, losses, smoothed } = await network.findLearningRate(x, y, {
      from: 1e-4,
      to: 1e-2,
      steps: 21,
      optimizer: "sgd",
    });
    expect(rates.length).toBe(21);
    expect(rates[0]).toBeCloseTo(1e-4, 12);
    expect(rates[10]).toBeCloseTo(1e-3, 12);
    expect(rates[20]).toBeCloseTo(1e-2, 12);
    expect([losses.length, smoothed.length]).toEqual([21, 21]);
    expect(smoothed[0]).toBeCloseTo(losses[0] as number, 9);
    expect(network.save()).toEqual(before);
  });

  test("descent on a linear neuron: it ends beyond 2/λ, where the loss must rise, and suggests less, at which the loss falls", async () => {
    // Hessian of the mean squared error 2/N·Σ(x, 1)(x, 1)ᵀ: eigenvalues near 1, 1 and 2.
    const network = Network.createSync(neuron, { dtype: "float64" });
    const { rates, suggestion = 9 } = await network.findLearningRate(x, y, {
      optimizer: "sgd",
      batchSize: 40,
      from: 1e-3,
      to: 1000,
    });
    expect(rates.at(-1)).toBeGreaterThan(1);
    expect(rates.length).toBeLessThan(100);
    expect(suggestion).toBeGreaterThan(0.01);
    expect(suggestion).toBeLessThan(2);
    const before = network.evaluate(x, y).loss;
    network.fitSync(x, y, {
      epochs: 30,
      batchSize: "full",
      optimizer: { type: "sgd", learningRate: Math.min(0.9, suggestion) },
    });
    expect(network.evaluate(x, y).loss).toBeLessThan(0.1 * before);
  });

  test("the same curve on both cores; a scaling that no fit has found is found on the copy", async () => {
    const set = iris();
    const spec: NetworkSpec = {
      inputs: 4,
      layers: [{ type: "standardize" }, { units: 8, activation: "tanh" }, { units: 3, activation: "softmax" }],
    };
    const curves = await Promise.all(
      (["simd", "js"] as const).map((core) => Network.createSync(spec, { core }).findLearningRate(set.x, set.y)),
    );
    expect(curves[1]).toEqual(curves[0]);
    const { suggestion = 0 } = curves[0] ?? {};
    const network = Network.createSync(spec);
    network.fitSync(set.x, set.y, { epochs: 20, optimizer: { type: "adam", learningRate: suggestion } });
    expect(network.evaluate(set.x, set.y).accuracy).toBeGreaterThan(0.9);
  });

  test("where there is nothing to learn there is no suggestion", async () => {
    const network = Network.createSync(neuron, { dtype: "float64" });
    network.fitSync(x, y, { epochs: 200, optimizer: "lbfgs" });
    const noise = y.map((value, i) => value + (i % 2 === 0 ? 1e-3 : -1e-3));
    expect((await network.findLearningRate(x, noise, { batchSize: 40, optimizer: "sgd" })).suggestion).toBeUndefined();
  });

  test("an abort, and options that are out of range", async () => {
    const network = Network.createSync(neuron);
    const signal = AbortSignal.abort(new Error("enough"));
    await expect(network.findLearningRate(x, y, { signal })).rejects.toThrow("enough");
    await expect(network.findLearningRate(x, y, { from: 0 })).rejects.toThrow(
      "from: expected a finite number > 0, got 0",
    );
    await expect(network.findLearningRate(x, y, { from: 1, to: 1 })).rejects.toThrow(
      "to: expected a finite number above from (1), got 1",
    );
    await expect(network.findLearningRate(x, y, { steps: 1 })).rejects.toThrow("steps: expected an integer from 2");
    await expect(network.findLearningRate(x, y, { optimizer: "lm" })).rejects.toThrow("'lm'");
    await expect(network.findLearningRate(x, y.slice(1))).rejects.toThrow("y: expected 40 rows");
  });
});
