// Code of the host may leave the upper halves of the processor's vector registers in use: in Node base64 of 100 characters and more
// mostly does, in either direction. Until something clears them, Cascade Lake (Node 20 and 24, and the same in assembly) does an eighth
// less arithmetic in 128-bit vectors, ours of WebAssembly among it: 784-128-10 B32 42 800 in place of 48 900 samples/s. The host's
// search for a character in a long string ends with the instruction that clears them. It takes 0.05 µs and changes nothing.

const TEXT = "a".repeat(1024);

/** Before each chunk of a job, and after base64 of our own. */
export function clearUpperHalves(): void {
  // The result is looked at so that no compiler drops the search.
  if (TEXT.indexOf("b") >= 0) throw new Error("unreachable");
}
