// Data for tests: the same numbers in every run, from a seed (mulberry32).

/** Gives numbers in [0, 1), one per call. */
export function drawsFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** [count][cols] numbers in [−scale, scale). */
export function drawRows(draw: () => number, count: number, cols: number, scale: number): number[][] {
  return Array.from({ length: count }, () => Array.from({ length: cols }, () => (2 * draw() - 1) * scale));
}
