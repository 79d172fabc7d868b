import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { afterAll, describe, expect, test, vi } from "vitest";
import { float32 } from "../../src/core/embedded-standalone.ts";
import { decodeHex } from "../../src/core/hex.ts";
import { exportModule } from "../../src/export/index.ts";
import { moduleText } from "../../src/export/module-text.ts";
import { checkSize } from "../../src/export/sizes.ts";
import { Network } from "../../src/index.ts";
import { resolveActivation } from "../../src/options/activation.ts";
import { placeNetwork } from "../../src/predict/place.ts";
import { readPredictor } from "../../src/predict/read.ts";
import { bits, DTYPES, matrix, SPECS, trained } from "./drawn-networks.ts";

interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer };
  bytesPerValue(): number;
  inputs(): number;
  outputs(): number;
  rowCapacity(): number;
  inputAddress(): number;
  outputAddress(): number;
  predict(rows: number): number;
}

/** What the types of this project leave out. */
type Listing = (module: object) => { readonly name: string; readonly kind: string }[];

/** "function predict", …: the table of exports in docs/export.md. */
function documented(): string[] {
  const page = readFileSync(new URL("../../docs/export.md", import.meta.url), "utf8");
  const table = /^\| name \| type \|.*\n(?:\|.*\n)+/m.exec(page)?.[0] ?? "";
  return table
    .split("\n")
    .slice(2, -1)
    .flatMap((line) => {
      const [, names = "", type = ""] = line.split("|");
      const kind = type.trim() === "memory" ? "memory" : "function";
      return [...names.matchAll(/`(\w+)`/g)].map((match) => `${kind} ${match[1]}`);
    });
}

const instance = (binary: Uint8Array<ArrayBuffer>) =>
  new WebAssembly.Instance(new WebAssembly.Module(binary)).exports as unknown as Exports;

/** The kinds of a binary's sections, in order. */
function sectionsOf(binary: Uint8Array): number[] {
  const kinds: number[] = [];
  for (let at = 8; at < binary.length; ) {
    kinds.push(binary[at++] as number);
    let length = 0;
    for (let shift = 0, byte = 0x80; byte & 0x80; shift += 7) {
      byte = binary[at++] as number;
      length += (byte & 0x7f) * 2 ** shift;
    }
    at += length;
  }
  return kinds;
}

/** What any host does: rows into the one buffer, predict, rows out of the other. */
function run(exports: Exports, x: Float32Array | Float64Array): Float32Array | Float64Array {
  const Reals = exports.bytesPerValue() === 4 ? Float32Array : Float64Array;
  const rows = x.length / exports.inputs();
  new Reals(exports.memory.buffer, exports.inputAddress(), x.length).set(x);
  expect(exports.predict(rows)).toBe(0);
  return new Reals(exports.memory.buffer, exports.outputAddress(), rows * exports.outputs()).slice();
}

