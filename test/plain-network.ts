// The forward pass and the losses written plainly, in float64: what gradients are checked against.
import type { ActivationName, Loss } from "../src/index.ts";

export interface PlainLayer {
  W: number[][];
  b: number[];
  activation: ActivationName;
}

/** Value of the activation of one layer's net inputs; leakyRelu with the default slope 0.01. */
export function activate(name: ActivationName, z: readonly number[]): number[] {
  switch (name) {
    case "linear":
      return [...z];
    case "sigmoid":
      return z.map((value) => 1 / (1 + Math.exp(-value)));
    case "tanh":
      return z.map(Math.tanh);
    case "relu":
      return z.map((value) => Math.max(0, value));
    case "leakyRelu":
      return z.map((value) => (value < 0 ? 0.01 * value : value));
    case "softmax": {
      const exps = z.map((value) => Math.exp(value - Math.max(...z)));
      const sum = exps.reduce((total, value) => total + value, 0);
      return exps.map((value) => value / sum);
    }
  }
}

/**
 * Outputs of one sample, how near a net input comes to the kink of a relu or leakyRelu, and whether every such layer
 * has a unit above it.
 */
export function forward(layers: readonly PlainLayer[], x: readonly number[]) {
  let a = [...x];
  let fromKink = Number.POSITIVE_INFINITY;
  let alive = true;
  for (const { W, b, activation } of layers) {
    const z = W.map((row, o) => row.reduce((sum, w, i) => sum + w * a[i]!, b[o]!));
    if (activation === "relu" || activation === "leakyRelu") {
      fromKink = Math.min(fromKink, ...z.map(Math.abs));
      alive &&= z.some((value) => value > 0);
    }
    a = activate(activation, z);
  }
  return { a, fromKink, alive };
}

/** The loss of one sample. */
export function sampleLoss(loss: Loss, a: readonly number[], y: readonly number[]): number {
  const sum = (term: (a: number, y: number) => number) => a.reduce((total, value, o) => total + term(value, y[o]!), 0);
  switch (loss) {
    case "squaredError":
      return 0.5 * sum((value, target) => (value - target) ** 2);
    case "meanSquaredError":
      return sum((value, target) => (value - target) ** 2) / a.length;
    case "crossEntropy":
      return -sum((value, target) => (target === 0 ? 0 : target * Math.log(value)));
    case "binaryCrossEntropy":
      return -sum((value, target) => target * Math.log(value) + (1 - target) * Math.log1p(-value)) / a.length;
  }
}
