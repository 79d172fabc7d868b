// Browsers, headless, each with a fresh profile and nothing but loopback within reach.
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { lastLines, start, within } from "../process.mjs";
import { serve, writePage } from "./pages.mjs";

export const CHROMIUM_FLAGS = [
  "--headless",
  "--no-sandbox", // root, as in containers; the only page is our own
  "--disable-gpu",
  "--disable-quic",
  "--disable-dev-shm-usage",
  "--disable-breakpad",
  "--no-first-run",
  "--no-default-browser-check",
  "--disable-extensions",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
];

/** Quiet, and no way out but loopback, which a proxy setting never covers. */
const FIREFOX_PREFERENCES = {
  "app.normandy.enabled": false,
  "app.update.enabled": false,
  "browser.aboutwelcome.enabled": false,
  "browser.shell.checkDefaultBrowser": false,
  "browser.startup.homepage_override.mstone": "ignore",
  "datareporting.policy.dataSubmissionEnabled": false,
  "network.captive-portal-service.enabled": false,
  "network.connectivity-service.enabled": false,
  "network.proxy.type": 1,
  "network.proxy.http": "127.0.0.1",
  "network.proxy.http_port": 9,
  "network.proxy.ssl": "127.0.0.1",
  "network.proxy.ssl_port": 9,
  "toolkit.telemetry.reportingpolicy.firstRun": false,
};

function chromiumArguments(profile, url) {
  return [...CHROMIUM_FLAGS, `--user-data-dir=${profile}`, url];
}

function firefoxArguments(profile, url) {
  const lines = Object.entries(FIREFOX_PREFERENCES).map(
    ([name, value]) => `user_pref(${JSON.stringify(name)}, ${JSON.stringify(value)});\n`,
  );
  writeFileSync(join(profile, "user.js"), lines.join(""));
  return ["--headless", "--no-remote", "--new-instance", "--profile", profile, url];
}

const BROWSERS = {
  chromium: { command: "chromium", argumentsFor: chromiumArguments, agent: /Chrome\/(\d+)/ },
  firefox: { command: "firefox-esr", argumentsFor: firefoxArguments, agent: /Firefox\/([\d.]+)/ },
};

/** Writes the page of this run, opens it in a browser and waits for its results. */
export async function runBrowser(browserName, context) {
  const { temporary, seconds, name } = context;
  const { command, argumentsFor, agent: version } = BROWSERS[browserName];
  await writePage(context);
  const home = mkdtempSync(join(temporary, `${name}-`));
  const profile = join(home, "profile");
  mkdirSync(profile);
  const server = await serve(context);
  const browser = start(command, {
    args: argumentsFor(profile, `${server.address}/${name}.html`),
    cwd: home,
    env: { ...process.env, HOME: home, TMPDIR: home, XDG_RUNTIME_DIR: home, MOZ_CRASHREPORTER_DISABLE: "1" },
  });
  try {
    const ended = browser.exited.then(({ code }) => {
      throw new Error(`${command}: ended with code ${code}\n${lastLines(browser.output.stderr)}`);
    });
    ended.catch(() => {}); // the stop below ends it too
    const { results, agent, message } = await within(
      seconds,
      Promise.race([server.posted, ended]),
      `${command}: the page sent no results`,
    );
    if (message !== undefined) throw new Error(`on the page: ${message}`);
    return { version: version.exec(agent)?.[1] ?? agent, results };
  } finally {
    await browser.stop();
    await server.close();
  }
}
