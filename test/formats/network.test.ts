import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decode, encode, type SavedNetwork } from "../../src/formats/network.ts";
import {
  OPTIMIZER_SCALARS,
  OPTIMIZER_SLOTS,
  type ResolvedOptimizer,
  resolveOptimizer,
} from "../../src/options/optimizer.ts";
import { parameterCount, resolveSpec } from "../../src/options/spec.ts";
import { file, small } from "./saved.ts";

/** Bits of both sides, all NaNs counting as equal; typed arrays, −0 and keys are told apart. */
const same = (a: unknown, b: unknown) => expect(a).toStrictEqual(b);

const plainObjects = { noNullPrototype: true };
const real = fc.double();
const reals = (length: number) => fc.array(real, { minLength: length, maxLength: length });
const count = fc.integer({ min: 0, max: 2 ** 31 - 1 });
const evaluation = fc.record(
  { loss: real, penalty: real, accuracy: real },
  { requiredKeys: ["loss", "penalty"], ...plainObjects },
);
const report = fc.record(
  {
    epoch: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
    loss: real,
    metrics: fc.record({ accuracy: real }, { requiredKeys: [], ...plainObjects }),
    validation: evaluation,
    learningRate: real,
    samplesPerSecond: real,
  },
  { requiredKeys: ["epoch", "loss", "metrics", "learningRate", "samplesPerSecond"], ...plainObjects },
);
const progress = fc.record(
  {
    epoch: count,
    step: fc.maxSafeNat(),
    position: count,
    epochLoss: real,
    epochCorrect: count,
    fingerprint: fc.stringMatching(/^[0-9a-f]{1,32}$/),
    shuffle: fc.boolean(),
    validation: fc.string({ unit: "binary" }),
  },
  { requiredKeys: ["epoch", "step", "position", "epochLoss", "epochCorrect"], ...plainObjects },
);
const RECORDS: SavedNetwork["record"][] = [
  { given: [], found: [], trainable: [], calls: [] },
  { given: ["layers[0].init"], found: ["layers[0]"], trainable: [true, "bias"], calls: [{ call: "step", times: 7 }] },
];

const layer = fc.record(
  {
    units: fc.integer({ min: 1, max: 4 }),
    activation: fc.constantFrom("tanh", "relu", { type: "leakyRelu", alpha: 0.3 }),
    bias: fc.boolean(),
    trainable: fc.constantFrom(true, false, "weights"),
    init: fc.constantFrom("heNormal", { type: "uniform", epsilon: 0.1 }, { type: "constant", value: -0 }),
  },
  { requiredKeys: ["units"], ...plainObjects },
);
const finite = fc.float({ noNaN: true, noDefaultInfinity: true });
const optimizers = fc.constantFrom<ResolvedOptimizer>(
  resolveOptimizer({ type: "sgd", learningRate: 0.1 + 0.2 }),
  resolveOptimizer("momentum"),
  resolveOptimizer("nesterov"),
  resolveOptimizer({ type: "adam", epsilon: 1e-30 }),
);

const watch = {
  key: fc.string(),
  best: fc.option(fc.double({ noNaN: true, noDefaultInfinity: true })),
  since: fc.maxSafeNat(),
};

/** A random network with everything a file can hold. */
const saved: fc.Arbitrary<SavedNetwork> = fc
  .record({
    inputs: fc.integer({ min: 1, max: 4 }),
    layers: fc.array(layer, { minLength: 1, maxLength: 3 }),
    affine: fc.boolean(),
  })
  .chain(({ inputs, layers, affine }) => {
    const vector = fc.array(finite, { minLength: inputs, maxLength: inputs });
    return fc.record({ scale: vector, shift: vector }).map((vectors) => {
      return resolveSpec({ inputs, layers: affine ? [{ type: "affine", ...vectors }, ...layers] : layers });
    });
  })
  .chain((spec) => {
    const length = parameterCount(spec);
    const strings = (size: number) => fc.array(fc.string({ unit: "binary" }), { minLength: size, maxLength: size });
    const outputs = (spec.layers.at(-1) as { units: number }).units;
    const unknown = fc.record({ name: fc.stringMatching(/^x[A-Za-z]{3}$/), data: fc.uint8Array({ maxLength: 20 }) });
    return fc
      .record({
        dtype: fc.constantFrom("float32" as const, "float64" as const),
        seed: fc.maxSafeNat(),
        parameters: reals(length),
        optimizer: fc.option(optimizers),
        slots: fc.array(reals(length), { minLength: 2, maxLength: 2 }),
        powers: fc.tuple(...[0, 1].map(() => fc.double({ min: 0, max: 1, noNaN: true }))),
        began: fc.record({ step: fc.maxSafeNat(), epoch: fc.maxSafeNat() }, plainObjects),
        plateau: fc.option(fc.record({ ...watch, product: fc.double({ min: 0, max: 1, noNaN: true }) }, plainObjects)),
        best: fc.option(fc.record(watch, plainObjects)),
        bestParameters: fc.option(reals(length)),
        progress,
        history: fc.array(report, { maxLength: 3 }),
        record: fc.constantFrom(...RECORDS),
        names: fc.option(
          fc.record(
            { columns: strings(spec.inputs), target: fc.string(), classes: strings(outputs === 1 ? 2 : outputs) },
            { requiredKeys: [], ...plainObjects },
          ),
        ),
        unknown: fc.array(unknown, { maxLength: 3 }),
      })
      .map((drawn) => {
        const {
          dtype,
          seed,
          parameters,
          optimizer,
          slots,
          powers,
          began,
          names,
          plateau,
          best,
          bestParameters,
          ...rest
        } = drawn;
        const from = (values: number[]) =>
          dtype === "float32" ? Float32Array.from(values) : Float64Array.from(values);
        const state = optimizer && {
          options: optimizer,
          slots: slots.slice(0, OPTIMIZER_SLOTS[optimizer.type]).map(from),
          scalars: powers.slice(0, OPTIMIZER_SCALARS[optimizer.type].length),
          began,
        };
        const network = {
          spec,
          dtype,
          seed,
          parameters: from(parameters),
          ...(state && { optimizer: state }),
          watches: {
            ...(plateau && { plateau }),
            ...(best && { best: { ...best, ...(bestParameters && { parameters: from(bestParameters) }) } }),
          },
          ...rest,
        };
        return names === null ? network : { ...network, names };
      }) as fc.Arbitrary<SavedNetwork>;
  });

