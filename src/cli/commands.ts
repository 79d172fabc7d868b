import { ACTIVATIONS } from "../options/activation.ts";
import { OPTIMIZER_NAMES } from "../options/optimizer.ts";

export const HIDDEN_ACTIVATIONS = ACTIVATIONS.filter((name) => name !== "softmax");

/** Defaults of `train`; the README's figures for the digits were measured with them. */
export const TRAIN_DEFAULTS = {
  hidden: [64],
  activation: "relu",
  epochs: 100,
  batch: 32,
  optimizer: { type: "adam", learningRate: 0.003 },
  seed: 0,
  dtype: "float32",
  core: "auto",
} as const;

export interface OptionText {
  /** What stands for the value in the help; an option without it takes none. */
  value?: string;
  short?: string;
  help: string;
}

/** Every option of every command: the parser and the help read this table. */
export const OPTIONS = {
  target: { value: "COLUMN", help: "the column to predict" },
  ignore: { value: "COLUMNS", help: "columns that are not used as inputs, separated by commas" },
  task: {
    value: "TASK",
    help: "classification or regression; left out: text, or at most 20 different integers, are classes",
  },
  hidden: { value: "UNITS", help: 'units of the hidden layers, separated by commas, or "none"; 64' },
  activation: { value: "NAME", help: `of the hidden layers: ${HIDDEN_ACTIVATIONS.join(", ")}; relu` },
  epochs: { value: "N", help: "passes over the training rows; 100" },
  batch: { value: "N", help: 'rows per step, or "full"; 32' },
  optimizer: {
    value: "NAME",
    help: `${OPTIMIZER_NAMES.join(", ")}; adam. From rprop on with all rows in each step; lm and br for quantities`,
  },
  "learning-rate": { value: "X", help: "step size, above 0; 0.003 for adam, else the library's default" },
  keep: {
    value: "WHICH",
    help: "weights of the last epoch, or of the best by validation loss; last for classes, best for a quantity",
  },
  seed: { value: "N", help: "of the split, the first weights and the order of the rows; 0" },
  dtype: { value: "NAME", help: "float32 or float64; float32" },
  core: { value: "NAME", help: "auto, simd, relaxed or js; auto" },
  output: { value: "FILE", short: "o", help: "file to write" },
  to: { value: "FILE", help: "file to write: .wasm or .mjs" },
  rows: { value: "N", help: "rows that one call of the binary takes at most; 256" },
  receipt: { value: "FILE", help: "also write a receipt, which verify checks" },
  probabilities: { help: "one column per output instead of the predicted class" },
  quiet: { short: "q", help: "print the result and the name of the model file only" },
  help: { short: "h", help: "print this text" },
  version: { help: "print the version" },
} satisfies Record<string, OptionText>;

export type OptionName = keyof typeof OPTIONS;

interface CommandText {
  /** Everything after `chainrule`. */
  usage: string[];
  summary: string;
  details: string;
  options: OptionName[];
  examples: string[];
}

const TRAIN: CommandText = {
  usage: ["train [options]", "train FILE.csv --target COLUMN [options]"],
  summary: "train a network on the embedded digits or a CSV file, and save it",
  details:
    "Without a file: 1797 images of handwritten digits, 8×8 grey levels each. The first line of a CSV file names the columns. All columns but the target must hold numbers; they are scaled to mean 0 and deviation 1 by the saved network itself. Rows are divided by the seed into 64 % to train, 16 % to validate and 20 % to test. The network is tested once, at the end, and saved with the names of the columns and classes.",
  options: [
    "target",
    "ignore",
    "task",
    "hidden",
    "activation",
    "epochs",
    "batch",
    "optimizer",
    "learning-rate",
    "keep",
    "seed",
    "dtype",
    "core",
    "output",
    "receipt",
    "quiet",
  ],
  examples: ["chainrule train", "chainrule train iris.csv --target species --hidden 16,16 --epochs 50"],
};

const PREDICT: CommandText = {
  usage: ["predict MODEL FILE.csv [options]"],
  summary: "write the predictions of a saved network for the rows of a CSV file",
  details:
    "Writes CSV, one line per row: the predicted class or value, under the target's name. Columns are found by name, others are left alone; a model without names takes all columns in their order. Goes to the standard output without --output.",
  options: ["probabilities", "output", "core"],
  examples: ["chainrule predict iris.chainrule iris.csv --output predictions.csv"],
};

