// The bits are defined (DESIGN.md I1, I2): the way a run is cut, hosted or interrupted changes no bit of weights,
// optimizer state, predictions or history. 52 drawn networks, each with 4 optimizers in 2 dtypes, for every property.
import fc from "fast-check";
import { afterEach, describe, expect, test } from "vitest";
import { type History, Network, type NetworkSpec, type Optimizer } from "../src/index.ts";
import { tuning } from "../src/training/tuning.ts";
import { drawRows, drawsFrom } from "./draws.ts";
import { hex, progressOf, stateOf, withoutClock } from "./saved-state.ts";
import {
  DTYPES,
  type DType,
  forAllFurther,
  NETWORKS,
  forAll as plain,
  type Scenario,
  SEED,
  scenario,
} from "./scenarios.ts";

const create = ({ spec, seed }: Scenario, dtype: DType, core: "simd" | "js" = "simd") =>
  Network.createSync(spec, { seed, dtype, core });

/** All that can be told apart from outside, as text. */
function outcome(network: Network, { x, y }: Scenario) {
  const { loss, accuracy } = network.evaluate(x, y);
  return {
    state: stateOf(network),
    weights: network.weights().map(({ W, b }) => [hex(W.data), b && hex(b)]),
    predictions: hex(network.predict(x).data),
    evaluation: [loss, accuracy],
    history: withoutClock(JSON.stringify(network.history)),
  };
}

const reports = (history: History) => withoutClock(JSON.stringify(history));

function trained(scenario: Scenario, optimizer: Optimizer, dtype: DType, core: "simd" | "js" = "simd") {
  using network = create(scenario, dtype, core);
  const history = network.fitSync(scenario.x, scenario.y, { ...scenario.fit, optimizer });
  return { ...outcome(network, scenario), returned: reports(history) };
}

const stepsPerEpoch = ({ x, fit }: Scenario) => {
  const rows = fit.validation === undefined ? x.length : x.length - Math.round(0.25 * x.length);
  return fit.batchSize === "full" ? 1 : Math.ceil(rows / fit.batchSize);
};

function tune(blockSamples: number | undefined, chunkBlocks: number | undefined, pieceWeights?: number) {
  tuning.blockSamples = blockSamples;
  tuning.chunkBlocks = chunkBlocks;
  tuning.pieceWeights = pieceWeights;
}

afterEach(() => tune(undefined, undefined));

