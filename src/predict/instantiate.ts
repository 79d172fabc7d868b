// Template → instance. Each dtype's binary is compiled once per process; each Predictor has its own instance and memory.
import * as source from "#standalone";
import type { CoreMemory } from "../core/exports.ts";
import type { DType } from "../options/network.ts";

/** What assembly/standalone.ts exports and Predictor uses. */
export interface PredictingExports {
  readonly memory: CoreMemory;
  /** 0, or 1 + the index of the first input that is not finite. */
  predict(rows: number): number;
}

const modules = new Map<DType, WebAssembly.Module>();

/** @throws Error where the runtime cannot compile the binary */
export function instantiateSync(dtype: DType): PredictingExports {
  try {
    let module = modules.get(dtype);
    if (module === undefined) {
      const input = source.binary(dtype);
      module = isModule(input) ? input : new WebAssembly.Module(input);
      modules.set(dtype, module);
    }
    return new WebAssembly.Instance(module).exports as unknown as PredictingExports;
  } catch (error) {
    throw unavailable(error);
  }
}

/** As `instantiateSync`; the first use of a binary compiles off the calling thread where the host can. */
export async function instantiate(dtype: DType): Promise<PredictingExports> {
  if (!modules.has(dtype)) {
    try {
      const input = source.binary(dtype);
      modules.set(dtype, isModule(input) ? input : await WebAssembly.compile(input));
    } catch (error) {
      throw unavailable(error);
    }
  }
  return instantiateSync(dtype);
}

/** Also for modules of another realm, where `instanceof` fails. */
function isModule(input: object): input is WebAssembly.Module {
  return Object.prototype.toString.call(input) === "[object WebAssembly.Module]";
}

function unavailable(error: unknown): Error {
  const reason = error instanceof Error ? error.message : String(error);
  return new Error(
    `Predictor: expected a runtime with WebAssembly SIMD that may compile, got: ${reason}; ` +
      "Network.load of chainrule itself predicts without",
    { cause: error },
  );
}
