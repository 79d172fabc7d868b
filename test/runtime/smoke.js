// The program that every runtime runs: ten networks are trained, saved and loaded, and what comes out is hashed, in every
// dtype and core. Pure ES module, no platform interface: what differs between two runtimes comes from the package alone.
import { init, initSync, Network } from "chainrule";
import { relaxed } from "chainrule/relaxed";

const DTYPES = ["float32", "float64"];

/** The result of the check of what `core` gives, for hashes.json. */
const AS_EXPECTED = "as expected";

const CASES = [
  {
    name: "2-3-1 momentum, batch 1",
    spec: {
      inputs: 2,
      layers: [
        { units: 3, activation: "tanh" },
        { units: 1, activation: "sigmoid" },
      ],
      loss: "binaryCrossEntropy",
    },
    data: () => ({
      x: [
        [0, 0],
        [0, 1],
        [1, 0],
        [1, 1],
      ],
      y: [0, 1, 1, 0],
    }),
    options: { epochs: 100, batchSize: 1, optimizer: { type: "momentum", learningRate: 0.1 } },
  },
  {
    name: "4-16-3 adam, batch 16 of 150",
    spec: {
      inputs: 4,
      layers: [
        { units: 16, activation: "relu" },
        { units: 3, activation: "softmax" },
      ],
      loss: "crossEntropy",
    },
    data: (draw) => ({ x: rows(draw, 150, 4), y: classes(draw, 150, 3) }),
    options: { epochs: 6, batchSize: 16, optimizer: "adam" },
  },
  {
    name: "8-12-9-4 nesterov, batch 7 of 100",
    spec: {
      inputs: 8,
      layers: [
        { units: 12, activation: "tanh" },
        { units: 9, activation: "leakyRelu" },
        { units: 4, activation: "linear" },
      ],
      loss: "meanSquaredError",
    },
    data: (draw) => ({ x: rows(draw, 100, 8), y: rows(draw, 100, 4) }),
    options: { epochs: 5, batchSize: 7, optimizer: { type: "nesterov", learningRate: 0.02 } },
    alsoSync: true,
  },
  {
    name: "33-17-5 sgd, full batch of 61",
    spec: {
      inputs: 33,
      layers: [
        { units: 17, activation: "sigmoid" },
        { units: 5, activation: "sigmoid" },
      ],
      loss: "squaredError",
    },
    data: (draw) => ({ x: rows(draw, 61, 33), y: rows(draw, 61, 5) }),
    options: { epochs: 12, batchSize: "full", optimizer: { type: "sgd", learningRate: 0.5 } },
  },
  {
    name: "64-32-10 adam, batch 32, validation",
    spec: {
      inputs: 64,
      layers: [
        { units: 32, activation: "relu" },
        { units: 10, activation: "softmax" },
      ],
    },
    data: (draw) => ({ x: rows(draw, 200, 64), y: classes(draw, 200, 10) }),
    options: { epochs: 3, batchSize: 32, optimizer: "adam", validation: 0.25 },
  },
  {
    name: "6-5-2 lm, scaled inputs and targets",
    spec: {
      inputs: 6,
      layers: [{ type: "standardize" }, { units: 5, activation: "tanh", init: "nguyenWidrow" }, { units: 2 }],
      targetScaling: "minMax",
    },
    data: (draw) => ({ x: rows(draw, 70, 6), y: rows(draw, 70, 2) }),
    options: { epochs: 6, optimizer: "lm", validation: 0.2, metrics: ["r2", "mae", "explainedVariance"] },
  },
  {
    name: "9-24-16-4 adamw, batch normalisation, dropout, cosine with warm-up, clipping, class and sample weights",
    spec: {
      inputs: 9,
      layers: [
        { units: 24, init: "truncatedNormal" },
        { type: "batchNormalization", activation: "gelu" },
        { type: "dropout", rate: 0.25 },
        { units: 16, activation: "mish", l2: 0.001, maxNorm: 2 },
        { units: 4, activation: "softmax" },
      ],
      loss: { type: "crossEntropy", labelSmoothing: 0.1, classWeights: [1, 2, 0.5, 1] },
    },
    data: (draw) => {
      const x = rows(draw, 120, 9);
      return { x, y: x.map(([first]) => Math.floor(4 * first)) };
    },
    options: {
      epochs: 6,
      batchSize: 24,
      optimizer: { type: "adamw", learningRate: 0.01 },
      schedule: { type: "cosine", length: { epochs: 6 }, warmUp: { length: { steps: 5 } } },
      clipNorm: 1,
      sampleWeights: Array.from({ length: 120 }, (_, i) => 1 + (i % 3)),
      metrics: ["logLoss", "rocAuc", "f1Weighted"],
    },
  },
  {
    name: "5-20-3 lbfgs, huber, layer normalisation",
    spec: {
      inputs: 5,
      layers: [
        { type: "robust" },
        { units: 20, activation: "softplus", init: "orthogonal" },
        { type: "layerNormalization", activation: "elu" },
        { units: 3, l1: 0.0001 },
      ],
      loss: { type: "huber", delta: 0.25 },
    },
    data: (draw) => ({ x: rows(draw, 90, 5), y: rows(draw, 90, 3) }),
    options: { epochs: 8, optimizer: "lbfgs" },
  },
  {
    name: "2-16-1 rprop, hinge",
    spec: { inputs: 2, layers: [{ units: 16, activation: "silu" }, { units: 1 }], loss: "hinge" },
    data: (draw) => {
      const x = rows(draw, 64, 2);
      return { x, y: x.map(([a, b]) => (a > b ? 1 : -1)) };
    },
    options: { epochs: 20, optimizer: "rprop" },
  },
  {
    name: "7-13-2 radam, Gaussian noise, early stopping, rate reduced on a plateau",
    spec: {
      inputs: 7,
      layers: [
        { type: "gaussianNoise", deviation: 0.05 },
        { units: 13, activation: "selu" },
        { units: 2, activation: "softplus" },
      ],
      loss: "poisson",
    },
    data: (draw) => ({ x: rows(draw, 80, 7), y: rows(draw, 80, 2) }),
    options: {
      epochs: 12,
      batchSize: 9,
      optimizer: { type: "radam", learningRate: 0.02 },
      validation: 0.25,
      schedule: { type: "reduceOnPlateau", patience: 1 },
      earlyStopping: { patience: 4 },
    },
  },
];

