import { run } from "../../src/cli/run.ts";
import { recorder } from "./recorder.ts";

/** Runs a command line in this process. */
export async function chainrule(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const { terminal, written } = recorder();
  const code = await run(args, terminal);
  return { code, ...written };
}
