import { describe, expect, test } from "vitest";
import { resolveSpec } from "../../src/options/spec.ts";

/** A spec with one layer that differs from { units: 2 }, over 3 inputs. */
const oneLayer = (layer: object, more: object = {}) => ({ inputs: 3, layers: [{ units: 2, ...layer }], ...more });

function refuses(spec: unknown, kind: typeof TypeError | typeof RangeError, message: string, dtype?: "float32") {
  expect(() => resolveSpec(spec, dtype)).toThrow(new kind(message));
  expect(() => resolveSpec(spec, dtype)).toThrow(kind);
}

const NAMES =
  "zeros, xavierUniform, xavierNormal, heUniform, heNormal, lecunUniform, lecunNormal, nguyenWidrow, truncatedNormal, orthogonal, identity";
const ACTIVATIONS =
  "linear, sigmoid, tanh, relu, leakyRelu, elu, selu, gelu, silu, softplus, softsign, mish, hardSigmoid, hardSwish, relu6 or softmax";

describe("resolveSpec names what is wrong", () => {
  test("kinds of the parts", () => {
    refuses(5, TypeError, "spec: expected an object with inputs, layers, loss and targetScaling, got 5");
    refuses(
      undefined,
      TypeError,
      "spec: expected an object with inputs, layers, loss and targetScaling, got undefined",
    );
    refuses({ layers: [] }, TypeError, "inputs: expected an integer from 1 to 16777216, got undefined");
    refuses({ inputs: 3 }, TypeError, "layers: expected an array of layers, got undefined");
    refuses({ inputs: 3, layers: "dense" }, TypeError, "layers: expected an array of layers, got 'dense'");
    refuses({ inputs: 3, layers: [5] }, TypeError, "layers[0]: expected a layer object, got 5");
    refuses({ inputs: 3, layers: [[5]] }, TypeError, "layers[0]: expected a layer object, got an array of 1");
    refuses(oneLayer({ bias: 1 }), TypeError, "layers[0].bias: expected true or false, got 1");
    refuses(oneLayer({ activation: 3 }), TypeError, `layers[0].activation: expected ${ACTIVATIONS}, got 3`);
    refuses(oneLayer({ activation: null }), TypeError, `layers[0].activation: expected ${ACTIVATIONS}, got null`);
    refuses(
      oneLayer({ init: null }),
      TypeError,
      `layers[0].init: expected ${NAMES.replace(/, (\w+)$/, " or $1")}, or rows, got null`,
    );
  });

  test("empty, affine-only and affine-after-dense layers", () => {
    const affine = { type: "affine", scale: [1, 1], shift: [0, 0] };
    refuses({ inputs: 2, layers: [] }, RangeError, "layers: expected at least one dense layer, got none");
    refuses(
      { inputs: 2, layers: [affine] },
      RangeError,
      "layers: expected a dense layer at the end, got affine layers alone",
    );
    refuses(
      { inputs: 2, layers: [{ units: 2 }, affine] },
      RangeError,
      "layers[1]: expected a dense layer after a dense layer, got an affine one",
    );
    refuses({ inputs: 2, layers: { length: 70_000 } }, RangeError, "layers: expected at most 65536 layers, got 70000");
  });

  test.each([0, -1, 1.5, NaN, Infinity, 2 ** 24 + 1, 1e300])("%d units or inputs", (count) => {
    refuses(
      oneLayer({ units: count }),
      RangeError,
      `layers[0].units: expected an integer from 1 to 16777216, got ${count}`,
    );
    refuses(
      { ...oneLayer({}), inputs: count },
      RangeError,
      `inputs: expected an integer from 1 to 16777216, got ${count}`,
    );
  });

  test("units of another kind", () => {
    refuses(oneLayer({ units: "3" }), TypeError, "layers[0].units: expected an integer from 1 to 16777216, got '3'");
    refuses(
      oneLayer({ units: 3n }),
      TypeError,
      "layers[0].units: expected an integer from 1 to 16777216, got a bigint",
    );
  });

  test("names that are not known, with the nearest one", () => {
    refuses(
      oneLayer({ activation: "softMax " }),
      RangeError,
      `layers[0].activation: expected ${ACTIVATIONS}, got 'softMax ', did you mean 'softmax'?`,
    );
    refuses(
      oneLayer({ activation: "felu" }),
      RangeError,
      `layers[0].activation: expected ${ACTIVATIONS}, got 'felu', did you mean 'relu'?`,
    );
    refuses(
      oneLayer({ type: "conv" }),
      RangeError,
      "layers[0].type: expected dense, affine, standardize, minMax, robust, dropout, gaussianNoise, batchNormalization or layerNormalization, got 'conv'",
    );
    refuses(
      oneLayer({}, { loss: "mse" }),
      RangeError,
      "loss: expected squaredError, meanSquaredError, meanAbsoluteError, huber, logCosh, crossEntropy, binaryCrossEntropy, kullbackLeibler, hinge, squaredHinge or poisson, got 'mse'",
    );
    refuses(
      oneLayer({ init: "xavieruniform" }),
      RangeError,
      `layers[0].init: expected ${NAMES.replace(/, (\w+)$/, " or $1")}, got 'xavieruniform', did you mean 'xavierUniform'?`,
    );
  });

  test("options that are not known, with the nearest one, and options of later versions", () => {
    refuses(
      oneLayer({ activaton: "relu" }),
      TypeError,
      "layers[0]: unknown option 'activaton', did you mean 'activation'?",
    );
    refuses(
      oneLayer({ bias_init: "zeros" }),
      TypeError,
      "layers[0]: unknown option 'bias_init', did you mean 'biasInit'?",
    );
    refuses(
      oneLayer({ dropout: 0.5 }),
      TypeError,
      "layers[0]: unknown option 'dropout'; the options are type, units, activation, bias, trainable, init, biasInit, l1, l2, penalizeBias and maxNorm",
    );
    refuses(oneLayer({ id: "a" }), TypeError, "layers[0]: 'id' is not available in this version");
    refuses(oneLayer({ from: "a" }), TypeError, "layers[0]: 'from' is not available in this version");
    refuses(oneLayer({}, { input: 3 }), TypeError, "spec: unknown option 'input', did you mean 'inputs'?");
    refuses(
      oneLayer({ activation: { type: "relu", alpha: 1 } }),
      TypeError,
      "layers[0].activation: unknown option 'alpha'; the options are type",
    );
    refuses(
      JSON.parse('{"inputs":1,"layers":[{"units":1}],"__proto__":{}}'),
      TypeError,
      "spec: unknown option '__proto__'; the options are inputs, layers, loss and targetScaling",
    );
  });

  test("softmax in a hidden layer", () => {
    const message =
      "layers[0].activation: expected linear, sigmoid, tanh, relu, leakyRelu, elu, selu, gelu, silu, softplus, softsign, mish, hardSigmoid, hardSwish or relu6 in a hidden layer, got 'softmax'";
    refuses({ inputs: 2, layers: [{ units: 2, activation: "softmax" }, { units: 1 }] }, RangeError, message);
  });

  test("losses that do not go with the output, naming those that do", () => {
    const pair = (activation: string, loss: string) => oneLayer({ activation }, { loss });
    refuses(
      pair("tanh", "crossEntropy"),
      RangeError,
      "loss: expected squaredError, meanSquaredError, meanAbsoluteError, huber, logCosh, hinge or squaredHinge with a tanh output, got 'crossEntropy', which goes only with softmax",
    );
    refuses(
      pair("softmax", "binaryCrossEntropy"),
      RangeError,
      "loss: expected squaredError, meanSquaredError, meanAbsoluteError, huber, logCosh, crossEntropy or kullbackLeibler with a softmax output, got 'binaryCrossEntropy', which goes only with sigmoid",
    );
    for (const activation of ACTIVATIONS.split(/, | or /)) {
      for (const loss of ["squaredError", "meanSquaredError"]) {
        expect(resolveSpec(pair(activation, loss)).loss).toBe(loss);
      }
    }
  });

  test("options of losses", () => {
    const loss = (given: unknown, activation = "softmax") => oneLayer({ activation, units: 3 }, { loss: given });
    refuses(
      loss({ type: "crossEntropy", labelSmoothing: 1 }),
      RangeError,
      "loss.labelSmoothing: expected a number ≥ 0 and < 1, got 1",
    );
    refuses(
      loss({ type: "crossEntropy", classWeights: [1, 2] }),
      RangeError,
      "loss.classWeights: expected 3 numbers, got 2",
    );
    refuses(
      loss({ type: "crossEntropy", classWeights: [1, -2, 1] }),
      RangeError,
      "loss.classWeights: expected numbers ≥ 0, got -2 at 1",
    );
    refuses(
      loss({ type: "crossEntropy", classWeights: [0, 0, 0] }),
      RangeError,
      "loss.classWeights: expected at least one number above 0, got none",
    );
    refuses(loss({ type: "huber", delta: 0 }), RangeError, "loss.delta: expected a finite number > 0, got 0");
    refuses(
      loss({ type: "huber", labelSmoothing: 0.1 }),
      TypeError,
      "loss: unknown option 'labelSmoothing'; the options are type and delta",
    );
    expect(resolveSpec(loss({ type: "huber", delta: 1 })).loss).toBe("huber");
    expect(resolveSpec(loss({ type: "crossEntropy" })).loss).toBe("crossEntropy");
    const weighted = resolveSpec(loss({ type: "crossEntropy", classWeights: [1, 2, 3] }));
    expect(weighted.loss).toEqual({ type: "crossEntropy", labelSmoothing: 0, classWeights: [1, 2, 3] });
    expect(resolveSpec(weighted).loss).toEqual(weighted.loss);
  });

  test("trainable parts that are not there", () => {
    refuses(
      oneLayer({ trainable: "bias", bias: false }),
      RangeError,
      "layers[0].trainable: expected true, false or 'weights' (the layer has no bias), got 'bias'",
    );
    refuses(
      oneLayer({ trainable: "all" }),
      RangeError,
      "layers[0].trainable: expected true, false, 'weights' or 'bias', got 'all'",
    );
    refuses(
      oneLayer({ trainable: 1 }),
      TypeError,
      "layers[0].trainable: expected true, false, 'weights' or 'bias', got 1",
    );
  });

  test("slopes outside 0…1", () => {
    for (const alpha of [-0.1, 1.1, NaN, Infinity]) {
      refuses(
        oneLayer({ activation: { type: "leakyRelu", alpha } }),
        RangeError,
        `layers[0].activation.alpha: expected a number from 0 to 1, got ${alpha}`,
      );
    }
  });

  test("an alpha of elu that is not above 0, one of another function", () => {
    for (const alpha of [0, -1, NaN, Infinity]) {
      refuses(
        oneLayer({ activation: { type: "elu", alpha } }),
        RangeError,
        `layers[0].activation.alpha: expected a finite number > 0, got ${alpha}`,
      );
    }
    refuses(
      oneLayer({ activation: { type: "selu", alpha: 1 } }),
      TypeError,
      "layers[0].activation: unknown option 'alpha'; the options are type",
    );
  });

  test("initial values of another shape or kind", () => {
    refuses(oneLayer({ init: [[1, 2, 3]] }), RangeError, "layers[0].init: expected 2 rows, one per unit, got 1");
    refuses(
      oneLayer({
        init: [
          [1, 2],
          [3, 4],
        ],
      }),
      RangeError,
      "layers[0].init: expected rows of 3 values, got 2 in row 0",
    );
    refuses(
      oneLayer({ init: [1, 2, 3, 4, 5, 6] }),
      TypeError,
      "layers[0].init: expected rows of 3 values, got a flat array of 6 numbers; pass { data, shape: [2, 3] } or an array of rows",
    );
    refuses(
      oneLayer({
        init: [
          [1, 2, 3],
          [4, NaN, 6],
        ],
      }),
      RangeError,
      "layers[0].init: expected a finite number, got NaN in row 1, column 1",
    );
    refuses(oneLayer({ biasInit: [1] }), RangeError, "layers[0].biasInit: expected 2 numbers, got 1");
    refuses(oneLayer({ biasInit: [1, "2"] }), TypeError, "layers[0].biasInit[1]: expected a number, got '2'");
    refuses(
      oneLayer({ biasInit: [1, 1e39] }),
      RangeError,
      "layers[0].biasInit[1]: expected a number that is finite in float32, got 1e+39",
      "float32",
    );
    refuses(
      oneLayer({
        init: [
          [1, 2, 3],
          [4, 5, 1e39],
        ],
      }),
      RangeError,
      "layers[0].init: expected a finite number, got 1e+39 in row 1, column 2, which overflows float32",
      "float32",
    );
    expect(resolveSpec(oneLayer({ biasInit: [1, 1e39] }), "float64")).toBeDefined();
  });

  test("initialiser rules out of range", () => {
    for (const epsilon of [0, -1, NaN, Infinity]) {
      refuses(
        oneLayer({ init: { type: "uniform", epsilon } }),
        RangeError,
        `layers[0].init.epsilon: expected a number > 0 and finite in float64, got ${epsilon}`,
      );
    }
    refuses(
      oneLayer({ init: { type: "uniform", epsilon: 1e-50 } }),
      RangeError,
      "layers[0].init.epsilon: expected a number > 0 and finite in float32, got 1e-50",
      "float32",
    );
    refuses(
      oneLayer({ init: { type: "constant" } }),
      TypeError,
      "layers[0].init.value: expected a number that is finite in float64, got undefined",
    );
    refuses(
      oneLayer({ init: { type: "uniform", eps: 1 } }),
      TypeError,
      "layers[0].init: unknown option 'eps'; the options are type and epsilon",
    );
    refuses(
      oneLayer({ init: { type: "zeros", value: 1 } }),
      TypeError,
      "layers[0].init: unknown option 'value'; the options are type",
    );
  });

  test("affine nodes of another width, kind or value", () => {
    const affine = (scale: unknown, shift: unknown) => ({
      inputs: 2,
      layers: [{ type: "affine", scale, shift }, { units: 1 }],
    });
    refuses(affine([1], [0, 0]), RangeError, "layers[0].scale: expected 2 numbers, got 1");
    refuses(affine([1, 1], undefined), TypeError, "layers[0].shift: expected an array of 2 numbers, got undefined");
    refuses(
      affine([1, Infinity], [0, 0]),
      RangeError,
      "layers[0].scale[1]: expected a number that is finite in float64, got Infinity",
    );
  });
});
