// A problem learnt with synaptic's Perceptron and Trainer, everything but layers and epochs at its default: logistic units, a rate
// of 0.2, batch 1, squared error. Real targets are scaled to 0 … 1. It stops by itself at an error of 0.005.
import { argmax, RUN_SECONDS, seedRandom, span } from "./rivals.mjs";

/** Between two looks at the clock. */
const EPOCHS = 5;

export async function load() {
  const { default: synaptic } = await import("synaptic");
  return ({ units, output, epochs }, { x, y, test }, seed) => {
    const restore = seedRandom(seed);
    try {
      const outputs = units[units.length - 1];
      const scale = output === "linear" ? span(y) : undefined;
      const target = (value) =>
        scale
          ? [scale.to(value)]
          : outputs === 1
            ? [value]
            : Array.from({ length: outputs }, (_, k) => Number(k === value));
      const network = new synaptic.Architect.Perceptron(...units);
      const rows = x.map((row, i) => ({ input: row, output: target(y[i]) }));
      const trainer = new synaptic.Trainer(network);
      const end = performance.now() + RUN_SECONDS * 1000;
      for (let epoch = 0; epoch < epochs && performance.now() < end; epoch += EPOCHS) {
        if (trainer.train(rows, { iterations: EPOCHS }).error < 0.005) break;
      }
      return test.x.map((row) => {
        const found = network.activate(row);
        if (scale) return scale.back(found[0]);
        return outputs === 1 ? Number(found[0] >= 0.5) : argmax(found);
      });
    } finally {
      restore();
    }
  };
}
