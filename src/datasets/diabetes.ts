import { type Dataset, numbersBeforeLast, parsePlainCsv } from "./dataset.ts";
import { DIABETES } from "./diabetes-data.ts";

/**
 * 442 diabetes patients: `x` [442 × 10], age, sex, body mass index, blood pressure and six blood serum measurements,
 * in raw units; `y` a measure of the disease's progression after one year, 25…346.
 */
export function diabetes(): Dataset<Float64Array, Float64Array> {
  const { header, rows } = parsePlainCsv(DIABETES);
  return {
    x: numbersBeforeLast(rows),
    y: Float64Array.from(rows, (row) => Number(row.at(-1))),
    columns: header.slice(0, -1),
    classes: [],
    target: header.at(-1) ?? "",
    source:
      "Diabetes. B. Efron, T. Hastie, I. Johnstone, R. Tibshirani, Least Angle Regression, Annals of Statistics 32, " +
      "2004. Values as in scikit-learn 1.2.1 (BSD-3-Clause).",
  };
}

/** The set as CSV with a header row. */
export const diabetesCsv = (): string => DIABETES;
