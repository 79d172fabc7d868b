// Counters, history and what is handed out stay in step with each other, whenever somebody looks.
import { afterEach, expect, it } from "vitest";
import { Network, type NetworkSpec } from "../../src/index.ts";
import { tuning } from "../../src/training/tuning.ts";
import { stateOf } from "../saved-state.ts";

const SPEC: NetworkSpec = { inputs: 3, layers: [{ units: 4, activation: "tanh" }, { units: 1 }] };
const rows = (count: number) =>
  Array.from({ length: count }, (_, i) => [i % 7, (i * 3) % 5, (i * 11) % 13].map((v) => v / 13));
const targets = (count: number) => Array.from({ length: count }, (_, i) => [(i % 9) / 9]);

afterEach(() => {
  tuning.blockSamples = undefined;
  tuning.chunkBlocks = undefined;
});

it("a file saved at any turn of the event loop, also within a validation of 200 rows, continues as if uninterrupted", async () => {
  tuning.blockSamples = 8;
  tuning.chunkBlocks = 1;
  const [x, y] = [rows(40), targets(40)];
  const options = { batchSize: 20, validation: { x: rows(200), y: targets(200) } };
  const whole = await Network.create(SPEC);
  await whole.fit(x, y, { ...options, epochs: 3 });
  const network = await Network.create(SPEC);
  const files: Uint8Array[] = [];
  let running = true;
  const look = () => {
    if (!running) return;
    files.push(network.save());
    setImmediate(look);
  };
  setImmediate(look);
  await network.fit(x, y, { ...options, epochs: 2 });
  running = false;
  expect(files.length).toBeGreaterThan(2);
  for (const file of files) {
    const copy = Network.loadSync(file);
    const { epoch } = JSON.parse(stateOf(copy).prog as string) as { epoch: number };
    expect(copy.history.epochs.length).toBe(epoch);
    copy.fitSync(x, y, { ...options, epochs: 3 - epoch });
    expect(stateOf(copy)).toEqual(stateOf(whole));
  }
});

it("check() does not pass where a gradient is not a number: the error is Infinity", () => {
  const network = Network.createSync({ inputs: 1, layers: [{ units: 1 }] }, { dtype: "float64" });
  const { maxRelativeError, worst } = network.check([[1e200]], [[0]]);
  expect(maxRelativeError).toBe(Number.POSITIVE_INFINITY);
  expect(worst.part).toBe("W");
});

it("an abort in onEpoch of the last of 3 epochs rejects in fit and throws in fitSync", async () => {
  const run = (network: Network, method: "fit" | "fitSync") => {
    const controller = new AbortController();
    const onEpoch = ({ epoch }: { epoch: number }) => {
      if (epoch === 3) controller.abort(new Error("stop"));
    };
    return network[method](rows(9), targets(9), { epochs: 3, signal: controller.signal, onEpoch });
  };
  await expect(run(Network.createSync(SPEC), "fit")).rejects.toThrow("stop");
  expect(() => run(Network.createSync(SPEC), "fitSync")).toThrow("stop");
});

it("reports of a loaded network cannot be changed from outside", () => {
  const network = Network.createSync(SPEC);
  network.fitSync(rows(9), targets(9), { epochs: 2 });
  const [first] = Network.loadSync(network.save()).history.epochs;
  expect(Object.isFrozen(first)).toBe(true);
  expect(Object.isFrozen(first?.metrics)).toBe(true);
});

it("inputGradients has no subnormal numbers", () => {
  const layers = [{ units: 1, bias: false, init: [[1e-20]] }];
  const network = Network.createSync({ inputs: 1, layers, loss: "squaredError" });
  const { data } = network.inputGradients([[1]], [[1e-20]]);
  expect(Object.is(data[0], 0)).toBe(true);
  const [own] = network.inputGradients([[1]], [[1e-19]]).data;
  expect(Object.is(own, 0)).toBe(true);
});

it("a fit aborted before its first step leaves optimizer, state and an unfinished epoch as they were", async () => {
  const network = Network.createSync(SPEC);
  const [x, y] = [rows(40), targets(40)];
  network.fitSync(x, y, { batchSize: 8, maxSteps: 3 });
  const before = stateOf(network);
  const controller = new AbortController();
  const other = network.fit(rows(30), targets(30), { optimizer: "sgd", signal: controller.signal });
  controller.abort(new Error("stop"));
  await expect(other).rejects.toThrow("stop");
  expect(stateOf(network)).toEqual(before);
});

it("a fit that diverges in its first step leaves the optimizer of the last fit, with its state", () => {
  const network = Network.createSync(SPEC);
  network.fitSync(rows(40), targets(40), { batchSize: 8, epochs: 2 });
  const before = stateOf(network);
  const rate = { type: "sgd", learningRate: 3e38 } as const;
  expect(() => network.fitSync([[1e30, 1, 1]], [[1e30]], { optimizer: rate })).toThrow(/non-finite/);
  expect(stateOf(network)).toEqual(before);
});

it("an output that is not a number is counted as wrong", () => {
  for (const core of ["simd", "js"] as const) {
    const layers = [{ units: 2, activation: "softmax" as const, init: [[1e38], [1e38]] }];
    const network = Network.createSync({ inputs: 1, layers }, { core });
    expect(network.evaluate([[1e38]], [0])).toMatchObject({ accuracy: 0 });
  }
});
