// Lion has no PyTorch fixture: its steps against the rule of Chen et al. 2023 (algorithm 2), from the network's own gradients.
import { expect, test } from "vitest";
import { Network } from "../../src/index.ts";
import { drawRows, drawsFrom } from "../draws.ts";

const flat = (layers: readonly { W: { data: ArrayLike<number> }; b?: ArrayLike<number> }[]) =>
  layers.flatMap(({ W, b }) => [...Array.from(W.data), ...Array.from(b ?? [])]);

test.each(["simd", "js"] as const)(
  "8 steps of lion with decay on a 3-4-2 network follow the paper's rule (%s)",
  (core) => {
    const [learningRate, beta1, beta2, weightDecay] = [0.01, 0.8, 0.9, 0.3];
    const layers = [{ units: 4, activation: "tanh" as const }, { units: 2 }];
    using network = Network.createSync({ inputs: 3, layers }, { dtype: "float64", core, seed: 3 });
    const draw = drawsFrom(5);
    const [x, y] = [drawRows(draw, 6, 3, 1), drawRows(draw, 6, 2, 1)];
    let w = flat(network.weights());
    const isBias = network
      .weights()
      .flatMap(({ W, b }) => [...Array.from(W.data, () => false), ...Array.from(b ?? [], () => true)]);
    let m = w.map(() => 0);
    let changes = 0;
    for (let step = 0; step < 8; step++) {
      const g = flat(network.gradients(x, y).layers);
      const signs = m.map((value, i) => Math.sign(beta1 * value + (1 - beta1) * g[i]!));
      changes += signs.filter((sign, i) => sign !== Math.sign(g[i]!)).length;
      w = w.map((value, i) => value * (isBias[i] ? 1 : 1 - learningRate * weightDecay) - learningRate * signs[i]!);
      m = m.map((value, i) => beta2 * value + (1 - beta2) * g[i]!);
      network.step(x, y, { optimizer: { type: "lion", learningRate, beta1, beta2, weightDecay } });
      for (const [i, value] of flat(network.weights()).entries()) {
        expect(Math.abs(value - w[i]!), `step ${step}, parameter ${i}`).toBeLessThan(1e-12);
      }
    }
    expect(changes, "the momentum decides somewhere").toBeGreaterThan(0);
  },
);
