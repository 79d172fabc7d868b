import { describe, expect, test } from "vitest";
import * as abi from "../../src/core/abi.ts";
import { CORES, Draws, expectBits, rounding, type TestCore } from "./cores.ts";
import {
  type Data,
  HYPERPARAMETERS,
  type LayerShape,
  type Network,
  network,
  OPTIMIZERS,
  type OptimizerName,
} from "./network-cases.ts";
import { realsOf, train } from "./plain-step.ts";
import { PlannedNetwork } from "./planned-network.ts";

const NAMES = Object.keys(OPTIMIZERS) as OptimizerName[];

function rows(core: TestCore, count: number, inputs: number, outputs: number): Data {
  const draws = new Draws(count);
  const numbers = (n: number) => draws.numbers(n).map(rounding(core));
  return {
    x: Array.from({ length: count }, () => numbers(inputs)),
    y: Array.from({ length: count }, () => numbers(outputs)),
  };
}

/** `steps` steps on the whole batch. */
function steps(planned: PlannedNetwork, count: number, optimizer: OptimizerName): void {
  planned.setHyperparameters({ ...HYPERPARAMETERS, optimizer });
  planned.setInt(abi.JOB_EPOCHS_LEFT, count);
  planned.restart(abi.MODE_TRAIN);
  expect(planned.run()).toBe(abi.RUN_DONE);
}

/** Everything in the region that is not an element of W or b. */
function expectPaddingZero(planned: PlannedNetwork, slots: number): void {
  const { segments, params, gradients, state } = planned;
  const logical = new Set<number>();
  for (const { offset, rows, cols, pitch } of segments)
    for (let r = 0; r < rows; r++) for (let c = 0; c < cols; c++) logical.add(offset + r * pitch + c);
  const check = (values: ArrayLike<number>, begin: number) => {
    for (let i = 0; i < params.values.length; i++) {
      if (!logical.has(i)) expectBits(`padding ${i}`, [values[begin + i] as number], [0]);
    }
  };
  check(params.values, 0);
  check(gradients.values, 0);
  for (let slot = 0; slot < slots; slot++) check(state.values, slot * params.values.length);
}

