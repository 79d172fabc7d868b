// Binary → instance. Each binary is compiled once per process, on its first use; each network has its own instance.
import { instantiateSync } from "@assemblyscript/loader";
import * as source from "#core";
import { kindError } from "../errors.ts";
import { createJsCore } from "../js/core.ts";
import { oneOf, optionsObject } from "../options/checks.ts";
import type { DType } from "../options/network.ts";
import { ABI_VERSION } from "./abi.ts";
import type { Core, CoreExports, CoreMemory } from "./exports.ts";

type Kind = "simd" | "relaxed";
/** A compiled module, or the bytes of one. */
export type CoreInput = object | Uint8Array<ArrayBuffer> | ArrayBuffer;
/** Binaries that the main entry does not carry, as `chainrule/relaxed` gives them. */
export interface CoreSources {
  readonly kind: Kind;
  readonly float32?: CoreInput;
  readonly float64?: CoreInput;
}
type Compiled = WebAssembly.Module;

const inputs = new Map<string, CoreInput>();
const modules = new Map<string, Compiled>();
/** Compilations under way, so that networks made at the same time share one. */
const compiling = new Map<string, Promise<Compiled>>();
/** 64 KiB pages at the start; 65 536 pages, 4 GiB, are the most that wasm32 has. */
const MEMORY = { initial: 1, maximum: 65_536 };

/**
 * Makes binaries known that the main entry does not carry, such as the relaxed ones. Compiles nothing yet.
 * @throws TypeError, RangeError for something else
 * @example
 * import { initSync, Network } from "chainrule";
 * import { relaxed } from "chainrule/relaxed";
 * initSync(relaxed());
 */
export function initSync(sources: CoreSources): void {
  const { kind } = optionsObject("initSync", sources, { allowed: ["kind", "float32", "float64"] });
  oneOf("kind", kind, ["simd", "relaxed"]);
  for (const dtype of ["float32", "float64"] as const) {
    const input: unknown = sources[dtype];
    if (input === undefined || isModule(input) || ArrayBuffer.isView(input) || input instanceof ArrayBuffer) continue;
    throw kindError(dtype, "a compiled module or its bytes", input);
  }
  for (const dtype of ["float32", "float64"] as const) {
    const input = sources[dtype];
    if (input === undefined) continue;
    inputs.set(`${sources.kind} ${dtype}`, input);
    modules.delete(`${sources.kind} ${dtype}`);
  }
}

/** A core of its own for one network; `auto` = simd, or js where SIMD or compiling is missing. */
export function instantiateCoreSync(kind: "auto" | Kind | "js", dtype: DType): Core {
  if (kind === "js") return createJsCore(dtype);
  let core: Core;
  try {
    core = instance(kind === "auto" ? "simd" : kind, moduleOf(kind === "auto" ? "simd" : kind, dtype));
  } catch (error) {
    if (kind === "auto") return createJsCore(dtype);
    throw unavailable(kind, error);
  }
  checkAbi(core, dtype);
  return core;
}

/** As `instantiateCoreSync`; the first use of a binary compiles off the calling thread where the host can. */
export async function instantiateCore(kind: "auto" | Kind | "js", dtype: DType): Promise<Core> {
  if (kind !== "js") {
    const key = `${kind === "auto" ? "simd" : kind} ${dtype}`;
    try {
      if (!modules.has(key)) {
        const input = inputOf(kind === "auto" ? "simd" : kind, dtype);
        if (!isModule(input) && !compiling.has(key)) compiling.set(key, WebAssembly.compile(input as ArrayBuffer));
        modules.set(key, isModule(input) ? input : await (compiling.get(key) as Promise<Compiled>));
      }
    } catch (error) {
      if (kind !== "auto") throw unavailable(kind, error);
    } finally {
      compiling.delete(key);
    }
  }
  return instantiateCoreSync(kind, dtype);
}

function inputOf(kind: Kind, dtype: DType): CoreInput {
  const input = inputs.get(`${kind} ${dtype}`);
  if (input !== undefined) return input;
  if (kind === "simd") return source.binary(dtype);
  throw new Error(
    `the ${kind} core for ${dtype} is not loaded; import { relaxed } from "chainrule/relaxed" and call initSync(relaxed())`,
  );
}

function moduleOf(kind: Kind, dtype: DType): Compiled {
  const key = `${kind} ${dtype}`;
  let module = modules.get(key);
  if (module === undefined) {
    const input = inputOf(kind, dtype);
    module = isModule(input) ? input : new WebAssembly.Module(input as ArrayBuffer);
    modules.set(key, module);
  }
  return module;
}

/** Also for modules of another realm (vm contexts, edge routes), where `instanceof` fails. */
function isModule(input: unknown): input is Compiled {
  return Object.prototype.toString.call(input) === "[object WebAssembly.Module]";
}

function instance(kind: Kind, module: Compiled): Core {
  const memory = new WebAssembly.Memory(MEMORY);
  const imports = { env: { memory } };
  // The loader compiles whatever is not an instance of this realm's Module.
  const exports =
    module instanceof WebAssembly.Module
      ? instantiateSync(module, imports as never).instance.exports
      : new WebAssembly.Instance(module, imports).exports;
  return { kind, exports: exports as unknown as CoreExports, memory: memory as CoreMemory };
}

/** A binary of another build would misread every record; no core is a fall-back for that. */
function checkAbi({ kind, exports }: Core, dtype: DType): void {
  const expected = ABI_VERSION * 16 + (dtype === "float32" ? 4 : 8);
  const abi = exports.abi();
  if (abi !== expected) throw new Error(`the ${kind} core for ${dtype} has ABI ${abi}, expected ${expected}`);
}

function unavailable(kind: Kind, error: unknown): Error {
  const reason = error instanceof Error ? error.message : String(error);
  return new Error(`core: expected "${kind}" to be available on this runtime, got: ${reason}`, { cause: error });
}
