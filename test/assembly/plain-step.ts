// A training step in plain loops over arrays of rows: what run() is held to, bit for bit. Samples one after the other, no
// panels, no tiles. The elementary functions are the library's own (held to their bounds in vmath.test.ts).
import { exp32, exp64, log1p64, log64, sigmoid32, sigmoid64, tanh32, tanh64 } from "../../src/js/vmath.ts";
import type { Data, Hyperparameters, Layer, Network } from "./network-cases.ts";

type Round = (x: number) => number;

/** dtype arithmetic. */
export interface Reals {
  readonly single: boolean;
  readonly rnd: Round;
  readonly flush: Round;
}

export function realsOf(size: 4 | 8): Reals {
  const minNormal = size === 4 ? 2 ** -126 : 2 ** -1022;
  const rnd: Round = size === 4 ? Math.fround : (x) => x;
  return { single: size === 4, rnd, flush: (x) => (Math.abs(x) < minNormal ? 0 : x) };
}

const at = (values: readonly number[], i: number): number => values[i] as number;

/** Σ terms from `start`, each product and each sum rounded. */
const dot = (rnd: Round, start: number, x: readonly number[], y: readonly number[]): number =>
  x.reduce((sum, value, i) => rnd(sum + rnd(value * at(y, i))), start);

/** Activations of every node for one sample, and the output's net input, maximum and sum. */
export interface Trace {
  readonly a: number[][];
  readonly z: number[];
  readonly max: number;
  readonly sum: number;
}

export function forward(net: Network, reals: Reals, x: readonly number[]): Trace {
  const { rnd, single } = reals;
  const a: number[][] = [[...x]];
  let z: number[] = [];
  let [max, sum] = [0, 0];
  for (const layer of net.layers) {
    const from = a.at(-1) as number[];
    if (!layer.W) {
      z = from.map((value, i) => rnd(rnd(value * at(layer.scale, i)) + at(layer.shift, i)));
      a.push(z);
      continue;
    }
    z = layer.W.map((row, o) => dot(rnd, layer.b?.[o] ?? 0, row, from));
    if (layer.activation !== "softmax") {
      a.push(z.map((value) => activation(reals, layer, value)));
      continue;
    }
    max = Math.max(...z);
    const e = z.map((value) => (single ? exp32 : exp64)(rnd(value - max)));
    sum = e.reduce((total, value) => rnd(total + value), 0);
    a.push(e.map((value) => rnd(value / sum)));
  }
  return { a, z, max, sum };
}

function activation({ rnd, single }: Reals, layer: Layer, z: number): number {
  if (layer.activation === "sigmoid") return single ? sigmoid32(z) : sigmoid64(z);
  if (layer.activation === "tanh") return single ? tanh32(z) : tanh64(z);
  if (layer.activation === "relu") return z >= 0 || Number.isNaN(z) ? z : 0;
  if (layer.activation === "leakyRelu") return z < 0 ? rnd(layer.alpha * z) : z;
  return z;
}

function slope({ rnd }: Reals, layer: Layer, d: number, a: number): number {
  if (layer.activation === "sigmoid") return rnd(d * rnd(a * rnd(1 - a)));
  if (layer.activation === "tanh") return rnd(d * rnd(1 - rnd(a * a)));
  if (layer.activation === "relu") return a > 0 ? d : 0;
  if (layer.activation === "leakyRelu") return a > 0 ? d : rnd(layer.alpha * d);
  return d;
}

/** The loss of one sample, in f64. */
export function sampleLoss(net: Network, { a, z, max, sum }: Trace, y: number | readonly number[]): number {
  const output = a.at(-1) as number[];
  const target = typeof y === "number" ? output.map((_, o) => (o === y ? 1 : 0)) : y;
  if (net.loss === "crossEntropy") {
    const logSum = log64(sum);
    if (typeof y === "number") return logSum - (at(z, y) - max);
    return target.reduce((total, t, o) => total + t * (logSum - (at(z, o) - max)), 0);
  }
  if (net.loss === "binaryCrossEntropy") {
    const term = (t: number, x: number) => Math.max(x, 0) - x * t + log1p64(exp64(-Math.abs(x)));
    return target.reduce((total, t, o) => total + term(t, at(z, o)), 0) / output.length;
  }
  const total = target.reduce((running, t, o) => running + (at(output, o) - t) * (at(output, o) - t), 0);
  return net.loss === "squaredError" ? 0.5 * total : total / output.length;
}

/** rnd(1/B)·∂ℓ/∂z of one sample. */
export function outputDelta(
  net: Network,
  reals: Reals,
  { a }: Trace,
  y: number | readonly number[],
  batch: number,
): number[] {
  const { rnd, flush } = reals;
  const output = a.at(-1) as number[];
  const last = net.layers.at(-1) as Layer;
  const target = typeof y === "number" ? output.map((_, o) => (o === y ? 1 : 0)) : y;
  let delta: number[];
  if (net.loss === "crossEntropy") {
    const sum = target.reduce((total, t) => rnd(total + t), 0);
    delta = output.map((value, o) => rnd(rnd(sum * value) - at(target, o)));
  } else {
    const binary = net.loss === "binaryCrossEntropy";
    const factor = net.loss === "squaredError" ? 1 : rnd((binary ? 1 : 2) / output.length);
    const g = output.map((value, o) => rnd(factor * rnd(value - at(target, o))));
    if (binary) delta = g;
    else if (last.activation === "softmax") {
      const along = dot(rnd, 0, g, output);
      delta = g.map((value, o) => rnd(at(output, o) * rnd(value - along)));
    } else delta = g.map((value, o) => slope(reals, last, value, at(output, o)));
  }
  const scale = rnd(1 / batch);
  return delta.map((value) => flush(rnd(scale * value)));
}

