export type { Dataset } from "./dataset.ts";
export { diabetes, diabetesCsv } from "./diabetes.ts";
export { digits, digitsCsv } from "./digits.ts";
export { iris, irisCsv } from "./iris.ts";
