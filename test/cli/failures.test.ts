import { existsSync, readdirSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { irisCsv } from "../../src/datasets/index.ts";
import { chainrule } from "./chainrule.ts";
import { scratchFolder } from "./recorder.ts";

const { folder, path, write } = scratchFolder();
const irisFile = write("iris.csv", irisCsv());
const linesOf = (text: string) => text.trimEnd().split("\n");

describe("failures: one line on the standard error, no file, the exit code", () => {
  const missing = write(
    "missing.csv",
    linesOf(irisCsv())
      .map((line) => line.split(",").slice(1).join(","))
      .join("\n"),
  );
  const flawed = write("flawed.csv", irisCsv().replace("4.9,3.0", "4.9,"));
  const wordy = write("wordy.csv", irisCsv().replace("4.9,3.0", "4.9,wide"));
  const small = write("small.csv", linesOf(irisCsv()).slice(0, 5).join("\n"));
  const broken = write("broken.chainrule", "not a network at all, but long enough for a header".repeat(10));

  test.each<[number, RegExp, string[]]>([
    [2, /a command is needed/, []],
    [2, /unknown command tran; did you mean train\?/, ["tran"]],
    [2, /unknown option --epoch; did you mean --epochs\?/, ["train", "--epoch", "3"]],
    [2, /--epochs: expected a whole number of at least 1, got "0"/, ["train", "--epochs", "0"]],
    [2, /--optimizer: unknown "adan"; did you mean adam\?/, ["train", "--optimizer", "adan"]],
    [2, /--target needs a CSV file/, ["train", "--target", "x"]],
    [2, /train FILE\.csv needs --target COLUMN/, ["train", irisFile]],
    [2, /train takes one file, got 2/, ["train", irisFile, irisFile, "--target", "x"]],
    [2, /predict takes a model and a CSV file, got nothing/, ["predict"]],
    [2, /unknown data set irish; did you mean iris\?/, ["data", "irish"]],
    [1, /none\.csv: no such file/, ["train", path("none.csv"), "--target", "x"]],
    [1, /no column "specie"; did you mean "species"\?/, ["train", irisFile, "--target", "specie"]],
    [1, /no column "petal"/, ["train", irisFile, "--target", "species", "--ignore", "petal"]],
    [1, /the target cannot be ignored/, ["train", irisFile, "--target", "species", "--ignore", "species"]],
    [1, /line 3, column "sepal_width": the value is missing/, ["train", flawed, "--target", "species"]],
    [1, /line 3, column "sepal_width": expected a number, got "wide"/, ["train", wordy, "--target", "species"]],
    [
      1,
      /column "species": expected a number, got "setosa"/,
      ["train", irisFile, "--target", "species", "--task", "regression"],
    ],
    [1, /expected at least 10 rows, got 4/, ["train", small, "--target", "species"]],
    [1, /is read by this command/, ["train", irisFile, "--target", "species", "--output", irisFile]],
    [1, /directory .* does not exist/, ["train", "--output", path("none/model")]],
    [1, /non-finite|learningRate/, ["train", "--optimizer", "sgd", "--learning-rate", "1e30"]],
    [1, /none\.chainrule: no such file/, ["predict", path("none.chainrule"), irisFile]],
    [1, /broken\.chainrule: /, ["predict", broken, irisFile]],
  ])("exit code %i, %s", async (code, message, args) => {
    const before = readdirSync(folder);
    const output = args[0] === "train" && !args.includes("--output") ? ["--output", path("unwritten")] : [];
    const result = await chainrule(...args, ...output);
    expect(result.err).toMatch(message);
    expect(result.err).toMatch(/^chainrule: [^\n]+\n$/);
    expect(result.err).not.toMatch(/ at .*\.(ts|js):\d+/);
    expect(result.code).toBe(code);
    expect(readdirSync(folder)).toEqual(before);
  });

  test("predict and evaluate name a column that is missing, and a class the model does not know", async () => {
    const model = path("failing");
    await chainrule("train", irisFile, "--target", "species", "--epochs", "1", "-q", "-o", model);
    for (const command of ["predict", "evaluate"])
      expect(await chainrule(command, model, missing)).toMatchObject({
        code: 1,
        err: expect.stringMatching(/missing\.csv: no column "sepal_length"/),
      });
    const unknown = write("unknown.csv", irisCsv().replace("setosa", "setoza"));
    expect((await chainrule("evaluate", model, unknown)).err).toMatch(
      /line 2, column "species": "setoza" is no class of the model; did you mean "setosa"\?/,
    );
    expect(existsSync(path("unwritten"))).toBe(false);
  });
});
