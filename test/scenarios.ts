// Drawn networks, data and fit options for the tests of equal bits.
import fc from "fast-check";
import { expect } from "vitest";
import type {
  ActivationName,
  DenseSpec,
  FitOptions,
  LayerSpec,
  Loss,
  LossName,
  NetworkSpec,
  Optimizer,
  Schedule,
} from "../src/index.ts";
import { drawRows, drawsFrom } from "./draws.ts";

export const NETWORKS = 52;
export const SEED = 20_250;
/** Each network takes four of them, the next takes the next four. */
const OPTIMIZERS: readonly Exclude<Optimizer, string>[] = [
  { type: "sgd" },
  { type: "momentum" },
  { type: "nesterov" },
  { type: "adam" },
  { type: "adagrad" },
  { type: "adadelta" },
  { type: "rmsprop" },
  { type: "rmsprop", centered: true, momentum: 0.5 },
  { type: "amsgrad", beta1: 0.5 },
  { type: "adamw", weightDecay: 0.5, decayBias: true },
  { type: "adamax" },
  { type: "nadam", momentumDecay: 0.5 },
  { type: "radam", beta2: 0.9 },
  { type: "lion", weightDecay: 0.1 },
  { type: "momentum", dampening: 0.5, weightDecay: 0.1 },
  { type: "sgd", weightDecay: 0.5 },
];
export const DTYPES = ["float32", "float64"] as const;

export type DType = (typeof DTYPES)[number];

export interface Scenario {
  spec: NetworkSpec;
  seed: number;
  x: number[][];
  y: number[][] | number[];
  fit: FitOptions & { epochs: number; batchSize: number | "full" };
  /** A number that cuts the run in two. */
  cut: number;
}

const units = fc.oneof(fc.integer({ min: 1, max: 12 }), fc.constantFrom(16, 17, 33));
const hidden = fc.oneof(
  fc.constantFrom<ActivationName>("linear", "sigmoid", "tanh", "relu", "leakyRelu"),
  fc.constantFrom<ActivationName>("elu", "selu", "gelu", "silu", "softplus"),
  fc.constantFrom<ActivationName>("softsign", "mish", "hardSigmoid", "hardSwish", "relu6"),
);
const ends = fc.constantFrom<[ActivationName, Loss]>(
  ["linear", "meanSquaredError"],
  ["tanh", "squaredError"],
  ["relu", "meanSquaredError"],
  ["softmax", "crossEntropy"],
  ["softmax", "squaredError"],
  ["sigmoid", "binaryCrossEntropy"],
  ["sigmoid", "squaredError"],
  ["softplus", "squaredError"],
  ["mish", "meanSquaredError"],
  ["linear", "huber"],
  ["linear", "logCosh"],
  ["elu", "meanAbsoluteError"],
  ["tanh", "hinge"],
  ["linear", "squaredHinge"],
  ["softplus", "poisson"],
  ["softmax", "kullbackLeibler"],
  ["softmax", { type: "crossEntropy", labelSmoothing: 0.1, classWeights: [2, 1, 0.5, 1, 3] }],
  ["sigmoid", { type: "binaryCrossEntropy", labelSmoothing: 0.1, classWeights: [1, 2] }],
);

const LIMITS: readonly Partial<DenseSpec>[] = [{}, {}, { l1: 0.01, l2: 0.05 }, {}, { maxNorm: 0.5 }, {}];
const SCHEDULES: readonly Schedule[] = [
  { type: "cosine", length: { steps: 7 }, restarts: {} },
  { type: "exponential", factor: 0.5, warmUp: { length: { epochs: 1 }, from: 0.5 } },
  { type: "reduceOnPlateau", patience: 1, minDelta: 10 },
];

