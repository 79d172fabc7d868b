import { describe, expect, test } from "vitest";
import { Network } from "../../src/index.ts";
import { stateOf } from "../saved-state.ts";
import { dot, flat, networkOf, objective, type Problem, problem, residuals, type Trace, worst } from "./plain.ts";

/** Gauss's elimination with pivots. */
function solve(A: number[][], b: number[]): number[] {
  const M = A.map((row, i) => [...row, b[i]!]);
  for (let k = 0; k < M.length; k++) {
    const pivot = M.reduce((best, row, i) => (i >= k && Math.abs(row[k]!) > Math.abs(M[best]![k]!) ? i : best), k);
    [M[k], M[pivot]] = [M[pivot]!, M[k]!];
    for (let i = k + 1; i < M.length; i++) {
      const factor = M[i]![k]! / M[k]![k]!;
      for (let j = k; j <= M.length; j++) M[i]![j]! -= factor * M[k]![j]!;
    }
  }
  const x = new Array<number>(M.length).fill(0);
  for (let i = M.length - 1; i >= 0; i--) {
    x[i] = (M[i]![M.length]! - M[i]!.slice(i + 1, -1).reduce((sum, v, j) => sum + v * x[i + 1 + j]!, 0)) / M[i]![i]!;
  }
  return x;
}

const normal = (J: number[][], n: number) =>
  Array.from({ length: n }, (_, i) =>
    Array.from({ length: n }, (_, j) => J.reduce((sum, r) => sum + r[i]! * r[j]!, 0)),
  );

/** Hagan & Menhaj 1994, μ as MATLAB's trainlm; with `bayes` its trainbr, after Foresee & Hagan 1997. */
function levenberg(p: Problem, epochs: number, first: number, bayes = false): Trace {
  let w = p.start;
  let mu = first;
  const P = w.length;
  let { e, J } = residuals(p, w);
  let sse = dot(e, e);
  let gamma = P;
  let beta = bayes ? (e.length - gamma) / (2 * sse) : 1;
  if (beta <= 0) beta = 1;
  let alpha = bayes ? gamma / (2 * dot(w, w)) : 0;
  const trace: Trace = { iterates: [], branches: new Set() };
  for (let epoch = 0; epoch < epochs; epoch++) {
    const H = normal(J, P);
    const g = w.map((_, i) => J.reduce((sum, r, k) => sum + r[i]! * e[k]!, 0));
    const here = beta * sse + alpha * dot(w, w);
    for (;;) {
      const A = H.map((row, i) => row.map((v, j) => beta * v + (i === j ? mu + alpha : 0)));
      const step = solve(
        A,
        g.map((v, i) => -(beta * v + alpha * w[i]!)),
      );
      const next = w.map((v, i) => v + step[i]!);
      const there = residuals(p, next);
      const sse2 = dot(there.e, there.e);
      if (beta * sse2 + alpha * dot(next, next) < here) {
        [w, sse] = [next, sse2];
        ({ e, J } = there);
        mu *= 0.1;
        break;
      }
      trace.branches.add("raise");
      mu *= 10;
    }
    if (bayes) {
      const M = normal(J, P).map((row, i) => row.map((v, j) => beta * v + (i === j ? alpha : 0)));
      const trace_ = w.reduce(
        (sum, _, i) =>
          sum +
          solve(
            M,
            w.map((_, j) => Number(i === j)),
          )[i]!,
        0,
      );
      gamma = P - alpha * trace_;
      alpha = gamma / (2 * dot(w, w));
      beta = (e.length - gamma) / (2 * sse);
    }
    trace.iterates.push(w);
  }
  return trace;
}

const SIZES = { inputs: 2, hidden: 3, outputs: 2, rows: 19 };

describe.each(["simd", "js"] as const)("ten epochs on the %s core are those of a plain implementation", (core) => {
  test.each([
    ["lm", { type: "lm", mu: 1e-4 }, problem(6, SIZES), (p: Problem) => levenberg(p, 10, 1e-4)],
    ["br", { type: "br" }, problem(2, { ...SIZES, rows: 40 }), (p: Problem) => levenberg(p, 10, 0.005, true)],
  ] as const)("%s", (_, optimizer, p, plain) => {
    const { iterates, branches } = plain(p);
    expect([...branches]).toContain("raise");
    const network = networkOf(p, core);
    for (const [epoch, expected] of iterates.entries()) {
      const { epochs } = network.fitSync(p.x, p.y, { epochs: 1, optimizer });
      expect(worst(flat(network), expected), `epoch ${epoch + 1}`).toBeLessThan(1e-8);
      expect(epochs[0]!.loss).toBeCloseTo(objective(p, expected).loss, 10);
    }
    const whole = networkOf(p, core);
    whole.fitSync(p.x, p.y, { epochs: iterates.length, optimizer });
    expect(whole.weights()).toEqual(network.weights());
  });
});

