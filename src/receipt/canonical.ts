// The one text of a JSON value that digests are taken of (docs/receipt.md).

/**
 * RFC 8785: keys by UTF-16 code units, no white space, numbers as JavaScript writes them. Keys that are undefined are left
 * out; numbers that JSON has not stand as in a saved network: { "$number": "NaN" }.
 */
export function canonicalText(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalText).join(",")}]`;
  if (typeof value === "object" && value !== null) {
    const keys = Object.keys(value).sort();
    const parts = keys.flatMap((key) => {
      const part = (value as Record<string, unknown>)[key];
      return part === undefined ? [] : [`${JSON.stringify(key)}:${canonicalText(part)}`];
    });
    return `{${parts.join(",")}}`;
  }
  if (typeof value !== "number" || (Number.isFinite(value) && !Object.is(value, -0))) return JSON.stringify(value);
  return canonicalText({ $number: Object.is(value, -0) ? "-0" : String(value) });
}

/** What the digest of a receipt is taken of: all of it but the digest. */
export function digestedBytes(receipt: object): Uint8Array {
  const { digest: _, ...rest } = receipt as { digest?: unknown };
  return new TextEncoder().encode(canonicalText(rest));
}
