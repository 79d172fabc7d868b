// node test/runtime/install.mjs: fetches what the runtime test runs on. The npm packages of tools/package-lock.json go
// to tools/node_modules; browsers and a library that Node 26 needs are Debian's, installed with apt-get when they are
// missing (as root).
import { createHash } from "node:crypto";
import { accessSync, constants, existsSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { run } from "./process.mjs";

const tools = join(dirname(fileURLToPath(import.meta.url)), "tools");

/** Debian's packages, each with the question whether what it brings is there. */
const DEBIAN_PACKAGES = {
  chromium: async () => onPath("chromium"),
  "firefox-esr": async () => onPath("firefox-esr"),
  wabt: async () => onPath("spectest-interp"),
  libatomic1: () => starts(join(tools, "node_modules", "node26", "bin", "node")),
};

function onPath(command) {
  return (process.env.PATH ?? "").split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, command), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** Whether a program starts: it does not when a shared library is missing. */
async function starts(command) {
  try {
    await run(command, { args: ["--version"], seconds: 30 });
    return true;
  } catch {
    return false;
  }
}

/** `npm ci` in tools/, unless this very lock file was installed before. */
async function installTools() {
  const lock = createHash("sha256")
    .update(readFileSync(join(tools, "package-lock.json")))
    .digest("hex");
  const stamp = join(tools, "node_modules", ".installed-lock");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === lock) {
    console.log("npm packages: installed");
    return;
  }
  console.log("npm packages: installing");
  await run("npm", { args: ["ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd: tools, seconds: 900 });
  writeFileSync(stamp, lock);
}

async function installDebianPackages() {
  const missing = [];
  for (const [name, present] of Object.entries(DEBIAN_PACKAGES)) if (!(await present())) missing.push(name);
  if (missing.length === 0) {
    console.log("Debian packages: installed");
    return;
  }
  const list = missing.join(" ");
  if (!onPath("apt-get") || process.getuid?.() !== 0) {
    throw new Error(`missing: ${list}; installing needs apt-get and root. On Debian, as root: apt-get install ${list}`);
  }
  console.log(`Debian packages: installing ${list}`);
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  const options = ["-y", "-o", "Acquire::Retries=3", "-o", "DPkg::Lock::Timeout=120"];
  await run("apt-get", { args: [...options, "update"], env, seconds: 300 });
  await run("apt-get", { args: [...options, "install", "--no-install-recommends", ...missing], env, seconds: 1200 });
  for (const name of missing) {
    if (!(await DEBIAN_PACKAGES[name]())) throw new Error(`${name}: installed, and what it brings is still missing`);
  }
}

try {
  await installTools();
  await installDebianPackages();
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
