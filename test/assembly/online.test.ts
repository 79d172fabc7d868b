// The step of tiny networks, batch 1: the pure-JS core has no such path, so its bits are those of the general one.
import { afterEach, describe, expect, test } from "vitest";
import {
  type ActivationName,
  DivergenceError,
  type Loss,
  Network,
  type NetworkSpec,
  type Trainable,
} from "../../src/index.ts";
import { tuning } from "../../src/training/tuning.ts";
import { drawRows, drawsFrom } from "../draws.ts";
import { stateOf, withoutClock } from "../saved-state.ts";

const ACTIVATIONS: readonly ActivationName[] = ["linear", "sigmoid", "tanh", "relu", "leakyRelu"];
const TRAINABLE: readonly Trainable[] = [true, true, true, "weights", "bias", false];

/** Widths on both sides of the limit of 24 (float32) and 12 (float64) units, and of whole vectors. */
const WIDTHS = [1, 2, 3, 4, 5, 7, 8, 11, 12, 13, 23, 24, 25];

interface Case {
  readonly spec: NetworkSpec;
  readonly x: number[][];
  readonly y: number[][];
}

function drawCase(index: number): Case {
  const draw = drawsFrom(900 + index);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(draw() * list.length)] as T;
  const loss: Loss = pick(["squaredError", "meanSquaredError", "binaryCrossEntropy"]);
  const inputs = pick(WIDTHS);
  const hidden = Array.from({ length: index % 4 }, () => ({
    units: pick(WIDTHS),
    activation: pick(ACTIVATIONS),
    bias: draw() < 0.7,
    trainable: pick(TRAINABLE),
  }));
  const units = pick(WIDTHS);
  const activation = loss === "binaryCrossEntropy" ? "sigmoid" : pick(ACTIVATIONS);
  const layers = [...hidden, { units, activation }].map((layer) =>
    "bias" in layer && !layer.bias && layer.trainable === "bias" ? { ...layer, trainable: false } : layer,
  );
  const x = drawRows(draw, 9, inputs, 1.5);
  const y = drawRows(draw, 9, units, 1).map((row) => row.map((value) => Math.abs(value) % 1));
  return { spec: { inputs, layers, loss }, x, y };
}

function trained({ spec, x, y }: Case, dtype: "float32" | "float64", core: "simd" | "js") {
  using network = Network.createSync(spec, { dtype, core, seed: 3 });
  const optimizer = { type: "sgd", learningRate: 0.005 } as const;
  const history = network.fitSync(x, y, { batchSize: 1, epochs: 3, optimizer });
  network.fitSync(x, y, { batchSize: 1, maxSteps: 4, shuffle: false, optimizer });
  return { state: stateOf(network), history: withoutClock(JSON.stringify(history)) };
}

afterEach(() => {
  tuning.chunkBlocks = undefined;
});

describe.each(["float32", "float64"] as const)("%s", (dtype) => {
  test("120 drawn networks of 1 to 25 units, any activation, loss and frozen part, have the bits of the JS core", () => {
    for (let index = 0; index < 120; index++) {
      const drawn = drawCase(index);
      tuning.chunkBlocks = index % 3 === 0 ? 1 + (index % 7) : undefined;
      expect(trained(drawn, dtype, "simd"), JSON.stringify(drawn.spec)).toEqual(trained(drawn, dtype, "js"));
    }
  });

  test("a divergence is found at the same step as in the JS core, and the step before it stands", () => {
    const spec: NetworkSpec = { inputs: 2, layers: [{ units: 3, activation: "relu" }, { units: 1 }] };
    const x = [
      [1, 2],
      [3, -1],
      [2, 2],
    ];
    const y = [[1], [2], [3]];
    const found = (["simd", "js"] as const).map((core) => {
      using network = Network.createSync(spec, { dtype, core, seed: 1 });
      const optimizer = { type: "sgd", learningRate: 2 } as const;
      try {
        network.fitSync(x, y, { batchSize: 1, epochs: 1000, optimizer });
      } catch (error) {
        expect(error).toBeInstanceOf(DivergenceError);
        return [(error as DivergenceError).message, stateOf(network)];
      }
      throw new Error("the run ended well");
    });
    expect(found[0]).toEqual(found[1]);
  });
});
