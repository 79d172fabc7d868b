// What happens beside a running `fit`, and how one ends: abort, errors of the user's functions, time, steps.
import { afterEach, describe, expect, test } from "vitest";
import { type EpochReport, type FitOptions, Network, type NetworkSpec } from "../../src/index.ts";
import { tuning } from "../../src/training/tuning.ts";
import { drawRows, drawsFrom } from "../draws.ts";
import { hex, progressOf, stateOf } from "../saved-state.ts";

const draw = drawsFrom(31);
const ROWS = 70;
const X = drawRows(draw, ROWS, 5, 1);
const Y = X.map((row) => Number(row[0]! > row[1]!) + Number(row[2]! > 0));
const SPEC: NetworkSpec = {
  inputs: 5,
  layers: [
    { units: 9, activation: "tanh" },
    { units: 3, activation: "softmax" },
  ],
};
const OPTIONS: FitOptions = { epochs: 6, batchSize: 24, optimizer: "adam" };

const create = () => Network.createSync(SPEC, { seed: 4 });
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));
const weightsOf = (network: Network) =>
  network
    .weights()
    .map(({ W, b }) => hex(W.data) + hex(b!))
    .join();

/** Chunks of one block of 8 samples: a step of 24 takes three, so that a run also stops within steps. */
function smallChunks() {
  tuning.blockSamples = 8;
  tuning.chunkBlocks = 1;
}

/** Each block of 8 samples in pieces of about 16 weights: a run also stops within products and updates. */
function smallPieces() {
  tuning.blockSamples = 8;
  tuning.pieceWeights = 16;
}

afterEach(() => {
  tuning.blockSamples = undefined;
  tuning.chunkBlocks = undefined;
  tuning.pieceWeights = undefined;
});

/** The state of a network after each number of whole steps from 0 on. */
function states(steps: number): Map<string, string> {
  const found = new Map<string, string>();
  using network = create();
  found.set(weightsOf(network), hex(network.predict(X).data));
  for (let step = 0; step < steps; step++) {
    network.fitSync(X, Y, { ...OPTIONS, maxSteps: 1 });
    found.set(weightsOf(network), hex(network.predict(X).data));
  }
  return found;
}

describe("a running fit", () => {
  test("lets timers and immediates run in between", async () => {
    smallChunks();
    using network = create();
    let immediates = 0;
    let timers = 0;
    let ended = false;
    const tick = () => {
      immediates++;
      if (!ended) setImmediate(tick);
    };
    setImmediate(tick);
    const timer = setInterval(() => timers++, 1);
    await network.fit(X, Y, { ...OPTIONS, epochs: 400 });
    ended = true;
    clearInterval(timer);
    expect(immediates).toBeGreaterThan(100);
    expect(timers).toBeGreaterThan(3);
  });

  test("of about a second, in chunks that it sizes itself, lets timers run too", async () => {
    const x = { data: Float32Array.from({ length: 4000 * 100 }, draw), shape: [4000, 100] as const };
    const y = Int32Array.from({ length: 4000 }, (_, i) => i % 10);
    const spec: NetworkSpec = {
      inputs: 100,
      layers: [
        { units: 100, activation: "relu" },
        { units: 10, activation: "softmax" },
      ],
    };
    using network = await Network.create(spec);
    let timers = 0;
    const timer = setInterval(() => timers++, 1);
    await network.fit(x, y, { epochs: 20, batchSize: "full" });
    clearInterval(timer);
    expect(timers).toBeGreaterThan(5);
  });

  test.each([
    ["blocks", smallChunks],
    ["pieces of blocks", smallPieces],
  ])(
    "in %s shows predict, weights, save, evaluate, clone and gradients its last whole step, and is not disturbed by them",
    async (_, cut) => {
      const steps = 3 * OPTIONS.epochs!;
      const known = states(steps);
      expect(known.size).toBe(steps + 1);
      cut();
      using network = create();
      let running = true;
      const run = network.fit(X, Y, OPTIONS).finally(() => {
        running = false;
      });
      const seen = new Set<string>();
      const saved = new Map<string, Uint8Array>();
      while (running) {
        const weights = weightsOf(network);
        const predictions = hex(network.predict(X).data);
        expect(known.get(weights), "weights of a whole step").toBe(predictions);
        seen.add(weights);
        saved.set(weights, network.save());
        using copy = network.clone();
        using loaded = Network.loadSync(network.save());
        for (const same of [copy, loaded]) {
          expect(weightsOf(same)).toBe(weights);
          expect(same.evaluate(X, Y)).toEqual(network.evaluate(X, Y));
          expect(same.gradients(X, Y)).toEqual(network.gradients(X, Y));
          expect(same.inputGradients(X, Y)).toEqual(network.inputGradients(X, Y));
          expect(progressOf(same)).toEqual(progressOf(network));
          same.step(X, Y);
        }
        network.check(X.slice(0, 2), Y.slice(0, 2), { parameters: 5 });
        expect(weightsOf(network)).toBe(weights);
        await turn();
      }
      await run;
      expect(seen.size).toBeGreaterThan(6);
      using twin = create();
      twin.fitSync(X, Y, OPTIONS);
      expect(stateOf(network)).toEqual(stateOf(twin));
      // What was saved on the way goes on to the same end.
      for (const bytes of saved.values()) {
        using loaded = Network.loadSync(bytes);
        const left = OPTIONS.epochs! - progressOf(loaded).epoch;
        if (left > 0) loaded.fitSync(X, Y, { ...OPTIONS, epochs: left });
        expect(stateOf(loaded)).toEqual(stateOf(twin));
      }
    },
  );

  test("refuses a second fit, fitSync, epochs, step, setWeights and setTrainable, and goes on", async () => {
    smallChunks();
    using network = create();
    const run = network.fit(X, Y, OPTIONS);
    const weights = network.weights();
    const refused = /running/;
    for (let i = 0; i < 5; i++) {
      await expect(network.fit(X, Y, OPTIONS)).rejects.toThrow(refused);
      expect(() => network.fitSync(X, Y, OPTIONS)).toThrow(refused);
      expect(() => network.step(X, Y)).toThrow(refused);
      expect(() => network.setWeights(weights)).toThrow(refused);
      expect(() => network.setTrainable(0, false)).toThrow(refused);
      await expect(async () => network.epochs(X, Y, OPTIONS).next()).rejects.toThrow(refused);
      await turn();
    }
    await run;
    using twin = create();
    twin.fitSync(X, Y, OPTIONS);
    expect(stateOf(network)).toEqual(stateOf(twin));
    network.step(X, Y);
  });

  test("does not see what happens to the user's arrays and objects after fit has returned its promise", async () => {
    smallChunks();
    const options = { validation: { x: X.slice(0, 9), y: Y.slice(0, 9) } };
    using twin = create();
    twin.fitSync(X, Y, { ...OPTIONS, ...options });
    const forms = {
      "arrays of rows": () => ({ x: structuredClone(X), y: [...Y] }),
      "Float32Array and Int32Array": () => ({
        x: { data: Float32Array.from(X.flat()), shape: [ROWS, 5] as const },
        y: Int32Array.from(Y),
      }),
    };
    for (const [form, make] of Object.entries(forms)) {
      using network = create();
      const { x, y } = make();
      const held = { x: structuredClone(options.validation.x), y: [...options.validation.y] };
      const optimizer = { type: "adam" as const, learningRate: 0.001 };
      const mine: FitOptions = { ...OPTIONS, optimizer, validation: held };
      const run = network.fit(x, y, mine);
      if ("data" in x) x.data.fill(Number.NaN);
      else for (const row of x) row.fill(Number.NaN);
      y.fill(77);
      held.x.length = 0;
      held.y.fill(-1);
      optimizer.learningRate = 1e9;
      mine.epochs = 1;
      await run;
      expect(stateOf(network), form).toEqual(stateOf(twin));
    }
  });
});

