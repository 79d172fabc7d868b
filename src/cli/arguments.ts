import { parseArgs } from "node:util";
import { COMMANDS, type CommandName, OPTIONS, type OptionName, type OptionText } from "./commands.ts";
import { UsageError } from "./errors.ts";
import { suggestion } from "./suggestion.ts";

/** A command line taken apart: what was written, as text; `true` for an option without a value. */
export interface Invocation {
  command: CommandName | undefined;
  positionals: string[];
  values: Partial<Record<OptionName, string>>;
  help: boolean;
  version: boolean;
}

const dashed = (name: string): string => `--${name}`;
const plain = (name: string): string => name;

function optionsOf(command: CommandName | undefined): OptionName[] {
  return command === undefined ? ["help", "version"] : [...COMMANDS[command].options, "help"];
}

/** Takes the arguments after `node main.js` apart and checks names, not values. Throws UsageError. */
export function readArguments(args: readonly string[]): Invocation {
  const [first] = args;
  let command: CommandName | undefined;
  if (first !== undefined && !first.startsWith("-")) {
    if (!Object.hasOwn(COMMANDS, first))
      throw new UsageError(`unknown command ${first}${suggestion(first, Object.keys(COMMANDS), plain)}`);
    command = first as CommandName;
  }
  const names = optionsOf(command);
  const { tokens } = parseArgs({
    args: command === undefined ? [...args] : args.slice(1),
    options: Object.fromEntries(names.map((name) => [name, parserConfig(name)])),
    strict: false,
    tokens: true,
  });
  const positionals: string[] = [];
  const values: Partial<Record<OptionName, string>> = {};
  for (const token of tokens) {
    if (token.kind === "positional") positionals.push(token.value);
    if (token.kind !== "option") continue;
    if (!names.includes(token.name as OptionName))
      throw new UsageError(`unknown option ${token.rawName}${suggestion(token.rawName, names.map(dashed), plain)}`);
    values[token.name as OptionName] = checkedValue(token.name as OptionName, token.value);
  }
  const { help, version, ...rest } = values;
  return { command, positionals, values: rest, help: help !== undefined, version: version !== undefined };
}

function parserConfig(name: OptionName) {
  const { value, short }: OptionText = OPTIONS[name];
  return { type: value === undefined ? ("boolean" as const) : ("string" as const), ...(short ? { short } : {}) };
}

function checkedValue(name: OptionName, value: string | undefined): string {
  const { value: takes }: OptionText = OPTIONS[name];
  if (takes === undefined && value !== undefined) throw new UsageError(`--${name} takes no value, got ${value}`);
  if (takes !== undefined && value === undefined) throw new UsageError(`--${name}: expected ${takes}, got nothing`);
  return value ?? "true";
}
