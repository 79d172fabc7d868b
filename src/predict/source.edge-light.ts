// Where the predicting binaries come from on edge-light, as src/core/source.edge-light.ts for the core's.
import float32 from "./standalone.f32.wasm?module";
import float64 from "./standalone.f64.wasm?module";

/** The template of a dtype as a compiled module. */
export function binary(dtype: "float32" | "float64"): WebAssembly.Module {
  return dtype === "float32" ? float32 : float64;
}
