import { readFileSync } from "node:fs";
import binaryen from "assemblyscript/binaryen";
import { describe, expect, test } from "vitest";
import { finish } from "../../assembly/finish.mjs";

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

/** A binary with one function of three locals c0, c1, w, whose instructions are `code`, written as they stand. */
function rawBinaryOf(code: readonly number[]): Uint8Array<ArrayBuffer> {
  const body = [0x01, 0x03, 0x7b, ...code, 0x0b];
  const section = (id: number, content: readonly number[]) => [id, content.length, ...content];
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    ...section(0x01, [0x01, 0x60, 0x00, 0x00]),
    ...section(0x03, [0x01, 0x00]),
    ...section(0x0a, [0x01, body.length, ...body]),
  ]);
}

const get = (local: number) => [0x20, local];
const [C0, C1, W] = [0, 1, 2];
const MUL = [0xfd, 0xe6, 0x01];
const ADD = [0xfd, 0xe4, 0x01];
const DROP = 0x1a;
const sumInto = (local: number) => [...MUL, ...ADD, 0x21, local];

describe("products before sums", () => {
  const first = madd("$c0", splat, load("$x"));
  const second = madd("$c1", "(local.get $w)", load("$x", 16));

  test.each([
    ["two of float32", first + second, "product product sum sum", 1],
    ["two of float64", (first + second).replaceAll("f32x4", "f64x2"), "product product sum sum", 1],
    ["three, of which one is left", first + second + first, "product product sum sum product sum", 1],
    ["four", first + second + first + second, "product product sum sum product product sum sum", 2],
    [
      "the first reads what the second adds to",
      madd("$c0", splat, "(local.get $c1)") + second,
      "product product sum sum",
      1,
    ],
    [
      "the second sets what the first reads",
      second.replace("$c1", "$c0").replace("$c1", "$c0") + madd("$c1", splat, load("$x")),
      "product product sum sum",
      1,
    ],
  ])("%s: both products of a pair come first, and what is computed stays", (_, body, order, count) => {
    const before = binaryOf(body);
    const { bytes, pairs } = finish(before);
    expect(operations(bytes)).toBe(order);
    expect(pairs).toBe(count);
    expect(bytes.length).toBe(before.length);
    expect(outcome(bytes)).toEqual(outcome(before));
  });

  test.each([
    ["the second operand is the first sum", first + madd("$c1", "(local.get $w)", "(local.get $c0)")],
    ["both add to one sum", first + second.replaceAll("$c1", "$c0")],
    ["a store stands between them", `${first}(v128.store (local.get $x) (local.get $c0))${second}`],
    ["the second is in a branch", `${first}(if (local.get $x) (then ${second}))`],
  ])("left as it is: %s", (_, body) => {
    const before = binaryOf(body);
    const { bytes, pairs } = finish(before);
    expect(pairs).toBe(0);
    expect(Buffer.compare(bytes, before)).toBe(0);
  });

  test.each([
    [
      "the second adds to what stood on the stack",
      [...get(W), ...get(W), ...get(C0), ...get(W), ...sumInto(C0), ...get(C1), ...get(W), ...sumInto(C1)],
    ],
    [
      "statements leave numbers on the stack",
      [
        ...get(C0),
        ...get(W),
        ...get(W),
        ...get(W),
        ...sumInto(C0),
        ...get(C1),
        ...get(W),
        ...get(W),
        ...get(W),
        ...sumInto(C1),
        DROP,
        DROP,
      ],
    ],
  ])("left as it is: %s", (_, code) => {
    const before = rawBinaryOf(code);
    expect(WebAssembly.validate(before)).toBe(true);
    const { bytes, pairs } = finish(before);
    expect(pairs).toBe(0);
    expect(Buffer.compare(bytes, before)).toBe(0);
  });

  test("the same written plainly is a pair", () => {
    const code = [...get(C0), ...get(W), ...get(W), ...sumInto(C0), ...get(C1), ...get(W), ...get(W), ...sumInto(C1)];
    expect(finish(rawBinaryOf(code)).pairs).toBe(1);
  });

  test.each([
    ["f32.simd", 130],
    ["f64.simd", 130],
    ["f32.standalone", 18],
    ["f64.standalone", 18],
  ])("%s as built has its pairs in that order: a second pass finds none, the first %i and more", (name, least) => {
    const built = new Uint8Array(readFileSync(`build/${name}.wasm`));
    expect(finish(built).pairs).toBe(0);
    const ordered = operations(built).match(/product product sum sum/g) ?? [];
    expect(ordered.length).toBeGreaterThanOrEqual(least);
  });

  test.each([
    ["0xfe", [0xfe, 0x00]],
    ["0xfc 18", [0xfc, 0x12]],
    ["0xfd 276", [0xfd, 0x94, 0x02]],
  ])("instruction %s is not known: an error", (name, code) => {
    expect(() => finish(rawBinaryOf(code))).toThrow(`instruction ${name} is not known`);
  });
});