/** Those that the cases ask for. */
const METRICS = ["r2", "mae", "explainedVariance", "logLoss", "rocAuc", "f1Weighted"];

/** Numbers 0…255 from a 32-bit linear congruential generator, the same everywhere. */
function generator(seed) {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state >>> 24;
  };
}

/** [count × width] multiples of 1/256 in [0, 1): exact in both dtypes. */
function rows(draw, count, width) {
  return Array.from({ length: count }, () => Array.from({ length: width }, () => draw() / 256));
}

function classes(draw, count, of) {
  return Array.from({ length: count }, () => draw() % of);
}

/** FNV-1a of 64 bits, kept in two halves: prime 2⁴⁰ + 0x1b3, offset cbf29ce484222325. */
function fingerprint() {
  let high = 0xcbf29ce4;
  let low = 0x84222325;
  const number = new DataView(new ArrayBuffer(8));
  const addByte = (byte) => {
    low = (low ^ byte) >>> 0;
    const product = low * 0x1b3; // below 2⁴¹: exact
    high = (Math.imul(high, 0x1b3) + (low << 8) + Math.floor(product / 0x100000000)) >>> 0;
    low = product >>> 0;
  };
  return {
    addByte,
    /** Adds the little-endian bytes of a typed array of the network's dtype, or of f64 for plain numbers. */
    addReals(values) {
      const size = values instanceof Float32Array ? 4 : 8;
      for (const value of values) {
        if (size === 4) number.setFloat32(0, value, true);
        else number.setFloat64(0, value, true);
        for (let at = 0; at < size; at++) addByte(number.getUint8(at));
      }
    },
    hex: () => high.toString(16).padStart(8, "0") + low.toString(16).padStart(8, "0"),
  };
}

/**
 * Hashes weights and biases layer by layer, the predictions for the first 20 rows, the rows held back for validation,
 * and what the history says of every epoch, its speed aside.
 */
