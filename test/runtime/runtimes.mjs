// Every runtime that the smoke program runs on, in the table's order.
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { runBrowser } from "./runtimes/browser.mjs";
import { runEdge } from "./runtimes/edge.mjs";
import { runBun, runDeno, runNode } from "./runtimes/node.mjs";
import { runMiniflare, runWorkerd } from "./runtimes/workerd.mjs";

const packages = join(dirname(fileURLToPath(import.meta.url)), "tools", "node_modules");
const inTools = (...path) => join(packages, ...path);

const node = (name, expect, relaxed = true) => ({
  run: (context) => runNode(name === "node20" ? process.execPath : inTools(name, "bin", "node"), context),
  expect,
  relaxed,
});
/** A browser page: `bundler` made its script, or none did; `compiles: false` forbids that under a strict policy. */
const page = (browser, options = {}) => ({
  run: (context) => runBrowser(browser, context),
  seconds: 120,
  relaxed: options.compiles !== false,
  ...options,
});

/**
 * `run(context)` gives `{ version, results }`; `seconds` (60) bounds it on a slow and busy machine; `expect` is what the
 * version must look like; `relaxed` says whether the relaxed core must run; `given`, whether the program gives the binaries
 * to the library as modules or addresses instead of using those carried.
 */
export const RUNTIMES = {
  node20: node("node20", /^20\./, false),
  node22: node("node22", /^22\./),
  node24: node("node24", /^24\./),
  node26: node("node26", /^26\./),
  deno: { run: (context) => runDeno(inTools("@deno", "linux-x64-glibc", "deno"), context), relaxed: true },
  bun: { run: (context) => runBun(inTools("@oven", "bun-linux-x64", "bin", "bun"), context), relaxed: true },
  workerd: { run: runWorkerd, seconds: 90 },
  "workerd-given": { run: runWorkerd, seconds: 90, given: true, relaxed: true },
  miniflare: { run: runMiniflare, seconds: 90 },
  "edge-runtime": { run: runEdge },
  chromium: page("chromium", { given: true }),
  "chromium-vite": page("chromium", { bundler: "vite" }),
  "chromium-esbuild": page("chromium", { bundler: "esbuild" }),
  "chromium-webpack": page("chromium", { bundler: "webpack" }),
  "chromium-rollup": page("chromium", { bundler: "rollup" }),
  "chromium-restricted": page("chromium", { compiles: false }),
  firefox: page("firefox", { given: true }),
  "firefox-vite": page("firefox", { bundler: "vite" }),
  "firefox-esbuild": page("firefox", { bundler: "esbuild" }),
  "firefox-restricted": page("firefox", { compiles: false }),
};
