// The f32 elementary functions that are swept: the kernel, its twin in src/js, a reference in f64 that is not ours, the
// bound in ulp that assembly/vmath.ts states, and values that are known without any reference.
import { exp32, log32, sigmoid32, tanh32 } from "../../dist/js/vmath.js";

/** In a form that neither overflows nor cancels. */
function sigmoid(x) {
  const e = Math.exp(-Math.abs(x));
  return (x < 0 ? e : 1) / (1 + e);
}

export const FUNCTIONS = {
  exp: {
    kernel: "mapExp",
    twin: exp32,
    reference: Math.exp,
    bound: 1,
    special: [
      [0, 1],
      [-0, 1],
      [2 ** -149, 1],
      [-(2 ** -149), 1],
      [88.72283172607422, 3.402798543534219e38], // the largest that is finite
      [88.72283935546875, Infinity],
      [-103.97207641601562, 2 ** -149], // the least that is not zero
      [-103.9720840454102, 0],
      [Infinity, Infinity],
      [-Infinity, 0],
      [NaN, NaN],
    ],
  },
  tanh: {
    kernel: "mapTanh",
    twin: tanh32,
    reference: Math.tanh,
    bound: 2,
    special: [
      [0, 0],
      [-0, -0],
      [2 ** -149, 2 ** -149],
      [-(2 ** -149), -(2 ** -149)],
      [2 ** -126, 2 ** -126],
      [Infinity, 1],
      [-Infinity, -1],
      [NaN, NaN],
    ],
  },
  log: {
    kernel: "mapLog",
    twin: log32,
    reference: Math.log,
    bound: 1,
    special: [
      [1, 0],
      [0, -Infinity],
      [-0, -Infinity],
      [-(2 ** -149), NaN],
      [-1, NaN],
      [Infinity, Infinity],
      [-Infinity, NaN],
      [NaN, NaN],
    ],
  },
  sigmoid: {
    kernel: "mapSigmoid",
    twin: sigmoid32,
    reference: sigmoid,
    bound: 2.5,
    special: [
      [0, 0.5],
      [-0, 0.5],
      [2 ** -149, 0.5],
      [Infinity, 1],
      [-Infinity, 0],
      [NaN, NaN],
    ],
  },
};
