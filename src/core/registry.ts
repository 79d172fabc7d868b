// The binaries that are known, each compiled once per process: on its first use, or ahead of it by `init`.
import * as source from "#core";
import type { DType } from "../options/network.ts";
import type { BinaryKind } from "./exports.ts";

export type Compiled = WebAssembly.Module;
/** A compiled module, or bytes that nobody else writes to. */
export type Binary = Compiled | Uint8Array<ArrayBuffer>;

interface Entry {
  /** The carried binaries are decoded only when they are compiled. */
  binary(): Binary;
  module?: Compiled;
  /** A compilation under way, so that networks made at the same time share one. */
  compiling?: Promise<Compiled>;
  /** Why the host refused to compile: it will again, and a page's policy may report every attempt. */
  refusal?: unknown;
}

const entries = new Map<string, Entry>();

/** From now on networks of this kind and dtype use this binary; those that exist keep theirs. */
export function register(kind: BinaryKind, dtype: DType, binary: Binary): void {
  entries.set(`${kind} ${dtype}`, { binary: () => binary });
}

function entryOf(kind: BinaryKind, dtype: DType): Entry {
  const key = `${kind} ${dtype}`;
  const known = entries.get(key);
  if (known !== undefined) return known;
  if (kind !== "simd") {
    throw new Error(
      `the ${kind} core for ${dtype} is not loaded; import { relaxed } from "chainrule/relaxed" and call initSync(relaxed())`,
    );
  }
  const carried: Entry = { binary: () => source.binary(dtype) };
  entries.set(key, carried);
  return carried;
}

/** The compiled binary; throws what the host throws where it compiles nothing. */
export function moduleSync(kind: BinaryKind, dtype: DType): Compiled {
  const entry = entryOf(kind, dtype);
  if (entry.module !== undefined) return entry.module;
  if (entry.refusal !== undefined) throw entry.refusal;
  try {
    const binary = entry.binary();
    entry.module = isModule(binary) ? binary : new WebAssembly.Module(binary);
  } catch (error) {
    remember(entry, error);
    throw error;
  }
  return entry.module;
}

/** As `moduleSync`, compiled off the calling thread where the host can. */
export async function moduleOf(kind: BinaryKind, dtype: DType): Promise<Compiled> {
  const entry = entryOf(kind, dtype);
  if (entry.module !== undefined) return entry.module;
  if (entry.refusal !== undefined) throw entry.refusal;
  try {
    entry.compiling ??= compile(entry.binary());
    entry.module = await entry.compiling;
  } catch (error) {
    remember(entry, error);
    throw error;
  } finally {
    delete entry.compiling;
  }
  return entry.module;
}

export async function compile(binary: Binary): Promise<Compiled> {
  return isModule(binary) ? binary : WebAssembly.compile(binary);
}

/** A missing `WebAssembly` costs nothing to find again, and a lack of memory passes. */
function remember(entry: Entry, error: unknown): void {
  if (error instanceof Error && error.name === "CompileError") entry.refusal = error;
}

/** Also for modules of another realm (vm contexts, edge routes), where `instanceof` fails. */
export function isModule(input: unknown): input is Compiled {
  return Object.prototype.toString.call(input) === "[object WebAssembly.Module]";
}
