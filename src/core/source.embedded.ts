// Where the baseline binaries come from on runtimes that compile bytes: Node, browsers, Deno, Bun. They are carried in
// base64, so that a single-file bundle needs no second file and no permission to read one.
import { decodeBase64 } from "./base64.ts";
import { float32, float64 } from "./embedded.ts";

/** The baseline binary of a dtype as bytes, decoded anew in each call: the caller keeps what it compiles. */
export function binary(dtype: "float32" | "float64"): Uint8Array<ArrayBuffer> {
  return decodeBase64(dtype === "float32" ? float32 : float64);
}
