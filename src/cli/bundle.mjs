// Bundles the command line into dist/cli/run.js (`chainrule/cli`) with the packages it needs, writes their licences beside
// it, and dist/cli/main.js, the program that runs it. Run after tsc. What lies outside src/cli/ stays outside: the bundle
// imports the package as any user does.
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, resolve, sep } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";
import { writeLicences } from "../../assembly/licences.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const root = dirname(dirname(here));

/**
 * "../index.ts" in a file of src/cli/ → "chainrule", so that the runtime takes the entry that its programs take, and there is one library;
 * the other entries, which have no state, as "../relaxed.js" for instance, where they lie in the same place.
 */
const libraryOutside = {
  name: "library-outside",
  setup({ onResolve }) {
    onResolve({ filter: /^\.\.\// }, ({ path, importer }) => {
      const isEntry = /^\.\.\/(index|relaxed|export\/index|datasets\/[a-z]+)\.ts$/.test(path);
      if (!importer.startsWith(here + sep) || !isEntry) return undefined;
      return { path: path === "../index.ts" ? "chainrule" : path.replace(/\.ts$/, ".js"), external: true };
    });
  },
};

/** The program takes the commands from the file beside it, which others import as `chainrule/cli`. */
const commandsOutside = {
  name: "commands-outside",
  setup({ onResolve }) {
    onResolve({ filter: /^\.\/run\.ts$/ }, () => ({ path: "./run.js", external: true }));
  },
};

/** The library inside the bundle: one file that runs without dist/ (for tests). */
const libraryInside = {
  name: "library-inside",
  setup({ onResolve }) {
    onResolve({ filter: /^#core$/ }, () => ({ path: join(root, "src/core/source.embedded.ts") }));
  },
};

const OPTIONS = {
  absWorkingDir: root,
  bundle: true,
  format: "esm",
  platform: "node",
  target: "node20.19",
  legalComments: "eof",
  metafile: true,
  logLevel: "warning",
};

/** The program as one file: the commands beside it stay outside, or it holds the library too and runs without dist/. */
async function bundleProgram(outFile, plugins) {
  const banner = { js: "#!/usr/bin/env node" };
  await build({ ...OPTIONS, entryPoints: ["src/cli/main.ts"], outfile: outFile, banner, plugins });
  chmodSync(outFile, 0o755);
}

/**
 * Writes the program into `outFile`, and run.js with LICENSES.txt beside it; `standalone` puts everything, the library
 * too, into the one file and writes no licences (for tests).
 * @returns the names of the files written
 */
export async function bundleCli({ outFile, standalone = false }) {
  await bundleProgram(outFile, [standalone ? libraryInside : commandsOutside]);
  if (standalone) return [outFile];
  const commands = join(dirname(outFile), "run.js");
  const { metafile } = await build({
    ...OPTIONS,
    entryPoints: ["src/cli/run.ts"],
    outfile: commands,
    plugins: [libraryOutside],
  });
  const licenceFile = join(dirname(outFile), "LICENSES.txt");
  writeLicences(licenceFile, { heading: "run.js contains code of these packages.", inputs: metafile.inputs, root });
  return [outFile, commands, licenceFile];
}

/** The types of `chainrule/cli`, of all that tsc has written for src/cli/. */
const TYPES = ["run.d.ts", "terminal.d.ts"];

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(resolve(process.argv[1])).href) {
  const out = join(root, "dist/cli");
  if (!existsSync(join(root, "dist/index.js"))) throw new Error("dist/index.js is missing: run tsc first");
  // tsc has compiled src/cli/ file by file, for the type check; only the bundle and its types are shipped.
  const types = TYPES.map((name) => [name, readFileSync(join(out, name))]);
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out, { recursive: true });
  for (const [name, text] of types) writeFileSync(join(out, name), text);
  for (const file of await bundleCli({ outFile: join(out, "main.js") })) console.log(file.slice(root.length + 1));
}
