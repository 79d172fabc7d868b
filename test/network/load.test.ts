// `save` and `load`: everything comes back, and nothing that is not a whole, undamaged file is taken.
import { crc32 } from "node:zlib";
import { describe, expect, test } from "vitest";
import { Network, type NetworkSpec } from "../../src/index.ts";
import { drawRows, drawsFrom } from "../draws.ts";
import { chunksOf, stateOf } from "../saved-state.ts";

const draw = drawsFrom(81);
const X = drawRows(draw, 20, 3, 1);
const Y = X.map((_, i) => i % 3);
const SPEC: NetworkSpec = {
  inputs: 3,
  layers: [
    { type: "affine", scale: [2, 1, 0.5], shift: [0, 0.25, -1] },
    { units: 4, activation: { type: "leakyRelu", alpha: 0.2 }, bias: false, trainable: "weights" },
    { units: 3, activation: "softmax", init: { type: "uniform", epsilon: 0.5 }, biasInit: [0.1, 0.2, 0.3] },
  ],
};

function trained(dtype: "float32" | "float64" = "float32"): Network {
  const network = Network.createSync(SPEC, { dtype, seed: 2 ** 40 + 3 });
  network.fitSync(X, Y, { maxSteps: 8, batchSize: 6, optimizer: "adam", validation: 0.25 });
  return network;
}

describe.each(["float32", "float64"] as const)("save and load in %s", (dtype) => {
  test("give back spec, weights, predictions, history and progress, on every core", async () => {
    using network = trained(dtype);
    const bytes = network.save();
    for (const core of ["auto", "simd", "js"] as const) {
      using loaded = Network.loadSync(bytes, { core });
      using awaited = await Network.load(bytes, { core });
      for (const each of [loaded, awaited]) {
        expect(each.core).toBe(core === "js" ? "js" : "simd");
        expect([each.dtype, each.spec, each.parameterCount]).toEqual([dtype, network.spec, network.parameterCount]);
        expect(each.weights()).toEqual(network.weights());
        expect(each.predict(X)).toEqual(network.predict(X));
        expect(each.history).toEqual(network.history);
        expect(each.save()).toEqual(bytes);
      }
    }
  });

  test("from a view into a larger buffer, which may change afterwards", () => {
    using network = trained(dtype);
    const bytes = network.save();
    for (const offset of [0, 1, 3, 8]) {
      const buffer = new Uint8Array(bytes.length + 20).fill(255);
      buffer.set(bytes, offset);
      using loaded = Network.loadSync(buffer.subarray(offset, offset + bytes.length));
      buffer.fill(0);
      expect(loaded.save()).toEqual(bytes);
      using fromNode = Network.loadSync(Buffer.from(bytes));
      expect(fromNode.save()).toEqual(bytes);
    }
  });

  test("save({ optimizer: false }) leaves the optimizer out: training begins with a new one", () => {
    using network = trained(dtype);
    const small = network.save({ optimizer: false });
    expect(small.length).toBeLessThan(network.save().length);
    using loaded = Network.loadSync(small);
    expect(loaded.predict(X)).toEqual(network.predict(X));
    expect(Object.keys(stateOf(loaded))).not.toContain("slot");
    using fresh = Network.createSync(SPEC, { dtype });
    fresh.setWeights(network.weights());
    for (const each of [loaded, fresh]) each.step(X, Y, { optimizer: "adam" });
    expect(loaded.weights()).toEqual(fresh.weights());
    network.step(X, Y);
    expect(network.weights()).not.toEqual(fresh.weights());
  });
});

