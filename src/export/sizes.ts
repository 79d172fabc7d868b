// How large an exported file can be. Asked before any of it is built.

/** Bytes of the binary. */
const LIMITS = {
  /** Of a module in the WebAssembly JavaScript Interface, "Implementation-defined Limits". */
  wasm: 2 ** 30,
  /** In base64, with the text around it, less than the longest string: 2²⁹ − 24 characters in V8. */
  mjs: 0.75 * 2 ** 29 - 8192,
};
/** More than the numbers in the sections of patch.ts take. */
const SECTIONS = 64;

/**
 * `dataBytes`: weights, constants and records, which go into `template`.
 * @throws RangeError for a file that no host could load
 */
export function checkSize(format: "wasm" | "mjs", template: Uint8Array, dataBytes: number): void {
  const bytes = template.length + dataBytes + SECTIONS;
  const limit = LIMITS[format];
  if (bytes <= limit) return;
  if (format === "wasm") {
    throw new RangeError(`network: expected at most ${limit} bytes (1 GiB) as wasm, got ${bytes} bytes`);
  }
  const way = bytes <= LIMITS.wasm ? "; format: 'wasm' takes it" : "";
  throw new RangeError(
    `network: expected at most ${limit} bytes (384 MiB) for format: 'mjs', got ${bytes} bytes${way}`,
  );
}
