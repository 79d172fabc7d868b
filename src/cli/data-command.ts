import { diabetes, diabetesCsv } from "../datasets/diabetes.ts";
import { digits, digitsCsv } from "../datasets/digits.ts";
import { iris, irisCsv } from "../datasets/iris.ts";
import type { OptionName } from "./commands.ts";
import { UsageError } from "./errors.ts";
import { checkWritable, writeWhole } from "./files.ts";
import { suggestion } from "./suggestion.ts";
import type { Terminal } from "./terminal.ts";

const SETS = {
  digits: { csv: digitsCsv, source: () => digits().source },
  iris: { csv: irisCsv, source: () => iris().source },
  diabetes: { csv: diabetesCsv, source: () => diabetes().source },
};

/** `chainrule data NAME`. */
export async function dataCommand(
  names: readonly string[],
  values: Partial<Record<OptionName, string>>,
  { stdout, stderr }: Terminal,
): Promise<void> {
  const [name, more] = names;
  if (name === undefined || more !== undefined) throw new UsageError("data takes one name: digits, iris or diabetes");
  if (!Object.hasOwn(SETS, name))
    throw new UsageError(`unknown data set ${name}${suggestion(name, Object.keys(SETS), (set) => set)}`);
  const set = SETS[name as keyof typeof SETS];
  if (values.output === undefined) stdout.write(set.csv());
  else {
    checkWritable(values.output, []);
    writeWhole(values.output, set.csv());
  }
  stderr.write(`${set.source()}\n`);
}
