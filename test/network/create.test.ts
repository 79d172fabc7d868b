// What `create` and `createSync` refuse, and what they give.
import { describe, expect, test } from "vitest";
import { Network, type NetworkOptions, type NetworkSpec } from "../../src/index.ts";

const dense = { units: 3, activation: "tanh" } as const;
const spec = (change: object = {}, layer: object = {}) => ({
  inputs: 2,
  layers: [dense, { units: 2, ...layer }],
  ...change,
});
const nothing = undefined as unknown as NetworkOptions;

const BAD_SPECS: [what: string, spec: unknown, kind: typeof TypeError | typeof RangeError, message: RegExp][] = [
  ["no object", 3, TypeError, /^spec: expected an object with inputs, layers, loss and targetScaling, got 3$/],
  ["nothing", undefined, TypeError, /^spec: expected an object .*, got undefined$/],
  ["no inputs", { layers: [dense] }, TypeError, /^inputs: expected an integer from 1 to \d+, got undefined$/],
  ["zero inputs", spec({ inputs: 0 }), RangeError, /^inputs: expected an integer from 1 .*, got 0$/],
  ["1.5 inputs", spec({ inputs: 1.5 }), RangeError, /^inputs: .*, got 1.5$/],
  ["absurd inputs", spec({ inputs: 1e12 }), RangeError, /^inputs: .*, got 1000000000000$/],
  ["no layers", spec({ layers: [] }), RangeError, /^layers: expected at least one dense layer, got none$/],
  ["layers of text", spec({ layers: "3" }), TypeError, /^layers: expected an array of layers, got '3'$/],
  ["units as layers", spec({ layers: [3, 2] }), TypeError, /^layers\[0\]: expected a layer object, got 3$/],
  ["zero units", spec({}, { units: 0 }), RangeError, /^layers\[1\]\.units: expected an integer from 1 .*, got 0$/],
  ["negative units", spec({}, { units: -4 }), RangeError, /^layers\[1\]\.units: .*, got -4$/],
  ["fractional units", spec({}, { units: 2.5 }), RangeError, /^layers\[1\]\.units: .*, got 2\.5$/],
  ["NaN units", spec({}, { units: Number.NaN }), RangeError, /^layers\[1\]\.units: .*, got NaN$/],
  ["units as text", spec({}, { units: "2" }), TypeError, /^layers\[1\]\.units: .*, got '2'$/],
  ["absurd units", spec({}, { units: 2 ** 40 }), RangeError, /^layers\[1\]\.units: .*, got 1099511627776$/],
  [
    "an unknown activation",
    spec({}, { activation: "sigmoyd" }),
    RangeError,
    /^layers\[1\]\.activation: .*did you mean 'sigmoid'\?$/,
  ],
  [
    "an unknown option",
    spec({}, { activatoin: "tanh" }),
    TypeError,
    /^layers\[1\]: unknown option 'activatoin', did you mean 'activation'\?$/,
  ],
  ["an unknown loss", spec({ loss: "mse" }), RangeError, /^loss: expected .*meanSquaredError.*, got 'mse'/],
  [
    "softmax in a hidden layer",
    spec({ layers: [{ units: 3, activation: "softmax" }, dense] }),
    RangeError,
    /^layers\[0\]\.activation: .* in a hidden layer, got 'softmax'$/,
  ],
  [
    "crossEntropy after tanh",
    spec({ loss: "crossEntropy" }, { activation: "tanh" }),
    RangeError,
    /^loss: expected .*meanSquaredError.* with a tanh output, got 'crossEntropy', .*softmax$/,
  ],
  [
    "binaryCrossEntropy after softmax",
    spec({ loss: "binaryCrossEntropy" }, { activation: "softmax" }),
    RangeError,
    /^loss: expected .*crossEntropy.* with a softmax output, got 'binaryCrossEntropy', .*sigmoid$/,
  ],
  [
    "ragged initial weights",
    spec(
      {},
      {
        init: [
          [1, 2, 3],
          [1, 2],
        ],
      },
    ),
    RangeError,
    /^layers\[1\]\.init: expected rows of 3 values, got 2 in row 1$/,
  ],
  [
    "too few initial rows",
    spec({}, { init: [[1, 2, 3]] }),
    RangeError,
    /^layers\[1\]\.init: expected 2 rows, one per unit, got 1$/,
  ],
  [
    "NaN in initial weights",
    spec(
      {},
      {
        init: [
          [1, 2, 3],
          [1, Number.NaN, 3],
        ],
      },
    ),
    RangeError,
    /^layers\[1\]\.init: .*NaN.* row 1, column 1/,
  ],
  [
    "initial weights beyond float32",
    spec(
      {},
      {
        init: [
          [1, 2, 3],
          [1, 2, 1e39],
        ],
      },
    ),
    RangeError,
    /^layers\[1\]\.init: .* row 1, column 2/,
  ],
  [
    "epsilon 0",
    spec({}, { init: { type: "uniform", epsilon: 0 } }),
    RangeError,
    /^layers\[1\]\.init\.epsilon: expected a number > 0 .*, got 0$/,
  ],
  [
    "alpha 2",
    spec({}, { activation: { type: "leakyRelu", alpha: 2 } }),
    RangeError,
    /^layers\[1\]\.activation\.alpha: expected a number from 0 to 1, got 2$/,
  ],
  [
    "trainable 'biases'",
    spec({}, { trainable: "biases" }),
    RangeError,
    /^layers\[1\]\.trainable: .*'weights' or 'bias', got 'biases'$/,
  ],
];