const EVALUATE: CommandText = {
  usage: ["evaluate MODEL FILE.csv [options]"],
  summary: "compare a saved network with the targets in a CSV file",
  details:
    "Prints loss and accuracy with a table of the classes, or the errors of a regression. The target column is the one the network was trained on, or --target.",
  options: ["target", "core"],
  examples: ["chainrule evaluate iris.chainrule iris.csv"],
};

const EXPORT: CommandText = {
  usage: ["export MODEL --to FILE.wasm|FILE.mjs [options]"],
  summary: "write a saved network as one file that predicts without chainrule",
  details:
    "FILE.wasm is a WebAssembly binary without imports, for any host with SIMD; FILE.mjs an ES module around it. Scalings of inputs and target are part of it, and its predictions have the same bits. docs/export.md describes both.",
  options: ["to", "rows"],
  examples: [
    "chainrule export iris.chainrule --to iris.wasm",
    "chainrule export iris.chainrule --to iris.mjs --rows 1",
  ],
};

const VERIFY: CommandText = {
  usage: ["verify RECEIPT.json [FILE.csv] [options]"],
  summary: "train again as a receipt says, and compare",
  details:
    "Compares digest, data, spec, calls and weights and names the first that differs. A receipt of train needs the CSV file it was written for, or none for the digits; one of the library needs --target besides. Exit codes: 0 equal, 1 not equal, 2 not checked (a wrong command line, a file that cannot be read, a receipt that cannot be replayed).",
  options: ["target", "ignore", "core", "quiet"],
  examples: ["chainrule verify iris.json iris.csv"],
};

const BENCH: CommandText = {
  usage: ["bench [options]"],
  summary: "measure the training speed of the cores on the digits",
  details:
    "Trains the network 64-64-10 on the 1797 digits with every core that runs here, in turns after a warm-up, and prints the median speed of each in samples per second.",
  options: ["hidden", "batch", "optimizer", "dtype"],
  examples: ["chainrule bench --dtype float64"],
};

const DATA: CommandText = {
  usage: ["data NAME"],
  summary: "write an embedded data set as CSV: digits, iris or diabetes",
  details: "The source and licence of the set go to the standard error.",
  options: ["output"],
  examples: ["chainrule data iris --output iris.csv"],
};

export const COMMANDS = {
  train: TRAIN,
  predict: PREDICT,
  evaluate: EVALUATE,
  export: EXPORT,
  verify: VERIFY,
  bench: BENCH,
  data: DATA,
};

export type CommandName = keyof typeof COMMANDS;

const optionLines = (names: readonly OptionName[]): string[] => {
  const labels = names.map((name) => {
    const { value, short }: OptionText = OPTIONS[name];
    return `${short ? `-${short}, ` : "    "}--${name}${value ? ` ${value}` : ""}`;
  });
  const width = Math.max(...labels.map((label) => label.length));
  return names.flatMap((name, i) => wrapped(`  ${(labels[i] as string).padEnd(width)}  `, OPTIONS[name].help));
};

/** `text` in lines of at most 80 columns, the first after `lead`, the others indented as far. */
function wrapped(lead: string, text: string): string[] {
  const lines = [lead];
  for (const word of text.split(" ")) {
    const line = lines.at(-1) as string;
    if (line.length + word.length > 79) lines.push(" ".repeat(lead.length) + word);
    else lines[lines.length - 1] = `${line}${line.length === lead.length ? "" : " "}${word}`;
  }
  return lines;
}

/** `chainrule --help`, or `chainrule COMMAND --help`. */
export function helpText(command?: CommandName): string {
  if (command === undefined) {
    const width = Math.max(...Object.keys(COMMANDS).map((name) => name.length));
    const lines = Object.entries(COMMANDS).map(([name, { summary }]) => `  ${name.padEnd(width)}  ${summary}`);
    return `Usage: chainrule COMMAND [options]

Trains feedforward neural networks on a SIMD WebAssembly core.

${lines.join("\n")}

${optionLines(["help", "version"]).join("\n")}

chainrule COMMAND --help describes a command.
Exit codes: 0 done, 1 failed, 2 wrong command line, 130 interrupted.
`;
  }
  const { usage, summary, details, options, examples } = COMMANDS[command];
  return `Usage: ${usage.map((line) => `chainrule ${line}`).join("\n       ")}

${summary.charAt(0).toUpperCase()}${summary.slice(1)}.

${wrapped("", details).join("\n")}

Options:
${optionLines([...options, "help"]).join("\n")}

${examples.length > 1 ? "Examples" : "Example"}:
${examples.map((line) => `  ${line}`).join("\n")}
`;
}
