import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { Network, type NetworkSpec, type Schedule } from "../../src/index.ts";
import { drawRows, drawsFrom } from "../draws.ts";
import { stateOf } from "../saved-state.ts";

const torch = JSON.parse(readFileSync(new URL("../fixtures/pytorch/schedules.json", import.meta.url), "utf8"));
const base: number = torch.base;

const draw = drawsFrom(3);
const x = drawRows(draw, 12, 3, 1);
const y = x.map(([a, b]) => [Math.sin(2 * a!) + b!]);
const spec: NetworkSpec = { inputs: 3, layers: [{ units: 5, activation: "tanh" }, { units: 1 }] };
const made = (core: "auto" | "js" = "auto") => Network.createSync(spec, { seed: 5, dtype: "float64", core });
const sgd = { type: "sgd", learningRate: base } as const;

/** The rates of `count` epochs of one step, or of steps in one epoch. */
function ratesOf(schedule: Schedule, unit: "epochs" | "steps", count: number): number[] {
  const rates: number[] = [];
  const network = made();
  if (unit === "epochs") {
    const options = { epochs: count, batchSize: "full", optimizer: sgd, schedule } as const;
    return network.fitSync(x, y, options).epochs.map(({ learningRate }) => learningRate);
  }
  // A call of one step each: the last step of an unfinished epoch is seen by what it does to a bias.
  for (let i = 0; i < count; i++) {
    const before = network.gradients([x[i % 12]!], [y[i % 12]!]).layers[1]!.b![0]!;
    const b = network.weights()[1]!.b![0]!;
    network.fitSync(x, y, { maxSteps: 1, batchSize: 1, shuffle: false, optimizer: sgd, schedule });
    rates.push((b - network.weights()[1]!.b![0]!) / before);
  }
  return rates;
}

function close(actual: number[], expected: number[], tolerance: number): void {
  for (const [i, rate] of expected.entries()) {
    expect(Math.abs(actual[i]! - rate), `${i}: ${actual[i]} ${rate}`).toBeLessThanOrEqual(tolerance * base);
  }
}

const count: number = torch.step.length;
const CASES: readonly [string, (unit: "epochs" | "steps") => Schedule][] = [
  ["step", (unit) => ({ type: "step", every: span(unit, 7), factor: 0.3 })],
  ["exponential", (unit) => ({ type: "exponential", factor: 0.9, every: span(unit, 1) })],
  ["cosine", (unit) => ({ type: "cosine", length: span(unit, count - 1), minimum: 0.01 })],
  ["restarts", (unit) => ({ type: "cosine", length: span(unit, 5), minimum: 0.01, restarts: { factor: 2 } })],
  ["sameRestarts", (unit) => ({ type: "cosine", length: span(unit, 6), restarts: {} })],
  ["oneCycle", (unit) => ({ type: "oneCycle", length: span(unit, count + 1) })],
  ["warmUp", (unit) => ({ type: "constant", warmUp: { length: span(unit, 8), from: 0.25 } })],
];

function span(unit: "epochs" | "steps", length: number) {
  return unit === "epochs" ? { epochs: length } : { steps: length };
}

describe("rates are PyTorch's", () => {
  test.each(CASES)("%s, by epochs and by steps", (name, schedule) => {
    close(ratesOf(schedule("epochs"), "epochs", count), torch[name], 1e-14);
    close(ratesOf(schedule("steps"), "steps", count), torch[name], 1e-7);
  });

  test("inverseTime is η/(1 + decay·t)", () => {
    const expected = Array.from({ length: 10 }, (_, t) => base / (1 + 0.5 * (t / 2)));
    close(ratesOf({ type: "inverseTime", decay: 0.5, every: { epochs: 2 } }, "epochs", 10), expected, 1e-15);
  });

  test("a schedule begins after its warm-up", () => {
    const schedule: Schedule = { type: "step", every: { epochs: 2 }, factor: 0.5, warmUp: { length: { epochs: 3 } } };
    const expected = [0, 1 / 3, 2 / 3, 1, 1, 0.5, 0.5, 0.25].map((share) => base * share);
    close(ratesOf(schedule, "epochs", 8), expected, 1e-15);
  });

  /** ReduceLROnPlateau as PyTorch documents it, with chainrule's patience: its `patience` + 1. */
  function plateau(losses: readonly number[], patience: number, factor: number, minDelta: number): number[] {
    let [rate, best, bad] = [base, Number.POSITIVE_INFINITY, 0];
    return losses.map((loss) => {
      const used = rate;
      if (loss < best - minDelta) [best, bad] = [loss, 0];
      else if (++bad === patience) [rate, bad] = [rate * factor, 0];
      return used;
    });
  }

  test("a plateau reduces as in PyTorch", () => {
    close(plateau(torch.losses, 3, 0.5, 0.01), torch.plateau, 1e-15);
    const network = made();
    const schedule = { type: "reduceOnPlateau", patience: 3, factor: 0.5, minDelta: 0.01 } as const;
    const { epochs } = network.fitSync(x, y, { epochs: 60, batchSize: 4, optimizer: sgd, schedule });
    const losses = epochs.map(({ loss }) => loss);
    const rates = epochs.map(({ learningRate }) => learningRate);
    expect(rates.at(-1)).toBeLessThan(base / 4);
    close(rates, plateau(losses, 3, 0.5, 0.01), 1e-15);
  });
});

