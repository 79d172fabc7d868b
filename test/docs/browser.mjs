// A page in headless Chromium, served on loopback under a content security policy.
import { mkdtempSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import { lastLines, start, within } from "../runtime/process.mjs";
import { CHROMIUM_FLAGS } from "../runtime/runtimes/browser.mjs";

const TYPES = { ".html": "text/html", ".js": "text/javascript" };
/** Sends what the page puts into its output, or the first error, back to the server. */
const WATCH = `const send = (body) => fetch("/result", { method: "POST", body: JSON.stringify(body) });
addEventListener("error", (event) => send({ error: event.message ?? "did not load: " + event.target.src }), true);
addEventListener("unhandledrejection", (event) => send({ error: String(event.reason) }));
addEventListener("DOMContentLoaded", () => {
  const output = document.querySelector("output");
  new MutationObserver(() => send({ text: output.textContent })).observe(output, { childList: true });
});
`;
// The page's own script is inline; the policy in question is the one for WebAssembly.
const policy = (compiles) =>
  `default-src 'self'; script-src 'self' 'unsafe-inline'${compiles ? " 'wasm-unsafe-eval'" : ""}`;

function serve(folder, compiles) {
  let settle;
  const result = new Promise((resolve) => {
    settle = resolve;
  });
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url, "http://127.0.0.1");
    if (pathname === "/result") {
      let body = "";
      for await (const chunk of request) body += chunk;
      settle(JSON.parse(body));
      response.end();
      return;
    }
    try {
      const watch = pathname === "/watch.js";
      const contents = watch ? WATCH : readFileSync(join(folder, normalize(decodeURIComponent(pathname))), "utf8");
      response.setHeader("content-type", TYPES[extname(pathname)] ?? "application/octet-stream");
      response.setHeader("content-security-policy", policy(compiles));
      response.end(
        pathname.endsWith(".html") ? contents.replace("<output>", '<script src="/watch.js"></script>$&') : contents,
      );
    } catch {
      response.statusCode = 404;
      response.end();
    }
  });
  return { server, result };
}

/** Opens `page.html` of `folder` and gives what it wrote into its output. */
export async function runPage(folder, temporary, { compiles }) {
  const { server, result } = serve(folder, compiles);
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const home = mkdtempSync(join(temporary, "chromium-"));
  const url = `http://127.0.0.1:${server.address().port}/page.html`;
  const browser = start("chromium", {
    args: [...CHROMIUM_FLAGS, `--user-data-dir=${join(home, "profile")}`, url],
    cwd: home,
    env: { ...process.env, HOME: home, TMPDIR: home, XDG_RUNTIME_DIR: home },
  });
  try {
    const ended = browser.exited.then(({ code }) => {
      throw new Error(`chromium: ended with code ${code}\n${lastLines(browser.output.stderr)}`);
    });
    ended.catch(() => {}); // the stop below ends it too
    const { text, error } = await within(90, Promise.race([result, ended]), "chromium: the page wrote nothing");
    if (error !== undefined) throw new Error(`on the page: ${error}`);
    return text;
  } finally {
    await browser.stop();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}
