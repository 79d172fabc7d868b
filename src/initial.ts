// Initial values of one parameter array, drawn from the seed: the same on every core and runtime.
import * as abi from "./core/abi.ts";
import { seedWords } from "./data/split.ts";
import { normal, truncatedNormal, uniform } from "./js/random.ts";
import { exp64, log64 } from "./js/vmath.ts";
import type { Model } from "./model.ts";
import type { KeptInitializer } from "./options/initializer.ts";
import type { Part, Segment } from "./plan.ts";

/** Draw number `element` (row-major) of this array's own stream. */
type Draw = (source: typeof uniform, element: number) => number;

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
  const values = matrixOf(init, segment, { nIn, nOut }, (source, element) =>
    source(low, high, abi.PURPOSE_INIT, index, element),
  );
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

/** [rows × cols]; b is one row. */
function matrixOf(
  init: KeptInitializer,
  { rows, cols, part }: Segment,
  { nIn, nOut }: { readonly nIn: number; readonly nOut: number },
  draw: Draw,
): Float64Array {
  switch (init.type) {
    case "truncatedNormal":
      return Float64Array.from({ length: rows * cols }, (_, i) => init.deviation * draw(truncatedNormal, i));
    case "identity":
      return Float64Array.from({ length: rows * cols }, (_, i) => (i % cols === Math.floor(i / cols) ? init.gain : 0));
    case "orthogonal":
      return orthogonal(rows, cols, init.gain, draw);
    default: {
      const beta = 0.7 * exp64(log64(nOut) / nIn);
      return nguyenWidrow(rows, cols, beta, part, draw);
    }
  }
}

/**
 * Gaussian draws made orthonormal, row by row of the smaller side, by Gram and Schmidt done twice (Golub & Van Loan 5.2.8), times
 * gain.
 */
function orthogonal(rows: number, cols: number, gain: number, draw: Draw): Float64Array {
  const [count, length] = rows <= cols ? [rows, cols] : [cols, rows];
  const basis = Array.from({ length: count }, (_, r) =>
    Float64Array.from({ length }, (_, c) => draw(normal, r * length + c)),
  );
  for (const [r, vector] of basis.entries()) {
    for (let pass = 0; pass < 2; pass++) {
      for (const other of basis.slice(0, r)) {
        const along = dot(vector, other);
        for (let c = 0; c < length; c++) vector[c] = (vector[c] as number) - along * (other[c] as number);
      }
    }
    const norm = Math.sqrt(dot(vector, vector));
    for (let c = 0; c < length; c++) vector[c] = (vector[c] as number) / norm;
  }
  const at = (r: number, c: number) => (rows <= cols ? basis[r]?.[c] : basis[c]?.[r]) as number;
  return Float64Array.from({ length: rows * cols }, (_, i) => gain * at(Math.floor(i / cols), i % cols));
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] as number) * (b[i] as number);
  return sum;
}

/**
 * Nguyen & Widrow 1990, for inputs in [−1, 1] and units of tanh's kind: weights of norm β = 0.7·units^(1/inputs) in a random
 * direction, biases in [−β, β], so that the units' active regions cover the inputs.
 */
function nguyenWidrow(rows: number, cols: number, beta: number, part: Part, draw: Draw): Float64Array {
  const values = Float64Array.from({ length: rows * cols }, (_, i) => 2 * draw(uniform, i) - 1);
  if (part === "b") return values.map((value) => beta * value);
  for (let r = 0; r < rows; r++) {
    const row = values.subarray(r * cols, (r + 1) * cols);
    const norm = Math.sqrt(dot(row, row));
    for (let c = 0; c < cols; c++) row[c] = (beta * (row[c] as number)) / norm;
  }
  return values;
}
