// An invalid call changes nothing: not a byte of what `save()` writes, and not a bit of the training that follows.
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type FitOptions, type LayerWeightsLike, Network, type Rows, type Targets } from "../../src/index.ts";
import { stateOf } from "../saved-state.ts";
import {
  BAD_FIT,
  BAD_WEIGHTS,
  BAD_X,
  BAD_Y,
  CLASSES,
  type Kind,
  many,
  matrix,
  REALS,
  SHARES,
  SPECS,
  TARGETS,
  UNIT,
  X,
} from "./invalid-values.ts";

type Core = "simd" | "js";
type Call = (network: Network, x: Rows, y: Targets) => unknown;

/** Stopped in mid-epoch, so that there is state to damage: weights, moments, counters, half an epoch. */
function prepared(which: keyof typeof SPECS, core: Core, dtype: "float32" | "float64" = "float32"): Network {
  const network = Network.createSync(SPECS[which], { core, dtype });
  network.fitSync(X, TARGETS[which], { batchSize: 4, maxSteps: 7, optimizer: "adam" });
  return network;
}

const isThenable = (value: unknown): value is Promise<unknown> =>
  typeof (value as Promise<unknown>)?.then === "function";

/** The error of a call, thrown or rejected. */
async function errorOf(call: () => unknown): Promise<Error> {
  try {
    const result = call();
    if (isThenable(result)) await result;
  } catch (error) {
    return error as Error;
  }
  throw new Error("the call was accepted");
}

// With another optimizer than the one in use, and another batch size: what a careless call would leave behind.
const ELSE = { optimizer: "momentum", batchSize: 5, epochs: 1 } as const;
const READS_X: Record<string, Call> = {
  predict: (network, x) => network.predict(x),
  predictClasses: (network, x) => network.predictClasses(x),
};
const READS_BOTH: Record<string, Call> = {
  fit: (network, x, y) => network.fit(x, y, ELSE),
  fitSync: (network, x, y) => network.fitSync(x, y, ELSE),
  epochs: (network, x, y) => network.epochs(x, y, ELSE),
  "fitSync with held-back rows": (network, x, y) => network.fitSync(x, y, { ...ELSE, validation: 0.4 }),
  step: (network, x, y) => network.step(x, y, { optimizer: "momentum" }),
  evaluate: (network, x, y) => network.evaluate(x, y),
  gradients: (network, x, y) => network.gradients(x, y),
  inputGradients: (network, x, y) => network.inputGradients(x, y),
  check: (network, x, y) => network.check(x, y),
  "fit with validation": (network, x, y) => network.fit(X, goodTargets(network, y), { ...ELSE, validation: { x, y } }),
};

/** Right targets for the network, of the same kind as `y`. */
function goodTargets({ spec }: Network, y: Targets): Targets {
  if (spec.loss === "meanSquaredError") return REALS;
  if (spec.loss === "binaryCrossEntropy") return UNIT;
  return Array.isArray((y as ArrayLike<unknown>)[0]) ? SHARES : CLASSES;
}