describe("what a schedule does to training", () => {
  test("each step takes its own rate: weights are those of single steps with it, to the bit", () => {
    const schedule = ({ step, epoch }: { step: number; epoch: number }) => 0.3 / (1 + step + 2 * epoch);
    for (const core of ["auto", "js"] as const) {
      const network = made(core);
      network.fitSync(x, y, {
        epochs: 3,
        batchSize: 5,
        shuffle: false,
        optimizer: { type: "momentum", momentum: 0.8 },
        schedule,
      });
      const single = made(core);
      for (let step = 0; step < 9; step++) {
        const begin = 5 * (step % 3);
        const learningRate = schedule({ step, epoch: Math.floor(step / 3) });
        const optimizer = { type: "momentum", momentum: 0.8, learningRate } as const;
        single.step(x.slice(begin, begin + 5), y.slice(begin, begin + 5), { optimizer });
      }
      expect(network.weights()).toEqual(single.weights());
    }
  });

  test("tiny networks that learn row by row take it too", () => {
    const schedule = ({ step }: { step: number }) => 0.3 / (1 + step);
    const [fast, slow] = [made("auto"), made("js")];
    for (const network of [fast, slow]) {
      network.fitSync(x, y, { epochs: 4, batchSize: 1, optimizer: sgd, schedule });
    }
    expect(stateOf(fast)).toEqual(stateOf(slow));
    expect(fast.history.epochs.at(-1)!.learningRate).toBe(0.3 / 48);
  });

  test("lengths count from the optimizer's first step, through save and load", () => {
    const schedule: Schedule = { type: "step", every: { epochs: 2 }, factor: 0.5 };
    const options = { batchSize: 4, schedule } as const;
    const whole = made();
    whole.fitSync(x, y, { epochs: 3, optimizer: "momentum" });
    const seen = whole
      .fitSync(x, y, { ...options, epochs: 5, optimizer: sgd })
      .epochs.map((epoch) => epoch.learningRate);
    expect(seen).toEqual([0.2, 0.2, 0.1, 0.1, 0.05]);
    let parts = made();
    parts.fitSync(x, y, { epochs: 3, optimizer: "momentum" });
    for (const maxSteps of [4, 1, 7, 3]) {
      parts.fitSync(x, y, { ...options, maxSteps, optimizer: sgd });
      parts = Network.loadSync(parts.save());
    }
    expect(stateOf(parts)).toEqual(stateOf(whole));
  });

  test("a divergence leaves the network before its step, with the rates that were used", async () => {
    let calls = 0;
    const schedule = ({ step }: { step: number }) => {
      calls++;
      return step < 20 ? 0.01 : 1e300;
    };
    const network = made();
    const fit = network.fit(x, y, { epochs: 30, batchSize: 3, shuffle: false, optimizer: sgd, schedule });
    await expect(fit).rejects.toThrow(/non-finite in step/);
    const before = calls;
    const plain = made();
    const steps = JSON.parse(stateOf(network).prog!).step;
    plain.fitSync(x, y, { maxSteps: steps, batchSize: 3, shuffle: false, optimizer: sgd, schedule });
    expect(network.weights()).toEqual(plain.weights());
    expect(steps).toBeGreaterThanOrEqual(20);
    expect(before).toBeLessThanOrEqual(steps + 8);
  });

  test("what a function gives is checked, and the network stays at its last step", () => {
    const network = made();
    const attempt = (schedule: Schedule) => () =>
      network.fitSync(x, y, { epochs: 3, batchSize: 12, optimizer: sgd, schedule });
    expect(attempt(({ epoch }) => (epoch < 2 ? 0.1 : -1))).toThrow(
      "schedule: expected a finite rate ≥ 0, got -1 for step 2 in epoch 2",
    );
    expect(network.history.epochs).toHaveLength(2);
    expect(attempt((() => "0.1") as never)).toThrow("schedule: expected a function that gives a number, got string");
    const decay = { type: "sgd", weightDecay: 0.5 } as const;
    expect(() => network.fitSync(x, y, { optimizer: decay, schedule: () => 2 })).toThrow(
      "schedule: expected a rate that is less than 1/weightDecay, 2, got 2 for step 2 in epoch 2",
    );
  });
});

