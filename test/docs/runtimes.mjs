// Runs the programs of the pages where they belong. Each gives what came out.
import { existsSync, mkdirSync, readdirSync, symlinkSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";
import { run } from "../runtime/process.mjs";

const root = fileURLToPath(new URL("../../", import.meta.url));
const tools = fileURLToPath(new URL("../runtime/tools/node_modules", import.meta.url));
const SECONDS = 90;

/** The binary of a runtime that npm installs as a package of this platform's own. */
function platformBinary(scope, file) {
  const packages = existsSync(join(tools, scope)) ? readdirSync(join(tools, scope)) : [];
  const found = packages.map((name) => join(tools, scope, name, file)).find(existsSync);
  if (found === undefined) throw new Error(`${scope}: not found: run node test/runtime/install.mjs first`);
  return found;
}

/** A command's program, and what stands before its arguments. */
const PROGRAMS = {
  node: () => [process.execPath],
  deno: () => [platformBinary("@deno", "deno")],
  bun: () => [platformBinary("@oven", "bin/bun")],
  esbuild: () => [join(root, "node_modules", "esbuild", "bin", "esbuild")],
  rollup: () => [process.execPath, join(tools, "rollup", "dist", "bin", "rollup")],
  vite: () => [process.execPath, join(tools, "vite", "bin", "vite.js")],
};

/** The command line of webpack is a package of its own; this does what it does with a configuration file. */
async function webpack(folder, [option, file]) {
  if (option !== "--config") throw new Error(`webpack: expected --config FILE, got ${option}`);
  const { default: config } = await import(pathToFileURL(join(folder, file)));
  const compile = createRequire(join(tools, "package.json"))("webpack");
  await new Promise((resolve, reject) => {
    compile({ context: folder, ...config }, (error, stats) => {
      if (error) reject(error);
      else if (stats.hasErrors() || stats.hasWarnings()) reject(new Error(stats.toString("errors-warnings")));
      else resolve();
    });
  });
}

/** Puts a package of the tools where a file in `folder` finds it. */
export function linkTool(name, folder) {
  const link = join(folder, "node_modules", name);
  mkdirSync(dirname(link), { recursive: true });
  symlinkSync(join(tools, name), link);
}

/** Runs one command of a page in `folder` and gives what it prints. */
export async function runCommand(line, folder) {
  const [name, ...args] = line.split(" ");
  if (name === "webpack") return webpack(folder, args);
  if (!Object.hasOwn(PROGRAMS, name)) throw new Error(`expected a program that the test knows, got ${name}`);
  const [program, ...before] = PROGRAMS[name]();
  const env = { ...process.env, NO_COLOR: "1" };
  for (const variable of ["NODE_OPTIONS", "FORCE_COLOR"]) delete env[variable];
  return (await run(program, { args: [...before, ...args], cwd: folder, env, seconds: SECONDS })).trim();
}

const BUNDLE = { bundle: true, format: "esm", logLevel: "silent" };

/** The Worker's answer in workerd. */
export async function runWorker(folder) {
  await build({
    ...BUNDLE,
    entryPoints: [join(folder, "worker.js")],
    outfile: join(folder, "out", "worker.js"),
    conditions: ["workerd", "worker", "browser"],
    loader: { ".wasm": "copy" },
  });
  const host = fileURLToPath(new URL("worker-host.mjs", import.meta.url));
  return run(process.execPath, { args: [host, join(folder, "out")], cwd: folder, seconds: SECONDS });
}

/** `?module` as that platform's bundler does it: a module compiled ahead of time, handed in from outside. */
const COMPILED_AHEAD = {
  name: "compiled ahead",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /\.wasm\?module$/ }, ({ path, resolveDir }) => ({
      path: join(resolveDir, path.replace("?module", "")),
      namespace: "compiled",
    }));
    onLoad({ filter: /./, namespace: "compiled" }, ({ path }) => ({
      contents: `export default globalThis.compiled[${JSON.stringify(path)}]`,
    }));
  },
};

/** The route's answer in an edge runtime that forbids generating code. */
export async function runEdgeFunction(folder) {
  const outfile = join(folder, "out", "route.js");
  await build({
    ...BUNDLE,
    format: "iife",
    stdin: {
      contents: `import { GET } from "./route.js";
addEventListener("fetch", (event) => event.respondWith(GET(event.request)));`,
      resolveDir: folder,
    },
    outfile,
    conditions: ["edge-light", "worker", "browser"],
    plugins: [COMPILED_AHEAD],
  });
  const host = fileURLToPath(new URL("edge-host.mjs", import.meta.url));
  return run(process.execPath, { args: [host, outfile], cwd: folder, seconds: SECONDS });
}