const BAD_OPTIONS: [what: string, options: unknown, kind: typeof TypeError | typeof RangeError, message: RegExp][] = [
  ["seed −1", { seed: -1 }, RangeError, /^seed: expected an integer from 0 .*, got -1$/],
  ["seed 0.5", { seed: 0.5 }, RangeError, /^seed: .*, got 0\.5$/],
  ["seed 2^53", { seed: 2 ** 53 }, RangeError, /^seed: /],
  ["dtype 'float16'", { dtype: "float16" }, RangeError, /^dtype: expected float32 or float64, got 'float16'/],
  ["core 'wasm'", { core: "wasm" }, RangeError, /^core: expected auto, simd, relaxed or js, got 'wasm'/],
  ["an unknown option", { sead: 1 }, TypeError, /^create: unknown option 'sead', did you mean 'seed'\?$/],
];

describe("create refuses", () => {
  test.each(BAD_SPECS)("%s", async (_what, bad, kind, message) => {
    const refused = expect.objectContaining({ message: expect.stringMatching(message) });
    expect(() => Network.createSync(bad as NetworkSpec)).toThrow(refused);
    expect(() => Network.createSync(bad as NetworkSpec)).toThrow(kind);
    await expect(Network.create(bad as NetworkSpec)).rejects.toThrow(refused);
    await expect(Network.create(bad as NetworkSpec)).rejects.toThrow(kind);
  });

  test.each(BAD_OPTIONS)("%s", async (_what, bad, kind, message) => {
    const good = spec() as NetworkSpec;
    const refused = expect.objectContaining({ message: expect.stringMatching(message) });
    expect(() => Network.createSync(good, bad as NetworkOptions)).toThrow(refused);
    expect(() => Network.createSync(good, bad as NetworkOptions)).toThrow(kind);
    await expect(Network.create(good, bad as NetworkOptions)).rejects.toThrow(kind);
  });

  test("the relaxed core while it is not loaded, and says how to load it", async () => {
    for (const dtype of ["float32", "float64"] as const) {
      const error = thrown(() => Network.createSync(spec() as NetworkSpec, { core: "relaxed", dtype }));
      expect(error.message).toMatch(/relaxed.*not loaded.*chainrule\/relaxed.*initSync/);
      await expect(Network.create(spec() as NetworkSpec, { core: "relaxed", dtype })).rejects.toThrow(/initSync/);
    }
  });

  test("more than 4 GiB, with the bytes it would need, on both cores", async () => {
    const huge: NetworkSpec = { inputs: 2 ** 16, layers: [{ units: 2 ** 16 }] };
    for (const [dtype, least] of [
      ["float32", 2 ** 34],
      ["float64", 2 ** 35],
    ] as const) {
      for (const core of ["simd", "js"] as const) {
        const error = thrown(() => Network.createSync(huge, { dtype, core }));
        expect(error).toBeInstanceOf(RangeError);
        expect(error.message).toMatch(/4294967296 bytes|4 GiB/);
        const bytes = Math.max(...(error.message.match(/\d+/g) ?? []).map(Number));
        expect(bytes).toBeGreaterThanOrEqual(least);
        expect(bytes).toBeLessThan(1.01 * least);
      }
      await expect(Network.create(huge, { dtype })).rejects.toThrow(RangeError);
    }
  });
});

