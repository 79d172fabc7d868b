// What comes back: copies in the network's dtype, classes, evaluations, gradients, clones, and what freezing does.
import { describe, expect, test } from "vitest";
import { type Matrix, Network, type NetworkSpec } from "../../src/index.ts";
import { drawRows, drawsFrom } from "../draws.ts";
import { hex, stateOf } from "../saved-state.ts";

const draw = drawsFrom(71);
const X = drawRows(draw, 25, 3, 1);
const Y = drawRows(draw, 25, 2, 1);
const SPEC: NetworkSpec = {
  inputs: 3,
  layers: [{ units: 5, activation: "tanh" }, { units: 4, activation: "relu", bias: false }, { units: 2 }],
};
const matrix = (rows: number[][], Kind: typeof Float32Array | typeof Float64Array): Matrix => ({
  data: Kind.from(rows.flat()),
  shape: [rows.length, rows[0]!.length],
});
const single = (
  units: number,
  activation: "linear" | "sigmoid" | "softmax",
  W: number[][],
  b?: number[],
): NetworkSpec => ({
  inputs: W[0]!.length,
  layers: [{ units, activation, init: W, ...(b && { biasInit: b }) }],
});

describe.each(["float32", "float64"] as const)("in %s", (dtype) => {
  const Kind = dtype === "float32" ? Float32Array : Float64Array;
  const create = () => Network.createSync(SPEC, { dtype });

  test("every result is a copy: changing it changes nothing", () => {
    using network = create();
    network.fitSync(X, Y, { epochs: 2 });
    const state = stateOf(network);
    const take = () => ({
      predict: network.predict(X).data,
      weights: network.weights().flatMap(({ W, b }) => (b ? [W.data, b] : [W.data])),
      gradients: network.gradients(X, Y).layers.flatMap(({ W, b }) => (b ? [W.data, b] : [W.data])),
      inputGradients: network.inputGradients(X, Y).data,
      classes: network.predictClasses(X),
    });
    const first = take();
    const kept = structuredClone(first);
    for (const array of Object.values(first).flat()) {
      if (array instanceof Int32Array) continue;
      expect(array).toBeInstanceOf(Kind);
      array.fill(Number.NaN);
    }
    first.classes.fill(-9);
    network.save().fill(0);
    expect(take()).toEqual(kept);
    expect(stateOf(network)).toEqual(state);
    const again = network.predict(X).data;
    network.predict(X.slice(3));
    network.fitSync(X, Y, { epochs: 1 });
    expect(again).toEqual(kept.predict);
  });

  test("reports and history cannot be changed, and the next look is unharmed", () => {
    using network = create();
    const history = network.fitSync(X, Y, { epochs: 2 });
    const before = JSON.stringify(network.history);
    for (const attempt of [
      () => (history.epochs as unknown[]).push(1),
      () => (network.history.epochs as unknown[]).pop(),
      () => Object.assign(network.history.epochs[0]!, { loss: 0 }),
      () => Object.assign(history.optimizer, { learningRate: 9 }),
    ]) {
      try {
        attempt();
      } catch {
        // Frozen, or a copy: both are fine.
      }
    }
    expect(JSON.stringify(network.history)).toBe(before);
    expect(network.fitSync(X, Y, { epochs: 1 }).optimizer).toMatchObject({ learningRate: 0.001 });
  });

  test("inputs are only read, and rows, matrices of both kinds and typed rows mean the same", () => {
    using network = create();
    const rounded = X.map((row) => row.map(Math.fround));
    const expected = hex(network.predict(rounded).data);
    const forms = {
      "Float32Array matrix": matrix(rounded, Float32Array),
      "Float64Array matrix": matrix(rounded, Float64Array),
      "typed rows": rounded.map((row) => Float32Array.from(row)),
      "array-like rows": rounded.map((row) => ({ length: 3, 0: row[0]!, 1: row[1]!, 2: row[2]! })),
    };
    for (const [form, x] of Object.entries(forms)) {
      const before = JSON.stringify(x);
      expect(hex(network.predict(x).data), form).toBe(expected);
      expect(JSON.stringify(x), form).toBe(before);
    }
    const shared = new Float64Array(3 * 25 + 7);
    shared.set(rounded.flat(), 5);
    expect(hex(network.predict({ data: shared.subarray(5, 80), shape: [25, 3] }).data)).toBe(expected);
  });

  test("predict({ into }) fills the user's matrix, returns it, and touches nothing around it", () => {
    using network = create();
    const expected = network.predict(X).data;
    const around = new Kind(60).fill(7);
    const into: Matrix = { data: around.subarray(5, 55), shape: [25, 2] };
    expect(network.predict(X, { into })).toBe(into);
    expect(hex(into.data)).toBe(hex(expected));
    expect([...around.subarray(0, 5), ...around.subarray(55)]).toEqual(new Array(10).fill(7));
    // The same buffer, side by side with x.
    const buffer = new Kind(75 + 50);
    buffer.set(X.flat());
    const beside: Matrix = { data: buffer.subarray(75), shape: [25, 2] };
    network.predict({ data: buffer.subarray(0, 75), shape: [25, 3] }, { into: beside });
    expect(hex(beside.data)).toBe(hex(expected));
  });

  test("setWeights(weights()) changes nothing; other weights come back as they were given", () => {
    using network = create();
    network.fitSync(X, Y, { epochs: 1 });
    // But for the record that it was called.
    const { rcpt: _, ...state } = stateOf(network);
    network.setWeights(network.weights());
    expect(stateOf(network)).toMatchObject(state);
    const next = network.weights().map(({ W, b }) => ({
      W: Array.from({ length: W.shape[0] }, () => Array.from({ length: W.shape[1] }, () => Math.fround(draw()))),
      ...(b && { b: Array.from(b, () => Math.fround(draw())) }),
    }));
    network.setWeights(next);
    for (const [l, { W, b }] of network.weights().entries()) {
      expect(Array.from(W.data)).toEqual(next[l]!.W.flat());
      expect(W.shape).toEqual([next[l]!.W.length, next[l]!.W[0]!.length]);
      expect(b && Array.from(b)).toEqual(next[l]!.b);
    }
    // Optimizer state and counters stay.
    expect({ ...stateOf(network), WGHT: "" }).toMatchObject({ ...state, WGHT: "" });
  });
});

