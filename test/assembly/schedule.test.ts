import { readFileSync } from "node:fs";
import binaryen from "assemblyscript/binaryen";
import { describe, expect, test } from "vitest";
import { schedule } from "../../assembly/schedule.mjs";

/** A binary whose function `f(x, y)` runs `body` on c0 = (1, 2, 3, 4) and c1 = (5, 6, 7, 8), and returns both sums in one vector. */
function binaryOf(body: string): Uint8Array<ArrayBuffer> {
  const module = binaryen.parseText(`(module
    (memory (export "memory") 1)
    (func (export "f") (param $x i32) (param $y i32)
      (local $c0 v128) (local $c1 v128) (local $w v128)
      (local.set $c0 (v128.const f32x4 1 2 3 4))
      (local.set $c1 (v128.const f32x4 5 6 7 8))
      ${body}
      (v128.store (i32.const 0) (local.get $c0))
      (v128.store (i32.const 16) (local.get $c1))))`);
  module.setFeatures(binaryen.Features.All);
  const bytes = module.emitBinary();
  module.dispose();
  return new Uint8Array(bytes);
}

/** What the function leaves behind, with 64 bytes of numbers from address 64 on. */
function outcome(bytes: Uint8Array<ArrayBuffer>): number[] {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes));
  const { memory, f } = exports as { memory: WebAssembly.Memory; f(x: number, y: number): void };
  const values = new Float32Array(memory.buffer, 0, 32);
  for (let i = 16; i < 32; i++) values[i] = Math.sin(i);
  f(64, 96);
  return [...values.subarray(0, 8)];
}

/** The products and sums of vectors in a binary, in order. */
function operations(bytes: Uint8Array): string {
  const names = [...bytes.keys()].map((i) => {
    if (bytes[i] !== 0xfd || bytes[i + 2] !== 0x01) return "";
    return { 230: "product ", 242: "product ", 228: "sum ", 240: "sum " }[bytes[i + 1] as number] ?? "";
  });
  return names.join("").trim();
}

const madd = (c: string, w: string, a: string) => `(local.set ${c} (f32x4.add (local.get ${c}) (f32x4.mul ${w} ${a})))`;
const load = (at: string, offset = 0) => `(v128.load offset=${offset} (local.get ${at}))`;
const splat = "(local.tee $w (v128.load32_splat (i32.add (local.get $y) (i32.const 4))))";

describe("products before sums", () => {
  test("both products of a pair come first, and what is computed stays", () => {
    const before = binaryOf(madd("$c0", splat, load("$x")) + madd("$c1", "(local.get $w)", load("$x", 16)));
    const { bytes, pairs } = schedule(before);
    expect(operations(before)).toBe("product sum product sum");
    expect(operations(bytes)).toBe("product product sum sum");
    expect(pairs).toBe(1);
    expect(bytes.length).toBe(before.length);
    expect(outcome(bytes)).toEqual(outcome(before));
  });

  test.each([
    [
      "the second operand is the first sum",
      madd("$c0", splat, load("$x")) + madd("$c1", "(local.get $w)", "(local.get $c0)"),
    ],
    [
      "the first operand is the second sum",
      madd("$c0", splat, "(local.get $c1)") + madd("$c1", "(local.get $w)", load("$x")),
    ],
    ["both add to one sum", madd("$c0", splat, load("$x")) + madd("$c0", "(local.get $w)", load("$x", 16))],
    [
      "a store stands between them",
      `${madd("$c0", splat, load("$x"))}(v128.store (local.get $x) (local.get $c0))${madd("$c1", "(local.get $w)", load("$x"))}`,
    ],
    [
      "the second is in a branch",
      `${madd("$c0", splat, load("$x"))}(if (local.get $x) (then ${madd("$c1", "(local.get $w)", load("$x"))}))`,
    ],
  ])("left as it is: %s", (_, body) => {
    const before = binaryOf(body);
    const { bytes, pairs } = schedule(before);
    expect(pairs).toBe(0);
    expect(Buffer.compare(bytes, before)).toBe(0);
  });

  test.each([
    ["f32.simd", 130],
    ["f64.simd", 130],
    ["f32.standalone", 20],
  ])("%s as built has its pairs in that order: a second pass finds none, the first %i and more", (name, least) => {
    const built = new Uint8Array(readFileSync(`build/${name}.wasm`));
    expect(schedule(built).pairs).toBe(0);
    const scheduled = operations(built).match(/product product sum sum/g) ?? [];
    expect(scheduled.length).toBeGreaterThanOrEqual(least);
  });

  test("an instruction that is not known is an error", () => {
    const bytes = binaryOf("");
    const at = bytes.lastIndexOf(0xfd);
    bytes[at] = 0xfe;
    expect(() => schedule(bytes)).toThrow("instruction 0xfe is not known");
  });
});
