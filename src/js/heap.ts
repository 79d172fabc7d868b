// The memory of the pure-JS core: one ArrayBuffer in 64 KiB pages, addressed in bytes as WebAssembly's, and the views
// through which the kernels read and write it.
import type { CoreMemory } from "../core/exports.ts";
import type { DType } from "../options/network.ts";
import { type Lanes, lanes, type Reals } from "./lanes.ts";

const PAGE = 65_536;
/** 4 GiB, as much as wasm32 has. */
const MAX_PAGES = 65_536;

/** Stands in for WebAssembly.Memory. A view on an older `buffer` no longer shows the memory. */
export class JsMemory implements CoreMemory {
  buffer = new ArrayBuffer(PAGE);

  grow(pages: number): number {
    const before = this.buffer.byteLength / PAGE;
    if (!(pages >= 0 && before + pages <= MAX_PAGES)) {
      throw new RangeError(`memory: expected at most ${MAX_PAGES} pages of 64 KiB, got ${before} + ${pages}`);
    }
    // Throws RangeError itself where the host has no room. Fresh pages cost nothing until they are touched.
    const grown = new ArrayBuffer((before + pages) * PAGE);
    new Uint8Array(grown).set(new Uint8Array(this.buffer));
    this.buffer = grown;
    return before;
  }
}

/** What every kernel gets first: views on the memory as it stands, and the arithmetic of the dtype. */
export class Heap {
  readonly lanes: Lanes;
  real!: Reals;
  i32!: Int32Array;
  u32!: Uint32Array;
  f64!: Float64Array;
  readonly #memory: JsMemory;

  constructor(memory: JsMemory, dtype: DType) {
    this.#memory = memory;
    this.lanes = lanes(dtype);
    this.refresh();
  }

  /** New views where the memory has grown: called once per export, never within one. */
  refresh(): void {
    const { buffer } = this.#memory;
    if (this.i32?.buffer === buffer) return;
    this.real = this.lanes.single ? new Float32Array(buffer) : new Float64Array(buffer);
    this.i32 = new Int32Array(buffer);
    this.u32 = new Uint32Array(buffer);
    this.f64 = new Float64Array(buffer);
  }

  /** Byte address → index in `real`. */
  index(ptr: number): number {
    return ptr >>> this.lanes.shift;
  }

  // Fields of records (src/core/abi.ts): `record` is a byte address, `field` an offset in bytes.

  int(record: number, field: number): number {
    return this.i32[(record + field) >>> 2] as number;
  }

  setInt(record: number, field: number, value: number): void {
    this.i32[(record + field) >>> 2] = value;
  }

  ptr(record: number, field: number): number {
    return this.u32[(record + field) >>> 2] as number;
  }

  double(record: number, field: number): number {
    return this.f64[(record + field) >>> 3] as number;
  }

  setDouble(record: number, field: number, value: number): void {
    this.f64[(record + field) >>> 3] = value;
  }
}
