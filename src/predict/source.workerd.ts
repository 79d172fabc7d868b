// Where the predicting binaries come from on workerd, as src/core/source.workerd.ts for the core's.
import float32 from "./standalone.f32.wasm";
import float64 from "./standalone.f64.wasm";

/** The template of a dtype as a compiled module. */
export function binary(dtype: "float32" | "float64"): WebAssembly.Module {
  return dtype === "float32" ? float32 : float64;
}
