// Backpropagation against central differences of the network's own loss, for every hidden activation × output × loss.
import { describe, expect, test } from "vitest";
import { type ActivationName, type Loss, Network, type NetworkSpec } from "../src/index.ts";
import { drawRows, drawsFrom } from "./draws.ts";
import { forward, type PlainLayer, sampleLoss } from "./plain-network.ts";

interface Case {
  hidden: ActivationName;
  output: ActivationName;
  loss: Loss;
}

const HIDDEN = ["linear", "sigmoid", "tanh", "relu", "leakyRelu"] as const;
const FURTHER = [
  "elu",
  "selu",
  "gelu",
  "silu",
  "softplus",
  "softsign",
  "mish",
  "hardSigmoid",
  "hardSwish",
  "relu6",
] as const;
const OUTPUTS = [...HIDDEN, "softmax"] as const;
const PAIRS: (readonly [ActivationName, Loss])[] = [
  ...OUTPUTS.flatMap((output) => [[output, "squaredError"] as const, [output, "meanSquaredError"] as const]),
  ["softmax", "crossEntropy"],
  ["sigmoid", "binaryCrossEntropy"],
];
const LATER: (readonly [ActivationName, Loss])[] = [
  ["linear", "meanAbsoluteError"],
  ["linear", "huber"],
  ["tanh", { type: "huber", delta: 0.25 }],
  ["softmax", "huber"],
  ["linear", "logCosh"],
  ["linear", "hinge"],
  ["tanh", "hinge"],
  ["linear", "squaredHinge"],
  ["tanh", "squaredHinge"],
  ["softplus", "poisson"],
  ["softmax", "kullbackLeibler"],
  ["softmax", { type: "crossEntropy", labelSmoothing: 0.1 }],
  ["softmax", { type: "crossEntropy", classWeights: [0.5, 0, 2] }],
  ["sigmoid", { type: "binaryCrossEntropy", labelSmoothing: 0.2, classWeights: [0.5, 3] }],
];
const CASES: Case[] = [
  ...HIDDEN.flatMap((hidden) => PAIRS.map(([output, loss]) => ({ hidden, output, loss }))),
  ...LATER.flatMap(([output, loss]): Case[] => [{ hidden: "tanh", output, loss }]),
  ...FURTHER.flatMap((each): Case[] => [
    { hidden: each, output: "linear", loss: "meanSquaredError" },
    { hidden: each, output: "softmax", loss: "crossEntropy" },
    { hidden: "tanh", output: each, loss: "squaredError" },
    { hidden: each, output: each, loss: "meanSquaredError" },
  ]),
];
/** Every admissible pair that is not among them. */
const EVERY: Case[] = [...OUTPUTS, ...FURTHER].flatMap((output) =>
  (["squaredError", "meanSquaredError", "meanAbsoluteError", "huber", "logCosh"] as const)
    .filter((loss) => !CASES.some((each) => each.output === output && each.loss === loss))
    .map((loss): Case => ({ hidden: "tanh", output, loss })),
);
const BATCHES = [1, 7, 8, 33];
const CORES = ["simd", "js"] as const;

interface Example {
  spec: NetworkSpec;
  layers: PlainLayer[];
  x: number[][];
  y: number[][];
}

/**
 * A network of these sizes and a batch: no net input lies within 1e-3 of a kink, and no relu layer is switched off,
 * which would leave gradients of 0 to compare.
 */
function example({ hidden, output, loss }: Case, sizes: readonly number[], samples: number, fromKink = 1e-3): Example {
  for (let seed = 1; ; seed++) {
    const draw = drawsFrom(seed);
    const layers = sizes.slice(1).map((units, l) => ({
      W: drawRows(draw, units, sizes[l]!, 1.5 / Math.sqrt(sizes[l]!)),
      b: drawRows(draw, 1, units, 0.5)[0]!,
      activation: l === sizes.length - 2 ? output : hidden,
    }));
    const x = drawRows(draw, samples, sizes[0]!, 1.5);
    const passes = x.map((row) => forward(layers, row));
    if (passes.some((pass) => pass.fromKink < fromKink || !pass.alive)) continue;
    const y = targets(draw, samples, sizes.at(-1)!, output, loss);
    // Errors at 0 and ±δ, margins at 0 are the kinks of the losses.
    const nearKink = passes.some(({ a }, s) =>
      a.some((value, o) => lossKinks(loss, value, y[s]![o]!).some((distance) => Math.abs(distance) < fromKink)),
    );
    if (!nearKink) return { spec: specOf(layers, loss), layers, x, y };
  }
}

