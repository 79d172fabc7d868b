import { afterEach, describe, expect, test, vi } from "vitest";
import { decodeBase64 } from "../../src/core/base64.ts";

const bytes = Uint8Array.from({ length: 1021 }, (_, i) => (i * 89 + (i >> 3)) & 255);
const text = Buffer.from(bytes).toString("base64");
const Plain = Uint8Array;

afterEach(() => vi.unstubAllGlobals());

describe("1021 bytes come back from base64 in memory of their own", () => {
  const check = (): void => {
    const decoded = decodeBase64(text);
    expect(Array.from(decoded)).toEqual(Array.from(bytes));
    expect(decoded.buffer.byteLength).toBe(1021);
  };

  test("by Buffer", () => {
    vi.stubGlobal("Uint8Array", Object.assign(class extends Plain {}, { fromBase64: undefined }));
    check();
  });

  test("by Uint8Array.fromBase64", () => {
    let calls = 0;
    const fromBase64 = (value: string): Uint8Array => {
      calls++;
      return Plain.from(atob(value), (letter) => letter.charCodeAt(0));
    };
    vi.stubGlobal("Uint8Array", Object.assign(class extends Plain {}, { fromBase64 }));
    check();
    expect(calls).toBe(1);
  });

  test("by atob, where there is neither", () => {
    vi.stubGlobal("Buffer", undefined);
    vi.stubGlobal("Uint8Array", Object.assign(class extends Plain {}, { fromBase64: undefined }));
    check();
  });
});
