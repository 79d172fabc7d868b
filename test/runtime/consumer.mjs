// A folder that uses the package as a user would: the packed tarball installed by npm, and the smoke program beside it.
import { copyFileSync, mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "./process.mjs";

/** Packs a package folder into `directory` as it is (its build is done) and gives the tarball's path. */
async function pack(packageFolder, directory) {
  const args = ["pack", "--ignore-scripts", "--json", "--offline", "--pack-destination", directory];
  const stdout = await run("npm", { args, cwd: packageFolder, seconds: 60 });
  const packed = JSON.parse(stdout);
  // npm 11 and older list the packages; newer ones key them by name.
  const [{ filename }] = Array.isArray(packed) ? packed : Object.values(packed);
  return join(directory, filename.replace("@", "").replace("/", "-"));
}

/**
 * Makes the consumer. Nothing is fetched: the package's only dependency is packed from the repository's own
 * `node_modules`.
 *
 * @param root the repository, built
 * @param directory an empty folder
 * @returns the consumer's folder, and a copy of the package's tarball
 */
export async function makeConsumer(root, directory) {
  const tarballs = join(directory, "tarballs");
  const consumer = join(directory, "consumer");
  mkdirSync(tarballs);
  mkdirSync(consumer);
  const packages = [
    await pack(root, tarballs),
    await pack(join(root, "node_modules", "@assemblyscript", "loader"), tarballs),
  ];
  writeFileSync(join(consumer, "package.json"), '{ "name": "consumer", "private": true, "type": "module" }\n');
  const args = [
    "install",
    "--offline",
    "--ignore-scripts",
    "--no-audit",
    "--no-fund",
    "--no-package-lock",
    ...packages,
  ];
  await run("npm", { args, cwd: consumer, seconds: 120 });
  copyFileSync(new URL("smoke.js", import.meta.url), join(consumer, "smoke.js"));
  // A tarball of its own for a checker that deletes the one beside it.
  const tarball = join(mkdtempSync(join(directory, "checked-")), "package.tgz");
  copyFileSync(packages[0], tarball);
  return { consumer, tarball };
}
