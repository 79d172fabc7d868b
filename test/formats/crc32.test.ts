import { crc32 as zlib } from "node:zlib";
import fc from "fast-check";
import { expect, test } from "vitest";
import { crc32 } from "../../src/formats/crc32.ts";

/** Bit by bit, as the polynomial is defined. */
function plain(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}

test("the check value of the catalogue: '123456789' gives cbf43926", () => {
  expect(crc32(new TextEncoder().encode("123456789"))).toBe(0xcbf43926);
});

test("over 300 arrays of 0…100 bytes: equals the bitwise definition, and may be taken in two parts", () => {
  const arrays = fc.uint8Array({ maxLength: 100 });
  fc.assert(
    fc.property(arrays, fc.nat(100), (bytes, cut) => {
      expect(crc32(bytes)).toBe(plain(bytes));
      expect(crc32(bytes.subarray(cut), crc32(bytes.subarray(0, cut)))).toBe(plain(bytes));
      if (zlib) expect(crc32(bytes)).toBe(zlib(bytes));
    }),
    { numRuns: 300, seed: 1 },
  );
});
