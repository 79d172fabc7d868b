// A loss of one's own: against the built-in one that it writes out, against central differences, and with what may go wrong in it.
import { describe, expect, test } from "vitest";
import {
  type ActivationName,
  DivergenceError,
  type FitOptions,
  type LossFunction,
  Network,
  type NetworkSpec,
  type Optimizer,
} from "../src/index.ts";

const x = Array.from({ length: 37 }, (_, i) => [Math.sin(i), Math.cos(2 * i), (i % 5) / 5]);
const y = x.map(([a = 0, b = 0]) => [0.3 + 0.2 * a * b, 0.6 - 0.1 * a]);

/** meanSquaredError. */
const squares: LossFunction = (output, target) => {
  const count = output.data.length;
  let loss = 0;
  const gradient = output.data.slice();
  for (let i = 0; i < count; i++) {
    const error = (output.data[i] as number) - (target.data[i] as number);
    loss += (error * error) / count;
    gradient[i] = (2 * error) / count;
  }
  return { loss, gradient: { data: gradient, shape: output.shape } };
};

const specOf = (loss: NetworkSpec["loss"], activation: ActivationName = "linear"): NetworkSpec => ({
  inputs: 3,
  layers: [
    { units: 6, activation: "tanh" },
    { units: 2, activation },
  ],
  ...(loss === undefined ? {} : { loss }),
});

const ACTIVATIONS: ActivationName[] = [
  "linear",
  "sigmoid",
  "tanh",
  "relu",
  "selu",
  "gelu",
  "mish",
  "softplus",
  "softmax",
];

describe.each(["simd", "js"] as const)("core %s", (core) => {
  test.each(ACTIVATIONS)(
    "a %s output: gradients as of meanSquaredError and of central differences, B 1, 8 and 37",
    (activation) => {
      for (const rows of [1, 8, 37]) {
        const [xs, ys] = [x.slice(0, rows), y.slice(0, rows)];
        const own = Network.createSync(specOf(squares, activation), { dtype: "float64", core });
        const builtIn = Network.createSync(specOf("meanSquaredError", activation), { dtype: "float64", core });
        const [mine, theirs] = [own.gradients(xs, ys), builtIn.gradients(xs, ys)];
        expect(mine.loss).toBeCloseTo(theirs.loss, 14);
        for (const [l, { W, b }] of mine.layers.entries()) {
          const expected = theirs.layers[l];
          for (const [i, g] of W.data.entries()) expect(Math.abs(g - (expected?.W.data[i] ?? 9))).toBeLessThan(1e-15);
          for (const [i, g] of (b ?? []).entries()) expect(Math.abs(g - (expected?.b?.[i] ?? 9))).toBeLessThan(1e-15);
        }
        const inputs = own.inputGradients(xs, ys).data;
        for (const [i, g] of builtIn.inputGradients(xs, ys).data.entries())
          expect(Math.abs(g - (inputs[i] ?? 9))).toBeLessThan(1e-15);
        expect(own.check(xs, ys).maxRelativeError).toBeLessThan(1e-6);
        expect(own.evaluate(xs, ys).loss).toBeCloseTo(builtIn.evaluate(xs, ys).loss, 14);
      }
    },
  );

  test.each(["adam", "rprop", "scg", "lbfgs", "gdx"] as Optimizer[])(
    "%s goes the way of meanSquaredError, shuffled, with validation",
    (optimizer) => {
      const full = optimizer !== "adam";
      const options: FitOptions = {
        epochs: 6,
        optimizer,
        validation: 0.2,
        metrics: ["mae"],
        ...(full ? {} : { batchSize: 7 }),
      };
      const own = Network.createSync(specOf(squares), { dtype: "float64", core });
      const builtIn = Network.createSync(specOf("meanSquaredError"), { dtype: "float64", core });
      const [mine, theirs] = [own.fitSync(x, y, options).epochs, builtIn.fitSync(x, y, options).epochs];
      for (const [i, { loss, validation }] of mine.entries()) {
        expect(loss).toBeCloseTo(theirs[i]?.loss ?? 9, 11);
        expect(validation?.loss).toBeCloseTo(theirs[i]?.validation?.loss ?? 9, 11);
        expect(validation?.mae).toBeCloseTo(theirs[i]?.validation?.mae ?? 9, 11);
      }
    },
  );
});

