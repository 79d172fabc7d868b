// The cores under test behind one interface, and regions of their memory with canaries around them.
import { readFileSync } from "node:fs";
import { NET_ADDRESS } from "../../src/core/abi.ts";
import { createJsCore, type KernelExports } from "../../src/js/core.ts";

export type { KernelExports };

export interface TestCore {
  /** As "f32.simd.debug" or "f32.js". */
  readonly name: string;
  readonly size: 4 | 8;
  readonly isJs: boolean;
  readonly exports: KernelExports;
  readonly memory: { readonly buffer: ArrayBuffer; grow(pages: number): number };
}

/** An instance of build/‹binary›.wasm with a memory of its own. A failed assert of a debug build throws. */
export function wasmCore(binary: string): TestCore {
  const bytes = readFileSync(new URL(`../../build/${binary}.wasm`, import.meta.url));
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 65_536 });
  const abort = (_message: number, _file: number, line: number, column: number): never => {
    throw new Error(`${binary}: assert at line ${line}:${column}`);
  };
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory, abort } });
  return {
    name: binary,
    size: binary.startsWith("f32") ? 4 : 8,
    isJs: false,
    exports: exports as unknown as KernelExports,
    memory: memory as unknown as TestCore["memory"],
  };
}

export function jsCore(dtype: "f32" | "f64"): TestCore {
  const { exports, memory } = createJsCore(dtype === "f32" ? "float32" : "float64");
  return { name: `${dtype}.js`, size: dtype === "f32" ? 4 : 8, isJs: true, exports, memory };
}

/** Release, debug and pure JS, in both dtypes. */
export const CORES: readonly TestCore[] = [
  ...["f32.simd", "f64.simd", "f32.simd.debug", "f64.simd.debug"].map(wasmCore),
  jsCore("f32"),
  jsCore("f64"),
];

/** rnd: to the core's dtype. */
export const rounding = (core: TestCore): ((x: number) => number) => (core.size === 4 ? Math.fround : (x) => x);

type Reals = Float32Array | Float64Array;

export interface Region {
  readonly ptr: number;
  readonly values: Reals;
}

/** How many regions there are. */
export interface Mark {
  readonly end: number;
  readonly canaries: number;
}

const CANARY = 0x5ca1ab1e;
const CANARY_WORDS = 16;

/** Regions one after the other, 64-byte aligned, 64 bytes of canaries before and after each. */
export class Arena {
  readonly core: TestCore;
  #end = NET_ADDRESS;
  readonly #canaries: number[] = [];
  readonly #static: Uint32Array;
  #reals: Reals;
  #words: Uint32Array;

  constructor(core: TestCore, pages = 64) {
    this.core = core;
    const missing = pages - core.memory.buffer.byteLength / 65_536;
    if (missing > 0) core.memory.grow(missing);
    const { buffer } = core.memory;
    this.#reals = core.size === 4 ? new Float32Array(buffer) : new Float64Array(buffer);
    this.#words = new Uint32Array(buffer);
    this.#static = this.#words.slice(0, NET_ADDRESS / 4);
  }

  /** Forgets every region, or those made since the mark. */
  clear(mark: Mark = { end: NET_ADDRESS, canaries: 0 }): void {
    this.#end = mark.end;
    this.#canaries.length = mark.canaries;
  }

  mark(): Mark {
    return { end: this.#end, canaries: this.#canaries.length };
  }

  /** Reals: as many NaN, or a copy of the given ones rounded to the dtype. */
  reals(content: number | ArrayLike<number>): Region {
    const count = typeof content === "number" ? content : content.length;
    const ptr = this.#take(count * this.core.size);
    const index = ptr / this.core.size;
    const values = this.#reals.subarray(index, index + count);
    if (typeof content === "number") values.fill(NaN);
    else values.set(content);
    return { ptr, values };
  }

  ints(content: ArrayLike<number>): { ptr: number; values: Uint32Array } {
    const ptr = this.#take(content.length * 4);
    const values = this.#words.subarray(ptr / 4, ptr / 4 + content.length);
    values.set(content);
    return { ptr, values };
  }

  #take(bytes: number): number {
    this.#canary(this.#end);
    const ptr = this.#end + 4 * CANARY_WORDS;
    // The canaries after it begin with the very next word.
    this.#canary(ptr + bytes);
    this.#end = ptr + Math.ceil((bytes + 4 * CANARY_WORDS) / 64) * 64;
    if (this.#end > this.core.memory.buffer.byteLength) throw new Error("the test needs a larger arena");
    return ptr;
  }

  #canary(ptr: number): void {
    this.#words.fill(CANARY, ptr / 4, ptr / 4 + CANARY_WORDS);
    this.#canaries.push(ptr / 4);
  }

  /** Throws where something was written outside the regions. */
  check(what: string): void {
    for (let i = 0; i < this.#static.length; i++) {
      if (this.#words[i] !== this.#static[i]) throw new Error(`${this.core.name}: ${what}: wrote to byte ${4 * i}`);
    }
    for (const word of this.#canaries) {
      for (let i = word; i < word + CANARY_WORDS; i++) {
        if (this.#words[i] !== CANARY) throw new Error(`${this.core.name}: ${what}: wrote to byte ${4 * i}`);
      }
    }
  }
}

/** The same bits, all NaNs being equal. */
export const sameBits = (x: number, y: number): boolean => Object.is(x, y);

/** Throws at the first element whose bits differ. */
export function expectBits(what: string, got: ArrayLike<number>, expected: ArrayLike<number>): void {
  if (got.length !== expected.length) throw new Error(`${what}: ${got.length} elements, expected ${expected.length}`);
  for (let i = 0; i < expected.length; i++) {
    const x = got[i] as number;
    const y = expected[i] as number;
    if (!sameBits(x, y)) throw new Error(`${what}: element ${i}: got ${show(x)}, expected ${show(y)}`);
  }
}

const show = (x: number): string => (Object.is(x, -0) ? "-0" : String(x));

/** A stream of numbers that is the same in every run. */
export class Draws {
  #state: number;

  constructor(seed: number) {
    this.#state = seed * 2654435769 + 1;
  }

  /** An integer in [0, n). */
  below(n: number): number {
    this.#state = (Math.imul(this.#state, 1664525) + 1013904223) | 0;
    return Math.floor(((this.#state >>> 0) / 2 ** 32) * n);
  }

  /** In [−1, 1), 53 bits: rounding to f32 has work to do. */
  number(): number {
    return (this.below(2 ** 26) * 2 ** 27 + this.below(2 ** 27)) * 2 ** -52 - 1;
  }

  numbers(count: number): number[] {
    return Array.from({ length: count }, () => this.number());
  }

  /** As numbers, every third on average −0, +0, subnormal, tiny, huge or infinite in the core's dtype. */
  special(count: number, size: 4 | 8): number[] {
    const tiny = size === 4 ? 2 ** -126 : 2 ** -1022;
    const huge = size === 4 ? 3e38 : 1.7e308;
    const values = [-0, 0, tiny * 0.3, -tiny * 0.7, tiny, -tiny * 1.5, Math.sqrt(tiny), huge, -huge, 1 / 0, -1 / 0];
    return Array.from({ length: count }, () =>
      this.below(3) === 0 ? (values[this.below(values.length)] as number) : this.number(),
    );
  }
}

/** 1 … n. */
export const upTo = (n: number): number[] => Array.from({ length: n }, (_, i) => i + 1);
