import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decode, encode } from "../../src/formats/network.ts";
import { list } from "../../src/options/checks.ts";
import { OPTIMIZER_NAMES } from "../../src/options/optimizer.ts";
import { changed, file, fileOf, small } from "./saved.ts";

const OPTIMIZERS = list(OPTIMIZER_NAMES, "or");

const bytes = encode(small());

/** `decode` says exactly this, in a RangeError. */
function refuses(damaged: unknown, message: string, kind: typeof TypeError | typeof RangeError = RangeError) {
  expect(() => decode(damaged)).toThrow(new kind(message));
  expect(() => decode(damaged)).toThrow(kind);
}

/** Either a network or a TypeError or RangeError that begins with "load: ". */
function survives(garbage: Uint8Array): boolean {
  try {
    decode(garbage);
    return true;
  } catch (error) {
    expect((error as Error).message).toMatch(/^load: /);
    expect(error).toBeInstanceOf(RangeError);
    return false;
  }
}

const place = (name: string) => file(bytes).find((chunk) => chunk.name === name) as ReturnType<typeof file>[number];
const patched = (at: number, ...values: number[]) => {
  const copy = bytes.slice();
  copy.set(values, at);
  return copy;
};
const textOf = (name: string) =>
  new TextDecoder().decode(bytes.subarray(place(name).start, place(name).start + place(name).length));

test("the file of the test's own writer is the file of encode", () => {
  expect(changed(bytes, "none", undefined)).toEqual(bytes);
});

