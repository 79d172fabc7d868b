// The record in a file: chunk `rcpt` of docs/format.md.
import { kindError } from "../errors.ts";
import { integerIn, oneOf, optionsObject } from "../options/checks.ts";
import { LIMITS } from "../options/defaults.ts";
import { hasParameters, type KeptSpec, resolveTrainable } from "../options/spec.ts";
import type { Call, DataMark, SavedRecord, ScalingPlace } from "./record.ts";

const CALLS = ["fit", "step", "setWeights", "setTrainable", "load", "unrecorded", "unlisted"] as const;
const PLACES: readonly ScalingPlace[] = ["layers[0]", "targetScaling"];
const COUNT = Number.MAX_SAFE_INTEGER;

/** @throws TypeError, RangeError for what is no record of a network with this spec */
export function readRecord(value: unknown, spec: KeptSpec): SavedRecord {
  const read = optionsObject("record", value, { allowed: ["given", "found", "trainable", "calls"] });
  const trainable = listOf("trainable", read.trainable).map((part, l) => {
    const layer = spec.layers[l];
    const name = `trainable[${l}]`;
    return hasParameters(layer) ? resolveTrainable(part, name, layer.type !== "dense" || layer.bias) : false;
  });
  return {
    given: listOf("given", read.given).map((part, i) => text(`given[${i}]`, part)),
    found: listOf("found", read.found).map((part, i) => oneOf(`found[${i}]`, part, PLACES)),
    trainable,
    calls: listOf("calls", read.calls).map((part, i) => readCall(part, `calls[${i}]`)),
  };
}

function readCall(value: unknown, name: string): Call {
  const given = optionsObject(name, value, {
    allowed: [
      ...["call", "times", "core", "options", "data", "sampleWeights", "validation", "steps", "epochs", "ended"],
      ...["layer", "trainable", "optimizer"],
    ],
  });
  const call = oneOf(`${name}.call`, given.call, CALLS);
  if (call === "load") return { call, optimizer: false };
  if (call === "unrecorded") return { call };
  if (call === "setTrainable") {
    const layer = integerIn(`${name}.layer`, given.layer, 0, LIMITS.rows);
    return { call, layer, trainable: resolveTrainable(given.trainable, `${name}.trainable`, true) };
  }
  if (call === "unlisted") {
    const times = integerIn(`${name}.times`, given.times, 1, COUNT);
    return { call, times, steps: integerIn(`${name}.steps`, given.steps, 0, COUNT) };
  }
  if (call !== "fit") {
    return { call, ...(given.times !== undefined && { times: integerIn(`${name}.times`, given.times, 1, COUNT) }) };
  }
  const { options, sampleWeights, validation, ended } = given;
  if (typeof options !== "object" || options === null) throw kindError(`${name}.options`, "an object", options);
  return {
    call,
    core: oneOf(`${name}.core`, given.core, ["baseline", "relaxed"]),
    options: options as Record<string, unknown>,
    data: readMark(given.data, `${name}.data`),
    ...(sampleWeights !== undefined && { sampleWeights: text(`${name}.sampleWeights`, sampleWeights) }),
    ...(validation !== undefined && { validation: readMark(validation, `${name}.validation`) }),
    steps: integerIn(`${name}.steps`, given.steps, 1, COUNT),
    epochs: integerIn(`${name}.epochs`, given.epochs, 0, COUNT),
    ...(ended !== undefined && { ended: text(`${name}.ended`, ended) }),
  };
}

function readMark(value: unknown, name: string): DataMark {
  const { rows, fingerprint } = optionsObject(name, value, { allowed: ["rows", "fingerprint"] });
  return {
    rows: integerIn(`${name}.rows`, rows, 1, LIMITS.rows),
    fingerprint: text(`${name}.fingerprint`, fingerprint),
  };
}

function listOf(name: string, value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw kindError(name, "an array", value);
  return value;
}

function text(name: string, value: unknown): string {
  if (typeof value !== "string") throw kindError(name, "a string", value);
  return value;
}
