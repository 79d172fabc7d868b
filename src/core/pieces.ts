/** The text of one of two binaries whose pieces stand in turn (assembly/pack.mjs says why). */
export function piecesOf(pieces: readonly string[], dtype: "float32" | "float64"): string {
  const first = dtype === "float32" ? 0 : 1;
  return pieces.filter((_, i) => i % 2 === first).join("");
}