describe("decode refuses", () => {
  test("what is no Uint8Array", () => {
    refuses(bytes.buffer, "load: expected a Uint8Array, got an ArrayBuffer", TypeError);
    refuses("file.bin", "load: expected a Uint8Array, got 'file.bin'", TypeError);
    refuses(undefined, "load: expected a Uint8Array, got undefined", TypeError);
    refuses([...bytes], `load: expected a Uint8Array, got an array of ${bytes.length}`, TypeError);
    refuses(new Float32Array(9), "load: expected a Uint8Array, got a Float32Array of 9", TypeError);
    refuses({ [Symbol.toStringTag]: "Uint8Array" }, "load: expected a Uint8Array, got a Uint8Array", TypeError);
  });

  test("empty and foreign bytes", () => {
    refuses(new Uint8Array(), "load: not a chainrule network: the file is empty");
    const expected = "load: not a chainrule network: expected it to begin with 89 43 48 4e 52 0d 0a 1a, got";
    refuses(Uint8Array.of(0x50, 0x4b, 3, 4), `${expected} 50 4b 03 04`);
    refuses(new TextEncoder().encode('{"a": 1, "b": 2}'), `${expected} 7b 22 61 22 3a 20 31 2c`);
    const unix = Uint8Array.from([...bytes].filter((byte) => byte !== 0x0d));
    refuses(unix, `${expected} 89 43 48 4e 52 0a 1a 01`);
  });

  test("a newer format, and the version 0", () => {
    refuses(patched(8, 2), "load: expected format version 1, got 2: a newer version of chainrule is needed");
    refuses(patched(8, 0), "load: expected format version 1, got 0");
  });

  test("a file cut anywhere, saying where", () => {
    refuses(bytes.subarray(0, 12), "load: the file ends inside its header: expected 16 bytes, got 12");
    refuses(bytes.subarray(0, 16), "load: the file ends before chunk 1 of 11");
    const { at, start, length } = place("WGHT");
    expect(length).toBe(12);
    refuses(bytes.subarray(0, start + 5), "load: the file ends inside chunk WGHT: expected 12 bytes, got 5");
    refuses(
      bytes.subarray(0, at + 15),
      "load: the file ends inside the header of chunk 2 of 11: expected 16 bytes, got 15",
    );
    for (let size = 0; size < bytes.length; size++) expect(survives(bytes.subarray(0, size))).toBe(false);
  });

  test("bytes after the last chunk", () => {
    const longer = new Uint8Array(bytes.length + 8);
    longer.set(bytes);
    refuses(longer, "load: expected the file to end after 11 chunks, got 8 more bytes");
  });

  test("lengths far beyond the file, without reserving memory for them", () => {
    const { at } = place("WGHT");
    refuses(
      patched(at + 8, 0xff, 0xff, 0xff, 0xff),
      `load: the file ends inside chunk WGHT: expected 4294967295 bytes, got ${bytes.length - at - 16}`,
    );
    refuses(
      patched(at + 8, 255, 255, 255, 255, 255, 255, 255, 255),
      `load: the file ends inside chunk WGHT: expected 18446744073709552000 bytes, got ${bytes.length - at - 16}`,
    );
    refuses(patched(12, 255, 255, 255, 255), "load: the file ends before chunk 12 of 4294967295");
  });

  test("every change of a single byte: all 255 other values in headers, every flipped bit in data", () => {
    const inData = (at: number) => file(bytes).some(({ start, length }) => at >= start && at < start + length);
    const all = Array.from({ length: 255 }, (_, i) => i + 1);
    const flips = Array.from({ length: 8 }, (_, i) => 2 ** i);
    const copy = bytes.slice();
    const accepted: string[] = [];
    for (let at = 0; at < bytes.length; at++) {
      const right = copy[at] as number;
      for (const change of inData(at) ? flips : all) {
        copy[at] = right ^ change;
        try {
          decode(copy);
          accepted.push(`byte ${at}: ${right} → ${right ^ change}`);
        } catch (error) {
          if (!(error instanceof RangeError && error.message.startsWith("load: "))) throw error;
        }
      }
      copy[at] = right;
    }
    expect(accepted).toEqual([]);
  });

  test("damaged data, padding and names, saying which chunk", () => {
    const { at, start, length } = place("WGHT");
    expect(() => decode(patched(start, 1))).toThrow(/^load: chunk WGHT is damaged: expected checksum \d+, got \d+$/);
    refuses(patched(start + length, 1), "load: chunk WGHT is damaged: expected zeros after its data");
    refuses(patched(at, 0), "load: chunk 2 of 11 is damaged: its name is not four letters");
    expect(() => decode(patched(at, 0x58))).toThrow(/^load: chunk XGHT is damaged: expected checksum/);
  });

  test("required chunks that are missing or unknown, and chunks that occur twice", () => {
    refuses(changed(bytes, "SPEC", undefined), "load: chunk SPEC is missing");
    refuses(changed(bytes, "WGHT", undefined), "load: chunk WGHT is missing");
    refuses(changed(bytes, "slot", undefined), "load: chunk slot is missing");
    refuses(changed(bytes, "optm", undefined), "load: chunk slot occurs without chunk optm");
    const chunks = [
      { name: "SPEC", data: textOf("SPEC") },
      { name: "WGHT", data: new Uint8Array(12) },
    ];
    const more = (name: string) => fileOf([...chunks, { name, data: new Uint8Array(12) }]);
    refuses(more("WGHT"), "load: chunk WGHT occurs twice");
    refuses(more("GRPH"), "load: chunk GRPH is required but not known: a newer version of chainrule is needed");
    expect(decode(more("grph")).unknown).toEqual([{ name: "grph", data: new Uint8Array(12) }]);
    expect(decode(fileOf(chunks)).progress).toEqual({ epoch: 0, step: 0, position: 0, epochLoss: 0, epochCorrect: 0 });
  });

  test("a spec that no network can have", () => {
    const spec = (text: string) => changed(bytes, "SPEC", text);
    refuses(spec("{"), "load: chunk SPEC: expected JSON");
    refuses(changed(bytes, "SPEC", Uint8Array.of(0x22, 0xff, 0x22)), "load: chunk SPEC: expected UTF-8");
    refuses(spec("\ufeff{}"), "load: chunk SPEC: expected JSON");
    refuses(spec("null"), "load: chunk SPEC: file: expected an object with spec, dtype and seed, got null");
    refuses(
      spec('{"dtype":"float16"}'),
      "load: chunk SPEC: dtype: expected float32 or float64, got 'float16', did you mean 'float32'?",
    );
    refuses(
      spec('{"dtype":"float32","seed":-1}'),
      "load: chunk SPEC: seed: expected an integer from 0 to 9007199254740991, got -1",
    );
    refuses(
      spec('{"dtype":"float32","seed":0,"more":1}'),
      "load: chunk SPEC: file: unknown option 'more'; the options are spec, dtype and seed",
    );
    const layers = (text: string) => spec(`{"dtype":"float32","seed":0,"spec":{"inputs":2,"layers":${text}}}`);
    refuses(layers("[]"), "load: chunk SPEC: layers: expected at least one dense layer, got none");
    refuses(
      layers('[{"units":1.5}]'),
      "load: chunk SPEC: layers[0].units: expected an integer from 1 to 16777216, got 1.5",
    );
    refuses(
      layers('[{"units":1,"activation":"felu"}]'),
      "load: chunk SPEC: layers[0].activation: expected linear, sigmoid, tanh, relu, leakyRelu, elu, selu, gelu, silu, softplus, softsign, mish, hardSigmoid, hardSwish, relu6 or softmax, got 'felu', did you mean 'relu'?",
    );
    refuses(
      layers('[{"type":"affine","scale":[1,{"$number":"NaN"}],"shift":[0,0]},{"units":1}]'),
      "load: chunk SPEC: layers[0].scale[1]: expected a number that is finite in float32, got NaN",
    );
    refuses(
      layers('[{"units":1,"init":{"length":16777216}}]'),
      "load: chunk SPEC: layers[0].init: expected rows of 2 values, got undefined in row 0",
    );
    refuses(
      layers(`${"[".repeat(200_000)}${"]".repeat(200_000)}`),
      "load: chunk SPEC: layers[0]: expected a layer object, got an array of 1",
    );
    expect(survives(layers(`[${'{"$number":'.repeat(200_000)}1${"}".repeat(200_000)}]`))).toBe(false);
  });

  test("weights and slots that do not fit the spec", () => {
    refuses(
      changed(bytes, "WGHT", new Uint8Array(8)),
      "load: chunk WGHT: expected 12 bytes for 3 float32 values, got 8",
    );
    refuses(
      changed(bytes, "slot", new Uint8Array(12)),
      "load: chunk slot: expected 24 bytes for 6 float32 values, got 12",
    );
    const huge = textOf("SPEC").replace('"inputs":2', '"inputs":16777216').replace('"units":1', '"units":16777216');
    refuses(
      changed(bytes, "SPEC", huge),
      "load: chunk WGHT: expected 1125899973951488 bytes for 281474993487872 float32 values, got 12",
    );
    const sgd = '{"options":{"type":"sgd"},"scalars":{},"began":{"step":0,"epoch":0}}';
    refuses(changed(bytes, "optm", sgd), "load: chunk slot: expected none for sgd");
  });

  test("an optimizer, progress, history or names that cannot be", () => {
    refuses(
      changed(bytes, "optm", '{"options":"adam","scalars":{"beta1Power":2,"beta2Power":1}}'),
      "load: chunk optm: scalars.beta1Power: expected a number from 0 to 1, got 2",
    );
    refuses(
      changed(bytes, "optm", '{"options":{"type":"tiger"}}'),
      `load: chunk optm: options.type: expected ${OPTIMIZERS}, got 'tiger'`,
    );
    refuses(
      changed(
        bytes,
        "rule",
        '{"plateau":{"key":"","best":0,"since":0,"product":2},"best":{"key":"","best":0,"since":0}}',
      ),
      "load: chunk rule: plateau.product: expected a number from 0 to 1, got 2",
    );
    refuses(changed(bytes, "rule", undefined), "load: chunk best occurs without chunk rule");
    refuses(
      changed(bytes, "prog", '{"epoch":-1}'),
      "load: chunk prog: epoch: expected an integer from 0 to 9007199254740991, got -1",
    );
    refuses(
      changed(bytes, "prog", textOf("prog").replace("00ff", "zz")),
      "load: chunk prog: fingerprint: expected hexadecimal digits, got 'zz'",
    );
    refuses(
      changed(bytes, "prog", textOf("prog").replace("true", "1")),
      "load: chunk prog: shuffle: expected true or false, got 1",
    );
    refuses(changed(bytes, "hist", "{}"), "load: chunk hist: history: expected an array of reports, got an object");
    refuses(
      changed(bytes, "hist", textOf("hist").replace('"loss":0.5', '"loss":null')),
      "load: chunk hist: history[0].loss: expected a number, got null",
    );
    refuses(
      changed(bytes, "hist", textOf("hist").replace('"epoch":1', '"epoch":0')),
      "load: chunk hist: history[0].epoch: expected an integer from 1 to 9007199254740991, got 0",
    );
    refuses(
      changed(bytes, "name", '{"columns":["a"]}'),
      "load: chunk name: names.columns: expected an array of 2 strings, got an array of 1",
    );
  });
});

