// Saved network → receipt: what the network is, what made it, and a digest of both (docs/receipt.md).
import { kindError } from "../errors.ts";
import { fromJson, knownChunks, required } from "../formats/network.ts";
import { bytesPerReal, writeJson, writeReals } from "../formats/values.ts";
import { integerIn, oneOf, optionsObject } from "../options/checks.ts";
import { LIMITS } from "../options/defaults.ts";
import { DTYPES, type DType, type SaveOptions } from "../options/network.ts";
import { type KeptSpec, parameterCount } from "../options/spec.ts";
import { digestedBytes } from "./canonical.ts";
import { reasonsAgainst } from "./reasons.ts";
import { type Call, NO_RECORD, type SavedRecord, type ScalingPlace } from "./record.ts";
import { readRecord } from "./saved-record.ts";
import { sha256 } from "./sha256.ts";

/** What `receipt` gives: plain JSON, byte by byte in docs/receipt.md. */
export interface Receipt {
  readonly format: "chainrule receipt 1";
  /** SHA-256 of the canonical form of all other fields, in hexadecimal digits. */
  readonly digest: string;
  /** Whether spec, calls and the same data give the same weights again. */
  readonly replayable: boolean;
  /** Why not. */
  readonly reasons: readonly string[];
  readonly dtype: DType;
  readonly seed: number;
  /** As the network was made: before fits found scalings, before setTrainable. */
  readonly spec: KeptSpec;
  /** What was done to it, in order. */
  readonly calls: readonly Call[];
  /** Of the network's life. */
  readonly steps: number;
  readonly epochs: number;
  /** SHA-256 of the parameters as they stand in a saved network, and of the scalings that fits found. */
  readonly weights: { readonly count: number; readonly sha256: string };
}

/**
 * What a network is and what made it, with a digest (docs/receipt.md): spec, seed, every fit with its options and a fingerprint of its data,
 * step counts, and a SHA-256 of the parameters. Takes a network, or the bytes that `save` gave. The same from the simd and the js core.
 * `replayable` is false, with reasons, where spec, calls and data do not determine the parameters. During a running `fit`: of its
 * last whole step.
 * @throws (by rejection) Error for a network that was disposed; TypeError, RangeError for bytes that are no saved network
 * @example
 * import { receipt } from "chainrule/receipt";
 * const { digest, replayable, weights } = await receipt(network);
 */
export async function receipt(network: { save(options?: SaveOptions): Uint8Array } | Uint8Array): Promise<Receipt> {
  const chunks = knownChunks(bytesOf(network));
  const { spec, dtype, seed, count } = fromJson(chunks, "SPEC", readFacts);
  const { steps, epochs } = chunks.has("prog") ? fromJson(chunks, "prog", readCounts) : { steps: 0, epochs: 0 };
  const saved = chunks.has("rcpt") ? fromJson(chunks, "rcpt", (value) => readRecord(value, spec)) : NO_RECORD;
  // Without a fit after it, a lost optimizer has had no effect.
  const calls = saved.calls.filter(({ call }, i) => call !== "load" || i < saved.calls.length - 1);
  const reasons = reasonsAgainst(saved, spec, steps);
  const parameters = required(chunks, "WGHT");
  if (parameters.length !== count * bytesPerReal(dtype)) {
    throw new RangeError(`load: chunk WGHT: expected ${count} ${dtype} values, got ${parameters.length} bytes`);
  }
  const bytes = weightBytes(parameters, spec, saved.found);
  const fields = plain({
    format: "chainrule receipt 1",
    replayable: reasons.length === 0,
    reasons,
    dtype,
    seed,
    spec: specAsMade(spec, saved),
    calls,
    steps,
    epochs,
    weights: { count, sha256: await sha256(bytes) },
  });
  return sealed(fields);
}

function bytesOf(given: unknown): unknown {
  if (ArrayBuffer.isView(given)) return given;
  const { save } = (given ?? {}) as { save?: unknown };
  if (typeof save !== "function") throw kindError("receipt", "a Network or a Uint8Array", given);
  return (given as { save(options: SaveOptions): Uint8Array }).save({ optimizer: false });
}

/** What a receipt needs of the chunk SPEC: whoever makes the network again has the rest checked. */
function readFacts(value: unknown) {
  const given = optionsObject("file", value, { allowed: ["spec", "dtype", "seed"] });
  const dtype = oneOf("dtype", given.dtype, DTYPES);
  const seed = integerIn("seed", given.seed, 0, LIMITS.seed);
  const { layers, targetScaling } = objectOf("spec", given.spec);
  if (!Array.isArray(layers)) throw kindError("layers", "an array", layers);
  const parts = [...layers.entries()].map(([l, layer]): [string, unknown] => [`layers[${l}]`, layer]);
  if (targetScaling !== undefined) parts.push(["targetScaling", targetScaling]);
  for (const [name, part] of parts) {
    const { scale = [], shift = [] } = objectOf(name, part);
    for (const numbers of [scale, shift]) {
      if (!Array.isArray(numbers) || numbers.some((number) => typeof number !== "number")) {
        throw kindError(name, "a layer whose scale and shift are arrays of numbers", numbers);
      }
    }
  }
  const spec = given.spec as KeptSpec;
  return { spec, dtype, seed, count: parameterCount(spec) };
}

function readCounts(value: unknown) {
  const { step, epoch } = objectOf("progress", value);
  const count = (name: string, given: unknown) => integerIn(name, given, 0, Number.MAX_SAFE_INTEGER);
  return { steps: count("step", step), epochs: count("epoch", epoch) };
}

function objectOf(name: string, value: unknown): Record<string, unknown> {
  if (typeof value !== "object" || value === null) throw kindError(name, "an object", value);
  return value as Record<string, unknown>;
}

/** With its digest. */
export async function sealed<T extends object>(fields: T): Promise<T & Receipt> {
  const { format, digest: _, ...rest } = fields as unknown as Receipt;
  return { format, digest: await sha256(digestedBytes(fields)), ...rest } as T & Receipt;
}

/** Values as JSON has them. */
function plain<T extends object>(fields: T): T {
  return JSON.parse(new TextDecoder().decode(writeJson(fields)));
}

function specAsMade({ layers, targetScaling, ...spec }: KeptSpec, { found, trainable }: SavedRecord): KeptSpec {
  const unfound = (place: ScalingPlace, part: { readonly type: string }) =>
    found.includes(place) ? { type: part.type } : part;
  return {
    ...spec,
    layers: layers.map((layer, l) => {
      if ("trainable" in layer) return { ...layer, trainable: trainable[l] ?? layer.trainable };
      return l === 0 ? unfound("layers[0]", layer) : layer;
    }),
    ...(targetScaling && { targetScaling: unfound("targetScaling", targetScaling) }),
  } as KeptSpec;
}

/** `parameters`, then scale and shift of each scaling that a fit has found, float64, little-endian. */
function weightBytes(parameters: Uint8Array, spec: KeptSpec, found: readonly ScalingPlace[]): Uint8Array {
  const places = { "layers[0]": spec.layers[0], targetScaling: spec.targetScaling };
  const numbers = found.flatMap((place) => {
    const { scale = [], shift = [] } = { ...places[place] } as Partial<Record<string, readonly number[]>>;
    return [...scale, ...shift];
  });
  const bytes = new Uint8Array(parameters.length + 8 * numbers.length);
  bytes.set(parameters);
  writeReals(bytes, parameters.length, Float64Array.from(numbers));
  return bytes;
}
