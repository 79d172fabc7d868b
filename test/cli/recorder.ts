import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import type { Terminal } from "../../src/cli/terminal.ts";

/** A terminal that keeps what is written to it. */
export function recorder(options: { isTTY?: boolean; columns?: number; env?: Record<string, string> } = {}) {
  const { env = {}, ...shape } = options;
  const written = { out: "", err: "" };
  const terminal: Terminal = {
    stdout: { ...shape, write: (text) => (written.out += text) },
    stderr: { write: (text) => (written.err += text) },
    env,
  };
  return { terminal, written };
}

/** A directory that is removed after the tests of the file; `write` puts a file into it and gives its path. */
export function scratchFolder() {
  const folder = mkdtempSync(join(tmpdir(), "chainrule-test-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const path = (name: string) => join(folder, name);
  const write = (name: string, content: string | Uint8Array) => {
    writeFileSync(path(name), content);
    return path(name);
  };
  return { folder, path, write };
}
