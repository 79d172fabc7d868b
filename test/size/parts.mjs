// What the parts of the main entry weigh, from the modules that tsc wrote, as the packed entry is one file.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { build, transform } from "esbuild";

/** A source's part: the folder below dist/, a file at its top, a dependency by its name. */
function partOf(input) {
  const dependency = /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(input);
  if (dependency) return dependency[1];
  if (input.endsWith("embedded.js")) return "the binaries as text";
  const [, first, rest] = /^dist\/([^/]+)(\/.*)?$/.exec(input);
  return rest === undefined ? "files at the top" : `${first}/`;
}

/** The modules of the main entry, each with the bytes that are left of it in a minified bundle. */
async function modules(root) {
  const { metafile } = await build({
    absWorkingDir: root,
    stdin: {
      contents: 'export * from "./dist/network.js"; export * from "./dist/core/instantiate.js";',
      resolveDir: root,
    },
    alias: { "#core": "./dist/core/source.embedded.js" },
    outdir: "dist",
    bundle: true,
    minify: true,
    format: "esm",
    metafile: true,
    write: false,
    logLevel: "silent",
  });
  const [{ inputs }] = Object.values(metafile.outputs);
  return Object.entries(inputs).filter(([input]) => input !== "<stdin>");
}

/**
 * A line per part: its minified bytes in the bundle, and the gzip of its modules alone, which in the bundle is a little
 * less.
 *
 * @param root the repository, built
 */
export async function weigh(root) {
  const parts = new Map();
  for (const [input, { bytesInOutput }] of await modules(root)) {
    const part = parts.get(partOf(input)) ?? { bytes: 0, text: "" };
    parts.set(partOf(input), part);
    const { code } = await transform(readFileSync(join(root, input), "utf8"), { minify: true });
    part.bytes += bytesInOutput;
    part.text += code;
  }
  const lines = [...parts].map(([name, { bytes, text }]) => ({
    name,
    bytes,
    gzip: gzipSync(text, { level: 9 }).length,
  }));
  return lines
    .sort((a, b) => b.gzip - a.gzip)
    .map(
      ({ name, bytes, gzip }) =>
        `  ${name.padEnd(24)} ${String(bytes).padStart(7)} bytes, gzip ${String(gzip).padStart(6)}`,
    )
    .join("\n");
}
