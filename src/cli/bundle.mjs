// Bundles the command line into dist/cli/main.js with the packages it needs, and writes their licences beside it.
// Run after tsc. What lies outside src/cli/ stays outside: the bundle imports ../index.js as any user does.
import { chmodSync, existsSync, mkdirSync, rmSync } from "node:fs";
import { dirname, join, resolve, sep } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";
import { writeLicences } from "../../assembly/licences.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const root = dirname(dirname(here));

/** "../index.ts" in a file of src/cli/ → "../index.js" in the bundle, where it lies in the same place; so are the other entries. */
const libraryOutside = {
  name: "library-outside",
  setup({ onResolve }) {
    onResolve({ filter: /^\.\.\// }, ({ path, importer }) => {
      const isEntry = /^\.\.\/(index|relaxed|export\/index|datasets\/[a-z]+)\.ts$/.test(path);
      if (!importer.startsWith(here + sep) || !isEntry) return undefined;
      return { path: path.replace(/\.ts$/, ".js"), external: true };
    });
  },
};

/** The library inside the bundle: one file that runs without dist/ (for tests). */
const libraryInside = {
  name: "library-inside",
  setup({ onResolve }) {
    onResolve({ filter: /^#core$/ }, () => ({ path: join(root, "src/core/source.embedded.ts") }));
  },
};

/**
 * Writes `outFile`, and LICENSES.txt beside it; `standalone` puts the library itself into the bundle too and writes no
 * licences (for tests).
 * @returns the names of the files written
 */
export async function bundleCli({ outFile, standalone = false }) {
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: ["src/cli/main.ts"],
    outfile: outFile,
    bundle: true,
    format: "esm",
    platform: "node",
    target: "node20.19",
    banner: { js: "#!/usr/bin/env node" },
    legalComments: "eof",
    metafile: true,
    logLevel: "warning",
    plugins: [standalone ? libraryInside : libraryOutside],
  });
  chmodSync(outFile, 0o755);
  if (standalone) return [outFile];
  const licenceFile = join(dirname(outFile), "LICENSES.txt");
  writeLicences(licenceFile, { heading: "main.js contains code of these packages.", inputs: metafile.inputs, root });
  return [outFile, licenceFile];
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(resolve(process.argv[1])).href) {
  const out = join(root, "dist/cli");
  if (!existsSync(join(root, "dist/index.js"))) throw new Error("dist/index.js is missing: run tsc first");
  // tsc has compiled src/cli/ file by file, for the type check; only the bundle is shipped.
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out, { recursive: true });
  for (const file of await bundleCli({ outFile: join(out, "main.js") })) console.log(file.slice(root.length + 1));
}
