// workerd: a worker bundled by esbuild with the conditions of that platform, so that the package's `workerd` source
// imports the binaries as compiled modules, or one that gives them to the library itself; run inside a request, by workerd itself and by Miniflare.
import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { lastLines, run, start, within } from "../process.mjs";
import { smokeCall } from "./program.mjs";

const COMPATIBILITY_DATE = "2026-04-01";
const tools = fileURLToPath(new URL("../tools/", import.meta.url));

const worker = (runtime) => `import { smoke } from "./smoke.js";
export default {
  async fetch() {
    return Response.json(await ${smokeCall(runtime)});
  },
};
`;

/**
 * A worker that gives the library its binaries as modules. Bundled without the platform's conditions, the library has only
 * bytes of its own, which nothing compiles inside a request.
 */
const givingWorker = (runtime) => `import { initSync } from "chainrule";
import float32 from "chainrule/core.f32.wasm";
import float64 from "chainrule/core.f64.wasm";
import relaxed32 from "chainrule/core.f32.relaxed.wasm";
import relaxed64 from "chainrule/core.f64.relaxed.wasm";
initSync({ kind: "simd", float32, float64 });
initSync({ kind: "relaxed", float32: relaxed32, float64: relaxed64 });
${worker(runtime)}`;

/** Bundles the consumer's worker into a folder of its own, with the binaries as files beside it. */
async function bundleWorker({ consumer, esbuild, name, ...runtime }) {
  const entry = join(consumer, `${name}-main.js`);
  const outdir = join(consumer, name);
  writeFileSync(entry, runtime.given ? givingWorker(runtime) : worker(runtime));
  await esbuild.build({
    entryPoints: [entry],
    outfile: join(outdir, "worker.js"),
    bundle: true,
    format: "esm",
    conditions: runtime.given ? [] : ["workerd", "worker", "browser"],
    loader: { ".wasm": "copy" },
    logLevel: "silent",
  });
  return outdir;
}

/** Runs the worker in Miniflare, which needs a process of its own (miniflare-host.mjs). */
export async function runMiniflare(context) {
  const { consumer, seconds } = context;
  if (!existsSync(join(tools, "node_modules", "miniflare"))) {
    throw new Error("miniflare: not found: run node test/runtime/install.mjs first");
  }
  const outdir = await bundleWorker(context);
  const host = fileURLToPath(new URL("miniflare-host.mjs", import.meta.url));
  const args = [host, outdir, COMPATIBILITY_DATE];
  return JSON.parse(await run(process.execPath, { args, cwd: consumer, seconds }));
}

/** The configuration of a server with this one worker on a free port. */
function configuration(folder) {
  const modules = readdirSync(folder)
    .filter((file) => file.endsWith(".wasm"))
    .map((file) => `(name = "${file}", wasm = embed "${file}")`);
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = .main)],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")],
);
const main :Workerd.Worker = (
  modules = [(name = "worker.js", esModule = embed "worker.js"), ${modules.join(", ")}],
  compatibilityDate = "${COMPATIBILITY_DATE}",
);
`;
}

/** Runs the worker in workerd without anything around it, and makes one request. */
export async function runWorkerd(context) {
  const outdir = await bundleWorker(context);
  writeFileSync(join(outdir, "config.capnp"), configuration(outdir));
  const require = createRequire(createRequire(join(tools, "package.json")).resolve("workerd/package.json"));
  const binary = require.resolve(`@cloudflare/workerd-${process.platform}-64/bin/workerd`);
  const server = start(binary, { args: ["serve", "config.capnp", "--control-fd=1"], cwd: outdir });
  try {
    const ended = server.exited.then(({ code, stderr }) => {
      throw new Error(`workerd: ended with code ${code}\n${lastLines(stderr)}`);
    });
    ended.catch(() => {}); // the stop below ends it too
    const answer = listeningPort(server).then(async (port) => {
      const response = await fetch(`http://127.0.0.1:${port}/`);
      if (!response.ok) throw new Error(`the worker answered ${response.status}: ${lastLines(server.output.stderr)}`);
      return response.json();
    });
    const results = await within(context.seconds, Promise.race([answer, ended]), "workerd: no answer");
    return { version: require("workerd/package.json").version, results };
  } finally {
    await server.stop();
  }
}

/** The port that workerd says it listens on. */
async function listeningPort({ output }) {
  for (;;) {
    const port = /"event":"listen".*?"port":(\d+)/.exec(output.stdout)?.[1];
    if (port !== undefined) return port;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
