// Bytes from the text in which a bundle carries the core (pack.mjs): one letter for each of the 91 most frequent bytes, two
// for any other, so that compression finds in the text what it would find in the binary. In a module of its own,
// without the core's ABI: a JavaScript loop over as many letters takes an engine that has just started ten times as long
// (measured).

/** [3 × 128] bytes at address 0: of single letters, and of letters after each of the two that begin a pair. */
const TABLE: usize = 384;
const LAST_SINGLE: usize = 124;

/**
 * Unpacks in place, which works as no byte takes less than a letter.
 *
 * @param length of the text, which begins behind the table; whole pairs
 * @returns the number of bytes, which begin where the text did
 */
export function unpack(length: usize): usize {
  const stop = TABLE + length;
  let end = TABLE;
  for (let i = TABLE; i < stop; i++) {
    let index: usize = load<u8>(i);
    if (index > LAST_SINGLE) index = ((index - LAST_SINGLE) << 7) + <usize>load<u8>(++i);
    store<u8>(end++, load<u8>(index));
  }
  return end - TABLE;
}
