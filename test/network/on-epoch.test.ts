// The user's function after every epoch, and what a run says when it ends.
import { describe, expect, test } from "vitest";
import { type EpochReport, type FitOptions, Network, type NetworkSpec } from "../../src/index.ts";
import { drawRows, drawsFrom } from "../draws.ts";
import { hex, progressOf } from "../saved-state.ts";

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
const later = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
const weightsOf = (network: Network) =>
  network
    .weights()
    .map(({ W, b }) => hex(W.data) + hex(b!))
    .join();

describe("onEpoch", () => {
  test("is called after every epoch with its report, in order", async () => {
    for (const way of ["fit", "fitSync"] as const) {
      using network = create();
      const reports: EpochReport[] = [];
      const history = await network[way](X, Y, {
        ...OPTIONS,
        validation: 0.2,
        onEpoch: (report) => void reports.push(report),
      });
      expect(reports.map(({ epoch }) => epoch)).toEqual([1, 2, 3, 4, 5, 6]);
      expect(history.epochs).toEqual(reports);
      expect(reports.every(({ validation }) => validation !== undefined && validation.accuracy !== undefined)).toBe(
        true,
      );
    }
  });

  test("that is async is awaited: no step happens meanwhile", async () => {
    using network = create();
    let open = 0;
    const onEpoch = async () => {
      expect(++open).toBe(1);
      const before = weightsOf(network);
      await later(5);
      expect(weightsOf(network)).toBe(before);
      open--;
    };
    await network.fit(X, Y, { ...OPTIONS, epochs: 3, onEpoch });
    expect(open).toBe(0);
  });

  test("that is async makes fitSync throw a TypeError, and the network stays of use", () => {
    using network = create();
    expect(() => network.fitSync(X, Y, { ...OPTIONS, onEpoch: async () => {} })).toThrow(TypeError);
    expect(() => network.fitSync(X, Y, { ...OPTIONS, onEpoch: async () => {} })).toThrow(/onEpoch.*promise/i);
    network.fitSync(X, Y, { epochs: 1 });
  });

  test("that throws or rejects ends the run with that error, at that epoch", async () => {
    const problem = new Error("disk full");
    const throwing = ({ epoch }: EpochReport) => {
      if (epoch === 3) throw problem;
    };
    const rejecting = async (report: EpochReport) => throwing(report);
    for (const [way, onEpoch] of [
      ["fit", throwing],
      ["fit", rejecting],
      ["fitSync", throwing],
    ] as const) {
      using network = create();
      await expect(async () => network[way](X, Y, { ...OPTIONS, onEpoch })).rejects.toBe(problem);
      expect(network.history.epochs.length).toBe(3);
      network.step(X, Y);
    }
  });

  test("may predict, and may not train", async () => {
    for (const way of ["fit", "fitSync"] as const) {
      using network = create();
      let calls = 0;
      const onEpoch = () => {
        calls++;
        expect(network.predict(X).shape).toEqual([ROWS, 3]);
        expect(() => network.step(X, Y)).toThrow(/running/);
        expect(() => network.fitSync(X, Y)).toThrow(/running/);
      };
      await network[way](X, Y, { ...OPTIONS, epochs: 2, onEpoch });
      expect(calls).toBe(2);
    }
  });
});

describe("the end of a run", () => {
  test("is told by stopped: epochs, maxSteps or maxSeconds", async () => {
    using network = create();
    expect(network.fitSync(X, Y, { ...OPTIONS, epochs: 2 }).stopped).toBe("epochs");
    const steps = network.fitSync(X, Y, { ...OPTIONS, maxSteps: 4 });
    expect([steps.stopped, steps.epochs.length]).toEqual(["maxSteps", 1]);
    const seconds = await network.fit(X, Y, { epochs: 1e9, maxSeconds: 0.05 });
    expect(seconds.stopped).toBe("maxSeconds");
    expect(seconds.epochs.length).toBeLessThan(1e7);
  });

  test("maxSteps beats epochs and counts over epochs, per call", () => {
    using network = create();
    expect(network.fitSync(X, Y, { ...OPTIONS, epochs: 1, maxSteps: 7 }).epochs.length).toBe(2);
    expect(progressOf(network)).toMatchObject({ epoch: 2, step: 7, position: 24 });
    network.fitSync(X, Y, { ...OPTIONS, maxSteps: 2 });
    expect(progressOf(network)).toMatchObject({ epoch: 3, step: 9, position: 0 });
  });

  test("the history of a call is its part, network.history the whole life", () => {
    using network = create();
    const first = network.fitSync(X, Y, { ...OPTIONS, epochs: 2 });
    const second = network.fitSync(X, Y, { ...OPTIONS, epochs: 3 });
    expect(second.epochs.map(({ epoch }) => epoch)).toEqual([3, 4, 5]);
    expect(network.history.epochs).toEqual([...first.epochs, ...second.epochs]);
    expect(second.optimizer).toMatchObject({
      type: "adam",
      learningRate: 0.001,
      beta1: 0.9,
      beta2: 0.999,
      epsilon: 1e-8,
    });
  });

  test("other data, or another shuffle, start a new epoch after a stop in mid-epoch", () => {
    for (const change of [
      { shuffle: false },
      { validation: 0.1 },
      { validation: { x: X.slice(0, 3), y: Y.slice(0, 3) } },
      { x: X.with(0, [9, 9, 9, 9, 9]) },
      { y: Y.with(0, (Y[0]! + 1) % 3) },
    ]) {
      using network = create();
      network.fitSync(X, Y, { ...OPTIONS, maxSteps: 1 });
      expect(progressOf(network).position).toBe(24);
      const { x = X, y = Y, ...options } = change as { x?: number[][]; y?: number[] };
      network.fitSync(x, y, { ...OPTIONS, ...options, maxSteps: 1 });
      expect(progressOf(network), JSON.stringify(Object.keys(change))).toMatchObject({
        epoch: 0,
        step: 2,
        position: 24,
      });
    }
  });
});