describe.each([
  { what: "52 networks × 4 optimizers × 2 dtypes", forAll: plain },
  { what: "52 networks with layers of statistics and noise, and with full-batch methods,", forAll: forAllFurther },
])("$what have the same bits", ({ forAll }) => {
  test("from run to run, and other bits from another seed", async () => {
    let different = 0;
    await forAll((drawn, optimizer, dtype) => {
      const first = trained(drawn, optimizer, dtype);
      expect(trained(drawn, optimizer, dtype)).toEqual(first);
      if (trained({ ...drawn, seed: drawn.seed + 1 }, optimizer, dtype).predictions !== first.predictions) different++;
    });
    expect(different).toBeGreaterThan(NETWORKS * 8 * 0.9);
  });

  test("on the WASM core and on the JS core", () =>
    forAll((drawn, optimizer, dtype) => {
      expect(trained(drawn, optimizer, dtype, "js")).toEqual(trained(drawn, optimizer, dtype));
    }));

  test("from fit, fitSync and epochs()", () =>
    forAll(async (drawn, optimizer, dtype) => {
      const { returned, ...expected } = trained(drawn, optimizer, dtype);
      const options = { ...drawn.fit, optimizer };
      using fitted = create(drawn, dtype);
      expect(reports(await fitted.fit(drawn.x, drawn.y, options))).toBe(returned);
      expect(outcome(fitted, drawn)).toEqual(expected);
      using walked = create(drawn, dtype);
      const run = walked.epochs(drawn.x, drawn.y, options);
      let next = await run.next();
      let count = 0;
      for (; !next.done; next = await run.next()) {
        count++;
        expect(next.value.epoch).toBe(count);
      }
      expect(count).toBe(drawn.fit.epochs);
      expect(reports(next.value)).toBe(returned);
      expect(outcome(walked, drawn)).toEqual(expected);
    }));

  test("in sample blocks of 8, 16, 24 and 64", () =>
    forAll((drawn, optimizer, dtype) => {
      const expected = trained(drawn, optimizer, dtype);
      for (const blockSamples of [8, 16, 24, 64]) {
        tune(blockSamples, undefined);
        expect(trained(drawn, optimizer, dtype)).toEqual(expected);
      }
      tune(8, undefined);
      expect(trained(drawn, optimizer, dtype, "js")).toEqual(expected);
      tune(undefined, undefined);
    }));

  test("in chunks of 1, 3 and 7 blocks, fitSync and fit", () =>
    forAll(async (drawn, optimizer, dtype) => {
      const { returned, ...expected } = trained(drawn, optimizer, dtype);
      for (const [blockSamples, chunkBlocks] of [
        [undefined, 1],
        [8, 3],
        [8, 7],
      ] as const) {
        tune(blockSamples, chunkBlocks);
        expect(trained(drawn, optimizer, dtype)).toEqual({ returned, ...expected });
      }
      tune(8, 3);
      using network = create(drawn, dtype);
      await network.fit(drawn.x, drawn.y, { ...drawn.fit, optimizer });
      expect(outcome(network, drawn)).toEqual(expected);
      tune(undefined, undefined);
    }));

  test("with blocks divided into pieces of 1, 50 and 300 weights, on both cores", () =>
    forAll((drawn, optimizer, dtype) => {
      const expected = trained(drawn, optimizer, dtype);
      for (const pieceWeights of [1, 50, 300]) {
        tune(undefined, undefined, pieceWeights);
        expect(trained(drawn, optimizer, dtype)).toEqual(expected);
      }
      tune(8, undefined, 50);
      expect(trained(drawn, optimizer, dtype, "js")).toEqual(expected);
      tune(undefined, undefined);
    }));

  test("in a epochs and then b, as in a + b, with the optimizer named again or left out", () =>
    forAll((drawn, optimizer, dtype) => {
      const { returned: _, ...expected } = trained(drawn, optimizer, dtype);
      const { x, y, fit, cut } = drawn;
      const first = 1 + (cut % (fit.epochs - 1));
      using network = create(drawn, dtype);
      network.fitSync(x, y, { ...fit, epochs: first, optimizer });
      const second = network.fitSync(x, y, { ...fit, epochs: fit.epochs - first, ...(cut % 2 === 0 && { optimizer }) });
      expect(second.epochs.map(({ epoch }) => epoch)).toEqual(
        Array.from({ length: fit.epochs - first }, (_, i) => first + i + 1),
      );
      expect(outcome(network, drawn)).toEqual(expected);
    }));

  test("after save, load and continue from a stop in mid-epoch (maxSteps), on the other core too", async () => {
    let midEpoch = 0;
    await forAll((drawn, optimizer, dtype) => {
      const { returned: _, ...expected } = trained(drawn, optimizer, dtype);
      const { x, y, fit, cut } = drawn;
      const perEpoch = stepsPerEpoch(drawn);
      const steps = 1 + (cut % (perEpoch * fit.epochs - 1));
      using stopped = create(drawn, dtype);
      stopped.fitSync(x, y, { ...fit, maxSteps: steps, optimizer });
      expect(progressOf(stopped).step).toBe(steps);
      expect(progressOf(stopped).epoch).toBe(Math.floor(steps / perEpoch));
      if (steps % perEpoch !== 0) midEpoch++;
      for (const core of ["simd", "js"] as const) {
        using network = Network.loadSync(stopped.save(), { core });
        expect(network.core).toBe(core);
        expect(outcome(network, drawn)).toEqual(outcome(stopped, drawn));
        network.fitSync(x, y, { ...fit, epochs: fit.epochs - Math.floor(steps / perEpoch) });
        expect(outcome(network, drawn)).toEqual(expected);
      }
    });
    expect(midEpoch).toBeGreaterThan(100);
  });

  test("after an abort wherever it falls, on the same network and after save and load", async () => {
    let midEpoch = 0;
    await forAll(async (drawn, optimizer, dtype) => {
      const { returned: _, ...expected } = trained(drawn, optimizer, dtype);
      const { x, y, fit, cut } = drawn;
      tune(8, 1);
      using network = create(drawn, dtype);
      const controller = new AbortController();
      const reason = new Error("enough");
      const run = network.fit(x, y, { ...fit, optimizer, signal: controller.signal });
      let outcomeOfRun: unknown = "running";
      const ended = run.then(
        () => {
          outcomeOfRun = "finished";
        },
        (error: unknown) => {
          outcomeOfRun = error;
        },
      );
      for (let turn = 0; turn < 1 + (cut % 12) && outcomeOfRun === "running"; turn++) {
        await new Promise((resolve) => setImmediate(resolve));
      }
      controller.abort(reason);
      await ended;
      tune(undefined, undefined);
      if (outcomeOfRun !== "finished") expect(outcomeOfRun).toBe(reason);
      const { epoch, position } = progressOf(network);
      if (position > 0) midEpoch++;
      using loaded = Network.loadSync(network.save());
      if (epoch === fit.epochs) return;
      for (const each of [network, loaded]) {
        each.fitSync(x, y, { ...fit, optimizer, epochs: fit.epochs - epoch });
        expect(outcome(each, drawn)).toEqual(expected);
      }
    });
    expect(midEpoch).toBeGreaterThan(50);
  });

  test("beside predict, evaluate, gradients, check, save and clone between the epochs", () =>
    forAll(async (drawn, optimizer, dtype) => {
      const { returned: _, ...expected } = trained(drawn, optimizer, dtype);
      const { x, y, fit } = drawn;
      using network = create(drawn, dtype);
      const look = () => {
        network.predict(x);
        network.evaluate(x, y);
        network.gradients(x, y);
        network.inputGradients(x, y);
        network.check(x.slice(0, 1), y.slice(0, 1) as typeof y, { parameters: 2 });
        network.save();
        network.clone().dispose();
      };
      await network.fit(x, y, { ...fit, optimizer, onEpoch: look });
      expect(outcome(network, drawn)).toEqual(expected);
    }));
});

