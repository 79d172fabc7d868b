// The bundlers that users have, each making one file of an entry with the settings it begins with.
import { mkdirSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const tools = createRequire(fileURLToPath(new URL("../tools/package.json", import.meta.url)));
const load = (name) => import(pathToFileURL(tools.resolve(name)));

async function bundleWithEsbuild(entry, outfile, { esbuild }) {
  await esbuild.build({ entryPoints: [entry], outfile, bundle: true, format: "esm", logLevel: "silent" });
}

async function bundleWithVite(entry, outfile, { consumer }) {
  const { build } = await load("vite");
  await build({
    root: consumer,
    configFile: false,
    logLevel: "error",
    build: {
      outDir: dirname(outfile),
      emptyOutDir: false,
      rollupOptions: { input: entry, output: { entryFileNames: basename(outfile) } },
    },
  });
}

async function bundleWithRollup(entry, outfile) {
  const { rollup } = await load("rollup");
  const { nodeResolve } = await load("@rollup/plugin-node-resolve");
  const bundle = await rollup({ input: entry, plugins: [nodeResolve()] });
  await bundle.write({ file: outfile, format: "es" });
  await bundle.close();
}

async function bundleWithWebpack(entry, outfile, { consumer }) {
  const { default: webpack } = await load("webpack");
  const compiler = webpack({
    context: consumer,
    mode: "production",
    entry,
    experiments: { outputModule: true },
    output: { path: dirname(outfile), filename: basename(outfile), module: true },
    performance: false,
  });
  const stats = await new Promise((resolve, reject) => {
    compiler.run((error, result) => (error ? reject(error) : resolve(result)));
  });
  await new Promise((resolve) => compiler.close(resolve));
  if (stats.hasErrors()) throw new Error(stats.toString({ all: false, errors: true }));
  if (stats.hasWarnings()) throw new Error(stats.toString({ all: false, warnings: true }));
}

const BUNDLERS = {
  esbuild: bundleWithEsbuild,
  vite: bundleWithVite,
  rollup: bundleWithRollup,
  webpack: bundleWithWebpack,
};

/**
 * Bundles an entry of the consumer.
 *
 * @param name esbuild, vite, rollup or webpack
 * @param entry the entry's path
 * @returns the path of the bundle, in a folder of its own without packages in reach
 */
export async function bundle(name, entry, context) {
  const folder = join(context.consumer, "bundles", name);
  mkdirSync(folder, { recursive: true });
  const outfile = join(folder, basename(entry));
  await BUNDLERS[name](entry, outfile, context);
  return outfile;
}
