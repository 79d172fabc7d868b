import { readFileSync } from "node:fs";

/** The package's version; package.json lies two directories up from src/cli/ and from dist/cli/. */
export function versionText(): string {
  return JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")).version;
}
