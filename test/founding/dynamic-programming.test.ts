// Backpropagation as dynamic programming. Every unit has a dot product d, an output t(d) and a value v = ∂E/∂d that its
// predecessors ask for again and again: v = (Σ v·w)·t′(d) over the units it feeds, computed once and remembered.
// Then the gradient of a weight is v·input, that of a bias v, and w ← w − r·g.
import { describe, expect, test } from "vitest";
import { Network, type NetworkSpec } from "../../src/index.ts";
import { drawRows, drawsFrom } from "../draws.ts";

const SIZES = [2, 4, 3, 3, 1];

interface Unit {
  readonly weights: number[];
  readonly bias: number;
  /** The dot product with the outputs of the layer before, bias included. */
  d: number;
  output: number;
}

const t = (d: number) => Math.tanh(d);
const derivative = (d: number) => 1 - Math.tanh(d) ** 2;

/** The network as units that point at each other, without a matrix. */
class Graph {
  readonly layers: Unit[][];
  readonly x: readonly number[];
  readonly target: number;
  /** How often a value was computed, not looked up. */
  computed = 0;
  private readonly values = new Map<string, number>();

  constructor(weights: number[][][], biases: number[][], x: readonly number[], target: number) {
    this.x = x;
    this.target = target;
    this.layers = weights.map((rows, l) =>
      rows.map((row, i) => ({ weights: row, bias: biases[l]![i]!, d: 0, output: 0 })),
    );
    for (const [l, layer] of this.layers.entries()) {
      for (const unit of layer) {
        unit.d = unit.weights.reduce((sum, w, i) => sum + w * this.input(l, i), unit.bias);
        unit.output = t(unit.d);
      }
    }
  }

  /** What unit i of the layer before layer l sends. */
  input(l: number, i: number): number {
    return l === 0 ? this.x[i]! : this.layers[l - 1]![i]!.output;
  }

  value(l: number, i: number): number {
    const key = `${l},${i}`;
    const known = this.values.get(key);
    if (known !== undefined) return known;
    this.computed++;
    const { d, output } = this.layers[l]![i]!;
    const next = this.layers[l + 1];
    const incoming = next
      ? next.reduce((sum, unit, j) => sum + this.value(l + 1, j) * unit.weights[i]!, 0)
      : output - this.target;
    const value = incoming * derivative(d);
    this.values.set(key, value);
    return value;
  }
}

const draw = drawsFrom(7);
const WEIGHTS = SIZES.slice(1).map((units, l) => drawRows(draw, units, SIZES[l]!, 0.9));
const BIASES = SIZES.slice(1).map((units) => drawRows(draw, 1, units, 0.4)[0]!);
const X = [0.7, -0.4];
const TARGET = 0.6;
const RATE = 0.3;

const spec: NetworkSpec = {
  inputs: SIZES[0]!,
  layers: WEIGHTS.map((init, l) => ({ units: init.length, activation: "tanh", init, biasInit: BIASES[l]! })),
  loss: "squaredError",
};

describe.each(["simd", "js"] as const)("the dynamic-programming form of a 2-4-3-3-1 network on the %s core", (core) => {
  test("every gradient is v·input, every bias gradient v, and each v is computed once", () => {
    using network = Network.createSync(spec, { dtype: "float64", core });
    const graph = new Graph(WEIGHTS, BIASES, X, TARGET);
    const { loss, layers } = network.gradients([X], [[TARGET]]);
    expect(loss).toBeCloseTo(0.5 * (graph.layers.at(-1)![0]!.output - TARGET) ** 2, 15);
    for (const [l, units] of graph.layers.entries()) {
      for (const [i, { weights }] of units.entries()) {
        for (const j of weights.keys()) {
          const gradient = layers[l]!.W.data[i * weights.length + j]!;
          expect(gradient, `W of layer ${l} [${i}][${j}]`).toBeCloseTo(graph.value(l, i) * graph.input(l, j), 15);
        }
        expect(layers[l]!.b![i], `b of layer ${l} [${i}]`).toBeCloseTo(graph.value(l, i), 15);
      }
    }
    expect(graph.computed).toBe(4 + 3 + 3 + 1);
  });

  test("one step is w ← w − r·g", () => {
    using network = Network.createSync(spec, { dtype: "float64", core });
    const graph = new Graph(WEIGHTS, BIASES, X, TARGET);
    network.step([X], [[TARGET]], { optimizer: { type: "sgd", learningRate: RATE } });
    for (const [l, { W, b }] of network.weights().entries()) {
      for (const [i, { weights, bias }] of graph.layers[l]!.entries()) {
        for (const [j, w] of weights.entries()) {
          const expected = w - RATE * (graph.value(l, i) * graph.input(l, j));
          expect(W.data[i * weights.length + j]).toBeCloseTo(expected, 15);
        }
        expect(b![i]).toBeCloseTo(bias - RATE * graph.value(l, i), 15);
      }
    }
  });

  test("∂E/∂x continues the recursion to the inputs: Σ v·w", () => {
    using network = Network.createSync(spec, { dtype: "float64", core });
    const graph = new Graph(WEIGHTS, BIASES, X, TARGET);
    const actual = network.inputGradients([X], [[TARGET]]).data;
    for (const i of X.keys()) {
      const expected = graph.layers[0]!.reduce((sum, { weights }, j) => sum + graph.value(0, j) * weights[i]!, 0);
      expect(actual[i]).toBeCloseTo(expected, 15);
    }
  });
});
