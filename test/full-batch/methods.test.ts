import { describe, expect, test } from "vitest";
import { Network, type Optimizer } from "../../src/index.ts";
import { stateOf } from "../saved-state.ts";
import {
  adaptive,
  flat,
  networkOf,
  objective,
  type Problem,
  problem,
  quickprop,
  rpropPlus,
  scg,
  type Trace,
  worst,
} from "./plain.ts";

type Method = Exclude<Optimizer, string>;

/** A case in which every branch is taken within ten epochs (scg: thirty for the restart). */
const CASES: readonly [string, Method, Problem, (p: Problem) => Trace, readonly string[]][] = [
  [
    "rpropPlus",
    { type: "rpropPlus", learningRate: 0.3 },
    problem(1),
    (p) => rpropPlus(p, 10, 0.3, false),
    ["back", "grow"],
  ],
  [
    "irpropPlus",
    { type: "irpropPlus", learningRate: 0.3 },
    problem(1),
    (p) => rpropPlus(p, 10, 0.3, true),
    ["back", "stay", "grow"],
  ],
  [
    "quickprop",
    { type: "quickprop", learningRate: 0.2, maxFactor: 1.6 },
    problem(2),
    (p) => quickprop(p, 10, 0.2, 1.6),
    ["grow", "back", "parabola"],
  ],
  ["gda", { type: "gda", learningRate: 4 }, problem(1), (p) => adaptive(p, 10, 4), ["undo", "grow", "keep"]],
  [
    "gdx",
    { type: "gdx", learningRate: 0.9, momentum: 0.9 },
    problem(1),
    (p) => adaptive(p, 10, 0.9, 0.9),
    ["undo", "grow", "keep"],
  ],
  ["scg", { type: "scg", lambda: 0.1 }, problem(12), (p) => scg(p, 10, 5e-5, 0.1), ["indefinite", "loosen", "reject"]],
  [
    "scg, to its restart",
    { type: "scg", lambda: 1e-3 },
    problem(4, { inputs: 1, hidden: 2, outputs: 1, rows: 13 }),
    (p) => scg(p, 10, 5e-5, 1e-3),
    ["restart"],
  ],
];

describe.each(["simd", "js"] as const)("ten epochs on the %s core are those of a plain implementation", (core) => {
  test.each(CASES)("%s", (_, optimizer, p, plain, branches) => {
    const { iterates, branches: taken } = plain(p);
    for (const branch of branches) expect([...taken]).toContain(branch);
    const network = networkOf(p, core);
    for (const [epoch, expected] of iterates.entries()) {
      network.fitSync(p.x, p.y, { epochs: 1, optimizer });
      expect(worst(flat(network), expected), `epoch ${epoch + 1}`).toBeLessThan(1e-8);
    }
    const whole = networkOf(p, core);
    whole.fitSync(p.x, p.y, { epochs: iterates.length, optimizer });
    expect(whole.weights()).toEqual(network.weights());
  });
});

const ALL: readonly Method[] = [
  { type: "rprop" },
  { type: "rpropPlus", learningRate: 0.1 },
  { type: "irpropPlus", learningRate: 0.1 },
  { type: "quickprop" },
  { type: "gda", learningRate: 0.5 },
  { type: "gdx", learningRate: 0.5 },
  { type: "scg" },
  { type: "lbfgs" },
];

describe.each(ALL.map((optimizer) => [optimizer.type, optimizer] as const))("%s", (_, optimizer) => {
  const p = problem(7, { rows: 21 });
  const options = { optimizer, validation: 0.2 } as const;

  test.each(["float32", "float64"] as const)(
    "%s: both cores, fit and fitSync, cut and saved anywhere: one state",
    async (dtype) => {
      const whole = networkOf(p, "simd", dtype);
      whole.fitSync(p.x, p.y, { ...options, epochs: 12 });
      const expected = stateOf(whole);
      const js = networkOf(p, "js", dtype);
      js.fitSync(p.x, p.y, { ...options, epochs: 12 });
      expect(stateOf(js)).toEqual(expected);
      const later = networkOf(p, "simd", dtype);
      await later.fit(p.x, p.y, { ...options, epochs: 12 });
      expect(stateOf(later)).toEqual(expected);
      let parts = networkOf(p, "simd", dtype);
      for (const epochs of [1, 4, 2, 5]) {
        parts.fitSync(p.x, p.y, { ...options, epochs });
        parts = Network.loadSync(parts.save());
      }
      expect(stateOf(parts)).toEqual(expected);
    },
  );

  test("frozen layers stay, with sample weights and penalties it descends", () => {
    const spec = {
      inputs: 2,
      layers: [
        { units: 4, activation: "tanh", trainable: false },
        { units: 2, l2: 1e-3 },
      ],
    } as const;
    const network = Network.createSync(spec, { dtype: "float64", seed: 3 });
    const before = network.weights()[0];
    const sampleWeights = p.x.map((_, i) => i % 3);
    const { epochs } = network.fitSync(p.x, p.y, { epochs: 40, optimizer, sampleWeights });
    expect(network.weights()[0]).toEqual(before);
    expect(epochs.at(-1)!.loss).toBeLessThan(0.9 * epochs[0]!.loss);
  });

  test("batches smaller than the data, and schedules, are refused", () => {
    const network = networkOf(p);
    const { type } = optimizer;
    expect(() => network.fitSync(p.x, p.y, { optimizer, batchSize: 4 })).toThrow(
      `batchSize: expected "full" with optimizer '${type}', got 4 of 21 rows`,
    );
    expect(() => network.fitSync(p.x, p.y, { optimizer, schedule: () => 1 })).toThrow("schedule: expected none");
  });
});

