// What using the library costs beside the arithmetic: `npm run build && node bench/use.mjs`.
// Goals: import, create and first prediction of 64-64-10 under 15 ms, of it under 5 ms ours; a row predicted in place at most
// max(0.5 µs, 0.3 × kernels) over its kernels; a fit of 784-128-10 B32 on 60 000 rows, 10 epochs, under 3 % outside the epochs.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Network } from "../dist/index.js";
import { kernels } from "./cores.mjs";

const median = (values) => Float64Array.from(values).sort()[Math.floor(values.length / 2)];
const ms = (value) => `${value.toFixed(1)} ms`;
const classifier = (inputs, hidden) => ({
  inputs,
  layers: [
    { units: hidden, activation: "relu" },
    { units: 10, activation: "softmax" },
  ],
});

// ── Start-up, each time in a fresh process ─────────────────────────────────────────────────────

const root = fileURLToPath(new URL("..", import.meta.url));
const child = `
  const begun = performance.now();
  const { Network } = await import("chainrule");
  const imported = performance.now();
  const network = await Network.create(${JSON.stringify(classifier(64, 64))});
  network.predict({ data: new Float32Array(64), shape: [1, 64] });
  const predicted = performance.now();
  console.log(JSON.stringify([imported - begun, predicted - imported]));
`;
// What the runtime takes for the first import of any file: not ours.
const folder = mkdtempSync(join(tmpdir(), "chainrule-use-"));
writeFileSync(join(folder, "empty.mjs"), "");
const nothing = `
  const begun = performance.now();
  await import(${JSON.stringify(join(folder, "empty.mjs"))});
  console.log(performance.now() - begun);
`;
const fresh = (program) =>
  JSON.parse(execFileSync(process.execPath, ["--input-type=module", "-e", program], { cwd: root, encoding: "utf8" }));
const runs = [];
const empty = [];
for (let i = 0; i < 15; i++) {
  runs.push(fresh(child));
  empty.push(fresh(nothing));
}
rmSync(folder, { recursive: true });
const imports = median(runs.map(([first]) => first));
const creates = median(runs.map(([, second]) => second));
const sums = runs.map(([first, second]) => first + second);
const [all, least] = [median(sums), Math.min(...sums)];
console.log(
  `start-up of 64-64-10: import ${ms(imports)}, create and first prediction ${ms(creates)}, together ${ms(all)} (least ${ms(least)}); an empty file alone ${ms(median(empty))}`,
);

// ── One row in place ───────────────────────────────────────────────────────────────────────────

const pitchOf = (cols) => {
  const pitch = Math.ceil(cols / 8) * 8;
  return (pitch * 4) % 1024 === 0 ? pitch + 16 : pitch;
};

/** The products, the activation and the softmax of a row, called one by one on the core. */
function bareKernels(inputs, hidden) {
  const { exports: e, take } = kernels("f32", "simd", 2 ** 22);
  const [W1, W2] = [take(hidden * pitchOf(inputs)), take(10 * pitchOf(hidden))];
  const [a0, a1, a2, z2, b1, b2, max] = [inputs, hidden, 16, 16, hidden, 16, 16].map((count) => take(count));
  return () => {
    e.forwardVector(a1, a0, W1, b1, hidden, inputs, pitchOf(inputs), 0, hidden);
    e.activate(3, a1, a1, hidden, 0);
    e.forwardVector(z2, a1, W2, b2, 10, hidden, pitchOf(hidden), 0, 10);
    e.softmaxVector(a2, z2, max, max + 4, 10);
  };
}

for (const [inputs, hidden] of [
  [64, 64],
  [784, 128],
]) {
  const network = Network.createSync(classifier(inputs, hidden));
  const x = { data: new Float32Array(inputs).fill(0.5), shape: [1, inputs] };
  const into = { into: { data: new Float32Array(10), shape: [1, 10] } };
  const bare = bareKernels(inputs, hidden);
  const calls = inputs === 64 ? 20_000 : 2000;
  const time = (call) => {
    const start = performance.now();
    for (let i = 0; i < calls; i++) call();
    return ((performance.now() - start) / calls) * 1e6;
  };
  const predict = () => network.predict(x, into);
  const rounds = Array.from({ length: 25 }, () => [time(predict), time(bare)]).slice(5);
  const [row, kernel] = [median(rounds.map(([r]) => r)), median(rounds.map(([, k]) => k))];
  const allowed = Math.max(500, 0.3 * kernel).toFixed(0);
  console.log(
    `one row of ${inputs}-${hidden}-10: ${row.toFixed(0)} ns, its kernels ${kernel.toFixed(0)} ns, over them ${(row - kernel).toFixed(0)} ns (allowed ${allowed})`,
  );
  network.dispose();
}

// ── A fit's share outside its epochs, and arrays of arrays ─────────────────────────────────────

const ROWS = 60_000;
const data = Float32Array.from({ length: ROWS * 784 }, (_, i) => ((i * 7919) % 1009) / 1009);
const y = Int32Array.from({ length: ROWS }, (_, i) => (i * 7) % 10);
const x = { data, shape: [ROWS, 784] };
const network = Network.createSync(classifier(784, 128));
const seconds = (epochs) => {
  const start = performance.now();
  network.fitSync(x, y, { epochs, batchSize: 32, optimizer: { type: "sgd", learningRate: 0.01 } });
  return (performance.now() - start) / 1000;
};
seconds(1);
const shares = Array.from({ length: 3 }, () => {
  const [short, long] = [seconds(1), seconds(10)];
  const epoch = (long - short) / 9;
  return (long - 10 * epoch) / long;
});
console.log(
  `fit of 784-128-10 B32, ${ROWS} rows, 10 epochs: ${(median(shares) * 100).toFixed(1)} % outside the epochs`,
);

const rows = Array.from({ length: 2000 }, (_, r) => Array.from(data.subarray(r * 784, (r + 1) * 784)));
const copies = Array.from({ length: 7 }, () => {
  const start = performance.now();
  network.fitSync(rows, y.subarray(0, 2000), { maxSteps: 1, batchSize: 8 });
  return ((performance.now() - start) * 1e6) / (2000 * 784);
});
console.log(`arrays of arrays, 2000 × 784: ${median(copies).toFixed(1)} ns a value for check and copy`);
network.dispose();
