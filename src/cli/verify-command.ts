import { readFileSync } from "node:fs";
import { readJson } from "../formats/values.ts";
import { type EpochReport, type FitOptions, Network, type NetworkSpec } from "../index.ts";
import { digestedBytes } from "../receipt/canonical.ts";
import { type Receipt, receipt } from "../receipt/receipt.ts";
import { sha256 } from "../receipt/sha256.ts";
import type { OptionName } from "./commands.ts";
import { coreValue } from "./cores.ts";
import { CliError, Interrupted, messageOf, Unchecked, Unequal, UsageError } from "./errors.ts";
import { csvProblem, type Problem } from "./problem.ts";
import { ProgressLine } from "./progress.ts";
import { type CommandReceipt, commandReceipt, dataDigest, firstDifference } from "./receipts.ts";
import type { Terminal } from "./terminal.ts";
import { problemOf, settingsOf, type Values } from "./train-command.ts";
import { type Sample, specFor, splitProblem, trainProblem } from "./training.ts";
import { listValue } from "./values.ts";
import { versionText } from "./version.ts";

interface Watch {
  readonly onEpoch: (report: EpochReport) => void;
  readonly signal: AbortSignal;
}

/** `chainrule verify RECEIPT.json [FILE.csv]`: ends with Unequal (exit code 1) or Unchecked (2) unless all is equal. */
export async function verifyCommand(files: readonly string[], values: Values, terminal: Terminal): Promise<void> {
  const [file, csv, more] = files;
  if (file === undefined || more !== undefined)
    throw new UsageError("verify takes RECEIPT.json and at most one CSV file");
  const interruption = new AbortController();
  const interrupt = () => interruption.abort(new Interrupted("interrupted; nothing was compared"));
  process.once("SIGINT", interrupt);
  let progress: ProgressLine | undefined;
  try {
    const written = readReceipt(file);
    await checkDigest(file, written);
    if (!written.replayable) throw new Unchecked(`${file}: cannot be replayed: ${written.reasons.join("; ")}`);
    const command = commandOf(written);
    progress = new ProgressLine(terminal, command ? Number(command.command.options.epochs) : written.epochs);
    const watch: Watch = {
      onEpoch: (report) => values.quiet !== undefined || progress?.show(report),
      signal: interruption.signal,
    };
    const made = command ? await replayCommand(command, csv, values, watch) : await replay(written, csv, values, watch);
    progress.end();
    const difference = firstDifference(written, made);
    if (difference !== undefined) throw new Unequal(`not equal: ${difference}${versions(command?.command.version)}`);
    terminal.stdout.write(`equal: weights ${written.weights.sha256}\n`);
  } catch (error) {
    if (error instanceof Unequal || (error instanceof CliError && error.exitCode !== 1)) throw error;
    throw new Unchecked(messageOf(error));
  } finally {
    progress?.end();
    process.off("SIGINT", interrupt);
  }
}

/** Bits may change from one version to the next. */
function versions(written: string | undefined): string {
  const here = versionText();
  return written === undefined || written === here ? "" : ` (it was written by version ${written}, this is ${here})`;
}

function readReceipt(file: string): Receipt {
  let value: unknown;
  try {
    value = readJson(readFileSync(file));
  } catch (error) {
    throw new Unchecked(`${file}: cannot be read as a receipt: ${messageOf(error)}`);
  }
  const given = (value ?? {}) as Partial<Receipt>;
  if (given.format !== "chainrule receipt 1")
    throw new Unchecked(`${file}: is no receipt of a format that is known here`);
  const lists = Array.isArray(given.calls) && Array.isArray(given.reasons) && Array.isArray(given.spec?.layers);
  const whole = lists && typeof given.weights === "object" && given.weights !== null;
  if (!whole || given.calls?.some((call) => typeof call?.call !== "string")) {
    throw new Unchecked(`${file}: is no whole receipt`);
  }
  return given as Receipt;
}

async function checkDigest(file: string, written: Receipt): Promise<void> {
  const digest = await sha256(digestedBytes(written));
  if (digest !== written.digest) {
    throw new Unequal(`not equal: digest: ${file} was altered: it says ${written.digest}, its fields have ${digest}`);
  }
}

function commandOf(written: Receipt): CommandReceipt | undefined {
  const { command } = written as Partial<CommandReceipt>;
  if (command === undefined) return undefined;
  const options = Object.entries(command?.options ?? {});
  const texts = options.length > 0 && options.every(([, value]) => typeof value === "string");
  if (command?.program !== "chainrule train" || !texts) {
    throw new Unchecked("command: expected the program 'chainrule train' with options as text");
  }
  return written as CommandReceipt;
}

