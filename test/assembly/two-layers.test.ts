// The path of the smallest networks, and the steps that it leaves to the path of small ones: the bits of the pure-JS core, which has neither.
import { describe, expect, test } from "vitest";
import * as abi from "../../src/core/abi.ts";
import { CORES, Draws, expectBits, rounding, type TestCore } from "./cores.ts";
import { type Data, HYPERPARAMETERS, type Layer, type LossName, type Network, network } from "./network-cases.ts";
import { PlannedNetwork } from "./planned-network.ts";

interface Numbers {
  readonly net: Network;
  readonly data: Data;
}

/** Changes the drawn weights or rows so that some step is out of the ordinary. */
type Twist = (numbers: Numbers, core: TestCore) => void;

const cast = (rows: Data["x"] | Data["y"]) => rows as number[][];
const W = ({ net }: Numbers, layer: number) => (net.layers[layer] as Layer).W as number[][];
const b = ({ net }: Numbers, layer: number) => (net.layers[layer] as Layer).b as number[];
const first = (rows: number[][]) => rows[0] as number[];
const tiny = (core: TestCore) => (core.size === 4 ? 2e-38 : 4e-308);

const TWISTS: Readonly<Record<string, Twist>> = {
  "nothing unusual": () => {},
  "a hidden weight of -0": (numbers) => void first(W(numbers, 0)).fill(-0),
  "an output weight of -0": (numbers) => void first(W(numbers, 1)).fill(-0),
  "a hidden weight of -0 whose gradient is 0": (numbers) => {
    first(W(numbers, 0)).fill(-0);
    for (const row of cast(numbers.data.x)) row.fill(0);
  },
  "inputs and biases of -0": (numbers) => {
    for (const row of cast(numbers.data.x)) row.fill(-0);
    for (const layer of [0, 1]) b(numbers, layer).fill(-0);
  },
  "nets around the smallest exponent": (numbers, core) => {
    const end = core.size === 4 ? [84, 86, 87.5, 89, 103, 105] : [700, 706, 707.3, 709, 744, 747];
    for (const [i, row] of cast(numbers.data.x).entries()) row.fill((i % 2 ? -1 : 1) * (end[i % end.length] as number));
    for (const row of W(numbers, 0)) row.splice(0, 2, 1, 0);
  },
  "nets beyond every clamp": (numbers) => {
    for (const row of cast(numbers.data.x)) row.fill(3e30);
  },
  "hidden nets about the end of the f64 sigmoid's table": (numbers) => {
    const end = [15.75, 15.75 * (1 - 2 ** -53), 15.625, 15.7, 15.874];
    for (const [i, row] of cast(numbers.data.x).entries()) row.fill((i % 2 ? -1 : 1) * (end[i % end.length] as number));
    for (const row of W(numbers, 0)) row.splice(0, 2, 1, 0);
    b(numbers, 0).fill(0);
  },
  "an output net at the end of that table": (numbers) => {
    for (const row of W(numbers, 1)) row.fill(0);
    b(numbers, 1).fill(15.75);
  },
  "an output net just before it": (numbers) => {
    for (const row of W(numbers, 1)) row.fill(0);
    b(numbers, 1).fill(-15.75 * (1 - 2 ** -53));
  },
  "nets now within the table, now beyond it": (numbers) => {
    for (const [i, row] of cast(numbers.data.x).entries()) row.fill(i % 5 < 2 ? 20 : 0.5);
    for (const row of W(numbers, 0)) row.splice(0, 2, 1, 0);
  },
  "an output delta of 0 where nothing is large": (numbers) => {
    for (const row of W(numbers, 1)) row.fill(0);
    b(numbers, 1).fill(0);
    for (const row of cast(numbers.data.y)) row.fill(0.5);
  },
  // There 2^n (f32) or the row of the table (f64) comes round to something like a number.
  "the last hidden unit's net beyond": (numbers, core) =>
    void b(numbers, 0).splice(-1, 1, core.size === 4 ? 182.3 : 1456),
  "output nets beyond": (numbers, core) => void b(numbers, 1).fill(core.size === 4 ? 182.3 : 1456),
  "an output delta below the smallest normal number, hidden ones above it": (numbers, core) => {
    const [rows, hidden] = [W(numbers, 1), first(W(numbers, 1)).length];
    for (const row of rows) row.fill((core.size === 4 ? -171.8 : -1413.6) / hidden);
    for (const row of W(numbers, 0)) row.fill(0);
    for (const layer of [0, 1]) b(numbers, layer).fill(0);
    for (const row of cast(numbers.data.y)) row.fill(0.01);
  },
  "an infinite net": (numbers, core) => void first(W(numbers, 0)).fill(core.size === 4 ? 3e38 : 1.7e308),
  "a last row of NaN": (numbers) => void (cast(numbers.data.x).at(-1) as number[]).fill(Number.NaN),
  "a row of infinities": (numbers) => void (cast(numbers.data.x)[7] as number[]).fill(Number.POSITIVE_INFINITY),
  "targets that are met: deltas of 0": (numbers) => {
    b(numbers, 1).fill(60);
    for (const row of cast(numbers.data.y)) row.fill(1);
  },
  "a target met by one output": (numbers) => {
    b(numbers, 1)[0] = 60;
    for (const row of cast(numbers.data.y)) row[0] = 1;
  },
  "hidden deltas about the smallest normal number": (numbers, core) => {
    for (const row of W(numbers, 1)) for (let i = 0; i < row.length; i++) row[i] = tiny(core) * (8 * i + 4);
  },
  "a hidden delta of 0": (numbers) => void first(W(numbers, 1)).fill(0, 0, 1),
  "weights that underflow": (numbers, core) => {
    for (const row of cast(numbers.data.x)) row.fill(-tiny(core));
    for (const row of W(numbers, 0)) row.fill(0);
  },
  "squares that overflow": (numbers, core) =>
    void (cast(numbers.data.y)[5] as number[]).fill(core.size === 4 ? 3e38 : 2e154),
  "a square that overflows beside a small delta": (numbers, core) => {
    b(numbers, 1).fill(core.size === 4 ? -60 : -400);
    (cast(numbers.data.y)[5] as number[]).fill(core.size === 4 ? 3e38 : 2e154);
  },
  "squares near the largest": (numbers) => void (cast(numbers.data.y)[5] as number[]).fill(3e37),
};