test("one call per batch with copies of its outputs and targets in the batch's order; both cores call alike, to the same bits", () => {
  const calls: { rows: number; first: number }[][] = [[], []];
  const networks = (["simd", "js"] as const).map((core, c) => {
    const watched: LossFunction = (output, target) => {
      calls[c]?.push({ rows: output.shape[0], first: target.data[0] as number });
      const result = squares(output, target);
      output.data.fill(9);
      target.data.fill(9);
      return result;
    };
    const network = Network.createSync(specOf(watched), { core });
    network.fitSync(x, y, { epochs: 2, batchSize: 16 });
    return network;
  });
  expect(calls[0]?.map(({ rows }) => rows)).toEqual([16, 16, 5, 16, 16, 5]);
  expect(calls[1]).toEqual(calls[0]);
  expect(new Set(calls[0]?.map(({ first }) => first)).size).toBeGreaterThan(3);
  expect(networks[1]?.weights()).toEqual(networks[0]?.weights());
});

test("one output: a flat gradient; step gives the loss before the update", () => {
  const network = Network.createSync({
    inputs: 3,
    layers: [{ units: 1 }],
    loss: (output, target) => {
      const errors = Array.from(output.data, (a, i) => a - (target.data[i] as number));
      return {
        loss: errors.reduce((sum, e) => sum + e * e, 0) / errors.length,
        gradient: errors.map((e) => (2 * e) / errors.length),
      };
    },
  });
  const ys = y.map(([value]) => value as number);
  const before = network.evaluate(x, ys).loss;
  expect(network.step(x, ys, { optimizer: "sgd" })).toBeCloseTo(before, 6);
  expect(network.evaluate(x, ys).loss).toBeLessThan(before);
});

test("a file keeps the mark: predictions without the function, training and evaluation with it, a + b epochs as one run", async () => {
  const whole = Network.createSync(specOf(squares));
  whole.fitSync(x, y, { epochs: 4, batchSize: 8 });
  const first = Network.createSync(specOf(squares));
  expect(first.spec.loss).toBe("custom");
  first.fitSync(x, y, { epochs: 1, batchSize: 8 });
  expect(first.clone().evaluate(x, y)).toEqual(first.evaluate(x, y));
  const bytes = first.save();
  const bare = await Network.load(bytes);
  expect(bare.predict(x)).toEqual(first.predict(x));
  const message = "the loss is a function, which a file does not hold; pass it: Network.load(bytes, { loss })";
  for (const [name, call] of Object.entries({
    fitSync: () => bare.fitSync(x, y),
    step: () => bare.step(x, y),
    evaluate: () => bare.evaluate(x, y),
    gradients: () => bare.gradients(x, y),
    check: () => bare.check(x, y),
  })) {
    expect(call).toThrow(`${name}: ${message}`);
  }
  const second = Network.loadSync(bytes, { loss: squares });
  second.fitSync(x, y, { epochs: 3, batchSize: 8 });
  expect(second.weights()).toEqual(whole.weights());
});