export const scenario: fc.Arbitrary<Scenario> = fc
  .record({
    inputs: fc.integer({ min: 1, max: 20 }),
    layers: fc.array(
      fc.record({
        units,
        activation: hidden,
        bias: fc.boolean(),
        trainable: fc.constantFrom(true, true, false, "weights" as const, "bias" as const),
      }),
      { maxLength: 2 },
    ),
    atLeast: fc.integer({ min: 1, max: 5 }),
    end: ends,
    classIndices: fc.boolean(),
    seed: fc.integer({ min: 0, max: 2 ** 40 }),
    samples: fc.integer({ min: 4, max: 60 }),
    batch: fc.oneof(fc.integer({ min: 1, max: 40 }), fc.constantFrom(1, 8, 16, 1000, "full" as const)),
    epochs: fc.integer({ min: 2, max: 4 }),
    shuffle: fc.boolean(),
    validation: fc.constantFrom(undefined, undefined, 0.25),
    cut: fc.nat(1000),
  })
  .map(
    ({
      inputs,
      layers,
      atLeast,
      end: [activation, loss],
      classIndices,
      seed,
      samples,
      batch,
      epochs,
      shuffle,
      validation,
      cut,
    }) => {
      const name = typeof loss === "string" ? loss : loss.type;
      const weighted = name === "crossEntropy" && typeof loss !== "string";
      const outputs = weighted ? 5 : activation === "softmax" ? Math.max(2, atLeast) : atLeast;
      const draw = drawsFrom(seed);
      const shares = drawRows(draw, samples, outputs, 0.5).map((row) => row.map((value) => value + 0.5));
      const classes = shares.map((row) => row.indexOf(Math.max(...row)));
      const oneHot = classes.map((k) => shares[0]!.map((_, o) => Number(o === k)));
      const parts = layers.map((layer) =>
        layer.bias || layer.trainable !== "bias" ? layer : { ...layer, trainable: true },
      );
      const signs = shares.map((row) => row.map((value) => (value < 0.5 ? -1 : 1)));
      const ofLoss: Partial<Record<LossName, number[][] | number[]>> = {
        crossEntropy: classIndices ? classes : oneHot,
        kullbackLeibler: oneHot,
        hinge: signs,
        squaredHinge: signs,
      };
      const y = ofLoss[name] ?? shares;
      const weights = shares.map((row) => Math.round(4 * row[0]!));
      return {
        spec: { inputs, layers: [...parts, { units: outputs, activation, ...LIMITS[cut % 6] }], loss },
        seed,
        x: drawRows(draw, samples, inputs, 1),
        y,
        fit: {
          epochs,
          batchSize: batch,
          shuffle,
          ...(validation !== undefined && { validation }),
          ...(cut % 5 === 0 && { schedule: SCHEDULES[cut % 3] }),
          ...(cut % 3 === 0 && { clipNorm: 0.1 }),
          ...(cut % 8 === 0 && { clipValue: 0.05 }),
          ...(cut % 7 === 0 && { earlyStopping: { patience: 20 } }),
          ...(cut % 4 === 0 &&
            weights.filter((weight) => weight > 0).length > samples / 2 && { sampleWeights: weights }),
        },
        cut,
      };
    },
  );

type Body = (scenario: Scenario, optimizer: Exclude<Optimizer, string>, dtype: DType) => void | Promise<void>;
export type ForAll = (body: Body) => Promise<void>;

/** Each further network takes two of them. */
const FULL_BATCH: readonly Exclude<Optimizer, string>[] = [
  { type: "rprop" },
  { type: "scg" },
  { type: "irpropPlus" },
  { type: "lm" },
  { type: "rpropPlus" },
  { type: "lbfgs" },
  { type: "gda" },
  { type: "quickprop", learningRate: 0.01 },
  { type: "gdx" },
  { type: "br" },
];
const EXTRA_LAYERS: readonly LayerSpec[] = [
  { type: "dropout", rate: 0.25 },
  { type: "gaussianNoise", deviation: 0.1 },
  { type: "batchNormalization", activation: "relu" },
  { type: "layerNormalization", activation: "gelu" },
  { type: "batchNormalization", momentum: 0.5 },
];
const INITS = ["orthogonal", "truncatedNormal", "nguyenWidrow", "identity"] as const;

