// The worked 2-2-2 example: two inputs, two hidden and two output logistic units, one bias per layer that is never
// changed, the error ½·Σ(target − out)², learning rate 0.5. Exact values in double precision; the text rounds.
import { describe, expect, test } from "vitest";
import { Network, type NetworkSpec } from "../../src/index.ts";

const X = [[0.05, 0.1]];
const Y = [[0.01, 0.99]];
const SPEC: NetworkSpec = {
  inputs: 2,
  layers: [
    {
      units: 2,
      activation: "sigmoid",
      trainable: "weights",
      init: [
        [0.15, 0.2],
        [0.25, 0.3],
      ],
      biasInit: [0.35, 0.35],
    },
    {
      units: 2,
      activation: "sigmoid",
      trainable: "weights",
      init: [
        [0.4, 0.45],
        [0.5, 0.55],
      ],
      biasInit: [0.6, 0.6],
    },
  ],
  loss: "squaredError",
};
const OPTIMIZER = { type: "sgd", learningRate: 0.5 } as const;

const sigmoid = (z: number) => 1 / (1 + Math.exp(-z));

/** Every number of the example by hand, from the eight weights. */
function byHand([w1, w2, w3, w4, w5, w6, w7, w8]: readonly number[]) {
  const [i1, i2, t1, t2] = [0.05, 0.1, 0.01, 0.99];
  const h1 = sigmoid(w1! * i1 + w2! * i2 + 0.35);
  const h2 = sigmoid(w3! * i1 + w4! * i2 + 0.35);
  const o1 = sigmoid(w5! * h1 + w6! * h2 + 0.6);
  const o2 = sigmoid(w7! * h1 + w8! * h2 + 0.6);
  const error = 0.5 * (t1 - o1) ** 2 + 0.5 * (t2 - o2) ** 2;
  const d1 = (o1 - t1) * o1 * (1 - o1);
  const d2 = (o2 - t2) * o2 * (1 - o2);
  const dh1 = (d1 * w5! + d2 * w7!) * h1 * (1 - h1);
  const dh2 = (d1 * w6! + d2 * w8!) * h2 * (1 - h2);
  const weights = [dh1 * i1, dh1 * i2, dh2 * i1, dh2 * i2, d1 * h1, d1 * h2, d2 * h1, d2 * h2];
  return { out: [o1, o2], error, weights, biases: [dh1, dh2, d1, d2] };
}

/** w1…w8 of the text: the rows of W of layer 1, then of layer 2. */
const eight = (layers: readonly { W: { data: ArrayLike<number> } }[]) => layers.flatMap((l) => Array.from(l.W.data));
const biases = (layers: readonly { b?: ArrayLike<number> }[]) => layers.flatMap((l) => Array.from(l.b ?? []));

function expectNear(actual: ArrayLike<number>, expected: readonly number[], relative: number) {
  expect(actual.length).toBe(expected.length);
  for (const [i, value] of expected.entries()) {
    expect(Math.abs(actual[i]! - value), `[${i}]: ${actual[i]} for ${value}`).toBeLessThanOrEqual(
      relative * Math.abs(value),
    );
  }
}

const AFTER_ONE_STEP = [
  0.1497807161327628, 0.19956143226552567, 0.24975114363236958, 0.29950228726473915, 0.35891647971788465,
  0.4086661860762334, 0.5113012702387375, 0.5613701211079891,
];