// The sizes at which kernels change: rows of 1024 and 2048 bytes, batches beyond 64, several tiles and a rest.
describe("a 256-130-128-10 network with 150 rows has the same bits on both cores, in any blocks and chunks", () => {
  const draw = drawsFrom(9);
  const spec: NetworkSpec = {
    inputs: 256,
    layers: [
      { units: 130, activation: "relu" },
      { units: 128, activation: "tanh" },
      { units: 10, activation: "softmax" },
    ],
  };
  const x = drawRows(draw, 150, 256, 1);
  const y = x.map((_, i) => i % 10);

  test.each(
    DTYPES.flatMap((dtype) => [
      [dtype, "sgd", "full"] as const,
      [dtype, "sgd", 71] as const,
      [dtype, "sgd", 1] as const,
      [dtype, "adam", 64] as const,
      [dtype, "nesterov", 8] as const,
    ]),
  )("%s, %s, batches of %s", (dtype, optimizer, batchSize) => {
    const wide: Scenario = { spec, seed: 1, x, y, fit: { epochs: 2, batchSize }, cut: 0 };
    const expected = trained(wide, optimizer, dtype);
    expect(trained(wide, optimizer, dtype, "js")).toEqual(expected);
    for (const [blockSamples, chunkBlocks, pieceWeights] of [
      [8, undefined, undefined],
      [72, 1, undefined],
      [128, undefined, undefined],
      [72, undefined, 3000],
    ] as const) {
      tune(blockSamples, chunkBlocks, pieceWeights);
      expect(trained(wide, optimizer, dtype)).toEqual(expected);
    }
  });
});

