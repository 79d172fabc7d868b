// node miniflare-host.mjs FOLDER DATE: serves FOLDER/worker.js and the wasm files beside it in Miniflare with the
// compatibility date, makes one request, and prints the answer.
import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const require = createRequire(new URL("../tools/package.json", import.meta.url));
const { Miniflare } = require("miniflare");
const [folder, compatibilityDate] = process.argv.slice(2);

const miniflare = new Miniflare({
  modulesRoot: folder,
  modules: [
    { type: "ESModule", path: join(folder, "worker.js") },
    ...readdirSync(folder)
      .filter((name) => name.endsWith(".wasm"))
      .map((name) => ({ type: "CompiledWasm", path: join(folder, name), contents: readFileSync(join(folder, name)) })),
  ],
  compatibilityDate,
  host: "127.0.0.1",
  cf: false, // no look-up of the properties of a real request
});
try {
  const response = await miniflare.dispatchFetch("http://127.0.0.1/");
  if (!response.ok) throw new Error(`the worker answered ${response.status}: ${await response.text()}`);
  const { version } = require("miniflare/package.json");
  process.stdout.write(JSON.stringify({ version, results: await response.json() }));
} finally {
  await miniflare.dispose();
}