describe.each(["simd", "js"] as const)("the worked 2-2-2 example on the %s core", (core) => {
  const create = () => Network.createSync(SPEC, { dtype: "float64", core });

  test("the outputs are 0.7513650695523157 and 0.7729284653214625, the error 0.2983711087600027", () => {
    using network = create();
    expectNear(network.predict(X).data, [0.7513650695523157, 0.7729284653214625], 1e-15);
    expectNear([network.evaluate(X, Y).loss], [0.2983711087600027], 1e-15);
  });

  test("every gradient is the product of its chain, among them ∂E/∂w5 = 0.082167041 and ∂E/∂w1 = 0.000438568", () => {
    using network = create();
    const { loss, layers } = network.gradients(X, Y);
    const expected = byHand([0.15, 0.2, 0.25, 0.3, 0.4, 0.45, 0.5, 0.55]);
    expectNear([loss], [0.2983711087600027], 1e-15);
    expectNear(eight(layers), expected.weights, 1e-13);
    expectNear(biases(layers), expected.biases, 1e-13);
    const [w1, , , , w5] = eight(layers);
    expect(w5!.toFixed(9)).toBe("0.082167041");
    expect(w1!.toFixed(9)).toBe("0.000438568");
  });

  test("one step of size 0.5 gives the eight weights and the error 0.29102777369359933", () => {
    using network = create();
    network.fitSync(X, Y, { epochs: 1, optimizer: OPTIMIZER });
    expectNear(eight(network.weights()), AFTER_ONE_STEP, 1e-15);
    expect(biases(network.weights())).toEqual([0.35, 0.35, 0.6, 0.6]);
    expectNear([network.evaluate(X, Y).loss], [0.29102777369359933], 1e-14);
    // The text says 0.291027924: it went on with rounded weights.
    expect(Math.abs(network.evaluate(X, Y).loss - 0.291027924)).toBeLessThan(2e-7);
  });

  test("step() is the same step and gives the error before it", () => {
    using network = create();
    expectNear([network.step(X, Y, { optimizer: OPTIMIZER })], [0.2983711087600027], 1e-15);
    expectNear(eight(network.weights()), AFTER_ONE_STEP, 1e-15);
  });

  test("10 000 steps give the error 0.00003510187782978859 and the outputs 0.01591362044355068 and 0.9840642735146238", () => {
    using network = create();
    const { epochs } = network.fitSync(X, Y, { epochs: 10_000, optimizer: OPTIMIZER });
    expect(epochs.length).toBe(10_000);
    expectNear([epochs[0]!.loss], [0.2983711087600027], 1e-15);
    expectNear([epochs[1]!.loss], [0.29102777369359933], 1e-14);
    expectNear([network.evaluate(X, Y).loss], [0.00003510187782978859], 1e-12);
    expectNear(network.predict(X).data, [0.01591362044355068, 0.9840642735146238], 1e-12);
    expect(biases(network.weights())).toEqual([0.35, 0.35, 0.6, 0.6]);
  });

  test("10 000 steps are 10 000 times the step by hand", () => {
    using network = create();
    network.fitSync(X, Y, { epochs: 10_000, optimizer: OPTIMIZER });
    let weights: number[] = [0.15, 0.2, 0.25, 0.3, 0.4, 0.45, 0.5, 0.55];
    for (let step = 0; step < 10_000; step++) {
      const gradient = byHand(weights).weights;
      weights = weights.map((w, i) => w - 0.5 * gradient[i]!);
    }
    expectNear(eight(network.weights()), weights, 1e-12);
  });

  test("with biases that are trained too the step is another one", () => {
    const layers = SPEC.layers.map((layer) => ({ ...layer, trainable: true }));
    using network = Network.createSync({ ...SPEC, layers } as NetworkSpec, { dtype: "float64", core });
    network.fitSync(X, Y, { epochs: 1, optimizer: OPTIMIZER });
    const expected = byHand([0.15, 0.2, 0.25, 0.3, 0.4, 0.45, 0.5, 0.55]).biases;
    const before = [0.35, 0.35, 0.6, 0.6];
    expectNear(eight(network.weights()), AFTER_ONE_STEP, 1e-15);
    expectNear(
      biases(network.weights()),
      before.map((b, i) => b - 0.5 * expected[i]!),
      1e-15,
    );
  });

  test("in float32 the example comes out to the digits of float32", () => {
    using network = Network.createSync(SPEC, { dtype: "float32", core });
    network.fitSync(X, Y, { epochs: 1, optimizer: OPTIMIZER });
    expectNear(eight(network.weights()), AFTER_ONE_STEP, 1e-6);
    expectNear([network.evaluate(X, Y).loss], [0.29102777369359933], 1e-6);
  });
});

test("the values by hand are the printed ones", () => {
  const { out, error, weights } = byHand([0.15, 0.2, 0.25, 0.3, 0.4, 0.45, 0.5, 0.55]);
  expectNear(out, [0.7513650695523157, 0.7729284653214625], 1e-15);
  expectNear([error], [0.2983711087600027], 1e-15);
  expectNear(
    weights.map((g, i) => [0.15, 0.2, 0.25, 0.3, 0.4, 0.45, 0.5, 0.55][i]! - 0.5 * g),
    AFTER_ONE_STEP,
    1e-15,
  );
});
