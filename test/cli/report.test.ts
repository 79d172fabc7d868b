import { describe, expect, test } from "vitest";
import { lossChart } from "../../src/cli/chart.ts";
import { aligned, clock, grouped, percent, shortest, significant } from "../../src/cli/format.ts";
import { classificationMeasures, classTable, regressionLines, regressionMeasures } from "../../src/cli/measures.ts";
import { type Progress, ProgressLine } from "../../src/cli/progress.ts";
import { recorder } from "./recorder.ts";

describe("numbers as text", () => {
  test("grouped, percent, significant, clock", () => {
    expect([0, 999, 1000, 1234567.8].map(grouped)).toEqual(["0", "999", "1 000", "1 234 568"]);
    expect([0, 0.9722, 1].map(percent)).toEqual(["0.0 %", "97.2 %", "100.0 %"]);
    expect([2.30251, 0.0123456, 12].map(significant)).toEqual(["2.303", "0.01235", "12.00"]);
    expect([0, 0.2, 61, 3661, Number.NaN].map(clock)).toEqual(["0:00", "0:01", "1:01", "1:01:01", "-:--"]);
  });

  test("1000 float32 and float64 values are written so that they read back as the same value", () => {
    let bits = 1;
    for (let i = 0; i < 1000; i++) {
      bits = (Math.imul(bits, 1664525) + 1013904223) >>> 0;
      const value = (bits / 2 ** 32 - 0.5) * 10 ** ((i % 40) - 20);
      const single = Math.fround(value);
      expect(Math.fround(Number(shortest(single, true)))).toBe(single);
      expect(Number(shortest(value, false))).toBe(value);
    }
    expect(shortest(Math.fround(0.1), true)).toBe("0.1");
    expect(shortest(0, true)).toBe("0");
  });

  test("a table has aligned columns and no control characters", () => {
    expect(
      aligned([
        ["a", "1"],
        ["bbb\u001b[31m", "1000"],
      ]),
    ).toBe("a            1\nbbb [31m  1000\n");
  });
});

describe("the progress line", () => {
  const progress = (epoch: number): Progress => ({
    epoch,
    loss: 0.5 / epoch,
    validation: { loss: 0.25, penalty: 0, accuracy: 0.975 },
    samplesPerSecond: 1234567,
  });
  const show = (epochs: number, terminal: ReturnType<typeof recorder>["terminal"], milliseconds = 100) => {
    let time = 0;
    const line = new ProgressLine(terminal, epochs, () => time);
    for (let epoch = 1; epoch <= epochs; epoch++) {
      time += milliseconds;
      line.show(progress(epoch));
    }
    line.end();
    line.end();
  };

  test("on a terminal of 80 columns it is one line, rewritten, with everything that is asked for", () => {
    const { terminal, written } = recorder({ isTTY: true, columns: 80 });
    show(100, terminal);
    const drawn = written.out.split("\r\u001b[2K").slice(1);
    expect(drawn.length).toBe(101);
    expect(drawn[49]).toBe("epoch  50/100  0:05 left  loss 0.01000  validation  97.5 %  1 234 567 samples/s");
    for (const text of drawn) expect(text.trimEnd().length).toBeLessThan(80);
    expect(written.out.match(/\n/g)?.length).toBe(1);
    expect(written.out.endsWith("\n")).toBe(true);
  });

  test("on a terminal of 40 columns it is cut and never wraps", () => {
    const { terminal, written } = recorder({ isTTY: true, columns: 40 });
    show(5, terminal);
    for (const text of written.out.split("\r\u001b[2K").slice(1)) expect(text.trimEnd().length).toBeLessThan(40);
  });

  test("1000 epochs of 1 ms are drawn at most every 50 ms, the last one always", () => {
    const { terminal, written } = recorder({ isTTY: true, columns: 80 });
    show(1000, terminal, 1);
    expect(written.out.split("\r").length).toBeLessThan(25);
    expect(written.out).toMatch(/epoch 1000\/1000 [^\r]*\n$/);
  });

  test.each([
    ["a pipe", { columns: 80 }],
    ["NO_COLOR", { isTTY: true, columns: 80, env: { NO_COLOR: "1" } }],
    ["a dumb terminal", { isTTY: true, columns: 80, env: { TERM: "dumb" } }],
  ])("%s: about ten plain lines without control characters, the first and the last epoch among them", (_, options) => {
    const { terminal, written } = recorder(options);
    show(95, terminal);
    expect(written.out).toMatch(/^[^\p{Cc}]*(\n[^\p{Cc}]*)*$/u);
    const epochs = [...written.out.matchAll(/^epoch +(\d+)\/95 /gm)].map((match) => Number(match[1]));
    expect(epochs).toEqual([1, 10, 20, 30, 40, 50, 60, 70, 80, 90, 95]);
  });

  test("an empty NO_COLOR is no NO_COLOR", () => {
    const { terminal, written } = recorder({ isTTY: true, env: { NO_COLOR: "" } });
    show(2, terminal);
    expect(written.out).toContain("\r");
  });
});

