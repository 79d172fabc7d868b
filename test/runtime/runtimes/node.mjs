// Node: the consumer's folder as it is, resolved by Node itself.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "../process.mjs";

const PROGRAM = `import { smoke } from "./smoke.js";
process.stdout.write(JSON.stringify({ version: process.version.slice(1), results: await smoke() }));
`;

/** Runs the smoke program in the Node binary at `binary`. */
export async function runNode(binary, { consumer, seconds }) {
  writeFileSync(join(consumer, "node-main.js"), PROGRAM);
  const env = { ...process.env };
  delete env.NODE_OPTIONS; // no flag may change what is tested
  return JSON.parse(await run(binary, { args: ["node-main.js"], cwd: consumer, env, seconds }));
}
