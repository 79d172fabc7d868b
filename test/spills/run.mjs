// Counts spilled vectors in the inner loops of the tiles, in the code that V8 makes of them: none may be there.
// `node test/spills/run.mjs` after `npm run build`, with the Node whose V8 is meant; --help says the rest.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import binaryen from "assemblyscript/binaryen";
import { countsOf, functionsOf, innermostLoops } from "./loops.mjs";

const HELP = `node test/spills/run.mjs [--binary NAME]… [--print FUNCTION] [--file FILE]

Compiles the binaries of the core, reads the x64 code that this Node's V8 prints of the functions below, and counts the loads
and stores of vector registers on the stack inside every innermost loop that has packed multiplies. "edges" are jumps that touch
the end of 32 bytes of code, which Intel's processors from Skylake to Comet Lake are slow at; they are shown, not judged.

  --binary NAME     f32.simd, f64.simd, f32.relaxed or f64.relaxed; may be given more than once (default: all)
  --print FUNCTION  also print the loop with the most multiplies of this function
  --file FILE       another binary with the same exports, in place of build/NAME.wasm; one --binary says what it is

Exit code 0 when nothing is spilled or this runtime has no x64 code of V8 to read, 1 when something is, 2 for arguments it
does not know.`;

const BINARIES = ["f32.simd", "f64.simd", "f32.relaxed", "f64.relaxed"];
/** Exports whose inner loops, or those of the functions they call, are tiles. */
const TILES = [
  "forwardPanels",
  "deltaPanels",
  "gradientPanels",
  "gradientPanelsUpdate",
  "forwardVector",
  "deltaVector",
  "deltaVectorUpdate",
  "gradientVector",
  "updateVector",
  "forwardStrips",
  "updateStrips",
];

function fail(message) {
  console.error(message);
  process.exit(2);
}

function readOptions() {
  const known = {
    binary: { type: "string", multiple: true },
    print: { type: "string" },
    file: { type: "string" },
    help: { type: "boolean", short: "h", default: false },
  };
  try {
    return parseArgs({ options: known }).values;
  } catch (error) {
    return fail(`${error.message}\n\n${HELP}`);
  }
}

/** Numbers of the functions that each export runs: its own first, then what it calls, also indirectly. */
function functionsOfExports(bytes) {
  const module = binaryen.readBinary(bytes);
  const count = module.getNumFunctions();
  const names = Array.from({ length: count }, (_, i) => binaryen.getFunctionInfo(module.getFunctionByIndex(i)).name);
  const numberOf = new Map(names.map((name, i) => [name, i]));
  const called = new Map();
  for (const text of module
    .emitText()
    .split(/^ \(func \$/m)
    .slice(1)) {
    const callees = [...text.matchAll(/\((?:return_)?call \$([^\s()]+)/g)].map(([, name]) => numberOf.get(name));
    called.set(numberOf.get(/^[^\s()]+/.exec(text)[0]), callees);
  }
  const result = new Map();
  for (let i = 0; i < module.getNumExports(); i++) {
    const { kind, name, value } = binaryen.getExportInfo(module.getExportByIndex(i));
    if (kind !== binaryen.ExternalFunction) continue;
    const all = new Set([numberOf.get(value)]);
    for (const each of all) for (const callee of called.get(each) ?? []) all.add(callee);
    result.set(name, [...all]);
  }
  module.dispose();
  return result;
}

/** What V8 prints of a binary's functions; undefined where it does not know the flags or the instructions. */
function printedCode(file) {
  const relaxed = WebAssembly.validate(readFileSync(file)) ? [] : ["--experimental-wasm-relaxed-simd"];
  const flags = [...relaxed, "--no-liftoff", "--no-wasm-lazy-compilation", "--print-wasm-code"];
  const child = fileURLToPath(new URL("instance.mjs", import.meta.url));
  const { status, stdout, stderr } = spawnSync(process.execPath, [...flags, child, file], {
    encoding: "utf8",
    maxBuffer: 2 ** 28,
  });
  if (status !== 0) throw new Error(`${process.execPath} ${flags.join(" ")} ${child} ${file}:\n${stderr}`);
  if (!stdout.includes("--- WebAssembly code ---")) throw new Error("V8 printed no code");
  return stdout;
}

/** The innermost loops with packed multiplies of some functions, the one with the most first. */
function tilesOf(functions, numbers) {
  return numbers
    .flatMap((number) => innermostLoops(functions.get(number)).map((loop) => ({ number, loop, ...countsOf(loop) })))
    .filter(({ multiplies }) => multiplies > 0)
    .sort((a, b) => b.multiplies - a.multiplies);
}

const options = readOptions();
if (options.help) {
  console.log(HELP);
  process.exit();
}
for (const name of options.binary ?? []) {
  if (!BINARIES.includes(name)) fail(`--binary: expected ${BINARIES.join(", ")}, got: ${name}`);
}
const binaries = options.binary ?? BINARIES;
if (options.file && binaries.length !== 1) fail("--file: needs exactly one --binary");
if (process.arch !== "x64" || process.versions.v8 === undefined || process.versions.bun !== undefined) {
  console.log(`spills: skipped, ${process.arch} without x64 code of V8 to read`);
  console.log("0 passed, 0 failed");
  process.exit();
}

console.log(
  `Node ${process.version}, V8 ${process.versions.v8}; the loop with the most multiplies, spills of all loops`,
);
const cells = (...values) =>
  values.map((value, i) => (i < 2 ? String(value).padEnd(i ? 26 : 12) : String(value).padStart(13))).join("");
console.log(cells("binary", "function", "loops", "instructions", "multiplies", "other stack", "edges", "spills"));
let passed = 0;
let failed = 0;
for (const name of binaries) {
  const file = options.file ?? fileURLToPath(new URL(`../../build/${name}.wasm`, import.meta.url));
  if (!existsSync(file)) fail(`${file} is missing: run \`npm run build\` first`);
  const functions = functionsOf(printedCode(file));
  const exported = functionsOfExports(readFileSync(file));
  for (const tile of TILES) {
    const tiles = exported.has(tile) ? tilesOf(functions, exported.get(tile)) : [];
    if (tiles.length === 0) {
      failed++;
      console.log(`${name.padEnd(12)}${tile.padEnd(26)}no loop with packed multiplies found`);
      continue;
    }
    const [largest] = tiles;
    const spilled = tiles.flatMap(({ lines }) => lines);
    // The tile of an export may be in a function of its own.
    const shown = largest.number === exported.get(tile)[0] ? tile : `${tile} → ${largest.number}`;
    const { instructions, multiplies, others, edges } = largest;
    console.log(cells(name, shown, tiles.length, instructions, multiplies, others, edges, spilled.length));
    if (tile === options.print) {
      for (const { offset, text } of largest.loop) console.log(`    +0x${offset.toString(16).padEnd(5)} ${text}`);
    }
    if (spilled.length === 0) passed++;
    else {
      failed++;
      for (const line of spilled.slice(0, 4)) console.log(`    ${line}`);
      if (spilled.length > 4) console.log(`    … ${spilled.length - 4} more; --print ${tile} shows the loop`);
    }
  }
}
console.log(`${passed} passed, ${failed} failed`);
if (failed > 0) process.exitCode = 1;
