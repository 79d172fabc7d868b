// Where the binaries come from: what `init` and `initSync` take, what they refuse, and what happens without compiling.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { createContext, runInContext, runInNewContext } from "node:vm";
import { buildSync } from "esbuild";
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { ABI_VERSION } from "../../src/core/abi.ts";
import type * as Library from "../../src/index.ts";

const path = (file: string) => fileURLToPath(new URL(`../../${file}`, import.meta.url));
const FLOAT32 = new Uint8Array(readFileSync(path("build/f32.simd.wasm")));
const FLOAT64 = new Uint8Array(readFileSync(path("build/f64.simd.wasm")));
/** A module without imports and exports. */
const EMPTY = new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]);
const SPEC = { inputs: 3, layers: [{ units: 4, activation: "tanh" }, { units: 2 }] } as const;
const X = [[0.1, -0.2, 0.3]];

/** A library of its own for each test, which no other has told anything. */
let library: typeof Library;
beforeEach(async () => {
  vi.resetModules();
  library = await import("../../src/index.ts");
});

/** The prediction of a fresh network on the core asked for. */
function outputs(core: "simd" | "relaxed" | "js", dtype: "float32" | "float64" = "float32"): number[] {
  const network = library.Network.createSync(SPEC, { core, dtype });
  expect(network.core).toBe(core);
  return Array.from(network.predict(X).data);
}

