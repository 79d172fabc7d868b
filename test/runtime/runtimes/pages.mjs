// The pages that browsers open, and the server that hands them out on loopback under a content security policy. A page
// sends its results back to the server, so that no browser driver is needed.
import { readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join, normalize, relative } from "node:path";
import { bundle } from "./bundlers.mjs";
import { smokeCall } from "./program.mjs";

const TYPES = { ".html": "text/html", ".js": "text/javascript", ".wasm": "application/wasm" };
const NONCE = "import-map";

/** A page that gives the library its binaries by address and as the response that brings one. */
const GIVING = `import { init } from "chainrule";
const binary = (name) => new URL("/node_modules/chainrule/dist/core/core." + name + ".wasm", location);
await init({ kind: "simd", float32: binary("f32"), float64: binary("f64").href });
await init({ kind: "relaxed", float32: fetch(binary("f32.relaxed")), float64: await fetch(binary("f64.relaxed")) });
`;

/** What every page does: run the smoke program and send what it gives. */
const program = (runtime) => `${runtime.given ? GIVING : ""}import { smoke } from "./smoke.js";
const results = await ${smokeCall(runtime)};
await fetch("/results", { method: "POST", body: JSON.stringify({ results, agent: navigator.userAgent }) });
`;

/** Runs before the program: an error on the page, a script that does not load or is refused, ends the test at once. */
const WATCH = `const fail = (message) => fetch("/results", { method: "POST", body: JSON.stringify({ message }) });
addEventListener("error", (event) => fail(event.message ?? "did not load: " + event.target.src), true);
addEventListener("unhandledrejection", (event) => fail(String(event.reason)));
`;

/** The package's `exports` and `imports` as an import map for unbundled pages. */
function importMap(consumer) {
  const imports = {};
  for (const name of ["chainrule", "@assemblyscript/loader"]) {
    const folder = `/node_modules/${name}/`;
    const meta = JSON.parse(readFileSync(join(consumer, folder, "package.json"), "utf8"));
    const main = meta.exports["."]?.default ?? meta.exports.import;
    imports[name] = new URL(main, `file://${folder}`).pathname;
    for (const [subpath, { default: file } = {}] of Object.entries(meta.exports)) {
      if (file?.endsWith(".js")) imports[join(name, subpath)] = new URL(file, `file://${folder}`).pathname;
    }
    for (const [key, conditions] of Object.entries(meta.imports ?? {})) {
      imports[key] = new URL(conditions.default, `file://${folder}`).pathname;
    }
  }
  return JSON.stringify({ imports });
}

/**
 * Writes `NAME.html` and its scripts into the consumer: the package's own files through an import map, or one file that
 * a bundler makes.
 *
 * @param context.name of the run
 * @param context.bundler esbuild, vite, rollup or webpack; none for the import map
 */
export async function writePage(context) {
  const { name, consumer, bundler } = context;
  const entry = join(consumer, `${name}-main.js`);
  writeFileSync(entry, program(context));
  writeFileSync(join(consumer, "watch.js"), WATCH);
  const file = bundler === undefined ? entry : await bundle(bundler, entry, context);
  const script = `<script type="module" src="/${relative(consumer, file)}"></script>`;
  const map = `<script type="importmap" nonce="${NONCE}">${importMap(consumer)}</script>`;
  const html = `<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><title>${name}</title>
<script src="/watch.js"></script>
${bundler === undefined ? map + script : script}
`;
  writeFileSync(join(consumer, `${name}.html`), html);
}

/** Strict on every page; one that may compile nothing has no `wasm-unsafe-eval`, and the JS core must take over. */
function policy(compiles) {
  return `default-src 'self'; img-src data:; script-src 'self' 'nonce-${NONCE}'${compiles ? " 'wasm-unsafe-eval'" : ""}`;
}

/** Serves the consumer's files, and resolves `posted` with what the page sends to /results. */
export async function serve({ consumer, compiles = true }) {
  let settle;
  const posted = new Promise((resolve) => {
    settle = resolve;
  });
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url, "http://127.0.0.1");
    if (pathname === "/results") {
      const chunks = [];
      request.on("data", (chunk) => chunks.push(chunk));
      request.on("end", () => {
        settle(JSON.parse(Buffer.concat(chunks).toString("utf8")));
        response.end();
      });
      return;
    }
    try {
      const contents = readFileSync(join(consumer, normalize(decodeURIComponent(pathname))));
      response.setHeader("content-type", TYPES[extname(pathname)] ?? "application/octet-stream");
      response.setHeader("content-security-policy", policy(compiles));
      response.end(contents);
    } catch {
      response.statusCode = 404;
      response.end();
    }
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const close = () => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  };
  return { address: `http://127.0.0.1:${server.address().port}`, posted, close };
}
