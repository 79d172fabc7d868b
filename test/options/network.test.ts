import { describe, expect, test } from "vitest";
import { DivergenceError } from "../../src/errors.ts";
import { resolveNames } from "../../src/options/names.ts";
import { nearestName } from "../../src/options/nearest.ts";
import { resolveLoadOptions, resolveNetworkOptions, resolveSaveOptions } from "../../src/options/network.ts";
import { resolveSpec } from "../../src/options/spec.ts";
import { resolveStepOptions } from "../../src/options/step.ts";

describe("options of a network", () => {
  test("defaults: seed 0, float32, core auto; save with the optimizer", () => {
    expect(resolveNetworkOptions()).toEqual({ seed: 0, dtype: "float32", core: "auto" });
    expect(resolveLoadOptions()).toEqual({ core: "auto" });
    expect(resolveSaveOptions()).toEqual({ optimizer: true });
    expect(resolveSaveOptions({ optimizer: false })).toEqual({ optimizer: false });
  });

  test("the largest seed is the largest safe integer", () => {
    expect(resolveNetworkOptions({ seed: 2 ** 53 - 1 }).seed).toBe(2 ** 53 - 1);
    for (const seed of [2 ** 53, -1, 0.5, NaN]) {
      const message = `seed: expected an integer from 0 to 9007199254740991, got ${seed}`;
      expect(() => resolveNetworkOptions({ seed })).toThrow(new RangeError(message));
    }
  });

  test("wrong names and kinds", () => {
    expect(() => resolveNetworkOptions({ dtype: "float16" })).toThrow(
      new RangeError("dtype: expected float32 or float64, got 'float16', did you mean 'float32'?"),
    );
    expect(() => resolveNetworkOptions({ core: "wasm" })).toThrow(
      new RangeError("core: expected auto, simd, relaxed or js, got 'wasm'"),
    );
    expect(() => resolveNetworkOptions({ Seed: 1 })).toThrow(
      new TypeError("create: unknown option 'Seed', did you mean 'seed'?"),
    );
    expect(() => resolveLoadOptions(null)).toThrow(
      new TypeError("load: expected an object with core and loss, got null"),
    );
    expect(() => resolveSaveOptions({ optimizer: "adam" })).toThrow(
      new TypeError("optimizer: expected true or false, got 'adam'"),
    );
  });

  test("step takes an optimizer, else the one last used, else adam", () => {
    const last = { type: "sgd", learningRate: 2, weightDecay: 0, decayBias: false } as const;
    expect(resolveStepOptions({}, { dtype: "float32", last }).optimizer).toBe(last);
    expect(resolveStepOptions({}, { dtype: "float32" }).optimizer.type).toBe("adam");
    expect(resolveStepOptions({ optimizer: "momentum" }, { dtype: "float32", last }).optimizer.type).toBe("momentum");
    expect(() => resolveStepOptions({ learningRate: 1 }, { dtype: "float32" })).toThrow(
      new TypeError("step: unknown option 'learningRate', did you mean 'learningRate' inside 'optimizer'?"),
    );
  });
});

describe("resolveNames", () => {
  const spec = resolveSpec({ inputs: 2, layers: [{ units: 3 }] });
  const single = resolveSpec({ inputs: 2, layers: [{ units: 1 }] });

  test("a copy, with one name per input and per class", () => {
    const columns = ["a", "b"];
    const names = resolveNames({ columns, target: "t", classes: ["x", "y", "z"] }, spec);
    columns[0] = "changed";
    expect(names).toEqual({ columns: ["a", "b"], target: "t", classes: ["x", "y", "z"] });
    expect(resolveNames({ classes: ["no", "yes"] }, single)).toEqual({ classes: ["no", "yes"] });
  });

  test("counts and kinds", () => {
    expect(() => resolveNames({ columns: ["a"] }, spec)).toThrow(
      new RangeError("names.columns: expected an array of 2 strings, got an array of 1"),
    );
    expect(() => resolveNames({ classes: ["a"] }, single)).toThrow(
      new RangeError("names.classes: expected an array of 2 strings, got an array of 1"),
    );
    expect(() => resolveNames({ columns: ["a", 1] }, spec)).toThrow(
      new TypeError("names.columns[1]: expected a string, got 1"),
    );
    // biome-ignore lint/suspicious/noSparseArray: a hole is the case
    expect(() => resolveNames({ columns: [, "b"] }, spec)).toThrow(
      new TypeError("names.columns[0]: expected a string, got undefined"),
    );
  });
});

describe("nearestName", () => {
  const candidates = ["epochs", "batchSize", "learningRate"];
  test.each([
    ["epcohs", "epochs"],
    ["EPOCHS", "epochs"],
    ["batch-size", "batchSize"],
    ["learnRate", "learningRate"],
    ["lerningrate", "learningRate"],
  ])("%s is close to %s", (word, name) => {
    expect(nearestName(word, candidates)).toBe(name);
  });
  test.each(["", "x", "regularisation", "batches of a size"])("'%s' is close to nothing", (word) => {
    expect(nearestName(word, candidates)).toBeUndefined();
  });
  test("a word of a million letters costs no more than forty", () => {
    expect(nearestName("e".repeat(1_000_000), candidates)).toBeUndefined();
  });
});

test("DivergenceError says where, and carries it", () => {
  const error = new DivergenceError({ epoch: 3, step: 70, layer: 1, quantity: "weights" });
  expect(error).toMatchObject({ name: "DivergenceError", epoch: 3, step: 70, layer: 1, quantity: "weights" });
  expect(error).toBeInstanceOf(Error);
  expect(error.message).toBe(
    "training: the weights of layers[1] turned non-finite in step 70 (epoch 3); the network is back at the last step at which all was finite; a smaller learningRate may help",
  );
  expect(new DivergenceError({ epoch: 1, step: 1, quantity: "loss" }).message).toMatch(/^training: the loss turned/);
});
