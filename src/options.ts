// Everything a user may pass besides data, and everything that comes back besides arrays: types, defaults, checks.
export type { Matrix, Rows, Targets } from "./data/rows.ts";
export * from "./options/defaults.ts";
export * from "./options/fit.ts";
export * from "./options/initializer.ts";
export * from "./options/names.ts";
export * from "./options/network.ts";
export * from "./options/optimizer.ts";
export * from "./options/results.ts";
export * from "./options/spec.ts";
