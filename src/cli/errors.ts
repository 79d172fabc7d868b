import { printable } from "./format.ts";

/** A failure the user can act on. Printed as one line on stderr; the process ends with `exitCode`. */
export class CliError extends Error {
  override name = "CliError";
  readonly exitCode: number = 1;
}

/** The command line itself is wrong. */
export class UsageError extends CliError {
  override name = "UsageError";
  override readonly exitCode = 2;
}

/** A receipt that is not true. 1, as of cmp and diff. */
export class Unequal extends CliError {
  override name = "Unequal";
}

/** A receipt that could not be checked. 2, as of cmp and diff. */
export class Unchecked extends CliError {
  override name = "Unchecked";
  override readonly exitCode = 2;
}

/** The user pressed Ctrl-C. 130 = 128 + SIGINT, what a shell reports for it. */
export class Interrupted extends CliError {
  override name = "Interrupted";
  override readonly exitCode = 130;
}

/** One line of text for anything that was thrown. */
export function messageOf(error: unknown): string {
  const text = error instanceof Error ? error.message || error.name : String(error);
  return printable(text).trim();
}

/** Text from outside (names, fields) as a quoted, printable, short string. */
export function quoted(text: string): string {
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 39)}…` : text);
}