describe.each(DTYPES)("%s: the exported binary has the bits of network.predict", (dtype) => {
  test.each(Object.keys(SPECS))("%s, 1 to 43 rows", (name) => {
    const network = trained(SPECS[name]!, dtype);
    const exports = instance(exportModule(network, { rows: 43 }));
    expect([exports.inputs(), exports.outputs(), exports.rowCapacity()]).toEqual([5, 3, 43]);
    // The full buffer first: what it leaves behind must not reach fewer rows.
    for (const rows of [43, 1, 2, 7, 8, 9, 31, 32, 33, 42]) {
      const x = matrix(network, rows, rows);
      expect(bits(run(exports, x.data)), `${rows} rows`).toBe(bits(network.predict(x).data));
    }
  });

  test("before any training: scalings pass their inputs on", () => {
    const network = Network.createSync(SPECS["scaled targets"]!, { dtype });
    const x = matrix(network, 3);
    expect(bits(run(instance(exportModule(network)), x.data))).toBe(bits(network.predict(x).data));
  });

  test("weights that overflow: infinities and NaN as in the library", () => {
    const network = Network.createSync({ inputs: 2, layers: [{ units: 2 }, { units: 2 }] }, { dtype });
    const big = dtype === "float32" ? 3e38 : 1e308;
    const W = network.weights().map(() => ({ W: [[big, big], [-big, big]], b: [0, 0] })); // biome-ignore format: a matrix
    network.setWeights(W);
    const x = { data: dtype === "float32" ? Float32Array.of(1, 9) : Float64Array.of(1, 9), shape: [1, 2] as const };
    const expected = network.predict(x).data;
    expect(Array.from(expected).some(Number.isNaN)).toBe(true);
    expect(bits(run(instance(exportModule(network)), x.data))).toBe(bits(expected));
  });

  test("a count of rows outside the capacity gives −1, NaN and infinities 1 + their index, and outputs stay", () => {
    const network = trained(SPECS.relu!, dtype);
    const exports = instance(exportModule(network, { rows: 10 }));
    const before = bits(run(exports, matrix(network, 10).data));
    const Reals = dtype === "float32" ? Float32Array : Float64Array;
    const output = () => bits(new Reals(exports.memory.buffer, exports.outputAddress(), 30));
    for (const rows of [11, -1, 2 ** 31 - 1]) expect(exports.predict(rows)).toBe(-1);
    expect(exports.predict(0)).toBe(0);
    for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
      for (const at of [0, 4, 17, 49]) {
        const x = matrix(network, 10, 7).data;
        x[at] = bad;
        new Reals(exports.memory.buffer, exports.inputAddress(), 50).set(x);
        expect(exports.predict(10)).toBe(at + 1);
        // Rows before it are clean, and rows behind it are not looked at.
        expect(exports.predict(Math.floor(at / 5) + 1)).toBe(at + 1);
      }
    }
    expect(output()).toBe(before);
    expect(bits(run(exports, matrix(network, 10).data))).toBe(before);
  });
});