describe("abort", () => {
  test("before the start rejects with the signal's reason and changes nothing", async () => {
    using network = create();
    const before = network.save();
    const reason = { any: "thing" };
    const signal = AbortSignal.abort(reason);
    await expect(network.fit(X, Y, { ...OPTIONS, signal })).rejects.toBe(reason);
    expect(() => network.fitSync(X, Y, { ...OPTIONS, signal })).toThrow();
    await expect(async () => network.epochs(X, Y, { ...OPTIONS, signal }).next()).rejects.toBe(reason);
    expect(network.save()).toEqual(before);
    network.step(X, Y);
  });

  test.each([
    ...[1, 2, 3, 5, 8, 13].map((turns) => ({ turns, cut: smallChunks, look: true })),
    ...[1, 2, 3, 5, 8, 21, 34, 55].map((turns) => ({ turns, cut: smallPieces, look: turns % 2 === 0 })),
  ])("after $turns turns of the event loop leaves the last whole step: $cut.name", async ({ turns, cut, look }) => {
    cut();
    using network = create();
    const controller = new AbortController();
    const run = network.fit(X, Y, { ...OPTIONS, signal: controller.signal });
    run.catch(() => {});
    for (let i = 0; i < turns; i++) await turn();
    const during = look ? weightsOf(network) : undefined;
    controller.abort(new Error("enough"));
    await expect(run).rejects.toThrow("enough");
    const { step } = progressOf(network);
    expect(step).toBeLessThan(18);
    using twin = create();
    if (step > 0) twin.fitSync(X, Y, { ...OPTIONS, maxSteps: step });
    expect(stateOf(network).WGHT).toBe(stateOf(twin).WGHT);
    if (look) expect(weightsOf(network)).toBe(during);
    if (step > 0) expect(stateOf(network)).toEqual(stateOf(twin));
  });

  test("gives the signal's own AbortError where no reason was given, and takes its listener away", async () => {
    smallChunks();
    using network = create();
    const controller = new AbortController();
    const run = network.fit(X, Y, { ...OPTIONS, signal: controller.signal });
    run.catch(() => {});
    await turn();
    controller.abort();
    await expect(run).rejects.toMatchObject({ name: "AbortError" });
    await network.fit(X, Y, { ...OPTIONS, signal: new AbortController().signal });
  });

  test("from onEpoch ends fit and fitSync at that epoch", async () => {
    for (const way of ["fit", "fitSync"] as const) {
      using network = create();
      const controller = new AbortController();
      const reason = new Error("at two");
      const onEpoch = ({ epoch }: EpochReport) => {
        if (epoch === 2) controller.abort(reason);
      };
      await expect(async () => network[way](X, Y, { ...OPTIONS, onEpoch, signal: controller.signal })).rejects.toBe(
        reason,
      );
      expect(network.history.epochs.length).toBe(2);
      using twin = create();
      twin.fitSync(X, Y, { ...OPTIONS, epochs: 2 });
      expect(stateOf(network)).toEqual(stateOf(twin));
    }
  });

  test("after the end has no effect", async () => {
    using network = create();
    const controller = new AbortController();
    await network.fit(X, Y, { ...OPTIONS, signal: controller.signal });
    const before = network.save();
    controller.abort();
    await turn();
    expect(network.save()).toEqual(before);
  });
});