function lossKinks(loss: Loss, a: number, y: number): number[] {
  const name = nameOf(loss);
  if (name === "meanAbsoluteError") return [a - y];
  if (name === "huber") {
    const { delta = 1 } = loss as { delta?: number };
    return [a - y - delta, a - y + delta];
  }
  return name === "hinge" || name === "squaredHinge" ? [1 - a * y] : [];
}

const nameOf = (loss: Loss) => (typeof loss === "string" ? loss : loss.type);

function specOf(layers: readonly PlainLayer[], loss: Loss): NetworkSpec {
  return {
    inputs: layers[0]!.W[0]!.length,
    layers: layers.map(({ W, b, activation }) => ({ units: W.length, activation, init: W, biasInit: b })),
    loss,
  };
}

/** Rows of probabilities for cross-entropies, of any reals else. */
function targets(draw: () => number, samples: number, outputs: number, output: ActivationName, loss: Loss): number[][] {
  const name = nameOf(loss);
  if (name === "hinge" || name === "squaredHinge") {
    return drawRows(draw, samples, outputs, 1).map((row) => row.map((v) => (v < 0 ? -1 : 1)));
  }
  if (name === "poisson")
    return drawRows(draw, samples, outputs, 1).map((row) => row.map((v) => Math.round(2 * v + 2)));
  if (name === "binaryCrossEntropy") return drawRows(draw, samples, outputs, 0.5).map((row) => row.map((v) => v + 0.5));
  if (output !== "softmax") return drawRows(draw, samples, outputs, 1.2);
  // Shares of 1024, exact in both dtypes.
  return Array.from({ length: samples }, () => {
    const shares = Array.from({ length: outputs - 1 }, () => Math.ceil((draw() * 1024) / outputs) / 1024);
    return [...shares, 1 - shares.reduce((total, share) => total + share, 0)];
  });
}

/** All gradients in one list: W then b of each layer. */
const flat = (layers: readonly { W: { data: ArrayLike<number> }; b?: ArrayLike<number> }[]) =>
  layers.flatMap(({ W, b }) => [...Array.from(W.data), ...Array.from(b ?? [])]);

const norm = (values: readonly number[]) => Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));

/** ‖a − b‖ / ‖b‖. */
function distance(a: readonly number[], b: readonly number[]): number {
  expect(a.length).toBe(b.length);
  return norm(a.map((value, i) => value - b[i]!)) / norm(b);
}

const step = (w: number) => 6e-6 * Math.max(1, Math.abs(w));

/** (E(w + h) − E(w − h)) / 2h for every parameter, through setWeights and evaluate. */
function differences(network: Network, x: number[][], y: number[][]): number[] {
  const layers = network.weights();
  const lossAt = (values: Float64Array, i: number, w: number) => {
    const before = values[i]!;
    values[i] = w;
    network.setWeights(layers);
    values[i] = before;
    return network.evaluate(x, y).loss;
  };
  const found: number[] = [];
  for (const { W, b } of layers) {
    for (const values of [W.data, b] as Float64Array[]) {
      for (const [i, w] of values.entries()) {
        // The nudge as it is after rounding.
        const [up, down] = [w + step(w), w - step(w)];
        found.push((lossAt(values, i, up) - lossAt(values, i, down)) / (up - down));
      }
    }
  }
  network.setWeights(layers);
  return found;
}

/** The same for every input value. */
function inputDifferences(network: Network, x: number[][], y: number[][]): number[] {
  return x.flatMap((row, s) =>
    row.map((value, i) => {
      const [up, down] = [value + step(value), value - step(value)];
      const lossAt = (nudged: number) => network.evaluate(x.with(s, row.with(i, nudged)), y).loss;
      return (lossAt(up) - lossAt(down)) / (up - down);
    }),
  );
}

const asRows = (data: ArrayLike<number>, cols: number) =>
  Array.from({ length: data.length / cols }, (_, r) => Array.from({ length: cols }, (_, c) => data[r * cols + c]!));

/** The f32 weights and data of the example as float64 numbers: both dtypes then see the same values. */
function roundedTo32({ layers, x, y, spec }: Example): Example {
  const round = (rows: number[][]) => rows.map((row) => row.map(Math.fround));
  const rounded = layers.map(({ W, b, activation }) => ({ W: round(W), b: b.map(Math.fround), activation }));
  return { spec: specOf(rounded, spec.loss as Loss), layers: rounded, x: round(x), y: round(y) };
}

