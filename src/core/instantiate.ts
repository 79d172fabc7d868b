// Binary → instance: each network has its own.
import { instantiateSync } from "@assemblyscript/loader";
import { createJsCore } from "../js/core.ts";
import type { DType } from "../options/network.ts";
import { ABI_VERSION } from "./abi.ts";
import type { BinaryKind, Core, CoreExports, CoreMemory } from "./exports.ts";
import { type Compiled, moduleOf, moduleSync } from "./registry.ts";

/** 64 KiB pages at the start; 65 536 pages, 4 GiB, are the most that wasm32 has. */
const MEMORY = { initial: 1, maximum: 65_536 };

/** A core of its own for one network; `auto` = simd, or js where SIMD or compiling is missing. */
export function instantiateCoreSync(kind: "auto" | BinaryKind | "js", dtype: DType): Core {
  if (kind === "js") return createJsCore(dtype);
  const wanted = kind === "auto" ? "simd" : kind;
  let core: Core;
  try {
    core = instance(wanted, moduleSync(wanted, dtype));
  } catch (error) {
    // What links to nothing that a core imports is no core, and a file of the package may be missing or not to be read (MODULE_NOT_FOUND,
    // EMFILE): neither is the host's lack.
    const { name, code } = error as { readonly name?: unknown; readonly code?: unknown };
    if (kind === "auto" && name !== "LinkError" && typeof code !== "string") return createJsCore(dtype);
    throw unavailable(wanted, error);
  }
  checkAbi(core, dtype);
  return core;
}

/** As `instantiateCoreSync`; the first use of a binary compiles off the calling thread where the host can. */
export async function instantiateCore(kind: "auto" | BinaryKind | "js", dtype: DType): Promise<Core> {
  if (kind !== "js") {
    try {
      await moduleOf(kind === "auto" ? "simd" : kind, dtype);
    } catch (error) {
      if (kind !== "auto") throw unavailable(kind, error);
    }
  }
  return instantiateCoreSync(kind, dtype);
}

function instance(kind: BinaryKind, module: Compiled): Core {
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
  if (typeof exports.abi !== "function") throw new Error("it is no core of this library");
  const abi = exports.abi();
  // Its other roundings would pass for the defined bits. The simd core in place of the relaxed one does no harm.
  if (kind === "simd" && abi === expected + 1) throw new Error(`it is the relaxed core for ${dtype}`);
  if (kind === "relaxed" && abi === expected + 1) return;
  if (abi === expected + (dtype === "float32" ? 4 : -4)) throw new Error(`it is the core for the other dtype`);
  if (abi !== expected) throw new Error(`the ${kind} core for ${dtype} has ABI ${abi}, expected ${expected}`);
}

/**
 * Makes sure that a module is a core of this version and of that dtype.
 * @throws RangeError that names the dtype otherwise
 */
export function checkModule(kind: BinaryKind, dtype: DType, module: Compiled): void {
  try {
    checkAbi(instance(kind, module), dtype);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new RangeError(`${dtype}: expected the ${kind} core for ${dtype} of this version, got: ${reason}`, {
      cause: error,
    });
  }
}

/** The error of a core that was asked for by name. */
export function unavailable(kind: BinaryKind, error: unknown): Error {
  const reason = error instanceof Error ? error.message : String(error);
  return new Error(`core: expected "${kind}" to be available on this runtime, got: ${reason}`, { cause: error });
}
