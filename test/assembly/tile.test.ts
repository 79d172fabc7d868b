import { readFileSync } from "node:fs";
import binaryen from "assemblyscript/binaryen";
import { describe, expect, test } from "vitest";

const PRODUCTS = ["forwardPanels", "deltaPanels", "gradientPanels", "gradientPanelsUpdate"];

/** Export → the text of its function. */
function functionsOf(file: string): Map<string, string> {
  const module = binaryen.readBinary(new Uint8Array(readFileSync(file)));
  const texts = new Map(
    module
      .emitText()
      .split(/^ \(func \$/m)
      .slice(1)
      .map((text) => [/^[^\s()]+/.exec(text)?.[0] as string, text]),
  );
  const result = new Map<string, string>();
  for (let i = 0; i < module.getNumExports(); i++) {
    const { kind, name, value } = binaryen.getExportInfo(module.getExportByIndex(i));
    if (kind === binaryen.ExternalFunction) result.set(name, texts.get(value) as string);
  }
  module.dispose();
  return result;
}

// Firefox calls a function for memory.size, and keeps in memory what lives across a call: accumulators in the loop before it as well (half the speed).
// What a product calls has no accumulators of its own.
describe.each(["f32.simd", "f64.simd", "f32.relaxed", "f64.relaxed"])("the tiles of %s", (name) => {
  const functions = functionsOf(`build/${name}.wasm`);

  test.each(PRODUCTS)(
    "%s calls nothing beside its accumulators, and asks for the size of memory before its loops",
    (product) => {
      const text = functions.get(product) as string;
      expect(text).toContain("loop");
      expect(text).toMatch(/f(32x4|64x2)\.(mul|relaxed_madd)/);
      expect(text.slice(text.indexOf("loop"))).not.toContain("memory.size");
      // The columns of W are copied before the tile that reads them, by a function.
      const calls = [...text.matchAll(/\(call \$(\S+)/g)].map(([, callee]) => callee);
      expect(calls.length).toBeLessThanOrEqual(product === "deltaPanels" ? 1 : 0);
    },
  );

  // What V8 from 13 on makes a constant of, and with it the tests between the columns of a tile; otherwise every column has one.
  test.each(PRODUCTS)("%s compares with the bits of the constant 0", (product) => {
    const text = (functions.get(product) as string).replaceAll(/\s+/g, " ");
    expect(text).toContain("(i32.popcnt (i32.const 0) )");
    expect(text.match(/\(i32\.popcnt /g)).toHaveLength(text.split("(i32.popcnt (i32.const 0) )").length - 1);
  });
});

describe.each(["f32.simd", "f64.simd", "f32.relaxed", "f64.relaxed", "f32.standalone", "f64.standalone"])(
  "%s",
  (name) => {
    test("asks for the size of memory in no loop", () => {
      const module = binaryen.readBinary(new Uint8Array(readFileSync(`build/${name}.wasm`)));
      const functions = module.emitText().split(/^ \(func \$/m);
      module.dispose();
      expect(functions.length).toBeGreaterThan(10);
      for (const text of functions) {
        const loop = text.indexOf("(loop");
        if (loop >= 0) expect(text.slice(loop)).not.toContain("memory.size");
      }
    });
  },
);
