// What the adapters of other libraries share. Their random numbers come from Math.random: for the table it is replaced by a seeded
// generator while one of them learns, so that a run can be repeated.
import { draws } from "../rows.mjs";

/** A run ends here even where epochs are left: some would take hours. */
export const RUN_SECONDS = 10;

export function seedRandom(seed) {
  const { random } = Math;
  const draw = draws(seed + 1);
  for (let i = 0; i < 10; i++) draw(); // the generator's first numbers follow its seed
  Math.random = draw;
  return () => {
    Math.random = random;
  };
}

/** Between the range of `values` and 0 … 1. */
export function span(values) {
  const min = Math.min(...values);
  const range = Math.max(...values) - min || 1;
  return { to: (value) => (value - min) / range, back: (value) => value * range + min };
}

export const argmax = (values) => values.reduce((best, value, i) => (value > values[best] ? i : best), 0);
