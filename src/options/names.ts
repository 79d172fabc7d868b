import { kindError, valueError } from "../errors.ts";
import { optionsObject } from "./checks.ts";
import { outputsOf, type ResolvedSpec } from "./spec.ts";

/** Names for people, kept in the saved file. */
export interface Names {
  /** One per input. */
  columns?: string[];
  target?: string;
  /** One per output; two for a network with one output. */
  classes?: string[];
}

/**
 * A checked copy.
 * @throws TypeError for another kind, RangeError where the number of names does not fit the network.
 */
export function resolveNames(names: unknown, spec: ResolvedSpec, name = "names"): Names {
  const { columns, target, classes } = optionsObject(name, names, { allowed: ["columns", "target", "classes"] });
  const outputs = outputsOf(spec);
  const copy: Names = {};
  if (columns !== undefined) copy.columns = strings(`${name}.columns`, columns, spec.inputs);
  if (target !== undefined) copy.target = string(`${name}.target`, target);
  if (classes !== undefined) copy.classes = strings(`${name}.classes`, classes, outputs === 1 ? 2 : outputs);
  return copy;
}

function strings(name: string, value: unknown, count: number): string[] {
  if (!Array.isArray(value)) throw kindError(name, `an array of ${count} strings`, value);
  if (value.length !== count) throw valueError(name, `an array of ${count} strings`, value);
  return Array.from(value, (item, index) => string(`${name}[${index}]`, item));
}

function string(name: string, value: unknown): string {
  if (typeof value !== "string") throw kindError(name, "a string", value);
  return value;
}
