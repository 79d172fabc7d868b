// Every f32 input of exp, tanh, log and sigmoid: `node test/exhaustive/run.mjs` after `npm run build`; --help says the rest.
import { existsSync } from "node:fs";
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { Worker } from "node:worker_threads";

const HELP = `node test/exhaustive/run.mjs [--function NAME]… [--stride N] [--workers N] [--ns]

Compares the f32 elementary functions of build/f32.simd.wasm on all 2^32 inputs with f64 arithmetic of the engine (Math.exp,
Math.tanh, Math.log; the error in ulp must be within the bound of assembly/vmath.ts) and with src/js (the same bits; all NaN
are equal). Needs the output of npm run build.

  --function NAME   exp, tanh, log or sigmoid; may be given more than once (default: all)
  --stride N        every N-th input, from 0 (default: 1; choose an odd one: all low bits of the inputs then occur)
  --workers N       threads (default: as many as the machine runs at once)
  --ns              also print the nanoseconds an input takes in each part of the work

Exit code 0 when everything passed, 1 when something failed, 2 for arguments it does not know.`;

const INPUTS = 2 ** 32;
const BLOCK = 2 ** 20;
const PLAIN_EVERY = 20_000; // ms between progress lines where there is no terminal

function fail(message) {
  console.error(message);
  process.exit(2);
}

function wholeNumber(name, text, byDefault) {
  if (text === undefined) return byDefault;
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value >= INPUTS)
    fail(`--${name}: expected a whole number, got: ${text}`);
  return value;
}

function readOptions() {
  const known = {
    function: { type: "string", multiple: true },
    stride: { type: "string" },
    workers: { type: "string" },
    ns: { type: "boolean", default: false },
    help: { type: "boolean", short: "h", default: false },
  };
  try {
    return parseArgs({ options: known }).values;
  } catch (error) {
    return fail(`${error.message}\n\n${HELP}`);
  }
}

/** What a number of inputs done says about the rest. */
function progress(total) {
  const started = performance.now();
  const tty = process.stdout.isTTY;
  let done = 0;
  let printed = started;
  return {
    add(count, name) {
      done += count;
      const now = performance.now();
      if (now - printed < (tty ? 200 : PLAIN_EVERY)) return;
      printed = now;
      const left = ((now - started) / 1000) * (total / done - 1);
      const text = `${name}: ${((done / total) * 100).toFixed(1)} % of everything, ${clock(left)} left`;
      process.stdout.write(tty ? `\r${text}\x1b[K` : `${text}\n`);
    },
    clear() {
      if (tty) process.stdout.write("\r\x1b[K");
    },
  };
}

const clock = (seconds) => `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;

/** Runs one function over its inputs in `workers` threads. */
async function sweep(name, { stride, workers, onBlock }) {
  const inputs = Math.ceil(INPUTS / stride);
  const next = new Int32Array(new SharedArrayBuffer(4));
  const total = { name, inputs: 0, worst: 0, differ: 0, wrong: [], ns: {} };
  const workerData = { name, stride, block: BLOCK, inputs, next };
  const take = (message) => {
    if (message.done) {
      total.wrong = message.wrong;
      for (const [part, ns] of Object.entries(message.ns)) total.ns[part] = (total.ns[part] ?? 0) + ns;
      return;
    }
    total.inputs += message.count;
    total.differ += message.differ;
    total.differWord ??= message.differWord;
    if (message.worst > total.worst) {
      total.worst = message.worst;
      total.worstWord = message.worstWord;
    }
    onBlock(message.count, name);
  };
  const one = () =>
    new Promise((resolve, reject) => {
      const worker = new Worker(new URL("worker.mjs", import.meta.url), { workerData });
      worker.on("message", take);
      worker.on("error", reject);
      worker.on("exit", resolve);
    });
  await Promise.all(Array.from({ length: workers }, one));
  if (total.inputs !== inputs) throw new Error(`${name}: ${total.inputs} of ${inputs} inputs were checked`);
  return total;
}

/** An input by its bits. */
function shown(word) {
  if (word === undefined) return "";
  const value = new Float32Array(Uint32Array.of(word).buffer)[0];
  return `${Object.is(value, -0) ? "-0" : value} (0x${word.toString(16).padStart(8, "0")})`;
}

function printTable(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  for (const row of rows)
    console.log(
      row
        .map((cell, column) => cell.padEnd(widths[column]))
        .join("  ")
        .trimEnd(),
    );
}

const options = readOptions();
if (options.help) {
  console.log(HELP);
  process.exit();
}
for (const file of ["build/f32.simd.wasm", "dist/js/vmath.js"]) {
  if (!existsSync(new URL(`../../${file}`, import.meta.url))) fail(`${file} is missing: run \`npm run build\` first`);
}
const { FUNCTIONS } = await import("./functions.mjs");
const names = options.function ?? Object.keys(FUNCTIONS);
for (const name of names) {
  if (!Object.hasOwn(FUNCTIONS, name)) fail(`--function: expected ${Object.keys(FUNCTIONS).join(", ")}, got: ${name}`);
}
const stride = wholeNumber("stride", options.stride, 1);
const workers = wholeNumber("workers", options.workers, availableParallelism());

const which = stride === 1 ? "all 2^32 inputs" : `one in ${stride} of all 2^32 inputs`;
console.log(`${names.join(", ")}: ${which}, ${workers} ${workers === 1 ? "thread" : "threads"}`);
const started = performance.now();
const bar = progress(names.length * Math.ceil(INPUTS / stride));
const results = [];
for (const name of names) results.push(await sweep(name, { stride, workers, onBlock: bar.add }));
bar.clear();

let passed = 0;
const failures = [];
function judge(holds, message) {
  if (holds) passed++;
  else failures.push(message);
}
for (const { name, worst, worstWord, differ, differWord, wrong } of results) {
  const { bound } = FUNCTIONS[name];
  judge(worst <= bound, `${name}: the error is ${worst} ulp at ${shown(worstWord)}, the bound ${bound}`);
  judge(differ === 0, `${name}: ${differ} inputs give other bits than src/js, one is ${shown(differWord)}`);
  judge(wrong.length === 0, `${name}: wrong at ${wrong.map((x) => (Object.is(x, -0) ? "-0" : x)).join(", ")}`);
}

const header = ["function", "inputs", "largest error", "bound", "at", "unlike src/js"];
const lines = results.map(({ name, inputs, worst, worstWord, differ }) => {
  const error = `${worst.toFixed(4)} ulp`;
  return [name, String(inputs), error, String(FUNCTIONS[name].bound), shown(worstWord), String(differ)];
});
printTable([header, ...lines]);
if (options.ns) {
  for (const { name, inputs, ns } of results) {
    const parts = Object.entries(ns).map(([part, sum]) => `${part} ${(sum / inputs).toFixed(1)}`);
    console.log(`${name}: ns an input: ${parts.join(", ")}`);
  }
}
console.log(`${clock((performance.now() - started) / 1000)} minutes`);
for (const message of failures) console.error(message);
console.log(`${passed} passed, ${failures.length} failed`);
if (failures.length > 0) process.exitCode = 1;