describe("the loss curve", () => {
  const curve = (n: number, floor: number) => Array.from({ length: n }, (_, i) => 2.3 * 0.9 ** i + floor);
  const draw = (n: number, width: number, colour = false) =>
    lossChart(
      [
        { name: "training", values: curve(n, 0.001) },
        { name: "validation", values: curve(n, 0.1) },
      ],
      width,
      colour,
    );

  test.each([
    [2, 79],
    [60, 40],
    [100, 79],
    [5000, 119],
  ])("%i epochs fit into %i columns and 16 lines, without gaps", (epochs, width) => {
    const lines = draw(epochs, width).trimEnd().split("\n");
    expect(lines.length).toBeLessThanOrEqual(16);
    for (const line of lines) expect(line.length, line).toBeLessThanOrEqual(width);
    expect(lines[0]).toBe("loss by epoch  ● training  ○ validation");
    // Every column of the drawing from the axis on holds a mark.
    const left = (lines[1] as string).indexOf("▲") + 1;
    const right = Math.max(...lines.slice(2, -2).map((line) => line.length));
    for (let i = left; i < right; i++) expect(lines.some((line) => "●○".includes(line[i] ?? " "))).toBe(true);
  });

  test("the highest loss is at the top left, the lowest at the bottom right, on a logarithmic axis", () => {
    const lines = draw(100, 79).trimEnd().split("\n").slice(2, -2);
    expect(lines[0]).toMatch(/^ *│[●○]/);
    expect(lines.at(-1)).toMatch(/●$/);
    const labels = lines.map((line) => /^ *([\d.]+)┤/.exec(line)?.[1]).filter((label) => label !== undefined);
    expect(labels).toEqual(["1", "0.1", "0.01"]);
  });

  test("colours only when asked for", () => {
    expect(draw(100, 79)).not.toContain("\u001b");
    expect(draw(100, 79, true)).toContain("\u001b[36m●\u001b[0m");
  });

  test("no chart of one epoch, of a zero or infinite loss, or of a constant", () => {
    const one = (...values: number[]) => lossChart([{ name: "training", values }], 79, false);
    expect([one(1), one(1, 0), one(1, Number.POSITIVE_INFINITY), one(0.3, 0.3, 0.3)]).toEqual(["", "", "", ""]);
  });
});

describe("measures", () => {
  test("6 rows of 4 classes: accuracy, precision, recall and support, by hand", () => {
    const measures = classificationMeasures(Int32Array.of(0, 0, 1, 1, 1, 0), Int32Array.of(0, 1, 1, 1, 2, 0), [
      "a",
      "b",
      "c",
      "d",
    ]);
    expect(measures.accuracy).toBe(4 / 6);
    expect(measures.classes).toEqual([
      { name: "a", precision: 2 / 3, recall: 1, support: 2 },
      { name: "b", precision: 2 / 3, recall: 2 / 3, support: 3 },
      { name: "c", precision: undefined, recall: 0, support: 1 },
      { name: "d", precision: undefined, recall: undefined, support: 0 },
    ]);
    expect(classTable(measures).split("\n")).toEqual([
      "class  precision   recall  support",
      "a         66.7 %  100.0 %        2",
      "b         66.7 %   66.7 %        3",
      "c              -    0.0 %        1",
      "d              -        -        0",
      "",
    ]);
  });

  test("4 values: root mean squared error, mean absolute error and R², by hand", () => {
    const predicted = { data: Float32Array.of(1, 2, 3, 6), shape: [4, 1] as const };
    const measures = regressionMeasures(predicted, Float64Array.of(1, 2, 3, 4));
    expect(measures).toEqual({ rmse: 1, mae: 0.5, r2: 1 - 4 / 5 });
    expect(regressionLines(measures, "test")).toBe(
      "test root mean squared error: 1.000\ntest mean absolute error: 0.5000\ntest R²: 0.200\n",
    );
    expect(regressionMeasures(predicted, Float64Array.of(1, 1, 1, 1)).r2).toBeUndefined();
  });
});
