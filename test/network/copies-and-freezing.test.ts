// Clones live on their own; frozen layers and parts stay; `step` goes on with the optimizer's state.
import { describe, expect, test } from "vitest";
import { Network, type NetworkSpec } from "../../src/index.ts";
import { drawRows, drawsFrom } from "../draws.ts";
import { hex, stateOf } from "../saved-state.ts";

const draw = drawsFrom(73);
const X = drawRows(draw, 25, 3, 1);
const Y = drawRows(draw, 25, 2, 1);
const SPEC: NetworkSpec = {
  inputs: 3,
  layers: [{ units: 5, activation: "tanh" }, { units: 4, activation: "relu", bias: false }, { units: 2 }],
};
describe("clone", () => {
  test("is the same network in every bit, and lives on its own", () => {
    using network = Network.createSync(SPEC, { dtype: "float64", seed: 9 });
    network.fitSync(X, Y, { maxSteps: 3, batchSize: 4, optimizer: "adam" });
    using clone = network.clone();
    expect([clone.dtype, clone.core, clone.inputs, clone.outputs, clone.spec]).toEqual([
      network.dtype,
      network.core,
      network.inputs,
      network.outputs,
      network.spec,
    ]);
    expect(stateOf(clone)).toEqual(stateOf(network));
    const before = stateOf(network);
    clone.fitSync(X, Y, { epochs: 2, batchSize: 4 });
    expect(stateOf(network)).toEqual(before);
    network.fitSync(X, Y, { epochs: 2, batchSize: 4 });
    expect(stateOf(clone)).toEqual(stateOf(network));
    clone.setTrainable(0, false);
    clone.setWeights(clone.weights().map(({ W, b }) => ({ W: { ...W, data: W.data.fill(0) }, ...(b && { b }) })));
    expect(network.spec.layers[0]).toMatchObject({ trainable: true });
    expect(network.predict(X)).not.toEqual(clone.predict(X));
  });
});

describe("setTrainable", () => {
  const changed = (network: Network, before: ReturnType<Network["weights"]>) =>
    network
      .weights()
      .map(({ W, b }, l) => [hex(W.data) !== hex(before[l]!.W.data), b !== undefined && hex(b) !== hex(before[l]!.b!)]);

  test.each(["sgd", "momentum", "nesterov", "adam"] as const)(
    "freezes and frees layers and parts under %s",
    (optimizer) => {
      using network = Network.createSync(SPEC);
      const changes = () => {
        const before = network.weights();
        network.fitSync(X, Y, { epochs: 1, batchSize: 8, optimizer });
        return changed(network, before);
      };
      expect(changes()).toEqual([
        [true, true],
        [true, false],
        [true, true],
      ]);
      network.setTrainable(0, false);
      expect(changes()).toEqual([
        [false, false],
        [true, false],
        [true, true],
      ]);
      network.setTrainable(2, "weights");
      expect(changes()).toEqual([
        [false, false],
        [true, false],
        [true, false],
      ]);
      network.setTrainable(2, "bias");
      network.setTrainable(1, false);
      expect(changes()).toEqual([
        [false, false],
        [false, false],
        [false, true],
      ]);
      network.setTrainable(0, "bias");
      expect(changes()).toEqual([
        [false, true],
        [false, false],
        [false, true],
      ]);
      for (const layer of [0, 1, 2]) network.setTrainable(layer, true);
      expect(changes()).toEqual([
        [true, true],
        [true, false],
        [true, true],
      ]);
    },
  );

  test("gradients ignore it; what is frozen is saved and loaded", () => {
    using network = Network.createSync(SPEC);
    const expected = network.gradients(X, Y);
    for (const layer of [0, 1, 2]) network.setTrainable(layer, false);
    expect(network.gradients(X, Y)).toEqual(expected);
    const before = network.weights();
    using loaded = Network.loadSync(network.save());
    loaded.fitSync(X, Y, { epochs: 2 });
    loaded.step(X, Y);
    expect(loaded.weights()).toEqual(before);
    expect(loaded.spec.layers.map((layer) => layer.type === "dense" && layer.trainable)).toEqual([false, false, false]);
  });

  test("refuses 'bias' for a layer without one", () => {
    using network = Network.createSync(SPEC);
    expect(() => network.setTrainable(1, "bias")).toThrow(RangeError);
  });
});

describe("step", () => {
  test("goes on with the optimizer last used and its state", () => {
    using stepped = Network.createSync(SPEC);
    using fitted = Network.createSync(SPEC);
    const optimizer = { type: "adam", learningRate: 0.02 } as const;
    stepped.step(X, Y, { optimizer });
    for (let i = 0; i < 4; i++) stepped.step(X, Y);
    fitted.fitSync(X, Y, { epochs: 5, batchSize: "full", optimizer });
    expect(stepped.weights()).toEqual(fitted.weights());
    // Other rates with the same type: the state goes on. Another type: it begins anew.
    stepped.step(X, Y, { optimizer: { type: "adam", learningRate: 0.01 } });
    fitted.fitSync(X, Y, { epochs: 1, batchSize: "full", optimizer: { type: "adam", learningRate: 0.01 } });
    expect(stepped.weights()).toEqual(fitted.weights());
    using fresh = Network.createSync(SPEC);
    fresh.setWeights(stepped.weights());
    for (const network of [stepped, fresh]) network.step(X, Y, { optimizer: "momentum" });
    for (const network of [stepped, fresh]) network.step(X, Y, { optimizer: "adam" });
    expect(stepped.weights()).toEqual(fresh.weights());
  });
});
