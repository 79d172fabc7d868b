import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { build } from "esbuild";
import { beforeAll, describe, expect, test } from "vitest";
import { bundleCli } from "../src/cli/bundle.mjs";
import { Network } from "../src/index.ts";
import { scratchFolder } from "./cli/recorder.ts";

interface Block {
  language: string;
  code: string;
  line: number;
}

const README = readFileSync("README.md", "utf8");
const PACKAGE = JSON.parse(readFileSync("package.json", "utf8"));

const blocksOf = (text: string): Block[] =>
  [...text.matchAll(/^```(\S*)\n(.*?)^```$/gms)].map((match) => ({
    language: match[1] as string,
    code: match[2] as string,
    line: text.slice(0, match.index).split("\n").length,
  }));
const BLOCKS = blocksOf(README);
const TRAINING = readFileSync("docs/training.md", "utf8");

// A project that has the package installed: the library and the command line, each bundled from the sources.
const { folder, path } = scratchFolder();
beforeAll(async () => {
  mkdirSync(path("node_modules/chainrule/dist/cli"), { recursive: true });
  const { name, version, type } = PACKAGE;
  const manifest = { name, version, type, exports: "./dist/index.js" };
  writeFileSync(path("node_modules/chainrule/package.json"), JSON.stringify(manifest));
  await build({
    entryPoints: ["src/index.ts"],
    outfile: path("node_modules/chainrule/dist/index.js"),
    bundle: true,
    format: "esm",
    platform: "neutral",
    mainFields: ["module", "main"],
    alias: { "#core": "./src/core/source.embedded.ts" },
    logLevel: "warning",
  });
  await bundleCli({ outFile: path("node_modules/chainrule/dist/cli/main.js"), standalone: true });
});

const node = (...args: string[]) =>
  execFileSync(process.execPath, args, { cwd: folder, encoding: "utf8", stdio: "pipe" });

/** A program prints what its comments after console.log say, in this order. */
function runProgram({ code, line }: Block): void {
  const file = path(`line${line}.mjs`);
  writeFileSync(file, code);
  const expected = [...code.matchAll(/console\.log\(.*\); \/\/ (.*)$/gm)].map((match) => match[1]);
  expect(expected.length).toBe(code.match(/console\.log/g)?.length);
  expect(node(file).trimEnd().split("\n")).toEqual(expected);
}

/** One command of a shell block: the program is run, npm's commands are held against package.json. */
function runCommand(command: string): void {
  const [program, ...args] = command.split(" ");
  if (program === "npx" && args[0] === "chainrule") {
    node("node_modules/chainrule/dist/cli/main.js", ...args.slice(1));
    return;
  }
  expect(program, command).toBe("npm");
  const [verb, ...rest] = args;
  if (verb === "ci" || verb === "pack") expect(rest).toEqual([]);
  else if (verb === "run") expect(Object.keys(PACKAGE.scripts)).toContain(rest[0]);
  else if (verb === "start" || verb === "test") expect(Object.keys(PACKAGE.scripts)).toContain(verb);
  else expect(args).toEqual(["install", `./${PACKAGE.name}-${PACKAGE.version}.tgz`]);
}

