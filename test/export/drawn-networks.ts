// Trained networks with every kind of layer and every activation, for what has to predict as `Network` does.
import { type ActivationName, type DType, type LayerSpec, Network, type NetworkSpec } from "../../src/index.ts";
import { ACTIVATIONS } from "../../src/options/activation.ts";
import { drawRows, drawsFrom } from "../draws.ts";

export const DTYPES: readonly DType[] = ["float32", "float64"];

/** Through every kind of layer; `activation` wherever one can stand. */
function deep(activation: ActivationName): LayerSpec[] {
  return [
    { type: "standardize" },
    { units: 7, activation },
    { type: "batchNormalization", activation },
    { type: "dropout", rate: 0.25 },
    { units: 9, activation, bias: false },
    { type: "layerNormalization", activation },
    { type: "gaussianNoise", deviation: 0.1 },
  ];
}

const SHIFTED: LayerSpec = { type: "affine", scale: [3, -0.1, 1e-3, 7, 2], shift: [0.3, 1, -1, 0, 0.1] };

export const SPECS: Record<string, NetworkSpec> = {
  ...Object.fromEntries(
    ACTIVATIONS.filter((name) => name !== "softmax").map((name) => [
      name,
      { inputs: 5, layers: [...deep(name), { units: 3, activation: "softmax" }] },
    ]),
  ),
  "scaled targets": {
    inputs: 5,
    layers: [{ type: "robust" }, { units: 33, activation: "tanh" }, { units: 3 }],
    targetScaling: "standardize",
  },
  "minMax and tanh": {
    inputs: 5,
    layers: [{ type: "minMax" }, { units: 4, activation: "relu" }, { units: 3, activation: "tanh" }],
    targetScaling: "minMax",
    loss: "huber",
  },
  "affine layers and one layer": {
    inputs: 5,
    layers: [SHIFTED, SHIFTED, { units: 3, activation: { type: "elu", alpha: 0.3 } }],
  },
  "one unit after another": {
    inputs: 5,
    layers: [{ units: 1, activation: { type: "leakyRelu", alpha: 0.2 } }, { units: 1 }, { units: 3 }],
  },
  "sigmoids within and beyond their table": {
    inputs: 5,
    layers: [
      { type: "affine", scale: [20, -15, 8, 30, 11], shift: [0, 0, 0, 0, 0] },
      { units: 10, activation: "sigmoid" },
      { units: 7, activation: "silu", biasInit: [-30, -16, 0, 15, 17, 30, 60] },
      { units: 3 },
    ],
  },
  "no kernel's multiple": {
    inputs: 5,
    layers: [{ units: 257, activation: "relu" }, { units: 131, bias: false }, { units: 3 }],
  },
};

/** Trained for two epochs on 48 drawn rows. */
export function trained(spec: NetworkSpec, dtype: DType, seed = 3): Network {
  const draw = drawsFrom(seed);
  const network = Network.createSync(spec, { dtype, seed });
  const x = drawRows(draw, 48, spec.inputs, 3);
  const classes = x.map(() => Math.floor(draw() * network.outputs));
  const targets = drawRows(draw, 48, network.outputs, spec.targetScaling ? 40 : 1);
  const y = network.spec.loss === "crossEntropy" ? classes : targets;
  network.fitSync(x, y, { epochs: 2, optimizer: "adam", batchSize: 16 });
  return network;
}

/** Rows of a Matrix in the network's dtype. */
export function matrix(network: Network, rows: number, seed = 9) {
  const values = drawRows(drawsFrom(seed), rows, network.inputs, 4).flat();
  const data = network.dtype === "float32" ? Float32Array.from(values) : Float64Array.from(values);
  return { data, shape: [rows, network.inputs] as [number, number] };
}

/** Its bits, all NaNs alike. */
export function bits(values: Float32Array | Float64Array): string {
  const copy = values.map((value) => (Number.isNaN(value) ? Number.NaN : value));
  return Buffer.from(copy.buffer, copy.byteOffset, copy.byteLength).toString("hex");
}
