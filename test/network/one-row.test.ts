// `predict` of one row, with `into` and without: a way of its own, with the bits, the checks and the errors of the general one.
import { describe, expect, test } from "vitest";
import { type Matrix, Network, type NetworkSpec } from "../../src/index.ts";
import { drawRows, drawsFrom } from "../draws.ts";
import { hex } from "../saved-state.ts";

const SPECS: readonly NetworkSpec[] = [
  { inputs: 1, layers: [{ units: 1 }] },
  { inputs: 5, layers: [{ units: 3, activation: "softmax" }] },
  {
    inputs: 13,
    layers: [
      { units: 18, activation: "tanh" },
      { units: 7, activation: "sigmoid" },
    ],
  },
  {
    inputs: 64,
    layers: [
      { units: 33, activation: "relu" },
      { units: 10, activation: "softmax" },
    ],
  },
  {
    inputs: 3,
    layers: [
      { type: "affine", scale: [2, 0.5, 1], shift: [0, 1, -1] },
      { units: 6, activation: "leakyRelu" },
      { units: 2 },
    ],
  },
];

describe.each(["simd", "js"] as const)("on the %s core", (core) => {
  describe.each(["float32", "float64"] as const)("%s", (dtype) => {
    const Reals = dtype === "float32" ? Float32Array : Float64Array;
    const matrix = (values: ArrayLike<number>): Matrix => ({ data: Reals.from(values), shape: [1, values.length] });
    const empty = (cols: number): Matrix => matrix(Array<number>(cols).fill(-7));

    test.each(SPECS.map((spec) => ({ spec, units: spec.layers.length })))(
      "rows have the bits of the same rows in a batch, before and after the memory has grown: $spec.inputs inputs, $units layers",
      async ({ spec }) => {
        using network = Network.createSync(spec, { core, dtype, seed: 5 });
        const rows = drawRows(drawsFrom(8), 11, spec.inputs, 2).map((row) => Array.from(Reals.from(row)));
        const into = empty(network.outputs);
        const compare = () => {
          const { data } = network.predict(rows);
          for (const [r, row] of rows.entries()) {
            expect(network.predict(matrix(row), { into })).toBe(into);
            expect(hex(into.data)).toBe(hex(data.slice(r * network.outputs, (r + 1) * network.outputs)));
            const fresh = network.predict(matrix(row));
            expect([hex(fresh.data), fresh.shape]).toEqual([hex(into.data), into.shape]);
          }
        };
        compare();
        const many = Math.ceil(200_000 / spec.inputs);
        const x = { data: new Reals(many * spec.inputs), shape: [many, spec.inputs] as const };
        const y = {
          data: new Reals(many * network.outputs).fill(1 / network.outputs),
          shape: [many, network.outputs] as const,
        };
        network.fitSync(x, y, { maxSteps: 1 });
        compare();
        const run = network.fit(x, y, { batchSize: 8, maxSteps: 30 });
        for (let turn = 0; turn < 3; turn++) {
          await new Promise<void>((resolve) => setImmediate(resolve));
          compare();
        }
        await run;
        compare();
      },
    );

    test("refuses what the general way refuses, and leaves `into` as it was", () => {
      using network = Network.createSync(SPECS[1] as NetworkSpec, { core, dtype });
      const into = empty(3);
      const good = [1, 2, 3, 4, 5];
      const bad = (index: number, value: number) => matrix(good.map((x, i) => (i === index ? value : x)));
      expect(() => network.predict(bad(3, Number.NaN), { into })).toThrow(/x: .*NaN in row 0, column 3/);
      expect(() => network.predict(bad(4, Infinity), { into })).toThrow(/Infinity in row 0, column 4/);
      expect(() => network.predict(matrix([1, 2, 3, 4]), { into })).toThrow(RangeError);
      expect(() => network.predict(matrix(good), { into: empty(4) })).toThrow(RangeError);
      expect(() => network.predict(matrix(good), { into, other: 1 } as object)).toThrow(/other/);
      expect(() => network.predict(matrix(good), { into: { data: into.data, shape: [3, 1] } })).toThrow(RangeError);
      const shared = new Reals(10);
      const overlapping = { data: shared.subarray(0, 5), shape: [1, 5] as const };
      expect(() => network.predict(overlapping, { into: { data: shared.subarray(2, 5), shape: [1, 3] } })).toThrow(
        /overlaps/,
      );
      expect([...into.data]).toEqual([-7, -7, -7]);
      network.predict(matrix(good), { into });
      expect([...into.data]).not.toContain(-7);
      network.dispose();
      expect(() => network.predict(matrix(good), { into })).toThrow(/disposed/);
    });
  });
});