describe.each(CORES)("$name", (core) => {
  const reals = realsOf(core.size);
  const layers: LayerShape[] = [
    { units: 5, activation: "tanh" },
    { units: 3, activation: "sigmoid", bias: false },
    { units: 2 },
  ];
  const build = (shapes: LayerShape[], seed = 3): Network =>
    network(core, { inputs: 7, layers: shapes, loss: "meanSquaredError" }, seed);

  /** Parameters, state and loss of the memory against the plain loops after `count` steps of `batch` rows. */
  function expectAsPlain(shapes: LayerShape[], batch: number, count: number, optimizer: OptimizerName): void {
    const data = rows(core, batch, 7, 2);
    const planned = new PlannedNetwork(core, build(shapes), data, { capacity: 16 });
    steps(planned, count, optimizer);
    const plain = build(shapes);
    const all = Array.from({ length: count }, () => data.x.map((_, row) => row));
    const { losses, states } = train(plain, reals, data, all, batch, { ...HYPERPARAMETERS, optimizer });
    for (const [l, { W, b }] of plain.layers.entries()) {
      const state = states[l] as (typeof states)[0];
      expectBits(`W of layer ${l}`, planned.read(planned.params, l, "W").flat(), (W as number[][]).flat());
      expectBits(`b of layer ${l}`, planned.read(planned.params, l, "b").flat(), b ?? []);
      for (const [slot, key] of (["m", "v"] as const).entries()) {
        const what = `${key} of layer ${l}`;
        expectBits(
          what,
          planned.read(planned.state, l, "W", slot).flat(),
          state.W.flat().map((one) => one[key]),
        );
        expectBits(
          what,
          planned.read(planned.state, l, "b", slot).flat(),
          state.b.map((one) => one[key]),
        );
      }
    }
    expectBits("loss", [planned.double(abi.JOB_STEP_LOSS)], losses.slice(-1));
    expect(planned.double(abi.JOB_STEP)).toBe(count);
    expectPaddingZero(planned, 2);
  }

  test.each(NAMES)(
    "%s: parameters and state of a 7-5-3-2 network after 5 steps are those of plain loops",
    (optimizer) => {
      for (const batch of [1, 2, 8, 11]) expectAsPlain(layers, batch, 5, optimizer);
    },
  );

  test.each(NAMES)("%s: frozen weights, biases and layers take no update and keep no state", (optimizer) => {
    const partly = (train: LayerShape["train"][]): LayerShape[] =>
      [{ units: 5, activation: "tanh" as const }, { units: 3, activation: "relu" as const }, { units: 2 }].map(
        (layer, l) => ({
          ...layer,
          train: train[l] ?? true,
        }),
      );
    for (const batch of [1, 11]) {
      expectAsPlain(partly(["weights", "bias", true]), batch, 3, optimizer);
      expectAsPlain(partly([true, false, "bias"]), batch, 3, optimizer);
      expectAsPlain(partly([false, "weights", false]), batch, 3, optimizer);
    }
  });

  test.each(NAMES)(
    "%s: what lies in gradient and state of frozen parts, from before they were frozen, moves nothing",
    (optimizer) => {
      const shapes: LayerShape[] = [
        { units: 3, train: "bias" },
        { units: 4, train: false },
        { units: 2, train: "weights" },
      ];
      for (const batch of [1, 9]) {
        const net = build(shapes);
        const planned = new PlannedNetwork(core, net, rows(core, batch, 7, 2), { capacity: 16 });
        planned.gradients.values.fill(1);
        planned.state.values.fill(0.5);
        steps(planned, 2, optimizer);
        for (const [l, part] of [
          [0, "W"],
          [1, "W"],
          [1, "b"],
          [2, "b"],
        ] as const) {
          const layer = net.layers[l] as (typeof net.layers)[0];
          const before = part === "W" ? (layer.W as number[][]).flat() : (layer.b as number[]);
          expectBits(`${part} of layer ${l}`, planned.read(planned.params, l, part).flat(), before);
          for (const slot of [0, 1]) {
            expectBits(
              `state of ${part} of layer ${l}`,
              planned.read(planned.state, l, part, slot).flat(),
              before.map(() => 0.5),
            );
          }
        }
      }
    },
  );

  test("with zero gradients momentum and moments decay to +0 and not into subnormals", () => {
    const minNormal = core.size === 4 ? 2 ** -126 : 2 ** -1022;
    for (const [optimizer, expected] of [
      ["momentum", [1, 1, 0, 0]],
      ["nesterov", [1, 1, 0, 0]],
      ["adam", [1, 1, 0, 0]],
    ] as const) {
      // x = 0, b = 0, y = 0: every delta and every gradient is 0.
      const net = network(core, { inputs: 4, layers: [{ units: 1, bias: false }], loss: "squaredError" }, 1);
      const planned = new PlannedNetwork(core, net, { x: [[0, 0, 0, 0]], y: [[0]] }, { capacity: 8 });
      const start = [1, -8 * minNormal, minNormal, -1.05 * minNormal];
      planned.state.values.set(start, 0);
      if (optimizer === "adam") planned.state.values.set(start.map(Math.abs), planned.params.values.length);
      planned.setHyperparameters({ ...HYPERPARAMETERS, optimizer, beta2: 0.9 });
      planned.setInt(abi.JOB_EPOCHS_LEFT, 1);
      planned.restart(abi.MODE_TRAIN);
      planned.run();
      const beta = rounding(core)(0.9);
      for (let slot = 0; slot < (optimizer === "adam" ? 2 : 1); slot++) {
        const kept = start.map((x, i) => (expected[i] ? rounding(core)(beta * (slot ? Math.abs(x) : x)) : 0));
        expectBits(`${optimizer}, slot ${slot}`, planned.read(planned.state, 0, "W", slot)[0] as number[], kept);
      }
      for (let step = 0; step < 400; step++) {
        planned.setInt(abi.JOB_EPOCHS_LEFT, 1);
        planned.setInt(abi.JOB_REPORTS_COUNT, 0);
        planned.run();
      }
      const subnormal = [...planned.state.values].filter((x) => x !== 0 && Math.abs(x) < minNormal);
      expect(subnormal).toEqual([]);
      expect(planned.state.values[1]).toBe(0);
    }
  });

  test.each(["momentum", "nesterov"] as const)(
    "%s: a velocity whose product with η is subnormal moves no weight",
    (optimizer) => {
      const minNormal = core.size === 4 ? 2 ** -126 : 2 ** -1022;
      const net = network(core, { inputs: 4, layers: [{ units: 1, bias: false }], loss: "squaredError" }, 1);
      const planned = new PlannedNetwork(core, net, { x: [[0, 0, 0, 0]], y: [[0]] }, { capacity: 8 });
      // μ = η = ½, each power of two exact: with nesterov the step is half the velocity.
      const velocity = [2, 4, 8, 16].map((factor) => factor * minNormal * (optimizer === "nesterov" ? 2 : 1));
      planned.params.values.set([0, 0, 0, 0], 0);
      planned.state.values.set(velocity, 0);
      planned.setHyperparameters({ ...HYPERPARAMETERS, optimizer, learningRate: 0.5, momentum: 0.5 });
      planned.setInt(abi.JOB_EPOCHS_LEFT, 1);
      planned.restart(abi.MODE_TRAIN);
      planned.run();
      const W = planned.read(planned.params, 0, "W")[0] as number[];
      expectBits("W", W, [0, -minNormal, -2 * minNormal, -4 * minNormal]);
    },
  );

  test("the powers of β₁ and β₂ are running products that nesterov leaves alone", () => {
    const planned = new PlannedNetwork(core, build(layers), rows(core, 3, 7, 2), { capacity: 8 });
    const powers = () => [planned.double(abi.JOB_BETA1_POWER), planned.double(abi.JOB_BETA2_POWER)];
    steps(planned, 2, "nesterov");
    expect(powers()).toEqual([1, 1]);
    steps(planned, 3, "adam");
    expect(powers()).toEqual([0.9 * 0.9 * 0.9, 0.999 * 0.999 * 0.999]);
  });
});
