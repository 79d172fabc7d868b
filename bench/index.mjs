// npm run bench [-- --quick] [-- --filter TEXT] [-- --json FILE]
// Times training steps through the public API on the SIMD core and on the pure-JS core, in one process, side by side.
import { writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { parseArgs } from "node:util";
import { Bench } from "tinybench";
import { Network } from "../dist/index.js";

const { values: options } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    filter: { type: "string", default: "" },
    json: { type: "string" },
  },
});

/** Integers 0…2³²−1 by a linear congruential generator: the same data in every run. */
function draws(seed) {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state;
  };
}

function data(inputs, outputs, rows) {
  const draw = draws(1);
  return {
    x: { data: Float32Array.from({ length: rows * inputs }, () => draw() / 2 ** 32), shape: [rows, inputs] },
    y: Int32Array.from({ length: rows }, () => draw() % outputs),
  };
}

/** Layer sizes, batch, steps timed at once. */
const CASES = [
  { sizes: [64, 64, 10], batch: 32, steps: 32, quick: true },
  { sizes: [784, 128, 10], batch: 32, steps: 16, quick: true },
  { sizes: [784, 128, 10], batch: 1, steps: 256, quick: false },
  { sizes: [784, 512, 256, 10], batch: 128, steps: 4, quick: false },
];

const rows = [];
for (const { sizes, batch, steps, quick } of CASES) {
  if (options.quick && !quick) continue;
  const [inputs] = sizes;
  const outputs = sizes.at(-1);
  const N = batch * steps;
  const { x, y } = data(inputs, outputs, N);
  const layers = sizes.slice(1).map((units, l) => ({ units, activation: l === sizes.length - 2 ? "softmax" : "relu" }));
  // Forward and gradient products of all layers, delta products of all but the first: 2 flops a multiply-add.
  const flops = sizes.slice(1).reduce((sum, units, l) => sum + (l === 0 ? 4 : 6) * units * sizes[l], 0);
  for (const optimizer of ["sgd", "adam"]) {
    for (const core of ["simd", "js"]) {
      const name = `${sizes.join("-")} B${batch} ${optimizer} float32 ${core}`;
      if (!name.includes(options.filter)) continue;
      const network = Network.createSync({ inputs, layers }, { core });
      const fit = { batchSize: batch, epochs: 1, optimizer: { type: optimizer, learningRate: 1e-4 } };
      const bench = new Bench({ time: options.quick ? 300 : 1000, warmupTime: options.quick ? 100 : 300 });
      bench.add(name, () => network.fitSync(x, y, fit));
      await bench.run();
      const { latency } = bench.tasks[0].result;
      const perSample = latency.p50 / N;
      rows.push({
        name,
        "samples/s": Math.round(1000 / perSample),
        "GFLOP/s": Number((flops / perSample / 1e6).toFixed(2)),
        "step µs": Number((perSample * batch * 1000).toFixed(2)),
        "spread %": Number((((latency.p75 - latency.p50) / latency.p50) * 100).toFixed(1)),
      });
      network.dispose();
    }
  }
}

console.log(`chainrule bench · ${cpus()[0]?.model ?? "unknown CPU"} · ${process.release.name} ${process.version}`);
console.table(rows);
for (const simd of rows.filter((row) => row.name.endsWith(" simd"))) {
  const js = rows.find((row) => row.name === simd.name.replace(/ simd$/, " js"));
  if (js) console.log(`${simd.name}: ${(simd["samples/s"] / js["samples/s"]).toFixed(1)} × the JS core`);
}
if (options.json) writeFileSync(options.json, `${JSON.stringify(rows, undefined, 2)}\n`);
