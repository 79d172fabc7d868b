// Initial values of one parameter array, drawn from the seed: the same on every core and runtime.
import * as abi from "./core/abi.ts";
import { seedWords } from "./data/split.ts";
import { drawnMatrix } from "./initial-matrix.ts";
import type { Model } from "./model.ts";
import type { KeptInitializer } from "./options/initializer.ts";
import type { Segment } from "./plan.ts";

/** Writes the values of W or b of one layer. */
export function drawInitial(model: Model, segment: Segment, init: KeptInitializer): void {
  const { rows, cols, pitch, part, layer } = segment;
  const nOut = part === "W" ? rows : cols;
  const nIn = part === "W" ? cols : (model.memory.plan.nodes[layer + 1]?.inputs ?? 1);
  const [low, high] = seedWords(model.seed);
  const index = 2 * layer + (part === "W" ? 0 : 1);
  const kernel = distribution(init, nIn, nOut);
  if (kernel !== undefined) {
    const { offset } = model.memory.segmentRegion(model.memory.plan.params, segment);
    model.core.exports.fill(offset, rows, cols, pitch, ...kernel, low, high, index);
    return;
  }
  const values = drawnMatrix(init, segment, { nIn, nOut }, { low, high, index });
  model.writeParameters(segment, model.dtype === "float32" ? Float32Array.from(values) : values);
}

/**
 * Kind and parameters of a draw: [a, b) or mean a and deviation b, where each value is drawn by itself. Variances: Glorot & Bengio 2010,
 * He et al. 2015, LeCun et al. 1998.
 */
function distribution(
  init: KeptInitializer,
  nIn: number,
  nOut: number,
): [kind: number, a: number, b: number] | undefined {
  const uniformOf = (limit: number): [number, number, number] => [abi.INIT_UNIFORM, -limit, limit];
  const normalOf = (deviation: number): [number, number, number] => [abi.INIT_NORMAL, 0, deviation];
  switch (init.type) {
    case "zeros":
      return [abi.INIT_CONSTANT, 0, 0];
    case "constant":
      return [abi.INIT_CONSTANT, init.value, 0];
    case "uniform":
      return uniformOf(init.epsilon);
    case "xavierUniform":
      return uniformOf(Math.sqrt(6 / (nIn + nOut)));
    case "xavierNormal":
      return normalOf(Math.sqrt(2 / (nIn + nOut)));
    case "heUniform":
      return uniformOf(Math.sqrt(6 / nIn));
    case "heNormal":
      return normalOf(Math.sqrt(2 / nIn));
    case "lecunUniform":
      return uniformOf(Math.sqrt(3 / nIn));
    case "lecunNormal":
      return normalOf(Math.sqrt(1 / nIn));
    default:
      return undefined;
  }
}
