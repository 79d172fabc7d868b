// Where the baseline binaries come from on workerd, which never compiles bytes inside a request: a wasm import is a
// module that was compiled when the worker was deployed.
import float32 from "./core.f32.wasm";
import float64 from "./core.f64.wasm";

/** The baseline binary of a dtype as a compiled module. */
export function binary(dtype: "float32" | "float64"): WebAssembly.Module {
  return dtype === "float32" ? float32 : float64;
}
