// Passes that train nothing: gradients, predictions, evaluation.
import { describe, expect, test } from "vitest";
import * as abi from "../../src/core/abi.ts";
import { CORES, expectBits, upTo } from "./cores.ts";
import { build, type Data, dataOf, type LayerShape, type Network, SHAPES, type Shape } from "./network-cases.ts";
import { forward, gradients, realsOf } from "./plain-step.ts";
import { PlannedNetwork } from "./planned-network.ts";

describe.each(CORES)("$name", (core) => {
  const reals = realsOf(core.size);

  test.each(SHAPES)(
    "$name: gradients of every parameter and input, in one and in several blocks, B 1…17 and 50",
    (shape) => {
      for (const samples of [...upTo(17), 50]) {
        const data = dataOf(core, shape, samples);
        const net = build(core, shape);
        const plain = gradients(net, reals, data);
        for (const block of [8, 64]) {
          const planned = gradientPass(net, data, block, abi.JOB_FLAG_ALL, true);
          const what = `B ${samples}, block ${block}`;
          for (const [l, { W, b }] of plain.gradients.entries()) {
            expectBits(`${what}: dW ${l}`, planned.read(planned.gradients, l, "W").flat(), W?.flat() ?? []);
            expectBits(`${what}: db ${l}`, planned.read(planned.gradients, l, "b").flat(), b ?? []);
          }
          expectBits(
            `${what}: inputs`,
            planned.inputGradients.values,
            plain.deltas.flatMap((nodes) => nodes[0] as number[]),
          );
        }
      }
    },
  );

  function gradientPass(net: Network, data: Data, block: number, flags: number, toInputs = false): PlannedNetwork {
    const planned = new PlannedNetwork(core, net, data);
    planned.setInt(abi.JOB_BLOCK, block);
    planned.setInt(abi.JOB_FLAGS, flags);
    planned.setInt(abi.JOB_INPUT_GRADIENT_PTR, toInputs ? planned.inputGradients.ptr : 0);
    planned.restart(abi.MODE_GRADIENT);
    expect(planned.run()).toBe(abi.RUN_DONE);
    return planned;
  }

  test("a gradient pass leaves frozen parameters and all below the lowest trained layer alone, unless the flag asks for all", () => {
    const layers: LayerShape[] = [
      { units: 4, train: false },
      { units: 3, train: "bias" },
      { units: 2, train: "weights" },
    ];
    const shape: Shape = { name: "", inputs: 3, layers, loss: "squaredError", optimizer: "sgd" };
    const data = dataOf(core, shape, 5);
    const net = build(core, shape);
    const planned = gradientPass(net, data, 8, 0);
    const plain = gradients(net, reals, data).gradients;
    expect(planned.read(planned.gradients, 0, "W").flat()).toEqual(Array(12).fill(0));
    expect(planned.read(planned.gradients, 0, "b").flat()).toEqual(Array(4).fill(0));
    expect(planned.read(planned.gradients, 1, "W").flat()).toEqual(Array(12).fill(0));
    expect(planned.read(planned.gradients, 2, "b").flat()).toEqual(Array(2).fill(0));
    expectBits("db 1", planned.read(planned.gradients, 1, "b").flat(), plain[1]?.b ?? []);
    expectBits("dW 2", planned.read(planned.gradients, 2, "W").flat(), plain[2]?.W?.flat() ?? []);
    expect([...(planned.nodes[1]?.delta.values ?? [])].every(Number.isNaN)).toBe(true);
    for (const samples of [1, 5]) {
      const rows = dataOf(core, shape, samples);
      const all = gradientPass(net, rows, 8, abi.JOB_FLAG_ALL);
      for (const [l, { W, b }] of gradients(net, reals, rows).gradients.entries()) {
        expectBits(`${samples} samples: dW ${l}`, all.read(all.gradients, l, "W").flat(), W?.flat() ?? []);
        expectBits(`${samples} samples: db ${l}`, all.read(all.gradients, l, "b").flat(), b ?? []);
      }
      expect([...(all.nodes[0]?.delta.values ?? [])].every(Number.isNaN)).toBe(true);
    }
  });

  test.each(SHAPES)("$name: a batch of NaN leaves nothing behind for a batch of B rows, B mod 8 = 1…7", (shape) => {
    const net = build(core, shape);
    for (const n of upTo(23)) {
      const rows = dataOf(core, shape, n);
      const clean = new PlannedNetwork(core, net, rows);
      clean.restart(abi.MODE_GRADIENT);
      clean.run();
      const expected = clean.gradients.values.slice();
      const loss = clean.double(abi.JOB_STEP_LOSS);

      // 24 rows of NaN stand behind the n rows; the first pass goes through them.
      const bad = Array.from({ length: 24 }, () => Array(shape.inputs).fill(NaN));
      const targets = [...rows.y, ...dataOf(core, shape, 24).y];
      const dirty = new PlannedNetwork(core, net, { x: [...rows.x, ...bad], y: targets } as Data);
      dirty.setInt(abi.JOB_WINDOW_BEGIN, 0);
      dirty.restart(abi.MODE_GRADIENT);
      dirty.run();
      expect(dirty.double(abi.JOB_STEP_LOSS)).toBeNaN();
      dirty.setInt(abi.JOB_ROWS, n);
      dirty.setInt(abi.JOB_BATCH, n);
      dirty.restart(abi.MODE_GRADIENT);
      dirty.run();
      expectBits(`B ${n}: gradients`, dirty.gradients.values, expected);
      expectBits(`B ${n}: loss`, [dirty.double(abi.JOB_STEP_LOSS)], [loss]);
      const output = dirty.nodes.at(-1) as (typeof dirty.nodes)[0];
      const units = shape.layers.at(-1)?.units as number;
      for (let s = n; n > 1 && s < Math.ceil(n / 8) * 8; s++) {
        expectBits(`B ${n}: lane ${s} of delta`, dirty.sample(output.delta, units, s), Array(units).fill(0));
        expectBits(`B ${n}: lane ${s} of a`, dirty.sample(output.a, units, s), Array(units).fill(0));
      }
    }
  });

  test.each(SHAPES)(
    "$name: a row's prediction does not depend on its place or on the size of its batch, 1…17 rows",
    (shape) => {
      const net = build(core, shape);
      const data = dataOf(core, shape, 17);
      const expected = data.x.map((x) => forward(net, reals, x).a.at(-1) as number[]);
      for (const rows of upTo(17))
        for (const block of [8, 16, 64]) {
          const begin = 17 - rows;
          const planned = new PlannedNetwork(core, net, { x: data.x.slice(begin), y: data.y.slice(begin) } as Data);
          planned.setInt(abi.JOB_BLOCK, block);
          planned.restart(abi.MODE_PREDICT);
          expect(planned.run()).toBe(abi.RUN_DONE);
          expectBits(`rows ${begin} …, blocks of ${block}`, planned.out.values, expected.slice(begin).flat());
        }
    },
  );

  test("a window that moves over the rows gives the bits of resident data: predictions and evaluation of 50 rows by 16", () => {
    const shape = SHAPES[0] as Shape;
    const data = dataOf(core, shape, 50);
    const net = build(core, shape);
    const passOver = (planned: PlannedNetwork, mode: number): PlannedNetwork => {
      planned.setInt(abi.JOB_ROWS, 50);
      planned.setInt(abi.JOB_BATCH, 50);
      planned.setInt(abi.JOB_BLOCK, 8);
      planned.restart(mode);
      return planned;
    };
    for (const mode of [abi.MODE_EVALUATE, abi.MODE_PREDICT]) {
      const resident = passOver(new PlannedNetwork(core, net, data), mode);
      expect(resident.run()).toBe(abi.RUN_DONE);
      const [expected, loss] = [resident.out.values.slice(), resident.double(abi.JOB_STEP_LOSS)];
      const first = { x: data.x.slice(0, 16), y: data.y.slice(0, 16) } as Data;
      const window = passOver(new PlannedNetwork(core, net, first), mode);
      const outputs: number[] = [];
      for (let begin = 0; begin < 50; begin += 16) {
        const end = Math.min(50, begin + 16);
        window.fillWindow(data, begin, end);
        expect(window.run()).toBe(end === 50 ? abi.RUN_DONE : abi.RUN_NEEDS_DATA);
        outputs.push(...window.out.values.subarray(0, 3 * (end - begin)));
      }
      if (mode === abi.MODE_PREDICT) expectBits("outputs", outputs, expected);
      else expectBits("loss", [window.double(abi.JOB_STEP_LOSS)], [loss]);
    }
  });
});
