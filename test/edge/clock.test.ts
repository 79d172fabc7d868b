// Edge runtimes let their clock stand still while a request computes. Nothing that reaches a weight, a report's loss or
// the end of a run may need it.
import { afterEach, describe, expect, test, vi } from "vitest";
import { Network } from "../../src/index.ts";

const SPEC = {
  inputs: 64,
  layers: [
    { units: 96, activation: "relu" },
    { units: 10, activation: "softmax" },
  ],
} as const;
const ROWS = 400;
const x = Array.from({ length: ROWS }, (_, row) =>
  Array.from({ length: 64 }, (_, i) => ((row * 31 + i * 17) % 23) / 23),
);
const y = Array.from({ length: ROWS }, (_, row) => (row * 7) % 10);

/** Every clock of the platform, from now on; gives how often one was asked. */
function freezeClocks(): () => number {
  const clocks = [
    vi.spyOn(Date, "now").mockReturnValue(1_790_000_000_000),
    vi.spyOn(performance, "now").mockReturnValue(0),
  ];
  return () => clocks.reduce((sum, { mock }) => sum + mock.calls.length, 0);
}
afterEach(() => {
  vi.restoreAllMocks();
});

const create = (core: "simd" | "js") => Network.createSync(SPEC, { core, seed: 3 });
const result = (network: Network) => ({
  weights: network.weights(),
  losses: network.history.epochs.map(({ loss }) => loss),
});

describe.each(["simd", "js"] as const)("with a clock that stands still, on the %s core", (core) => {
  test("5 epochs of 64-96-10 on 400 rows, in several chunks, come to the same bits", async () => {
    const moving = create(core);
    await moving.fit(x, y, { epochs: 5 });
    const asked = freezeClocks();
    const still = create(core);
    await still.fit(x, y, { epochs: 5 });
    expect(result(still)).toEqual(result(moving));
    expect(still.history.epochs).toHaveLength(5);
    expect(asked()).toBeGreaterThan(4); // the clocks that the library reads are these
  });

  test("fitSync and epochs come to the same bits as fit", async () => {
    freezeClocks();
    const networks = [create(core), create(core), create(core)] as const;
    await networks[0].fit(x, y, { epochs: 3 });
    networks[1].fitSync(x, y, { epochs: 3 });
    for await (const _ of networks[2].epochs(x, y, { epochs: 3 }));
    expect(result(networks[1])).toEqual(result(networks[0]));
    expect(result(networks[2])).toEqual(result(networks[0]));
  });

  test("7 calls of 11 steps with a save between equal one call of 77 with a clock that moves", async () => {
    const whole = create(core);
    whole.fitSync(x, y, { maxSteps: 77 });
    freezeClocks();
    let bytes = create(core).save();
    for (let call = 0; call < 7; call++) {
      const network = Network.loadSync(bytes, { core });
      const { stopped } = await network.fit(x, y, { maxSteps: 11 });
      expect(stopped).toBe("maxSteps");
      bytes = network.save();
    }
    expect(result(Network.loadSync(bytes))).toEqual(result(whole));
  });

  test("maxSeconds never comes, and epochs ends the run", async () => {
    freezeClocks();
    const network = create(core);
    const { stopped } = await network.fit(x, y, { epochs: 2, maxSeconds: 0.001 });
    expect(stopped).toBe("epochs");
    expect(network.history.epochs).toHaveLength(2);
  });

  test("fit lets the event loop in before it ends", async () => {
    freezeClocks();
    const network = create(core);
    let turns = 0;
    let running = true;
    const turn = () => {
      turns += 1;
      if (running) setImmediate(turn);
    };
    setImmediate(turn);
    await network.fit(x, y, { epochs: 20 });
    running = false;
    expect(turns).toBeGreaterThan(1);
  });

  test("a report's speed is a number that JSON can say", async () => {
    freezeClocks();
    const network = create(core);
    await network.fit(x, y, { epochs: 1 });
    const [report] = network.history.epochs;
    expect(JSON.parse(JSON.stringify(report))).toEqual(report);
    expect(Network.loadSync(network.save()).history).toEqual(network.history);
  });
});
