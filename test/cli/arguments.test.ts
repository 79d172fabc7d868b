import { describe, expect, test } from "vitest";
import { readArguments } from "../../src/cli/arguments.ts";
import { COMMANDS, type CommandName, helpText, OPTIONS } from "../../src/cli/commands.ts";
import { UsageError } from "../../src/cli/errors.ts";
import {
  batchValue,
  choiceValue,
  integerValue,
  listValue,
  optimizerValue,
  positiveValue,
  unitsValue,
} from "../../src/cli/values.ts";

describe("taking the command line apart", () => {
  test("a command, a file, options in every spelling, the last one of two", () => {
    const args = ["train", "--seed=1", "a.csv", "--target", "y", "-o", "m", "--seed", "2", "-q"];
    expect(readArguments(args)).toEqual({
      command: "train",
      positionals: ["a.csv"],
      values: { seed: "2", target: "y", output: "m", quiet: "true" },
      help: false,
      version: false,
    });
  });

  test("a file name that begins with a dash comes after --", () => {
    expect(readArguments(["train", "--", "-odd.csv"]).positionals).toEqual(["-odd.csv"]);
  });

  test("--help with and without a command, --version", () => {
    expect(readArguments(["--help"])).toMatchObject({ command: undefined, help: true });
    expect(readArguments(["-h"])).toMatchObject({ help: true });
    expect(readArguments(["train", "--help"])).toMatchObject({ command: "train", help: true });
    expect(readArguments(["--version"])).toMatchObject({ version: true });
  });

  test.each<[string[], RegExp]>([
    [["trian"], /^unknown command trian; did you mean train\?$/],
    [["toString"], /^unknown command toString; there is train, predict/],
    [["train", "--epoch", "3"], /^unknown option --epoch; did you mean --epochs\?$/],
    [["train", "--learningRate", "3"], /^unknown option --learningRate; did you mean --learning-rate\?$/],
    [["train", "-x"], /^unknown option -x/],
    [["train", "--toString"], /^unknown option --toString/],
    [["predict", "m", "f", "--epochs", "3"], /^unknown option --epochs/],
    [["train", "--epochs"], /^--epochs: expected N, got nothing$/],
    [["train", "--quiet=yes"], /^--quiet takes no value, got yes$/],
    [["--seed", "1"], /^unknown option --seed/],
  ])("%j is refused", (args, expected) => {
    expect(() => readArguments(args)).toThrow(expected);
    expect(() => readArguments(args)).toThrow(UsageError);
  });
});

describe("values of options", () => {
  test("whole numbers", () => {
    expect(integerValue({ epochs: "12" }, "epochs", 1)).toBe(12);
    expect(integerValue({}, "epochs", 1)).toBeUndefined();
    for (const text of ["0", "-1", "1.5", "1e3", "", "x", "9007199254740992"])
      expect(() => integerValue({ epochs: text }, "epochs", 1)).toThrow(
        /^--epochs: expected a whole number of at least 1/,
      );
  });

  test("positive numbers", () => {
    expect(positiveValue({ "learning-rate": "1e-3" }, "learning-rate")).toBe(0.001);
    for (const text of ["0", "-1", "", " ", "x", "Infinity"])
      expect(() => positiveValue({ "learning-rate": text }, "learning-rate")).toThrow(/expected a number above 0, got/);
  });

  test("units", () => {
    expect(unitsValue({ hidden: "64, 32" }, "hidden")).toEqual([64, 32]);
    expect(unitsValue({ hidden: "none" }, "hidden")).toEqual([]);
    for (const text of ["", "64,", "0", "-3", "a", "1.5"])
      expect(() => unitsValue({ hidden: text }, "hidden")).toThrow(/^--hidden: expected unit counts such as 64,32/);
  });

  test("choices and lists", () => {
    expect(choiceValue({ core: "js" }, "core", ["simd", "js"])).toBe("js");
    expect(() => choiceValue({ core: "sim" }, "core", ["simd", "js"])).toThrow(
      '--core: unknown "sim"; did you mean simd?',
    );
    expect(listValue({ ignore: " a, b ,," }, "ignore")).toEqual(["a", "b"]);
    expect(listValue({}, "ignore")).toEqual([]);
  });

  test("batch, and the optimizer with its rate", () => {
    expect(batchValue({ batch: "full" }, "adam")).toBe("full");
    expect(batchValue({ batch: "16" }, "adam")).toBe(16);
    expect([batchValue({}, "adam"), batchValue({}, "scg")]).toEqual([32, "full"]);
    expect(() => batchValue({ batch: "16" }, "scg")).toThrow(/^--batch: --optimizer scg takes all rows at once/);
    expect(() => optimizerValue({ optimizer: "lbfgs", "learning-rate": "1" })).toThrow(
      /^--learning-rate: --optimizer lbfgs makes its own step sizes$/,
    );
    expect(() => batchValue({ batch: "half" }, "adam")).toThrow(
      /^--batch: expected a whole number of at least 1 or "full", got "half"$/,
    );
    expect(optimizerValue({})).toEqual({ type: "adam", learningRate: 0.003 });
    expect(optimizerValue({ optimizer: "sgd" })).toBe("sgd");
    expect(optimizerValue({ "learning-rate": "0.5" })).toEqual({ type: "adam", learningRate: 0.5 });
    expect(optimizerValue({ optimizer: "sgd", "learning-rate": "0.5" })).toEqual({ type: "sgd", learningRate: 0.5 });
  });
});

describe("help", () => {
  const commands = Object.keys(COMMANDS) as CommandName[];

  test("names every command, and fits into 80 columns", () => {
    for (const command of commands) expect(helpText()).toContain(`\n  ${command}`);
    for (const text of [helpText(), ...commands.map(helpText)])
      for (const line of text.split("\n")) expect(line.length, line).toBeLessThanOrEqual(80);
  });

  test.each(commands)("%s: every option of the command, its usage and an example", (command) => {
    const text = helpText(command);
    for (const option of COMMANDS[command].options) expect(text).toContain(`--${option}`);
    expect(text).toMatch(new RegExp(`^Usage: chainrule ${command}`));
    expect(text).toMatch(new RegExp(`Examples?:\n  chainrule ${command}`));
  });

  test("every option belongs to a command", () => {
    const used = new Set<string>(["help", "version", ...commands.flatMap((command) => COMMANDS[command].options)]);
    expect(Object.keys(OPTIONS).filter((option) => !used.has(option))).toEqual([]);
  });
});
