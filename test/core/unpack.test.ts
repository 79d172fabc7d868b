import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { codeOf, packed, tableOf } from "../../assembly/pack.mjs";
import { unpacker } from "../../src/core/embedded.ts";
import { binary } from "../../src/core/source.embedded.ts";
import { unpack } from "../../src/core/unpack.ts";
import { relaxed } from "../../src/relaxed.ts";

/** There and back, with the letters that suit `bytes` best. */
function throughText(bytes: Uint8Array): { text: string; back: Uint8Array } {
  const code = codeOf([bytes]);
  const table = Buffer.from(tableOf(code)).toString("base64");
  const text = packed(bytes, code);
  return { text, back: unpack(text, { table, unpacker }) };
}

describe("bytes carried as text", () => {
  test("any bytes come back, in memory of their own", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2000 }), (bytes) => {
        const { back } = throughText(bytes);
        expect(back).toEqual(bytes);
        expect(back.buffer.byteLength).toBe(bytes.length);
      }),
    );
  });

  test.each([65_151, 65_152, 65_153, 200_000])("%i bytes, around the end of a page and beyond", (length) => {
    const bytes = Uint8Array.from({ length }, (_, i) => (i * 89 + (i >> 3)) & 255);
    expect(Buffer.compare(throughText(bytes).back, bytes)).toBe(0);
  });

  test("the text needs no escape in double quotes and is ASCII", () => {
    const { text } = throughText(Uint8Array.from({ length: 256 }, (_, i) => i));
    expect(text).toMatch(/^[ !#-[\]-~]+$/);
    expect(text).toHaveLength(91 + 2 * 165);
  });

  test.each(["float32", "float64"] as const)("the carried binary for %s is the one that was built", (dtype) => {
    const built = readFileSync(`build/${dtype === "float32" ? "f32" : "f64"}.simd.wasm`);
    expect(Buffer.compare(binary(dtype), built)).toBe(0);
  });

  test.each(["float32", "float64"] as const)("the carried relaxed binary for %s is the one that was built", (dtype) => {
    const built = readFileSync(`build/${dtype === "float32" ? "f32" : "f64"}.relaxed.wasm`);
    expect(Buffer.compare(relaxed()[dtype] as Uint8Array, built)).toBe(0);
  });
});