describe("fit, predict and evaluate refuse more than 4 GiB", () => {
  // A million times the same row takes no room here, and 8 GB as data of a fit.
  const ROWS = 1_000_000;
  const x = Array.from({ length: ROWS }, () => ROW);

  test.each(["simd", "js"] as const)(
    "fit on 1 000 000 × 2000 rows on the %s core, and the network stays as it was",
    async (core) => {
      using network = Network.createSync({ inputs: 2000, layers: [{ units: 1, activation: "sigmoid" }] }, { core });
      const before = network.save();
      const y = new Float32Array(ROWS);
      for (const error of [
        thrown(() => network.fitSync(x, y)),
        await rejected(network.fit(x, y)),
        thrown(() => network.epochs(x, y)),
      ]) {
        expect(error).toBeInstanceOf(RangeError);
        const bytes = Math.max(...(error.message.match(/\d+/g) ?? []).map(Number));
        expect(bytes).toBeGreaterThan(8e9);
        expect(bytes).toBeLessThan(9e9);
      }
      expect(network.save()).toEqual(before);
      network.fitSync(x.slice(0, 3), y.slice(0, 3), { epochs: 1 });
    },
  );
});

const ROW = new Float32Array(2000);

describe("create gives", () => {
  test("sizes, dtype, core and the number of parameters", async () => {
    using network = await Network.create(spec() as NetworkSpec);
    expect([network.inputs, network.outputs, network.dtype, network.core]).toEqual([2, 2, "float32", "simd"]);
    expect(network.parameterCount).toBe(2 * 3 + 3 + 3 * 2 + 2);
    using other = await Network.create(spec() as NetworkSpec, { dtype: "float64", core: "js" });
    expect([other.dtype, other.core]).toEqual(["float64", "js"]);
    expect(other.predict([[1, 2]]).data).toBeInstanceOf(Float64Array);
    expect(network.predict([[1, 2]]).data).toBeInstanceOf(Float32Array);
  });

  test("a spec with every default filled in, that stays when the user's object changes", () => {
    const mine = {
      inputs: 2,
      layers: [
        { units: 3, activation: "relu" as const },
        { units: 1, activation: "sigmoid" as const },
      ],
    };
    using network = Network.createSync(mine);
    mine.layers[0]!.units = 7;
    mine.inputs = 9;
    expect(network.spec.loss).toBe("binaryCrossEntropy");
    expect(network.spec.inputs).toBe(2);
    expect(network.spec.layers[0]).toMatchObject({
      type: "dense",
      units: 3,
      bias: true,
      trainable: true,
      init: { type: "heUniform" },
    });
    expect(() => {
      (network.spec as { inputs: number }).inputs = 5;
    }).toThrow(TypeError);
    expect(network.predict([[1, 2]]).shape).toEqual([1, 1]);
  });

  test("the same initial weights from the same seed, others from another one, seed 0 when left out", () => {
    const weights = (options: NetworkOptions) => {
      using network = Network.createSync(spec() as NetworkSpec, options);
      return network.weights();
    };
    expect(weights({ seed: 0 })).toEqual(weights(nothing));
    expect(weights({ seed: 5 })).toEqual(weights({ seed: 5, core: "js" }));
    expect(weights({ seed: 5 })).not.toEqual(weights({ seed: 6 }));
    expect(weights({ seed: 5 })).not.toEqual(weights({ seed: 5 + 2 ** 32 }));
  });

  test("draws for one layer that do not depend on the other layers' initialisers", () => {
    const weights = (init: "zeros" | "heNormal") => {
      using network = Network.createSync({ inputs: 4, layers: [{ units: 5, init }, { units: 3 }] });
      return network.weights()[1];
    };
    expect(weights("zeros")).toEqual(weights("heNormal"));
  });
});

function thrown(call: () => unknown): Error {
  try {
    call();
  } catch (error) {
    return error as Error;
  }
  throw new Error("nothing was thrown");
}

async function rejected(promise: Promise<unknown>): Promise<Error> {
  return promise.then(
    () => {
      throw new Error("nothing was thrown");
    },
    (error: Error) => error,
  );
}
