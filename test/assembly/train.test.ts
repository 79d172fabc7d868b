import { describe, expect, test } from "vitest";
import * as abi from "../../src/core/abi.ts";
import { makeOrder } from "../../src/js/random.ts";
import { CORES, expectBits, type TestCore } from "./cores.ts";
import { build, type Data, dataOf, hyperparameters, SHAPES, type Shape } from "./network-cases.ts";
import { realsOf, train } from "./plain-step.ts";
import { type Layout, PlannedNetwork } from "./planned-network.ts";

interface Training extends Layout {
  readonly batch: number;
  readonly epochs: number;
  readonly block?: number;
  /** Blocks per call of run. */
  readonly budget?: number;
  /** Weights per piece of a block. */
  readonly piece?: number;
}

/** Trains and gives the memory back. */
function trained(
  core: TestCore,
  shape: Shape,
  data: Data,
  { batch, epochs, block, budget, piece, ...layout }: Training,
): PlannedNetwork {
  const planned = new PlannedNetwork(core, build(core, shape), data, layout);
  planned.setHyperparameters(hyperparameters(shape));
  planned.setInt(abi.JOB_BATCH, batch);
  planned.setInt(abi.JOB_BLOCK, block ?? layout.capacity ?? 64);
  planned.setInt(abi.JOB_PIECE, piece ?? 0);
  planned.setInt(abi.JOB_EPOCHS_LEFT, epochs);
  planned.setInt(abi.JOB_FLAGS, abi.JOB_FLAG_COUNT);
  planned.restart(abi.MODE_TRAIN);
  let status = planned.run(budget);
  for (let calls = 1; status === abi.RUN_MORE && calls < 10_000; calls++) status = planned.run(budget);
  expect(status).toBe(abi.RUN_DONE);
  return planned;
}

/** Rows of epoch e, as the seed of PlannedNetwork draws them. */
function orderOf(rows: number, epoch: number): number[] {
  const order = new Int32Array(rows);
  makeOrder(order, rows, 0, 2 * rows, 12345, 7, epoch);
  return [...order];
}

const [js32, js64] = CORES.filter((core) => core.isJs) as [TestCore, TestCore];

