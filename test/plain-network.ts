// The forward pass and the losses written plainly, in float64: what gradients are checked against.
import type { ActivationName, CrossEntropyLoss, Loss } from "../src/index.ts";

export interface PlainLayer {
  W: number[][];
  b: number[];
  activation: ActivationName;
}

/** Φ(x) from its Taylor series about 0, which ends after some hundred terms for the |x| < 8 of the tests. */
function normal(x: number): number {
  let term = x;
  let sum = x;
  for (let k = 1; Math.abs(term) > 1e-18; k++) {
    term *= (-x * x) / (2 * k);
    sum += term / (2 * k + 1);
  }
  return 0.5 + sum / Math.sqrt(2 * Math.PI);
}

const clamp = (x: number, low: number, high: number) => Math.min(Math.max(x, low), high);

/** Of one net input. */
const VALUES: Partial<Record<ActivationName, (z: number) => number>> = {
  elu: (z) => (z < 0 ? Math.expm1(z) : z),
  selu: (z) => 1.0507009873554805 * (z < 0 ? 1.6732632423543772 * Math.expm1(z) : z),
  gelu: (z) => z * normal(z),
  silu: (z) => z / (1 + Math.exp(-z)),
  softplus: (z) => Math.max(z, 0) + Math.log1p(Math.exp(-Math.abs(z))),
  softsign: (z) => z / (1 + Math.abs(z)),
  mish: (z) => z * Math.tanh(Math.log1p(Math.exp(z))),
  hardSigmoid: (z) => clamp(z / 6 + 0.5, 0, 1),
  hardSwish: (z) => z * clamp(z / 6 + 0.5, 0, 1),
  relu6: (z) => clamp(z, 0, 6),
};

/** Where a function has no derivative. */
const KINKS: Partial<Record<ActivationName, readonly number[]>> = {
  relu: [0],
  leakyRelu: [0],
  selu: [0],
  hardSigmoid: [-3, 3],
  hardSwish: [-3, 3],
  relu6: [0, 6],
};

/** Value of the activation of one layer's net inputs; leakyRelu with the default slope 0.01, elu with α = 1. */
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
    default:
      return z.map(VALUES[name]!);
  }
}

/**
 * Outputs of one sample, how near a net input comes to a kink of its activation, and whether every layer that has any
 * also has a unit where the function grows.
 */
export function forward(layers: readonly PlainLayer[], x: readonly number[]) {
  let a = [...x];
  let fromKink = Number.POSITIVE_INFINITY;
  let alive = true;
  for (const { W, b, activation } of layers) {
    const z = W.map((row, o) => row.reduce((sum, w, i) => sum + w * a[i]!, b[o]!));
    for (const kink of KINKS[activation] ?? [])
      fromKink = Math.min(fromKink, ...z.map((value) => Math.abs(value - kink)));
    if (KINKS[activation] !== undefined) alive &&= z.some((value) => value > 0 && value < 3);
    a = activate(activation, z);
  }
  return { a, fromKink, alive };
}

/** The loss of one sample; huber with δ = 1 or the given one, cross-entropies with smoothing and class weights. */
export function sampleLoss(given: Loss, a: readonly number[], y: readonly number[]): number {
  const loss = typeof given === "string" ? given : given.type;
  const { delta = 1 } = given as { delta?: number };
  const { labelSmoothing: s = 0, classWeights: c = [1, 1, 1, 1, 1, 1] } = given as CrossEntropyLoss;
  const sum = (term: (a: number, y: number) => number) => a.reduce((total, value, o) => total + term(value, y[o]!), 0);
  const mean = (term: (a: number, y: number) => number) => sum(term) / a.length;
  switch (loss) {
    case "custom":
      throw new Error("the test's own");
    case "squaredError":
      return 0.5 * sum((value, target) => (value - target) ** 2);
    case "meanSquaredError":
      return sum((value, target) => (value - target) ** 2) / a.length;
    case "crossEntropy":
      return -a.reduce((total, value, k) => total + c[k]! * ((1 - s) * y[k]! + s / a.length) * Math.log(value), 0);
    case "binaryCrossEntropy":
      return -mean((value, target) => {
        const t = (1 - s) * target + s / 2;
        return c[1]! * t * Math.log(value) + c[0]! * (1 - t) * Math.log1p(-value);
      });
    case "kullbackLeibler":
      return sum((value, target) => (target === 0 ? 0 : target * Math.log(target / value)));
    case "meanAbsoluteError":
      return mean((value, target) => Math.abs(value - target));
    case "huber":
      return mean((value, target) => {
        const size = Math.abs(value - target);
        return size <= delta ? 0.5 * size * size : delta * (size - 0.5 * delta);
      });
    case "logCosh":
      return mean((value, target) => Math.log(Math.cosh(value - target)));
    case "hinge":
      return mean((value, target) => Math.max(0, 1 - value * target));
    case "squaredHinge":
      return mean((value, target) => Math.max(0, 1 - value * target) ** 2);
    case "poisson":
      return mean((value, target) => value - target * Math.log(value));
  }
}
