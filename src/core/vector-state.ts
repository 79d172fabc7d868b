// Code of the host may leave the upper halves of the processor's vector registers in use: in Node all of base64 does, with 100
// characters and more. Until something clears them, Intel's cores (measured: Cascade Lake, Node 20 and 24) do an eighth less
// arithmetic in 128-bit vectors, ours of WebAssembly among it: 784-128-10 B32 41 300 in place of 48 900 samples/s. The host's
// search for a character in a long string ends with the instruction that clears them. It takes 0.05 µs and changes nothing.

const TEXT = "a".repeat(1024);

/** Before work of some length in WebAssembly. */
export function clearUpperHalves(): void {
  // The result is looked at so that no compiler drops the search.
  if (TEXT.indexOf("b") >= 0) throw new Error("unreachable");
}
