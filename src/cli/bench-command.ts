import { type Core, Network, type NetworkSpec } from "../index.ts";
import { type OptionName, TRAIN_DEFAULTS } from "./commands.ts";
import { loadRelaxed } from "./cores.ts";
import { UsageError } from "./errors.ts";
import { aligned, grouped } from "./format.ts";
import { digitsProblem } from "./problem.ts";
import { trainingSpeeds } from "./speed.ts";
import type { Terminal } from "./terminal.ts";
import { sampleOf, specFor } from "./training.ts";
import { batchValue, choiceValue, optimizerValue, unitsValue } from "./values.ts";

/** `chainrule bench`. */
export async function benchCommand(
  files: readonly string[],
  values: Partial<Record<OptionName, string>>,
  { stdout }: Terminal,
): Promise<void> {
  if (files.length > 0) throw new UsageError(`bench takes no file, got ${files.join(", ")}`);
  const dtype = choiceValue(values, "dtype", ["float32", "float64"]) ?? TRAIN_DEFAULTS.dtype;
  const optimizer = optimizerValue(values);
  const batch = batchValue(values, optimizer);
  const hidden = unitsValue(values, "hidden") ?? TRAIN_DEFAULTS.hidden;
  const problem = digitsProblem();
  const all = Int32Array.from(problem.y, (_, row) => row);
  const spec = specFor(problem, { hidden, activation: TRAIN_DEFAULTS.activation });
  const cores = availableCores(spec);
  const units = [problem.columns.length, ...hidden, problem.classes.length].join("-");
  stdout.write(`digits, network ${units}, ${grouped(all.length)} rows, batch ${batch}, ${dtype}\n\n`);
  const sample = sampleOf(problem, all);
  const speeds = trainingSpeeds(cores, { spec, sample, batch, optimizer, dtype });
  const js = speeds[cores.indexOf("js")] as number;
  stdout.write(
    aligned([
      ["core", "samples/s", "js = 1"],
      ...cores.map((core, i) => [core, grouped(speeds[i] as number), ((speeds[i] as number) / js).toFixed(1)]),
    ]),
  );
}

/** The cores that can be made here; the JS core always can. */
function availableCores(spec: NetworkSpec): Exclude<Core, "auto">[] {
  const cores = ["simd", "relaxed", "js"] as const;
  loadRelaxed();
  return cores.filter((core) => {
    if (core === "js") return true;
    try {
      Network.createSync(spec, { core }).dispose();
      return true;
    } catch {
      return false;
    }
  });
}