function hashOf(network, history, x) {
  const hash = fingerprint();
  for (const { W, b } of network.weights()) {
    hash.addReals(W.data);
    if (b) hash.addReals(b);
  }
  hash.addReals(network.predict(x.slice(0, 20)).data);
  if (history.validationIndices) hash.addReals(Array.from(history.validationIndices));
  for (const { loss, metrics, validation } of history.epochs) {
    const numbers = [loss, metrics.accuracy, validation?.loss, validation?.accuracy];
    hash.addReals(numbers.filter((value) => value !== undefined));
    for (const name of METRICS)
      hash.addReals([validation?.[name] ?? metrics[name]].filter((value) => value !== undefined));
  }
  return hash.hex();
}

async function train(index, dtype, core, sync) {
  const { spec, data, options } = CASES[index];
  const network = await Network.create(spec, { seed: index + 1, dtype, core });
  try {
    if (network.core !== core) throw new Error(`asked for core ${core}, got ${network.core}`);
    const { x, y } = data(generator(index + 1));
    const history = sync ? network.fitSync(x, y, options) : await network.fit(x, y, options);
    const losses = history.epochs.map(({ loss }) => loss);
    if (!(losses.at(-1) < losses[0])) throw new Error(`learned nothing: losses ${losses}`);
    const hash = hashOf(network, history, x);
    const again = await loadedHash(network, history, x);
    if (again !== hash) throw new Error(`saved with ${hash}, loaded with ${again}`);
    return hash;
  } finally {
    network.dispose();
  }
}

/** The hash of what `save` and `load` make of a network. */
async function loadedHash(network, history, x) {
  const loaded = await Network.load(network.save(), { core: network.core });
  try {
    return hashOf(loaded, history, x);
  } finally {
    loaded.dispose();
  }
}

async function attempt(name, run, work) {
  try {
    return { name, run, result: await work() };
  } catch (error) {
    return { name, run, result: `${error?.name}: ${error?.message}` };
  }
}

/** Whether a core that cannot be had is refused by name, in words. */
async function refusal(core, ask) {
  try {
    await ask();
    return `${core}: not refused`;
  } catch ({ message }) {
    return message.startsWith(`core: expected "${core}" to be available on this runtime, got: `)
      ? AS_EXPECTED
      : message;
  }
}

/**
 * Trains everything. Each row names the constant that its result must equal: all rows of one name must give the same. The relaxed
 * core, which has bits of its own, has names of its own.
 *
 * @param options.cores the cores to train on
 * @param options.auto the core that `"auto"` must choose here; `"simd"` and `"relaxed"` must be refused when they
 * are not among the cores
 * @param options.given whether the caller has given all binaries to the library
 * @returns rows `{ name: case and dtype, run: core and method, result: hash or error }`
 */
export async function smoke({ cores = ["simd", "js"], auto = "simd", given = false } = {}) {
  const check = fingerprint();
  for (const character of "foobar") check.addByte(character.charCodeAt(0));
  if (check.hex() !== "85944171f73967e8") throw new Error("FNV-1a of foobar is 85944171f73967e8");

  if (cores.includes("relaxed") && !given) await init(relaxed());
  const results = [];
  for (const [index, { name, alsoSync }] of CASES.entries()) {
    for (const dtype of DTYPES) {
      for (const core of cores) {
        const row = `${name}, ${dtype}${core === "relaxed" ? ", relaxed" : ""}`;
        results.push(await attempt(row, `${core} fit`, () => train(index, dtype, core, false)));
        if (alsoSync) results.push(await attempt(row, `${core} fitSync`, () => train(index, dtype, core, true)));
      }
    }
  }
  const chosen = await attempt("core", "auto", async () => {
    await init(); // quiet also where nothing can be compiled
    initSync();
    const network = await Network.create(CASES[0].spec);
    const { core } = network;
    network.dispose();
    if (core !== auto) return `${core} instead of ${auto}`;
    const simd = cores.includes("simd")
      ? AS_EXPECTED
      : await refusal("simd", () => Network.create(CASES[0].spec, { core: "simd" }));
    if (simd !== AS_EXPECTED || cores.includes("relaxed")) return simd;
    return refusal("relaxed", () => init(relaxed()));
  });
  return [...results, chosen];
}
