import { lossName } from "./options/loss.ts";
import { isUnfitted } from "./options/scaling.ts";
import { hasParameters, isFixed, type KeptSpec, type ResolvedLayer } from "./options/spec.ts";
import type { Plan } from "./plan.ts";

/** One line per layer: shape, activation, parameters. */
export function summarize(
  spec: KeptSpec,
  plan: Plan,
  of: { readonly dtype: string; readonly core: string; readonly seed: number },
): string {
  const rows: string[][] = [["layer", "type", "shape", "activation", "parameters", "trainable"]];
  for (const [l, layer] of spec.layers.entries()) {
    const node = plan.nodes[l + 1];
    const shape = `${node?.inputs} → ${node?.units}`;
    if (!hasParameters(layer)) {
      const option =
        layer.type === "dropout" ? `(${layer.rate})` : layer.type === "gaussianNoise" ? `(${layer.deviation})` : "";
      rows.push([String(l), `${layer.type}${option}`, shape, "", "0", fixedness(layer)]);
      continue;
    }
    const { activation, trainable } = layer;
    const name = "alpha" in activation ? `${activation.type}(${activation.alpha})` : activation.type;
    const dense = layer.type === "dense" ? (node?.inputs ?? 0) * layer.units + (layer.bias ? layer.units : 0) : 0;
    const count = layer.type === "dense" ? dense : 2 * (node?.units ?? 0);
    const trained = trainable === true ? "yes" : trainable === false ? "no" : `${trainable} only`;
    rows.push([String(l), layer.type, shape, name, String(count), trained]);
  }
  const widths = (rows[0] as string[]).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? "").length)));
  const line = (row: string[]) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd();
  const table = rows.map(line);
  const total = rows.slice(1).reduce((sum, row) => sum + Number(row[4]), 0);
  const scaled = spec.targetScaling === undefined ? "" : `, targets scaled by ${spec.targetScaling.type}`;
  const loss = `${plan.inputs} inputs, ${plan.outputs} outputs${scaled}, loss ${lossName(spec.loss)}, ${total} parameters`;
  return [...table, `${loss}, ${of.dtype}, core ${of.core}, seed ${of.seed}`].join("\n");
}

function fixedness(layer: ResolvedLayer<unknown>): string {
  if (!isFixed(layer)) return "";
  return isUnfitted(layer) ? "by the first fit" : "fixed";
}
