import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type NetworkSpec,
  outputsOf,
  parameterCount,
  type ResolvedAffine,
  type ResolvedDense,
  type ResolvedSpec,
  resolveSpec,
  withoutValues,
} from "../../src/options/spec.ts";

/** A spec with one layer that differs from { units: 2 }, over 3 inputs. */
const oneLayer = (layer: object, more: object = {}) => ({ inputs: 3, layers: [{ units: 2, ...layer }], ...more });

describe("resolveSpec fills in defaults", () => {
  test("a layer of units alone is linear, biased, trainable, Xavier's, with meanSquaredError", () => {
    expect(resolveSpec({ inputs: 3, layers: [{ units: 2 }] })).toEqual({
      inputs: 3,
      loss: "meanSquaredError",
      layers: [
        {
          type: "dense",
          units: 2,
          activation: { type: "linear" },
          bias: true,
          trainable: true,
          init: { type: "xavierUniform" },
          biasInit: { type: "zeros" },
        },
      ],
    });
  });

  test.each([
    ["relu", "heUniform", "meanSquaredError"],
    ["leakyRelu", "heUniform", "meanSquaredError"],
    ["elu", "heUniform", "meanSquaredError"],
    ["gelu", "heUniform", "meanSquaredError"],
    ["relu6", "heUniform", "meanSquaredError"],
    ["selu", "lecunNormal", "meanSquaredError"],
    ["softsign", "xavierUniform", "meanSquaredError"],
    ["tanh", "xavierUniform", "meanSquaredError"],
    ["sigmoid", "xavierUniform", "binaryCrossEntropy"],
    ["softmax", "xavierUniform", "crossEntropy"],
  ])("%s at the output gets %s and %s", (activation, init, loss) => {
    const spec = resolveSpec(oneLayer({ activation }));
    expect(spec.layers[0]).toMatchObject({ init: { type: init } });
    expect(spec.loss).toBe(loss);
  });

  test("leakyRelu gets its slope 0.01, by name and by object; a given one stays", () => {
    const slope = (activation: unknown) =>
      (resolveSpec(oneLayer({ activation })).layers[0] as ResolvedDense).activation;
    expect(slope("leakyRelu")).toEqual({ type: "leakyRelu", alpha: 0.01 });
    expect(slope({ type: "leakyRelu" })).toEqual({ type: "leakyRelu", alpha: 0.01 });
    expect(slope({ type: "leakyRelu", alpha: 0.3 })).toEqual({ type: "leakyRelu", alpha: 0.3 });
    expect(slope("elu")).toEqual({ type: "elu", alpha: 1 });
  });

  test("a key that is undefined counts as left out", () => {
    const spec = oneLayer(
      { type: undefined, activation: undefined, bias: undefined, init: undefined },
      { loss: undefined },
    );
    expect(resolveSpec(spec)).toEqual(resolveSpec(oneLayer({})));
  });

  test("initial values are copied row-major, rows and { data, shape } alike", () => {
    const rows = [[1, 2, 3], new Float32Array([4, 5, 6])];
    const matrix = { data: new Float64Array([1, 2, 3, 4, 5, 6]), shape: [2, 3] };
    for (const init of [rows, matrix]) {
      const spec = resolveSpec(oneLayer({ init, biasInit: [7, 8] }));
      expect(spec.layers[0]).toMatchObject({
        init: { type: "values", values: new Float64Array([1, 2, 3, 4, 5, 6]) },
        biasInit: { type: "values", values: new Float64Array([7, 8]) },
      });
    }
  });

  test("affine nodes before the first dense layer keep the width and have no parameters", () => {
    const affine = { type: "affine", scale: new Float32Array([1, 2, 0.5]), shift: [0, -0, 1] };
    const spec = resolveSpec({ inputs: 3, layers: [affine, affine, { units: 2 }] });
    expect(spec.layers[1]).toEqual({ type: "affine", scale: [1, 2, 0.5], shift: [0, -0, 1] });
    expect(parameterCount(spec)).toBe(2 * 3 + 2);
    expect(outputsOf(spec)).toBe(2);
  });
});

describe("resolveSpec keeps nothing of the user's", () => {
  test("changing every part of the given spec afterwards changes nothing, and the copy is frozen", () => {
    const init = [[1, 2, 3]];
    const scale = [1, 1, 1];
    const layers = [
      { type: "affine" as const, scale, shift: [0, 0, 0] },
      { units: 1, init, biasInit: { type: "constant" as const, value: 3 } },
    ];
    const spec = resolveSpec({ inputs: 3, layers } satisfies NetworkSpec);
    const before = JSON.stringify(spec);
    init[0] = [9, 9, 9];
    scale[0] = 9;
    layers.length = 0;
    expect(JSON.stringify(spec)).toBe(before);
    for (const part of [spec, spec.layers, ...spec.layers, (spec.layers[0] as ResolvedAffine).scale]) {
      expect(Object.isFrozen(part)).toBe(true);
    }
  });

  test("withoutValues drops arrays of initial values for the defaults, and the rest resolves to itself", () => {
    const given = oneLayer({
      activation: "relu",
      init: [
        [1, 2, 3],
        [4, 5, 6],
      ],
      biasInit: [1, 2],
    });
    const kept = withoutValues(resolveSpec(given));
    expect(kept.layers[0]).toMatchObject({ init: { type: "heUniform" }, biasInit: { type: "zeros" } });
    const again: ResolvedSpec = resolveSpec(kept);
    expect(again).toEqual(kept);
  });

  test("over 200 random specs, resolving a resolved spec gives it again", () => {
    const activation = fc.oneof(
      fc.constantFrom("linear", "sigmoid", "tanh", "relu", "leakyRelu", "elu", "selu", "gelu", "hardSwish"),
      fc.record({ type: fc.constant("leakyRelu"), alpha: fc.double({ min: 0, max: 1, noNaN: true }) }),
    );
    const init = fc.constantFrom(
      "zeros",
      "heNormal",
      { type: "uniform", epsilon: 0.1 },
      { type: "constant", value: -0 },
    );
    const layer = fc.record(
      {
        type: fc.constant("dense"),
        units: fc.integer({ min: 1, max: 9 }),
        activation,
        bias: fc.constant(true),
        trainable: fc.constantFrom(true, false, "weights", "bias"),
        init,
        biasInit: init,
      },
      { requiredKeys: ["units"] },
    );
    const specs = fc.record({
      inputs: fc.integer({ min: 1, max: 9 }),
      layers: fc.array(layer, { minLength: 1, maxLength: 4 }),
    });
    fc.assert(
      fc.property(specs, (spec) => {
        const once = resolveSpec(spec);
        expect(resolveSpec(once)).toEqual(once);
        expect(resolveSpec(JSON.parse(JSON.stringify(spec)))).toBeDefined();
      }),
      { numRuns: 200, seed: 1 },
    );
  });
});

test("parameterCount of sizes beyond memory is a number, not an overflow", () => {
  const big = 2 ** 24;
  expect(parameterCount(resolveSpec({ inputs: big, layers: [{ units: big }, { units: 1, bias: false }] }))).toBe(
    2 ** 48 + big + big,
  );
});
