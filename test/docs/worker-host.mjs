// node worker-host.mjs FOLDER: makes one request to FOLDER/worker.js in workerd and prints the answer.
import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const { Miniflare } = createRequire(new URL("../runtime/tools/package.json", import.meta.url))("miniflare");
const [folder] = process.argv.slice(2);
const binaries = readdirSync(folder).filter((name) => name.endsWith(".wasm"));
const miniflare = new Miniflare({
  modulesRoot: folder,
  modules: [
    { type: "ESModule", path: join(folder, "worker.js") },
    ...binaries.map((name) => ({
      type: "CompiledWasm",
      path: join(folder, name),
      contents: readFileSync(join(folder, name)),
    })),
  ],
  compatibilityDate: "2026-04-01",
  host: "127.0.0.1",
  cf: false, // no look-up of the properties of a real request
});
try {
  const response = await miniflare.dispatchFetch("http://127.0.0.1/");
  process.stdout.write(await response.text());
} finally {
  await miniflare.dispose();
}
