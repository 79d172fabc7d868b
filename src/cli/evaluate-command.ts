import type { OptionName } from "./commands.ts";
import { coreValue } from "./cores.ts";
import { readCsv } from "./csv.ts";
import { CliError, UsageError } from "./errors.ts";
import { loadNetwork } from "./files.ts";
import { grouped, percent, significant } from "./format.ts";
import { classificationMeasures, classTable, regressionLines, regressionMeasures } from "./measures.ts";
import { classesOf, inputsOf, isClassifier, modelAndFile } from "./predict-command.ts";
import { classIndicesOf, quantities } from "./targets.ts";
import type { Terminal } from "./terminal.ts";

/** `chainrule evaluate MODEL FILE.csv`. */
export async function evaluateCommand(
  files: readonly string[],
  values: Partial<Record<OptionName, string>>,
  { stdout }: Terminal,
): Promise<void> {
  const [model, file] = modelAndFile("evaluate", files);
  const network = await loadNetwork(model, coreValue(values) ?? "auto");
  try {
    const target = values.target ?? network.names?.target;
    if (target === undefined) throw new UsageError(`${model} names no target: --target COLUMN is needed`);
    const table = readCsv(file, [target]);
    const x = inputsOf(network, table, target);
    stdout.write(`rows: ${grouped(table.rows)}\n`);
    if (isClassifier(network)) {
      const classes = classesOf(network);
      const y = classIndicesOf(table, target, classes);
      const measures = classificationMeasures(network.predictClasses(x), y, classes);
      stdout.write(`loss: ${significant(network.evaluate(x, y).loss)}\naccuracy: ${percent(measures.accuracy)}\n\n`);
      stdout.write(classTable(measures));
      return;
    }
    if (network.outputs !== 1)
      throw new CliError(`${model}: has ${network.outputs} outputs; one target column can be compared with one output`);
    const y = quantities(table, target, network.dtype);
    stdout.write(`loss: ${significant(network.evaluate(x, y).loss)}\n`);
    stdout.write(regressionLines(regressionMeasures(network.predict(x), y)));
  } finally {
    network.dispose();
  }
}
