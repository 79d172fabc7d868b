// Initialisers that look at more than one value: what their sources say of the result.
import { describe, expect, test } from "vitest";
import { type Initializer, Network } from "../src/index.ts";

function weights(init: Initializer, units: number, inputs: number, seed = 0, core: "simd" | "js" = "simd") {
  const network = Network.createSync({ inputs, layers: [{ units, init }] }, { seed, dtype: "float64", core });
  const { W, b } = network.weights()[0]!;
  const rows = Array.from({ length: units }, (_, r) => Array.from(W.data.slice(r * inputs, (r + 1) * inputs)));
  return { rows, b: Array.from(b!), data: Array.from(W.data) };
}

const dot = (a: number[], b: number[]) => a.reduce((sum, v, i) => sum + v * b[i]!, 0);
const RULES: Initializer[] = ["truncatedNormal", "orthogonal", "identity", "nguyenWidrow"];

describe("initialisers", () => {
  test.each([
    [7, 7],
    [5, 12],
    [12, 5],
  ])("orthogonal [%d × %d]: the fewer of rows and columns are orthonormal times gain", (units, inputs) => {
    const { rows } = weights({ type: "orthogonal", gain: 1.5 }, units, inputs, 3);
    const columns = rows[0]!.map((_, c) => rows.map((row) => row[c]!));
    const vectors = units <= inputs ? rows : columns;
    for (const [i, a] of vectors.entries()) {
      for (const [j, b] of vectors.entries()) expect(dot(a, b)).toBeCloseTo(i === j ? 2.25 : 0, 13);
    }
  });

  test("truncatedNormal stays within two deviations, with the moments of such a normal", () => {
    const { data } = weights({ type: "truncatedNormal", deviation: 0.5 }, 200, 200);
    expect(Math.max(...data.map(Math.abs))).toBeLessThanOrEqual(1);
    const variance = dot(data, data) / data.length;
    // 1 − 2·2·φ(2)/(2Φ(2) − 1) = 0.7737413
    expect(Math.abs(variance / 0.25 - 0.7737413)).toBeLessThan(0.02);
    expect(Math.abs(data.reduce((sum, v) => sum + v, 0) / data.length)).toBeLessThan(0.01);
    expect(new Set(data).size).toBe(data.length);
  });

  test("nguyenWidrow: rows of norm 0.7·units^(1/inputs), biases within it and not alike", () => {
    const beta = 0.7 * 10 ** (1 / 3);
    const { rows, b } = weights("nguyenWidrow", 10, 3);
    for (const row of rows) expect(Math.sqrt(dot(row, row))).toBeCloseTo(beta, 12);
    for (const value of b) expect(Math.abs(value)).toBeLessThanOrEqual(beta);
    expect(new Set(b).size).toBe(10);
    const network = Network.createSync({ inputs: 3, layers: [{ units: 4, init: "nguyenWidrow", biasInit: "zeros" }] });
    expect([...network.weights()[0]!.b!]).toEqual([0, 0, 0, 0]);
  });

  test("identity has its gain on the diagonal", () => {
    expect(weights({ type: "identity", gain: 2 }, 2, 3).rows).toEqual([
      [2, 0, 0],
      [0, 2, 0],
    ]);
  });

  test.each(RULES)("%s: the same bits on both cores, other ones for another seed, nothing else changes", (init) => {
    const one = weights(init, 6, 5, 7);
    expect(weights(init, 6, 5, 7, "js")).toEqual(one);
    if (init !== "identity") expect(weights(init, 6, 5, 8)).not.toEqual(one);
    const next = (first: Initializer) =>
      Network.createSync({ inputs: 5, layers: [{ units: 6, init: first }, { units: 2 }] }, { seed: 7 }).weights()[1];
    expect(next(init)).toEqual(next("xavierUniform"));
  });

  test("what makes no sense is refused", () => {
    const create = (layer: object) => () => Network.createSync({ inputs: 2, layers: [{ units: 2, ...layer }] });
    expect(create({ init: { type: "orthogonal", gain: 0 } })).toThrow("layers[0].init.gain: expected a number > 0");
    expect(create({ init: { type: "truncatedNormal", gain: 1 } })).toThrow("layers[0].init: unknown option 'gain'");
    expect(create({ biasInit: "orthogonal" })).toThrow("layers[0].biasInit: expected");
  });
});
