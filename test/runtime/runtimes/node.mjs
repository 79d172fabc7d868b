// Node, Deno and Bun: the consumer's folder as it is, resolved by the runtime itself.
import { mkdtempSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "../process.mjs";
import { smokeCall } from "./program.mjs";

const program = (runtime) => `import { smoke } from "./smoke.js";
const version = globalThis.Deno?.version.deno ?? globalThis.Bun?.version ?? process.versions.node;
console.log(JSON.stringify({ version, results: await ${smokeCall(runtime)} }));
`;

/** Runs the smoke program with `command` and its arguments before the file's name. */
async function runProgram(command, args, { consumer, temporary, seconds, ...runtime }) {
  const file = `${runtime.name}-main.js`;
  writeFileSync(join(consumer, file), program(runtime));
  const home = mkdtempSync(join(temporary, `${runtime.name}-`)); // where a runtime keeps its caches
  const env = { ...process.env, HOME: home, DENO_DIR: home, DENO_NO_UPDATE_CHECK: "1", DO_NOT_TRACK: "1" };
  delete env.NODE_OPTIONS; // no flag may change what is tested
  return JSON.parse(await run(command, { args: [...args, file], cwd: consumer, env, seconds }));
}

/** Runs the smoke program in the Node binary at `binary`. */
export function runNode(binary, context) {
  return runProgram(binary, [], context);
}

/** In Deno without a permission, not even one to read files: imports need none. */
export function runDeno(binary, context) {
  return runProgram(binary, ["run", "--cached-only", "--no-lock", "--no-prompt"], context);
}

/** In Bun, which would otherwise fetch a package that it does not find. */
export function runBun(binary, context) {
  return runProgram(binary, ["--no-install"], context);
}
