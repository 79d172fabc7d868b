// Receipts of `train`: that of the network, and what the command did around it (docs/receipt.md).
import type { Network } from "../index.ts";
import { canonicalText } from "../receipt/canonical.ts";
import { type Receipt, receipt, sealed } from "../receipt/receipt.ts";
import { sha256 } from "../receipt/sha256.ts";
import type { OptionName } from "./commands.ts";
import type { Problem } from "./problem.ts";
import type { TrainSettings } from "./training.ts";
import { versionText } from "./version.ts";

/** What `train` did: enough to do it again. */
export interface CommandPart {
  readonly program: "chainrule train";
  readonly version: string;
  /** As on the command line, defaults written out. */
  readonly options: Readonly<Partial<Record<OptionName, string>>>;
  readonly data: { readonly rows: number; readonly sha256: string };
}

export type CommandReceipt = Receipt & { readonly command: CommandPart };

/** Of the network that `train` with these settings has trained on `problem`. */
export async function commandReceipt(
  network: Network,
  problem: Problem,
  settings: TrainSettings,
  values: Partial<Record<OptionName, string>>,
): Promise<CommandReceipt> {
  const ofNetwork = await receipt(network);
  // The best weights are put back by setWeights: the command says from which epoch.
  const reasons = ofNetwork.reasons.filter((reason) => !reason.startsWith("setWeights"));
  const command: CommandPart = {
    program: "chainrule train",
    version: versionText(),
    options: optionsOf(problem, settings, values),
    data: { rows: problem.y.length, sha256: await dataDigest(problem) },
  };
  return sealed({ ...ofNetwork, replayable: reasons.length === 0, reasons, command });
}

function optionsOf(problem: Problem, settings: TrainSettings, { target, ignore }: Partial<Record<OptionName, string>>) {
  const { hidden, activation, epochs, batch, optimizer, keep, seed, dtype, core } = settings;
  const { type, ...rates } = typeof optimizer === "string" ? { type: optimizer } : optimizer;
  const rate = (rates as { learningRate?: number }).learningRate;
  return {
    ...(target !== undefined && { target, task: problem.task }),
    ...(ignore !== undefined && { ignore }),
    hidden: hidden.length === 0 ? "none" : hidden.join(","),
    activation,
    epochs: String(epochs),
    batch: String(batch),
    optimizer: type,
    ...(rate !== undefined && { "learning-rate": String(rate) }),
    ...(keep !== undefined && { keep }),
    seed: String(seed),
    dtype,
    ...(core === "relaxed" && { core }),
  };
}

/** SHA-256 of the data as they were read: names and numbers, not the file's bytes. */
export async function dataDigest({ columns, target, task, classes, x, y }: Problem): Promise<string> {
  const head = new TextEncoder().encode(`${canonicalText({ columns, target, task, classes, rows: y.length })}\n`);
  const bytes = new Uint8Array(head.length + 8 * (x.length + y.length));
  bytes.set(head);
  const view = new DataView(bytes.buffer, head.length);
  x.forEach((value, i) => {
    view.setFloat64(8 * i, value, true);
  });
  y.forEach((value, i) => {
    view.setFloat64(8 * (x.length + i), value, true);
  });
  return sha256(bytes);
}

/** As it stands in a file. */
export function textOf(given: Receipt): string {
  return `${JSON.stringify(given, null, 2)}\n`;
}

/**
 * The first field in which two receipts of the same work differ, in words with both values; undefined: equal. Data come first.
 * The version of the program may differ.
 */
export function firstDifference(expected: Receipt, got: Receipt): string | undefined {
  const [a, b] = [expected, got] as [Partial<CommandReceipt>, Partial<CommandReceipt>];
  const pairs: [string, unknown, unknown][] = [["data", a.command?.data, b.command?.data]];
  const calls = Math.max(expected.calls.length, got.calls.length);
  const each = (part: "data" | "sampleWeights" | "validation") => {
    for (let i = 0; i < calls; i++) {
      const [one, two] = [expected.calls[i], got.calls[i]] as ({ [name in typeof part]?: unknown } | undefined)[];
      pairs.push([`calls[${i}].${part}`, one?.[part], two?.[part]]);
    }
  };
  each("data");
  each("validation");
  each("sampleWeights");
  for (const name of ["format", "dtype", "seed", "spec"] as const) pairs.push([name, expected[name], got[name]]);
  for (let i = 0; i < calls; i++) pairs.push([`calls[${i}]`, expected.calls[i], got.calls[i]]);
  for (const name of ["steps", "epochs", "weights", "replayable", "reasons"] as const) {
    pairs.push([name, expected[name], got[name]]);
  }
  pairs.push(["command.options", a.command?.options, b.command?.options]);
  for (const [name, one, two] of pairs) {
    const differs = within(name, one, two);
    if (differs !== undefined) return differs;
  }
  return undefined;
}

/** The first place in which two values of JSON differ, by keys in order, in words; undefined: none. */
function within(name: string, one: unknown, two: unknown): string | undefined {
  if (canonicalText([one ?? null]) === canonicalText([two ?? null])) return undefined;
  const inner = [one, two].every((value) => typeof value === "object" && value !== null);
  if (inner && Array.isArray(one) === Array.isArray(two)) {
    const [a, b] = [one, two] as Record<string, unknown>[];
    for (const key of new Set([...Object.keys(a ?? {}), ...Object.keys(b ?? {})])) {
      const differs = within(Array.isArray(one) ? `${name}[${key}]` : `${name}.${key}`, a?.[key], b?.[key]);
      if (differs !== undefined) return differs;
    }
  }
  const [had, got] = [one, two].map((value) => {
    const text = value === undefined ? "nothing" : canonicalText(value);
    return text.length > 100 ? `${text.slice(0, 99)}…` : text;
  });
  return `${name}: the receipt has ${had}, the replay ${got}`;
}