describe("decode survives", () => {
  test("2000 arrays of random bytes, half of them after a right header", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.boolean(), (garbage, headed) => {
        expect(survives(headed ? Uint8Array.of(...bytes.subarray(0, 16), ...garbage) : garbage)).toBe(false);
      }),
      { numRuns: 2000, seed: 1 },
    );
  });

  test("500 files whose chunks hold random JSON under right checksums", () => {
    const names = fc.constantFrom("SPEC", "optm", "prog", "hist", "name");
    fc.assert(
      fc.property(names, fc.json(), (name, json) => {
        survives(changed(bytes, name, json));
      }),
      { numRuns: 500, seed: 1 },
    );
  });

  test("1000 files with one value of their JSON replaced by another, under right checksums", () => {
    const names = fc.constantFrom("SPEC", "optm", "prog", "hist", "name");
    const value = fc.oneof(fc.jsonValue(), fc.constantFrom(1e300, -1, 2 ** 53, "", [], {}));
    fc.assert(
      fc.property(names, fc.nat(), value, (name, which, replacement) => {
        const parts: unknown[] = [];
        const collect = (part: unknown) => JSON.stringify(part, (_key, inner: unknown) => parts.push(inner) && inner);
        const text = textOf(name);
        collect(JSON.parse(text));
        const victim = which % parts.length;
        let seen = 0;
        const swapped = JSON.stringify(JSON.parse(text), (_key, part: unknown) =>
          seen++ === victim ? replacement : part,
        );
        survives(changed(bytes, name, swapped));
      }),
      { numRuns: 1000, seed: 1 },
    );
  });
});
