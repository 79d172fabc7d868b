// node edge-host.mjs FILE: makes one request to the script FILE in an edge runtime that forbids generating code, with
// the binaries that it names compiled before, and prints the answer.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const { EdgeRuntime } = createRequire(new URL("../runtime/tools/package.json", import.meta.url))("edge-runtime");
const script = readFileSync(process.argv[2], "utf8");
const compiled = {};
for (const [, literal] of script.matchAll(/globalThis\.compiled\[("[^"]*")\]/g)) {
  const path = JSON.parse(literal);
  compiled[path] = new WebAssembly.Module(readFileSync(path));
}
const runtime = new EdgeRuntime({
  initialCode: script,
  extend: (context) => Object.assign(context, { compiled }),
  codeGeneration: { strings: false, wasm: false },
});
const response = await runtime.dispatchFetch("http://127.0.0.1/");
process.stdout.write(await response.text());
