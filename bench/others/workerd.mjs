// The programs as workers that `workerd test` runs once: the process begins, compiles what is deployed, predicts, ends.
import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { build } from "esbuild";

const require = createRequire(new URL("../../test/runtime/tools/package.json", import.meta.url));

const worker = (name) => `import { predict } from "./${name}.mjs";
import network from "./network.bin";
import weights from "./weights.bin";
import row from "./row.bin";
import onnx from "./onnx.bin";
${name === "onnxruntime-web" ? 'import ort from "./ort.bin";' : "const ort = undefined;"}
export default {
  async test() {
    const files = { network, weights, row, onnx, ort };
    for (const key in files) files[key] = files[key] && new Uint8Array(files[key]);
    console.log("outputs " + JSON.stringify(await predict(files)));
  },
};
`;

/** A configuration with the worker and the files that its bundle names. */
function configuration(folder) {
  const kinds = { js: "esModule", wasm: "wasm", bin: "data" };
  const modules = readdirSync(folder)
    .sort((a, b) => Number(b === "worker.js") - Number(a === "worker.js")) // the first is the entry
    .filter((file) => kinds[file.split(".").at(-1)] !== undefined)
    .map((file) => `(name = "${file}", ${kinds[file.split(".").at(-1)]} = embed "${file}")`);
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (services = [(name = "main", worker = (
  modules = [${modules.join(", ")}],
  compatibilityDate = "2026-04-01"
))]);
`;
}

/** Bundles every program and gives a function that runs one of them in a workerd of its own. */
export async function prepareWorkerd(folder, names, ort) {
  const { default: binary } = require("workerd");
  const unbundled = new Map();
  writeFileSync(join(folder, "ort.bin"), ort);
  for (const name of names) {
    const outdir = join(folder, "workerd", name);
    mkdirSync(outdir, { recursive: true });
    writeFileSync(join(folder, `${name}-worker.mjs`), worker(name));
    try {
      await build({
        entryPoints: [join(folder, `${name}-worker.mjs`)],
        outfile: join(outdir, "worker.js"),
        bundle: true,
        minify: true,
        format: "esm",
        conditions: ["workerd", "worker", "browser"],
        mainFields: ["browser", "module", "main"],
        loader: { ".wasm": "copy", ".bin": "copy" },
        logLevel: "silent",
      });
      writeFileSync(join(outdir, "config.capnp"), configuration(outdir));
    } catch (error) {
      unbundled.set(name, error);
    }
  }
  return (name) => {
    if (unbundled.has(name)) throw unbundled.get(name);
    const args = ["test", join(folder, "workerd", name, "config.capnp")];
    const begun = performance.now();
    const { status, stdout, stderr } = spawnSync(binary, args, { encoding: "utf8", timeout: 60_000 });
    const elapsed = performance.now() - begun;
    const [, outputs] = /outputs (.*)/.exec(stdout + stderr) ?? [];
    if (status !== 0 || outputs === undefined) {
      const reason = /(?:[A-Z]\w*Error|CompileError|exception).*/.exec(stderr)?.[0] ?? `exit code ${status}`;
      throw Object.assign(new Error(stderr), { reason });
    }
    return { elapsed, outputs: outputs === "undefined" ? undefined : JSON.parse(outputs) };
  };
}
