// A WebAssembly binary with a memory of its own and no data → the same with data: no compiler, two sections written anew.
// Format: WebAssembly Core Specification 2.0, chapter 5.5.

const SECTION = { memory: 5, code: 10, data: 11, dataCount: 12 };
const PREAMBLE = 8;
const PAGE = 65_536;

/** What stands in the memory when the instance is made. */
export interface MemoryImage {
  readonly address: number;
  readonly data: Uint8Array;
  /** Of the whole memory, which then never grows. */
  readonly memoryBytes: number;
}

/** @throws Error for a binary that has data already, or no memory of its own */
export function withData(template: Uint8Array, { address, data, memoryBytes }: MemoryImage): Uint8Array<ArrayBuffer> {
  const parts: Uint8Array[] = [template.subarray(0, PREAMBLE)];
  let memories = 0;
  for (let at = PREAMBLE; at < template.length; ) {
    const id = template[at] as number;
    const [length, start] = readUnsigned(template, at + 1);
    const end = start + length;
    if (id === SECTION.data || id === SECTION.dataCount) throw new Error("the template has data of its own");
    if (id === SECTION.memory) {
      memories++;
      parts.push(...memorySection(Math.ceil(memoryBytes / PAGE)));
    } else parts.push(template.subarray(at, end));
    if (id === SECTION.code) parts.push(...dataSection(address, data));
    at = end;
  }
  if (memories !== 1) throw new Error("the template has no memory of its own");
  return concatenate(parts);
}

/** One memory whose size is its limit. */
function memorySection(pages: number): Uint8Array[] {
  return section(SECTION.memory, [Uint8Array.of(1, 1, ...unsigned(pages), ...unsigned(pages))]);
}

/** One active segment: memory 0, offset i32.const, end, bytes. */
function dataSection(address: number, data: Uint8Array): Uint8Array[] {
  return section(SECTION.data, [Uint8Array.of(1, 0, 0x41, ...signed(address), 0x0b, ...unsigned(data.length)), data]);
}

function section(id: number, parts: Uint8Array[]): Uint8Array[] {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  return [Uint8Array.of(id, ...unsigned(length)), ...parts];
}

/** LEB128. */
function unsigned(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 0x80) {
    bytes.push((rest % 0x80) + 0x80);
    rest = Math.floor(rest / 0x80);
  }
  return [...bytes, rest];
}

/** LEB128 of a value ≥ 0 that is read as signed: bit 6 of the last byte is the sign. */
function signed(value: number): number[] {
  const bytes = unsigned(value);
  const last = bytes.length - 1;
  if (((bytes[last] as number) & 0x40) === 0) return bytes;
  return [...bytes.slice(0, last), (bytes[last] as number) + 0x80, 0];
}

function readUnsigned(bytes: Uint8Array, from: number): [value: number, next: number] {
  let value = 0;
  let at = from;
  for (let scale = 1; ; scale *= 0x80) {
    const byte = bytes[at++] as number;
    value += (byte & 0x7f) * scale;
    if (byte < 0x80) return [value, at];
  }
}

function concatenate(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
