// The licences of packages that a bundle contains, in a file that is shipped beside it.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Packages that are published without their licence, and the package of the same project that has it. */
const ELSEWHERE = { "@assemblyscript/loader": "../../assemblyscript" };

/** The folders of the packages that files of the bundle come from. */
function packagesIn(inputs) {
  const folders = Object.keys(inputs).map((file) => /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(file)?.[1]);
  return [...new Set(folders.filter((folder) => folder !== undefined))].sort();
}

function licenceText(folder) {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const home = Object.hasOwn(ELSEWHERE, name) ? join(folder, ELSEWHERE[name]) : folder;
  const files = readdirSync(home);
  const file = files.find((entry) => /^(licen[cs]e|copying)(\..*)?$/i.test(entry));
  if (!file) throw new Error(`${folder}: has no licence file to ship`);
  // What a licence asks to hand on beside it.
  const notice = files.find((entry) => /^notice(\..*)?$/i.test(entry));
  const texts = [file, notice]
    .filter((entry) => entry !== undefined)
    .map((entry) => readFileSync(join(home, entry), "utf8").trim());
  return `${[`${name} ${version} (${license})`, ...texts].join("\n\n")}\n`;
}

/**
 * Writes the licences of the packages in `inputs` (paths relative to `root`, as esbuild's metafile names them) below a
 * line that says what they are.
 */
export function writeLicences(file, { heading, inputs, root }) {
  const licences = packagesIn(inputs).map((folder) => licenceText(join(root, folder)));
  writeFileSync(file, [`${heading}\n`, ...licences].join(`\n${"─".repeat(80)}\n\n`));
}
