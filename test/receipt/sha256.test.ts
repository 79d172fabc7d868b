// SHA-256 without the platform against Node's, and the canonical form against examples of RFC 8785.
import { createHash } from "node:crypto";
import { describe, expect, test, vi } from "vitest";
import { canonicalText } from "../../src/receipt/canonical.ts";
import { padding, plainSha256, sha256, wholeBlocks } from "../../src/receipt/sha256.ts";

const nodes = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

describe("SHA-256", () => {
  const bytes = Uint8Array.from({ length: 70_000 }, (_, i) => (i * 2654435761) >>> 13);

  test("of every length from 0 to 300, around 2¹⁶, and from an odd place in a buffer", async () => {
    const lengths = [...Array.from({ length: 301 }, (_, length) => length), 65_535, 65_536, 65_537, 69_999];
    for (const length of lengths) {
      const part = bytes.subarray(1, 1 + length);
      expect([length, plainSha256(part)]).toEqual([length, nodes(part)]);
      if (length % 50 === 0) expect(await sha256(part)).toBe(nodes(part));
    }
  });

  test("counts the length in 64 bits: 2²⁹ + 5 bytes are 2³² + 40 bits", () => {
    const bytes = padding(2 ** 29 + 5);
    expect(bytes).toHaveLength(59);
    expect([...bytes.subarray(-8)]).toEqual([0, 0, 0, 1, 0, 0, 0, 40]);
  });

  test("takes whole blocks of 2 GiB and more", () => {
    const lengths = [0, 63, 64, 2 ** 31 - 1, 2 ** 31, 2 ** 31 + 65, 2 ** 32 + 5];
    expect(lengths.map(wholeBlocks)).toEqual([0, 0, 64, 2 ** 31 - 64, 2 ** 31, 2 ** 31 + 64, 2 ** 32]);
  });

  test.each([{ crypto: undefined }, { crypto: {} }])(
    "where the runtime has no crypto.subtle: %o",
    async ({ crypto }) => {
      vi.stubGlobal("crypto", crypto);
      try {
        expect(await sha256(new TextEncoder().encode("abc"))).toBe(nodes(new TextEncoder().encode("abc")));
      } finally {
        vi.unstubAllGlobals();
      }
    },
  );
});

describe("the canonical form", () => {
  test("sorts keys by UTF-16 code units, as the example of RFC 8785, section 3.2.3", () => {
    const given = {
      "\u20ac": "Euro Sign",
      "\r": "Carriage Return",
      "\ufb33": "Hebrew Letter Dalet With Dagesh",
      "1": "One",
      "\ud83d\ude00": "Emoji: Grinning Face",
      "\u0080": "Control",
      "\u00f6": "Latin Small Letter O With Diaeresis",
    };
    const values = Object.values(JSON.parse(`[${canonicalText(given)}]`)[0]);
    expect(canonicalText(given)).toMatch(/^\{"\\r":.*"1":.*"\u0080":.*"ö":.*"€":.*"😀":.*"\ufb33":/u);
    expect(values).toHaveLength(7);
  });

  test("writes numbers as the example of section 3.2.2, and those that JSON has not as a saved network does", () => {
    expect(canonicalText([Number("333333333.33333329"), 1e30, 4.5, 2e-3, 0.000000000000000000000000001])).toBe(
      "[333333333.3333333,1e+30,4.5,0.002,1e-27]",
    );
    expect(canonicalText([Number.NaN, Number.NEGATIVE_INFINITY, -0])).toBe(
      '[{"$number":"NaN"},{"$number":"-Infinity"},{"$number":"-0"}]',
    );
    expect(canonicalText({ b: undefined, a: [null, true, "\u20ac$\u000f\nA'B\"\\"] })).toBe(
      '{"a":[null,true,"€$\\u000f\\nA\'B\\"\\\\"]}',
    );
  });
});
