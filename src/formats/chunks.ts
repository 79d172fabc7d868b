// The container of docs/format.md: a header, then named chunks with lengths and checksums. Knows no content.
import { kindError } from "../errors.ts";
import { crc32 } from "./crc32.ts";

/** 0x89 "CHNR" CR LF 0x1a: no text file begins like this, and transfers that change line ends damage it. */
const MAGIC: readonly number[] = [0x89, 0x43, 0x48, 0x4e, 0x52, 0x0d, 0x0a, 0x1a];
export const FORMAT_VERSION = 1;
/** Magic [8], version u32, number of chunks u32. */
const HEADER_SIZE = 16;
/** Name [4], checksum u32, length of the data u64. */
const CHUNK_HEADER_SIZE = 16;
/** Chunks begin at multiples of this. */
const ALIGNMENT = 8;

export interface Chunk {
  /** Four ASCII letters; a lower-case first one: readers that do not know the chunk may go on without it. */
  readonly name: string;
  readonly data: Uint8Array;
}

/** A chunk to be written: `fill` gets its zeroed data in the file, at a multiple of 8 bytes from the file's start. */
export interface ChunkWriter {
  readonly name: string;
  readonly length: number;
  fill(data: Uint8Array): void;
}

export function isChunkName(name: string): boolean {
  return /^[A-Za-z]{4}$/.test(name);
}

export function isOptional(name: string): boolean {
  return name.charCodeAt(0) >= 0x61;
}

export function writeChunks(chunks: readonly ChunkWriter[]): Uint8Array<ArrayBuffer> {
  const size = chunks.reduce((sum, { length }) => sum + CHUNK_HEADER_SIZE + padded(length), HEADER_SIZE);
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  bytes.set(MAGIC);
  view.setUint32(8, FORMAT_VERSION, true);
  view.setUint32(12, chunks.length, true);
  let at = HEADER_SIZE;
  for (const { name, length, fill } of chunks) {
    for (let i = 0; i < 4; i++) bytes[at + i] = name.charCodeAt(i);
    view.setUint32(at + 8, length % 0x1_0000_0000, true);
    view.setUint32(at + 12, Math.floor(length / 0x1_0000_0000), true);
    fill(bytes.subarray(at + CHUNK_HEADER_SIZE, at + CHUNK_HEADER_SIZE + length));
    view.setUint32(at + 4, checksum(bytes, at, length), true);
    at += CHUNK_HEADER_SIZE + padded(length);
  }
  return bytes;
}

/**
 * The chunks in the file's order, as views on the file's bytes. Allocates nothing that a length in the file could enlarge.
 * @throws TypeError for something that is no Uint8Array, RangeError for bytes that are not a whole, undamaged file
 */
export function readChunks(file: unknown): Chunk[] {
  if (!isBytes(file)) throw kindError("load", "a Uint8Array", file);
  const bytes = new Uint8Array(file.buffer, file.byteOffset, file.byteLength); // no subclass with methods of its own
  const count = readHeader(bytes);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const chunks: Chunk[] = [];
  let at = HEADER_SIZE;
  while (chunks.length < count) {
    const position = `chunk ${chunks.length + 1} of ${count}`;
    const left = bytes.length - at;
    if (left === 0) throw new RangeError(`load: the file ends before ${position}`);
    if (left < CHUNK_HEADER_SIZE) {
      throw new RangeError(
        `load: the file ends inside the header of ${position}: expected ${CHUNK_HEADER_SIZE} bytes, got ${left}`,
      );
    }
    const name = String.fromCharCode(...bytes.subarray(at, at + 4));
    if (!isChunkName(name)) throw new RangeError(`load: ${position} is damaged: its name is not four letters`);
    const length = view.getUint32(at + 8, true) + view.getUint32(at + 12, true) * 0x1_0000_0000;
    const start = at + CHUNK_HEADER_SIZE;
    const end = start + padded(length);
    if (end > bytes.length) throw truncated(name, length, bytes.length - start);
    verify(bytes, at, name, length, view.getUint32(at + 4, true));
    chunks.push({ name, data: bytes.subarray(start, start + length) });
    at = end;
  }
  if (at !== bytes.length) {
    throw new RangeError(`load: expected the file to end after ${count} chunks, got ${bytes.length - at} more bytes`);
  }
  return chunks;
}

/** The number of chunks. */
function readHeader(bytes: Uint8Array): number {
  if (bytes.length === 0) throw new RangeError("load: not a chainrule network: the file is empty");
  const start = bytes.subarray(0, MAGIC.length);
  if (start.some((byte, i) => byte !== MAGIC[i])) {
    throw new RangeError(`load: not a chainrule network: expected it to begin with ${hex(MAGIC)}, got ${hex(start)}`);
  }
  if (bytes.length < HEADER_SIZE) {
    throw new RangeError(`load: the file ends inside its header: expected ${HEADER_SIZE} bytes, got ${bytes.length}`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, HEADER_SIZE);
  const version = view.getUint32(8, true);
  if (version > FORMAT_VERSION) {
    throw new RangeError(
      `load: expected format version ${FORMAT_VERSION}, got ${version}: a newer version of chainrule is needed`,
    );
  }
  if (version !== FORMAT_VERSION)
    throw new RangeError(`load: expected format version ${FORMAT_VERSION}, got ${version}`);
  return view.getUint32(12, true);
}

function verify(bytes: Uint8Array, at: number, name: string, length: number, stored: number): void {
  const computed = checksum(bytes, at, length);
  if (computed !== stored) {
    throw new RangeError(`load: chunk ${name} is damaged: expected checksum ${stored}, got ${computed}`);
  }
  const padding = bytes.subarray(at + CHUNK_HEADER_SIZE + length, at + CHUNK_HEADER_SIZE + padded(length));
  if (padding.some((byte) => byte !== 0)) {
    throw new RangeError(`load: chunk ${name} is damaged: expected zeros after its data`);
  }
}

function truncated(name: string, length: number, left: number): RangeError {
  return new RangeError(`load: the file ends inside chunk ${name}: expected ${length} bytes, got ${left}`);
}

/** Of name, length and data: everything of a chunk but the checksum itself. */
function checksum(bytes: Uint8Array, at: number, length: number): number {
  const name = crc32(bytes.subarray(at, at + 4));
  return crc32(bytes.subarray(at + 8, at + CHUNK_HEADER_SIZE + length), name);
}

function padded(length: number): number {
  return Math.ceil(length / ALIGNMENT) * ALIGNMENT;
}

/** Also for an array of another realm (vm contexts, edge routes), where `instanceof` fails. */
function isBytes(value: unknown): value is Uint8Array {
  if (value instanceof Uint8Array) return true;
  return ArrayBuffer.isView(value) && Object.prototype.toString.call(value) === "[object Uint8Array]";
}

function hex(bytes: ArrayLike<number>): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(" ");
}
