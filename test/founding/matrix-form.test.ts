// Backpropagation on matrices: δ at the output is (a − y) ∘ f′(z), then δˡ = (Wˡ⁺¹)ᵀδˡ⁺¹ ∘ f′(zˡ) and
// ∂J/∂Wˡ = δˡ(aˡ⁻¹)ᵀ, the mean over m examples with the cost J = 1/(2m)·Σ‖a − y‖². Examples are columns here.
import { describe, expect, test } from "vitest";
import { type LayerWeights, Network, type NetworkSpec } from "../../src/index.ts";
import { drawRows, drawsFrom } from "../draws.ts";

type Mat = number[][];
const multiply = (a: Mat, b: Mat): Mat =>
  a.map((row) => b[0]!.map((_, j) => row.reduce((sum, value, k) => sum + value * b[k]![j]!, 0)));
const transpose = (a: Mat): Mat => a[0]!.map((_, j) => a.map((row) => row[j]!));
const times = (a: Mat, b: Mat): Mat => a.map((row, i) => row.map((value, j) => value * b[i]![j]!));
const minus = (a: Mat, b: Mat): Mat => a.map((row, i) => row.map((value, j) => value - b[i]![j]!));
const scale = (a: Mat, factor: number): Mat => a.map((row) => row.map((value) => value * factor));
const map = (a: Mat, f: (value: number) => number): Mat => a.map((row) => row.map(f));
const addColumn = (a: Mat, b: readonly number[]): Mat => a.map((row, i) => row.map((value) => value + b[i]!));
const rowSums = (a: Mat): number[] => a.map((row) => row.reduce((sum, value) => sum + value, 0));

const f = (z: number) => 1 / (1 + Math.exp(-z));
const fPrime = (z: number) => f(z) * (1 - f(z));

interface Layer {
  W: Mat;
  b: number[];
}

/** J and its gradients for m examples: X [inputs × m], Y [outputs × m]. */
function backpropagation(layers: Layer[], X: Mat, Y: Mat) {
  const m = X[0]!.length;
  const a: Mat[] = [X];
  const z: Mat[] = [];
  for (const { W, b } of layers) {
    z.push(addColumn(multiply(W, a.at(-1)!), b));
    a.push(map(z.at(-1)!, f));
  }
  // The text writes y − a; with it the update below would climb.
  const error = minus(a.at(-1)!, Y);
  const cost = error.flat().reduce((sum, value) => sum + value * value, 0) / (2 * m);
  let delta = times(error, map(z.at(-1)!, fPrime));
  const gradients: Layer[] = [];
  for (let l = layers.length - 1; l >= 0; l--) {
    gradients.unshift({ W: scale(multiply(delta, transpose(a[l]!)), 1 / m), b: scale([rowSums(delta)], 1 / m)[0]! });
    if (l > 0) delta = times(multiply(transpose(layers[l]!.W), delta), map(z[l - 1]!, fPrime));
  }
  return { cost, gradients };
}

const SIZES = [3, 5, 4, 2];
const M = 11;
const EPSILON = 0.12;

const spec = (layers: Layer[]): NetworkSpec => ({
  inputs: SIZES[0]!,
  layers: layers.map(({ W, b }) => ({ units: W.length, activation: "sigmoid", init: W, biasInit: b })),
  loss: "squaredError",
});

function example(seed: number) {
  const draw = drawsFrom(seed);
  const layers = SIZES.slice(1).map((units, l) => ({
    W: drawRows(draw, units, SIZES[l]!, 1),
    b: drawRows(draw, 1, units, 1)[0]!,
  }));
  return {
    layers,
    x: drawRows(draw, M, SIZES[0]!, 2),
    y: map(drawRows(draw, M, SIZES.at(-1)!, 1), (v) => v / 2 + 0.5),
  };
}

function expectLayers(actual: readonly LayerWeights[], expected: readonly Layer[], tolerance: number) {
  for (const [l, { W, b }] of expected.entries()) {
    expect(actual[l]!.W.shape).toEqual([W.length, W[0]!.length]);
    const got = [...actual[l]!.W.data, ...actual[l]!.b!];
    for (const [i, value] of [...W.flat(), ...b].entries()) {
      expect(Math.abs(got[i]! - value), `layer ${l}, parameter ${i}`).toBeLessThanOrEqual(tolerance);
    }
  }
}