describe.each(["simd", "js"] as const)(
  "an invalid call on the %s core changes nothing and says what is wrong:",
  (core) => {
    const networks = {} as Record<keyof typeof SPECS, Network>;
    const before = {} as Record<keyof typeof SPECS, Uint8Array>;

    beforeEach(() => {
      for (const which of Object.keys(SPECS) as (keyof typeof SPECS)[]) {
        networks[which] = prepared(which, core);
        before[which] = networks[which].save();
      }
    });

    afterEach(() => {
      for (const which of Object.keys(SPECS) as (keyof typeof SPECS)[]) networks[which].dispose();
    });

    const expectRefused = async (
      which: keyof typeof SPECS,
      name: string,
      call: () => unknown,
      kind: Kind,
      message: RegExp,
    ) => {
      const error = await errorOf(call);
      expect(error, `${name}: ${error.message}`).toBeInstanceOf(kind);
      expect(error.message, name).toMatch(message);
      expect(Buffer.compare(networks[which].save(), before[which]), `${name} changed the network`).toBe(0);
    };

    const expectUntouched = (which: keyof typeof SPECS) => {
      using twin = prepared(which, core);
      for (const network of [networks[which], twin]) network.fitSync(X, TARGETS[which], { batchSize: 4, epochs: 3 });
      expect(stateOf(networks[which])).toEqual(stateOf(twin));
    };

    test.each(BAD_X)("x with %s", async (_what, x, kind, message) => {
      for (const [name, call] of Object.entries({ ...READS_X, ...READS_BOTH })) {
        const y = (x as ArrayLike<unknown> | null)?.length === 2500 ? many(REALS) : REALS;
        await expectRefused("reals", name, () => call(networks.reals, x as Rows, y), kind, message);
      }
      expectUntouched("reals");
    });

    test.each(BAD_Y)("y (%s) with %s", async (which, _what, y, kind, message) => {
      for (const [name, call] of Object.entries(READS_BOTH)) {
        await expectRefused(which, name, () => call(networks[which], X, y as Targets), kind, message);
      }
      expectUntouched(which);
    });

    test.each(BAD_FIT)("fit with %s", async (_what, options, kind, message) => {
      const given = options as FitOptions;
      await expectRefused("reals", "fit", () => networks.reals.fit(X, REALS, given), kind, message);
      await expectRefused("reals", "fitSync", () => networks.reals.fitSync(X, REALS, given), kind, message);
      await expectRefused("reals", "epochs", () => networks.reals.epochs(X, REALS, given), kind, message);
      expectUntouched("reals");
    });

    test.each(BAD_WEIGHTS)("setWeights with %s", async (_what, weights, kind, message) => {
      const call = () => networks.reals.setWeights(weights as LayerWeightsLike[]);
      await expectRefused("reals", "setWeights", call, kind, message);
      expectUntouched("reals");
    });

    test("setTrainable for a layer or a part that is not there", async () => {
      const refused = (call: () => unknown, kind: Kind, message: RegExp) =>
        expectRefused("reals", "setTrainable", call, kind, message);
      await refused(() => networks.reals.setTrainable(2, false), RangeError, /layer: .*0 to 1.*got 2$/);
      await refused(() => networks.reals.setTrainable(-1, false), RangeError, /layer: .*got -1$/);
      await refused(() => networks.reals.setTrainable("0" as never, false), TypeError, /layer: .*got '0'$/);
      await refused(() => networks.reals.setTrainable(0, "all" as never), RangeError, /trainable: .*got 'all'$/);
      expectUntouched("reals");
    });

    test("predict into a matrix of another shape or dtype, or one that overlaps x", async () => {
      const x = matrix(X);
      const refused = (into: unknown, kind: Kind, message: RegExp, rows: Rows = X) =>
        expectRefused("reals", "predict", () => networks.reals.predict(rows, { into: into as never }), kind, message);
      await refused({ data: new Float32Array(38), shape: [19, 2] }, RangeError, /into.*20.*2/);
      await refused(
        { data: new Float32Array(39), shape: [20, 2] },
        RangeError,
        /into: expected shape \[20, 2\], got \[20, 2\] with 39 values$/,
      );
      await refused(
        { data: new Float64Array(40), shape: [20, 2] },
        TypeError,
        /into\.data: expected a Float32Array, the network.s dtype, got a Float64Array of 40/,
      );
      await refused([[0, 0]], TypeError, /into/);
      const shared = new Float32Array(100);
      shared.set(x.data);
      const overlapping = { data: shared.subarray(59, 99), shape: [20, 2] };
      await refused(overlapping, RangeError, /into.*overlap/, { data: shared.subarray(0, 60), shape: [20, 3] });
    });

    test("predict into the user's matrix with NaN in row 2400 of 2500: the matrix stays as it was", async () => {
      const into = { data: new Float32Array(5000).fill(7), shape: [2500, 2] as const };
      const x = many(X).with(2400, [0, Number.NaN, 0]);
      const call = () => networks.reals.predict(x, { into });
      await expectRefused("reals", "predict", call, RangeError, /got NaN in row 2400, column 1$/);
      expect(into.data.every((value) => value === 7)).toBe(true);
    });

    test("save and load with unknown options", async () => {
      await expectRefused(
        "reals",
        "save",
        () => networks.reals.save({ optimiser: false } as never),
        TypeError,
        /'optimiser', did you mean 'optimizer'\?$/,
      );
      await expectRefused(
        "reals",
        "load",
        () => Network.load(before.reals, { seed: 3 } as never),
        TypeError,
        /unknown option 'seed'/,
      );
    });
  },
);

describe("float64", () => {
  test("accepts 1e39, which float32 refuses, and refuses −Infinity", () => {
    using network = Network.createSync(SPECS.reals, { dtype: "float64" });
    expect(network.predict([[1e39, 0, 0]]).data.every(Number.isFinite)).toBe(true);
    expect(() => network.predict([[0, Number.NEGATIVE_INFINITY, 0]])).toThrow(/got -Infinity in row 0, column 1$/);
  });

  test("asks shares to sum to 1 within 1e-9", () => {
    using network = Network.createSync(SPECS.classes, { dtype: "float64" });
    expect(() => network.evaluate([[0, 0, 0]], [[0.5, 0.5 + 2e-9]])).toThrow(/within 1e-9/);
    network.evaluate([[0, 0, 0]], [[0.5, 0.5 + 5e-10]]);
    using single = Network.createSync(SPECS.classes);
    single.evaluate([[0, 0, 0]], [[0.5, 0.5 + 5e-6]]);
  });
});
