// npm run bench; -- --help says what else. The relaxed rows run in a child Node that has relaxed SIMD. docs/performance.md says how
// to read the rows.
import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { initSync } from "../dist/index.js";
import { relaxed } from "../dist/relaxed.js";
import { hasRelaxed, peakKernel } from "./cores.mjs";
import { measure } from "./measure.mjs";
import { ROWS } from "./rows.mjs";

const HELP = `npm run bench -- [--quick] [--filter TEXT]… [--json FILE] [--core simd|relaxed] [--alone] [--list]

Each row: median and spread of a call's time, flops, and its share of the peak kernel in the same rounds. docs/performance.md says
how to read them.

  --quick        a listed subset of the simd core
  --filter TEXT  rows whose name contains TEXT; may be given more than once
  --json FILE    write the rows to FILE too
  --core CORE    only rows of this core, in this process (default: simd here, then relaxed in a child that has relaxed SIMD)
  --alone        without the steps of the pure-JS core and of plain JavaScript, which take most of the time
  --list         the names of the rows of one core, and nothing measured`;

function readOptions() {
  const known = {
    quick: { type: "boolean", default: false },
    filter: { type: "string", multiple: true, default: [""] },
    json: { type: "string" },
    core: { type: "string" },
    alone: { type: "boolean", default: false },
    list: { type: "boolean", default: false },
    help: { type: "boolean", short: "h", default: false },
  };
  try {
    const { values } = parseArgs({ options: known });
    if (values.core !== undefined && !["simd", "relaxed"].includes(values.core)) {
      throw new Error(`--core: expected simd or relaxed, got: ${values.core}`);
    }
    return values;
  } catch (error) {
    console.error(`bench: ${error.message}\n\n${HELP}`);
    return process.exit(2);
  }
}

const options = readOptions();
if (options.help) {
  console.log(HELP);
  process.exit();
}
const timing = options.quick ? { rounds: 7, time: 8, warmup: 40 } : { rounds: 15, time: 12, warmup: 80 };
const nameOf = ({ what, dtype, shape, batch }, core) => `${what} ${dtype} ${core} ${shape} B${batch}`;

function commit() {
  try {
    return execFileSync("git", ["rev-parse", "--short", "HEAD"], { encoding: "utf8", stdio: "pipe" }).trim();
  } catch {
    return "no commit";
  }
}

async function rowOf(row, core) {
  const peak = await peakKernel(row.dtype, core);
  const { run, flops, samples, elements } = row.make(core);
  const { median, spread, share, quiet } = await measure(run, { peak, flops, ...timing });
  const result = {
    what: row.what,
    dtype: row.dtype,
    core,
    shape: row.shape,
    batch: row.batch,
    ms: median,
    spread,
    quiet,
  };
  if (flops !== undefined) Object.assign(result, { gflops: flops / median / 1e6, share });
  if (samples !== undefined) result.samplesPerSecond = (samples / median) * 1000;
  if (elements !== undefined) result.elementsPerNs = elements / median / 1e6;
  if (!row.compare || options.alone) return result;
  const few = { ...timing, rounds: 3 };
  const perSample = median / samples;
  const js = row.make("js");
  result.timesJs = (await measure(js.run, { peak, ...few })).median / js.samples / perSample;
  for (const [name, make] of [
    ["timesPlain", row.plain],
    ["timesSpecial", row.special],
  ]) {
    if (make === undefined) continue;
    const other = make();
    result[name] = (await measure(other.run, { peak, ...few })).median / other.samples / perSample;
  }
  return result;
}

const fixed = (value, digits) => (value === undefined ? "" : value.toFixed(digits));
const time = (ms) =>
  ms >= 1 ? `${ms.toFixed(2)} ms` : ms >= 1e-3 ? `${(ms * 1e3).toFixed(2)} µs` : `${(ms * 1e6).toFixed(1)} ns`;

function line(r) {
  const share = r.share === undefined ? "" : `${(r.share * 100).toFixed(0)} %`;
  const rate =
    r.samplesPerSecond !== undefined
      ? `${Math.round(r.samplesPerSecond)} samples/s`
      : r.elementsPerNs !== undefined
        ? `${fixed(r.elementsPerNs, 2)} elements/ns`
        : "";
  const js = r.timesJs === undefined ? "" : `${fixed(r.timesJs, 1)} × js`;
  const plain = r.timesPlain === undefined ? "" : `${fixed(r.timesPlain, 1)} × plain`;
  const special = r.timesSpecial === undefined ? "" : `  ${fixed(r.timesSpecial, 2)} × written out`;
  const cells = [
    nameOf(r, r.core).padEnd(48),
    time(r.ms).padStart(10),
    `± ${(r.spread * 100).toFixed(0)} %${r.quiet ? "" : " (disturbed)"}`.padStart(7),
  ];
  cells.push(
    `${fixed(r.gflops, 1).padStart(6)} GF`,
    share.padStart(6),
    rate.padStart(22),
    js.padStart(10),
    plain.padStart(13) + special,
  );
  return cells.join("  ").trimEnd();
}

const core = options.core ?? "simd";
const isWanted = (row) =>
  (row.quick || !options.quick) && options.filter.some((text) => nameOf(row, core).includes(text));
if (options.list) {
  for (const row of ROWS.filter(isWanted)) console.log(nameOf(row, core));
  process.exit();
}
if (core === "relaxed") initSync(relaxed());
if (options.core === undefined) {
  console.log(
    `chainrule ${commit()} · ${cpus()[0]?.model ?? "unknown CPU"} · Node ${process.version} · core ${core} · share = of the peak kernel in the same rounds`,
  );
}
const results = [];
for (const row of ROWS.filter(isWanted)) {
  const result = await rowOf(row, core);
  results.push(result);
  console.log(line(result));
}

if (options.core === undefined && !options.quick) {
  const file = join(tmpdir(), `chainrule-bench-${process.pid}.json`);
  const flags = hasRelaxed() ? [] : ["--experimental-wasm-relaxed-simd"];
  const self = fileURLToPath(import.meta.url);
  const args = [
    ...flags,
    self,
    "--core",
    "relaxed",
    "--json",
    file,
    ...(options.alone ? ["--alone"] : []),
    ...options.filter.flatMap((text) => ["--filter", text]),
  ];
  const { status } = spawnSync(process.execPath, args, { stdio: "inherit" });
  if (status !== 0) {
    console.error("bench: the child with relaxed SIMD failed");
    process.exitCode = 1;
  } else results.push(...JSON.parse(readFileSync(file, "utf8")));
  rmSync(file, { force: true });
}
if (options.json) writeFileSync(options.json, `${JSON.stringify(results, undefined, 2)}\n`);
