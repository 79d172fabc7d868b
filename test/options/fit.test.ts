import { describe, expect, test } from "vitest";
import { list } from "../../src/options/checks.ts";
import { resolveFitOptions } from "../../src/options/fit.ts";
import { OPTIMIZER_NAMES } from "../../src/options/optimizer.ts";

const OPTIMIZERS = list(OPTIMIZER_NAMES, "or");

const OPTIONS =
  "epochs, batchSize, optimizer, shuffle, validation, sampleWeights, metrics, refit, schedule, goal, minGradient, earlyStopping, clipValue, clipNorm, onEpoch, signal, maxSteps and maxSeconds";
const context = { rows: 100, dtype: "float32" as const };
const resolve = (options: unknown, more = {}) => resolveFitOptions(options, { ...context, ...more });

function refuses(options: unknown, kind: typeof TypeError | typeof RangeError, message: string, more = {}) {
  expect(() => resolve(options, more)).toThrow(new kind(message));
  expect(() => resolve(options, more)).toThrow(kind);
}

describe("resolveFitOptions", () => {
  test("nothing given: 100 epochs of shuffled batches of 32 with adam", () => {
    expect(resolve(undefined)).toEqual({
      epochs: 100,
      batchSize: 32,
      optimizer: {
        type: "adam",
        learningRate: 0.001,
        beta1: 0.9,
        beta2: 0.999,
        epsilon: 1e-8,
        weightDecay: 0,
        decayBias: false,
      },
      shuffle: true,
      validation: { kind: "none" },
      metrics: [],
      refit: false,
      onEpoch: undefined,
      signal: undefined,
      maxSteps: undefined,
      maxSeconds: Number.POSITIVE_INFINITY,
    });
  });

  test("a batch of more than the rows means all rows; held-back rows do not count", () => {
    expect(resolve({ batchSize: 101 }).batchSize).toBe(100);
    expect(resolve({ batchSize: 1000, validation: 0.2 }).batchSize).toBe(80);
    expect(resolve({}, { rows: 5 }).batchSize).toBe(5);
  });

  test('"full" is one batch of all training rows in the given order', () => {
    expect(resolve({ batchSize: "full", shuffle: true })).toMatchObject({ batchSize: 100, shuffle: false });
    expect(resolve({ batchSize: "full", validation: 0.25 }).batchSize).toBe(75);
    expect(resolve({ batchSize: 100 }).shuffle).toBe(true);
  });

  test("an optimizer left out is the one last used; a name has the defaults of the table", () => {
    const last = { type: "sgd", learningRate: 3 } as const;
    expect(resolve({}, { last }).optimizer).toBe(last);
    expect(resolve({ optimizer: "sgd" }, { last }).optimizer).toMatchObject({
      type: "sgd",
      learningRate: 0.1,
      weightDecay: 0,
    });
  });

  test("maxSteps beats epochs, which are checked all the same", () => {
    expect(resolve({ maxSteps: 7, epochs: 2 })).toMatchObject({ maxSteps: 7, epochs: 2 ** 31 - 1 });
    refuses({ maxSteps: 7, epochs: 0 }, RangeError, "epochs: expected an integer from 1 to 2147483647, got 0");
  });

  test.each([
    [0.2, 20],
    [0.001, 1],
    [0.999, 99],
    [0.125, 13],
  ])("a validation fraction of %d holds %d of 100 rows back", (validation, rows) => {
    expect(resolve({ validation }).validation).toEqual({ kind: "fraction", fraction: validation, rows });
  });

  test("validation data are handed on, not looked into", () => {
    const [x, y] = [[[1]], [2]];
    const { validation } = resolve({ validation: { x, y } });
    expect(validation).toEqual({ kind: "data", x, y });
    expect((validation as { x: unknown }).x).toBe(x);
  });

  test("a real AbortSignal is accepted, a controller is told what to pass", () => {
    const controller = new AbortController();
    expect(resolve({ signal: controller.signal }).signal).toBe(controller.signal);
    refuses(
      { signal: controller },
      TypeError,
      "signal: expected an AbortSignal, got an AbortController; pass its .signal",
    );
    refuses({ signal: { aborted: false } }, TypeError, "signal: expected an AbortSignal, got an object");
    refuses({ signal: null }, TypeError, "signal: expected an AbortSignal, got null");
  });

  test("unknown options name the nearest right one, also when it belongs into the optimizer", () => {
    refuses({ epoch: 3 }, TypeError, "fit: unknown option 'epoch', did you mean 'epochs'?");
    refuses({ batch_size: 3 }, TypeError, "fit: unknown option 'batch_size', did you mean 'batchSize'?");
    refuses(
      { learninRate: 1 },
      TypeError,
      "fit: unknown option 'learninRate', did you mean 'learningRate' inside 'optimizer'?",
    );
    refuses(
      { learningRate: 1 },
      TypeError,
      "fit: unknown option 'learningRate', did you mean 'learningRate' inside 'optimizer'?",
    );
    refuses({ onepoch: 1 }, TypeError, "fit: unknown option 'onepoch', did you mean 'onEpoch'?");
    refuses({ verbose: 1 }, TypeError, `fit: unknown option 'verbose'; the options are ${OPTIONS}`);
    refuses({ ["x".repeat(99)]: 1 }, TypeError, `fit: unknown option '${"x".repeat(40)}…'; the options are ${OPTIONS}`);
  });

  test.each(["shards"])("%s is for a later version", (name) => {
    refuses({ [name]: 1 }, TypeError, `fit: '${name}' is not available in this version`);
  });

  test.each([0, -1, 1.5, NaN, Infinity, 2 ** 31])("%d epochs, samples of a batch or steps", (count) => {
    refuses({ epochs: count }, RangeError, `epochs: expected an integer from 1 to 2147483647, got ${count}`);
    refuses(
      { batchSize: count },
      RangeError,
      `batchSize: expected an integer from 1 to 2147483647, or "full", got ${count}`,
    );
    refuses({ maxSteps: count }, RangeError, `maxSteps: expected an integer from 1 to 2147483647, got ${count}`);
  });

  test("kinds", () => {
    refuses(5, TypeError, `fit: expected an object with ${OPTIONS}, got 5`);
    refuses({ epochs: "3" }, TypeError, "epochs: expected an integer from 1 to 2147483647, got '3'");
    refuses(
      { batchSize: "all" },
      TypeError,
      "batchSize: expected an integer from 1 to 2147483647, or \"full\", got 'all'",
    );
    refuses({ shuffle: "no" }, TypeError, "shuffle: expected true or false, got 'no'");
    refuses({ onEpoch: 1 }, TypeError, "onEpoch: expected a function, got 1");
    refuses({ optimizer: null }, TypeError, `optimizer: expected ${OPTIMIZERS}, or an object with that type, got null`);
    refuses({ maxSeconds: "1" }, TypeError, "maxSeconds: expected a number > 0 and ≤ 2147483647, got '1'");
    refuses({ maxSeconds: 0 }, RangeError, "maxSeconds: expected a number > 0 and ≤ 2147483647, got 0");
  });

  test("validation out of range, of another kind, or without a part", () => {
    const expected = "validation: expected a fraction > 0 and < 1, or { x, y }, got";
    for (const fraction of [0, 1, -0.5, 1.5, NaN, 20])
      refuses({ validation: fraction }, RangeError, `${expected} ${fraction}`);
    refuses({ validation: true }, TypeError, `${expected} true`);
    refuses({ validation: [1, 2] }, TypeError, `${expected} an array of 2`);
    refuses({ validation: { x: [[1]] } }, TypeError, "validation.y: expected targets, got undefined");
    refuses({ validation: { x: [[1]], z: 1 } }, TypeError, "validation: unknown option 'z'; the options are x and y");
    refuses({ validation: 0.5 }, RangeError, "validation: expected at least 2 rows to hold a fraction back, got 1", {
      rows: 1,
    });
  });
});
