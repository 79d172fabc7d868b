import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { csvProblem, digitsProblem } from "../../src/cli/problem.ts";
import { splitProblem } from "../../src/cli/training.ts";
import { diabetes, diabetesCsv, digitsCsv, iris, irisCsv } from "../../src/datasets/index.ts";
import { Network } from "../../src/index.ts";
import { chainrule } from "./chainrule.ts";
import { scratchFolder } from "./recorder.ts";

const { path, write } = scratchFolder();
const irisFile = write("iris.csv", irisCsv());
const load = (file: string) => Network.loadSync(readFileSync(file));
const linesOf = (text: string) => text.trimEnd().split("\n");

/** Trains quietly into a file of the scratch folder and gives its path. */
async function trained(name: string, ...args: string[]): Promise<string> {
  const { code, err } = await chainrule("train", ...args, "--quiet", "--output", path(name));
  expect(err).toBe("");
  expect(code).toBe(0);
  return path(name);
}

describe("the split", () => {
  test("1797 digits: 64/16/20 %, disjoint, complete, every class in its share, another one for another seed", () => {
    const problem = digitsProblem();
    const { train, validation, test: held } = splitProblem(problem, 0);
    expect([train.length, validation.length, held.length]).toEqual([1150, 288, 359]);
    const all = [...train, ...validation, ...held].sort((a, b) => a - b);
    expect(all).toEqual(Array.from({ length: 1797 }, (_, row) => row));
    for (const [rows, share] of [
      [train, 0.64],
      [validation, 0.16],
      [held, 0.2],
    ] as const) {
      for (let digit = 0; digit < 10; digit++) {
        const total = problem.y.filter((y) => y === digit).length;
        const part = rows.filter((row) => problem.y[row] === digit).length;
        expect(Math.abs(part - share * total)).toBeLessThan(1.5);
      }
    }
    expect(splitProblem(problem, 1).test).not.toEqual(held);
  });
});

describe("train without a file", () => {
  test("3 epochs of the digits: everything that is promised is printed, in order, and the model is saved", async () => {
    const { code, out, err } = await chainrule("train", "--epochs", "3", "--output", path("digits.chainrule"));
    expect(err).toBe("");
    expect(code).toBe(0);
    expect(out.replaceAll("\n", "")).not.toMatch(/\p{Cc}/u);
    expect(out).toMatch(/^digits: 10 classes; rows: 1 150 to train, 288 to validate, 359 to test$/m);
    expect(out).toMatch(/^network 64-64-10: 4 810 parameters, float32, core simd$/m);
    expect(out).toMatch(/^epoch 1\/3 {2}0:0\d left {2}loss \d\.\d+ {2}validation +\d+\.\d % {2}[\d ]+ samples\/s$/m);
    expect(out).toMatch(/^loss by epoch {2}● training {2}○ validation$/m);
    expect(out).toMatch(/^test accuracy: \d\d\.\d %$/m);
    expect(out).toMatch(/^class {2}precision +recall {2}support$/m);
    for (let digit = 0; digit < 10; digit++) expect(out).toMatch(new RegExp(`^${digit} .*%.*%  +3[4-7]$`, "m"));
    expect(out).toMatch(/^core: simd, \d+\.\d times as fast as the js core \([\d ]+ against [\d ]+ samples\/s\)$/m);
    expect(linesOf(out).at(-1)).toBe(`model: ${path("digits.chainrule")}`);
    const network = load(path("digits.chainrule"));
    expect(network.names).toMatchObject({ target: "digit", classes: Array.from("0123456789") });
  });

  test("same seed, same weights; other core, same weights; another seed, other weights", async () => {
    const weightsOf = async (name: string, ...args: string[]) =>
      load(await trained(name, "--epochs", "2", ...args)).weights();
    const first = await weightsOf("a");
    expect(await weightsOf("b")).toEqual(first);
    expect(await weightsOf("c", "--core", "js")).toEqual(first);
    expect(await weightsOf("d", "--seed", "1")).not.toEqual(first);
  });

  test("--quiet prints the result and the file, nothing else", async () => {
    const { out } = await chainrule("train", "--epochs", "1", "-q", "-o", path("quiet"));
    expect(out).toMatch(/^test accuracy: \d+\.\d %\nmodel: .*quiet\n$/);
  });
});