describe("the file", () => {
  test("imports nothing, exports the list of docs/export.md, and its memory does not grow", () => {
    const module = new WebAssembly.Module(exportModule(trained(SPECS.relu!, "float32")));
    const { imports, exports } = WebAssembly.Module as unknown as Record<"imports" | "exports", Listing>;
    expect(imports(module)).toEqual([]);
    const names = exports(module).map(({ name, kind }) => `${kind} ${name}`);
    expect(names.sort()).toEqual(documented().sort());
    const { memory } = new WebAssembly.Instance(module).exports as { memory: WebAssembly.Memory };
    expect(() => memory.grow(1)).toThrow(RangeError);
  });

  test("starts by itself in float64 alone, as docs/export.md says, and writes the sigmoid's table below the network", () => {
    const START = 8;
    const files = DTYPES.map((dtype) => exportModule(trained(SPECS.relu!, dtype)));
    expect(files.map((file) => sectionsOf(file).includes(START))).toEqual([false, true]);
    const { memory } = instance(files[1] as Uint8Array<ArrayBuffer>);
    const below = new Float64Array(memory.buffer, 0, 512);
    expect(below.find((value) => Math.abs(value - Math.exp(-0.25)) < 1e-15)).toBeDefined();
    // Room to spare below the network.
    expect(below.findLastIndex((value) => value !== 0)).toBeLessThan(500);
  });

  test("is the same for a network and its saved bytes, on any core, and twice", () => {
    const network = trained(SPECS.gelu!, "float64");
    const file = bits64(exportModule(network));
    expect(bits64(exportModule(network))).toBe(file);
    expect(bits64(exportModule(network.save()))).toBe(file);
    expect(bits64(exportModule(Network.loadSync(network.save(), { core: "js" })))).toBe(file);
  });

  test("weights of 3 MB: sizes of four bytes in its sections", () => {
    const network = Network.createSync({ inputs: 900, layers: [{ units: 850, activation: "relu" }, { units: 3 }] });
    const binary = exportModule(network, { rows: 1 });
    expect(binary.length).toBeGreaterThan(4 * 900 * 850);
    const x = matrix(network, 1);
    expect(bits(run(instance(binary), x.data))).toBe(bits(network.predict(x).data));
  });

  test("a file that no host could load is refused before it is built", () => {
    const template = new Uint8Array(7700);
    const [MiB, mjs] = [2 ** 20, 402_644_992];
    const refuses: ["wasm" | "mjs", number, string][] = [
      ["wasm", 1024 * MiB, "network: expected at most 1073741824 bytes (1 GiB) as wasm, got 1073749588 bytes"],
      ["mjs", 384 * MiB, "bytes (384 MiB) for format: 'mjs', got 402660948 bytes; format: 'wasm' takes it"],
      ["mjs", mjs - 7700 - 63, "got 402644993 bytes; format: 'wasm' takes it"],
      ["mjs", 1024 * MiB, "for format: 'mjs', got 1073749588 bytes"],
    ];
    for (const [format, bytes, message] of refuses) {
      expect(() => checkSize(format, template, bytes)).toThrow(RangeError);
      expect(() => checkSize(format, template, bytes)).toThrow(message);
    }
    checkSize("wasm", template, 1024 * MiB - 7700 - 64);
    checkSize("mjs", template, mjs - 7700 - 64);
    // The whole text of the largest .mjs is a string that V8 has.
    const facts = { inputs: 2 ** 24, outputs: 2 ** 24, rowCapacity: 2 ** 24, dtype: "float64" } as const;
    expect(moduleText("", facts).length + Math.ceil(mjs / 3) * 4).toBeLessThan(2 ** 29 - 24);

    // 20 000 × 20 000 weights that nobody has drawn: 1.6 GB.
    const layer = {
      kind: "dense",
      units: 20_000,
      bias: false,
      activation: resolveActivation("relu", "activation", "float32"),
    } as const;
    const huge = {
      dtype: "float32",
      inputs: 20_000,
      outputs: 20_000,
      layers: [layer],
      targetScaling: undefined,
    } as const;
    const place = () =>
      placeNetwork({ ...huge, parameters: new Float32Array(0) }, 1, (bytes) => checkSize("wasm", template, bytes));
    expect(place).toThrow("network: expected at most 1073741824 bytes (1 GiB) as wasm, got 1600");
  });

  test("the size that is looked at is the file's, but for less than 64 bytes", () => {
    const network = trained(SPECS.gelu!, "float32");
    let told = 0;
    placeNetwork(readPredictor(network.save()), 2 ** 14, (bytes) => {
      told = bytes;
    });
    const sections = exportModule(network, { rows: 2 ** 14 }).length - decodeHex(float32).length - told;
    expect(sections).toBeGreaterThan(0);
    expect(sections).toBeLessThan(64);
  });

  test("what is no network and no option is refused with the reason", () => {
    const network = trained(SPECS.relu!, "float32");
    const wide = Network.createSync({ inputs: 64, layers: [{ units: 1 }] });
    const calls: [() => unknown, typeof TypeError | typeof RangeError, string][] = [
      [() => exportModule({} as never), TypeError, "network: expected a Network, or the bytes of a saved one"],
      [() => exportModule(network, { rows: 0 }), RangeError, "rows: expected an integer from 1 to 16777216, got 0"],
      [() => exportModule(network, { format: "js" as never }), RangeError, "format: expected wasm or mjs, got 'js'"],
      [() => exportModule(network, { row: 1 } as never), TypeError, "did you mean 'rows'?"],
      [() => exportModule(network.save().subarray(0, 99)), RangeError, "load: the file ends inside chunk SPEC"],
      [() => exportModule(wide, { rows: 2 ** 24 }), RangeError, "memory: expected at most 4294967296 bytes (4 GiB)"],
    ];
    for (const [call, kind, message] of calls) {
      expect(call).toThrow(kind);
      expect(call).toThrow(message);
    }
  });
});

const bits64 = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64");