describe.each(["simd", "js"] as const)("the matrix form on the %s core", (core) => {
  test("gradients of a 3-5-4-2 network are δ·aᵀ, the mean over 11 examples", () => {
    const { layers, x, y } = example(1);
    using network = Network.createSync(spec(layers), { dtype: "float64", core });
    const { cost, gradients } = backpropagation(layers, transpose(x), transpose(y));
    const actual = network.gradients(x, y);
    expect(actual.loss).toBeCloseTo(cost, 14);
    expectLayers(actual.layers, gradients, 1e-15);
  });

  test("the gradient of a batch is the mean of the gradients of its examples", () => {
    const { layers, x, y } = example(2);
    using network = Network.createSync(spec(layers), { dtype: "float64", core });
    const single = x.map((row, i) => network.gradients([row], [y[i]!]));
    const whole = network.gradients(x, y);
    expect(whole.loss).toBeCloseTo(single.reduce((sum, { loss }) => sum + loss, 0) / M, 14);
    for (const [l, { W }] of whole.layers.entries()) {
      for (const [i, value] of W.data.entries()) {
        expect(value).toBeCloseTo(single.reduce((sum, { layers }) => sum + layers[l]!.W.data[i]!, 0) / M, 14);
      }
    }
  });

  test("20 epochs of full-batch descent are 20 times W − η·∂J/∂W", () => {
    const { layers, x, y } = example(3);
    using network = Network.createSync(spec(layers), { dtype: "float64", core });
    const optimizer = { type: "sgd", learningRate: 0.7 } as const;
    const { epochs } = network.fitSync(x, y, { epochs: 20, batchSize: "full", optimizer });
    let expected = layers;
    for (let epoch = 0; epoch < 20; epoch++) {
      const { cost, gradients } = backpropagation(expected, transpose(x), transpose(y));
      // Metrics are there after every epoch.
      expect(epochs[epoch]!.epoch).toBe(epoch + 1);
      expect(epochs[epoch]!.loss).toBeCloseTo(cost, 13);
      expected = expected.map(({ W, b }, l) => ({
        W: minus(W, scale(gradients[l]!.W, 0.7)),
        b: minus([b], scale([gradients[l]!.b], 0.7))[0]!,
      }));
    }
    expectLayers(network.weights(), expected, 1e-13);
    expect(epochs[19]!.loss).toBeLessThan(epochs[0]!.loss);
  });

  test("weights drawn from [−ε, ε] break the symmetry, equal weights never do", () => {
    const { x, y } = example(4);
    const trained = (init: NonNullable<Parameters<typeof sigmoidSpec>[0]>) => {
      using network = Network.createSync(sigmoidSpec(init), { dtype: "float64", core, seed: 3 });
      const before = Array.from(network.weights()[0]!.W.data);
      network.fitSync(x, y, { epochs: 10, batchSize: "full", optimizer: { type: "sgd", learningRate: 1 } });
      const { data } = network.weights()[0]!.W;
      return { before, after: [0, 1, 2, 3].map((unit) => Array.from(data.slice(3 * unit, 3 * unit + 3))) };
    };
    const drawn = trained({ type: "uniform", epsilon: EPSILON });
    expect(drawn.before.every((w) => w >= -EPSILON && w <= EPSILON)).toBe(true);
    expect(Math.max(...drawn.before)).toBeGreaterThan(EPSILON / 3);
    expect(Math.min(...drawn.before)).toBeLessThan(-EPSILON / 3);
    expect(new Set(drawn.after.map(String)).size).toBe(4);
    const equal = trained({ type: "constant", value: 0.1 });
    expect(equal.after.flat()).not.toEqual(equal.before);
    expect(new Set(equal.after.map(String)).size).toBe(1);
  });
});

function sigmoidSpec(init: { type: "uniform"; epsilon: number } | { type: "constant"; value: number }): NetworkSpec {
  const layer = (units: number) => ({ units, activation: "sigmoid", init, biasInit: "zeros" }) as const;
  return { inputs: 3, layers: [layer(4), layer(2)], loss: "squaredError" };
}
