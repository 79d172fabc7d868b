// Initial values that are not drawn one by one, or not drawn. A file of its own as few networks need it (assembly/node.mjs).
import * as abi from "./core/abi.ts";
import { normal, truncatedNormal, uniform } from "./js/random.ts";
import { exp64, log64 } from "./js/vmath.ts";
import type { KeptInitializer } from "./options/initializer.ts";
import type { Part, Segment } from "./plan.ts";

/** Draw number `element` (row-major) of this array's own stream. */
type Draw = (source: typeof uniform, element: number) => number;

/** [rows × cols]; b is one row. `stream`: the words of the seed, and the array's number. */
export function drawnMatrix(
  init: KeptInitializer,
  { rows, cols, part }: Segment,
  { nIn, nOut }: { readonly nIn: number; readonly nOut: number },
  { low, high, index }: { readonly low: number; readonly high: number; readonly index: number },
): Float64Array {
  const draw: Draw = (source, element) => source(low, high, abi.PURPOSE_INIT, index, element);
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
