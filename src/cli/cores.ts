import { type Core, initSync } from "../index.ts";
import { relaxed } from "../relaxed.ts";
import type { OptionName } from "./commands.ts";
import { choiceValue } from "./values.ts";

/** `--core`, made ready to be used: the relaxed core is the one that the library does not carry by itself. */
export function coreValue(values: Partial<Record<OptionName, string>>): Core | undefined {
  const core = choiceValue(values, "core", ["auto", "simd", "relaxed", "js"]);
  if (core === "relaxed") loadRelaxed();
  return core;
}

export function loadRelaxed(): void {
  initSync(relaxed());
}
