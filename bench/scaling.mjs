// How the time of a training step grows with width, depth, batch and samples, beside a model of flops and bytes:
// `npm run build && node bench/scaling.mjs`.
//
//   model = flops / peak + bytes / rate
//
// flops: 2 a multiply-add, forward and gradient of all layers, delta of all but the first. bytes: what a step of plain descent
// must move of the weights, 4 passes (forward, delta, and the descent's read and write), at the rate at which this machine
// copies as many bytes as the step works on. What a step takes beyond its model is overhead: tiles that are not full,
// packing, loss, order, calls.
import { Network } from "../dist/index.js";
import { peakKernel } from "./cores.mjs";
import { draws } from "./rows.mjs";

const median = (values) => Float64Array.from(values).sort()[Math.floor(values.length / 2)];
const peak = await peakKernel("f32", "simd");

/** Bytes per ms of a copy within `bytes` bytes; read and write counted. */
function copyRate(bytes) {
  const length = Math.max(1024, Math.floor(bytes / 8));
  const [from, to] = [new Float32Array(length), new Float32Array(length)];
  const copies = Math.max(1, Math.ceil(2e7 / length));
  const rates = Array.from({ length: 5 }, () => {
    const start = performance.now();
    for (let i = 0; i < copies; i++) to.set(from);
    return (copies * length * 8) / (performance.now() - start);
  });
  return median(rates);
}

function timed(work) {
  const start = performance.now();
  work();
  return performance.now() - start;
}

/** ms of a step, ms of the model, share of peak: medians of rounds in turn with the peak kernel. */
function study(sizes, batch, rows = 0) {
  const products = sizes.slice(1).map((units, l) => units * sizes[l]);
  const flops = batch * products.reduce((sum, product, l) => sum + (l === 0 ? 4 : 6) * product, 0);
  const parameters = products.reduce((sum, product) => sum + product, 0);
  const steps = Math.max(2, Math.min(500, Math.ceil(2e7 / flops)));
  const N = rows || steps * batch;
  const draw = draws(3);
  const x = { data: Float32Array.from({ length: N * sizes[0] }, draw), shape: [N, sizes[0]] };
  const outputs = sizes.at(-1);
  const y = Int32Array.from({ length: N }, () => Math.floor(draw() * outputs));
  const layers = sizes.slice(1).map((units, l) => ({ units, activation: l === sizes.length - 2 ? "softmax" : "relu" }));
  const network = Network.createSync({ inputs: sizes[0], layers });
  const options = { batchSize: batch, optimizer: { type: "sgd", learningRate: 1e-6 } };
  const stepsPerEpoch = Math.ceil(N / batch);
  const time = (epochs) => timed(() => network.fitSync(x, y, { ...options, epochs }));
  // The difference of a long and a short run: what a call does once falls out.
  const [few, many] = [1, 1 + Math.max(2, Math.ceil(6e7 / (flops * stepsPerEpoch)))];
  time(many);
  const rounds = Array.from({ length: 7 }, () => {
    const limit = timed(peak.run);
    return [(time(many) - time(few)) / (many - few) / stepsPerEpoch, limit / peak.flops];
  });
  network.dispose();
  const ms = median(rounds.map(([step]) => step));
  const msPerFlop = median(rounds.map(([, each]) => each));
  const share = median(rounds.map(([step, each]) => (flops * each) / step));
  const activations = batch * sizes.reduce((sum, units) => sum + 2 * units, 0);
  const bytes = 16 * parameters;
  const model = flops * msPerFlop + bytes / copyRate(4 * (parameters + activations));
  return { ms, model, share, flops, bytes };
}

function table(title, cases) {
  console.log(`\n${title.padEnd(30)}      µs a step     model  measured/model  share of peak  Mflop   MB`);
  for (const [name, sizes, batch, rows] of cases) {
    const { ms, model, share, flops, bytes } = study(sizes, batch, rows);
    const cells = [
      (ms * 1000).toFixed(1).padStart(12),
      (model * 1000).toFixed(1).padStart(10),
      (ms / model).toFixed(2).padStart(12),
      `${(share * 100).toFixed(0)} %`.padStart(14),
      (flops / 1e6).toFixed(2).padStart(12),
      (bytes / 1e6).toFixed(2).padStart(8),
    ];
    console.log(`${name.padEnd(30)}${cells.join(" ")}`);
  }
}

const square = (width, depth) => [...Array(depth + 1).fill(width), 10];
table(
  "width (w-w-10, B32)",
  [8, 16, 32, 64, 128, 256, 512, 1024, 2048].map((w) => [`${w}`, square(w, 1), 32]),
);
table(
  "depth (128 wide, B32)",
  [1, 2, 4, 8, 16].map((d) => [`${d} hidden`, square(128, d), 32]),
);
table(
  "batch (784-128-10)",
  [1, 2, 4, 8, 16, 32, 64, 128, 256, 512].map((b) => [`B${b}`, [784, 128, 10], b]),
);
table(
  "samples (784-128-10, B32)",
  [320, 1000, 3200, 10_000, 32_000].map((n) => [
    `${n} rows, ${((n * 3136) / 2 ** 20).toFixed(0)} MB`,
    [784, 128, 10],
    32,
    n,
  ]),
);
