// The frame of the scripts that check the packed package outside vitest: a consumer of the tarball in a temporary
// folder, named checks one after the other, a line for each, and counts for `.ci/run`.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { makeConsumer } from "./consumer.mjs";
import { killAll } from "./process.mjs";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** Thrown by a check that finds something else than it expects. */
export function expectEqual(what, got, expected) {
  if (!Object.is(got, expected)) throw new Error(`${what}: expected ${expected}, got ${got}`);
}

/**
 * Runs the checks of one script and sets the exit code: 0 only when all hold. The package must be built.
 *
 * Arguments of the script: `--only TEXT` runs the checks whose name contains it, `--counts FILE` writes
 * "PASSED FAILED"; the names in `flags` are flags of its own.
 *
 * @param makeChecks gets `{ consumer, temporary, root, flags }` and gives `{ name, check }`s; `check` may be async, throws
 * where something does not hold, and may give a text that is printed beside the name
 */
export async function runChecks(makeChecks, flags = []) {
  const own = Object.fromEntries(flags.map((flag) => [flag, { type: "boolean", default: false }]));
  const { values } = parseArgs({ options: { only: { type: "string" }, counts: { type: "string" }, ...own } });
  const temporary = mkdtempSync(join(tmpdir(), "chainrule-checks-"));
  const cleanUp = () => {
    killAll();
    rmSync(temporary, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
    process.once(signal, () => {
      cleanUp();
      process.exit(1);
    });
  }
  try {
    await makeConsumer(root, temporary);
    const consumer = join(temporary, "consumer");
    const checks = await makeChecks({ consumer, temporary, root, flags: values });
    const outcomes = [];
    for (const { name, check } of checks) {
      if (values.only === undefined || name.includes(values.only)) outcomes.push(await report(name, check));
    }
    const passed = outcomes.filter(Boolean).length;
    const failed = outcomes.length - passed;
    console.log(`${passed} hold, ${failed} do not`);
    if (values.counts) writeFileSync(values.counts, `${passed} ${failed}\n`);
    process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
  } finally {
    cleanUp();
  }
}

async function report(name, check) {
  try {
    const detail = await check();
    console.log(`holds   ${name}${detail === undefined ? "" : `: ${detail}`}`);
    return true;
  } catch (error) {
    console.log(`FAILED  ${name}: ${error.message}`);
    return false;
  }
}
