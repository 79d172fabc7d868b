// The error of a linear unit over its weights is a parabola with one weight and a bowl with two; gradient descent runs to
// the bottom.
import { describe, expect, test } from "vitest";
import { Network, type NetworkSpec } from "../../src/index.ts";

const unit = (inputs: number): NetworkSpec => ({
  inputs,
  layers: [{ units: 1, bias: false, init: "zeros" }],
  loss: "squaredError",
});

// E(w) = 1/(2N)·Σ(w·x − y)² = ½·wᵀHw − gᵀw + c with H = Σxxᵀ/N, g = Σyx/N, c = Σy²/2N.
const X = [
  [0.5, 1.5],
  [1, -1],
  [1.5, 0.5],
  [-2, 1],
  [0.25, -0.75],
];
const Y = [1, -0.5, 2, -1.5, 0.5];
const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
const H = (i: number, j: number) => mean(X.map((x) => x[i]! * x[j]!));
const G = (i: number) => mean(X.map((x, s) => Y[s]! * x[i]!));
const C = mean(Y.map((y) => (y * y) / 2));

const steps = (from: number, to: number, count: number) =>
  Array.from({ length: count }, (_, i) => from + ((to - from) * i) / (count - 1));

describe.each(["simd", "js"] as const)("the error surface of a linear unit on the %s core", (core) => {
  const create = (inputs: number) => Network.createSync(unit(inputs), { dtype: "float64", core });
  const X1 = X.map((x) => [x[0]!]);

  describe("with one weight", () => {
    const bottom = G(0) / H(0, 0);

    test("is a parabola at 121 points, curved by Σx²/N everywhere", () => {
      using network = create(1);
      const errors = steps(-6, 6, 121).map((w) => {
        network.setWeights([{ W: [[w]] }]);
        const { loss } = network.evaluate(X1, Y);
        expect(loss, `w = ${w}`).toBeCloseTo(0.5 * H(0, 0) * w * w - G(0) * w + C, 12);
        return loss;
      });
      for (let i = 1; i + 1 < errors.length; i++) {
        const curvature = (errors[i - 1]! - 2 * errors[i]! + errors[i + 1]!) / 0.01;
        expect(curvature).toBeCloseTo(H(0, 0), 8);
      }
    });

    test("has slope 0 at its minimum, and the slope points away from it", () => {
      using network = create(1);
      const slope = (w: number) => {
        network.setWeights([{ W: [[w]] }]);
        return network.gradients(X1, Y).layers[0]!.W.data[0]!;
      };
      expect(Math.abs(slope(bottom))).toBeLessThan(1e-15);
      for (const away of [-3, -0.1, 0.1, 3]) expect(slope(bottom + away)).toBeCloseTo(H(0, 0) * away, 14);
    });

    test("training runs to the minimum, each step shrinking the distance by 1 − η·Σx²/N", () => {
      using network = create(1);
      network.setWeights([{ W: [[4]] }]);
      const optimizer = { type: "sgd", learningRate: 0.25 } as const;
      let distance = 4 - bottom;
      for (let step = 0; step < 10; step++) {
        network.step(X1, Y, { optimizer });
        distance *= 1 - 0.25 * H(0, 0);
        expect(network.weights()[0]!.W.data[0]! - bottom).toBeCloseTo(distance, 13);
      }
      network.fitSync(X1, Y, { epochs: 200, batchSize: "full", optimizer });
      expect(network.weights()[0]!.W.data[0]).toBeCloseTo(bottom, 14);
    });

    test("steps over 2/(Σx²/N) climb out of the parabola", () => {
      using network = create(1);
      const optimizer = { type: "sgd", learningRate: 2.1 / H(0, 0) } as const;
      const { epochs } = network.fitSync(X1, Y, { epochs: 20, batchSize: "full", optimizer });
      for (let i = 1; i < 20; i++) expect(epochs[i]!.loss).toBeGreaterThan(epochs[i - 1]!.loss);
    });
  });

  describe("with two weights", () => {
    const determinant = H(0, 0) * H(1, 1) - H(0, 1) ** 2;
    const bottom = [
      (G(0) * H(1, 1) - G(1) * H(0, 1)) / determinant,
      (G(1) * H(0, 0) - G(0) * H(0, 1)) / determinant,
    ] as const;
    const bowl = (v: number, w: number) =>
      0.5 * (H(0, 0) * v * v + 2 * H(0, 1) * v * w + H(1, 1) * w * w) - G(0) * v - G(1) * w + C;

    test("is a bowl over 21 × 21 points", () => {
      using network = create(2);
      for (const v of steps(-5, 5, 21)) {
        for (const w of steps(-5, 5, 21)) {
          network.setWeights([{ W: [[v, w]] }]);
          expect(network.evaluate(X, Y).loss, `at ${v}, ${w}`).toBeCloseTo(bowl(v, w), 12);
        }
      }
    });

    test("is lowest where the gradient is 0, and rises in all 16 directions from there", () => {
      using network = create(2);
      const at = (v: number, w: number) => {
        network.setWeights([{ W: [[v, w]] }]);
        return network.gradients(X, Y);
      };
      const lowest = at(...bottom);
      for (const slope of lowest.layers[0]!.W.data) expect(Math.abs(slope)).toBeLessThan(1e-15);
      for (let i = 0; i < 16; i++) {
        const angle = (2 * Math.PI * i) / 16;
        const [v, w] = [bottom[0] + Math.cos(angle), bottom[1] + Math.sin(angle)];
        const { loss, layers } = at(v, w);
        expect(loss).toBeGreaterThan(lowest.loss + 0.1);
        const uphill = layers[0]!.W.data[0]! * Math.cos(angle) + layers[0]!.W.data[1]! * Math.sin(angle);
        expect(uphill).toBeGreaterThan(0.1);
      }
    });

    test.each(["sgd", "momentum", "nesterov", "adam"] as const)("%s runs to its bottom", (type) => {
      using network = create(2);
      network.setWeights([{ W: [[4, -3]] }]);
      const learningRate = { sgd: 0.4, momentum: 0.1, nesterov: 0.1, adam: 0.1 }[type];
      network.fitSync(X, Y, { epochs: 2000, batchSize: "full", optimizer: { type, learningRate } });
      const found = network.weights()[0]!.W.data;
      for (const i of [0, 1]) expect(found[i]).toBeCloseTo(bottom[i]!, 8);
    });

    test("training until the error meets a goal ends at the first epoch that meets it", async () => {
      using network = create(2);
      network.setWeights([{ W: [[4, -3]] }]);
      const goal = bowl(...bottom) + 1e-3;
      const losses: number[] = [];
      const options = { epochs: 1000, batchSize: "full", optimizer: { type: "sgd", learningRate: 0.4 } } as const;
      for await (const { loss } of network.epochs(X, Y, options)) {
        losses.push(loss);
        if (loss <= goal) break;
      }
      expect(losses.length).toBeLessThan(100);
      expect(losses.at(-1)).toBeLessThanOrEqual(goal);
      expect(losses.at(-2)).toBeGreaterThan(goal);
      expect(network.history.epochs.length).toBe(losses.length);
    });
  });
});
