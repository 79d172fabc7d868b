import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { describe, expect, test } from "vitest";
import { irisCsv } from "../../src/datasets/index.ts";
import { exportModule } from "../../src/export/index.ts";
import { Network } from "../../src/index.ts";
import { chainrule } from "./chainrule.ts";
import { scratchFolder } from "./recorder.ts";

const { path, write } = scratchFolder();
const model = path("iris.chainrule");

describe("export", async () => {
  const iris = write("iris.csv", irisCsv());
  await chainrule("train", iris, "--target", "species", "--epochs", "2", "--quiet", "--output", model);
  const network = Network.loadSync(readFileSync(model));

  test("writes the .wasm of chainrule/export and says its sizes", async () => {
    const file = path("iris.wasm");
    const { code, out, err } = await chainrule("export", model, "--to", file, "--rows", "8");
    expect({ code, err }).toEqual({ code: 0, err: "" });
    const expected = exportModule(network, { rows: 8 });
    expect(out).toBe(`${file}: 4 inputs, 3 outputs, float32, ${expected.length} bytes\n`);
    expect(Buffer.from(expected).equals(readFileSync(file))).toBe(true);
  });

  test("writes an .mjs that predicts as the network", async () => {
    const file = path("iris.mjs");
    expect((await chainrule("export", model, "--to", file)).code).toBe(0);
    const net = await import(pathToFileURL(file).href);
    const x = [[5.1, 3.5, 1.4, 0.2]];
    expect(net.predict(x).data).toEqual(network.predict(x).data);
  });

  test.each([
    [["export", model], 2, "export needs --to FILE.wasm or --to FILE.mjs"],
    [["export", "--to", path("a.wasm")], 2, "export takes one model, got nothing"],
    [["export", model, "--to", path("a.js")], 2, "--to: expected a file name that ends in .wasm or .mjs"],
    [["export", model, "--to", path("a.wasm"), "--rows", "0"], 2, "--rows: expected a whole number of at least 1"],
    [
      ["export", model, "--to", path("a.wasm"), "--rows", "16777217"],
      1,
      "rows: expected an integer from 1 to 16777216",
    ],
    [["export", path("none"), "--to", path("a.wasm")], 1, "no such file"],
    [["export", iris, "--to", path("a.wasm")], 1, "not a chainrule network"],
  ])("%j fails", async (args, code, message) => {
    const result = await chainrule(...args);
    expect(result.code).toBe(code);
    expect(result.err).toContain(message);
  });
});
