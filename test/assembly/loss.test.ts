import { describe, expect, test } from "vitest";
import * as abi from "../../src/core/abi.ts";
import { CORES, Draws, expectBits, rounding, upTo } from "./cores.ts";
import { ACTIVATIONS, type ActivationName, type Data, type LossName, network } from "./network-cases.ts";
import { forward, gradients, meanLoss, realsOf, sampleLoss } from "./plain-step.ts";
import { PlannedNetwork } from "./planned-network.ts";

const PAIRS: [ActivationName, LossName][] = [
  ...(Object.keys(ACTIVATIONS) as ActivationName[]).flatMap((activation): [ActivationName, LossName][] => [
    [activation, "squaredError"],
    [activation, "meanSquaredError"],
  ]),
  ["softmax", "crossEntropy"],
  ["sigmoid", "binaryCrossEntropy"],
];

describe.each(CORES)("$name", (core) => {
  const reals = realsOf(core.size);
  const rnd = rounding(core);

  function data(samples: number, inputs: number, outputs: number, seed: number, classes = false): Data {
    const draws = new Draws(seed);
    const x = Array.from({ length: samples }, () => draws.numbers(inputs).map(rnd));
    if (classes) return { x, y: x.map(() => draws.below(outputs)) };
    return { x, y: x.map(() => draws.numbers(outputs).map((t) => rnd(Math.abs(t)))) };
  }

  /** Mean loss, output delta and count of correct samples of one gradient pass. */
  function pass(planned: PlannedNetwork, mode: number = abi.MODE_GRADIENT) {
    planned.setInt(abi.JOB_FLAGS, abi.JOB_FLAG_ALL | abi.JOB_FLAG_COUNT);
    planned.restart(mode);
    expect(planned.run()).toBe(abi.RUN_DONE);
    return { loss: planned.double(abi.JOB_STEP_LOSS), correct: planned.double(abi.JOB_STEP_CORRECT) };
  }

  test.each(PAIRS)(
    "%s with %s: mean loss and output delta of 1…17 samples × 1…5 and 11 outputs",
    (activation, loss) => {
      for (const samples of upTo(17))
        for (const units of [...upTo(5), 11]) {
          const net = network(core, { inputs: 3, layers: [{ units, activation }], loss }, samples + units);
          const kinds = loss === "crossEntropy" ? [false, true] : [false];
          for (const classes of kinds) {
            const rows = data(samples, 3, units, 100 * samples + units, classes);
            const planned = new PlannedNetwork(core, net, rows, { capacity: 24 });
            const plain = gradients(net, reals, rows);
            const { loss: mean } = pass(planned);
            const what = `${samples} samples, ${units} outputs`;
            expectBits(`${what}: loss`, [mean], [plain.loss]);
            const { delta } = planned.nodes[1] as (typeof planned.nodes)[0];
            for (const [s, expected] of plain.deltas.entries()) {
              expectBits(
                `${what}: delta ${s}`,
                planned.sample(delta, units, s, samples === 1),
                expected[1] as number[],
              );
            }
            if (samples > 1) {
              const padding = Array.from({ length: Math.ceil(samples / 8) * 8 - samples }, (_, s) => samples + s);
              for (const s of padding)
                expectBits(`${what}: lane ${s}`, planned.sample(delta, units, s), Array(units).fill(0));
            }
          }
        }
    },
  );

  test("the loss of 8197 samples is summed in blocks of 4096 over 8 accumulators, whatever the block size and the mode", () => {
    const net = network(core, { inputs: 2, layers: [{ units: 3, activation: "softmax" }], loss: "crossEntropy" }, 1);
    for (const samples of [4095, 4096, 4097, 8192, 8197]) {
      const rows = data(samples, 2, 3, 5, true);
      const expected = meanLoss(rows.x.map((x, s) => sampleLoss(net, forward(net, reals, x), rows.y[s] as number)));
      for (const block of [8, 56, 64]) {
        const planned = new PlannedNetwork(core, net, rows);
        planned.setInt(abi.JOB_BLOCK, block);
        const mode = block === 56 ? abi.MODE_GRADIENT : abi.MODE_EVALUATE;
        expectBits(`${samples} samples in blocks of ${block}`, [pass(planned, mode).loss], [expected]);
        // The reduction starts anew.
        expectBits("again", [pass(planned, mode).loss], [expected]);
      }
    }
  });

  test("net inputs of ±1000 give a finite loss and finite deltas with the cross-entropies, and the loss is their distance", () => {
    for (const [activation, loss] of [
      ["softmax", "crossEntropy"],
      ["sigmoid", "binaryCrossEntropy"],
    ] as const)
      for (const sign of [1, -1]) {
        const drawn = network(core, { inputs: 1, layers: [{ units: 2, activation }], loss }, 1);
        const layer = { ...(drawn.layers[0] as (typeof drawn.layers)[0]), W: [[1000], [-1000]], b: [0, 0] };
        const rows: Data = {
          x: [[sign], [sign]],
          y: [
            [1, 0],
            [0, 1],
          ],
        };
        const planned = new PlannedNetwork(core, { ...drawn, layers: [layer] }, rows, { capacity: 8 });
        const { loss: mean } = pass(planned);
        // One sample is right with loss 0, the other wrong by 2000 (softmax) or by twice 1000 over 2 outputs.
        expect(mean).toBe(activation === "softmax" ? 1000 : 500);
        const { delta } = planned.nodes[1] as (typeof planned.nodes)[0];
        expect([...planned.sample(delta, 2, 0), ...planned.sample(delta, 2, 1)].every(Number.isFinite)).toBe(true);
      }
  });

  test("an output delta below the smallest normal number becomes +0: errors of k/4 of it over batches of 1 and 12", () => {
    const minNormal = core.size === 4 ? 2 ** -126 : 2 ** -1022;
    const net = network(core, { inputs: 1, layers: [{ units: 1 }], loss: "squaredError" }, 1);
    const identity = {
      ...net,
      layers: [{ ...(net.layers[0] as (typeof net.layers)[0]), W: [[1]], b: undefined, trainB: false }],
    };
    for (const batch of [1, 12])
      for (let k = -16; k <= 16; k++) {
        const x = Array.from({ length: batch }, () => [(k * minNormal) / 4]);
        const planned = new PlannedNetwork(core, identity, { x, y: x.map(() => [0]) }, { capacity: 16 });
        pass(planned);
        const delta = rnd(rnd(1 / batch) * ((k * minNormal) / 4));
        const { values } = (planned.nodes[1] as (typeof planned.nodes)[0]).delta;
        expectBits(`k = ${k}, batch ${batch}`, [values[0] as number], [Math.abs(delta) < minNormal ? 0 : delta]);
      }
  });

  test("correct samples: argmax with the lowest index on a tie, class or row targets; one unit: ≥ 0.5", () => {
    const identity = (units: number) => {
      const net = network(core, { inputs: units, layers: [{ units }], loss: "squaredError" }, 1);
      const layer = net.layers[0] as (typeof net.layers)[0];
      const W = upTo(units).map((o) => upTo(units).map((i) => (i === o ? 1 : 0)));
      return { ...net, layers: [{ ...layer, W, b: undefined, trainB: false }] };
    };
    const x = [
      [1, 1, 0],
      [0, 2, 2],
      [3, 2, 1],
      [0, 0, 0],
      [-1, -3, -2],
      [0, 0, 1],
      [1, 0, 1],
      [2, 2, 2],
      [0, 5, 1],
    ];
    const rowsOf = (classes: number[]) => classes.map((c) => [0, 1, 2].map((o) => (o === c ? 1 : 0)));
    const classes = [0, 1, 0, 0, 0, 2, 0, 0, 1];
    for (const n of [1, 8, 9]) {
      const count = (y: number[]) =>
        pass(new PlannedNetwork(core, identity(3), { x: x.slice(0, n), y: rowsOf(y).slice(0, n) }, { capacity: 16 }))
          .correct;
      expect(count(classes)).toBe(n);
      expect(count(classes.map((c, s) => (s === 0 ? 1 : c)))).toBe(n - 1);
    }
    const soft = network(core, { inputs: 3, layers: [{ units: 3, activation: "softmax" }], loss: "crossEntropy" }, 1);
    const layer = {
      ...(soft.layers[0] as (typeof soft.layers)[0]),
      W: identity(3).layers[0]?.W,
      b: undefined,
      trainB: false,
    };
    const planned = new PlannedNetwork(
      core,
      { ...soft, layers: [layer] },
      { x, y: classes.with(3, 2) },
      { capacity: 16 },
    );
    expect(pass(planned, abi.MODE_EVALUATE).correct).toBe(8);
    const one: Data = { x: [[0.5], [0.4], [0.5], [0.4]], y: [[1], [0], [0], [1]] };
    expect(pass(new PlannedNetwork(core, identity(1), one, { capacity: 8 })).correct).toBe(2);
    // A softmax of one unit has one class, and is always right.
    const single = network(core, { inputs: 1, layers: [{ units: 1, activation: "softmax" }], loss: "crossEntropy" }, 1);
    expect(pass(new PlannedNetwork(core, single, { x: [[1], [2], [3]], y: [0, 0, 0] }, { capacity: 8 })).correct).toBe(
      3,
    );
  });
});
