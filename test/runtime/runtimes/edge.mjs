// edge-runtime with code generation forbidden, as such platforms are in production: a bundle with the `edge-light`
// condition, whose `?module` imports are compiled ahead of time by what deploys it and handed in.
import { existsSync, writeFileSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { run } from "../process.mjs";
import { smokeCall } from "./program.mjs";

const handler = (runtime) => `import { smoke } from "./smoke.js";
async function answer() {
  const empty = new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]);
  const compiled = await WebAssembly.compile(empty).then(() => true, () => false);
  if (compiled) throw new Error("compiling is not forbidden here");
  return Response.json(await ${smokeCall(runtime)});
}
addEventListener("fetch", (event) => event.respondWith(answer()));
`;

/** What such a platform's bundler does with `x.wasm?module`: the module is a global that the deployment provides. */
function aheadOfTime(files) {
  return {
    name: "ahead-of-time",
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /\.wasm\?module$/ }, ({ path, resolveDir }) => ({
        path: resolve(resolveDir, path.replace("?module", "")),
        namespace: "ahead-of-time",
      }));
      onLoad({ filter: /./, namespace: "ahead-of-time" }, ({ path }) => {
        const variable = `wasm_${basename(path, ".wasm").replaceAll(".", "_")}`;
        files[variable] = path;
        return { contents: `export default globalThis.${variable};` };
      });
    },
  };
}

/** Bundles the handler and runs it in a process of its own (edge-host.mjs). */
export async function runEdge({ consumer, seconds, esbuild, name, ...runtime }) {
  const host = fileURLToPath(new URL("edge-host.mjs", import.meta.url));
  if (!existsSync(join(dirname(dirname(host)), "tools", "node_modules", "edge-runtime"))) {
    throw new Error("edge-runtime: not found: run node test/runtime/install.mjs first");
  }
  const entry = join(consumer, `${name}-main.js`);
  const outfile = join(consumer, name, "handler.js");
  const files = {};
  writeFileSync(entry, handler(runtime));
  await esbuild.build({
    entryPoints: [entry],
    outfile,
    bundle: true,
    format: "iife",
    conditions: ["edge-light", "worker", "browser"],
    plugins: [aheadOfTime(files)],
    logLevel: "silent",
  });
  writeFileSync(join(consumer, name, "modules.json"), JSON.stringify(files));
  return JSON.parse(await run(process.execPath, { args: [host, dirname(outfile)], cwd: consumer, seconds }));
}
