// A problem learnt with brain.js, everything but layers, activation and epochs at its default: sigmoid outputs, one a class, a rate of
// 0.3, momentum 0.1, batch 1. Real targets are scaled to 0 … 1, which its outputs are. It stops by itself at an error of 0.005.
import { argmax, RUN_SECONDS, seedRandom, span } from "./rivals.mjs";

export async function load() {
  const brain = await import("brain.js");
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
      const { NeuralNetwork } = brain.default ?? brain;
      const network = new NeuralNetwork({ hiddenLayers: units.slice(1, -1), activation: "sigmoid" });
      network.train(
        x.map((row, i) => ({ input: row, output: target(y[i]) })),
        { iterations: epochs, timeout: RUN_SECONDS * 1000 },
      );
      return test.x.map((row) => {
        const found = Array.from(network.run(row));
        if (scale) return scale.back(found[0]);
        return outputs === 1 ? Number(found[0] >= 0.5) : argmax(found);
      });
    } finally {
      restore();
    }
  };
}
