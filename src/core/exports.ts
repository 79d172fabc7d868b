/**
 * What a core exports: the list of assembly/index.ts, typed. Pointers are byte addresses in the core's memory; counts are
 * elements. The WebAssembly binaries and the pure-JS core (src/js/core.ts) have the same list and, in the baseline
 * build, the same bits.
 */
export interface CoreExports {
  /** ABI version · 16 + bytes per element. */
  abi(): number;
  run(net: number, job: number, blocks: number): number;
  predictRow(net: number): number;
  scan(ptr: number, count: number): number;
  fingerprint(ptr: number, bytes: number, state: number): void;
  scanFingerprint(ptr: number, count: number, state: number): number;
  fill(
    ptr: number,
    rows: number,
    cols: number,
    pitch: number,
    kind: number,
    a: number,
    b: number,
    seedLow: number,
    seedHigh: number,
    index: number,
  ): void;
  shuffle(
    ptr: number,
    from: number,
    to: number,
    seedLow: number,
    seedHigh: number,
    purpose: number,
    index: number,
  ): void;
  dot(x: number, y: number, count: number, sum: number): number;
  jacobianForward(net: number, job: number, first: number, n: number): void;
  jacobianRows(
    net: number,
    job: number,
    first: number,
    n: number,
    output: number,
    rows: number,
    pitch: number,
    errors: number,
  ): void;
  addNormal(A: number, g: number, J: number, e: number, pitch: number, from: number, to: number): void;
  factorize(A: number, L: number, pitch: number, scale: number, shift: number, from: number, to: number): number;
  solve(L: number, x: number, pitch: number, count: number): void;
  inverseTrace(L: number, x: number, pitch: number, count: number, from: number, to: number): number;
  combine(to: number, x: number, y: number, count: number, a: number, b: number, state: number): void;
}

/** The part of WebAssembly.Memory that the wrapper uses; the pure-JS core brings its own. */
export interface CoreMemory {
  readonly buffer: ArrayBuffer;
  /** Grows by `pages` of 64 KiB and returns the old size in pages; throws RangeError where the host has no room. */
  grow(pages: number): number;
}

/** The WebAssembly binaries that there are: baseline SIMD with equal bits, and relaxed SIMD. */
export type BinaryKind = "simd" | "relaxed";

/** One instance with its memory. */
export interface Core {
  readonly kind: BinaryKind | "js";
  readonly exports: CoreExports;
  readonly memory: CoreMemory;
}
