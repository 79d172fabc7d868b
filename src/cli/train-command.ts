import { basename, extname, resolve } from "node:path";
import { type DType, type EpochReport, Network } from "../index.ts";
import { lossChart } from "./chart.ts";
import { HIDDEN_ACTIVATIONS, type OptionName, TRAIN_DEFAULTS } from "./commands.ts";
import { coreValue } from "./cores.ts";
import { Interrupted, UsageError } from "./errors.ts";
import { checkWritable, writeWhole } from "./files.ts";
import { grouped, percent } from "./format.ts";
import { classificationMeasures, classTable, regressionLines, regressionMeasures } from "./measures.ts";
import { csvProblem, digitsProblem, type Problem } from "./problem.ts";
import { ProgressLine } from "./progress.ts";
import { commandReceipt, textOf } from "./receipts.ts";
import { trainingSpeeds } from "./speed.ts";
import { isLive, type Terminal, widthOf } from "./terminal.ts";
import {
  type Parts,
  sampleOf,
  specFor,
  splitProblem,
  type Trained,
  type TrainSettings,
  trainProblem,
} from "./training.ts";
import { batchValue, choiceValue, integerValue, listValue, optimizerValue, unitsValue } from "./values.ts";

export type Values = Partial<Record<OptionName, string>>;

export function settingsOf(values: Values): TrainSettings {
  const optimizer = optimizerValue(values);
  return {
    hidden: unitsValue(values, "hidden") ?? TRAIN_DEFAULTS.hidden,
    activation: choiceValue(values, "activation", HIDDEN_ACTIVATIONS) ?? TRAIN_DEFAULTS.activation,
    epochs: integerValue(values, "epochs", 1) ?? TRAIN_DEFAULTS.epochs,
    batch: batchValue(values, optimizer),
    optimizer,
    keep: choiceValue(values, "keep", ["last", "best"]),
    seed: integerValue(values, "seed", 0) ?? TRAIN_DEFAULTS.seed,
    dtype: choiceValue(values, "dtype", ["float32", "float64"]) ?? TRAIN_DEFAULTS.dtype,
    core: coreValue(values) ?? TRAIN_DEFAULTS.core,
  };
}

export function problemOf(files: readonly string[], values: Values, dtype: DType): Problem {
  const task = choiceValue(values, "task", ["classification", "regression"]);
  const [file] = files;
  if (files.length > 1) throw new UsageError(`train takes one file, got ${files.length}: ${files.join(", ")}`);
  if (file !== undefined) {
    const { target } = values;
    if (target === undefined) throw new UsageError("train FILE.csv needs --target COLUMN, the column to predict");
    return csvProblem(file, target, listValue(values, "ignore"), dtype, task);
  }
  for (const name of ["target", "ignore", "task"] as const)
    if (values[name] !== undefined) throw new UsageError(`--${name} needs a CSV file: chainrule train FILE.csv`);
  return digitsProblem();
}

/** `chainrule train [FILE.csv --target COLUMN]`. */
export async function trainCommand(files: readonly string[], values: Values, terminal: Terminal): Promise<void> {
  const settings = settingsOf(values);
  const quiet = values.quiet !== undefined;
  const [file] = files;
  const output = values.output ?? `${file === undefined ? "digits" : basename(file, extname(file))}.chainrule`;
  checkWritable(output, files);
  if (values.receipt !== undefined) {
    checkWritable(values.receipt, files);
    if (resolve(values.receipt) === resolve(output))
      throw new UsageError("--receipt: expected another file than --output");
  }
  const problem = problemOf(files, values, settings.dtype);
  const parts = splitProblem(problem, settings.seed);
  const spec = specFor(problem, settings);
  const { seed, dtype, core } = settings;
  const network = await Network.create(spec, { seed, dtype, core });
  const say = (text: string) => quiet || terminal.stdout.write(text);
  say(overview(problem, parts, network, settings));
  const interruption = new AbortController();
  const interrupt = () => interruption.abort(new Interrupted("interrupted; no model was saved"));
  process.once("SIGINT", interrupt);
  const progress = new ProgressLine(terminal, settings.epochs);
  try {
    const onEpoch = (report: EpochReport) => quiet || progress.show(report);
    const trained = await trainProblem(problem, parts, network, settings, { onEpoch, signal: interruption.signal });
    progress.end();
    say(`${curves(trained, terminal)}`);
    terminal.stdout.write(result(problem, parts, trained, quiet));
    say(coreLine(problem, parts, network, settings, file === undefined));
    // Ctrl-C during the lines above is noticed when the event loop turns.
    await new Promise((resolve) => setImmediate(resolve));
    interruption.signal.throwIfAborted();
    const { columns, target, classes } = problem;
    network.names = problem.task === "classification" ? { columns, target, classes } : { columns, target };
    writeWhole(output, network.save({ optimizer: false }));
    terminal.stdout.write(`model: ${output}\n`);
    if (values.receipt === undefined) return;
    writeWhole(values.receipt, textOf(await commandReceipt(network, problem, settings, values)));
    terminal.stdout.write(`receipt: ${values.receipt}\n`);
  } finally {
    progress.end();
    process.off("SIGINT", interrupt);
    network.dispose();
  }
}

function overview({ name, task, classes, columns }: Problem, parts: Parts, network: Network, settings: TrainSettings) {
  const rows = [parts.train, parts.validation, parts.test].map((indices) => grouped(indices.length));
  const units = [columns.length, ...settings.hidden, network.outputs].join("-");
  const what = task === "classification" ? `${classes.length} classes` : "regression";
  return (
    `${name}: ${what}; rows: ${rows[0]} to train, ${rows[1]} to validate, ${rows[2]} to test\n` +
    `network ${units}: ${grouped(network.parameterCount)} parameters, ${network.dtype}, core ${network.core}\n`
  );
}

function curves({ reports, kept }: Trained, terminal: Terminal): string {
  const chart = lossChart(
    [
      { name: "training", values: reports.map(({ loss }) => loss) },
      { name: "validation", values: reports.map(({ validation }) => validation?.loss ?? 0) },
    ],
    widthOf(terminal) - 1,
    isLive(terminal),
  );
  return `${chart === "" ? "" : `\n${chart}\n`}weights of epoch ${kept}\n`;
}

/** The one look at the test rows. */
function result(problem: Problem, parts: Parts, { network }: Trained, quiet: boolean): string {
  const { x, y } = sampleOf(problem, parts.test);
  if (problem.task === "regression")
    return regressionLines(regressionMeasures(network.predict(x), y as Float64Array), "test");
  const measures = classificationMeasures(network.predictClasses(x), y as Int32Array, problem.classes);
  return `test accuracy: ${percent(measures.accuracy)}\n${quiet ? "" : `\n${classTable(measures)}\n`}`;
}

/** The core, and for the digits its speed against the JS core on the same rows. */
function coreLine(problem: Problem, parts: Parts, network: Network, settings: TrainSettings, compare: boolean): string {
  const { core } = network;
  if (!compare || core === "js") return `core: ${core}\n`;
  const { batch, optimizer, dtype } = settings;
  const spec = specFor(problem, settings);
  const sample = sampleOf(problem, parts.train);
  const [own = 0, js = 0] = trainingSpeeds([core, "js"], { spec, sample, batch, optimizer, dtype });
  return (
    `core: ${core}, ${(own / js).toFixed(1)} times as fast as the js core ` +
    `(${grouped(own)} against ${grouped(js)} samples/s)\n`
  );
}
