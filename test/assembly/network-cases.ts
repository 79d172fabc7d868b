// Small networks with their values and data, and the codes of their parts.
import * as abi from "../../src/core/abi.ts";
import { Draws, rounding, type TestCore } from "./cores.ts";

export const ACTIVATIONS = {
  linear: abi.ACTIVATION_LINEAR,
  sigmoid: abi.ACTIVATION_SIGMOID,
  tanh: abi.ACTIVATION_TANH,
  relu: abi.ACTIVATION_RELU,
  leakyRelu: abi.ACTIVATION_LEAKY_RELU,
  softmax: abi.ACTIVATION_SOFTMAX,
} as const;
export const LOSSES = {
  squaredError: abi.LOSS_SQUARED_ERROR,
  meanSquaredError: abi.LOSS_MEAN_SQUARED_ERROR,
  crossEntropy: abi.LOSS_CROSS_ENTROPY,
  binaryCrossEntropy: abi.LOSS_BINARY_CROSS_ENTROPY,
} as const;
export const OPTIMIZERS = {
  sgd: abi.OPTIMIZER_SGD,
  momentum: abi.OPTIMIZER_MOMENTUM,
  nesterov: abi.OPTIMIZER_NESTEROV,
  adam: abi.OPTIMIZER_ADAM,
} as const;
export type ActivationName = keyof typeof ACTIVATIONS;
export type LossName = keyof typeof LOSSES;
export type OptimizerName = keyof typeof OPTIMIZERS;

/** One layer with its values, already rounded to the core's dtype; `W` undefined: an affine node. */
export interface Layer {
  readonly units: number;
  readonly activation: ActivationName;
  readonly alpha: number;
  readonly W: number[][] | undefined;
  readonly b: number[] | undefined;
  readonly trainW: boolean;
  readonly trainB: boolean;
  /** Affine: a = scale ∘ a⁻ + shift. */
  readonly scale: number[];
  readonly shift: number[];
}

export interface Network {
  readonly inputs: number;
  readonly layers: readonly Layer[];
  readonly loss: LossName;
}

export interface LayerShape {
  readonly units: number;
  readonly activation?: ActivationName;
  readonly bias?: boolean;
  readonly train?: boolean | "weights" | "bias";
  readonly affine?: boolean;
}

/** Draws the values of a network. */
export function network(
  core: TestCore,
  shape: { readonly inputs: number; readonly layers: readonly LayerShape[]; readonly loss: LossName },
  seed: number,
): Network {
  const rnd = rounding(core);
  const draws = new Draws(seed);
  const numbers = (count: number) => draws.numbers(count).map(rnd);
  let nIn = shape.inputs;
  const layers = shape.layers.map(
    ({ units, activation = "linear", bias = true, train = true, affine = false }): Layer => {
      const layer = {
        units,
        activation,
        alpha: rnd(0.01),
        W: affine ? undefined : Array.from({ length: units }, () => numbers(nIn)),
        b: affine || !bias ? undefined : numbers(units),
        trainW: train === true || train === "weights",
        trainB: bias && (train === true || train === "bias"),
        scale: affine ? numbers(units) : [],
        shift: affine ? numbers(units) : [],
      };
      nIn = units;
      return layer;
    },
  );
  return { inputs: shape.inputs, layers, loss: shape.loss };
}

export interface Data {
  readonly x: readonly (readonly number[])[];
  /** Rows of targets, or one class per row. */
  readonly y: readonly (readonly number[])[] | readonly number[];
}

export interface Hyperparameters {
  readonly optimizer: OptimizerName;
  readonly learningRate: number;
  readonly momentum: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
}

export const HYPERPARAMETERS: Hyperparameters = {
  optimizer: "sgd",
  learningRate: 0.1,
  momentum: 0.9,
  beta1: 0.9,
  beta2: 0.999,
  epsilon: 1e-8,
};

/** A network with what it is trained by. */
export interface Shape {
  readonly name: string;
  readonly inputs: number;
  readonly layers: readonly LayerShape[];
  readonly loss: LossName;
  readonly optimizer: Hyperparameters["optimizer"];
}

export const SHAPES: readonly Shape[] = [
  {
    name: "5-7-3 tanh softmax crossEntropy sgd",
    inputs: 5,
    layers: [
      { units: 7, activation: "tanh" },
      { units: 3, activation: "softmax" },
    ],
    loss: "crossEntropy",
    optimizer: "sgd",
  },
  {
    name: "affine 4-9-5-1 relu leakyRelu sigmoid binaryCrossEntropy adam",
    inputs: 4,
    layers: [
      { units: 4, affine: true },
      { units: 9, activation: "relu" },
      { units: 5, activation: "leakyRelu", bias: false },
      { units: 1, activation: "sigmoid" },
    ],
    loss: "binaryCrossEntropy",
    optimizer: "adam",
  },
  {
    name: "11-13-4 sigmoid softmax squaredError momentum, first bias frozen",
    inputs: 11,
    layers: [
      { units: 13, activation: "sigmoid", train: "weights" },
      { units: 4, activation: "softmax" },
    ],
    loss: "squaredError",
    optimizer: "momentum",
  },
  {
    name: "2-3-1 tanh linear meanSquaredError nesterov",
    inputs: 2,
    layers: [{ units: 3, activation: "tanh" }, { units: 1 }],
    loss: "meanSquaredError",
    optimizer: "nesterov",
  },
];

export const build = (core: TestCore, shape: Shape): Network => network(core, shape, 9);
export const hyperparameters = (shape: Shape): Hyperparameters => ({ ...HYPERPARAMETERS, optimizer: shape.optimizer });

export function dataOf(core: TestCore, shape: Shape, samples: number, seed = 1): Data {
  const rnd = rounding(core);
  const draws = new Draws(samples + seed);
  const outputs = shape.layers.at(-1)?.units as number;
  const x = Array.from({ length: samples }, () => draws.numbers(shape.inputs).map(rnd));
  if (shape.loss === "crossEntropy") return { x, y: x.map(() => draws.below(outputs)) };
  if (shape.loss === "binaryCrossEntropy") return { x, y: x.map(() => [draws.below(2)]) };
  return { x, y: x.map(() => draws.numbers(outputs).map(rnd)) };
}
