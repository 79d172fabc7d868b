// A network of one hidden layer and full-batch methods on it, written plainly from their sources, in float64: what the library's
// methods are compared with.
import { Network } from "../../src/index.ts";
import { drawRows, drawsFrom } from "../draws.ts";

export interface Problem {
  inputs: number;
  hidden: number;
  outputs: number;
  x: number[][];
  y: number[][];
  /** Flat: W1 row-major, b1, W2, b2. */
  start: number[];
}

export const dot = (a: readonly number[], b: readonly number[]) => a.reduce((sum, v, i) => sum + v * b[i]!, 0);
export const add = (a: readonly number[], s: number, b: readonly number[]) => a.map((v, i) => v + s * b[i]!);

/** sin(3x)·cos(y)-like targets on 13 rows. */
export function problem(seed = 1, { inputs = 2, hidden = 4, outputs = 2, rows = 13, scale = 1 } = {}): Problem {
  const draw = drawsFrom(seed);
  const x = drawRows(draw, rows, inputs, 1);
  const y = x.map((row) =>
    Array.from({ length: outputs }, (_, o) => scale * Math.sin(3 * row[0]! + o) * (row[1] ?? 1)),
  );
  const count = hidden * (inputs + 1) + outputs * (hidden + 1);
  return { inputs, hidden, outputs, x, y, start: drawRows(draw, 1, count, 0.8)[0]! };
}

/** Residuals a − y, row by row, and their Jacobian by the parameters: tanh, then linear. */
export function residuals(
  { inputs, hidden, outputs, x, y }: Problem,
  w: readonly number[],
): { e: number[]; J: number[][] } {
  const [b1, W2] = [hidden * inputs, hidden * (inputs + 1)];
  const b2 = W2 + outputs * hidden;
  const e: number[] = [];
  const J: number[][] = [];
  for (const [r, row] of x.entries()) {
    const h = Array.from({ length: hidden }, (_, j) =>
      Math.tanh(row.reduce((sum, v, i) => sum + w[j * inputs + i]! * v, w[b1 + j]!)),
    );
    for (let o = 0; o < outputs; o++) {
      e.push(h.reduce((sum, v, j) => sum + w[W2 + o * hidden + j]! * v, w[b2 + o]!) - y[r]![o]!);
      const gradient = new Array<number>(w.length).fill(0);
      for (let j = 0; j < hidden; j++) {
        const slope = w[W2 + o * hidden + j]! * (1 - h[j]! ** 2);
        for (let i = 0; i < inputs; i++) gradient[j * inputs + i] = slope * row[i]!;
        gradient[b1 + j] = slope;
        gradient[W2 + o * hidden + j] = h[j]!;
      }
      gradient[b2 + o] = 1;
      J.push(gradient);
    }
  }
  return { e, J };
}

/** The mean squared error over rows and outputs, and its gradient. */
export function objective(p: Problem, w: readonly number[]): { loss: number; gradient: number[] } {
  const { e, J } = residuals(p, w);
  const gradient = w.map((_, k) => (2 / e.length) * J.reduce((sum, row, i) => sum + row[k]! * e[i]!, 0));
  return { loss: dot(e, e) / e.length, gradient };
}

export function networkOf(p: Problem, core: "simd" | "js" = "simd", dtype: "float32" | "float64" = "float64"): Network {
  const { inputs, hidden, outputs, start } = p;
  const network = Network.createSync(
    { inputs, layers: [{ units: hidden, activation: "tanh" }, { units: outputs }] },
    { dtype, core },
  );
  const rows = (at: number, count: number, cols: number) =>
    Array.from({ length: count }, (_, r) => start.slice(at + r * cols, at + (r + 1) * cols));
  const W2 = hidden * (inputs + 1);
  network.setWeights([
    { W: rows(0, hidden, inputs), b: start.slice(hidden * inputs, W2) },
    { W: rows(W2, outputs, hidden), b: start.slice(W2 + outputs * hidden) },
  ]);
  return network;
}

export const flat = (network: Network): number[] =>
  network.weights().flatMap(({ W, b }) => [...Array.from(W.data), ...Array.from(b ?? [])]);

/** The largest |a − b| / max(|b|, 1e-3). */
export function worst(a: readonly number[], b: readonly number[]): number {
  return Math.max(...a.map((v, i) => Math.abs(v - b[i]!) / Math.max(Math.abs(b[i]!), 1e-3)));
}

/** Parameters after each epoch, and which branches were taken. */
export interface Trace {
  iterates: number[][];
  branches: Set<string>;
}

