// The 2-2-2 network without biases: inputs x0 x1, hidden y0 y1, outputs z0 z1, all logistic, the error ½·Σ(z − desired)².
// Its text names the eight weights w{layer}{to}{from}; a bias is an input that is always 1.
import { describe, expect, test } from "vitest";
import { Network, type NetworkSpec } from "../../src/index.ts";

const X = [0.35, 0.9] as const;
const DESIRED = [0.5, 0.1] as const;
const NAMES = ["w000", "w001", "w010", "w011", "w100", "w101", "w110", "w111"] as const;
const WEIGHTS = [0.1, 0.8, 0.4, 0.6, 0.3, 0.9, -0.7, 0.2];

const spec = (weights: readonly number[]): NetworkSpec => ({
  inputs: 2,
  layers: [
    { units: 2, activation: "sigmoid", bias: false, init: [weights.slice(0, 2), weights.slice(2, 4)] },
    { units: 2, activation: "sigmoid", bias: false, init: [weights.slice(4, 6), weights.slice(6, 8)] },
  ],
  loss: "squaredError",
});

const sigmoid = (s: number) => 1 / (1 + Math.exp(-s));

function forward(w: readonly number[]) {
  const y0 = sigmoid(w[0]! * X[0] + w[1]! * X[1]);
  const y1 = sigmoid(w[2]! * X[0] + w[3]! * X[1]);
  const z0 = sigmoid(w[4]! * y0 + w[5]! * y1);
  const z1 = sigmoid(w[6]! * y0 + w[7]! * y1);
  return { y0, y1, z0, z1, error: 0.5 * (z0 - DESIRED[0]) ** 2 + 0.5 * (z1 - DESIRED[1]) ** 2 };
}

/** The error of the network nudged in one weight up and down: the derivative to about 1e-10. */
function centralDifferences(errorAt: (weights: readonly number[]) => number): number[] {
  const h = 6e-6;
  return WEIGHTS.map((w, i) => (errorAt(WEIGHTS.with(i, w + h)) - errorAt(WEIGHTS.with(i, w - h))) / (2 * h));
}

describe.each(["simd", "js"] as const)("the 2-2-2 network without biases on the %s core", (core) => {
  const create = (weights: readonly number[] = WEIGHTS) =>
    Network.createSync(spec(weights), { dtype: "float64", core });
  const gradients = () => {
    using network = create();
    return network.gradients([[...X]], [[...DESIRED]]).layers;
  };

  test("it has eight parameters and no b", () => {
    using network = create();
    expect(network.parameterCount).toBe(8);
    expect(network.weights().map((layer) => Object.keys(layer))).toEqual([["W"], ["W"]]);
    expect(gradients().map((layer) => Object.keys(layer))).toEqual([["W"], ["W"]]);
  });

  test("its outputs and error are those of the formulas", () => {
    using network = create();
    const { z0, z1, error } = forward(WEIGHTS);
    const out = network.predict([[...X]]).data;
    expect(out[0]).toBeCloseTo(z0, 14);
    expect(out[1]).toBeCloseTo(z1, 14);
    expect(network.evaluate([[...X]], [[...DESIRED]]).loss).toBeCloseTo(error, 14);
  });

  test("all eight derivatives agree with central differences of the network's own error", () => {
    const differences = centralDifferences((weights) => {
      using network = create(weights);
      return network.evaluate([[...X]], [[...DESIRED]]).loss;
    });
    const actual = gradients().flatMap(({ W }) => Array.from(W.data));
    for (const [i, name] of NAMES.entries()) {
      expect(Math.abs(actual[i]! - differences[i]!), `∂E/∂${name}`).toBeLessThan(1e-9);
      expect(Math.abs(differences[i]!), `∂E/∂${name} is not 0`).toBeGreaterThan(1e-4);
    }
  });

  test("∂E/∂w100 is (z0 − z0_desired)·z0·(1 − z0)·y0 and not what the text prints", () => {
    const { y0, z0 } = forward(WEIGHTS);
    const derivative = (z0 - DESIRED[0]) * z0 * (1 - z0) * y0;
    // The text: (z0_desired − z0)·(z0s·(1 − z0s))·y0 with the net input z0s where the output belongs, and the sign turned.
    const z0s = Math.log(z0 / (1 - z0));
    const printed = (DESIRED[0] - z0) * (z0s * (1 - z0s)) * y0;
    const w100 = gradients()[1]!.W.data[0]!;
    expect(w100).toBeCloseTo(derivative, 14);
    expect(w100).toBeCloseTo(centralDifferences((weights) => forward(weights).error)[4]!, 9);
    expect(Math.abs(w100 - printed)).toBeGreaterThan(1e-2);
    expect(Math.abs(w100 + printed)).toBeGreaterThan(1e-3);
    // Turning the sign alone does not save it, nor does the right argument alone.
    expect(Math.abs(w100 - (DESIRED[0] - z0) * z0 * (1 - z0) * y0)).toBeGreaterThan(1e-2);
  });

  test("a bias is the weight of an input that is always 1", () => {
    const withBias: NetworkSpec = {
      inputs: 2,
      layers: [
        {
          units: 2,
          activation: "sigmoid",
          init: [
            [0.1, 0.8],
            [0.4, 0.6],
          ],
          biasInit: [0.25, -0.5],
        },
      ],
      loss: "squaredError",
    };
    const withOne: NetworkSpec = {
      inputs: 3,
      layers: [
        {
          units: 2,
          activation: "sigmoid",
          bias: false,
          init: [
            [0.1, 0.8, 0.25],
            [0.4, 0.6, -0.5],
          ],
        },
      ],
      loss: "squaredError",
    };
    using biased = Network.createSync(withBias, { dtype: "float64", core });
    using plain = Network.createSync(withOne, { dtype: "float64", core });
    const y = [[...DESIRED]];
    const ofBias = biased.gradients([[...X]], y).layers[0]!;
    const ofOne = plain.gradients([[...X, 1]], y).layers[0]!.W.data;
    const expected = [ofOne[0]!, ofOne[1]!, ofOne[3]!, ofOne[4]!, ofOne[2]!, ofOne[5]!];
    for (const [i, value] of [...ofBias.W.data, ...ofBias.b!].entries()) expect(value).toBeCloseTo(expected[i]!, 14);
    biased.fitSync([[...X]], y, { epochs: 20, optimizer: "sgd" });
    plain.fitSync([[...X, 1]], y, { epochs: 20, optimizer: "sgd" });
    const one = plain.weights()[0]!.W.data;
    expect(biased.weights()[0]!.b![0]).toBeCloseTo(one[2]!, 13);
    expect(biased.weights()[0]!.b![1]).toBeCloseTo(one[5]!, 13);
  });
});