describe("encode and decode", () => {
  test("over 300 random networks nothing is lost, and the file is the same again", () => {
    fc.assert(
      fc.property(saved, (network) => {
        const bytes = encode(network);
        const loaded = decode(bytes);
        same(loaded, plain(network));
        expect(encode(loaded)).toEqual(bytes);
        expect(bytes.length % 8).toBe(0);
      }),
      { numRuns: 300, seed: 1 },
    );
  });

  test("a file at any byte offset of a larger buffer, and a Node Buffer, load alike", () => {
    const bytes = encode(small());
    const expected = decode(bytes);
    for (let offset = 0; offset < 9; offset++) {
      const larger = new Uint8Array(bytes.length + 20).fill(255);
      larger.set(bytes, offset);
      same(decode(larger.subarray(offset, offset + bytes.length)), expected);
    }
    same(decode(Buffer.from(bytes)), expected);
  });

  test("what comes back is a copy", () => {
    const bytes = encode(small());
    const loaded = decode(bytes);
    const before = structuredClone(loaded);
    bytes.fill(0);
    same(loaded, before);
  });

  test("NaNs of any bits become the one canonical NaN, in both dtypes", () => {
    for (const [dtype, words, canonical] of [
      ["float32", [0xffc12345, 0x3f800000], [0, 0, 0xc0, 0x7f]],
      ["float64", [0x12345678, 0xfff81234], [0, 0, 0, 0, 0, 0, 0xf8, 0x7f]],
    ] as const) {
      const buffer = new Uint32Array(words).buffer;
      const first = dtype === "float32" ? new Float32Array(buffer) : new Float64Array(buffer);
      const parameters = dtype === "float32" ? Float32Array.of(0, 0, 0) : Float64Array.of(0, 0, 0);
      parameters[0] = Number.NaN;
      new Uint8Array(parameters.buffer).set(new Uint8Array(first.buffer).subarray(0, parameters.BYTES_PER_ELEMENT));
      const bytes = encode({ ...small(), dtype, parameters });
      const at = file(bytes).find(({ name }) => name === "WGHT")?.start as number;
      expect([...bytes.subarray(at, at + parameters.BYTES_PER_ELEMENT)]).toEqual(canonical);
    }
  });

  test("initial values given as arrays are not saved: the weights are", () => {
    const spec = resolveSpec({ inputs: 2, layers: [{ units: 1, init: [[1, 2]], biasInit: [3] }] });
    const loaded = decode(encode({ ...small(), spec }));
    expect(loaded.spec.layers[0]).toMatchObject({ init: { type: "xavierUniform" }, biasInit: { type: "zeros" } });
  });

  test("a network without optimizer, names, history and further chunks", () => {
    const { optimizer: _, names: __, ...rest } = small();
    const network = { ...rest, history: [], unknown: [] };
    same(decode(encode(network)), plain(network));
  });

  test("the reals of a file stand at multiples of 8 bytes, little-endian, W row by row and then b", () => {
    const bytes = encode({ ...small(), parameters: Float32Array.of(1, -2, 0.5) });
    const chunk = file(bytes).find(({ name }) => name === "WGHT");
    expect(chunk?.length).toBe(12);
    expect((chunk?.start as number) % 8).toBe(0);
    const view = new DataView(bytes.buffer);
    expect([0, 4, 8].map((at) => view.getFloat32((chunk?.start as number) + at, true))).toEqual([1, -2, 0.5]);
  });

  test("encode refuses arrays that do not fit the spec and names of chunks that are taken", () => {
    const network = small();
    expect(() => encode({ ...network, parameters: new Float32Array(4) })).toThrow(
      new RangeError("save: expected 3 parameters values, got 4"),
    );
    const optimizer = network.optimizer as NonNullable<typeof network.optimizer>;
    expect(() => encode({ ...network, optimizer: { ...optimizer, slots: [] } })).toThrow(
      new RangeError("save: expected 2 slots, got 0"),
    );
    for (const name of ["hist", "ABCD", "ab", "a b c"]) {
      expect(() => encode({ ...network, unknown: [{ name, data: new Uint8Array() }] })).toThrow(RangeError);
    }
  });
});

/** The network as decode gives it: the data of further chunks as plain bytes. */
function plain(network: SavedNetwork): SavedNetwork {
  return { ...network, unknown: network.unknown.map(({ name, data }) => ({ name, data: new Uint8Array(data) })) };
}