test("a function that throws in the fourth step leaves the network after the third", async () => {
  const failing = (at: number): LossFunction => {
    let calls = 0;
    return (output, target) => {
      if (++calls === at) throw new Error("my mistake");
      return squares(output, target);
    };
  };
  const normalized = (loss: LossFunction): NetworkSpec => ({
    inputs: 3,
    layers: [{ units: 6 }, { type: "batchNormalization", activation: "tanh" }, { units: 2 }],
    loss,
  });
  const three = Network.createSync(normalized(squares));
  three.fitSync(x, y, { maxSteps: 3, batchSize: 16 });
  const network = Network.createSync(normalized(failing(4)));
  await expect(network.fit(x, y, { epochs: 5, batchSize: 16 })).rejects.toThrow("my mistake");
  expect(network.weights()).toEqual(three.weights());
  expect(network.history).toMatchObject({ epochs: three.history.epochs.map(({ epoch, loss }) => ({ epoch, loss })) });
  const single = Network.createSync(specOf(failing(1)));
  const before = single.save();
  expect(() => single.step(x, y)).toThrow("my mistake");
  expect(() => single.fitSync(x, y)).not.toThrow();
  expect(before.length).toBeGreaterThan(0);
});

test.each(["adam", "scg"] as const)(
  "%s: a function that throws on the validation rows loses no epoch's report",
  (optimizer) => {
    const failing: LossFunction = (output, target) => {
      if (output.shape[0] === 5) throw new Error("my mistake");
      return squares(output, target);
    };
    const network = Network.createSync(specOf(failing));
    const validation = { x: x.slice(0, 5), y: y.slice(0, 5) };
    expect(() => network.fitSync(x, y, { epochs: 3, batchSize: "full", optimizer, validation })).toThrow("my mistake");
    expect(network.history.epochs.map(({ epoch, validation }) => [epoch, validation])).toEqual([[1, undefined]]);
    network.fitSync(x, y, { epochs: 1, batchSize: "full" });
    expect(network.history.epochs.map(({ epoch }) => epoch)).toEqual([1, 2]);
  },
);

test.each([
  ["nothing", () => undefined, "loss: expected a function that returns { loss: a number, gradient }, got undefined"],
  ["no loss", () => ({ gradient: [] }), "loss: expected a function that returns { loss: a number, gradient }"],
  ["a gradient of another shape", () => ({ loss: 1, gradient: [[1]] }), "loss: gradient: expected"],
  ["no gradient", () => ({ loss: 1 }), "loss: gradient: expected"],
])("a function that returns %s is refused with the network as before", (_what, loss, message) => {
  const network = Network.createSync(specOf(loss as never));
  const before = network.weights();
  expect(() => network.fitSync(x, y)).toThrow(message);
  expect(network.weights()).toEqual(before);
});

test("a loss or gradient that is not finite is divergence; sampleWeights, lm and targetScaling do not go with a function", () => {
  const network = Network.createSync(specOf((output, target) => ({ ...squares(output, target), loss: Number.NaN })));
  expect(() => network.fitSync(x, y)).toThrow(DivergenceError);
  const infinite = Network.createSync(
    specOf(({ shape }) => ({
      loss: 1,
      gradient: Array.from({ length: shape[0] }, () => [Number.POSITIVE_INFINITY, 0]),
    })),
  );
  expect(() => infinite.fitSync(x, y)).toThrow(DivergenceError);
  const own = Network.createSync(specOf(squares));
  const sampleWeights = x.map(() => 1);
  expect(() => own.fitSync(x, y, { sampleWeights })).toThrow("sampleWeights: expected none with a loss of one's own");
  expect(() => own.evaluate(x, y, { sampleWeights })).toThrow("sampleWeights: expected none");
  expect(() => own.fitSync(x, y, { optimizer: "lm" })).toThrow("'lm' expects the loss");
  expect(() => Network.createSync({ ...specOf(squares), targetScaling: "robust" })).toThrow(
    "targetScaling: expected none",
  );
  const plain = Network.createSync(specOf("huber")).save();
  expect(() => Network.loadSync(plain, { loss: squares })).toThrow(
    "loss: expected none, as the file's network has the loss huber",
  );
  expect(() => Network.loadSync(plain, { loss: 3 as never })).toThrow("loss: expected a function, got 3");
});
