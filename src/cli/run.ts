import { readArguments } from "./arguments.ts";
import { benchCommand } from "./bench-command.ts";
import { type CommandName, helpText, type OptionName } from "./commands.ts";
import { dataCommand } from "./data-command.ts";
import { CliError, messageOf, UsageError } from "./errors.ts";
import { evaluateCommand } from "./evaluate-command.ts";
import { exportCommand } from "./export-command.ts";
import { predictCommand } from "./predict-command.ts";
import type { Sink, Terminal } from "./terminal.ts";
import { trainCommand } from "./train-command.ts";
import { verifyCommand } from "./verify-command.ts";
import { versionText } from "./version.ts";

export type { Sink, Terminal };

type Command = (
  positionals: readonly string[],
  values: Partial<Record<OptionName, string>>,
  terminal: Terminal,
) => Promise<void>;

const RUN: Record<CommandName, Command> = {
  train: trainCommand,
  predict: predictCommand,
  evaluate: evaluateCommand,
  export: exportCommand,
  verify: verifyCommand,
  bench: benchCommand,
  data: dataCommand,
};

/**
 * Runs one command line of the program `chainrule`.
 *
 * @param args without `node` and the script
 * @param terminal where output and errors are written, and the environment; `process` fits
 * @returns the exit code; never throws
 * @example
 * import { run } from "chainrule/cli";
 * const code = await run(["data", "iris", "--output", "iris.csv"], process);
 */
export async function run(args: readonly string[], terminal: Terminal): Promise<number> {
  try {
    const { command, positionals, values, help, version } = readArguments(args);
    if (help) terminal.stdout.write(helpText(command));
    else if (version) terminal.stdout.write(`${versionText()}\n`);
    else if (command === undefined) throw new UsageError("a command is needed: chainrule --help lists them");
    else await RUN[command](positionals, values, terminal);
    return 0;
  } catch (error) {
    terminal.stderr.write(`chainrule: ${messageOf(error)}\n`);
    return error instanceof CliError ? error.exitCode : 1;
  }
}