const FIELDS = [abi.JOB_POSITION, abi.JOB_STEPS_LEFT, abi.JOB_EPOCHS_LEFT, abi.JOB_REPORTS_COUNT];
const DOUBLES = [abi.JOB_STEP, abi.JOB_STEP_LOSS, abi.JOB_EPOCH_LOSS, abi.JOB_EPOCH];

interface Case {
  readonly hidden: number;
  readonly outputs: number;
  readonly loss: LossName;
  readonly twist: Twist;
  readonly shuffled: boolean;
  readonly steps: number;
  readonly budget: number;
}

/** Trains online until the job ends or diverges, `budget` steps a call. */
function trained(core: TestCore, { hidden, outputs, loss, twist, shuffled, steps, budget }: Case) {
  const layers = [hidden, outputs].map((units) => ({ units, activation: "sigmoid" as const }));
  const net = network(core, { inputs: 2, layers, loss }, 10 * hidden + outputs);
  const draws = new Draws(hidden);
  const rows = (cols: number) => Array.from({ length: 17 }, () => draws.numbers(cols).map(rounding(core)));
  const numbers = { net, data: { x: rows(2), y: rows(outputs) } };
  twist(numbers, core);
  const planned = new PlannedNetwork(core, net, numbers.data, { shuffled });
  planned.setHyperparameters({ ...HYPERPARAMETERS, learningRate: 0.7 });
  planned.setInt(abi.JOB_BATCH, 1);
  planned.setInt(abi.JOB_EPOCHS_LEFT, 3);
  planned.setInt(abi.JOB_STEPS_LEFT, steps);
  planned.restart(abi.MODE_TRAIN);
  let status = abi.RUN_MORE;
  while (status === abi.RUN_MORE) status = planned.run(budget);
  return { planned, status };
}

function expectSame(core: TestCore, twin: TestCore, drawn: Case, what: string): void {
  const [got, expected] = [trained(core, drawn), trained(twin, drawn)];
  expect(got.status, what).toBe(expected.status);
  const parameters = ({ planned }: typeof got) =>
    [0, 1].flatMap((layer) =>
      (["W", "b"] as const).flatMap((part) => planned.read(planned.params, layer, part).flat()),
    );
  expectBits(`${what}: parameters`, parameters(got), parameters(expected));
  // The padding too, but after a NaN, which some paths let into it.
  if (got.status !== abi.RUN_DIVERGED) {
    expectBits(`${what}: padded parameters`, got.planned.params.values, expected.planned.params.values);
  }
  expectBits(`${what}: reports`, got.planned.reports, expected.planned.reports);
  for (const field of FIELDS) expect(got.planned.int(field), what).toBe(expected.planned.int(field));
  for (const field of DOUBLES) expect(got.planned.double(field), what).toBe(expected.planned.double(field));
}

const [js32, js64] = CORES.filter((core) => core.isJs) as [TestCore, TestCore];

describe.each(CORES.filter((core) => !core.isJs))("$name", (core) => {
  const twin = core.size === 4 ? js32 : js64;

  test.each(Object.entries(TWISTS))("%s: 1 to 5 hidden units and 1 to 3 outputs", (name, twist) => {
    for (const loss of ["squaredError", "meanSquaredError"] as const) {
      for (const hidden of [1, 2, 3, 4, 5]) {
        for (const outputs of [1, 2, 3]) {
          const budget = [1, 2, 5, 1000][(hidden + outputs) % 4] as number;
          const [shuffled, steps] = [hidden % 2 === 0, outputs === 2 ? 41 : -1];
          const what = `${name}, 2-${hidden}-${outputs}, ${loss}`;
          expectSame(core, twin, { hidden, outputs, loss, twist, shuffled, steps, budget }, what);
        }
      }
    }
  });

  test("chunks of 1 to 20 steps", () => {
    const twist = TWISTS["nothing unusual"] as Twist;
    for (let budget = 1; budget <= 20; budget++) {
      const [hidden, outputs] = [1 + (budget % 4), 1 + (budget % 2)];
      const drawn: Case = { hidden, outputs, loss: "squaredError", twist, shuffled: true, steps: -1, budget };
      expectSame(core, twin, drawn, `${budget} steps a call`);
    }
  });
});
