// The main entry for Node, which is read in parts: what is read when, that it is the same library, and that bundlers find it all.
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { inspect } from "node:util";
import { decode } from "@jridgewell/sourcemap-codec";
import { build } from "esbuild";
import { describe, expect, test } from "vitest";
import * as matrix from "../src/initial-matrix.ts";
import * as core from "../src/js/core.ts";
import * as later from "../src/later.ts";
import * as saving from "../src/saving.ts";
import { scratchFolder } from "./cli/recorder.ts";

const path = (file: string) => fileURLToPath(new URL(`../${file}`, import.meta.url));
const manifest = JSON.parse(readFileSync(path("package.json"), "utf8"));

const { folder, path: scratch } = scratchFolder();
const run = (program: string) =>
  execFileSync(process.execPath, ["--input-type=module", "-e", program], { cwd: path("."), encoding: "utf8" });

/** Prints the parts that have been read after each of the steps. */
const READING = `
  import { createRequire } from "node:module";
  const { cache } = createRequire(import.meta.url);
  const read = (when) => console.log(when, Object.keys(cache).map((file) => /[^/\\\\]*$/.exec(file)[0]).sort().join(" "));
  const { Network } = await import("chainrule");
  read("import:");
  const network = await Network.create({ inputs: 2, layers: [{ units: 3, activation: "tanh" }, { units: 1 }] });
  network.predict([[0, 1], [1, 0]]);
  network.predict({ data: new Float32Array(2), shape: [1, 2] });
  read("predict:");
  const loaded = Network.loadSync(network.save());
  loaded.predict([[1, 1]]);
  read("load:");
  loaded.fitSync([[0, 1]], [1]);
  read("fit:");
  Network.createSync({ inputs: 2, layers: [{ units: 2, init: { type: "identity" } }] }, { core: "js", dtype: "float64" });
  read("identity, js:");
  Network.createSync({ inputs: 2, layers: [{ units: 2 }] }, { dtype: "float64" });
  read("float64:");
`;

/** Trains through every door between the parts, and prints a digest of what comes out. */
const training = (from: string) => `
  import { createHash } from "node:crypto";
  import { Network } from ${JSON.stringify(from)};
  const rows = Array.from({ length: 40 }, (_, i) => [Math.sin(i), Math.cos(3 * i)]);
  const targets = rows.map(([a, b]) => [a * b]);
  for (const core of ["simd", "js"]) for (const dtype of ["float32", "float64"]) {
    const layers = [{ units: 9, activation: "sigmoid", init: { type: "orthogonal" } }, { units: 1, activation: "linear" }];
    const network = await Network.create({ inputs: 2, layers }, { core, dtype, seed: 7 });
    await network.fit(rows, targets, { epochs: 3, batchSize: 7, optimizer: "nadam" });
    const copy = Network.loadSync(network.clone().save());
    copy.step(rows, targets);
    const losses = copy.history.epochs.map(({ loss }) => loss);
    const parameters = copy.weights().flatMap(({ W, b }) => [...W.data, ...b]);
    const digest = createHash("sha256").update(JSON.stringify([losses, parameters])).digest("hex");
    console.log(core, dtype, losses.length, parameters.length, digest);
  }
`;

