// The package as its consumers' tools see it: other ways to import it in Node, every subpath, and the checkers of packages.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { run } from "../process.mjs";

const tools = fileURLToPath(new URL("../tools/node_modules/", import.meta.url));

/** Every subpath does something, in the module system that `imports` is written for. */
const program = (imports) => `${imports}
(async () => {
  const failed = [];
  const expect = (what, holds) => holds || failed.push(what);
  const { x, y, columns, classes } = iris();
  expect("iris", x.shape.join() === "150,4" && y.length === 150 && columns.length === 4 && classes.length === 3);
  expect("digits and diabetes", digits().y.length === 1797 && diabetes().y.length === 442);
  const layers = [{ units: 3, activation: "softmax" }];
  const network = await Network.create({ inputs: 4, layers });
  await network.fit(x, y, { epochs: 60, optimizer: { type: "adam", learningRate: 0.05 } });
  expect("learns", network.evaluate(x, y).accuracy > 0.9);
  const fused = await init(relaxed()).then(() => Network.create({ inputs: 4, layers }, { core: "relaxed" }));
  expect("relaxed", fused.core === "relaxed");
  const written = [];
  const sink = { write: (text) => written.push(text) };
  const code = await cli(["data", "iris"], { stdout: sink, stderr: sink, env: {} });
  expect("cli", code === 0 && written.join("").match(/versicolor/g)?.length === 50);
  if (failed.length > 0) throw new Error(failed.join());
  console.log(process.versions.node);
})();
`;

const NAMES = { "": "Network, init", "/relaxed": "relaxed", "/datasets": "diabetes, digits, iris" };
const ESM = Object.entries({ ...NAMES, "/cli": "run as cli" }).map(
  ([path, names]) => `import { ${names} } from "chainrule${path}";`,
);
const REQUIRE = Object.entries({ ...NAMES, "/cli": "run: cli" }).map(
  ([path, names]) => `const { ${names} } = require("chainrule${path}");`,
);

/** All subpaths by `import` and by `require` of modules, in a Node that has it without a flag. */
export async function checkModules({ consumer, seconds }) {
  const node = join(tools, "node22", "bin", "node");
  const env = { ...process.env };
  delete env.NODE_OPTIONS;
  let version;
  for (const [file, imports] of [
    ["subpaths.mjs", ESM],
    ["subpaths.cjs", REQUIRE],
  ]) {
    writeFileSync(join(consumer, file), program(imports.join("\n")));
    version = (await run(node, { args: ["--no-warnings", file], cwd: consumer, env, seconds })).trim();
  }
  const bin = join(consumer, "node_modules", ".bin", "chainrule");
  const written = await run(bin, { args: ["--version"], cwd: consumer, seconds });
  const { version: expected } = JSON.parse(
    readFileSync(join(consumer, "node_modules", "chainrule", "package.json"), "utf8"),
  );
  if (written !== `${expected}\n`) throw new Error(`chainrule --version: expected ${expected}, got ${written}`);
  return { version };
}

/** A tool of tools/ by its program, and its version. */
function tool(name, program) {
  const folder = join(tools, name);
  if (!existsSync(folder)) throw new Error(`${name}: not found: run node test/runtime/install.mjs first`);
  const { version } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  return { version, script: join(folder, program) };
}

/** publint --strict on the package as it was installed. */
export async function checkPublint({ consumer, seconds }) {
  const { version, script } = tool("publint", "src/cli.js");
  const args = [script, "run", "--strict", join(consumer, "node_modules", "chainrule")];
  await run(process.execPath, { args, cwd: consumer, seconds });
  return { version };
}

/** Are the types wrong? As a package of modules alone, on the tarball. The binaries are no modules with types to resolve. */
export async function checkAttw({ tarball, consumer, seconds }) {
  const { version, script } = tool("@arethetypeswrong/cli", "dist/index.js");
  const args = [script, tarball, "--profile", "esm-only", "--format", "ascii", "--no-emoji"];
  await run(process.execPath, { args, cwd: consumer, seconds });
  return { version };
}
