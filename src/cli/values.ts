import type { Optimizer } from "../index.ts";
import { OPTIMIZER_DEFAULTS } from "../options/defaults.ts";
import { FULL_BATCH, OPTIMIZER_NAMES } from "../options/optimizer.ts";
import { type OptionName, TRAIN_DEFAULTS } from "./commands.ts";
import { UsageError } from "./errors.ts";
import { suggestion } from "./suggestion.ts";

type Values = Partial<Record<OptionName, string>>;

const wrong = (name: OptionName, expected: string, got: string) =>
  new UsageError(`--${name}: expected ${expected}, got ${JSON.stringify(got)}`);

/** A whole number min … 2⁵³ − 1, written with digits only. */
export function integerValue(
  values: Values,
  name: OptionName,
  min: number,
  expected = `a whole number of at least ${min}`,
): number | undefined {
  const text = values[name];
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value) || value < min) throw wrong(name, expected, text);
  return value;
}

export function positiveValue(values: Values, name: OptionName): number | undefined {
  const text = values[name];
  if (text === undefined) return undefined;
  const value = text.trim() === "" ? Number.NaN : Number(text);
  if (!(value > 0 && value < Number.POSITIVE_INFINITY)) throw wrong(name, "a number above 0", text);
  return value;
}

export function choiceValue<T extends string>(values: Values, name: OptionName, choices: readonly T[]): T | undefined {
  const text = values[name];
  if (text === undefined || choices.includes(text as T)) return text as T | undefined;
  throw new UsageError(`--${name}: unknown ${JSON.stringify(text)}${suggestion(text, choices, (choice) => choice)}`);
}

/** "64,32" → [64, 32]; "none" → []. */
export function unitsValue(values: Values, name: OptionName): number[] | undefined {
  const text = values[name];
  if (text === undefined) return undefined;
  if (text === "none") return [];
  return text.split(",").map((part) => {
    const units = Number(part);
    if (!/^\d+$/.test(part.trim()) || units < 1) throw wrong(name, 'unit counts such as 64,32, or "none"', text);
    return units;
  });
}

/** "a, b" → ["a", "b"]; left out: none. */
export function listValue(values: Values, name: OptionName): string[] {
  return (values[name] ?? "")
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");
}

/** `--batch`: a count or "full"; left out: what the optimizer takes. */
export function batchValue(values: Values, optimizer: Optimizer): number | "full" {
  const batch =
    values.batch === "full" ? "full" : integerValue(values, "batch", 1, 'a whole number of at least 1 or "full"');
  const type = typeof optimizer === "string" ? optimizer : optimizer.type;
  const whole = FULL_BATCH.includes(type);
  if (whole && batch !== undefined && batch !== "full") {
    throw new UsageError(`--batch: --optimizer ${type} takes all rows at once; leave it out, or give "full"`);
  }
  return batch ?? (whole ? "full" : TRAIN_DEFAULTS.batch);
}

/** `--optimizer` and `--learning-rate` together. Adam's rate is our own, other optimizers have the library's. */
export function optimizerValue(values: Values): Optimizer {
  const { optimizer } = TRAIN_DEFAULTS;
  const type = choiceValue(values, "optimizer", OPTIMIZER_NAMES) ?? optimizer.type;
  const learningRate = positiveValue(values, "learning-rate");
  if (learningRate !== undefined) {
    if (!("learningRate" in OPTIMIZER_DEFAULTS[type]))
      throw new UsageError(`--learning-rate: --optimizer ${type} makes its own step sizes`);
    return { type, learningRate } as Optimizer;
  }
  return type === optimizer.type ? optimizer : type;
}
