import { type Dataset, numbersBeforeLast, parsePlainCsv } from "./dataset.ts";
import { IRIS } from "./iris-data.ts";

/** 150 irises: `x` [150 × 4], lengths and widths of sepal and petal in cm; `y` the species, 50 of each of three. */
export function iris(): Dataset<Float64Array, Int32Array> {
  const { header, rows } = parsePlainCsv(IRIS);
  const species = rows.map((row) => row.at(-1) ?? "");
  const classes = [...new Set(species)].sort();
  return {
    x: numbersBeforeLast(rows),
    y: Int32Array.from(species, (name) => classes.indexOf(name)),
    columns: header.slice(0, -1),
    classes,
    target: header.at(-1) ?? "",
    source:
      "Iris. R. A. Fisher, The use of multiple measurements in taxonomic problems, Annals of Eugenics 7, 1936; UCI " +
      "Machine Learning Repository. CC BY 4.0. Values as in scikit-learn 1.2.1 (BSD-3-Clause).",
  };
}

/** The set as CSV with a header row. */
export const irisCsv = (): string => IRIS;