describe("train on a CSV file with text classes (iris, 150 × 4)", () => {
  test("Network.load(file).predict takes raw columns and gives what the CLI gives, bit for bit", async () => {
    const model = await trained("iris.chainrule", irisFile, "--target", "species");
    const network = load(model);
    expect(network.names).toEqual({
      columns: ["sepal_length", "sepal_width", "petal_length", "petal_width"],
      target: "species",
      classes: ["setosa", "versicolor", "virginica"],
    });
    const { x, classes } = iris();
    const expected = network.predict(x);

    const numbers = await chainrule("predict", model, irisFile, "--probabilities");
    const [header, ...rows] = linesOf(numbers.out);
    expect(header).toBe("setosa,versicolor,virginica");
    expect(rows.length).toBe(150);
    expect(Float32Array.from(rows.flatMap((row) => row.split(",").map(Number)))).toEqual(expected.data);

    const names = await chainrule("predict", model, irisFile);
    expect(linesOf(names.out)).toEqual(["species", ...Array.from(network.predictClasses(x), (k) => classes[k])]);
  });

  test.each(["scg", "lm", "rprop"])(
    "%s learns a quantity with all rows in each step, without further options",
    async (optimizer) => {
      const data = path("diabetes.csv");
      await chainrule("data", "diabetes", "--output", data);
      const output = path(`${optimizer}.chainrule`);
      const options = ["--optimizer", optimizer, "--hidden", "8", "--epochs", "20", "--output", output, "--quiet"];
      const { out } = await chainrule("train", data, "--target", "progression", ...options);
      expect(Number(/R²: (.*)/.exec(out)?.[1])).toBeGreaterThan(0.3);
    },
  );

  test("the inputs are standardised by numbers found in the training rows", async () => {
    const { spec } = load(await trained("affine", irisFile, "--target", "species", "--epochs", "1"));
    const [affine] = spec.layers;
    if (affine?.type !== "standardize" || !affine.scale || !affine.shift) throw new Error("no scaling was found");
    const { scale, shift } = affine;
    const { train } = splitProblem(csvProblem(irisFile, "species", [], "float32"), 0);
    const { x } = iris();
    for (let j = 0; j < 4; j++) {
      const scaled = Array.from(train, (row) => {
        return (scale[j] as number) * (x.data[row * 4 + j] as number) + (shift[j] as number);
      });
      expect(scaled.reduce((sum, value) => sum + value, 0) / train.length).toBeCloseTo(0, 5);
      expect(scaled.reduce((sum, value) => sum + value * value, 0) / train.length).toBeCloseTo(1, 5);
    }
  });

  test("columns are found by name: another order and further columns change nothing", async () => {
    const model = await trained("order", irisFile, "--target", "species", "--epochs", "20");
    const shuffled = linesOf(irisCsv()).map((line, i) => {
      const [a, b, c, d, species] = line.split(",");
      return [species, d, i === 0 ? "remark" : "text", b, a, c].join(";");
    });
    const other = write("shuffled.csv", shuffled.join("\r\n"));
    const first = await chainrule("predict", model, irisFile);
    expect((await chainrule("predict", model, other)).out).toBe(first.out);
    expect((await chainrule("evaluate", model, other)).out).toBe((await chainrule("evaluate", model, irisFile)).out);
  });

  test("evaluate: loss, accuracy and the table of the classes agree with the library", async () => {
    const model = await trained("evaluate", irisFile, "--target", "species");
    const { loss, accuracy } = load(model).evaluate(iris().x, iris().y);
    const { out, code } = await chainrule("evaluate", model, irisFile);
    expect(code).toBe(0);
    const [rows, lossLine, accuracyLine, , header, ...classes] = linesOf(out);
    expect(rows).toBe("rows: 150");
    expect(lossLine).toBe(`loss: ${loss.toPrecision(4)}`);
    expect(accuracyLine).toBe(`accuracy: ${(100 * (accuracy ?? 0)).toFixed(1)} %`);
    expect(accuracy).toBeGreaterThan(0.93);
    expect(header).toMatch(/^class +precision +recall +support$/);
    expect(classes.map((line) => [line.split(" ")[0], line.split(" ").at(-1)])).toEqual([
      ["setosa", "50"],
      ["versicolor", "50"],
      ["virginica", "50"],
    ]);
  });

  test("--ignore leaves columns out, --hidden and --activation shape the network", async () => {
    const args = ["--target", "species", "--ignore", "sepal_length,sepal_width", "--epochs", "2"];
    const network = load(await trained("shape", irisFile, ...args, "--hidden", "7,5", "--activation", "tanh"));
    expect(network.names?.columns).toEqual(["petal_length", "petal_width"]);
    expect(network.summary()).toContain("tanh");
    expect(network.weights().map(({ W }) => W.shape)).toEqual([
      [0, 0], // the affine node
      [7, 2],
      [5, 7],
      [3, 5],
    ]);
  });
});

