// Where the baseline binaries come from on runtimes that compile bytes: Node, browsers, Deno, Bun. They are carried as
// text, so that a single-file bundle needs no second file and no permission to read one.
import { pieces, table, unpacker } from "./embedded.ts";
import { piecesOf } from "./pieces.ts";
import { unpack } from "./unpack.ts";

/** The baseline binary of a dtype as bytes, unpacked anew in each call: the caller keeps what it compiles. */
export function binary(dtype: "float32" | "float64"): Uint8Array<ArrayBuffer> {
  return unpack(piecesOf(pieces, dtype), { table, unpacker });
}
