// Bytes as the text that assembly/unpack.ts takes apart.

/** What a string in double quotes holds without an escape; the last two begin a pair. */
const LETTERS = Array.from({ length: 93 }, (_, i) => String.fromCharCode(32 + i)).filter(
  (letter) => !/["\\]/.test(letter),
);
const PREFIXES = ["}", "~"];

/** Every byte's letters: one for the most frequent in `binaries`. */
export function codeOf(binaries) {
  const counts = new Array(256).fill(0);
  for (const bytes of binaries) for (const byte of bytes) counts[byte]++;
  const order = counts.map((_, byte) => byte).sort((a, b) => counts[b] - counts[a] || a - b);
  const singles = LETTERS.length;
  const code = [];
  for (const [rank, byte] of order.entries()) {
    const pair = rank - singles;
    code[byte] = pair < 0 ? LETTERS[rank] : PREFIXES[Math.floor(pair / singles)] + LETTERS[pair % singles];
  }
  return code;
}

/** The table that assembly/unpack.ts reads. */
export function tableOf(code) {
  const table = new Uint8Array(384);
  for (const [byte, letters] of code.entries()) {
    table[128 * (PREFIXES.indexOf(letters[0]) + 1) + letters.charCodeAt(letters.length - 1)] = byte;
  }
  return table;
}

/** @throws Error for text that would end a script which a page carries inline */
export function packed(bytes, code) {
  const text = Array.from(bytes, (byte) => code[byte]).join("");
  if (/<\/script|<!--/i.test(text)) throw new Error("packed: expected text that may stand in a page");
  return text;
}

/** Pieces of each of two binaries, so many that a piece and its like stand within the 32 KB in which gzip finds repetitions. */
const PIECES = 16;

/**
 * Two binaries cut into as many pieces, in turn one of the first and one of the second. The binaries of two types of numbers are nearly the same
 * instructions: beside each other they compress to four fifths of what they take one after the other.
 */
export function interleaved(first, second) {
  const piece = (bytes, i) =>
    bytes.subarray(Math.ceil((i * bytes.length) / PIECES), Math.ceil(((i + 1) * bytes.length) / PIECES));
  return Array.from({ length: PIECES }, (_, i) => [piece(first, i), piece(second, i)]).flat();
}
