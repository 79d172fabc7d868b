// The relaxed binaries fuse multiplication and addition where the machine does, so they have bits of their own: their
// products are held to an error bound, and every way to compute an element must give the same one.
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { buildSync } from "esbuild";
import { describe, expect, test } from "vitest";
import type { Report, Reports } from "./child.ts";

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));

/** Runs child.ts in this Node, which from 22 on has relaxed SIMD without a flag. */
function examine(): Reports {
  const outfile = path("../../build/test/relaxed.mjs");
  buildSync({
    entryPoints: [path("child.ts")],
    outfile,
    bundle: true,
    platform: "node",
    format: "esm",
    logLevel: "warning",
  });
  const flags = Number.parseInt(process.versions.node, 10) < 22 ? ["--experimental-wasm-relaxed-simd"] : [];
  return JSON.parse(execFileSync(process.execPath, [...flags, outfile], { encoding: "utf8" }));
}

const reports = examine();

describe.each(["f32.relaxed", "f64.relaxed", "f32.relaxed.debug", "f64.relaxed.debug"])("%s", (binary) => {
  const report = reports[binary] as Report;

  test("runs in a Node with relaxed SIMD", () => {
    expect(report).toBeTypeOf("object");
  });

  test.each(["forward", "delta", "gradient"])("%s: the error is within γₖ·Σ|w·a|, k up to 1009", (kernel) => {
    const share = report.shares[kernel] as number;
    expect(share).toBeGreaterThan(0);
    expect(share).toBeLessThanOrEqual(1);
  });

  test("an element is the same alone, in every tile, batch, block and chunk, with every optimizer", () => {
    expect(report.disagreements.slice(0, 5)).toEqual([]);
    expect(report.compared).toBeGreaterThan(50_000);
  });
});