/** The drawn network with layers before its output, found scaling and other initial values, trained in batches. */
function withLayers({ spec, fit, x, cut, ...rest }: Scenario): Scenario {
  const rows = x.length - (fit.validation === undefined ? 0 : Math.round(0.25 * x.length));
  const last = spec.layers.at(-1) as LayerSpec;
  const more = [EXTRA_LAYERS[cut % 5], ...(cut % 3 === 0 ? [EXTRA_LAYERS[(cut + 1) % 5]] : [])] as LayerSpec[];
  let { batchSize } = fit;
  // Batch normalisation takes no batch of 1.
  if (batchSize !== "full") for (batchSize = Math.max(2, batchSize); rows % batchSize === 1; ) batchSize++;
  const layers = [...scaled(cut), ...spec.layers.slice(0, -1), ...more, { ...last, init: INITS[cut % 4] } as LayerSpec];
  return { ...rest, spec: { ...spec, layers }, fit: { ...fit, batchSize }, x, cut };
}

/** The same for a full-batch method: nothing random, no clipping and no schedule; lm and br minimise squares alone. */
function wholeBatches({ spec, fit, cut, ...rest }: Scenario, type: string): Scenario {
  const squares = type === "lm" || type === "br";
  const parts = spec.layers.map((layer, l) => {
    const { l1: _, l2: __, maxNorm: ___, penalizeBias: ____, ...plain } = layer as DenseSpec;
    return squares ? { ...plain, ...(l === spec.layers.length - 1 && { activation: "linear" as const }) } : layer;
  });
  const { clipNorm: _, clipValue: __, schedule: ___, ...others } = fit;
  const layers = [
    ...scaled(cut),
    ...parts.slice(0, -1),
    ...(cut % 3 === 0 ? [EXTRA_LAYERS[3]] : []),
    parts.at(-1),
  ] as LayerSpec[];
  const loss = squares ? "meanSquaredError" : spec.loss;
  return {
    ...rest,
    spec: { inputs: spec.inputs, layers, loss } as NetworkSpec,
    fit: { ...others, batchSize: "full" },
    cut,
  };
}

const scaled = (cut: number): LayerSpec[] =>
  cut % 2 === 0 ? [{ type: (["standardize", "minMax", "robust"] as const)[cut % 3] as "robust" }] : [];

/** Calls `body` for the drawn networks changed as above: with two mini-batch optimizers and two full-batch methods × dtype. */
export async function forAllFurther(body: Body) {
  let networks = 0;
  const property = fc.asyncProperty(scenario, async (drawn) => {
    const first = 2 * networks++;
    for (const dtype of DTYPES) {
      for (const i of [first, first + 1]) {
        await body(withLayers(drawn), OPTIMIZERS[i % OPTIMIZERS.length]!, dtype);
        const method = FULL_BATCH[i % FULL_BATCH.length]!;
        const classes = typeof drawn.y[0] === "number";
        const squares = method.type === "lm" || method.type === "br";
        const other = squares && classes ? ({ type: "scg" } as const) : method;
        await body(wholeBatches(drawn, other.type), other, dtype);
      }
    }
  });
  await fc.assert(property, { numRuns: NETWORKS, seed: SEED + 1, includeErrorInReport: true });
}

/** Calls `body` for every drawn network × four optimizers × dtype. */
export async function forAll(body: Body) {
  let networks = 0;
  const property = fc.asyncProperty(scenario, async (drawn) => {
    const first = (4 * networks++) % OPTIMIZERS.length;
    for (const optimizer of OPTIMIZERS.slice(first, first + 4))
      for (const dtype of DTYPES) await body(drawn, optimizer, dtype);
  });
  await fc.assert(property, { numRuns: NETWORKS, seed: SEED, includeErrorInReport: true });
  expect(networks).toBeGreaterThanOrEqual(50);
}
