// node bench/vector-state.mjs
//
// What code of the host leaves behind in the vector registers, and what src/core/vector-state.ts does about it: the peak kernel
// and a training run, after a search in a long string (upper halves clear) and after base64 (in use).
import { Network } from "../dist/index.js";
import { clearUpperHalves, peakKernel } from "./cores.mjs";
import { draws } from "./rows.mjs";

const TEXT = "a".repeat(1024);
const STATES = { "after a search": clearUpperHalves, "after base64": () => btoa(TEXT) };

function leastTime(run, calls) {
  let least = Number.POSITIVE_INFINITY;
  for (let call = 0; call < calls; call++) {
    const start = performance.now();
    run();
    least = Math.min(least, performance.now() - start);
  }
  return least;
}

const [rows, inputs] = [640, 784];
const draw = draws(1);
const x = { data: Float32Array.from({ length: rows * inputs }, draw), shape: [rows, inputs] };
const y = Int32Array.from({ length: rows }, () => Math.floor(draw() * 10));
const layers = [
  { units: 128, activation: "relu" },
  { units: 10, activation: "softmax" },
];
const network = Network.createSync({ inputs, layers });
const fit = () =>
  void network.fitSync(x, y, { batchSize: 32, epochs: 2, optimizer: { type: "sgd", learningRate: 1e-5 } });
const peak = await peakKernel("f32", "simd");
leastTime(fit, 10);
for (const [name, enter] of Object.entries(STATES)) {
  enter();
  const kernel = peak.flops / leastTime(peak.run, 100) / 1e6;
  enter();
  const step = (2 * rows * 1000) / leastTime(fit, 30);
  console.log(
    `${name.padEnd(16)} peak kernel ${kernel.toFixed(1)} GFLOP/s, 784-128-10 B32 ${Math.round(step)} samples/s`,
  );
}