describe.each([{ type: "gda" }, { type: "scg" }, { type: "lbfgs" }] as const)("$type, while it runs", (optimizer) => {
  const p = problem(8, { rows: 300, hidden: 30 });

  test("shows its last whole epoch, and an abort goes back to it", async () => {
    const network = networkOf(p);
    const controller = new AbortController();
    const seen: number[] = [];
    const fit = network.fit(p.x, p.y, {
      optimizer,
      epochs: 1000,
      signal: controller.signal,
      onEpoch: ({ loss }) => {
        const { loss: now } = network.evaluate(p.x, p.y);
        expect(Math.abs(now - loss)).toBeLessThan(1e-12 * loss);
        seen.push(loss);
        if (seen.length === 5) controller.abort(new Error("enough"));
      },
    });
    await expect(fit).rejects.toThrow("enough");
    const whole = networkOf(p);
    whole.fitSync(p.x, p.y, { optimizer, epochs: 5 });
    expect(stateOf(network)).toEqual(stateOf(whole));
  });

  test("a call of step is refused", () => {
    expect(() => networkOf(p).step(p.x, p.y, { optimizer })).toThrow("use fit");
    expect(() => networkOf(p).fitSync(p.x, p.y, { optimizer, clipNorm: 1 })).toThrow("clipNorm: expected none");
  });
});

describe("lbfgs", () => {
  test("every step satisfies the Wolfe conditions, and the loss ends near the least that is known", () => {
    const p = problem(5, { hidden: 6, rows: 25 });
    const network = networkOf(p);
    let before = flat(network);
    for (let epoch = 0; epoch < 300; epoch++) {
      const from = objective(p, before);
      network.fitSync(p.x, p.y, { epochs: 1, optimizer: "lbfgs" });
      const after = flat(network);
      const to = objective(p, after);
      // Along the step itself: φ(1) ≤ φ(0) + c₁·φ′(0), |φ′(1)| ≤ c₂·|φ′(0)|.
      const step = after.map((v, i) => v - before[i]!);
      const [slope0, slope1] = [from.gradient, to.gradient].map((g) => g.reduce((sum, v, i) => sum + v * step[i]!, 0));
      expect(slope0).toBeLessThan(0);
      expect(to.loss).toBeLessThanOrEqual(from.loss + 1e-4 * slope0! + 1e-15);
      expect(Math.abs(slope1!)).toBeLessThanOrEqual(0.9 * Math.abs(slope0!) + 1e-12);
      before = after;
    }
    expect(objective(p, before).loss).toBeLessThan(1e-3 * objective(p, p.start).loss);
  });

  test("at a minimum it says that nothing lowers the loss", () => {
    const network = Network.createSync({ inputs: 1, layers: [{ units: 1 }] }, { dtype: "float64", seed: 1 });
    const history = network.fitSync([[0], [1], [2]], [1, 3, 5], { epochs: 100, optimizer: "lbfgs" });
    expect(history.stopped).toBe("noDescent");
    expect(network.predict([[3]]).data[0]).toBeCloseTo(7, 6);
  });
});

// Ten seeds: bench/full-batch.mjs.
test("rprop learns two spirals, 2-16-16-1 tanh with Nguyen–Widrow's initial values, within 5000 epochs", () => {
  const x: number[][] = [];
  const y: number[] = [];
  for (let i = 0; i < 97; i++) {
    const [angle, radius] = [(i * Math.PI) / 16, (6.5 * (104 - i)) / 104];
    x.push(
      [radius * Math.sin(angle), radius * Math.cos(angle)],
      [-radius * Math.sin(angle), -radius * Math.cos(angle)],
    );
    y.push(1, 0);
  }
  for (let seed = 0; seed < 2; seed++) {
    const hidden = { units: 16, activation: "tanh", init: "nguyenWidrow" } as const;
    const layers = [{ type: "minMax" }, hidden, hidden, { units: 1, activation: "sigmoid" }] as const;
    const network = Network.createSync({ inputs: 2, layers }, { seed });
    network.fitSync(x, y, { epochs: 5000, optimizer: "rprop", goal: 1e-3 });
    expect(network.evaluate(x, y).accuracy).toBe(1);
  }
});
