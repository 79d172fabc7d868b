import type { Dataset } from "./dataset.ts";
import { DIGITS } from "./digits-data.ts";

const SIDE = 8;
const PIXELS = SIDE * SIDE;

/**
 * 1797 handwritten digits as images of 8×8 grey levels 0…16: `x` [1797 × 64], row-major, column `p<row><col>`;
 * `y` the digit, 0…9.
 */
export function digits(): Dataset<Float32Array, Int32Array> {
  const lines = DIGITS.trimEnd().split("\n");
  const data = new Float32Array(lines.length * PIXELS);
  const y = new Int32Array(lines.length);
  lines.forEach((line, row) => {
    for (let i = 0; i < PIXELS; i++) data[row * PIXELS + i] = Number.parseInt(line.charAt(i), 17);
    y[row] = Number(line.charAt(PIXELS));
  });
  return {
    x: { data, shape: [lines.length, PIXELS] },
    y,
    columns: Array.from({ length: PIXELS }, (_, i) => `p${Math.floor(i / SIDE)}${i % SIDE}`),
    classes: Array.from({ length: 10 }, (_, digit) => String(digit)),
    target: "digit",
    source:
      "Optical Recognition of Handwritten Digits, test part. E. Alpaydin, C. Kaynak, UCI Machine Learning Repository, " +
      "1998. CC BY 4.0. Values as in scikit-learn 1.2.1 (BSD-3-Clause).",
  };
}

/** The set as CSV with a header row. */
export function digitsCsv(): string {
  const { x, y, columns, target } = digits();
  const lines = [[...columns, target].join(",")];
  for (let row = 0; row < y.length; row++) {
    lines.push(`${x.data.subarray(row * PIXELS, (row + 1) * PIXELS).join(",")},${y[row]}`);
  }
  return `${lines.join("\n")}\n`;
}
