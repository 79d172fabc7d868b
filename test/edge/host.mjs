// node host.mjs FOLDER kv|object REQUESTS "in turn"|together: serves FOLDER/worker.js in workerd, asks for that many
// trainings, and prints the answers, a prediction and the checkpoint. A process of its own, as miniflare needs.
import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const require = createRequire(new URL("../runtime/tools/package.json", import.meta.url));
const { Miniflare } = require("miniflare");
const [folder, storage, requests, manner] = process.argv.slice(2);

const miniflare = new Miniflare({
  modulesRoot: folder,
  modules: [
    { type: "ESModule", path: join(folder, "worker.js") },
    ...readdirSync(folder)
      .filter((name) => name.endsWith(".wasm"))
      .map((name) => ({ type: "CompiledWasm", path: join(folder, name), contents: readFileSync(join(folder, name)) })),
  ],
  compatibilityDate: "2026-04-01",
  kvNamespaces: ["CHECKPOINTS"],
  durableObjects: { TRAINER: { className: "Trainer", useSQLite: true } },
  host: "127.0.0.1",
  cf: false, // no look-up of the properties of a real request
});

async function ask(path, method) {
  const response = await miniflare.dispatchFetch(`http://127.0.0.1/${storage}/${path}`, { method });
  if (!response.ok)
    throw new Error(`${method} ${path}: the worker answered ${response.status}: ${await response.text()}`);
  return response;
}
const train = async () => (await ask("train", "POST")).json();

try {
  const early = await miniflare.dispatchFetch(`http://127.0.0.1/${storage}/checkpoint`);
  if (early.status !== 409) throw new Error(`checkpoint before any training: expected 409, got ${early.status}`);
  await early.text();
  const answers = [];
  if (manner === "together") answers.push(...(await Promise.all(Array.from({ length: Number(requests) }, train))));
  else for (let i = 0; i < Number(requests); i++) answers.push(await train());
  const prediction = await (await ask("predict?x=0.1&y=0.2", "GET")).json();
  const checkpoint = Buffer.from(await (await ask("checkpoint", "GET")).arrayBuffer()).toString("base64");
  process.stdout.write(JSON.stringify({ answers, prediction, checkpoint }));
} finally {
  await miniflare.dispose();
}
