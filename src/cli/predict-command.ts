import type { Matrix, Network } from "../index.ts";
import { lossName } from "../options/loss.ts";
import type { OptionName } from "./commands.ts";
import { coreValue } from "./cores.ts";
import { csvField, numbersOf, readCsv, type Table } from "./csv.ts";
import { CliError, UsageError } from "./errors.ts";
import { checkWritable, loadNetwork, writeWhole } from "./files.ts";
import { shortest } from "./format.ts";
import type { Terminal } from "./terminal.ts";

type Values = Partial<Record<OptionName, string>>;

/** The two files of `predict` and `evaluate`. */
export function modelAndFile(command: string, files: readonly string[]): [model: string, file: string] {
  const [model, file, more] = files;
  if (model === undefined || file === undefined || more !== undefined)
    throw new UsageError(`${command} takes a model and a CSV file, got ${files.length || "nothing"}`);
  return [model, file];
}

/** The network's inputs: its columns by name, or all columns but `target` when the network has no names. */
export function inputsOf(network: Network, table: Table, target?: string): Matrix {
  const names = network.names?.columns ?? table.columns.filter((name) => name !== target);
  if (names.length !== network.inputs)
    throw new CliError(`${table.file}: expected ${network.inputs} input columns, got ${names.length}`);
  return { data: numbersOf(table, names, network.dtype), shape: [table.rows, names.length] };
}

/** Do the outputs stand for classes? */
export function isClassifier({ names, spec }: Network): boolean {
  return names?.classes !== undefined || ["crossEntropy", "binaryCrossEntropy"].includes(lossName(spec.loss));
}

/** Names of the classes by index: the saved ones, or the indices. */
export function classesOf({ names, outputs }: Network): string[] {
  return names?.classes ?? Array.from({ length: Math.max(2, outputs) }, (_, k) => String(k));
}

/** `chainrule predict MODEL FILE.csv`. */
export async function predictCommand(files: readonly string[], values: Values, { stdout }: Terminal): Promise<void> {
  const [model, file] = modelAndFile("predict", files);
  if (values.output !== undefined) checkWritable(values.output, files);
  const network = await loadNetwork(model, coreValue(values) ?? "auto");
  try {
    const text = predictions(network, inputsOf(network, readCsv(file)), values.probabilities !== undefined);
    if (values.output === undefined) stdout.write(text);
    else writeWhole(values.output, text);
  } finally {
    network.dispose();
  }
}

/** CSV: one column of classes or values, or with `every` one column per output. */
function predictions(network: Network, x: Matrix, every: boolean): string {
  const target = network.names?.target ?? "prediction";
  const { outputs } = network;
  if (isClassifier(network) && !every) {
    const classes = classesOf(network);
    const fields = Array.from(network.predictClasses(x), (k) => csvField(classes[k] as string));
    return `${[csvField(target), ...fields].join("\n")}\n`;
  }
  const single = network.dtype === "float32";
  const { data, shape } = network.predict(x);
  const lines = [headerOf(network, target).map(csvField).join(",")];
  for (let row = 0; row < shape[0]; row++) {
    const values = Array.from(data.subarray(row * outputs, (row + 1) * outputs), (value) => shortest(value, single));
    lines.push(values.join(","));
  }
  return `${lines.join("\n")}\n`;
}

function headerOf(network: Network, target: string): string[] {
  if (network.outputs === 1) return [isClassifier(network) ? (classesOf(network)[1] as string) : target];
  return isClassifier(network)
    ? classesOf(network)
    : Array.from({ length: network.outputs }, (_, k) => `output${k + 1}`);
}
