import { pieces } from "./core/embedded-relaxed.ts";
import { decodeHex } from "./core/hex.ts";
import type { CoreSources } from "./core/init.ts";
import { piecesOf } from "./core/pieces.ts";
import { clearUpperHalves } from "./core/vector-state.ts";

type Bytes = Uint8Array<ArrayBuffer>;
/** What some runtimes have for digits: a loop over so many takes milliseconds in an engine that has just started. */
interface BuiltIn {
  readonly Uint8Array: { fromHex?(text: string): Bytes };
  readonly Buffer?: { from(text: string, encoding: "hex"): Uint8Array };
}

/**
 * The cores that use relaxed SIMD (fused multiply-add): faster where the runtime has it, outside the promise of equal
 * bits across machines. Hand them to `init` or `initSync`, then create networks with `core: "relaxed"`.
 */
export function relaxed(): CoreSources {
  const sources: CoreSources = { kind: "relaxed", float32: bytesOf("float32"), float64: bytesOf("float64") };
  clearUpperHalves();
  return sources;
}

function bytesOf(dtype: "float32" | "float64"): Bytes {
  const builtIn = globalThis as BuiltIn;
  const text = piecesOf(pieces, dtype);
  if (typeof builtIn.Uint8Array.fromHex === "function") return builtIn.Uint8Array.fromHex(text);
  if (typeof builtIn.Buffer?.from === "function") return new Uint8Array(builtIn.Buffer.from(text, "hex"));
  return decodeHex(text);
}