export interface Gradient {
  readonly W: number[][] | undefined;
  readonly b: number[] | undefined;
}

/** Gradients of all layers, deltas of all nodes per sample (index 0: ∂loss/∂x), and the mean loss. */
export function gradients(net: Network, reals: Reals, data: Data) {
  const { rnd, flush } = reals;
  const result: Gradient[] = net.layers.map(({ W, b }) => ({
    W: W?.map((row) => row.map(() => 0)),
    b: b?.map(() => 0),
  }));
  const losses: number[] = [];
  const deltas = data.x.map((x, s) => {
    const trace = forward(net, reals, x);
    const y = data.y[s] as number | readonly number[];
    losses.push(sampleLoss(net, trace, y));
    let delta = outputDelta(net, reals, trace, y, data.x.length);
    const nodes: number[][] = [];
    for (let l = net.layers.length; l > 0; l--) {
      const layer = net.layers[l - 1] as Layer;
      const from = trace.a[l - 1] as number[];
      if (layer.W && l < net.layers.length)
        delta = delta.map((d, o) => flush(slope(reals, layer, d, at(trace.a[l] as number[], o))));
      nodes.unshift(delta);
      const { W: dW, b: db } = result[l - 1] as Gradient;
      for (const [o, d] of delta.entries()) {
        dW?.[o]?.forEach((sum, i, row) => {
          row[i] = rnd(sum + rnd(d * at(from, i)));
        });
        if (db) db[o] = rnd(at(db, o) + d);
      }
      const { W, scale } = layer;
      const up = delta;
      delta = from.map((_, i) =>
        W
          ? dot(
              rnd,
              0,
              W.map((row) => at(row, i)),
              up,
            )
          : rnd(at(up, i) * at(scale, i)),
      );
    }
    nodes.unshift(delta);
    return nodes;
  });
  return { gradients: result, deltas, loss: meanLoss(losses) };
}

/** The reduction of DESIGN.md I1: blocks of 4096, eight interleaved accumulators, a fixed tree. */
export function meanLoss(losses: readonly number[]): number {
  let total = 0;
  for (let begin = 0; begin < losses.length; begin += 4096) {
    const l = [0, 0, 0, 0, 0, 0, 0, 0];
    for (const [i, loss] of losses.slice(begin, begin + 4096).entries()) l[i % 8] = at(l, i % 8) + loss;
    total += at(l, 0) + at(l, 1) + (at(l, 2) + at(l, 3)) + (at(l, 4) + at(l, 5) + (at(l, 6) + at(l, 7)));
  }
  return total / losses.length;
}

/** State of one parameter. */
export interface State {
  m: number;
  v: number;
}

/** One update of one parameter in step t (from 1); `powers` are β₁ᵗ and β₂ᵗ. */
export function descend(
  { rnd, flush }: Reals,
  w: number,
  g: number,
  state: State,
  h: Hyperparameters,
  powers: readonly [number, number],
): number {
  const eta = rnd(h.learningRate);
  if (h.optimizer === "sgd") return rnd(w - rnd(eta * g));
  if (h.optimizer === "adam") {
    const [rate, root] = [rnd(h.learningRate / (1 - powers[0])), rnd(1 / Math.sqrt(1 - powers[1]))];
    state.m = flush(rnd(rnd(rnd(h.beta1) * state.m) + rnd(rnd(1 - h.beta1) * g)));
    state.v = flush(rnd(rnd(rnd(h.beta2) * state.v) + rnd(rnd(1 - h.beta2) * rnd(g * g))));
    return rnd(w - rnd(rate * rnd(state.m / rnd(rnd(rnd(Math.sqrt(state.v)) * root) + rnd(h.epsilon)))));
  }
  const mu = rnd(h.momentum);
  state.m = flush(rnd(rnd(mu * state.m) + g));
  return rnd(w - rnd(eta * (h.optimizer === "nesterov" ? rnd(g + rnd(mu * state.m)) : state.m)));
}

/** Trains in place on rows in the given order; gives the mean loss of each step. */
export function train(
  net: Network,
  reals: Reals,
  data: Data,
  orders: readonly (readonly number[])[],
  batch: number,
  h: Hyperparameters,
): { losses: number[]; epochs: number[]; states: { W: State[][]; b: State[] }[] } {
  const fresh = (): State => ({ m: 0, v: 0 });
  const states = net.layers.map(({ W, b }) => ({ W: W?.map((row) => row.map(fresh)) ?? [], b: b?.map(fresh) ?? [] }));
  const losses: number[] = [];
  const epochs: number[] = [];
  let powers: [number, number] = [1, 1];
  for (const order of orders) {
    let sum = 0;
    for (let begin = 0; begin < order.length; begin += batch) {
      const rows = order.slice(begin, begin + batch);
      const pick = { x: rows.map((r) => data.x[r]), y: rows.map((r) => data.y[r]) } as Data;
      const { gradients: g, loss } = gradients(net, reals, pick);
      losses.push(loss);
      sum += rows.length * loss;
      powers = [powers[0] * h.beta1, powers[1] * h.beta2];
      for (const [l, { W, b, trainW, trainB }] of net.layers.entries()) {
        const state = states[l] as (typeof states)[0];
        if (W && trainW)
          for (const [o, row] of W.entries())
            for (const [i, w] of row.entries()) {
              row[i] = descend(reals, w, at(g[l]?.W?.[o] ?? [], i), state.W[o]?.[i] as State, h, powers);
            }
        if (b && trainB)
          for (const [o, w] of b.entries())
            b[o] = descend(reals, w, at(g[l]?.b ?? [], o), state.b[o] as State, h, powers);
      }
    }
    epochs.push(sum / order.length);
  }
  return { losses, epochs, states };
}
