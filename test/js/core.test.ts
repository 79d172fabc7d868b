import { describe, expect, test } from "vitest";
import { ABI_VERSION, INIT_UNIFORM } from "../../src/core/abi.ts";
import { createJsCore } from "../../src/js/core.ts";
import { expectBits, wasmCore } from "../assembly/cores.ts";

/** Kernels of a path that the pure-JS core does not have, and thereby checks (test/assembly/columns.test.ts). */
const OF_BINARIES_ALONE = ["forwardStrips", "packStrips", "unpackStrips", "updateStrips"];

describe.each([
  ["float32", "f32", 4],
  ["float64", "f64", 8],
] as const)("the pure-JS core, %s", (dtype, binary, size) => {
  const Reals = size === 4 ? Float32Array : Float64Array;

  test("has the exports of the binaries, the ABI version and the size of its elements", () => {
    const { kind, exports } = createJsCore(dtype);
    const wasm = wasmCore(`${binary}.simd`);
    expect(kind).toBe("js");
    expect([...Object.keys(exports), ...OF_BINARIES_ALONE].sort()).toEqual(Object.keys(wasm.exports).sort());
    expect(exports.abi()).toBe(ABI_VERSION * 16 + size);
    expect(exports.abi()).toBe(wasm.exports.abi());
  });

  test("has one page of zeros, which grow keeps and adds to, giving the old number of pages", () => {
    const { memory } = createJsCore(dtype);
    expect(memory.buffer.byteLength).toBe(65_536);
    expect(new Uint8Array(memory.buffer).every((byte) => byte === 0)).toBe(true);
    new Uint8Array(memory.buffer).set([1, 2, 3], 65_533);
    expect(memory.grow(0)).toBe(1);
    expect(memory.grow(2)).toBe(1);
    expect(memory.grow(1)).toBe(3);
    expect(memory.buffer.byteLength).toBe(4 * 65_536);
    expect([...new Uint8Array(memory.buffer, 65_532, 5)]).toEqual([0, 1, 2, 3, 0]);
  });

  test("grow beyond 4 GiB is a RangeError and changes nothing", () => {
    const { memory } = createJsCore(dtype);
    new Uint8Array(memory.buffer)[0] = 7;
    for (const pages of [65_536, 1e9, -1, Number.NaN]) expect(() => memory.grow(pages)).toThrow(RangeError);
    expect([memory.buffer.byteLength, new Uint8Array(memory.buffer)[0]]).toEqual([65_536, 7]);
  });

  test("works on the memory as it stands after growth", () => {
    const { memory, exports } = createJsCore(dtype);
    exports.fill(64, 1, 4, 4, INIT_UNIFORM, 0, 1, 1, 2, 3);
    const before = [...new Reals(memory.buffer, 64, 4)];
    memory.grow(16);
    const far = 10 * 65_536;
    exports.fill(far, 1, 4, 4, INIT_UNIFORM, 0, 1, 1, 2, 3);
    expectBits("after growth", new Reals(memory.buffer, far, 4), before);
    expectBits("kept", new Reals(memory.buffer, 64, 4), before);
    expect(exports.scan(far, 4)).toBe(-1);
    expect(new Set(before).size).toBe(4);
  });

  test("two cores share nothing", () => {
    const [one, other] = [createJsCore(dtype), createJsCore(dtype)];
    one.exports.fill(64, 1, 4, 4, INIT_UNIFORM, 1, 2, 1, 2, 3);
    expect([...new Reals(other.memory.buffer, 64, 4)]).toEqual([0, 0, 0, 0]);
  });

  test("takes the rate and the slope rounded to the dtype, as a binary does", () => {
    const js = createJsCore(dtype);
    const wasm = wasmCore(`${binary}.simd`);
    const results = [js, wasm].map(({ exports, memory }) => {
      const reals = new Reals(memory.buffer);
      const row = 8;
      reals.set([1, 2, -3, 4, 5, -6, 7, 8], 0);
      reals.set([0.1, 0.2, 0.3, 0.4, -0.5, 0.6, 0.7, 0.8], row);
      reals[2 * row] = 0.7;
      exports.updateVector(0, 2 * row * size, row * size, 0.1, 1, 8, 8);
      exports.activate(4, 0, 0, 8, 0.01);
      return [...reals.subarray(0, 8)];
    });
    expectBits("W and a", results[0] as number[], results[1] as number[]);
  });
});
