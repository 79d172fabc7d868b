// What the build makes of the main entry: one file for a runtime to find, which names itself as the sources do.
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { inspect } from "node:util";
import { describe, expect, test } from "vitest";

const path = (file: string) => fileURLToPath(new URL(`../${file}`, import.meta.url));
const read = (file: string) => readFileSync(path(file), "utf8");
const manifest = JSON.parse(read("package.json"));

describe("dist/index.js", () => {
  const code = read("dist/index.js");

  test("imports nothing and is ASCII, one byte per letter for the engine", () => {
    // Not the whole text in the report.
    expect(/(^|[;}\n])import\b|\bimport\(|(^|[;}\n])export\b[^;]*\bfrom\b/.exec(code)?.[0]).toBeUndefined();
    expect(/[^\n -~]/.exec(code)?.[0]).toBeUndefined();
  });

  test("shows the public names", async () => {
    const { DivergenceError, Network } = await import(path("dist/index.js"));
    expect([Network.name, DivergenceError.name]).toEqual(["Network", "DivergenceError"]);
    expect(inspect(Network.createSync({ inputs: 1, layers: [{ units: 1 }] }))).toMatch(/^Network \{/);
  });

  test("has the loader's licence and notice beside it, and the loader stays a dependency", () => {
    const licences = read("dist/LICENSES.txt");
    expect(licences).toMatch(/^@assemblyscript\/loader \d+\.\d+\.\d+ \(Apache-2\.0\)$/m);
    expect(licences).toContain("Version 2.0, January 2004");
    expect(licences).toContain("The following authors have all licensed their contributions to AssemblyScript");
    expect(Object.keys(manifest.dependencies)).toEqual(["@assemblyscript/loader"]);
    for (const file of ["dist/index.js", "dist/index.edge.js", "dist/LICENSES.txt"]) {
      expect(manifest.files).toContain(file);
    }
  });
});

test("platforms that compile binaries ahead of time have an entry that leaves them outside", () => {
  for (const condition of ["workerd", "edge-light"]) {
    expect(manifest.exports["."][condition]).toBe("./dist/index.edge.js");
    expect(existsSync(path(manifest.imports["#core"][condition]))).toBe(true);
  }
  expect(read("dist/index.edge.js")).toMatch(/^import \* as source from "#core";$/m);
});