describe("the entry for Node", () => {
  test("bundlers, Deno and Bun are given the one file, Node the parts", () => {
    const conditions = Object.keys(manifest.exports["."]);
    for (const condition of ["module", "deno", "bun", "default"]) {
      expect(manifest.exports["."][condition]).toBe("./dist/index.js");
    }
    // Without the module in between where CommonJS asks: Jest as it comes, and Node before 22.12, know no require of modules.
    expect(manifest.exports["."].node).toEqual({ require: "./dist/node/index.cjs", default: "./dist/index.node.js" });
    for (const earlier of ["module", "deno", "bun"]) {
      expect(conditions.indexOf(earlier)).toBeLessThan(conditions.indexOf("node"));
    }
    expect(manifest.files).toEqual(expect.arrayContaining(["dist/index.node.js", "dist/node"]));
  });

  test("reads what is called: to create and predict main.cjs and nothing else", () => {
    expect(run(READING).trim().split("\n")).toEqual([
      "import: index.cjs main.cjs",
      "predict: index.cjs main.cjs",
      "load: index.cjs main.cjs saving.cjs",
      "fit: index.cjs later.cjs main.cjs saving.cjs",
      "identity, js: index.cjs initial.cjs js.cjs later.cjs main.cjs saving.cjs",
      // The binaries are files beside them, not the text that bundles carry.
      "float64: index.cjs initial.cjs js.cjs later.cjs main.cjs saving.cjs",
    ]);
  });

  test("what stands behind the doors are functions", () => {
    for (const door of [saving, later, matrix, core]) {
      const kinds = Object.entries(door).map(([name, value]) => `${name}: ${typeof value}`);
      expect(kinds.length).toBeGreaterThan(0);
      for (const kind of kinds) expect(kind).toMatch(/: function$/);
      // Called without new.
      for (const value of Object.values(door)) expect(String(value)).not.toMatch(/^class\b/);
    }
  });

  test("has the names, the kinds of errors and the strictness of the one file", async () => {
    const parts = await import(path("dist/index.node.js"));
    const whole = await import(path("dist/index.js"));
    expect(Object.keys(parts)).toEqual(Object.keys(whole));
    expect([parts.Network.name, parts.DivergenceError.name]).toEqual(["Network", "DivergenceError"]);
    const network = parts.Network.createSync({ inputs: 1, layers: [{ units: 1 }] });
    expect(inspect(network)).toMatch(/^Network \{/);
    // Sloppy code would let it pass.
    for (const part of ["main.cjs", "saving.cjs", "initial.cjs", "js.cjs", "later.cjs"]) {
      const code = readFileSync(path(`dist/node/${part}`), "utf8");
      expect(code.startsWith('"use strict";'), part).toBe(true);
      expect(/[^\n -~]/.exec(code)?.[0], part).toBeUndefined();
      expect(existsSync(path(`dist/node/${part}.map`)), part).toBe(true);
    }
    // The class is the one that the half behind the doors throws.
    const rows = [[1e30], [2e30]];
    const options = { epochs: 9, optimizer: { type: "sgd", learningRate: 1e9 } };
    expect(() => network.fitSync(rows, [1, 2], options)).toThrow(parts.DivergenceError);
  });

  test("gives the bits of the one file, on each core and dtype", () => {
    const parts = run(training("chainrule"));
    expect(parts.trim().split("\n")).toHaveLength(4);
    expect(parts).toBe(run(training(path("dist/index.js"))));
  });

  // As Jest's resetModules does between two files of tests.
  test("a network made before require's cache was emptied goes on with its own classes", () => {
    const program = `
      import { createRequire } from "node:module";
      const require = createRequire(import.meta.url);
      const { DivergenceError, Network } = require(${JSON.stringify(path("dist/node/index.cjs"))});
      const network = Network.createSync({ inputs: 1, layers: [{ units: 1 }] });
      const empty = () => { for (const file of Object.keys(require.cache)) delete require.cache[file]; };
      empty();
      const copy = Network.loadSync(network.save());
      empty();
      require(${JSON.stringify(path("dist/node/index.cjs"))}).Network.createSync({ inputs: 1, layers: [{ units: 1 }] });
      try {
        copy.fitSync([[1e30], [2e30]], [1, 2], { epochs: 9, optimizer: { type: "sgd", learningRate: 1e9 } });
      } catch (error) {
        console.log(error instanceof DivergenceError, copy.clone() instanceof Network, copy.diagnose([[1], [2]], [1, 2]).text.length > 0);
      }
    `;
    expect(run(program).trim()).toBe("true true true");
  });

  test("a missing part is an error, not a reason for the js core", async () => {
    const copied = scratch("broken");
    cpSync(path("dist/node"), `${copied}/node`, { recursive: true });
    rmSync(`${copied}/node/core.f64.cjs`);
    const { Network } = await import(`${copied}/node/index.cjs`);
    const create = (dtype: string) => Network.createSync({ inputs: 1, layers: [{ units: 1 }] }, { dtype });
    expect(() => create("float64")).toThrow(
      /^core: expected "simd" to be available on this runtime, got: Cannot find module '.\/core.f64.cjs'/,
    );
    expect(create("float32").core).toBe("simd");
  });

  test("a file beside it that is not this version's binary is not taken for it", async () => {
    const copied = scratch("other");
    cpSync(path("dist/node"), `${copied}/node`, { recursive: true });
    const f32 = readFileSync(path("dist/core/core.f32.wasm"));
    mkdirSync(`${copied}/core`);
    writeFileSync(`${copied}/core/core.f32.wasm`, Uint8Array.of(...f32, 0, 1, 0));
    const { Network } = await import(`${copied}/node/index.cjs`);
    const read = () =>
      Object.keys(createRequire(import.meta.url).cache).filter((file) => file === `${copied}/node/core.f32.cjs`);
    expect(read()).toEqual([]);
    expect(Network.createSync({ inputs: 1, layers: [{ units: 1 }] }).core).toBe("simd");
    expect(read()).toHaveLength(1);
    // Nor is the text of another version, which a package that is replaced while a process runs would have.
    writeFileSync(`${copied}/node/core.f64.cjs`, `module.exports = "${f32.toString("base64")}";\n`);
    const create = () => Network.createSync({ inputs: 1, layers: [{ units: 1 }] }, { dtype: "float64" });
    expect(create).toThrow(
      /^core: expected "simd" to be available .*, got: the package was replaced by another version/,
    );
  });

  test("maps lead to the sources, and no string goes on after the end of a line", () => {
    for (const [part, source, name, written] of [
      ["node/main.cjs", "src/network.ts", "class Network", "class Network"],
      ["node/main.cjs", "src/plan.ts", "function planNetwork", "var planNetwork=(function"],
      // Within a function that has been moved.
      ["node/main.cjs", "src/core/instantiate.ts", "it is no core of this library", "it is no core of this library"],
      ["index.js", "src/core/instantiate.ts", "it is no core of this library", "it is no core of this library"],
      ["node/saving.cjs", "src/saving.ts", "function saveModel", "var saveModel=(function"],
      ["node/later.cjs", "src/training/fit.ts", "function startFit", "function startFit"],
      ["node/js.cjs", "src/js/gemm.ts", "function forwardPanels", "function forwardPanels"],
      ["index.js", "src/plan.ts", "function planNetwork", "var planNetwork=(function"],
    ] as const) {
      const lines = readFileSync(path(`dist/${part}`), "utf8").split("\n");
      expect(lines.filter((line) => line.endsWith("\\"))).toEqual([]);
      const map = JSON.parse(readFileSync(path(`dist/${part}.map`), "utf8"));
      const line = lines.findIndex((text) => text.includes(written));
      const column = lines[line]!.indexOf(written);
      const segments = decode(map.mappings)[line]!.filter((segment) => segment[0] <= column);
      const [, file, row] = segments.at(-1) as [number, number, number, number];
      expect(map.sources[file], part).toMatch(new RegExp(`${source}$`));
      expect(map.sourcesContent[file].split("\n")[row], part).toContain(name);
    }
  });

  test("require gives the same class as import", () => {
    const program = `
      import { createRequire } from "node:module";
      import { Network } from "chainrule";
      console.log(Network === createRequire(import.meta.url)("chainrule").Network);
    `;
    expect(run(program).trim()).toBe("true");
  });

  // Turbopack and esbuild with conditions of one's own know "node" and not "module"; the default knows both.
  test.each([
    ["the one file", undefined, /dist\/index\.js$/],
    ["all parts", ["custom"], /dist\/node\/main\.cjs$/],
  ])("a bundle for Node holds %s, and trains where nothing lies beside it", async (_, conditions, expected) => {
    const name = conditions === undefined ? "whole" : "parts";
    const { metafile } = await build({
      stdin: { contents: training("chainrule"), resolveDir: path(".") },
      outfile: scratch(`${name}/bundle.mjs`),
      ...(conditions && { conditions }),
      bundle: true,
      platform: "node",
      format: "esm",
      metafile: true,
      logLevel: "warning",
    });
    const inputs = Object.keys(metafile.inputs);
    expect(inputs.some((input) => expected.test(input))).toBe(true);
    expect(inputs.filter((input) => /dist\/(index|node\/main)\.c?js$/.test(input))).toHaveLength(1);
    const out = execFileSync(process.execPath, [scratch(`${name}/bundle.mjs`)], { cwd: folder, encoding: "utf8" });
    expect(out).toBe(run(training(path("dist/index.js"))));
  });
});
