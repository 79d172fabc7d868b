// Checks blocks of inputs of one function. A worker does one function only: its loops then call one twin and one
// reference, which V8 compiles into them.
import { readFileSync } from "node:fs";
import { parentPort, workerData } from "node:worker_threads";
import { FUNCTIONS } from "./functions.mjs";

const BASE = 65_536; // nothing of ours lies below
const { name, stride, block, inputs, next } = workerData;
const { kernel, twin, reference, bound, special } = FUNCTIONS[name];

const memory = new WebAssembly.Memory({ initial: 2 + (block * 8) / 65_536, maximum: 65_536 });
const binary = new WebAssembly.Module(readFileSync(new URL("../../build/f32.simd.wasm", import.meta.url)));
const map = new WebAssembly.Instance(binary, { env: { memory } }).exports[kernel];
const x = new Float32Array(memory.buffer, BASE, block);
const words = new Uint32Array(memory.buffer, BASE, block);
const got = new Float32Array(memory.buffer, BASE + block * 4, block);
const gotWords = new Int32Array(memory.buffer, BASE + block * 4, block);

const twins = new Float32Array(block);
const twinWords = new Int32Array(twins.buffer);
const exact = new Float64Array(block);
const exactWords = new Int32Array(exact.buffer);
exact[0] = 1;
const HIGH = exactWords[0] === 0 ? 1 : 0; // the word order of the machine

/** 1 / (an f32's ulp at y) by the exponent field of the f64 y; an ulp among the subnormals is 2^-149. */
const PER_ULP = Float64Array.from({ length: 2048 }, (_, field) => 2 ** (23 - Math.max(field - 1023, -126)));

/** Whether the kernel's result is right where a distance says nothing: NaN, infinities, f64 beyond the range of f32. */
const isRight = (result, value) =>
  Number.isNaN(value) ? Number.isNaN(result) : result === Math.fround(value) && !Number.isFinite(result);

/** The largest error in ulp of the first `count` results, and where; infinite where one is wrong altogether. */
function largestError(count) {
  let worst = 0;
  let at = -1;
  for (let i = 0; i < count; i++) {
    const high = exactWords[2 * i + HIGH];
    let error = Math.abs(got[i] - exact[i]) * PER_ULP[(high >>> 20) & 0x7ff];
    // The sign bits: of zeros too.
    if (!(error <= bound) || (gotWords[i] ^ high) < 0) {
      if (isRight(got[i], exact[i])) continue;
      if (!(error > bound && error < Infinity)) error = Infinity;
    }
    if (error <= worst) continue;
    worst = error;
    at = i;
  }
  return { worst, at };
}

/** How many of the first `count` results have other bits than the twin's, and the first; all NaN are equal. */
function differences(count) {
  let differ = 0;
  let at = -1;
  for (let i = 0; i < count; i++) {
    if (gotWords[i] === twinWords[i] || (Number.isNaN(got[i]) && Number.isNaN(twins[i]))) continue;
    if (differ === 0) at = i;
    differ++;
  }
  return { differ, at };
}

/** Nanoseconds of a piece of work are added to one of the sums. */
const ns = { kernel: 0, twin: 0, reference: 0, compare: 0 };
function timed(what, work) {
  const start = performance.now();
  const result = work();
  ns[what] += (performance.now() - start) * 1e6;
  return result;
}

function fillInputs(first, count) {
  for (let i = 0; i < count; i++) words[i] = first + i * stride;
}

function runTwin(count) {
  for (let i = 0; i < count; i++) twins[i] = twin(x[i]);
}

function runReference(count) {
  for (let i = 0; i < count; i++) exact[i] = reference(x[i]);
}

function check(index) {
  const first = index * block * stride;
  const count = Math.min(block, inputs - index * block);
  fillInputs(first, count);
  timed("kernel", () => map(got.byteOffset, x.byteOffset, count));
  timed("twin", () => runTwin(count));
  timed("reference", () => runReference(count));
  return timed("compare", () => {
    const error = largestError(count);
    const twinError = differences(count);
    const word = (at) => (at < 0 ? undefined : words[at]);
    return {
      count,
      worst: error.worst,
      worstWord: word(error.at),
      differ: twinError.differ,
      differWord: word(twinError.at),
    };
  });
}

/** Inputs of the table of known values whose result is another one. */
function wrongSpecials() {
  const same = (a, b) => Object.is(Math.fround(a), Math.fround(b));
  special.forEach(([input], i) => {
    x[i] = input;
  });
  map(got.byteOffset, x.byteOffset, special.length);
  return special
    .filter(([input, value], i) => !same(got[i], value) || !same(twin(input), value))
    .map(([input]) => input);
}

const wrong = wrongSpecials();
for (let index = Atomics.add(next, 0, 1); index * block < inputs; index = Atomics.add(next, 0, 1)) {
  parentPort.postMessage(check(index));
}
parentPort.postMessage({ done: true, wrong, ns });
