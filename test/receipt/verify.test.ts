// `chainrule train --receipt` and `chainrule verify`: what is true is found equal, and what is not is found out and named.
import { execFileSync, spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { bundleCli } from "../../src/cli/bundle.mjs";
import { diabetesCsv, digits, digitsCsv, iris, irisCsv } from "../../src/datasets/index.ts";
import { type FitOptions, Network, type NetworkSpec } from "../../src/index.ts";
import { canonicalText } from "../../src/receipt/canonical.ts";
import { plainSha256 } from "../../src/receipt/sha256.ts";
import { receipt } from "../../src/receipt.ts";
import { chainrule } from "../cli/chainrule.ts";
import { scratchFolder } from "../cli/recorder.ts";

const { path, write } = scratchFolder();
const irisFile = write("iris.csv", irisCsv());
const IRIS = [irisFile, "--target", "species"];

type Fields = Record<string, unknown> & { command: { options: Record<string, string>; data: object } };
const fieldsOf = (file: string): Fields => JSON.parse(readFileSync(file, "utf8"));

/** A receipt that somebody has changed; `sealed`: with a digest that fits again. */
function altered(file: string, change: (fields: Fields) => void, sealed: boolean): string {
  const fields = fieldsOf(file);
  change(fields);
  const { digest: _, ...rest } = fields;
  if (sealed) fields.digest = plainSha256(new TextEncoder().encode(canonicalText(rest)));
  return write("altered.json", JSON.stringify(fields));
}

/** The CSV with one field of row 20 changed in its last digit. */
const NUDGED = write(
  "nudged.csv",
  irisCsv()
    .split("\n")
    .map((line, row) => (row === 20 ? line.replace(/^(\d+\.)(\d)/, (_, a, b) => `${a}${(Number(b) + 1) % 10}`) : line))
    .join("\n"),
);

async function trained(name: string, ...args: string[]): Promise<string> {
  const files = ["--output", path(`${name}.chainrule`), "--receipt", path(`${name}.json`)];
  const { code, err, out } = await chainrule("train", ...args, ...files, "--quiet");
  expect([code, err]).toEqual([0, ""]);
  expect(out).toContain(`receipt: ${path(`${name}.json`)}\n`);
  return path(`${name}.json`);
}

describe("a receipt of train", () => {
  let file = "";
  beforeAll(async () => {
    file = await trained("iris", ...IRIS, "--epochs", "12", "--seed", "3", "--hidden", "8");
  });

  test.each(["simd", "js"])("is verified on the %s core, with a line of progress for each tenth", async (core) => {
    const { code, out, err } = await chainrule("verify", file, irisFile, "--core", core);
    expect([code, err]).toEqual([0, ""]);
    expect(out).toMatch(/^epoch {2}1\/12 .*\n(epoch .*\n)+equal: weights [0-9a-f]{64}\n$/);
  });

  test("hashes the weights of the model file", async () => {
    const saved = await receipt(readFileSync(path("iris.chainrule")));
    expect(fieldsOf(file)).toMatchObject({ weights: saved.weights, replayable: true, spec: saved.spec });
  });

  test("does not depend on line ends, quotes and separators of the file", async () => {
    const other = write("other.csv", irisCsv().replaceAll(",", ";").replaceAll("\n", "\r\n"));
    expect(await chainrule("verify", file, other, "--quiet")).toMatchObject({ code: 0, err: "" });
  });

  test("of other data is found not equal before it is trained", async () => {
    const { code, out, err } = await chainrule("verify", file, NUDGED);
    expect([code, out]).toEqual([1, ""]);
    expect(err).toMatch(
      /^chainrule: not equal: data\.sha256: the receipt has "[0-9a-f]{64}", the replay "[0-9a-f]{64}"\n$/,
    );
  });

  const frauds: [string, RegExp, (fields: Fields) => void][] = [
    [
      "another seed",
      /^chainrule: not equal: calls\[0\]\.data\.fingerprint: /,
      ({ command }) => (command.options.seed = "4"),
    ],
    [
      "another rate",
      /^chainrule: not equal: calls\[0\]\.options\.optimizer\.learningRate: the receipt has 0\.003, the replay 0\.004\n/,
      ({ command }) => (command.options["learning-rate"] = "0.004"),
    ],
    [
      "other units",
      /^chainrule: not equal: spec\.layers\[1\]\.units: the receipt has 8, the replay 9\n/,
      ({ command }) => (command.options.hidden = "9"),
    ],
    [
      "other weights",
      /^chainrule: not equal: weights\.sha256: /,
      (fields) => (fields.weights = { count: 67, sha256: "0".repeat(64) }),
    ],
    ["more steps", /^chainrule: not equal: steps: /, (fields) => (fields.steps = 37)],
    [
      "an option more",
      /^chainrule: not equal: command\.options\.core: /,
      ({ command }) => (command.options.core = "auto"),
    ],
  ];
  test.each(frauds)(
    "that was altered to %s is not equal, with its digest or with one that fits",
    async (_, message, change) => {
      const simple = await chainrule("verify", altered(file, change, false), irisFile);
      expect(simple).toMatchObject({ code: 1, out: "", err: expect.stringMatching(/^chainrule: not equal: digest: /) });
      const sealed = await chainrule("verify", altered(file, change, true), irisFile, "--quiet");
      expect(sealed).toMatchObject({ code: 1, out: "", err: expect.stringMatching(message) });
    },
  );

  test("of a quantity, with the best weights put back, is verified; the digits need no file", {
    timeout: 120_000,
  }, async () => {
    const csv = write("diabetes.csv", diabetesCsv());
    const target = readFileSync(csv, "utf8").split("\n")[0]?.split(",").at(-1) as string;
    const best = await trained("diabetes", csv, "--target", target, "--epochs", "30", "--dtype", "float64");
    expect((fieldsOf(best).calls as { call: string }[]).map(({ call }) => call)).toEqual(["fit", "setWeights"]);
    expect(await chainrule("verify", best, csv, "--quiet")).toMatchObject({ code: 0, err: "" });
    const own = await trained("digits", "--epochs", "2", "--optimizer", "nadam", "--hidden", "none");
    expect(await chainrule("verify", own, "--quiet")).toMatchObject({ code: 0, err: "" });
    const { code, err } = await chainrule("verify", own, irisFile);
    expect([code, err]).toEqual([2, expect.stringContaining("the receipt is of the embedded digits")]);
  });

  test("of another version says so where something differs", async () => {
    const change = (fields: Fields) => {
      Object.assign(fields.command, { version: "0.0.9" });
      fields.weights = { ...(fields.weights as object), sha256: "0".repeat(64) };
    };
    const { code, err } = await chainrule("verify", altered(file, change, true), irisFile, "--quiet");
    expect([code, err]).toEqual([1, expect.stringMatching(/not equal: weights.*written by version 0\.0\.9, this is /)]);
  });

  test.each<[string, (fields: Fields) => void]>([
    ["without its spec", (fields) => void Object.assign(fields, { spec: null })],
    ["with a number for layers", (fields) => void Object.assign(fields, { spec: { layers: 5 } })],
    ["without the command's options", (fields) => void Object.assign(fields.command, { options: undefined })],
  ])("%s is not checked, in one line", async (_, change) => {
    const { code, err } = await chainrule("verify", altered(file, change, true), irisFile, "--quiet");
    expect([code, err]).toEqual([2, expect.stringMatching(/^chainrule: .*(whole receipt|expected the program).*\n$/)]);
  });
});

describe("a receipt of the library", () => {
  const SPEC: NetworkSpec = {
    inputs: 4,
    layers: [{ type: "standardize" }, { units: 6, activation: "tanh" }, { units: 3, activation: "softmax" }],
  };
  async function written(name: string, fits: FitOptions[], spec = SPEC): Promise<string> {
    const { x, y } = iris();
    using network = await Network.create(spec, { seed: 5, dtype: "float64" });
    for (const fit of fits) await network.fit(x, y, fit);
    return write(name, JSON.stringify(await receipt(network)));
  }

  test("of several fits is verified with the file that has the same numbers", async () => {
    const file = await written("fits.json", [
      { epochs: 4, validation: 0.2, earlyStopping: true },
      { maxSteps: 7, optimizer: "sgd" },
    ]);
    expect(await chainrule("verify", file, irisFile, "--target", "species", "--quiet")).toMatchObject({
      code: 0,
      err: "",
    });
    const other = await chainrule("verify", file, NUDGED, "--target", "species");
    expect(other).toMatchObject({ code: 1, out: "" });
    expect(other.err).toMatch(/^chainrule: not equal: calls\[0\]\.(data|validation)\.fingerprint: /);
    const sealed = altered(
      file,
      (fields) =>
        (((fields.calls as { options: object }[])[1] as { options: Record<string, unknown> }).options.batchSize = 16),
      true,
    );
    const changed = await chainrule("verify", sealed, irisFile, "--target", "species", "--quiet");
    expect(changed).toMatchObject({
      code: 1,
      err: "chainrule: not equal: calls[1].epochs: the receipt has 1, the replay 0\n",
    });
  });

  test("of the digits is verified with their export", async () => {
    const { x, y } = digits();
    using network = await Network.create({ inputs: 64, layers: [{ units: 10, activation: "softmax" }] });
    await network.fit(x, y, { epochs: 2 });
    const file = write("digits.json", JSON.stringify(await receipt(network)));
    const csv = write("digits.csv", digitsCsv());
    const target = readFileSync(csv, "utf8").split("\n")[0]?.split(",").at(-1) as string;
    expect(await chainrule("verify", file, csv, "--target", target, "--quiet")).toMatchObject({ code: 0, err: "" });
  });

  test("that cannot be replayed, or not from one file, is not checked", async () => {
    const { x, y } = iris();
    const verify = async (file: string, ...more: string[]) =>
      chainrule("verify", file, irisFile, "--target", "species", ...more);
    const weighted = await written("weighted.json", [{ epochs: 1, sampleWeights: y.map(() => 2) }]);
    expect(await verify(weighted)).toMatchObject({
      code: 2,
      err: "chainrule: calls[0]: had sample weights, which are not in the file\n",
    });
    const held = await written("held.json", [{ epochs: 1, validation: { x, y } }]);
    expect(await verify(held)).toMatchObject({ code: 2, err: expect.stringContaining("validation rows of its own") });
    const rate = await written("rate.json", [{ epochs: 1, schedule: () => 0.1 }]);
    expect(await verify(rate)).toMatchObject({ code: 2, err: expect.stringContaining("the schedule is a function") });
    const claims = altered(rate, (fields) => Object.assign(fields, { replayable: true, reasons: [] }), true);
    expect(await verify(claims)).toMatchObject({ code: 2, err: expect.stringContaining("schedule") });
  });
});

describe("what is wrong with the call ends with 2", () => {
  test.each([
    [[], "verify takes RECEIPT.json"],
    [["none.json"], "cannot be read as a receipt"],
    [[irisFile], "cannot be read as a receipt"],
    [["iris.json", "none.csv"], "no such file"],
    [["iris.json"], "the receipt is of a CSV file"],
    [["iris.json", irisFile, "--core", "fast"], "--core"],
    [["empty.json"], "is no receipt of a format that is known here"],
    [["bare.json"], "is no whole receipt"],
  ])("verify %j", async (args, message) => {
    write("empty.json", "null");
    write("bare.json", '{"format":"chainrule receipt 1"}');
    const { code, out, err } = await chainrule(
      "verify",
      ...args.map((arg) => (arg.endsWith(".json") ? path(arg) : arg)),
    );
    expect([code, out]).toEqual([2, ""]);
    expect(err).toContain(message);
    expect(err.trimEnd().split("\n")).toHaveLength(1);
  });

  test("--receipt and --output of one name", async () => {
    const { code, err } = await chainrule("train", ...IRIS, "--output", path("one"), "--receipt", path("one"));
    expect([code, err]).toEqual([2, "chainrule: --receipt: expected another file than --output\n"]);
  });
});

test("as processes: train, verify, and verify of other data exit with 0, 0 and 1", async () => {
  const program = path("dist/cli/main.js");
  mkdirSync(dirname(program), { recursive: true });
  copyFileSync("package.json", path("package.json"));
  await bundleCli({ outFile: program, standalone: true });
  const options = { cwd: path("."), encoding: "utf8" } as const;
  const train = ["train", ...IRIS, "--epochs", "3", "--receipt", "process.json", "--quiet"];
  expect(execFileSync(process.execPath, [program, ...train], options)).toContain("receipt: process.json\n");
  const verify = (csv: string) =>
    spawnSync(process.execPath, [program, "verify", "process.json", csv, "--quiet"], options);
  expect(verify(irisFile)).toMatchObject({ status: 0, stderr: "", stdout: expect.stringMatching(/^equal: weights /) });
  expect(verify(NUDGED)).toMatchObject({
    status: 1,
    stderr: expect.stringMatching(/^chainrule: not equal: data\.sha256: /),
  });
});
