// node test/docs/run.mjs [--only TEXT] [--counts FILE], after `npm run build` and `node test/runtime/install.mjs`.
//
// The programs of docs/runtimes/, taken from the pages as they stand, run on their runtimes with the packed package.
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expectEqual, runChecks } from "../runtime/checks.mjs";
import { runPage } from "./browser.mjs";
import { readPage } from "./pages.mjs";
import { linkTool, runCommand, runEdgeFunction, runWorker } from "./runtimes.mjs";

const PAGES = new URL("../../docs/runtimes/", import.meta.url);

/** Commands in turn; what a block of them prints is what stands below it. */
async function runSteps({ steps }, folder) {
  if (steps.length === 0) throw new Error("the page has no command");
  for (const { commands, output } of steps) {
    const printed = [];
    for (const command of commands) printed.push(await runCommand(command, folder));
    expectEqual(commands.join("; "), printed.join("\n"), output);
  }
}

/** The commands make bundles in out/; each prints in Node what stands on the page. */
async function runBundlers({ steps, outputs }, folder) {
  linkTool("@rollup/plugin-node-resolve", folder);
  for (const { commands } of steps) for (const command of commands) await runCommand(command, folder);
  const bundles = readdirSync(join(folder, "out")).filter((name) => name.endsWith(".mjs"));
  expectEqual("bundles", bundles.length, steps.flatMap(({ commands }) => commands).length);
  // Nothing may come from the package any more.
  const alone = join(folder, "..", "..", "bundles");
  cpSync(join(folder, "out"), alone, { recursive: true });
  for (const name of bundles) expectEqual(name, await runCommand(`node ${name}`, alone), outputs[""]);
  return bundles.join(", ");
}

async function runBrowserPage({ outputs }, folder, { consumer, temporary }) {
  cpSync(join(consumer, "node_modules"), join(folder, "node_modules"), { recursive: true });
  expectEqual("page", await runPage(folder, temporary, { compiles: true }), outputs[""]);
  const label = "without wasm-unsafe-eval";
  expectEqual(label, await runPage(folder, temporary, { compiles: false }), outputs[label]);
}

const answers =
  (runOn) =>
  async ({ outputs }, folder) =>
    expectEqual("answer", await runOn(folder), outputs[""]);

const RUN = {
  "node.md": runSteps,
  "deno.md": runSteps,
  "bun.md": runSteps,
  "cloudflare-workers.md": answers(runWorker),
  "edge-functions.md": answers(runEdgeFunction),
  "browsers.md": runBrowserPage,
  "bundlers.md": runBundlers,
};

await runChecks(({ consumer, temporary }) => {
  const names = readdirSync(PAGES).filter((name) => name !== "README.md");
  return [...new Set([...names, ...Object.keys(RUN)])].map((name) => ({
    name: `docs/runtimes/${name}`,
    check: async () => {
      if (!Object.hasOwn(RUN, name)) throw new Error("no test runs this page");
      const page = readPage(readFileSync(new URL(name, PAGES), "utf8"));
      const folder = join(consumer, name.replace(".md", ""));
      mkdirSync(folder);
      for (const [file, contents] of Object.entries(page.files)) writeFileSync(join(folder, file), contents);
      return RUN[name](page, folder, { consumer, temporary });
    },
  }));
});
