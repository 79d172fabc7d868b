// workerd: a worker bundled by esbuild with the conditions of that platform, so that the package's `workerd` source
// imports the binaries as compiled modules; run inside a request by Miniflare.
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { run } from "../process.mjs";

const WORKER = `import { smoke } from "./smoke.js";
export default {
  async fetch() {
    return Response.json(await smoke());
  },
};
`;

/** Bundles the consumer's worker and runs it in a process of its own (workerd-host.mjs), which Miniflare needs. */
export async function runWorkerd({ consumer, seconds, esbuild }) {
  if (!existsSync(new URL("../tools/node_modules/miniflare", import.meta.url))) {
    throw new Error("miniflare: not found: run node test/runtime/install.mjs first");
  }
  const outdir = join(consumer, "worker");
  writeFileSync(join(consumer, "worker-main.js"), WORKER);
  await esbuild.build({
    entryPoints: [join(consumer, "worker-main.js")],
    outfile: join(outdir, "worker.js"),
    bundle: true,
    format: "esm",
    conditions: ["workerd", "worker", "browser"],
    loader: { ".wasm": "copy" },
    logLevel: "silent",
  });
  const host = fileURLToPath(new URL("workerd-host.mjs", import.meta.url));
  return JSON.parse(await run(process.execPath, { args: [host, outdir], cwd: consumer, seconds }));
}
