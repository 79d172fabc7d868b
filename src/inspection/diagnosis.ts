// What a diagnosis says: findings with the figure that shows each, and figures of every layer.

export type FindingKind =
  | "inputScale"
  | "constantInput"
  | "conflictingTargets"
  | "deadUnits"
  | "saturatedUnits"
  | "vanishingGradient"
  | "explodingGradient"
  | "learningRateHigh"
  | "learningRateLow";

export interface Finding {
  readonly kind: FindingKind;
  /** Index in `spec.layers`, where it is about one. */
  readonly layer?: number;
  /** What was measured, and the value beyond which it is a finding. */
  readonly figure: number;
  readonly limit: number;
  /** In words, with the figure. */
  readonly message: string;
  /** What to change. */
  readonly advice: string;
}

/** Figures of a layer with parameters, over the sampled rows. */
export interface LayerDiagnosis {
  readonly layer: number;
  readonly type: string;
  readonly activation: string;
  /** Share of units whose output is 0 for every row; of relu, relu6, hardSigmoid, hardSwish. */
  readonly dead: number;
  /** Share of outputs (rows × units) where the activation's slope is below 1 % of its largest; of sigmoid, tanh, softsign, hardSigmoid. */
  readonly saturated: number;
  /** Root mean square of ∂loss/∂W. */
  readonly gradient: number;
  /** ‖ΔW‖/‖W‖ of one step with the optimizer at hand; undefined where the layer is frozen or the method takes no single steps. */
  readonly update: number | undefined;
}

export interface Diagnosis {
  /** Gravest first: data, units, gradients, learning rate. */
  readonly findings: readonly Finding[];
  readonly layers: readonly LayerDiagnosis[];
  /** Rows of x that were looked at for everything but conflicts, which are looked for in all. */
  readonly rows: number;
  /** All of it as lines to print. */
  readonly text: string;
}

/** Three digits. */
export const figure = (value: number): string =>
  value !== 0 && (Math.abs(value) < 1e-3 || Math.abs(value) >= 1e5)
    ? value.toExponential(1)
    : String(Number(value.toPrecision(3)));

export const percent = (share: number): string => `${Number((100 * share).toPrecision(3))} %`;

export function textOf(findings: readonly Finding[], layers: readonly LayerDiagnosis[], rows: number): string {
  const lines = findings.map(({ message, advice }) => `• ${message}\n  ${advice}`);
  const table = [
    ["layer", "type", "dead", "saturated", "gradient", "update"],
    ...layers.map(({ layer, type, activation, dead, saturated, gradient, update }) => [
      String(layer),
      `${type} ${activation}`,
      percent(dead),
      percent(saturated),
      figure(gradient),
      update === undefined ? "–" : figure(update),
    ]),
  ];
  const widths = (table[0] as string[]).map((_, c) => Math.max(...table.map((row) => (row[c] ?? "").length)));
  const rowsOfTable = table.map((row) =>
    row
      .map((cell, c) => cell.padEnd(widths[c] ?? 0))
      .join("  ")
      .trimEnd(),
  );
  const head =
    findings.length === 0 ? `nothing unusual in ${rows} rows` : `${findings.length} findings in ${rows} rows`;
  return [head.replace(/^1 findings/, "1 finding"), ...lines, "", ...rowsOfTable].join("\n");
}
