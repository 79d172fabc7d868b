import { kindError } from "../errors.ts";
import { optionsObject } from "../options/checks.ts";
import type { DType } from "../options/network.ts";
import { isReals, type Matrix, type Reals, type Rows } from "./rows.ts";

/**
 * The `into` of predict's options: a Matrix of this shape and dtype that does not overlap x; undefined without one.
 * @throws TypeError, RangeError
 */
export function checkInto(
  options: unknown,
  x: Rows,
  shape: readonly [rows: number, cols: number],
  dtype: DType,
): Matrix | undefined {
  const { into } = optionsObject("predict", options, { allowed: ["into"] });
  if (into === undefined) return undefined;
  const [kind, size] = dtype === "float32" ? ["Float32Array", 4] : ["Float64Array", 8];
  if (typeof into !== "object" || into === null) throw kindError("into", "{ data, shape }", into);
  const { data, shape: given } = into as Partial<Matrix>;
  if (!isReals(data) || data.BYTES_PER_ELEMENT !== size) {
    throw kindError("into.data", `a ${kind}, the network's dtype`, data);
  }
  if (given?.length !== 2 || given[0] !== shape[0] || given[1] !== shape[1] || data.length !== shape[0] * shape[1]) {
    const got = `[${given?.[0]}, ${given?.[1]}] with ${data.length} values`;
    throw new RangeError(`into: expected shape [${shape[0]}, ${shape[1]}], got ${got}`);
  }
  const source = (x as Matrix).data;
  if (isReals(source) && overlap(source, data)) {
    throw new RangeError("into: expected memory of its own, got memory that overlaps x");
  }
  return into as Matrix;
}

function overlap(a: Reals, b: Reals): boolean {
  if (a.buffer !== b.buffer) return false;
  return a.byteOffset < b.byteOffset + b.byteLength && b.byteOffset < a.byteOffset + a.byteLength;
}
