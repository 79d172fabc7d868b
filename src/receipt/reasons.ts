// Whether what a record says is enough.
import { isScalingMethod } from "../options/scaling.ts";
import type { KeptSpec } from "../options/spec-types.ts";
import { type Call, type FitCall, type SavedRecord, type ScalingPlace, stepsOf } from "./record.ts";

/** Why the same weights cannot be made again from the spec, the calls and the data; empty: they can. */
export function reasonsAgainst({ given, found, calls }: SavedRecord, spec: KeptSpec, steps: number): string[] {
  const reasons = given.map((name) => `${name} was given as an array, which a spec does not keep`);
  if (spec.loss === "custom") reasons.push("the loss is a function");
  const says: Readonly<Partial<Record<Call["call"], string>>> = {
    step: "step was called, whose batches are not recorded",
    setWeights: "setWeights was called",
    unrecorded: "a file was loaded that has no record of its training",
    unlisted: "so many calls followed that they are not listed",
  };
  for (const [call, reason] of Object.entries(says)) if (calls.some((each) => each.call === call)) reasons.push(reason);
  const fits = calls.filter((each): each is FitCall => each.call === "fit");
  if (fits.some(({ options }) => options.schedule === "function")) reasons.push("the schedule is a function");
  if (fits.some(({ core }) => core === "relaxed")) reasons.push("the relaxed core rounds as the machine does");
  const scalings: readonly (readonly [ScalingPlace, string | undefined])[] = [
    ["layers[0]", spec.layers[0]?.type],
    ["targetScaling", spec.targetScaling?.type],
  ];
  const replaced = scalings.some(
    ([place, type]) => type !== undefined && isScalingMethod(type) && !found.includes(place),
  );
  if (replaced && fits.some(({ options }) => options.refit === true)) {
    reasons.push("refit has replaced the numbers of a scaling that the spec gave");
  }
  const recorded = calls.reduce((sum, each) => sum + stepsOf(each), 0);
  const unknown = calls.some(({ call }) => call === "unrecorded");
  if (!unknown && recorded !== steps) reasons.push(`the record has ${recorded} of the network's ${steps} steps`);
  return reasons;
}
