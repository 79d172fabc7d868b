import { readFileSync } from "node:fs";
import { afterEach, describe, expect, test, vi } from "vitest";
import { relaxed } from "../../src/relaxed.ts";

const Plain = Uint8Array;
const { Buffer } = globalThis;

afterEach(() => vi.unstubAllGlobals());

describe("the carried relaxed binaries are those that were built", () => {
  const check = (): void => {
    const sources = relaxed();
    for (const [dtype, real] of [
      ["float32", "f32"],
      ["float64", "f64"],
    ] as const) {
      const carried = sources[dtype] as Uint8Array;
      expect(Buffer.compare(new Plain(carried.buffer as ArrayBuffer), readFileSync(`build/${real}.relaxed.wasm`))).toBe(
        0,
      );
    }
  };
  const withoutFromHex = () => Object.assign(class extends Plain {}, { fromHex: undefined });

  test("by Buffer", () => {
    vi.stubGlobal("Uint8Array", withoutFromHex());
    check();
  });

  test("by Uint8Array.fromHex", () => {
    let calls = 0;
    const fromHex = (text: string): Uint8Array => {
      calls++;
      return new Plain(Buffer.from(text, "hex"));
    };
    vi.stubGlobal("Uint8Array", Object.assign(class extends Plain {}, { fromHex }));
    check();
    expect(calls).toBe(2);
  });

  test("by a loop, where there is neither", () => {
    vi.stubGlobal("Buffer", undefined);
    vi.stubGlobal("Uint8Array", withoutFromHex());
    check();
  });
});