/** Rprop with backtracking: Riedmiller & Braun 1993; with `ifRose` only where the error rose: Igel & Hüsken 2000. */
export function rpropPlus(p: Problem, epochs: number, first: number, ifRose: boolean): Trace {
  let w = p.start;
  const last = w.map(() => 0);
  let lastLoss = Number.POSITIVE_INFINITY;
  const size = w.map(() => first);
  const move = w.map(() => 0);
  const trace: Trace = { iterates: [], branches: new Set() };
  for (let t = 0; t < epochs; t++) {
    const { loss, gradient } = objective(p, w);
    w = w.map((value, i) => {
      const product = gradient[i]! * last[i]!;
      if (product < 0) {
        size[i] = Math.max(size[i]! * 0.5, 1e-6);
        last[i] = 0;
        const back = !ifRose || loss > lastLoss;
        trace.branches.add(back ? "back" : "stay");
        return back ? value - move[i]! : value;
      }
      if (product > 0) {
        trace.branches.add("grow");
        size[i] = Math.min(size[i]! * 1.2, 50);
      }
      move[i] = -Math.sign(gradient[i]!) * size[i]!;
      last[i] = gradient[i]!;
      return value + move[i]!;
    });
    lastLoss = loss;
    trace.iterates.push(w);
  }
  return trace;
}

/** Fahlman 1988: his program's case by case. */
export function quickprop(p: Problem, epochs: number, eta: number, mu: number): Trace {
  let w = p.start;
  let slopes = w.map(() => 0);
  const steps = w.map(() => 0);
  const trace: Trace = { iterates: [], branches: new Set() };
  for (let t = 0; t < epochs; t++) {
    const { gradient } = objective(p, w);
    for (const [i, S] of gradient.entries()) {
      const d = steps[i]!;
      let step = 0;
      const side = Math.sign(d);
      if (side === 0) step = -eta * S;
      else {
        if (side * S < 0) step -= eta * S;
        if (side * S <= ((side * mu) / (1 + mu)) * slopes[i]!) {
          trace.branches.add("grow");
          step += mu * d;
        } else {
          trace.branches.add(side * S > 0 ? "back" : "parabola");
          step += (d * S) / (slopes[i]! - S);
        }
      }
      steps[i] = step;
    }
    slopes = gradient;
    w = add(w, 1, steps);
    trace.iterates.push(w);
  }
  return trace;
}

/** traingda, or traingdx with a momentum: as MATLAB's documentation words them. */
export function adaptive(p: Problem, epochs: number, first: number, momentum?: number): Trace {
  let w = p.start;
  let rate = first;
  let { loss, gradient } = objective(p, w);
  let d = gradient.map((g) => -rate * g);
  const trace: Trace = { iterates: [], branches: new Set() };
  for (let t = 0; t < epochs; t++) {
    const mc = momentum ?? 0;
    d = gradient.map((g, i) => mc * d[i]! - (1 - mc) * rate * g);
    const next = add(w, 1, d);
    const there = objective(p, next);
    if (there.loss / loss > 1.04) {
      trace.branches.add("undo");
      rate *= 0.7;
      d = gradient.map((g) => -rate * g);
    } else {
      if (there.loss < loss) {
        trace.branches.add("grow");
        rate *= 1.05;
      } else trace.branches.add("keep");
      w = next;
      ({ loss, gradient } = there);
    }
    trace.iterates.push(w);
  }
  return trace;
}

/** Møller 1993, steps 1 to 9. */
export function scg(p: Problem, epochs: number, sigmaOption = 5e-5, lambdaOption = 5e-7): Trace {
  const N = p.start.length;
  let w = p.start;
  let lambda = lambdaOption;
  let lambdaBar = 0;
  let delta = 0;
  let success = true;
  let here = objective(p, w);
  let r = here.gradient.map((g) => -g);
  let direction = r;
  const trace: Trace = { iterates: [], branches: new Set() };
  for (let k = 1; k <= epochs; k++) {
    const square = dot(direction, direction);
    if (success) {
      const sigma = sigmaOption / Math.sqrt(square);
      const ahead = objective(p, add(w, sigma, direction)).gradient;
      delta = dot(
        direction,
        ahead.map((g, i) => (g - here.gradient[i]!) / sigma),
      );
    }
    delta += (lambda - lambdaBar) * square;
    if (delta <= 0) {
      trace.branches.add("indefinite");
      lambdaBar = 2 * (lambda - delta / square);
      delta = -delta + lambda * square;
      lambda = lambdaBar;
    }
    const mu = dot(direction, r);
    const alpha = mu / delta;
    const there = objective(p, add(w, alpha, direction));
    const comparison = (2 * delta * (here.loss - there.loss)) / mu ** 2;
    if (comparison >= 0) {
      w = add(w, alpha, direction);
      here = there;
      const next = there.gradient.map((g) => -g);
      lambdaBar = 0;
      success = true;
      if (k % N === 0) {
        trace.branches.add("restart");
        direction = next;
      } else {
        const beta = (dot(next, next) - dot(next, r)) / mu;
        direction = add(next, beta, direction);
      }
      r = next;
      if (comparison >= 0.75) {
        trace.branches.add("loosen");
        lambda /= 4;
      }
    } else {
      trace.branches.add("reject");
      lambdaBar = lambda;
      success = false;
    }
    if (comparison < 0.25) lambda += (delta * (1 - comparison)) / square;
    trace.iterates.push(w);
  }
  return trace;
}