describe("train on a CSV file with a quantity (diabetes, 442 × 10)", () => {
  test("--keep best takes the epoch with the lowest validation loss, --keep last the last", async () => {
    const file = write("keep.csv", diabetesCsv());
    const train = (keep: string[]) =>
      chainrule("train", file, "--target", "progression", "--epochs", "60", ...keep, "-o", path("keep"));
    const epochOf = (text: string) => Number(/^weights of epoch (\d+)$/m.exec(text)?.[1]);
    const best = epochOf((await train([])).out);
    const { history } = load(path("keep"));
    const losses = history.epochs.map(({ validation }) => validation?.loss ?? Number.NaN);
    expect(best).toBe(1 + losses.indexOf(Math.min(...losses)));
    expect(best).toBeLessThan(60);
    expect(epochOf((await train(["--keep", "last"])).out)).toBe(60);
  });

  test.each(["float32", "float64"])("%s: the saved network answers in the target's unit", async (dtype) => {
    const file = write("diabetes.csv", diabetesCsv());
    const args = [file, "--target", "progression", "--dtype", dtype, "--learning-rate", "0.001"];
    const { out } = await chainrule("train", ...args, "-o", path(`diabetes-${dtype}`));
    expect(out).toMatch(/regression; rows: 283 to train, 71 to validate, 88 to test/);
    const rmse = Number(/^test root mean squared error: ([\d.]+)$/m.exec(out)?.[1]);
    expect(rmse).toBeGreaterThan(30);
    expect(rmse).toBeLessThan(70); // the deviation of the target is 77
    const network = load(path(`diabetes-${dtype}`));
    expect(network.names).toMatchObject({ target: "progression" });
    const { data } = network.predict(diabetes().x);
    const printed = linesOf((await chainrule("predict", path(`diabetes-${dtype}`), file)).out);
    expect(printed[0]).toBe("progression");
    const values = printed.slice(1).map(Number);
    expect(dtype === "float32" ? Float32Array.from(values) : Float64Array.from(values)).toEqual(data);
    const evaluated = await chainrule("evaluate", path(`diabetes-${dtype}`), file);
    expect(evaluated.out).toMatch(
      /^rows: 442\nloss: [\d.]+\nroot mean squared error: [\d.]+\nmean absolute error: .*\nR²: 0\.[3-9]/,
    );
  });
});

describe("networks without names, saved by the library", () => {
  const save = async (name: string, units: number, activation: "softmax" | "linear" | "sigmoid") => {
    const network = await Network.create({ inputs: 2, layers: [{ units, activation }] });
    return write(name, network.save());
  };
  const xy = write("xy.csv", "a,b,y\n1,2,0\n3,4,1\n");
  const x = write("x.csv", "a,b\n1,2\n3,4\n");

  test("3 softmax units: classes are 0, 1, 2; columns are taken in their order", async () => {
    const { out } = await chainrule("predict", await save("softmax", 3, "softmax"), x);
    expect(out).toMatch(/^prediction\n[012]\n[012]\n$/);
  });

  test("one sigmoid unit: classes are 0 and 1, its value is the probability of 1", async () => {
    const model = await save("sigmoid", 1, "sigmoid");
    expect((await chainrule("predict", model, x)).out).toMatch(/^prediction\n[01]\n[01]\n$/);
    expect((await chainrule("predict", model, x, "--probabilities")).out).toMatch(/^1\n0\.\d+\n0\.\d+\n$/);
    expect((await chainrule("evaluate", model, xy, "--target", "y")).out).toMatch(/^rows: 2\nloss: /);
  });

  test("2 linear units: one column per output", async () => {
    const { out } = await chainrule("predict", await save("linear", 2, "linear"), x);
    expect(out).toMatch(/^output1,output2\n-?[\d.]+,-?[\d.]+\n/);
  });

  test("evaluate needs --target, and as many columns as inputs", async () => {
    const model = await save("softmax2", 3, "softmax");
    expect(await chainrule("evaluate", model, xy)).toMatchObject({ code: 2, err: /--target COLUMN is needed/ });
    const { code, err } = await chainrule("predict", model, xy);
    expect(code).toBe(1);
    expect(err).toMatch(/xy\.csv: expected 2 input columns, got 3\n$/);
  });
});

describe("data and bench", () => {
  test("data writes the CSV that was embedded, and its source on the standard error", async () => {
    expect(await chainrule("data", "digits")).toEqual({
      code: 0,
      out: digitsCsv(),
      err: expect.stringMatching(/^Optical Recognition .* CC BY 4\.0\. .*\n$/),
    });
    await chainrule("data", "iris", "-o", path("copy.csv"));
    expect(readFileSync(path("copy.csv"), "utf8")).toBe(irisCsv());
  });

  test("bench prints a line per core", async () => {
    const { code, out } = await chainrule("bench", "--hidden", "8");
    expect(code).toBe(0);
    expect(out).toMatch(/^digits, network 64-8-10, 1 797 rows, batch 32, float32$/m);
    expect(out).toMatch(/^simd +[\d ]+ {2}\d+\.\d$/m);
    expect(out).toMatch(/^js +[\d ]+ {2}1\.0$/m);
  });
});