describe("the .mjs", () => {
  const folder = mkdtempSync(join(tmpdir(), "chainrule-export-"));
  afterAll(() => rmSync(folder, { recursive: true }));
  let count = 0;
  const imported = async (bytes: Uint8Array) => {
    const file = join(folder, `net${count++}.mjs`);
    writeFileSync(file, bytes);
    return import(pathToFileURL(file).href);
  };

  test.each(DTYPES)("%s: predicts with the same bits, more rows than its buffers hold too", async (dtype) => {
    const network = trained(SPECS["scaled targets"]!, dtype);
    const net = await imported(exportModule(network, { format: "mjs", rows: 10 }));
    expect([net.inputs, net.outputs, net.rowCapacity, net.dtype]).toEqual([5, 3, 10, dtype]);
    for (const rows of [1, 10, 11, 35]) {
      const x = matrix(network, rows);
      const expected = network.predict(x);
      expect(net.predict(x).shape).toEqual([rows, 3]);
      expect(bits(net.predict(x).data)).toBe(bits(expected.data));
      const asRows = Array.from({ length: rows }, (_, row) => Array.from(x.data.subarray(row * 5, row * 5 + 5)));
      expect(bits(net.predict(asRows).data)).toBe(bits(expected.data));
    }
    await net.init();
    expect(bits(net.predict(matrix(network, 3)).data)).toBe(bits(network.predict(matrix(network, 3)).data));
    await net.init(new WebAssembly.Module(exportModule(network, { rows: 10 })));
    expect(bits(net.predict(matrix(network, 3)).data)).toBe(bits(network.predict(matrix(network, 3)).data));
    expect(bits64(net.bytes())).toBe(bits64(exportModule(network, { rows: 10 })));
  });

  test("has types that hold under strict rules, with nothing of the DOM or Node", () => {
    const file = join(folder, "typed.mjs");
    writeFileSync(file, exportModule(trained(SPECS.relu!, "float32"), { format: "mjs" }));
    const options =
      "--ignoreConfig --noEmit --allowJs --checkJs --strict --target es2022 --module nodenext --lib es2023";
    const tsc = fileURLToPath(new URL("../../node_modules/typescript/bin/tsc", import.meta.url));
    const { status, stdout } = spawnSync(process.execPath, [tsc, ...options.split(" "), file], { encoding: "utf8" });
    expect({ status, stdout }).toEqual({ status: 0, stdout: "" });
  });

  test("init refuses the binary of another export, and keeps what it has", async () => {
    const network = trained(SPECS.relu!, "float32");
    const net = await imported(exportModule(network, { format: "mjs", rows: 4 }));
    const other = (inputs: number, units: number) => Network.createSync({ inputs, layers: [{ units }] });
    const x = matrix(network, 6);
    const expected = bits(network.predict(x).data);
    const binaries: [Uint8Array<ArrayBuffer>, string][] = [
      [exportModule(network, { rows: 1 }), "module: expected rowCapacity 4, as in this file, got 1"],
      [exportModule(network), "module: expected rowCapacity 4, as in this file, got 256"],
      [exportModule(other(6, 3), { rows: 4 }), "module: expected inputs 5, as in this file, got 6"],
      [exportModule(other(5, 2), { rows: 4 }), "module: expected outputs 3, as in this file, got 2"],
      [exportModule(trained(SPECS.relu!, "float64"), { rows: 4 }), "module: expected bytesPerValue 4, as in this file"],
      [Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0), "module: expected inputs 5, as in this file, got undefined"],
    ];
    for (const [binary, message] of binaries) {
      const refused = net.init(new WebAssembly.Module(binary));
      await expect(refused).rejects.toThrow(RangeError);
      await expect(refused).rejects.toThrow(message);
      expect(bits(net.predict(x).data)).toBe(expected);
    }
  });

  test("init compiles and instantiates without the synchronous constructors, and refuses bytes", async () => {
    const network = trained(SPECS.relu!, "float32");
    const binary = exportModule(network);
    const nets = [
      await imported(exportModule(network, { format: "mjs" })),
      await imported(exportModule(network, { format: "mjs" })),
    ];
    const compiled = new WebAssembly.Module(binary);
    const refuse = () => {
      throw new RangeError("disallowed on the main thread, if the buffer size is larger than 8MB");
    };
    const Instance = vi.spyOn(WebAssembly, "Instance").mockImplementation(refuse);
    const Module = vi.spyOn(WebAssembly, "Module").mockImplementation(refuse);
    try {
      await nets[0].init();
      await nets[1].init(compiled);
      const x = matrix(network, 3);
      for (const net of nets) expect(bits(net.predict(x).data)).toBe(bits(network.predict(x).data));
    } finally {
      Instance.mockRestore();
      Module.mockRestore();
    }
    const refused = nets[0].init(binary);
    await expect(refused).rejects.toThrow(TypeError);
    await expect(refused).rejects.toThrow("module: expected a WebAssembly.Module, got bytes");
  });

  test("predict does not take an answer below 0 for a success", async () => {
    const network = trained(SPECS.relu!, "float32");
    const text = new TextDecoder().decode(exportModule(network, { format: "mjs", rows: 4 }));
    // Constants that are no longer those of the binary in it.
    const net = await imported(
      new TextEncoder().encode(text.replace("const rowCapacity = 4;", "const rowCapacity = 5;")),
    );
    expect(net.predict(matrix(network, 4)).shape).toEqual([4, 3]);
    expect(() => net.predict(matrix(network, 5))).toThrow(RangeError);
    expect(() => net.predict(matrix(network, 5))).toThrow("module: expected a buffer of at least 5 rows");
  });

  test("says what is wrong with x", async () => {
    const net = await imported(exportModule(trained(SPECS.relu!, "float32"), { format: "mjs", rows: 2 }));
    const row = [1, 2, 3, 4, 5];
    const data = new Float32Array(5);
    const calls: [unknown, typeof TypeError | typeof RangeError, string][] = [
      [[row, row, [1, 2, 3, Number.NaN, 5]], RangeError, "x: expected a finite number, got NaN in row 2, column 3"],
      [[row, [1]], RangeError, "x: expected rows of 5 numbers, got 1 in row 1"],
      [{ data, shape: [5, 1] }, RangeError, "x: expected shape [rows, 5] and as many values, got [5, 1] and 5"],
      [{ data, shape: [2, 5] }, RangeError, "x: expected shape [rows, 5] and as many values, got [2, 5] and 5"],
      [{ data, shape: [0.5, 5] }, RangeError, "x: expected shape [rows, 5] and as many values, got [0.5, 5] and 5"],
      [{ data, shape: ["1", 5] }, RangeError, "x: expected shape [rows, 5] and as many values, got [1, 5] and 5"],
      [{ data, shape: [1, 5, 1] }, TypeError, "x: expected shape [rows, 5], got [1,5,1]"],
      [{ data, shape: null }, TypeError, "x: expected shape [rows, 5], got null"],
      [{ data }, TypeError, "x: expected shape [rows, 5], got undefined"],
      [{ data: row, shape: [1, 5] }, TypeError, "x: expected data in a Float32Array or a Float64Array, got Array"],
      [{ data: null, shape: [1, 5] }, TypeError, "x: expected data in a Float32Array or a Float64Array, got null"],
      [
        { data: undefined, shape: [1, 5] },
        TypeError,
        "x: expected data in a Float32Array or a Float64Array, got undefined",
      ],
      [{ data: new DataView(data.buffer), shape: [1, 5] }, TypeError, "Float64Array, got DataView"],
      [undefined, TypeError, "x: expected rows of 5 numbers, got undefined"],
      [null, TypeError, "x: expected rows of 5 numbers, got null"],
      ["12345", TypeError, "x: expected rows of 5 numbers, got string"],
      [{}, TypeError, "x: expected rows of 5 numbers, got Object of length undefined"],
      [{ length: 1.5, 0: row, 1: row }, TypeError, "x: expected rows of 5 numbers, got Object of length 1.5"],
      [row, RangeError, "x: expected rows of 5 numbers, got undefined in row 0"],
      [[row, [1, 2, "3", 4, 5]], TypeError, "x: expected a number, got string in row 1, column 2"],
      [[], RangeError, "x: expected at least one row, got none"],
      [{ data: new Float32Array(0), shape: [0, 5] }, RangeError, "x: expected at least one row, got none"],
    ];
    for (const [x, kind, message] of calls) {
      expect(() => net.predict(x)).toThrow(kind);
      expect(() => net.predict(x)).toThrow(message);
    }
    expect(net.predict({ data: new Float64Array(5), shape: new Uint32Array([1, 5]) }).shape).toEqual([1, 3]);
  });
});
