// What a program may say about the binaries before the first network: where they come from, and when they are compiled.
import { kindError, valueError } from "../errors.ts";
import { oneOf, optionsObject } from "../options/checks.ts";
import type { DType } from "../options/network.ts";
import type { BinaryKind } from "./exports.ts";
import { checkModule, unavailable } from "./instantiate.ts";
import { type Binary, compile, isModule, moduleOf, moduleSync, register } from "./registry.ts";

/** A compiled `WebAssembly.Module`, also one of another realm, or the bytes of one (any view or buffer; copied). */
export type CoreInput = object | ArrayBufferView | ArrayBuffer;
/** What is read of a `Response`. */
export interface ResponseLike {
  readonly ok: boolean;
  readonly status: number;
  arrayBuffer(): Promise<ArrayBuffer>;
}
/** What is read of a `URL`. */
export interface URLLike {
  readonly href: string;
}
/** What `init` takes for a binary besides: a URL, fetched by the platform's `fetch`, a `Response`, or a promise of any. */
export type AsyncCoreInput = CoreInput | ResponseLike | URLLike | string | PromiseLike<unknown>;
/** Binaries by dtype, one or both; `chainrule/relaxed` gives those that the main entry does not carry. */
export interface CoreSources<Input = CoreInput> {
  readonly kind: BinaryKind;
  readonly float32?: Input;
  readonly float64?: Input;
}

const DTYPES = ["float32", "float64"] as const;
/** The first bytes of every binary: "\0asm". */
const MAGIC = [0x00, 0x61, 0x73, 0x6d];
const EXPECTED_SYNC = "a compiled module or its bytes";
const EXPECTED = "a compiled module, its bytes, a Response or a URL";

/**
 * Gives the library its binaries, and has them compiled before the first network needs them. Never necessary for the
 * cores that the main entry carries.
 *
 * @param sources `kind` "simd" or "relaxed", and for `float32`, `float64` or both a compiled module, the bytes of one, a
 * `Response`, a URL (a string or a `URL`, fetched by the platform's `fetch`), or a promise of one of these. Left out:
 * the carried cores are compiled; where the runtime forbids that nothing happens, as networks use the js core there.
 * @throws TypeError, RangeError for something else or another version's binary, Error for one that cannot be fetched or
 * that the runtime does not compile; then nothing has changed
 * @example
 * import { init, Network } from "chainrule";
 * import { relaxed } from "chainrule/relaxed";
 * await init(); // so that the first network starts at once
 * await init(relaxed());
 */
export async function init(sources?: CoreSources<AsyncCoreInput>): Promise<void> {
  if (sources === undefined) {
    await Promise.allSettled(DTYPES.map((dtype) => moduleOf("simd", dtype)));
    return;
  }
  const { kind, given } = checkSources("init", sources);
  const modules = await Promise.all(
    given.map(async ([dtype, input]) => {
      // Bytes are copied before the first pause: what the caller does to them afterwards must not matter.
      const binary = binaryOf(dtype, input) ?? (await received(dtype, input));
      const module = await compile(binary).catch((error) => {
        throw unavailable(kind, error);
      });
      checkModule(kind, dtype, module);
      return [dtype, module] as const;
    }),
  );
  for (const [dtype, module] of modules) register(kind, dtype, module);
}

/**
 * As `init`, at once: takes compiled modules and bytes. Bytes are compiled when the first network needs them; without
 * `sources` the carried cores are compiled now.
 *
 * @throws TypeError, RangeError for something else or another version's module; then nothing has changed
 * @example
 * import { initSync, Network } from "chainrule";
 * import { relaxed } from "chainrule/relaxed";
 * initSync(relaxed());
 */
export function initSync(sources?: CoreSources): void {
  if (sources === undefined) {
    for (const dtype of DTYPES) {
      try {
        moduleSync("simd", dtype);
      } catch {
        return; // `auto` falls back to js here, and "simd" says why it cannot be had
      }
    }
    return;
  }
  const { kind, given } = checkSources("initSync", sources);
  const binaries = given.map(([dtype, input]) => {
    const binary = binaryOf(dtype, input);
    if (binary === undefined) throw kindError(dtype, EXPECTED_SYNC, input);
    if (isModule(binary)) checkModule(kind, dtype, binary);
    return [dtype, binary] as const;
  });
  for (const [dtype, binary] of binaries) register(kind, dtype, binary);
}

function checkSources(name: string, sources: unknown) {
  const options = optionsObject(name, sources, { allowed: ["kind", "float32", "float64"] });
  const kind = oneOf("kind", options.kind, ["simd", "relaxed"]);
  const given = DTYPES.map((dtype) => [dtype, options[dtype]] as const).filter(([, input]) => input !== undefined);
  if (given.length === 0) throw new TypeError(`${name}: expected float32, float64 or both, got neither`);
  return { kind, given };
}

/** The module or a copy of the bytes; undefined for anything else. Also for those of another realm. */
function binaryOf(dtype: DType, input: unknown): Binary | undefined {
  if (isModule(input)) return input;
  const bytes = ArrayBuffer.isView(input)
    ? new Uint8Array(input.buffer, input.byteOffset, input.byteLength)
    : isBuffer(input)
      ? new Uint8Array(input)
      : undefined;
  if (bytes === undefined) return undefined;
  if (MAGIC.some((byte, i) => bytes[i] !== byte)) throw valueError(dtype, "the bytes of a WebAssembly module", input);
  return new Uint8Array(bytes);
}

function isBuffer(input: unknown): input is ArrayBuffer {
  return /^\[object (Shared)?ArrayBuffer\]$/.test(Object.prototype.toString.call(input));
}

/** What comes over the network. Not compiled as it arrives: that needs a server that knows the type of .wasm files. */
async function received(dtype: DType, given: unknown): Promise<Binary> {
  const input: unknown = await given;
  const binary = binaryOf(dtype, input);
  if (binary !== undefined) return binary;
  const href = typeof input === "string" ? input : (input as Partial<URLLike> | null)?.href;
  const response: unknown = typeof href === "string" ? await fetched(dtype, href) : input;
  if (!isResponse(response)) throw kindError(dtype, EXPECTED, input);
  const from = href === undefined ? "" : ` from ${href}`;
  if (!response.ok) {
    throw new Error(`${dtype}: expected a response with the binary${from}, got status ${response.status}`);
  }
  const bytes: unknown = await response.arrayBuffer();
  try {
    return binaryOf(dtype, bytes) as Binary;
  } catch (error) {
    throw new RangeError(`${dtype}: expected a response with the binary${from}, got something else`, { cause: error });
  }
}

async function fetched(dtype: DType, href: string): Promise<unknown> {
  try {
    return await fetch(href);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const way = href.startsWith("file:") ? "; read the file and pass its bytes" : "";
    throw new Error(`${dtype}: expected a URL that can be fetched, got ${href}: ${reason}${way}`, { cause: error });
  }
}

function isResponse(input: unknown): input is ResponseLike {
  return typeof input === "object" && input !== null && "ok" in input && "arrayBuffer" in input;
}
