// node edge-host.mjs FOLDER: runs FOLDER/handler.js in edge-runtime without code generation, with the modules of
// FOLDER/modules.json as globals, makes one request, and prints the answer.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const require = createRequire(new URL("../tools/package.json", import.meta.url));
const { EdgeRuntime } = require("edge-runtime");
const [folder] = process.argv.slice(2);

const files = JSON.parse(readFileSync(join(folder, "modules.json"), "utf8"));
const modules = Object.fromEntries(
  Object.entries(files).map(([name, file]) => [name, new WebAssembly.Module(readFileSync(file))]),
);
const runtime = new EdgeRuntime({
  codeGeneration: { strings: false, wasm: false },
  extend: (context) => Object.assign(context, modules),
  initialCode: readFileSync(join(folder, "handler.js"), "utf8"),
});
const response = await runtime.dispatchFetch("http://127.0.0.1/");
if (!response.ok) throw new Error(`the handler answered ${response.status}: ${await response.text()}`);
const { version } = require("edge-runtime/package.json");
process.stdout.write(JSON.stringify({ version, results: await response.json() }));
