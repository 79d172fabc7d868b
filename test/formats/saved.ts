import { crc32 } from "node:zlib";
import type { SavedNetwork } from "../../src/formats/network.ts";
import { resolveOptimizer } from "../../src/options/optimizer.ts";
import { resolveSpec } from "../../src/options/spec.ts";

/** A network of 2 inputs and 1 unit with every chunk there is, and one more. */
export function small(): SavedNetwork {
  return {
    spec: resolveSpec({ inputs: 2, layers: [{ units: 1, activation: "sigmoid" }] }),
    dtype: "float32",
    seed: 7,
    parameters: Float32Array.of(0.25, -1.5, 3),
    optimizer: {
      options: resolveOptimizer("adam"),
      slots: [Float32Array.of(1, 2, 3), Float32Array.of(4, 5, 6)],
      scalars: [0.81, 0.998001],
      began: { step: 0, epoch: 0 },
    },
    watches: {
      plateau: { key: "loss", best: 0.5, since: 2, product: 0.1 },
      best: { key: "loss", best: 0.5, since: 2, parameters: Float32Array.of(1, 2, 3) },
    },
    progress: { epoch: 1, step: 2, position: 0, epochLoss: 0, epochCorrect: 0, fingerprint: "00ff", shuffle: true },
    history: [{ epoch: 1, loss: 0.5, metrics: { accuracy: 0.75 }, learningRate: 0.001, samplesPerSecond: 1e6 }],
    record: { given: [], found: [], trainable: [true], calls: [{ call: "step", times: 2 }] },
    names: { columns: ["a", "b"], target: "c", classes: ["no", "yes"] },
    unknown: [{ name: "note", data: Uint8Array.of(1, 2, 3) }],
  };
}

export interface ChunkPlace {
  name: string;
  /** Of the chunk's header. */
  at: number;
  /** Of its data. */
  start: number;
  length: number;
}

/** Where the chunks of a file are: a reader of its own, written from docs/format.md. */
export function file(bytes: Uint8Array): ChunkPlace[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const chunks: ChunkPlace[] = [];
  for (let at = 16; at < bytes.length; ) {
    const name = new TextDecoder().decode(bytes.subarray(at, at + 4));
    const length = Number(view.getBigUint64(at + 8, true));
    chunks.push({ name, at, start: at + 16, length });
    at += 16 + length + ((8 - (length % 8)) % 8);
  }
  return chunks;
}

/** A file of these chunks with right checksums: a writer of its own, written from docs/format.md. */
export function fileOf(chunks: readonly { name: string; data: Uint8Array | string }[]): Uint8Array {
  const magic = [0x89, 0x43, 0x48, 0x4e, 0x52, 0x0d, 0x0a, 0x1a];
  const parts = [Uint8Array.of(...magic, ...u32(1), ...u32(chunks.length))];
  for (const { name, data: content } of chunks) {
    const [head, data] = [Buffer.from(name), Buffer.from(content)];
    const length = Buffer.from([...u32(data.length), ...u32(0)]);
    const checksum = Uint8Array.from(u32(crc32(Buffer.concat([head, length, data]))));
    parts.push(head, checksum, length, data, new Uint8Array((8 - (data.length % 8)) % 8));
  }
  return Uint8Array.from(Buffer.concat(parts));
}

function u32(value: number): number[] {
  return [value & 255, (value >>> 8) & 255, (value >>> 16) & 255, value >>> 24];
}

/** The chunks of a file with one of them replaced (data) or left out (undefined). */
export function changed(bytes: Uint8Array, name: string, data: Uint8Array | string | undefined): Uint8Array {
  const chunks = file(bytes).flatMap((chunk) => {
    if (chunk.name !== name) return [{ name: chunk.name, data: bytes.slice(chunk.start, chunk.start + chunk.length) }];
    return data === undefined ? [] : [{ name, data }];
  });
  return fileOf(chunks);
}