/** `train` again, with the options that the receipt names. */
async function replayCommand(
  written: CommandReceipt,
  csv: string | undefined,
  values: Values,
  watch: Watch,
): Promise<Receipt> {
  const options: Values = { ...written.command.options };
  for (const name of ["target", "ignore"] as const) if (values[name] !== undefined) options[name] = values[name];
  const settings = settingsOf(options);
  if (csv === undefined && options.target !== undefined)
    throw new UsageError("the receipt is of a CSV file: verify RECEIPT.json FILE.csv");
  if (csv !== undefined && options.target === undefined)
    throw new UsageError("the receipt is of the embedded digits: verify RECEIPT.json without a file");
  const problem = problemOf(csv === undefined ? [] : [csv], options, settings.dtype);
  const data = { rows: problem.y.length, sha256: await dataDigest(problem) };
  const others = firstDifference(written, { ...written, command: { ...written.command, data } } as Receipt);
  if (others !== undefined) throw new Unequal(`not equal: ${others}`);
  const { seed, dtype } = settings;
  const core = coreValue(values) ?? settings.core;
  const network = await Network.create(specFor(problem, settings), { seed, dtype, core });
  try {
    await trainProblem(problem, splitProblem(problem, seed), network, settings, watch);
    return await commandReceipt(network, problem, settings, options);
  } finally {
    network.dispose();
  }
}

/** The calls of a receipt, one after the other, on all rows of the file. */
async function replay(written: Receipt, csv: string | undefined, values: Values, watch: Watch): Promise<Receipt> {
  if (csv === undefined) throw new UsageError("a CSV file is needed: verify RECEIPT.json FILE.csv --target COLUMN");
  const sample = sampleFor(written, csv, values);
  let network = await networkFor(written, values);
  try {
    await checkData(written, sample, values);
    for (const [i, call] of written.calls.entries()) {
      if (call.call === "setTrainable") network.setTrainable(call.layer, call.trainable);
      else if (call.call === "load") {
        const loaded = await Network.load(network.save({ optimizer: false }), { core: network.core });
        network.dispose();
        network = loaded;
      } else if (call.call === "fit") {
        await network.fit(sample.x, sample.y, { ...optionsOf(call, i), maxSteps: call.steps, ...watch });
      } else throw new Unchecked(`calls[${i}]: ${call.call} cannot be replayed`);
    }
    return await receipt(network);
  } finally {
    network.dispose();
  }
}

function networkFor({ spec, seed, dtype }: Receipt, values: Values): Promise<Network> {
  return Network.create(spec as NetworkSpec, { seed, dtype, core: coreValue(values) ?? "auto" });
}

/** Options of a fit whose data can all come from one file. */
function optionsOf(call: Extract<Receipt["calls"][number], { call: "fit" }>, i: number): FitOptions {
  const missing = call.sampleWeights === undefined ? "validation rows of its own" : "sample weights";
  if (call.sampleWeights !== undefined || (call.validation && call.options.validation === undefined)) {
    throw new Unchecked(`calls[${i}]: had ${missing}, which are not in the file`);
  }
  return call.options as FitOptions;
}

/** Whether the first fit had these rows, found out by its first step: others need not be trained on to the end. */
async function checkData(written: Receipt, { x, y }: Sample, values: Values): Promise<void> {
  const i = written.calls.findIndex(({ call }) => call === "fit");
  const call = written.calls[i];
  if (call?.call !== "fit") return;
  const network = await networkFor(written, values);
  try {
    await network.fit(x, y, { ...optionsOf(call, i), maxSteps: 1 });
    const { calls } = await receipt(network);
    const [first] = calls as [typeof call];
    const { data, validation } = first;
    const same = { ...call, data, ...(validation && { validation }) };
    const others = firstDifference(written, { ...written, calls: written.calls.with(i, same) });
    if (others !== undefined) throw new Unequal(`not equal: ${others}`);
  } finally {
    network.dispose();
  }
}

/** All rows; classes where the last layer is a softmax. */
function sampleFor({ spec, dtype }: Receipt, csv: string, values: Values): Sample {
  const { target } = values;
  if (target === undefined) throw new UsageError("--target COLUMN is needed: the receipt names no columns");
  const last = spec.layers.at(-1) as { activation?: { type?: string } } | undefined;
  const task = last?.activation?.type === "softmax" ? "classification" : "regression";
  const { x, y, columns }: Problem = csvProblem(
    csv,
    target,
    listValue(values, "ignore" satisfies OptionName),
    dtype,
    task,
  );
  return { x: { data: x, shape: [y.length, columns.length] }, y };
}
