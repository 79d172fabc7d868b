import { describe, expect, test } from "vitest";
import { list } from "../../src/options/checks.ts";
import { OPTIMIZER_NAMES, resolveOptimizer } from "../../src/options/optimizer.ts";

const OPTIMIZERS = list(OPTIMIZER_NAMES, "or");

function refuses(optimizer: unknown, kind: typeof TypeError | typeof RangeError, message: string, dtype?: "float32") {
  expect(() => resolveOptimizer(optimizer, dtype)).toThrow(new kind(message));
  expect(() => resolveOptimizer(optimizer, dtype)).toThrow(kind);
}

describe("resolveOptimizer", () => {
  const decay = { weightDecay: 0, decayBias: false };
  const adam = { learningRate: 0.001, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, ...decay };

  test.each([
    ["sgd", { learningRate: 0.1, ...decay }],
    ["momentum", { learningRate: 0.02, momentum: 0.9, dampening: 0, ...decay }],
    ["nesterov", { learningRate: 0.02, momentum: 0.9, ...decay }],
    ["adagrad", { learningRate: 0.01, epsilon: 1e-10, ...decay }],
    ["adadelta", { learningRate: 1, rho: 0.9, epsilon: 1e-6, ...decay }],
    ["rmsprop", { learningRate: 0.001, rho: 0.99, momentum: 0, centered: false, epsilon: 1e-8, ...decay }],
    ["adam", adam],
    ["amsgrad", adam],
    ["adamw", { ...adam, weightDecay: 0.01 }],
    ["adamax", { ...adam, learningRate: 0.002 }],
    ["nadam", { ...adam, learningRate: 0.002, momentumDecay: 0.004 }],
    ["radam", adam],
    ["lion", { learningRate: 0.0001, beta1: 0.9, beta2: 0.99, ...decay }],
  ])("%s, by name and by type alone, has the defaults of the table, and resolves to itself", (type, defaults) => {
    const resolved = resolveOptimizer(type);
    expect(resolved).toEqual({ type, ...defaults });
    expect(resolveOptimizer({ type })).toEqual(resolved);
    expect(resolveOptimizer(resolved)).toEqual(resolved);
    expect(Object.isFrozen(resolved)).toBe(true);
  });

  test("a given option stays, the user's object is not kept", () => {
    const given = { type: "adam", learningRate: 0.5, beta1: undefined };
    const resolved = resolveOptimizer(given);
    given.learningRate = 7;
    expect(resolved).toEqual({ type: "adam", ...adam, learningRate: 0.5 });
  });

  test.each([0, -1, NaN, Infinity])("a learning rate or epsilon of %d", (value) => {
    refuses(
      { type: "sgd", learningRate: value },
      RangeError,
      `optimizer.learningRate: expected a finite number > 0, got ${value}`,
    );
    refuses(
      { type: "adam", epsilon: value },
      RangeError,
      `optimizer.epsilon: expected a finite number > 0, got ${value}`,
    );
  });

  test.each([1e39, 1e-50])("a learning rate of %d is refused in float32 alone", (learningRate) => {
    refuses(
      { type: "sgd", learningRate },
      RangeError,
      `optimizer.learningRate: expected a finite number > 0 after rounding to float32, got ${learningRate}`,
      "float32",
    );
    expect(resolveOptimizer({ type: "sgd", learningRate })).toEqual({ type: "sgd", learningRate, ...decay });
  });

  test("coefficients live in [0, 1), also after rounding", () => {
    for (const momentum of [-0.1, 1, NaN]) {
      refuses(
        { type: "momentum", momentum },
        RangeError,
        `optimizer.momentum: expected a number ≥ 0 and < 1, got ${momentum}`,
      );
    }
    refuses(
      { type: "adam", beta2: 0.999999999 },
      RangeError,
      "optimizer.beta2: expected a number ≥ 0 and < 1 after rounding to float32, got 0.999999999",
      "float32",
    );
    expect(resolveOptimizer({ type: "nesterov", momentum: 0 })).toMatchObject({ momentum: 0 });
  });

  test("a decay is not negative, and not so large that a step would turn the sign of a weight", () => {
    refuses(
      { type: "lion", weightDecay: -1 },
      RangeError,
      "optimizer.weightDecay: expected a finite number ≥ 0, got -1",
    );
    refuses(
      { type: "sgd", learningRate: 0.5, weightDecay: 2 },
      RangeError,
      "optimizer.weightDecay: expected less than 1/learningRate, 2, got 2",
    );
    refuses({ type: "adamw", decayBias: 1 }, TypeError, "optimizer.decayBias: expected true or false, got 1");
  });

  test("unknown names and options name the nearest right one", () => {
    refuses("adma", RangeError, `optimizer: expected ${OPTIMIZERS}, got 'adma', did you mean 'adam'?`);
    refuses("perceptron", RangeError, `optimizer: expected ${OPTIMIZERS}, got 'perceptron'`);
    refuses(
      { type: "sgd", learninRate: 1 },
      TypeError,
      "optimizer: unknown option 'learninRate', did you mean 'learningRate'?",
    );
    refuses(
      { type: "sgd", momentum: 0.9 },
      TypeError,
      "optimizer: unknown option 'momentum'; the options are type, learningRate, weightDecay and decayBias",
    );
    refuses({ learningRate: 1 }, TypeError, `optimizer.type: expected ${OPTIMIZERS}, got undefined`);
    refuses(
      { type: "sgd", learningRate: "0.1" },
      TypeError,
      "optimizer.learningRate: expected a finite number > 0, got '0.1'",
    );
    refuses(
      { type: "sgd", learningRate: null },
      TypeError,
      "optimizer.learningRate: expected a finite number > 0, got null",
    );
    refuses([], TypeError, `optimizer: expected ${OPTIMIZERS}, or an object with that type, got an array of 0`);
  });
});
