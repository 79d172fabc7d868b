// Where the baseline binaries come from on edge runtimes of the `edge-light` kind, whose bundlers compile an import
// that ends in `?module` ahead of time and forbid compiling bytes in production.
import float32 from "./core.f32.wasm?module";
import float64 from "./core.f64.wasm?module";

/** The baseline binary of a dtype as a compiled module. */
export function binary(dtype: "float32" | "float64"): WebAssembly.Module {
  return dtype === "float32" ? float32 : float64;
}