describe("one row's prediction", () => {
  test("does not depend on its batch or its place in it: 1 to 70 rows, both dtypes, both cores", () => {
    const rows = fc.integer({ min: 1, max: 70 });
    const property = fc.property(scenario, rows, (drawn, count) => {
      const x = drawRows(drawsFrom(drawn.seed + 1), count, drawn.spec.inputs, 2);
      for (const dtype of DTYPES) {
        using network = create(drawn, dtype);
        using twin = create(drawn, dtype, "js");
        const { data, shape } = network.predict(x);
        const outputs = shape[1];
        expect(shape).toEqual([count, network.outputs]);
        expect(hex(twin.predict(x).data)).toBe(hex(data));
        for (const [r, row] of x.entries()) {
          const expected = hex(data.slice(r * outputs, (r + 1) * outputs));
          expect(hex(network.predict([row]).data)).toBe(expected);
          expect(hex(twin.predict([row]).data)).toBe(expected);
        }
        const from = drawn.cut % count;
        expect(hex(network.predict(x.slice(from)).data)).toBe(hex(data.slice(from * outputs)));
        for (const blockSamples of [8, 24]) {
          tune(blockSamples, undefined);
          using blocked = create(drawn, dtype);
          tune(undefined, undefined);
          expect(hex(blocked.predict(x).data)).toBe(hex(data));
        }
      }
    });
    fc.assert(property, { numRuns: NETWORKS, seed: SEED, includeErrorInReport: true });
  });

  test("is the same after 3000 other rows, a training run and a return to the old weights", () => {
    const draw = drawsFrom(5);
    const spec: NetworkSpec = {
      inputs: 9,
      layers: [
        { units: 21, activation: "tanh" },
        { units: 4, activation: "softmax" },
      ],
    };
    const x = drawRows(draw, 3000, 9, 1);
    for (const dtype of DTYPES) {
      using network = Network.createSync(spec, { dtype });
      const before = hex(network.predict(x.slice(0, 5)).data);
      expect(hex(network.predict(x).data.slice(0, 20))).toBe(before);
      const weights = network.weights();
      network.fitSync(
        x,
        x.map((_, i) => i % 4),
        { epochs: 1 },
      );
      expect(hex(network.predict(x.slice(0, 5)).data)).not.toBe(before);
      network.setWeights(weights);
      expect(hex(network.predict(x.slice(0, 5)).data)).toBe(before);
    }
  });
});

describe("one update", () => {
  test("is the same from step() and from fit with a batch of all rows, and so is its loss", () =>
    plain((drawn, optimizer, dtype) => {
      using stepped = create(drawn, dtype);
      using fitted = create(drawn, dtype);
      const loss = stepped.step(drawn.x, drawn.y, { optimizer });
      expect(loss).toBe(fitted.gradients(drawn.x, drawn.y).loss);
      fitted.fitSync(drawn.x, drawn.y, { epochs: 1, batchSize: "full", optimizer });
      const weights = (network: Network) => network.weights().map(({ W, b }) => [hex(W.data), b && hex(b)]);
      expect(weights(stepped)).toEqual(weights(fitted));
      expect(stateOf(stepped).slot).toBe(stateOf(fitted).slot);
    }));

  // More rows than one window of step() and than one block of the loss's sum, which has 4096 samples.
  test.each(DTYPES)(
    "is the same over 5000 rows in windows, in one piece, and in blocks of 8, 136 and 512: %s",
    (dtype) => {
      const draw = drawsFrom(6);
      const x = drawRows(draw, 5000, 7, 1);
      const y = x.map((_, i) => i % 3);
      const spec: NetworkSpec = {
        inputs: 7,
        layers: [
          { units: 5, activation: "tanh" },
          { units: 3, activation: "softmax" },
        ],
      };
      const found = new Set<string>();
      for (const [core, blockSamples] of [
        ["simd", undefined],
        ["simd", 8],
        ["simd", 136],
        ["simd", 512],
        ["js", undefined],
      ] as const) {
        tune(blockSamples, undefined);
        using stepped = Network.createSync(spec, { dtype, core });
        using fitted = Network.createSync(spec, { dtype, core });
        const { loss } = fitted.evaluate(x, y);
        expect(fitted.gradients(x, y).loss).toBe(loss);
        expect(stepped.step(x, y, { optimizer: "sgd" })).toBe(loss);
        const history = fitted.fitSync(x, y, { epochs: 1, batchSize: "full", optimizer: "sgd" });
        expect(history.epochs[0]?.loss).toBe((loss * 5000) / 5000);
        expect(stateOf(fitted).WGHT).toBe(stateOf(stepped).WGHT);
        found.add(`${loss} ${stateOf(fitted).WGHT}`);
      }
      expect(found.size).toBe(1);
    },
  );
});