describe.each(CORES)("gradients in float64 on the %s core", (core) => {
  test.each(EVERY)("$output with $loss, 7 samples: within 1e-7 of central differences", (which) => {
    const { spec, x, y } = example(which, [3, 5, 4, 3], 7);
    using network = Network.createSync(spec, { dtype: "float64", core });
    expect(distance(flat(network.gradients(x, y).layers), differences(network, x, y))).toBeLessThan(1e-7);
  });

  describe.each(CASES)("$hidden, then $output with $loss", (which) => {
    test.each(BATCHES)("a 3-5-4-3 network and %i samples: within 1e-7 of central differences", (samples) => {
      const { spec, layers, x, y } = example(which, [3, 5, 4, 3], samples);
      using network = Network.createSync(spec, { dtype: "float64", core });
      const actual = network.gradients(x, y);

      const plain = x.map((row, s) => sampleLoss(which.loss, forward(layers, row).a, y[s]!));
      const expected = plain.reduce((sum, value) => sum + value, 0) / samples;
      expect(Math.abs(actual.loss - expected)).toBeLessThanOrEqual(1e-13 * Math.max(1, expected));
      expect(network.evaluate(x, y).loss).toBe(actual.loss);

      expect(distance(flat(actual.layers), differences(network, x, y))).toBeLessThan(1e-7);
      const inputs = network.inputGradients(x, y);
      expect(inputs.shape).toEqual([samples, 3]);
      expect(distance(Array.from(inputs.data), inputDifferences(network, x, y))).toBeLessThan(1e-7);
    });
  });
});

describe("check()", () => {
  test.each(CASES)("agrees for $hidden, then $output with $loss, float64 and float32", (which) => {
    const { spec, x, y } = example(which, [3, 5, 4, 3], 7);
    for (const dtype of ["float64", "float32"] as const) {
      using network = Network.createSync(spec, { dtype });
      const before = flat(network.weights());
      const { maxRelativeError, worst, checked } = network.check(x, y);
      expect(checked).toBe(network.parameterCount);
      expect(maxRelativeError).toBeLessThan(1e-6);
      expect(["W", "b"]).toContain(worst.part);
      const ofWorst = network.gradients(x, y).layers[worst.layer]!;
      const gradient =
        worst.part === "W" ? ofWorst.W.data[worst.row * ofWorst.W.shape[1] + worst.col]! : ofWorst.b![worst.row]!;
      expect(Math.abs(worst.gradient - gradient)).toBeLessThan(dtype === "float64" ? 1e-12 : 1e-5);
      expect(flat(network.weights())).toEqual(before);
    }
  });
});

describe("check() in float32", () => {
  const thirds = [1 / 3, 1 / 3, 1 / 3].map(Math.fround);
  const spec: NetworkSpec = { inputs: 2, layers: [{ units: 3, activation: "softmax" }] };

  // Their sum is 1 within 1e-5, as the network's dtype asks, not within the 1e-9 of the dtype that check() computes in.
  test("takes the shares of 1/3 that fit takes", () => {
    using network = Network.createSync(spec);
    const y = { data: Float32Array.from([...thirds, ...thirds]), shape: [2, 3] as const };
    network.fitSync(
      [
        [1, 2],
        [0.5, -1],
      ],
      y,
      { epochs: 1 },
    );
    expect(
      network.check(
        [
          [1, 2],
          [0.5, -1],
        ],
        y,
      ).maxRelativeError,
    ).toBeLessThan(1e-6);
  });

  test("refuses what fit refuses: values that overflow float32", () => {
    using network = Network.createSync(spec);
    expect(() => network.check([[1, 1e39]], [0])).toThrow(/1e\+39 in row 0, column 1, which overflows float32/);
  });
});

