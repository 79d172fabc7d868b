// Where the predicting binaries come from on runtimes that compile bytes, as src/core/source.embedded.ts for the core's.
import { float32, float64 } from "../core/embedded-standalone.ts";
import { decodeHex } from "../core/hex.ts";

/** The template of a dtype as bytes, decoded anew in each call. */
export function binary(dtype: "float32" | "float64"): Uint8Array<ArrayBuffer> {
  return decodeHex(dtype === "float32" ? float32 : float64);
}
