// How values stand in a chunk: real numbers in IEEE 754, little-endian; everything else as JSON in UTF-8.
import type { Reals } from "../data/rows.ts";
import type { DType } from "../options/network.ts";

export function bytesPerReal(dtype: DType): number {
  return dtype === "float32" ? 4 : 8;
}

/** Writes `values` from data[at] on; every NaN gets the same bits: the quiet one without payload. */
export function writeReals(data: Uint8Array, at: number, values: Reals): void {
  const view = new DataView(data.buffer, data.byteOffset + at);
  if (values.BYTES_PER_ELEMENT === 4) {
    for (let i = 0; i < values.length; i++) {
      const value = values[i] as number;
      if (Number.isNaN(value)) view.setUint32(4 * i, 0x7fc00000, true);
      else view.setFloat32(4 * i, value, true);
    }
    return;
  }
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number;
    if (Number.isNaN(value)) {
      view.setUint32(8 * i, 0, true);
      view.setUint32(8 * i + 4, 0x7ff80000, true);
    } else view.setFloat64(8 * i, value, true);
  }
}

/** `count` reals from data[at] on. The caller has checked that they are there. */
export function readReals(data: Uint8Array, at: number, count: number, dtype: DType): Reals {
  const view = new DataView(data.buffer, data.byteOffset + at);
  if (dtype === "float32") {
    const values = new Float32Array(count);
    for (let i = 0; i < count; i++) values[i] = view.getFloat32(4 * i, true);
    return values;
  }
  const values = new Float64Array(count);
  for (let i = 0; i < count; i++) values[i] = view.getFloat64(8 * i, true);
  return values;
}

/** JSON, with the numbers that JSON cannot hold (NaN, the infinities, −0) as { "$number": "NaN" } and so on. */
export function writeJson(value: unknown): Uint8Array {
  const text = JSON.stringify(value, (_key, part: unknown) => {
    if (typeof part !== "number" || (Number.isFinite(part) && !Object.is(part, -0))) return part;
    return { [SPECIAL_KEY]: Object.is(part, -0) ? "-0" : String(part) };
  });
  return new TextEncoder().encode(text);
}

/** @throws SyntaxError for anything that is no JSON in UTF-8, RangeError where it is nested beyond reason */
export function readJson(data: Uint8Array): unknown {
  let text: string;
  try {
    // A copy, as some decoders refuse shared memory.
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(data.slice());
  } catch {
    throw new SyntaxError("expected UTF-8");
  }
  try {
    // A reviver walks the whole tree: only where there is something to revive.
    return text.includes(SPECIAL_KEY) ? JSON.parse(text, revive) : JSON.parse(text);
  } catch {
    throw new SyntaxError("expected JSON");
  }
}

const SPECIAL_KEY = "$number";
const SPECIAL_NUMBERS: readonly unknown[] = ["NaN", "Infinity", "-Infinity", "-0"];

function revive(_key: string, part: unknown): unknown {
  if (typeof part !== "object" || part === null || !Object.hasOwn(part, SPECIAL_KEY)) return part;
  const { [SPECIAL_KEY]: text } = part as { [SPECIAL_KEY]: unknown };
  return SPECIAL_NUMBERS.includes(text) && Object.keys(part).length === 1 ? Number(text) : part;
}