let server: ReturnType<typeof createServer>;
let address: string;
beforeAll(async () => {
  server = createServer(({ url }, response) => {
    const bytes = { "/f32.wasm": FLOAT32, "/f64.wasm": FLOAT64, "/page": "<!doctype html>" }[url ?? ""];
    response.statusCode = bytes === undefined ? 404 : 200;
    response.end(bytes);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => server.close());

test("the relaxed core is not taken for the simd core: its roundings are others", async () => {
  const { default: binaryen } = await import("assemblyscript/binaryen");
  // Node 20 compiles no relaxed instruction without a flag: a module that answers as the relaxed core does stands for it.
  const answering = (abi: number) => {
    const text = `(module (import "env" "memory" (memory 1 65536)) (func (export "abi") (result i32) (i32.const ${abi})))`;
    return new WebAssembly.Module(new Uint8Array(binaryen.parseText(text).emitBinary()));
  };
  const relaxed = answering(ABI_VERSION * 16 + 4 + 1);
  expect(() => library.initSync({ kind: "simd", float32: relaxed })).toThrow(/it is the relaxed core for float32/);
  await expect(library.init({ kind: "simd", float32: relaxed })).rejects.toThrow(/it is the relaxed core for float32/);
  library.initSync({ kind: "relaxed", float32: relaxed });
  library.initSync({ kind: "simd", float32: answering(ABI_VERSION * 16 + 4) });
});

// The baseline binary under the name of a kind that is not carried: a network of that kind can only come from it.
describe("a network of kind `relaxed` runs on what was given as", () => {
  const ways: [string, (bytes: Uint8Array<ArrayBuffer>, name: string) => object | string][] = [
    ["a module", (bytes) => new WebAssembly.Module(bytes)],
    ["a module of another realm", (bytes) => runInNewContext("new WebAssembly.Module(bytes)", { bytes })],
    ["bytes", (bytes) => bytes],
    [
      "a Buffer within a larger one",
      (bytes) => Buffer.concat([Buffer.alloc(5), bytes, Buffer.alloc(3)]).subarray(5, -3),
    ],
    ["an ArrayBuffer", (bytes) => bytes.slice().buffer],
    ["an ArrayBuffer of another realm", (bytes) => runInNewContext("new Uint8Array(bytes).buffer", { bytes })],
  ];

  test.each(ways)("%s, by init and by initSync", async (_, make) => {
    const expected = [outputs("js"), outputs("js", "float64")];
    await library.init({ kind: "relaxed", float32: make(FLOAT32, "f32") as object });
    library.initSync({ kind: "relaxed", float64: make(FLOAT64, "f64") as object });
    expect([outputs("relaxed"), outputs("relaxed", "float64")]).toEqual(expected);
  });

  test.each<[string, (name: string) => object | string]>([
    ["a URL in a string", (name) => `${address}/${name}.wasm`],
    ["a URL object", (name) => new URL(`${address}/${name}.wasm`)],
    ["a promise of a Response", (name) => fetch(`${address}/${name}.wasm`)],
    ["a Response without a type", (name) => new Response(name === "f32" ? FLOAT32 : FLOAT64)],
  ])("%s, by init", async (_, make) => {
    await library.init({ kind: "relaxed", float32: make("f32"), float64: make("f64") });
    expect([outputs("relaxed"), outputs("relaxed", "float64")]).toEqual([outputs("js"), outputs("js", "float64")]);
  });

  test("bytes that change right after the call", async () => {
    const [one, other] = [FLOAT32.slice(), FLOAT64.slice()];
    const ready = library.init({ kind: "relaxed", float32: one });
    one.fill(0);
    await ready;
    library.initSync({ kind: "relaxed", float64: other });
    other.fill(0);
    expect([outputs("relaxed"), outputs("relaxed", "float64")]).toEqual([outputs("js"), outputs("js", "float64")]);
  });
});

describe("without sources", () => {
  test.each(["init", "initSync"] as const)(
    "%s compiles the carried cores, and networks use what it compiled",
    async (name) => {
      await library[name]();
      vi.stubGlobal("WebAssembly", { ...namesOf(WebAssembly), Module: refusing(WebAssembly.Module) });
      try {
        expect(outputs("simd")).toEqual(outputs("js"));
        expect(outputs("simd", "float64")).toEqual(outputs("js", "float64"));
      } finally {
        vi.unstubAllGlobals();
      }
    },
  );

  test.each(["init", "initSync"] as const)("%s is quiet where WebAssembly is missing", async (name) => {
    vi.stubGlobal("WebAssembly", undefined);
    try {
      await library[name]();
      expect((await library.Network.create(SPEC)).core).toBe("js");
      expect(library.Network.createSync(SPEC).core).toBe("js");
    } finally {
      vi.unstubAllGlobals();
    }
  });
});

/** WebAssembly's properties are not enumerable. */
function namesOf(from: object): Record<string, unknown> {
  return Object.fromEntries(Object.getOwnPropertyNames(from).map((name) => [name, Reflect.get(from, name)]));
}

/** Module, for `instanceof`, that compiles nothing. */
function refusing(Module: object): object {
  return new Proxy(Module, {
    construct() {
      throw new Error("compiled again");
    },
  });
}

describe("refused, and nothing changes:", () => {
  type Bad = [string, unknown, new (...args: never[]) => Error, RegExp];
  const BOTH: Bad[] = [
    ["no object", 5, TypeError, /^(init|initSync): expected an object with kind, float32 and float64, got 5$/],
    ["no binary", { kind: "relaxed" }, TypeError, /^(init|initSync): expected float32, float64 or both, got neither$/],
    ["another kind", { kind: "fast", float32: FLOAT32 }, RangeError, /^kind: expected simd or relaxed, got 'fast'$/],
    ["an unknown key", { kind: "simd", float16: FLOAT32 }, TypeError, /unknown option 'float16', did you mean 'float/],
    [
      "a number",
      { kind: "relaxed", float32: 7 },
      TypeError,
      /^float32: expected a compiled module, its bytes|float32: expected a compiled module or its bytes, got 7$/,
    ],
    [
      "other bytes",
      { kind: "relaxed", float64: new Uint8Array(9) },
      RangeError,
      /^float64: expected the bytes of a WebAssembly module, got a Uint8Array of 9$/,
    ],
    [
      "another module",
      { kind: "relaxed", float32: FLOAT32, float64: new WebAssembly.Module(EMPTY) },
      RangeError,
      /^float64: expected the relaxed core for float64 of this version/,
    ],
    [
      "the other dtype's",
      { kind: "relaxed", float32: new WebAssembly.Module(FLOAT64) },
      RangeError,
      /^float32: expected the relaxed core for float32.*it is the core for the other dtype$/,
    ],
  ];

  test.each(BOTH)("%s, by init and by initSync", async (_, sources, kind, message) => {
    const error = await library.init(sources as Library.CoreSources).then(
      () => undefined,
      (reason) => reason,
    );
    expect(error).toBeInstanceOf(kind);
    expect(error.message).toMatch(message);
    expect(() => library.initSync(sources as Library.CoreSources)).toThrow(kind);
    expect(() => library.initSync(sources as Library.CoreSources)).toThrow(message);
    expect(() => outputs("relaxed")).toThrow(/not loaded/);
  });

  test.each<[string, (address: string) => unknown, RegExp]>([
    [
      "a missing file",
      (at) => `${at}/missing.wasm`,
      /^float32: expected a response with the binary from http:.*missing\.wasm, got status 404$/,
    ],
    [
      "a page",
      (at) => `${at}/page`,
      /^float32: expected a response with the binary from http:.*page, got something else$/,
    ],
    ["an address that is none", () => "nowhere", /^float32: expected a URL that can be fetched, got nowhere: /],
    [
      "a file",
      () => "file:///core.f32.wasm",
      /^float32: expected a URL that can be fetched, got file:.*core\.f32\.wasm: .*; read the file and pass its bytes$/,
    ],
    [
      "a promise of null",
      () => Promise.resolve(null),
      /^float32: expected a compiled module, its bytes, a Response or a URL, got null$/,
    ],
    [
      "a truncated binary",
      () => FLOAT32.subarray(0, 99),
      /^core: expected "relaxed" to be available on this runtime, got: /,
    ],
  ])("%s, by init", async (_, make, message) => {
    const sources = { kind: "relaxed", float32: make(address), float64: FLOAT64 } as const;
    await expect(library.init(sources as Library.CoreSources)).rejects.toThrow(message);
    expect(() => outputs("relaxed", "float64")).toThrow(/not loaded/);
  });

  test("a URL by initSync, which cannot wait", () => {
    const sources = { kind: "simd", float32: "https://example.org/core.wasm" } as unknown as Library.CoreSources;
    expect(() => library.initSync(sources)).toThrow(/^float32: expected a compiled module or its bytes, got 'https:/);
  });

  test("a core that is none, when bytes given to initSync are first used: `auto` does not hide it", async () => {
    const importing = new Uint8Array(FLOAT32);
    const name = new TextEncoder().encode("memory");
    const at = importing.findIndex((_, i) => name.every((byte, j) => importing[i + j] === byte));
    importing[at] = 0x4d; // "Memory", which nobody provides
    library.initSync({ kind: "simd", float32: importing });
    expect(() => library.Network.createSync(SPEC)).toThrow(/^core: expected "simd" to be available/);
    await expect(library.Network.create(SPEC)).rejects.toThrow(/^core: expected "simd" to be available/);
  });
});

describe("where the host compiles nothing", () => {
  // V8's own refusal, as edge runtimes use it.
  const bundle = buildSync({
    entryPoints: [path("src/index.ts")],
    bundle: true,
    format: "iife",
    globalName: "chainrule",
    alias: { "#core": path("src/core/source.embedded.ts") },
    write: false,
    logLevel: "silent",
  }).outputFiles[0]!.text;

  function sealed(globals: object = {}) {
    const context = createContext(
      { atob, TextDecoder, TextEncoder, performance, setTimeout, clearTimeout, ...globals },
      { codeGeneration: { strings: false, wasm: false } },
    );
    runInContext(bundle, context);
    return (program: string) => runInContext(`(async () => { ${program} })()`, context);
  }

  const CREATE = `await chainrule.Network.create(${JSON.stringify(SPEC)}`;

  test("networks use the js core and say so, and asking for simd is an error that says why", async () => {
    const run = sealed();
    expect(await run(`await chainrule.init(); return (${CREATE})).core`)).toBe("js");
    expect(await run(`return chainrule.Network.createSync(${JSON.stringify(SPEC)}).core`)).toBe("js");
    await expect(run(`${CREATE}, { core: "simd" })`)).rejects.toThrow(
      /^core: expected "simd" to be available on this runtime, got: .*code generation disallowed/i,
    );
  });

  test("a module that was compiled elsewhere makes simd available", async () => {
    const run = sealed({ module: new WebAssembly.Module(FLOAT32) });
    const [core, same] = await run(`
      const js = (${CREATE}, { core: "js" })).predict([[1, 2, 3]]).data;
      const before = (${CREATE})).core;
      await chainrule.init({ kind: "simd", float32: module });
      const network = ${CREATE});
      return [before + " " + network.core, String(network.predict([[1, 2, 3]]).data) === String(js)];
    `);
    expect([core, same]).toEqual(["js simd", true]);
  });
});

test.runIf(process.arch === "x64")("a processor without the instructions for SIMD: auto is js, simd an error", () => {
  const program = `
    import { Network } from ${JSON.stringify(path("dist/index.js"))};
    const spec = ${JSON.stringify(SPEC)};
    const refusal = await Network.create(spec, { core: "simd" }).catch((error) => error.message);
    console.log(JSON.stringify([(await Network.create(spec)).core, Network.createSync(spec).core, refusal]));
  `;
  const args = ["--no-enable-ssse3", "--no-enable-sse4-1", "--input-type=module", "--eval", program];
  const [core, sync, refusal] = JSON.parse(execFileSync(process.execPath, args, { encoding: "utf8" }));
  expect([core, sync]).toEqual(["js", "js"]);
  expect(refusal).toMatch(/^core: expected "simd" to be available on this runtime, got: .*SIMD/);
});
