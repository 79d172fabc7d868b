// The other half of assembly/unpack.ts.
import { decodeBase64 } from "./base64.ts";

declare const TextEncoder: {
  new (): { encodeInto(text: string, into: Uint8Array): unknown };
};

const PAGE = 65_536;

/**
 * The bytes that `text` carries.
 *
 * @param text as assembly/pack.mjs makes it
 * @param parts its table and the binary of assembly/unpack.ts, both in base64
 * @throws what the host throws where it compiles nothing
 */
export function unpack(
  text: string,
  parts: { readonly table: string; readonly unpacker: string },
): Uint8Array<ArrayBuffer> {
  const module = new WebAssembly.Module(decodeBase64(parts.unpacker));
  const table = decodeBase64(parts.table);
  const memory = new WebAssembly.Memory({ initial: Math.ceil((table.length + text.length) / PAGE) });
  const instance = new WebAssembly.Instance(module, { env: { memory } });
  const begin = table.length;
  const bytes = new Uint8Array(memory.buffer);
  bytes.set(table);
  new TextEncoder().encodeInto(text, bytes.subarray(begin));
  const length = (instance.exports as { unpack(length: number): number }).unpack(text.length);
  return bytes.slice(begin, begin + length);
}