describe("predictClasses", () => {
  test("gives the largest output, the lowest index on a tie", () => {
    for (const activation of ["softmax", "linear"] as const) {
      using network = Network.createSync(single(4, activation, [[1], [2], [2], [-1]], [0, 0, 0, 0]));
      expect(network.predictClasses([[1], [0], [-1], [3]])).toEqual(Int32Array.from([1, 0, 3, 1]));
    }
  });

  test("asks one sigmoid unit for ≥ 0.5", () => {
    using network = Network.createSync(single(1, "sigmoid", [[1]], [0]));
    expect(network.predictClasses([[0], [-1e-3], [1e-3], [-0]])).toEqual(Int32Array.from([1, 0, 1, 1]));
  });

  test("refuses one output of another kind", () => {
    using network = Network.createSync(single(1, "linear", [[1]]));
    expect(() => network.predictClasses([[0]])).toThrow(RangeError);
    expect(() => network.predictClasses([[0]])).toThrow(/sigmoid/);
  });
});

describe("evaluate", () => {
  test("counts right answers where outputs are classes, and only there", () => {
    using three = Network.createSync(
      single(3, "softmax", [
        [1, 0],
        [0, 1],
        [-1, -1],
      ]),
    );
    const x = [
      [2, 0],
      [0, 2],
      [-2, -2],
      [2, 0],
    ];
    expect(three.evaluate(x, [0, 1, 2, 1])).toMatchObject({ accuracy: 0.75, penalty: 0 });
    expect(
      three.evaluate(x, [
        [1, 0, 0],
        [0, 1, 0],
        [0, 1, 0],
        [0, 0, 1],
      ]).accuracy,
    ).toBe(0.5);
    using one = Network.createSync(single(1, "sigmoid", [[1]]));
    expect(one.evaluate([[1], [-1], [0], [2]], [1, 0, 0, 0.25]).accuracy).toBe(0.5);
    using reals = Network.createSync(SPEC);
    expect(reals.evaluate(X, Y)).not.toHaveProperty("accuracy");
  });

  test("is the mean over samples: twice the rows, the same loss", () => {
    using network = Network.createSync(SPEC, { dtype: "float64" });
    const { loss } = network.evaluate(X, Y);
    expect(network.evaluate([...X, ...X], [...Y, ...Y]).loss).toBeCloseTo(loss, 14);
  });

  test("one column of targets may be flat or rows", () => {
    using network = Network.createSync(single(1, "sigmoid", [[1, 1, 1]]));
    const flat = X.map((_, i) => i % 2);
    const rows = flat.map((value) => [value]);
    expect(network.evaluate(X, flat)).toEqual(network.evaluate(X, rows));
    expect(network.evaluate(X, Float32Array.from(flat))).toEqual(network.evaluate(X, matrix(rows, Float64Array)));
  });

  test("class indices and one-hot rows mean the same", () => {
    using network = Network.createSync(
      single(3, "softmax", [
        [1, 0, 2],
        [0, 1, 0],
        [-1, -1, 1],
      ]),
      { dtype: "float64" },
    );
    const classes = X.map((_, i) => i % 3);
    const rows = classes.map((k) => [0, 1, 2].map((o) => Number(o === k)));
    expect(network.evaluate(X, classes)).toEqual(network.evaluate(X, rows));
    expect(network.gradients(X, classes)).toEqual(network.gradients(X, rows));
  });
});

