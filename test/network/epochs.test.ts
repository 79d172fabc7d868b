// `for await (const report of network.epochs(x, y))`.
import { describe, expect, test } from "vitest";
import { type FitOptions, Network, type NetworkSpec } from "../../src/index.ts";
import { drawRows, drawsFrom } from "../draws.ts";
import { stateOf } from "../saved-state.ts";

const draw = drawsFrom(41);
const X = drawRows(draw, 30, 4, 1);
const Y = drawRows(draw, 30, 2, 1);
const SPEC: NetworkSpec = { inputs: 4, layers: [{ units: 6, activation: "sigmoid" }, { units: 2 }] };
const OPTIONS: FitOptions = { epochs: 8, batchSize: 8, optimizer: "nesterov" };
const create = () => Network.createSync(SPEC);

describe("epochs()", () => {
  test("gives one report per epoch and returns the history", async () => {
    using network = create();
    const run = network.epochs(X, Y, OPTIONS);
    for (let epoch = 1; epoch <= 8; epoch++) {
      const next = await run.next();
      expect(next.done).toBe(false);
      expect(next.value).toMatchObject({ epoch });
      expect(network.history.epochs.length).toBe(epoch);
    }
    const end = await run.next();
    expect(end.done).toBe(true);
    expect(end.value).toMatchObject({ stopped: "epochs", optimizer: { type: "nesterov" }, epochs: { length: 8 } });
    expect(await run.next()).toEqual({ done: true, value: undefined });
  });

  test("a break ends the run there, and fit goes on from there", async () => {
    using network = create();
    for await (const { epoch } of network.epochs(X, Y, OPTIONS)) if (epoch === 3) break;
    expect(network.history.epochs.length).toBe(3);
    await network.fit(X, Y, { ...OPTIONS, epochs: 5 });
    using twin = create();
    twin.fitSync(X, Y, OPTIONS);
    expect(stateOf(network)).toEqual(stateOf(twin));
  });

  test("validates and copies when called, and trains from the first next() on", async () => {
    using network = create();
    expect(() => network.epochs(X.slice(1), Y, OPTIONS)).toThrow(RangeError);
    const x = structuredClone(X);
    const before = network.save();
    const run = network.epochs(x, Y, OPTIONS);
    for (const row of x) row.fill(1e30);
    expect(network.save()).toEqual(before);
    for await (const _ of run);
    using twin = create();
    twin.fitSync(X, Y, OPTIONS);
    expect(stateOf(network)).toEqual(stateOf(twin));
  });

  test("counts as a running fit from its first next() until it ends or is returned", async () => {
    using network = create();
    const run = network.epochs(X, Y, OPTIONS);
    network.step(X, Y);
    await run.next();
    expect(() => network.step(X, Y)).toThrow(/running/);
    await expect(network.fit(X, Y)).rejects.toThrow(/running/);
    await run.return(undefined as never);
    network.step(X, Y);
    const other = network.epochs(X, Y, { ...OPTIONS, epochs: 1 });
    await other.next();
    await other.next();
    network.step(X, Y);
  });

  test("a second one waits its turn: its data are its own, its next() fails while the first runs", async () => {
    using network = create();
    using twin = create();
    const first = network.epochs(X, Y, { ...OPTIONS, epochs: 2 });
    const second = network.epochs(
      Y.map(([a, b]) => [a!, b!, 0, 1]),
      Y,
      { ...OPTIONS, epochs: 2 },
    );
    for await (const _ of first);
    for await (const _ of second);
    twin.fitSync(X, Y, { ...OPTIONS, epochs: 2 });
    twin.fitSync(
      Y.map(([a, b]) => [a!, b!, 0, 1]),
      Y,
      { ...OPTIONS, epochs: 2 },
    );
    expect(stateOf(network)).toEqual(stateOf(twin));
    const third = network.epochs(X, Y, OPTIONS);
    const fourth = network.epochs(X, Y, OPTIONS);
    await third.next();
    await expect(fourth.next()).rejects.toThrow(/running/);
    await third.return(undefined as never);
  });

  test("calls onEpoch too, and awaits it before it gives the report", async () => {
    using network = create();
    const order: string[] = [];
    const onEpoch = async ({ epoch }: { epoch: number }) => {
      await new Promise((resolve) => setTimeout(resolve, 2));
      order.push(`onEpoch ${epoch}`);
    };
    for await (const { epoch } of network.epochs(X, Y, { ...OPTIONS, epochs: 2, onEpoch }))
      order.push(`report ${epoch}`);
    expect(order).toEqual(["onEpoch 1", "report 1", "onEpoch 2", "report 2"]);
  });

  test("an abort while nobody asks for the next epoch is met at the next one", async () => {
    using network = create();
    const controller = new AbortController();
    const run = network.epochs(X, Y, { ...OPTIONS, signal: controller.signal });
    await run.next();
    const reason = new Error("enough");
    controller.abort(reason);
    await expect(run.next()).rejects.toBe(reason);
    expect(network.history.epochs.length).toBe(1);
    network.step(X, Y);
  });
});
