// What the bench measures. A row: { what, dtype, shape, batch, quick, make(core) } with make giving { run, flops?, samples?,
// elements? } of one call; dtype f32 or f64, core simd or relaxed (kernels: also for the step rows, through the API).
import { Network } from "../dist/index.js";
import { kernels } from "./cores.mjs";
import { plainNetwork } from "./plain.mjs";
import { genericNetwork, network231 } from "./plain-online.mjs";

const roundUp = (n, multiple) => Math.ceil(n / multiple) * multiple;
const dtypeOf = { f32: "float32", f64: "float64" };

/** [0, 1) by a linear congruential generator: the same data in every run. */
export function draws(seed) {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

// ── Products ───────────────────────────────────────────────────────────────────────────────────

/** Operands of all products of one shape, laid out as the library does. */
function operands(dtype, core, nOut, nIn, batch) {
  const k = kernels(dtype, core, 32 * (nOut + 8) * (nIn + 64) + 64 * (batch + 8) * (nOut + nIn + 64));
  const tile = 32 / k.size;
  let pitch = roundUp(nIn, tile);
  if ((pitch * k.size) % 1024 === 0) pitch += 64 / k.size;
  const panels = Math.ceil(batch / 8);
  const lanes = roundUp(batch, 8);
  return {
    ...k,
    pitch,
    panels,
    W: k.take(nOut * pitch),
    dW: k.take(nOut * pitch),
    b: k.take(roundUp(nOut, tile)),
    a: k.take(lanes * roundUp(nIn, tile)),
    z: k.take(lanes * roundUp(nOut, tile)),
    delta: k.take(lanes * roundUp(nOut, tile)),
    below: k.take(lanes * roundUp(nIn, tile)),
    packD: k.take(nOut * lanes),
    packA: k.take(roundUp(nIn, tile) * batch),
    packW: k.take(8 * roundUp(nOut, 4)),
  };
}

const PRODUCTS = {
  forward: (m, nOut, nIn, batch) => {
    const { exports: e, z, a, W, b, pitch, panels } = m;
    if (batch === 1) return () => e.forwardVector(z, a, W, b, nOut, nIn, pitch, 0, nOut);
    return () => e.forwardPanels(z, a, W, b, nOut, nIn, pitch, panels, 0, nOut, false);
  },
  delta: (m, nOut, nIn, batch) => {
    const { exports: e, below, delta, W, packW, pitch, panels } = m;
    if (batch === 1) return () => e.deltaVector(below, delta, W, nOut, nIn, pitch);
    return () => e.deltaPanels(below, delta, W, packW, nOut, nIn, pitch, panels, 0, nIn, 0);
  },
  gradient: (m, nOut, nIn, batch) => {
    const { exports: e, dW, delta, a, packD, packA, pitch } = m;
    if (batch === 1) return () => e.gradientVector(dW, delta, a, nOut, nIn, pitch);
    return () => {
      e.packDeltas(packD, delta, nOut, batch);
      e.packActivations(packA, a, nIn, batch);
      e.gradientPanels(dW, packD, packA, nOut, nIn, pitch, batch, false, 0, nOut);
    };
  },
  update: (m, nOut, nIn, batch) => {
    const { exports: e, W, delta, a, packD, packA, pitch } = m;
    // A rate that leaves the weights where they are: they must not grow over millions of calls.
    if (batch === 1) return () => e.updateVector(W, delta, a, 1e-30, nOut, nIn, pitch);
    return () => {
      e.packDeltas(packD, delta, nOut, batch);
      e.packActivations(packA, a, nIn, batch);
      e.gradientPanelsUpdate(W, 1e-30, packD, packA, nOut, nIn, pitch, batch, 0, nOut);
    };
  },
};

function productRows() {
  const rows = [];
  const shapes = [
    [64, 64],
    [128, 784],
    [256, 512],
    [1024, 1024],
    [10, 128],
  ];
  const wide = [
    [2048, 2048],
    [4096, 4096],
  ];
  for (const dtype of ["f32", "f64"]) {
    for (const [nOut, nIn] of dtype === "f32" ? [...shapes, ...wide] : shapes) {
      for (const batch of nIn < 2048 ? [1, 16, 32, 128] : [128]) {
        for (const [what, product] of Object.entries(PRODUCTS)) {
          rows.push({
            what,
            dtype,
            shape: `${nOut}×${nIn}`,
            batch,
            quick: dtype === "f32" && batch === 32 && nOut === 128,
            make: (core) => ({
              run: product(operands(dtype, core, nOut, nIn, batch), nOut, nIn, batch),
              flops: 2 * nOut * nIn * batch,
            }),
          });
        }
      }
    }
  }
  return rows;
}

// ── Element-wise ───────────────────────────────────────────────────────────────────────────────

function elementRows() {
  const rows = [];
  const count = 4096;
  for (const dtype of ["f32", "f64"]) {
    for (const [what, name] of Object.entries({
      exp: "mapExp",
      tanh: "mapTanh",
      log: "mapLog",
      sigmoid: "mapSigmoid",
    })) {
      rows.push({
        what,
        dtype,
        shape: String(count),
        batch: 1,
        quick: what === "exp",
        make: (core) => {
          const k = kernels(dtype, core, 16 * count * 8);
          const [dst, src] = [k.take(count), k.take(count)];
          return { run: () => k.exports[name](dst, src, count), elements: count };
        },
      });
    }
    rows.push({
      what: "softmax",
      dtype,
      shape: "10",
      batch: 128,
      quick: false,
      make: (core) => {
        const k = kernels(dtype, core, 2 ** 20);
        const [a, z, max, sum] = [k.take(1280), k.take(1280), k.take(128), k.take(128)];
        return { run: () => k.exports.softmaxPanels(a, z, max, sum, 10, 16), elements: 1280 };
      },
    });
    rows.push({
      what: "gather",
      dtype,
      shape: "784",
      batch: 32,
      quick: true,
      make: (core) => {
        const all = 4096;
        const k = kernels(dtype, core, all * 784 * 8 + 2 ** 20);
        const [x, panels, order] = [k.take(all * 784), k.take(32 * 784), k.order(32, all)];
        return { run: () => k.exports.gatherRows(panels, x, 784, 784, order, 0, 32), elements: 32 * 784 };
      },
    });
  }
  return rows;
}

// ── Through the public API ─────────────────────────────────────────────────────────────────────

/** Forward and gradient of all layers, delta of all but the first; 2 flops a multiply-add. */
const flopsPerSample = (sizes) =>
  sizes.slice(1).reduce((sum, units, l) => sum + (l === 0 ? 4 : 6) * units * sizes[l], 0);

/** Epochs of a call: as in use, what a call does once (check and copy of the data, a snapshot) counts little. */
const EPOCHS = 10;

/** Tiny networks are the founding documents': logistic units and ½·Σ error², rows in the given order. */
const isTiny = (sizes) => sizes[0] <= 2;

/** Losses of rows of numbers in [0, 1), by name, and the outputs that go with them. */
const OUTPUTS = { meanSquaredError: "linear", binaryCrossEntropy: "sigmoid" };

function specOf(sizes, loss = isTiny(sizes) ? "squaredError" : undefined) {
  const last = sizes.length - 2;
  const layers = sizes.slice(1).map((units, l) => {
    if (l < last) return { units, activation: sizes[0] < 10 ? "sigmoid" : "relu" };
    return { units, activation: OUTPUTS[loss] ?? (units <= 2 ? "sigmoid" : "softmax") };
  });
  return { inputs: sizes[0], layers, ...(loss ? { loss } : {}) };
}

function trainingData(sizes, rows, Reals, loss) {
  const draw = draws(1);
  const [inputs, outputs] = [sizes[0], sizes.at(-1)];
  const x = { data: Reals.from({ length: rows * inputs }, draw), shape: [rows, inputs] };
  if (loss) return { x, y: { data: Reals.from({ length: rows * outputs }, draw), shape: [rows, outputs] } };
  if (outputs > 2) return { x, y: Int32Array.from({ length: rows }, () => Math.floor(draw() * outputs)) };
  return {
    x,
    y: { data: Reals.from({ length: rows * outputs }, () => (draw() < 0.5 ? 0 : 1)), shape: [rows, outputs] },
  };
}

const STEPS = [
  { sizes: [2, 2, 2], batch: 1, dtypes: ["f64", "f32"] },
  { sizes: [2, 3, 1], batch: 1, dtypes: ["f64", "f32"] },
  { sizes: [4, 16, 3], batch: 16, optimizers: ["adam"] },
  { sizes: [64, 64, 10], batch: 32, quick: true },
  { sizes: [64, 64, 64, 10], batch: 32 },
  { sizes: [784, 128, 10], batch: 1 },
  { sizes: [784, 128, 10], batch: 32, quick: true, dtypes: ["f32", "f64"] },
  { sizes: [784, 512, 256, 10], batch: 128, optimizers: ["sgd", "momentum", "adam"] },
  { sizes: [1024, 1024, 1024, 10], batch: 256 },
  { sizes: [2048, 2048, 10], batch: 128 },
  { sizes: [33, 97, 130, 7], batch: 31 },
  { sizes: [32, 96, 128, 8], batch: 32 },
  { sizes: [784, 128, 784], batch: 32, loss: "meanSquaredError" },
  { sizes: [784, 128, 784], batch: 32, loss: "binaryCrossEntropy" },
];

/**
 * Steps of an epoch: some 20 Mflop, at most 2000 steps, which stay in a cache, and at least 16, as data have more than a few batches and
 * what an epoch does once, a snapshot of the weights, is no step; fewer where these take long.
 */
function stepsOf(flops, core) {
  const least = core === "js" ? 2 : Math.max(2, Math.min(16, Math.floor(5e9 / flops)));
  return Math.max(least, Math.min(2000, Math.floor(2e7 / flops)));
}

function stepRows() {
  const rows = [];
  for (const { sizes, batch, dtypes = ["f32"], optimizers = ["sgd"], loss, quick = false } of STEPS) {
    for (const dtype of dtypes) {
      for (const optimizer of optimizers) {
        const Reals = dtype === "f32" ? Float32Array : Float64Array;
        const flops = flopsPerSample(sizes) * batch;
        rows.push({
          what: loss ? `step ${optimizer} ${loss}` : `step ${optimizer}`,
          dtype,
          shape: sizes.join("-"),
          batch,
          quick,
          compare: true,
          make: (core) => {
            const network = Network.createSync(specOf(sizes, loss), { dtype: dtypeOf[dtype], core });
            const N = batch * stepsOf(flops, core);
            const { x, y } = trainingData(sizes, N, Reals, loss);
            // Two where an epoch takes long: the bench has to end.
            const long = 4e9 / (N * flopsPerSample(sizes));
            const epochs = core === "js" ? 1 : Math.max(2, Math.min(EPOCHS, Math.round(long)));
            const options = { batchSize: batch, epochs, optimizer: { type: optimizer, learningRate: 1e-5 } };
            const samples = epochs * N;
            const run = () => void network.fitSync(x, y, { ...options, shuffle: !isTiny(sizes) });
            return { run, flops: samples * flopsPerSample(sizes), samples };
          },
          plain: optimizer === "sgd" && !loss ? plainOf(sizes, batch, dtype) : undefined,
          special:
            dtype === "f64" && sizes.join("-") === "2-3-1" ? () => onlineRun(network231(draws(2)), sizes) : undefined,
        });
      }
    }
  }
  return rows;
}

/** The same step in plain JavaScript: register-blocked f32 for batches, the loop for any sizes in f64 for tiny networks. */
function plainOf(sizes, batch, dtype) {
  if (isTiny(sizes)) return dtype === "f64" ? () => onlineRun(genericNetwork(sizes, draws(2)), sizes) : undefined;
  if (dtype !== "f32") return undefined;
  return () => {
    const network = plainNetwork(sizes, draws(2));
    const { x, y } = trainingData(sizes, batch, Float32Array);
    return { run: () => void network.step(x.data, y, batch, 1e-5), samples: batch };
  };
}

function onlineRun(train, sizes) {
  const samples = 2000;
  const { x, y } = trainingData(sizes, samples, Float64Array);
  return { run: () => void train(x.data, y.data, samples, 1e-5), samples };
}

function useRows() {
  const rows = [];
  for (const sizes of [
    [64, 64, 10],
    [784, 128, 10],
  ]) {
    const flops = sizes.slice(1).reduce((sum, units, l) => sum + 2 * units * sizes[l], 0);
    for (const batch of [1, 256]) {
      rows.push({
        what: "predict",
        dtype: "f32",
        shape: sizes.join("-"),
        batch,
        quick: sizes[0] === 64,
        make: (core) => {
          const network = Network.createSync(specOf(sizes), { core });
          const { x } = trainingData(sizes, batch, Float32Array);
          const options = { into: { data: new Float32Array(batch * 10), shape: [batch, 10] } };
          return { run: () => void network.predict(x, options), flops: flops * batch, samples: batch };
        },
      });
    }
  }
  const saved = Network.createSync(specOf([64, 64, 10])).save();
  const one = { data: new Float32Array(64), shape: [1, 64] };
  const uses = {
    create: (core) => () => Network.createSync(specOf([64, 64, 10]), { core }).dispose(),
    load: (core) => () => Network.loadSync(saved, { core }).dispose(),
    "load, first prediction": (core) => () => {
      const network = Network.loadSync(saved, { core });
      network.predict(one);
      network.dispose();
    },
  };
  for (const [what, use] of Object.entries(uses)) {
    rows.push({ what, dtype: "f32", shape: "64-64-10", batch: 1, quick: false, make: (core) => ({ run: use(core) }) });
  }
  return rows;
}

export const ROWS = [...productRows(), ...elementRows(), ...stepRows(), ...useRows()];
