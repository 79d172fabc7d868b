// node test/runtime/run.mjs [--only node24,chromium] [--update] [--counts FILE]
//
// Builds and packs the package, installs the tarball into a temporary consumer, runs the smoke program there on every
// runtime, and compares what it gives with hashes.json (the relaxed core's, where it fuses: hashes.relaxed.json). Offline
// once `install.mjs` has run. Exits 0 only when every runtime ran and everything is equal. `--update` writes the hashes
// from the results of Node 20 and, on a machine with fused multiply-add, Node 24; nothing else does.
// `--counts` writes "EQUAL DIFFERENT" to a file, for scripts.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { makeConsumer } from "./consumer.mjs";
import { killAll, run } from "./process.mjs";
import { compare, constantsOf, hashTable, table } from "./report.mjs";
import { checkAttw, checkModules, checkPublint } from "./runtimes/packaging.mjs";
import { CURRENT, checkTypes, OLDEST } from "./runtimes/types.mjs";
import { RUNTIMES } from "./runtimes.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const root = dirname(dirname(here));
const hashesFile = join(here, "hashes.json");
/** The relaxed core's, on a machine with fused multiply-add. */
const fusedFile = join(here, "hashes.relaxed.json");

/** The runtimes, and what is checked of the package besides. */
const RUNS = {
  ...RUNTIMES,
  modules: { run: checkModules },
  typescript57: { run: (context) => checkTypes(OLDEST, context), seconds: 120 },
  typescript: { run: (context) => checkTypes(CURRENT, context), seconds: 120 },
  publint: { run: checkPublint },
  attw: { run: checkAttw },
};

function readArguments() {
  const { values } = parseArgs({
    options: { only: { type: "string" }, update: { type: "boolean", default: false }, counts: { type: "string" } },
  });
  const names = values.only?.split(",") ?? Object.keys(RUNS);
  for (const name of names) {
    if (!Object.hasOwn(RUNS, name)) {
      throw new Error(`--only: expected some of ${Object.keys(RUNS).join(",")}, got ${name}`);
    }
  }
  if (values.update && !(names.includes("node20") && names.includes("node24"))) {
    throw new Error("--update: needs node20 and node24 among the runtimes");
  }
  return { names, update: values.update, counts: values.counts };
}

async function runOne(name, context) {
  const { run: runRuntime, expect, seconds = 60, ...runtime } = RUNS[name];
  const started = performance.now();
  let outcome;
  try {
    outcome = await runRuntime({ ...context, ...runtime, name, seconds });
    if (expect && !expect.test(outcome.version)) throw new Error(`expected version ${expect}, got ${outcome.version}`);
  } catch (error) {
    outcome = { error: error.message };
  }
  return {
    runtime: name,
    relaxed: runtime.relaxed ?? false,
    seconds: (performance.now() - started) / 1000,
    ...outcome,
  };
}

/** Runs the runtimes one after the other and gives their outcomes. */
async function runAll(names, temporary) {
  process.stderr.write("building and packing\n");
  await run("npm", { args: ["run", "build"], cwd: root, seconds: 600 });
  const { consumer, tarball } = await makeConsumer(root, temporary);
  const esbuild = await import("esbuild");
  const outcomes = [];
  for (const name of names) {
    process.stderr.write(`running ${name}\n`);
    outcomes.push(await runOne(name, { consumer, tarball, temporary, esbuild }));
  }
  await esbuild.stop();
  return outcomes;
}

const readJson = (file) => (existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : {});

function report(outcomes, counts) {
  const constants = { baseline: readJson(hashesFile), fused: readJson(fusedFile) };
  const comparisons = compare(constants, outcomes);
  console.log(`\n${table(constants, comparisons, outcomes)}\n`);
  console.log(`hashes: baseline, relaxed where fused\n${hashTable(constants)}\n`);
  const different = comparisons.filter(({ equal }) => !equal);
  for (const { runtime, row, problem } of different) console.log(`${runtime}: ${row}: ${problem}`);
  const ran = outcomes.filter(({ error }) => error === undefined).length;
  const equal = comparisons.length - different.length;
  console.log(`runtimes: ${ran} of ${outcomes.length} ran; results: ${equal} equal, ${different.length} different`);
  if (counts) writeFileSync(counts, `${equal} ${different.length}\n`);
  return different.length === 0;
}

async function main() {
  const { names, update, counts } = readArguments();
  const temporary = mkdtempSync(join(tmpdir(), "chainrule-runtime-"));
  const cleanUp = () => {
    killAll();
    rmSync(temporary, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
    process.once(signal, () => {
      cleanUp();
      process.exit(1);
    });
  }
  try {
    const outcomes = await runAll(names, temporary);
    if (update) {
      const { baseline } = constantsOf(outcomes.find(({ runtime }) => runtime === "node20"));
      const { fused } = constantsOf(outcomes.find(({ runtime }) => runtime === "node24"));
      writeFileSync(hashesFile, `${JSON.stringify(baseline, null, 2)}\n`);
      writeFileSync(fusedFile, `${JSON.stringify(fused, null, 2)}\n`);
    }
    return report(outcomes, counts);
  } finally {
    cleanUp();
  }
}

try {
  process.exitCode = (await main()) ? 0 : 1;
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