describe.each(CORES)("gradients in float32 on the %s core", (core) => {
  const compare = (which: Case, sizes: number[], samples: number, fromKink?: number) => {
    const { spec, x, y } = roundedTo32(example(which, sizes, samples, fromKink));
    using network = Network.createSync(spec, { dtype: "float32", core });
    using exact = Network.createSync(spec, { dtype: "float64", core });
    expect(flat(network.weights())).toEqual(flat(exact.weights()));
    const actual = network.gradients(x, y);
    const expected = exact.gradients(x, y);
    expect(Math.abs(actual.loss - expected.loss)).toBeLessThanOrEqual(1e-5 * Math.max(1, expected.loss));
    expect(distance(flat(actual.layers), flat(expected.layers))).toBeLessThanOrEqual(1e-5);
    const inputs = Array.from(network.inputGradients(x, y).data);
    expect(distance(inputs, Array.from(exact.inputGradients(x, y).data))).toBeLessThanOrEqual(1e-5);
  };

  describe.each(CASES)("$hidden, then $output with $loss", (which) => {
    test.each(BATCHES)("a 3-5-4-3 network and %i samples: within 1e-5 of float64", (samples) => {
      compare(which, [3, 5, 4, 3], samples);
    });
  });

  // Wide layers have a net input near 0 somewhere; 1e-5 keeps float32 and float64 on the same side of the kink.
  test.each(
    CASES.filter(({ loss }) => core === "simd" && !(nameOf(loss) === "crossEntropy" && loss !== "crossEntropy")),
  )("a 40-130-130-10 network of $hidden, then $output with $loss, 33 samples: within 1e-5 of float64", (which) =>
    compare(which, [40, 130, 130, 10], 33, 1e-5),
  );
});

describe.each(CORES)("net inputs of ±1000 on the %s core", (core) => {
  const identity = (units: number, activation: ActivationName): NetworkSpec => ({
    inputs: units,
    layers: [
      {
        units,
        activation,
        init: Array.from({ length: units }, (_, o) => Array.from({ length: units }, (_, i) => Number(o === i))),
      },
    ],
  });

  test.each(["float32", "float64"] as const)(
    "crossEntropy in %s: the loss is 2000 or 0, the gradient p − y",
    (dtype) => {
      using network = Network.createSync(identity(2, "softmax"), { dtype, core });
      const x = [[1000, -1000]];
      const wrong = network.gradients(x, [1]);
      expect(wrong.loss).toBe(2000);
      expect(Array.from(wrong.layers[0]!.b!)).toEqual([1, -1]);
      expect(asRows(wrong.layers[0]!.W.data, 2)).toEqual([
        [1000, -1000],
        [-1000, 1000],
      ]);
      const right = network.gradients(x, [0]);
      expect(right.loss).toBe(0);
      expect(flat(right.layers).every((g) => g === 0)).toBe(true);
      expect(network.gradients([[1000, 1000]], [1]).loss).toBeCloseTo(Math.LN2, 6);
      expect(network.gradients([[-1000, -1000]], [[0.5, 0.5]]).loss).toBeCloseTo(Math.LN2, 6);
    },
  );

  test.each(["float32", "float64"] as const)(
    "binaryCrossEntropy in %s: the loss is 1000 or 0, the gradient σ − y",
    (dtype) => {
      using network = Network.createSync(identity(1, "sigmoid"), { dtype, core });
      for (const [z, y, loss, delta] of [
        [1000, 0, 1000, 1],
        [-1000, 1, 1000, -1],
        [1000, 1, 0, 0],
        [-1000, 0, 0, 0],
        [1000, 0.25, 750, 0.75],
      ] as const) {
        const found = network.gradients([[z]], [[y]]);
        expect(found.loss, `z = ${z}, y = ${y}`).toBe(loss);
        expect(found.layers[0]!.b![0]! + 0, `z = ${z}, y = ${y}`).toBe(delta);
        expect(found.layers[0]!.W.data[0]! + 0, `z = ${z}, y = ${y}`).toBe(delta * z + 0);
      }
    },
  );

  test.each(["float32", "float64"] as const)("a step from there leaves finite weights in %s", (dtype) => {
    for (const activation of ["softmax", "sigmoid"] as const) {
      using network = Network.createSync(identity(2, activation), { dtype, core });
      network.step([[1000, -1000]], [[0, 1]], { optimizer: "sgd" });
      expect(flat(network.weights()).every(Number.isFinite)).toBe(true);
    }
  });
});

describe.each(CORES)("a wide layer without biases on the %s core", (core) => {
  test.each(["float32", "float64"] as const)("gradients in %s change nothing of the network", (dtype) => {
    const spec: NetworkSpec = { inputs: 3, layers: [{ units: 1500, activation: "tanh", bias: false }, { units: 2 }] };
    using network = Network.createSync(spec, { core, dtype });
    const x = [
      [1, -2, 3],
      [0.5, 0.25, -1],
    ];
    const before = network.predict(x).data;
    for (const rows of [x, x.slice(0, 1)]) {
      const y = rows.map(() => [1, 2]);
      const { layers } = network.gradients(rows, y);
      expect(layers[0]!.b).toBeUndefined();
      expect(layers[0]!.W.shape).toEqual([1500, 3]);
      expect(network.predict(x).data).toEqual(before);
    }
  });
});