describe("lm and br", () => {
  const p = problem(3, { inputs: 2, hidden: 4, outputs: 1, rows: 30 });

  test.each(["lm", "br"] as const)(
    "%s on float32: both cores, fit and fitSync, cut and saved anywhere: one state",
    async (type) => {
      const options = { optimizer: type, validation: 0.2, sampleWeights: p.x.map((_, i) => i % 4) } as const;
      const whole = networkOf(p, "simd", "float32");
      const history = whole.fitSync(p.x, p.y, { ...options, epochs: 9 });
      const expected = stateOf(whole);
      expect(history.epochs.at(-1)!.loss).toBeLessThan(history.epochs[0]!.loss);
      const js = networkOf(p, "js", "float32");
      await js.fit(p.x, p.y, { ...options, epochs: 9 });
      expect(stateOf(js)).toEqual(expected);
      let parts = networkOf(p, "simd", "float32");
      for (const epochs of [1, 3, 5]) {
        parts.fitSync(p.x, p.y, { ...options, epochs });
        parts = Network.loadSync(parts.save());
      }
      expect(stateOf(parts)).toEqual(expected);
    },
  );

  test.each(["simd", "js"] as const)("%s: derivatives below the normal numbers are 0 in the Jacobian", (core) => {
    // f′(−709) = 1.2e-308 reaches one weight alone, which so stays as it is; f′(−708) = 3.3e-308 moves it.
    const third = (z: number) => {
      const layers = [{ units: 1, activation: "sigmoid" as const, init: [[0, z, 0]], bias: false }];
      using network = Network.createSync({ inputs: 3, layers, loss: "squaredError" }, { dtype: "float64", core });
      const x = [
        [1, 0, 0],
        [0, 1, 1],
      ];
      network.fitSync(x, [[0.9], [0.5]], { epochs: 1, optimizer: "lm" });
      return network.weights()[0]!.W.data[2]!;
    };
    expect(third(-709)).toBe(0);
    expect(third(-708)).toBeGreaterThan(0);
  });

  test("the Jacobian holds for every activation, frozen parts and softmax: lm steps lower the loss as its gradient says", () => {
    for (const activation of ["sigmoid", "tanh", "softmax", "mish", "softplus"] as const) {
      const spec = {
        inputs: 2,
        layers: [
          { type: "affine", scale: [0.5, 2], shift: [0.1, -0.1] },
          { units: 5, activation: "gelu", trainable: "bias" },
          { units: 4, activation: "elu" },
          { units: 3, activation },
        ],
        loss: "squaredError",
      } as const;
      const targets = p.x.map(([a, b]) => [Math.abs(a!) / 2, Math.abs(b!) / 2, 0.2]);
      const network = Network.createSync(spec, { seed: 2, dtype: "float64" });
      const [, , frozen] = network.weights();
      const W = network.weights()[1]!.W;
      // With a large μ the step is −Jᵀe/μ, and ∇loss = Jᵀe/N.
      const before = flat(network);
      const gradients = network.gradients(p.x, targets).layers.flatMap(({ W, b }) => [...W.data, ...(b ?? [])]);
      network.fitSync(p.x, targets, { epochs: 1, optimizer: { type: "lm", mu: 1e9 } });
      const moved = flat(network).map((v, i) => ((before[i]! - v) * 1e9) / p.x.length);
      expect(network.weights()[1]!.W).toEqual(W);
      expect(network.weights()[2]).not.toEqual(frozen);
      const fixed = W.data.length;
      const scale = Math.max(...gradients.map(Math.abs));
      for (let i = fixed; i < gradients.length; i++) {
        expect(Math.abs(moved[i]! - gradients[i]!), `${activation} ${i}`).toBeLessThan(1e-4 * scale);
      }
    }
  });

  test("sin πx: a mean squared error of 1e-7 within 100 epochs", () => {
    const x = Array.from({ length: 61 }, (_, i) => [-1 + i / 30]);
    const y = x.map(([v]) => Math.sin(Math.PI * v!));
    let reached = 0;
    for (let seed = 0; seed < 20; seed++) {
      const layers = [{ units: 10, activation: "tanh", init: "nguyenWidrow" }, { units: 1 }] as const;
      const network = Network.createSync({ inputs: 1, layers }, { seed, dtype: "float64" });
      network.fitSync(x, y, { epochs: 100, optimizer: "lm", goal: 1e-7 });
      if (network.evaluate(x, y).loss <= 1e-7) reached++;
    }
    expect(reached).toBeGreaterThanOrEqual(19);
  });

  test("what cannot be trained so is refused", () => {
    const network = (layer: object, loss?: "crossEntropy") =>
      Network.createSync({ inputs: 2, layers: [{ units: 2, ...layer }], ...(loss && { loss }) });
    const attempt = (given: Network, options: object = {}) =>
      given.fitSync([[1, 2]], [[0, 1]], { optimizer: { type: "lm", ...options } });
    expect(() => attempt(network({ activation: "softmax" }))).toThrow(
      "optimizer: 'lm' expects the loss squaredError or meanSquaredError, got 'crossEntropy'",
    );
    expect(() => attempt(network({ l2: 1 }))).toThrow(
      "optimizer: 'lm' expects layers without l1, l2 and maxNorm; 'br' regularises",
    );
    expect(() => attempt(network({}), { maxParameters: 5 })).toThrow(
      "optimizer.maxParameters: 'lm' on 6 trainable parameters takes 1 MB for its matrices, more than 5 parameters may",
    );
    expect(() => attempt(network({}), { maxMu: 1e-9 })).toThrow(
      "optimizer.maxMu: expected at least mu, 0.001, got 1e-9",
    );
  });

  test("where no step lowers the loss, μ ends the run", () => {
    const network = Network.createSync({ inputs: 1, layers: [{ units: 1, init: "zeros" }] }, { dtype: "float64" });
    const history = network.fitSync([[1], [2]], [0, 0], { epochs: 5, optimizer: "lm" });
    expect(history.stopped).toBe("maxMu");
    expect(history.epochs).toHaveLength(1);
  });
});
