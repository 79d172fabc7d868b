// Losses: names, options, and the output activations each goes with.
import type { ActivationName } from "./activation.ts";
import { list, oneOf } from "./checks.ts";

export type Loss = "squaredError" | "meanSquaredError" | "crossEntropy" | "binaryCrossEntropy";

/** Each loss with the output activations it goes with; null: all. */
const LOSSES: Readonly<Record<Loss, readonly ActivationName[] | null>> = {
  squaredError: null,
  meanSquaredError: null,
  crossEntropy: ["softmax"],
  binaryCrossEntropy: ["sigmoid"],
};
const LOSS_NAMES = Object.keys(LOSSES) as Loss[];

/** @throws TypeError, RangeError for what is no loss, or does not go with the output's activation. */
export function resolveLoss(given: unknown, output: ActivationName): Loss {
  if (given === undefined) {
    if (output === "softmax") return "crossEntropy";
    return output === "sigmoid" ? "binaryCrossEntropy" : "meanSquaredError";
  }
  const loss = oneOf("loss", given, LOSS_NAMES);
  const outputs = LOSSES[loss];
  if (outputs === null || outputs.includes(output)) return loss;
  const admissible = LOSS_NAMES.filter((name) => LOSSES[name]?.includes(output) ?? true);
  throw new RangeError(
    `loss: expected ${list(admissible, "or")} with a ${output} output, got '${loss}', ` +
      `which goes only with ${list(outputs, "or")}`,
  );
}
