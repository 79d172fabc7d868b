// What `save()` wrote, chunk by chunk (docs/format.md), so that tests can compare states without the clock in them.
import type { Network } from "../src/index.ts";

/** Name → data. The header has 16 bytes, a chunk's header too: name [4], checksum u32, length u64; data end at multiples of 8. */
export function chunksOf(file: Uint8Array): Map<string, Uint8Array> {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const chunks = new Map<string, Uint8Array>();
  let at = 16;
  while (at < file.length) {
    const name = String.fromCharCode(...file.subarray(at, at + 4));
    const length = Number(view.getBigUint64(at + 8, true));
    chunks.set(name, file.subarray(at + 16, at + 16 + length));
    at += 16 + Math.ceil(length / 8) * 8;
  }
  return chunks;
}

const text = (data: Uint8Array) => new TextDecoder().decode(data);

/**
 * Everything a network is: spec, weights, optimizer and its state, progress, history. The one thing left out is
 * `samplesPerSecond`. Two networks in the same state have equal results; equality is of bits, so −0 is not +0.
 */
export function stateOf(network: Network): Record<string, string> {
  const state: Record<string, string> = {};
  for (const [name, data] of chunksOf(network.save())) {
    if (["WGHT", "slot", "best"].includes(name)) state[name] = hex(data);
    else state[name] = name === "hist" ? withoutClock(text(data)) : text(data);
  }
  return state;
}

/** Parsed chunk "prog": where training stands. */
export function progressOf(network: Network): { epoch: number; step: number; position: number } {
  return JSON.parse(text(chunksOf(network.save()).get("prog")!));
}

export function withoutClock(json: string): string {
  return JSON.stringify(JSON.parse(json), (key, value) => (key === "samplesPerSecond" ? undefined : value));
}

/** The bytes of an array, as text: what the tests of equal bits compare. */
export function hex(values: ArrayBufferView): string {
  return Buffer.from(values.buffer, values.byteOffset, values.byteLength).toString("hex");
}