/** The bytes of a module's text. */
function parsed(text: string): Uint8Array<ArrayBuffer> {
  const module = binaryen.parseText(text);
  module.setFeatures(binaryen.Features.All);
  const bytes = new Uint8Array(module.emitBinary());
  module.dispose();
  return bytes;
}

const textOf = (bytes: Uint8Array): string => {
  const module = binaryen.readBinary(bytes);
  const text = module.emitText().replaceAll(/\s+/g, " ");
  module.dispose();
  return text;
};
const instance = (bytes: Uint8Array<ArrayBuffer>) =>
  new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports as Record<string, (...values: number[]) => number>;
const times = (text: string, part: string): number => text.split(part).length - 1;

describe("the unknown zero", () => {
  const zero = "(i32.shr_u (memory.size) (i32.const 17))";

  test.each([
    ["of the unknown zero become those of 0", `(i32.popcnt ${zero})`, 1],
    ["of another shift stay", "(i32.popcnt (i32.shr_u (memory.size) (i32.const 16)))", 0],
    ["of the size stay", "(i32.popcnt (memory.size))", 0],
    ["that are leading zeros stay", `(i32.clz ${zero})`, 0],
  ])("bits %s", (_, expression, count) => {
    const before = parsed(`(module (memory 1) (func (export "f") (result i32) ${expression}))`);
    const { bytes, zeros, sizes } = finish(before);
    expect([zeros, sizes]).toEqual([count, 0]);
    expect(times(textOf(bytes), "memory.size")).toBe(1 - count);
    expect(instance(bytes).f?.()).toBe(instance(before).f?.());
    if (count === 0) expect(Buffer.compare(bytes, before)).toBe(0);
  });

  // f(n) with locals of two types adds n times 3 + 0 and twice 5 + 0 after the loop.
  const body = (inLoop: string, after: string) => `(module (memory 1)
    (func (export "g") (param f64) (result i32) (i32.const 4))
    (func (export "f") (param $n i32) (result i32) (local $x f64) (local $sum i32)
      (loop $again
        (local.set $sum (i32.add (local.get $sum) (i32.add (i32.const 3) ${inLoop})))
        (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
      (i32.add (local.get $sum) (i32.add (i32.add (i32.const 5) ${after}) (i32.add (i32.const 5) ${after})))))`;

  test("in a loop is asked for once, before it, in a local of its own", () => {
    const before = parsed(body(zero, zero));
    const { bytes, sizes } = finish(before);
    expect(sizes).toBe(1);
    const text = textOf(bytes);
    expect(times(text, "memory.size")).toBe(1);
    expect(text.indexOf("memory.size")).toBeLessThan(text.indexOf("(loop"));
    expect([instance(bytes).f?.(4), instance(before).f?.(4)]).toEqual([22, 22]);
    expect(instance(bytes).g?.(1)).toBe(4);
  });

  test.each([
    ["after the loop alone", "(i32.const 0)", zero],
    ["in the loop for its bits alone, which then are those of 0", `(i32.popcnt ${zero})`, "(i32.const 0)"],
  ])("%s needs no local", (_, inLoop, after) => {
    const { bytes, sizes } = finish(parsed(body(inLoop, after)));
    expect(sizes).toBe(0);
    expect(instance(bytes).f?.(4)).toBe(22);
  });

  test("needs a local past the 127th, whose number takes two bytes", () => {
    const many = "(local i64) (local f32) ".repeat(80);
    const { bytes } = finish(parsed(body(zero, zero).replace("(local $x f64)", `(local $x f64) ${many}`)));
    expect(instance(bytes).f?.(4)).toBe(22);
  });
});

describe("vectors of zeros", () => {
  const lane = (vector: string) =>
    parsed(
      `(module (func (export "f") (result i32) (i32x4.extract_lane 3 (i32x4.sub ${vector} (v128.const i32x4 1 2 3 4)))))`,
    );

  test("are four bytes, and other constants what they were", () => {
    const before = lane("(v128.const i32x4 0 0 0 0)");
    const { bytes, vectors } = finish(before);
    expect(vectors).toBe(1);
    expect(bytes.length).toBe(before.length - 14);
    expect(instance(bytes).f?.()).toBe(-4);
  });

  test.each(["0 0 0 1", "1 0 0 0", "0 0 0x80000000 0"])("%s is none", (lanes) => {
    const before = lane(`(v128.const i32x4 ${lanes})`);
    const { bytes, vectors } = finish(before);
    expect(vectors).toBe(0);
    expect(Buffer.compare(bytes, before)).toBe(0);
  });
});
