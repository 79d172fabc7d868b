// node test/size/run.mjs [--update] [--only TEXT] [--counts FILE], after `npm run build`.
//
// What a user's bundle takes from the packed package: gzip of the minified esbuild bundle of each entry, the raw bytes of
// each binary, and what the parts of a bundle weigh. `--update` writes limits.json: the figures reached plus 3 %.
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { runChecks } from "../runtime/checks.mjs";
import { weigh } from "./parts.mjs";

/** The entries, one a line: what a program of one import carries. */
const ENTRIES = {
  "main entry": { source: 'export * from "chainrule";' },
  "main entry on workerd, without the binaries": { source: 'export * from "chainrule";', edge: true },
  "relaxed core": { source: 'export * from "chainrule/relaxed";' },
  predict: { source: 'export * from "chainrule/predict";' },
  export: { source: 'export * from "chainrule/export";' },
  receipt: { source: 'export * from "chainrule/receipt";' },
};
/** Files of the package that are loaded as they are. */
const FILES = ["dist/core/core.f32.wasm", "dist/core/core.f64.wasm", "dist/node/main.cjs"];
const MARGIN = 1.03;

const limitsFile = fileURLToPath(new URL("limits.json", import.meta.url));

async function bundle(consumer, { source, edge = false }) {
  const { outputFiles } = await build({
    stdin: { contents: source, resolveDir: consumer },
    outdir: join(consumer, "sized"),
    bundle: true,
    minify: true,
    format: "esm",
    conditions: edge ? ["workerd", "worker", "browser"] : undefined,
    loader: { ".wasm": "copy" },
    write: false,
    logLevel: "silent",
  });
  return outputFiles.find(({ path }) => path.endsWith(".js")).contents;
}

/** Everything that has a limit: its name and its bytes. */
async function measure(consumer) {
  const sizes = {};
  for (const [name, entry] of Object.entries(ENTRIES)) {
    sizes[`${name}, gzip`] = gzipSync(await bundle(consumer, entry), { level: 9 }).length;
  }
  for (const name of FILES) sizes[name] = statSync(join(consumer, "node_modules", "chainrule", name)).size;
  return sizes;
}

function checkSize(bytes, limit) {
  if (bytes === undefined) throw new Error("limits.json has it, and nothing measures it");
  if (limit === undefined)
    throw new Error(`expected a limit in limits.json, which --update writes, got ${bytes} bytes`);
  if (bytes > limit) throw new Error(`expected at most ${limit} bytes, got ${bytes}`);
  return `${bytes} bytes of ${limit}`;
}

await runChecks(
  async ({ consumer, root, flags }) => {
    const sizes = await measure(consumer);
    if (flags.update) {
      const reached = Object.entries(sizes).map(([name, bytes]) => [name, Math.ceil(bytes * MARGIN)]);
      writeFileSync(limitsFile, `${JSON.stringify(Object.fromEntries(reached), null, 2)}\n`);
    }
    console.log(`parts of the main entry:\n${await weigh(root)}`);
    const limits = JSON.parse(readFileSync(limitsFile, "utf8"));
    // A limit whose figure is gone is a mistake too.
    const names = [...new Set([...Object.keys(sizes), ...Object.keys(limits)])];
    return names.map((name) => ({ name, check: () => checkSize(sizes[name], limits[name]) }));
  },
  ["update"],
);
