/** What the commands need of the outside; process.stdout and process.stderr fit, and so does a test's recorder. */
export interface Sink {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

export interface Terminal {
  stdout: Sink;
  stderr: Sink;
  env: Readonly<Record<string, string | undefined>>;
}

/** May lines be rewritten and coloured? Not in a pipe or a file, not with NO_COLOR (https://no-color.org). */
export function isLive({ stdout, env }: Terminal): boolean {
  return stdout.isTTY === true && !env.NO_COLOR && env.TERM !== "dumb";
}

/** Columns of the terminal; 80 where it has no width. */
export function widthOf({ stdout }: Terminal): number {
  return Math.max(20, stdout.columns || 80);
}
