// Public names and types, nothing else.

export { type CoreInput, type CoreSources, initSync } from "./core/instantiate.ts";
export { type DivergedQuantity, DivergenceError } from "./errors.ts";
export { type CheckOptions, Network, type PredictOptions } from "./network.ts";
export type { Names } from "./options/names.ts";
export type * from "./options.ts";
