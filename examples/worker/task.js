// What the Worker trains: whether a point lies inside a circle. A real one would read its samples from storage; they have
// to be the same in every request, or `fit` begins a new epoch with the new ones.
export const SPEC = {
  inputs: 2,
  layers: [
    { units: 16, activation: "tanh" },
    { units: 1, activation: "sigmoid" },
  ],
};
export const SEED = 7;
export const OPTIONS = { batchSize: 16, optimizer: { type: "adam", learningRate: 0.1 } };

const SIDE = 15;
/** [225 × 2]: a grid over −1…1. */
export const x = Array.from({ length: SIDE * SIDE }, (_, i) => [
  (2 * (i % SIDE)) / (SIDE - 1) - 1,
  (2 * Math.floor(i / SIDE)) / (SIDE - 1) - 1,
]);
/** [225]: 1 inside. */
export const y = x.map(([across, up]) => Number(across * across + up * up < 0.5));
