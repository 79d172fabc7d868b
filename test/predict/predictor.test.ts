import { describe, expect, test } from "vitest";
import { Network } from "../../src/index.ts";
import { Predictor } from "../../src/predict/index.ts";
import { bits, DTYPES, matrix, SPECS, trained } from "../export/drawn-networks.ts";

/** The error that a call throws. */
function errorOf(call: () => unknown): unknown {
  try {
    call();
  } catch (error) {
    return error;
  }
  throw new Error("expected an error");
}

describe.each(DTYPES)("%s: a Predictor has the bits of network.predict", (dtype) => {
  test.each(Object.keys(SPECS))("%s, 1 to 600 rows, and classes", async (name) => {
    const network = trained(SPECS[name]!, dtype);
    const predictor = await Predictor.load(network.save());
    expect([predictor.inputs, predictor.outputs, predictor.dtype]).toEqual([5, 3, dtype]);
    for (const rows of [600, 1, 8, 255, 256, 257]) {
      const x = matrix(network, rows, rows);
      const found = predictor.predict(x);
      expect(found.shape).toEqual([rows, 3]);
      expect(bits(found.data), `${rows} rows`).toBe(bits(network.predict(x).data));
      expect(predictor.predictClasses(x)).toEqual(network.predictClasses(x));
    }
  });

  test("rows of 90 000 values: fewer of them at a time", () => {
    const network = Network.createSync({ inputs: 90_000, layers: [{ units: 2 }] }, { dtype });
    const x = matrix(network, 9);
    expect(bits(Predictor.loadSync(network.save()).predict(x).data)).toBe(bits(network.predict(x).data));
  });

  test("several of them do not touch each other, and `into` is written and returned", () => {
    const [one, two] = [trained(SPECS.relu!, dtype, 1), trained(SPECS.relu!, dtype, 2)];
    const [a, b] = [one, two].map((network) => Predictor.loadSync(network.save({ optimizer: false })));
    const x = matrix(one, 300);
    for (const [predictor, network] of [
      [a, one],
      [b, two],
      [a, one],
    ] as const) {
      // biome-ignore format: a table
      const into = { data: new (dtype === "float32" ? Float32Array : Float64Array)(900), shape: [300, 3] as const };
      expect(predictor!.predict(x, { into })).toBe(into);
      expect(bits(into.data)).toBe(bits(network.predict(x).data));
    }
  });
});

describe("what is wrong is said in the library's words", () => {
  const network = trained(SPECS.relu!, "float32");
  const predictor = Predictor.loadSync(network.save());
  const row = [1, 2, 3, 4, 5];
  const into = () => ({ data: new Float32Array(3), shape: [1, 3] as const });
  const calls: [string, unknown, unknown?][] = [
    ["no rows", []],
    ["a flat array", row],
    ["a short row", [row, [1]]],
    ["text", [row, [1, 2, "3", 4, 5]]],
    ["NaN", [row, [1, 2, Number.NaN, 4, 5]]],
    ["an infinity in row 300", Array.from({ length: 301 }, (_, r) => (r === 300 ? [1, 2, 3, 4, -Infinity] : row))],
    ["more than float32 holds", [[1, 2, 3, 1e39, 5]]],
    ["a wrong shape", { data: new Float32Array(10), shape: [1, 10] }],
    ["nothing", undefined],
    ["an unknown option", [row], { inn: into() }],
    ["another dtype", [row], { into: { data: new Float64Array(3), shape: [1, 3] } }],
    ["into of another shape", [row, row], { into: into() }],
  ];
  test.each(calls)("%s", (_name, x, options) => {
    const expected = errorOf(() => network.predict(x as never, options as never)) as Error;
    const found = errorOf(() => predictor.predict(x as never, options as never)) as Error;
    expect(found.message).toBe(expected.message);
    expect(found.constructor).toBe(expected.constructor);
  });

  test("`into` stays as it was where a row is refused", () => {
    const kept = { data: new Float32Array(900).fill(7), shape: [300, 3] as const };
    const x = Array.from({ length: 300 }, (_, r) => (r === 299 ? [1, 2, 3, 4, Number.NaN] : row));
    expect(() => predictor.predict(x, { into: kept })).toThrow("row 299, column 4");
    expect(new Set(kept.data)).toEqual(new Set([7]));
  });

  test("classes of one output that is no sigmoid", () => {
    const spec = (activation: "tanh" | "sigmoid") => ({ inputs: 2, layers: [{ units: 1, activation }] });
    const [tanh, sigmoid] = [Network.createSync(spec("tanh")), Network.createSync(spec("sigmoid"))];
    const message = (errorOf(() => tanh.predictClasses([[1, 2]])) as Error).message;
    expect(() => Predictor.loadSync(tanh.save()).predictClasses([[1, 2]])).toThrow(message);
    const x = matrix(sigmoid, 40);
    expect(Predictor.loadSync(sigmoid.save()).predictClasses(x)).toEqual(sigmoid.predictClasses(x));
  });

  test("bytes that are damaged anywhere in spec or weights, cut off, or no bytes", async () => {
    const bytes = network.save({ optimizer: false });
    const files: unknown[] = ["text", new Uint8Array(0), bytes.subarray(0, 700), new Uint8Array(100)];
    for (let at = 0; at < 400; at += 13) {
      const damaged = bytes.slice();
      damaged[at]! ^= 0x10;
      files.push(damaged);
    }
    for (const file of files) {
      const expected = errorOf(() => Network.loadSync(file as Uint8Array)) as Error;
      expect(() => Predictor.loadSync(file as Uint8Array)).toThrow(expected.message);
      await expect(Predictor.load(file as Uint8Array)).rejects.toThrow(expected.message);
    }
  });

  test("there is no other way to one", () => {
    expect(() => new (Predictor as unknown as new () => Predictor)()).toThrow("expected Predictor.load or loadSync");
  });
});
