import { type ExportOptions, exportModule } from "../export/index.ts";
import type { Network } from "../index.ts";
import type { OptionName } from "./commands.ts";
import { CliError, messageOf, UsageError } from "./errors.ts";
import { checkWritable, loadNetwork, writeWhole } from "./files.ts";
import type { Terminal } from "./terminal.ts";
import { integerValue } from "./values.ts";

/** `chainrule export MODEL --to FILE`. */
export async function exportCommand(
  files: readonly string[],
  values: Partial<Record<OptionName, string>>,
  { stdout }: Terminal,
): Promise<void> {
  const [model, more] = files;
  if (model === undefined || more !== undefined)
    throw new UsageError(`export takes one model, got ${files.length || "nothing"}`);
  const { to } = values;
  if (to === undefined) throw new UsageError("export needs --to FILE.wasm or --to FILE.mjs");
  const format = /\.(wasm|mjs)$/.exec(to)?.[1] as "wasm" | "mjs" | undefined;
  if (format === undefined) throw new UsageError(`--to: expected a file name that ends in .wasm or .mjs, got ${to}`);
  const rows = integerValue(values, "rows", 1);
  checkWritable(to, files);
  const network = await loadNetwork(model, "auto");
  try {
    const bytes = exported(network, { format, ...(rows !== undefined && { rows }) });
    writeWhole(to, bytes);
    stdout.write(
      `${to}: ${network.inputs} inputs, ${network.outputs} outputs, ${network.dtype}, ${bytes.length} bytes\n`,
    );
  } finally {
    network.dispose();
  }
}

/** Too many rows are the user's to change. */
function exported(network: Network, options: ExportOptions): Uint8Array {
  try {
    return exportModule(network, options);
  } catch (error) {
    throw new CliError(messageOf(error));
  }
}