describe("early stopping and goals", () => {
  /** Overfits soon: validation gets worse from some epoch on. */
  const vx = drawRows(draw, 12, 3, 1);
  const validation = { x: vx, y: vx.map(([a]) => [Math.cos(9 * a!)]) };
  const options = { epochs: 400, batchSize: 4, optimizer: { type: "adam", learningRate: 0.05 }, validation } as const;

  test("training stops `patience` epochs after the best, and its parameters come back", () => {
    for (const core of ["auto", "js"] as const) {
      const network = made(core);
      const history = network.fitSync(x, y, { ...options, earlyStopping: { patience: 5 } });
      expect(history.stopped).toBe("earlyStopping");
      const losses = history.epochs.map((epoch) => epoch.validation!.loss);
      const best = losses.indexOf(Math.min(...losses));
      expect(history.epochs).toHaveLength(best + 6);
      expect(network.evaluate(validation.x, validation.y).loss).toBe(losses[best]);
      const plain = made(core);
      plain.fitSync(x, y, { ...options, epochs: best + 1 });
      expect(network.weights()).toEqual(plain.weights());
      const last = made(core);
      last.fitSync(x, y, { ...options, earlyStopping: { patience: 5, restoreBest: false } });
      plain.fitSync(x, y, { ...options, epochs: 5 });
      expect(last.weights()).toEqual(plain.weights());
    }
  });

  test.each(["float32", "float64"] as const)("%s: cut anywhere before it fires, it is the same run", (dtype) => {
    const rules = {
      earlyStopping: { patience: 8, minDelta: 1e-4 },
      schedule: { type: "reduceOnPlateau", patience: 2, factor: 0.5, monitor: "validation.loss" } as const,
    };
    const create = () => Network.createSync(spec, { seed: 5, dtype });
    const whole = create();
    const { epochs } = whole.fitSync(x, y, { ...options, ...rules });
    expect(new Set(epochs.map((epoch) => epoch.learningRate)).size).toBeGreaterThan(1);
    let parts = create();
    let history = parts.fitSync(x, y, { ...options, ...rules, maxSteps: 4 });
    for (let i = 0; history.stopped !== "earlyStopping" && i < 400; i++) {
      parts = Network.loadSync(parts.save());
      history = parts.fitSync(x, y, { ...options, ...rules, maxSteps: 1 + (i % 5) });
    }
    expect(stateOf(parts)).toEqual(stateOf(whole));
  });

  test("a goal ends training with the first epoch that reaches it", () => {
    const network = made();
    const history = network.fitSync(x, y, { ...options, epochs: 2000, goal: 0.001 });
    expect(history.stopped).toBe("goal");
    const losses = history.epochs.map((epoch) => epoch.loss);
    expect(losses.at(-1)).toBeLessThanOrEqual(0.001);
    expect(Math.min(...losses.slice(0, -1))).toBeGreaterThan(0.001);
  });

  test("accuracy is to rise", () => {
    const classes = Network.createSync(
      {
        inputs: 2,
        layers: [
          { units: 6, activation: "tanh" },
          { units: 1, activation: "sigmoid" },
        ],
      },
      { seed: 1 },
    );
    const rows = [
      [0, 0],
      [0, 1],
      [1, 0],
      [1, 1],
    ];
    const history = classes.fitSync(rows, [0, 1, 1, 0], {
      epochs: 3000,
      optimizer: { type: "adam", learningRate: 0.05 },
      earlyStopping: { monitor: "accuracy", patience: 40 },
    });
    const all = history.epochs.map(({ metrics }) => metrics.accuracy!);
    expect(all.indexOf(Math.max(...all))).toBe(all.length - 41);
    expect(Math.max(...all)).toBe(1);
  });

  test("what is not there cannot be watched", () => {
    const network = made();
    const attempt = (more: object) => () => network.fitSync(x, y, { epochs: 1, ...more });
    expect(attempt({ earlyStopping: { monitor: "validation.loss" } })).toThrow(
      "earlyStopping.monitor: expected loss, as there is no validation, got 'validation.loss'",
    );
    expect(attempt({ earlyStopping: { monitor: "accuracy" } })).toThrow(
      "earlyStopping.monitor: expected loss, as the outputs are no classes, got 'accuracy'",
    );
    expect(attempt({ earlyStopping: { patience: 0 } })).toThrow(
      "earlyStopping.patience: expected an integer from 1 to",
    );
    expect(attempt({ goal: -1 })).toThrow("goal: expected a finite number ≥ 0, got -1");
    expect(attempt({ schedule: { type: "step", every: {} } })).toThrow(
      "schedule.every: expected { epochs: … } or { steps: … }, one of them",
    );
    expect(attempt({ schedule: { type: "cosin" } })).toThrow("did you mean 'cosine'?");
    expect(attempt({ schedule: { type: "exponential", factor: 0 } })).toThrow(
      "schedule.factor: expected a number > 0 and ≤ 1, got 0",
    );
    expect(network.history.epochs).toHaveLength(0);
  });
});
