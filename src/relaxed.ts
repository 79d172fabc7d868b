import { decodeBase64 } from "./core/base64.ts";
import { float32, float64 } from "./core/embedded-relaxed.ts";
import type { CoreSources } from "./core/init.ts";

/**
 * The cores that use relaxed SIMD (fused multiply-add): faster where the runtime has it, outside the promise of equal
 * bits across machines. Hand them to `init` or `initSync`, then create networks with `core: "relaxed"`.
 */
export function relaxed(): CoreSources {
  return { kind: "relaxed", float32: decodeBase64(float32), float64: decodeBase64(float64) };
}
