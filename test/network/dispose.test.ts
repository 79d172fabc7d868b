// After `dispose()` every call says so; a running fit rejects.
import { describe, expect, test } from "vitest";
import { Network, type NetworkSpec } from "../../src/index.ts";
import { drawRows, drawsFrom } from "../draws.ts";

const draw = drawsFrom(51);
const X = drawRows(draw, 40, 3, 1);
const Y = drawRows(draw, 40, 2, 1);
const SPEC: NetworkSpec = { inputs: 3, layers: [{ units: 4, activation: "tanh" }, { units: 2 }] };

const CALLS: Record<string, (network: Network) => unknown> = {
  fitSync: (network) => network.fitSync(X, Y),
  epochs: (network) => network.epochs(X, Y),
  step: (network) => network.step(X, Y),
  predict: (network) => network.predict(X),
  predictClasses: (network) => network.predictClasses(X),
  evaluate: (network) => network.evaluate(X, Y),
  gradients: (network) => network.gradients(X, Y),
  inputGradients: (network) => network.inputGradients(X, Y),
  check: (network) => network.check(X, Y),
  weights: (network) => network.weights(),
  setWeights: (network) => network.setWeights([]),
  setTrainable: (network) => network.setTrainable(0, false),
  clone: (network) => network.clone(),
  summary: (network) => network.summary(),
  save: (network) => network.save(),
};

describe.each(["simd", "js"] as const)("after dispose() on the %s core", (core) => {
  test.each(Object.entries(CALLS))("%s throws and names dispose", (_name, call) => {
    const network = Network.createSync(SPEC, { core });
    network.dispose();
    expect(() => call(network)).toThrow(/dispose/);
  });

  test("fit rejects and names dispose", async () => {
    const network = Network.createSync(SPEC, { core });
    network.dispose();
    await expect(network.fit(X, Y)).rejects.toThrow(/dispose/);
  });

  test("a second dispose() is no error, and `using` disposes", () => {
    let outside: Network;
    {
      using network = Network.createSync(SPEC, { core });
      outside = network;
      network.predict(X);
    }
    expect(() => outside.predict(X)).toThrow(/dispose/);
    outside.dispose();
    outside[Symbol.dispose]();
  });

  test("what was taken before stays: predictions, weights, bytes, a clone", () => {
    const network = Network.createSync(SPEC, { core });
    const { data } = network.predict(X);
    const weights = network.weights();
    const bytes = network.save();
    using clone = network.clone();
    network.dispose();
    expect(clone.predict(X).data).toEqual(data);
    expect(clone.weights()).toEqual(weights);
    using loaded = Network.loadSync(bytes);
    expect(loaded.predict(X).data).toEqual(data);
  });

  test("a running fit rejects with a clear error", async () => {
    const network = Network.createSync(SPEC, { core });
    const run = network.fit(X, Y, { epochs: 1e6 });
    const outcome = expect(run).rejects.toThrow(/dispose/);
    await new Promise((resolve) => setImmediate(resolve));
    network.dispose();
    await outcome;
    expect(() => network.predict(X)).toThrow(/dispose/);
  });

  test("a running fit that has not begun, one in onEpoch, and epochs() reject too", async () => {
    const early = Network.createSync(SPEC, { core });
    const run = early.fit(X, Y);
    early.dispose();
    await expect(run).rejects.toThrow(/dispose/);

    const inside = Network.createSync(SPEC, { core });
    await expect(inside.fit(X, Y, { epochs: 3, onEpoch: () => inside.dispose() })).rejects.toThrow(/dispose/);
    const sync = Network.createSync(SPEC, { core });
    expect(() => sync.fitSync(X, Y, { epochs: 3, onEpoch: () => sync.dispose() })).toThrow(/dispose/);

    const walked = Network.createSync(SPEC, { core });
    const epochs = walked.epochs(X, Y);
    await epochs.next();
    walked.dispose();
    await expect(epochs.next()).rejects.toThrow(/dispose/);
    const parked = Network.createSync(SPEC, { core });
    const waiting = parked.epochs(X, Y);
    parked.dispose();
    await expect(waiting.next()).rejects.toThrow(/dispose/);
  });
});