describe("load refuses", () => {
  const bytes = (() => {
    using network = trained();
    return network.save();
  })();

  const refused = async (data: unknown, kind: typeof TypeError | typeof RangeError, message = /^load: /) => {
    let error: unknown;
    try {
      Network.loadSync(data as Uint8Array).dispose();
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(kind);
    expect((error as Error).message).toMatch(message);
    await expect(Network.load(data as Uint8Array)).rejects.toThrow(kind);
  };

  test.each([
    ["nothing", undefined],
    ["null", null],
    ["text", "CHNR"],
    ["an ArrayBuffer", new ArrayBuffer(64)],
    ["an array of numbers", [1, 2, 3]],
    ["an Int8Array", new Int8Array(64)],
    ["a network", {}],
  ])("%s with a TypeError", (_what, data) => refused(data, TypeError, /^load: expected a Uint8Array, got /));

  test.each([
    ["no bytes", new Uint8Array(0)],
    ["zeros", new Uint8Array(1000)],
    ["a PNG", Uint8Array.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13, 0x49, 0x48, 0x44, 0x52])],
    ["JSON", new TextEncoder().encode('{"inputs":3,"layers":[]}')],
    ["a wasm module", Uint8Array.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0])],
    ["noise", Uint8Array.from({ length: 5000 }, () => draw() * 256)],
  ])("%s with a RangeError", (_what, data) => refused(data, RangeError));

  test("the file cut off after any number of bytes", () => {
    for (let length = 0; length < bytes.length; length++) {
      expect(() => Network.loadSync(bytes.slice(0, length)), `${length} bytes`).toThrow(RangeError);
    }
  });

  test("the file with any one byte altered", () => {
    for (let at = 0; at < bytes.length; at++) {
      const altered = bytes.slice();
      altered[at] = altered[at]! ^ (1 << (at % 8));
      expect(() => Network.loadSync(altered), `byte ${at}`).toThrow(RangeError);
    }
  });

  test("the file with bytes after its end, or twice", async () => {
    await refused(Uint8Array.from([...bytes, 0]), RangeError);
    await refused(Uint8Array.from([...bytes, ...bytes]), RangeError);
  });

  test("a newer version, and says so", async () => {
    const newer = bytes.slice();
    newer[8] = 2;
    await refused(newer, RangeError, /version.* 1, got 2.*newer/);
  });
});

describe("a chunk that this version does not know", () => {
  /** The file with one more chunk, right in every field. */
  function withChunk(file: Uint8Array, name: string, data: Uint8Array): Uint8Array {
    const padded = Math.ceil(data.length / 8) * 8;
    const longer = new Uint8Array(file.length + 16 + padded);
    longer.set(file);
    const view = new DataView(longer.buffer);
    view.setUint32(12, view.getUint32(12, true) + 1, true);
    longer.set(new TextEncoder().encode(name), file.length);
    view.setUint32(file.length + 8, data.length, true);
    longer.set(data, file.length + 16);
    const head = crc32(longer.subarray(file.length, file.length + 4));
    view.setUint32(
      file.length + 4,
      crc32(longer.subarray(file.length + 8, file.length + 16 + data.length), head),
      true,
    );
    return longer;
  }

  test("is kept where its name begins with a small letter, through load, training and save", () => {
    using network = trained();
    const data = Uint8Array.from([1, 2, 3, 4, 5]);
    using loaded = Network.loadSync(withChunk(network.save(), "note", data));
    loaded.step(X, Y);
    expect(chunksOf(loaded.save()).get("note")).toEqual(data);
    using clone = loaded.clone();
    expect(chunksOf(clone.save()).get("note")).toEqual(data);
  });

  test("is refused where its name begins with a capital", () => {
    using network = trained();
    const file = withChunk(network.save(), "Next", new Uint8Array(3));
    expect(() => Network.loadSync(file)).toThrow(/Next/);
    expect(() => Network.loadSync(file)).toThrow(RangeError);
  });
});

describe("an affine node", () => {
  test("standardises raw columns before the first layer: a·scale + shift", () => {
    const spec: NetworkSpec = {
      inputs: 2,
      layers: [
        { type: "affine", scale: [2, -1], shift: [1, 3] },
        { units: 1, init: [[1, 10]], biasInit: [0.5] },
      ],
    };
    for (const core of ["simd", "js"] as const) {
      using network = Network.createSync(spec, { dtype: "float64", core });
      using loaded = Network.loadSync(network.save(), { core });
      for (const each of [network, loaded]) {
        expect(
          Array.from(
            each.predict([
              [1, 2],
              [-4, 0.5],
            ]).data,
          ),
        ).toEqual([3 + 10 + 0.5, -7 + 25 + 0.5]);
        expect(each.parameterCount).toBe(3);
      }
      // The gradient passes through the scale.
      const z = 3 + 10 + 0.5;
      const slope = 2 * (z - 1);
      expect(Array.from(network.inputGradients([[1, 2]], [[1]]).data)).toEqual([slope * 2, slope * 10 * -1]);
    }
  });
});