describe("every code block of the README runs", () => {
  test("there are programs and commands, and nothing else", () => {
    const languages = BLOCKS.map(({ language }) => language);
    expect(languages.filter((language) => language === "js").length).toBeGreaterThan(1);
    expect([...new Set(languages)].sort()).toEqual(["js", "sh"]);
    expect(README.match(/^```/gm)?.length).toBe(2 * BLOCKS.length);
  });

  // In the order of the page: the last program reads what the commands above it wrote.
  test.each(BLOCKS)("line $line: $language", (block) => {
    if (block.language === "js") runProgram(block);
    else for (const command of block.code.trim().split(/\n| && /)) runCommand(command);
  });
});

describe("docs/training.md", () => {
  test.each(blocksOf(TRAINING))("line $line: $language", (block) => {
    expect(block.language).toBe("js");
    runProgram(block);
  });

  /** What the library itself says it knows: the list in the error for a name that it does not. */
  const known = (call: () => unknown): string[] => {
    try {
      call();
    } catch (error) {
      const [, names = ""] = /(?:expected|the options are) (.*?)(?:, got.*)?$/.exec((error as Error).message) ?? [];
      return names.split(/, | and | or /).map((name) => name.replace("top3", "top2"));
    }
    throw new Error("expected an error");
  };
  const layer = (more: object, spec: object = {}) =>
    Network.createSync({ inputs: 1, layers: [{ units: 1, ...more }], ...spec } as never);
  const softmax = () => Network.createSync({ inputs: 1, layers: [{ units: 3, activation: "softmax" }] });
  const fitWith = (options: object) => layer({}).fitSync([[1]], [1], options);
  const optimizers = known(() => fitWith({ optimizer: "zzzzzzzz" }));

  test.each([
    ["layers", () => layer({ type: "zzzzzzzz" })],
    ["options of dense layers", () => layer({ zzzzzzzz: 1 })],
    ["activations", () => layer({ activation: "zzzzzzzz" })],
    ["initial values", () => layer({ init: "zzzzzzzz" })],
    ["losses", () => layer({}, { loss: "zzzzzzzz" })],
    [
      "options of losses",
      () => layer({ activation: "sigmoid" }, { loss: { type: "binaryCrossEntropy", zzzzzzzz: 1 } }),
    ],
    ["options of fit", () => fitWith({ zzzzzzzz: 1 })],
    ["optimizers", () => fitWith({ optimizer: "zzzzzzzz" })],
    ["schedules", () => fitWith({ schedule: { type: "zzzzzzzz" } })],
    ["metrics of classes", () => softmax().evaluate([[1]], [1], { metrics: ["zzzzzzzz" as never] })],
    ["options of early stopping", () => fitWith({ earlyStopping: { zzzzzzzz: 1 } })],
    ...optimizers.map((type): [string, () => unknown] => [
      `options of ${type}`,
      () => fitWith({ optimizer: { type, zzzzzzzz: 1 } }),
    ]),
  ])("names all %s", (what, call) => {
    const names = known(call);
    expect(names.length).toBeGreaterThan(what === "options of lbfgs" ? 0 : 1);
    for (const name of names) {
      const [, base = name] = /^(precision|recall|f1)(?:Macro|Micro|Weighted)$/.exec(name) ?? [];
      expect(TRAINING, name).toMatch(new RegExp(`\\b${base}\\b`));
    }
  });
});

test("the two commands are npm ci && npm start and npm ci && npm test, each in a block of its own", () => {
  const codes = BLOCKS.map(({ code }) => code);
  expect(codes).toContain("npm ci && npm start\n");
  expect(codes).toContain("npm ci && npm test\n");
});

describe("the table of calls", () => {
  const calls = [...README.matchAll(/^\| `((?:Network\.)?\w+)\(/gm)].map((match) => match[1] as string);
  const named = (owner: object) =>
    Object.getOwnPropertyNames(owner).filter(
      (name) => typeof Object.getOwnPropertyDescriptor(owner, name)?.value === "function" && name !== "constructor",
    );

  test("names every public method of Network, once, and no other", () => {
    const methods = [...named(Network).map((name) => `Network.${name}`), ...named(Network.prototype)];
    expect([...calls].sort()).toEqual(methods.sort());
  });

  test("the list of properties names every public property", () => {
    const listed = /^Properties: (.*)\.$/m.exec(README)?.[1]?.match(/\w+/g) ?? [];
    const network = Network.createSync({ inputs: 1, layers: [{ units: 1 }] });
    for (const name of listed) expect(name in network, name).toBe(true);
    const getters = Object.entries(Object.getOwnPropertyDescriptors(Network.prototype)).filter(([, { get }]) => get);
    for (const [name] of getters) expect(listed).toContain(name);
  });
});

test("every export of the package and every subpath it names is there", async () => {
  for (const name of Object.keys(await import("../src/index.ts")))
    expect(README).toMatch(new RegExp(`\`.*\\b${name}\\b.*\``));
  for (const [, path] of README.matchAll(/`chainrule\/([\w./]+)`/g))
    expect(Object.keys(PACKAGE.exports)).toContain(`./${path}`);
});

test("links to files lead somewhere", () => {
  const links = [...README.matchAll(/\]\((?!https?:)([^)#]+)\)/g)].map((match) => match[1] as string);
  expect(links.length).toBeGreaterThan(3);
  for (const link of links) expect(() => readFileSync(link), link).not.toThrow(/ENOENT/);
});
