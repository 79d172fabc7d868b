// node --expose-gc programs.js CASE: does what may leave memory behind, many times, and prints the resident and the
// heap's bytes before and after as JSON. Runs in a folder that has the package installed, in a process of its own.
import { setTimeout as sleep } from "node:timers/promises";
import { Network } from "chainrule";

const SPEC = {
  inputs: 64,
  layers: [
    { units: 64, activation: "relu" },
    { units: 10, activation: "softmax" },
  ],
};
const x = Array.from({ length: 32 }, (_, row) => Array.from({ length: 64 }, (_, column) => ((row * column) % 7) / 7));
const y = Array.from({ length: 32 }, (_, row) => row % 10);
/** The networks of `kept`, which the test asks for to see that it would notice. */
const held = [];

/** A full collection; what engines free in the background gets the time for it. */
async function collect() {
  for (let i = 0; i < 3; i++) {
    globalThis.gc();
    await sleep(100);
  }
  const { rss, heapUsed, external } = process.memoryUsage();
  return { rss, heap: heapUsed + external };
}

const trainOne = (core) => {
  const network = Network.createSync(SPEC, { core });
  network.step(x, y);
  return network;
};
const trainOneAsync = async (core) => {
  const network = await Network.create(SPEC, { core });
  await network.fit(x, y, { maxSteps: 1 });
};

function rowPredictor() {
  const network = trainOne("simd");
  const row = { data: Float32Array.from(x[1]), shape: [1, 64] };
  const into = { data: new Float32Array(10), shape: [1, 10] };
  return () => network.predict(row, { into });
}

/** `count` times `run`, after `warmUp` times. */
const CASES = {
  "step simd": { warmUp: 100, count: 1000, run: () => trainOne("simd") },
  "step js": { warmUp: 100, count: 1000, run: () => trainOne("js") },
  "fit simd": { warmUp: 100, count: 1000, run: () => trainOneAsync("simd") },
  "predict simd": { warmUp: 50_000, count: 1_000_000, run: rowPredictor() },
  kept: { warmUp: 100, count: 1000, run: () => held.push(trainOne("simd")) },
};

const { warmUp, count, run } = CASES[process.argv[2]];
const repeat = async (times) => {
  for (let i = 0; i < times; i++) {
    const result = run();
    if (result instanceof Promise) await result;
  }
};
await repeat(warmUp);
const before = await collect();
await repeat(count);
const after = await collect();
process.stdout.write(JSON.stringify({ before, after }));