describe.each(CORES)("$name", (core) => {
  const reals = realsOf(core.size);
  const twin = core.size === 4 ? js32 : js64;

  test.each(SHAPES)(
    "$name: two shuffled epochs of 19 rows in batches of 1, 5, 8, 16 and 19 are those of plain loops",
    (shape) => {
      const data = dataOf(core, shape, 19);
      for (const batch of [1, 5, 8, 16, 19]) {
        const planned = trained(core, shape, data, { batch, epochs: 2, shuffled: true, capacity: 24 });
        const plain = build(core, shape);
        const orders = [orderOf(19, 0), orderOf(19, 1)];
        const { epochs } = train(plain, reals, data, orders, batch, hyperparameters(shape));
        for (const [l, { W, b }] of plain.layers.entries()) {
          expectBits(`batch ${batch}: W of layer ${l}`, planned.read(planned.params, l, "W").flat(), W?.flat() ?? []);
          expectBits(`batch ${batch}: b of layer ${l}`, planned.read(planned.params, l, "b").flat(), b ?? []);
        }
        const reported = [planned.reports[0] as number, planned.reports[2] as number];
        expectBits(`batch ${batch}: epoch losses`, reported, epochs);
        expect(planned.int(abi.JOB_REPORTS_COUNT)).toBe(2);
        expect([...planned.order].sort((a, b) => a - b)).toEqual(data.x.map((_, row) => row));
      }
    },
  );

  test.each(SHAPES)(
    "$name: every region and record equals the pure-JS core's, batches of 1, 7, 8, 30 and 67 of 67 rows",
    (shape) => {
      const data = dataOf(core, shape, 67);
      for (const batch of [1, 7, 8, 30, 67])
        for (const block of [8, 64]) {
          const settings = { batch, epochs: 2, block, shuffled: batch !== 67 };
          const [here, there] = [core, twin].map((one) => trained(one, shape, data, settings));
          (here as PlannedNetwork).expectSame(there as PlannedNetwork, `batch ${batch}, block ${block}`);
        }
    },
  );

  test.each(SHAPES)(
    "$name: block sizes 8, 16, 40 and 64 and budgets of 1, 2 and 3 blocks change no bit of the result",
    (shape) => {
      const data = dataOf(core, shape, 83);
      const settings = { batch: 61, epochs: 3, shuffled: true };
      const whole = trained(core, shape, data, settings);
      // The memory is the core's own: the next training writes over it.
      const [params, state, reports] = [whole.params.values, whole.state.values, whole.reports].map((r) => r.slice());
      for (const block of [8, 16, 40, 64])
        for (const budget of [1, 2, 3]) {
          const parts = trained(core, shape, data, { ...settings, block, budget });
          const what = `block ${block}, budget ${budget}`;
          expectBits(`${what}: parameters`, parts.params.values, params as Float64Array);
          expectBits(`${what}: state`, parts.state.values, state as Float64Array);
          expectBits(`${what}: reports`, parts.reports, reports as Float64Array);
        }
    },
  );

  test.each(SHAPES)(
    "$name: blocks divided into pieces of 1, 30, 100 and 1000 weights change no bit of the result, batches of 1, 8 and 61",
    (shape) => {
      const data = dataOf(core, shape, 83);
      for (const batch of [1, 8, 61]) {
        const settings = { batch, epochs: 2, shuffled: true, block: 24 };
        const whole = trained(core, shape, data, settings);
        const [params, state, reports] = [whole.params.values, whole.state.values, whole.reports].map((r) => r.slice());
        for (const piece of [1, 30, 100, 1000]) {
          const parts = trained(core, shape, data, { ...settings, piece, budget: 1 });
          const what = `batch ${batch}, pieces of ${piece}`;
          expectBits(`${what}: parameters`, parts.params.values, params as Float64Array);
          expectBits(`${what}: state`, parts.state.values, state as Float64Array);
          expectBits(`${what}: reports`, parts.reports, reports as Float64Array);
        }
      }
    },
  );

  test("a piece of 30 weights ends within a block, which later calls finish", () => {
    const shape = SHAPES[2] as Shape;
    const planned = new PlannedNetwork(core, build(core, shape), dataOf(core, shape, 8), {});
    planned.setHyperparameters(hyperparameters(shape));
    planned.setInt(abi.JOB_BATCH, 8);
    planned.setInt(abi.JOB_PIECE, 30);
    planned.setInt(abi.JOB_EPOCHS_LEFT, 1);
    planned.restart(abi.MODE_TRAIN);
    const phases: number[] = [];
    for (let status: number = abi.RUN_MORE; status === abi.RUN_MORE; phases.push(planned.int(abi.JOB_PHASE))) {
      expect(planned.double(abi.JOB_STEP)).toBe(0);
      status = planned.run(1);
    }
    expect(phases.length).toBeGreaterThan(6);
    expect(phases.slice(0, -1).every((phase) => phase > 0)).toBe(true);
    expect([phases.at(-1), planned.double(abi.JOB_STEP)]).toEqual([0, 1]);
  });

  test("run says why it stopped: budget, steps, reports, window, divergence", () => {
    const shape = SHAPES[3] as Shape;
    const data = dataOf(core, shape, 10);
    const make = (fields: readonly [number, number][]): PlannedNetwork => {
      const planned = new PlannedNetwork(core, build(core, shape), data, { reports: 2, shuffled: true });
      planned.setHyperparameters(hyperparameters(shape));
      planned.setInt(abi.JOB_BATCH, 4);
      planned.setInt(abi.JOB_EPOCHS_LEFT, 100);
      planned.restart(abi.MODE_TRAIN);
      for (const [field, value] of fields) planned.setInt(field, value);
      return planned;
    };
    // The order is one unit of the budget, then three steps to an epoch.
    const budgeted = make([]);
    expect([budgeted.run(0), budgeted.double(abi.JOB_STEP)]).toEqual([abi.RUN_MORE, 0]);
    expect([budgeted.run(3), budgeted.double(abi.JOB_STEP)]).toEqual([abi.RUN_MORE, 2]);
    expect([budgeted.run(2), budgeted.double(abi.JOB_STEP), budgeted.double(abi.JOB_EPOCH)]).toEqual([
      abi.RUN_MORE,
      3,
      1,
    ]);
    const stepped = make([[abi.JOB_STEPS_LEFT, 5]]);
    expect([stepped.run(), stepped.double(abi.JOB_STEP), stepped.int(abi.JOB_POSITION)]).toEqual([abi.RUN_DONE, 5, 8]);
    const full = make([]);
    expect([full.run(), full.double(abi.JOB_EPOCH)]).toEqual([abi.RUN_REPORTS_FULL, 2]);
    full.setInt(abi.JOB_REPORTS_COUNT, 0);
    expect([full.run(), full.double(abi.JOB_EPOCH)]).toEqual([abi.RUN_REPORTS_FULL, 4]);
    const window = make([
      [abi.JOB_ORDER_PTR, 0],
      [abi.JOB_WINDOW_END, 7],
    ]);
    expect([window.run(), window.int(abi.JOB_POSITION)]).toEqual([abi.RUN_NEEDS_DATA, 4]);
    window.setInt(abi.JOB_WINDOW_END, 10);
    expect(window.run()).toBe(abi.RUN_REPORTS_FULL);
    const wild = make([]);
    wild.params.values[wild.segments[2]?.offset as number] = Infinity;
    expect([wild.run(), wild.double(abi.JOB_STEP)]).toEqual([abi.RUN_DIVERGED, 1]);
    expect(Number.isFinite(wild.double(abi.JOB_STEP_LOSS))).toBe(false);
  });
});
