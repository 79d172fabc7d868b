// Options of `step`.
import { optionsObject } from "./checks.ts";
import { CLIPPING_KEYS, type ResolvedClipping, resolveClipping } from "./clipping.ts";
import type { DType } from "./network.ts";
import { OPTIMIZER_KEYS, optimizerOrLast, type ResolvedOptimizer } from "./optimizer.ts";

/**
 * `last` is the optimizer last used, if any.
 * @throws TypeError, RangeError
 */
export function resolveStepOptions(
  options: unknown = {},
  { dtype, last }: { dtype: DType; last?: ResolvedOptimizer | undefined },
  name = "step",
): { readonly optimizer: ResolvedOptimizer; readonly sampleWeights: unknown; readonly clipping: ResolvedClipping } {
  const allowed = ["optimizer", "sampleWeights", ...CLIPPING_KEYS];
  const given = optionsObject(name, options, { allowed, inside: OPTIMIZER_KEYS });
  const { optimizer, sampleWeights } = given;
  const clipping = resolveClipping(given, dtype);
  return Object.freeze({ optimizer: optimizerOrLast(optimizer, last, dtype), sampleWeights, clipping });
}