describe("validation", () => {
  const labels = X.map((_, i) => Math.min(2, Math.floor(i / 5)));
  const spec: NetworkSpec = { inputs: 3, layers: [{ units: 3, activation: "softmax" }] };

  test("0.2 of 25 rows holds 5 back, in the classes' shares, and tells which", () => {
    using network = Network.createSync(spec, { dtype: "float64" });
    const { validationIndices, epochs } = network.fitSync(X, labels, { epochs: 2, validation: 0.2, batchSize: "full" });
    const held = Array.from(validationIndices!);
    expect(held).toEqual([...new Set(held)].sort((a, b) => a - b));
    // 5, 5 and 15 of the classes.
    expect([0, 1, 2].map((k) => held.filter((i) => labels[i] === k).length)).toEqual([1, 1, 3]);
    // The same as training on the rest and evaluating on them.
    using twin = Network.createSync(spec, { dtype: "float64" });
    const rest = X.map((_, i) => i).filter((i) => !held.includes(i));
    twin.fitSync(
      rest.map((i) => X[i]!),
      rest.map((i) => labels[i]!),
      { epochs: 2, batchSize: "full" },
    );
    expect(network.weights()).toEqual(twin.weights());
    expect(epochs[1]!.validation).toEqual(
      twin.evaluate(
        held.map((i) => X[i]!),
        held.map((i) => labels[i]!),
      ),
    );
  });

  test("held-back rows and { x, y } change no other draw", () => {
    const weights = (options: object) => {
      using network = Network.createSync(spec);
      network.fitSync(X, labels, { epochs: 3, batchSize: 4, ...options });
      return network.weights();
    };
    expect(weights({ validation: { x: X.slice(0, 3), y: labels.slice(0, 3) } })).toEqual(weights({}));
    expect(weights({ validation: 0.2 })).not.toEqual(weights({}));
  });
});

describe("summary", () => {
  test("names every layer, its shape and the number of parameters", () => {
    using network = Network.createSync(SPEC);
    const text = network.summary();
    for (const word of ["tanh", "relu", "linear", String(network.parameterCount), "float32", "simd"])
      expect(text).toContain(word);
  });
});
