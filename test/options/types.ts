// Compiled, never run, by types.test.ts: every line under @ts-expect-error must be an error, every other line none.
// The compilation has no DOM library and no Node types.
import type { Matrix, Rows, Targets } from "../../src/data/rows.ts";
import type { Activation } from "../../src/options/activation.ts";
import type { AbortSignalLike, FitOptions } from "../../src/options/fit.ts";
import type { Initializer } from "../../src/options/initializer.ts";
import type { NetworkOptions } from "../../src/options/network.ts";
import type { Optimizer, ResolvedOptimizer } from "../../src/options/optimizer.ts";
import type { LayerWeights, LayerWeightsLike } from "../../src/options/results.ts";
import type { KeptSpec, NetworkSpec } from "../../src/options/spec.ts";

const spec = (_: NetworkSpec) => {};
const network = (_: NetworkOptions) => {};
const fitWith = (_: FitOptions) => {};
const optimizer = (_: Optimizer) => {};
const rows = (_: Rows) => {};
const targets = (_: Targets) => {};

spec({ inputs: 2, layers: [{ units: 3, activation: "tanh", bias: false, trainable: "weights" }, { units: 1 }] });
spec({
  inputs: 1,
  layers: [
    { type: "affine", scale: [1], shift: new Float64Array(1) },
    { type: "dense", units: 1 },
  ],
});
spec({ inputs: 1, layers: [{ units: 1, init: [[1]], biasInit: [1], activation: { type: "leakyRelu", alpha: 0.1 } }] });
spec({
  inputs: 1,
  layers: [{ units: 1, init: { type: "uniform", epsilon: 1 }, biasInit: { type: "constant", value: 1 } }],
});
// @ts-expect-error a wrong name
spec({ inputs: 2, layers: [{ units: 3, activaton: "tanh" }] });
// @ts-expect-error a wrong name one level up
spec({ inputs: 2, layers: [{ units: 3 }], los: "squaredError" });
// @ts-expect-error an option of another kind of layer
spec({ inputs: 2, layers: [{ units: 3, scale: [1, 1] }] });
// @ts-expect-error an option of another kind of layer
spec({ inputs: 2, layers: [{ type: "affine", scale: [1, 1], shift: [0, 0], units: 3 }] });
// @ts-expect-error a wrong activation
spec({ inputs: 2, layers: [{ units: 3, activation: "softMax" }] });
// @ts-expect-error a slope where none is
spec({ inputs: 2, layers: [{ units: 3, activation: { type: "relu", alpha: 1 } }] });
// @ts-expect-error units are missing
spec({ inputs: 2, layers: [{ activation: "relu" }] });
// @ts-expect-error a wrong loss
spec({ inputs: 2, layers: [{ units: 1 }], loss: "mse" });
// @ts-expect-error epsilon is missing
spec({ inputs: 2, layers: [{ units: 1, init: { type: "uniform" } }] });
// @ts-expect-error flat initial weights
spec({ inputs: 2, layers: [{ units: 1, init: [1, 2] }] });
// @ts-expect-error rows as initial biases
spec({ inputs: 2, layers: [{ units: 1, biasInit: [[1]] }] });

network({ seed: 1, dtype: "float64", core: "js" });
// @ts-expect-error a wrong name
network({ sed: 1 });
// @ts-expect-error a wrong value
network({ dtype: "float16" });

fitWith({
  epochs: 1,
  batchSize: "full",
  optimizer: "adam",
  shuffle: false,
  validation: 0.2,
  maxSteps: 3,
  maxSeconds: 1,
});
fitWith({ validation: { x: [[1]], y: [0] }, onEpoch: ({ epoch, loss }) => epoch + loss });
fitWith({ onEpoch: async () => {} });
// @ts-expect-error a wrong name
fitWith({ learningRate: 1 });
// @ts-expect-error a wrong name in what is nested
fitWith({ optimizer: { type: "sgd", learninRate: 1 } });
// @ts-expect-error an option of another optimizer
fitWith({ optimizer: { type: "sgd", momentum: 0.9 } });
// @ts-expect-error targets are missing
fitWith({ validation: { x: [[1]] } });
fitWith({ earlyStopping: {}, goal: 0.1, schedule: { type: "cosine", length: { epochs: 5 }, restarts: {} } });
fitWith({ earlyStopping: true, schedule: ({ step, epoch }) => 0.1 / (1 + step + epoch) });
// @ts-expect-error not in this version
fitWith({ shards: 2 });
// @ts-expect-error no length
fitWith({ schedule: { type: "cosine" } });
// @ts-expect-error a wrong word
fitWith({ batchSize: "all" });
// @ts-expect-error no type
optimizer({ learningRate: 1 });

rows([[1, 2]]);
rows([new Float32Array(2), new Uint8Array(2)]);
rows({ data: new Float32Array(2), shape: [1, 2] });
targets([1, 2]);
targets(new Int32Array(2));
// @ts-expect-error a flat array is not rows
rows([1, 2]);
// @ts-expect-error data must be a typed array of reals
rows({ data: [1, 2], shape: [1, 2] });

// What comes back goes in again.
declare const kept: KeptSpec;
declare const last: ResolvedOptimizer;
declare const weights: LayerWeights[];
declare const matrix: Matrix;
spec(kept);
optimizer(last);
const like: LayerWeightsLike[] = weights;
const init: Initializer = matrix;
const activation: Activation = { type: "tanh" };

// The signal of a DOM library and of Node has this much.
declare const signal: {
  readonly aborted: boolean;
  // biome-ignore lint/suspicious/noExplicitAny: as the libraries declare it
  readonly reason: any;
  addEventListener(type: string, listener: ((event: object) => void) | null, options?: boolean | object): void;
  removeEventListener(type: string, listener: ((event: object) => void) | null, options?: boolean | object): void;
};
const accepted: AbortSignalLike = signal;

export { accepted, activation, init, like };
