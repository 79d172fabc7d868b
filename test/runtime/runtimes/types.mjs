// The package's types as the oldest TypeScript reads them, without the DOM library and with every declaration checked.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { run } from "../process.mjs";

const PROGRAM = `import { type History, Network } from "chainrule";
import core from "chainrule/core.f32.wasm";

const network: Network = await Network.create({ inputs: 2, layers: [{ units: 1, activation: "sigmoid" }] });
export const history: History = await network.fit([[0, 1]], [1], { epochs: 2, optimizer: "adam" });
export const prediction: number | undefined = network.predict([[1, 2]]).data[0];
export const compiled: object = core;
// @ts-expect-error: no such option
network.fitSync([[0, 1]], [1], { epoch: 2 });
`;

export async function checkTypes({ consumer, seconds }) {
  const typescript = fileURLToPath(new URL("../tools/node_modules/typescript57", import.meta.url));
  if (!existsSync(typescript)) throw new Error("typescript57: not found: run node test/runtime/install.mjs first");
  writeFileSync(join(consumer, "types-main.ts"), PROGRAM);
  const args = [join(typescript, "bin", "tsc"), "--noEmit", "--strict", "--target", "es2022", "--lib", "es2022"];
  for (const [module, resolution] of [
    ["nodenext", "nodenext"],
    ["esnext", "bundler"],
  ]) {
    const options = ["--module", module, "--moduleResolution", resolution, "types-main.ts"];
    await run(process.execPath, { args: [...args, ...options], cwd: consumer, seconds });
  }
  return { version: JSON.parse(readFileSync(join(typescript, "package.json"), "utf8")).version };
}
