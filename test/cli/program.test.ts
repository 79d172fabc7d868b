import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { bundleCli } from "../../src/cli/bundle.mjs";
import { irisCsv } from "../../src/datasets/index.ts";
import { scratchFolder } from "./recorder.ts";

// The program as a process: bundled with the library inside, so that no dist/ is needed.
const { folder, path, write } = scratchFolder();
const program = path("dist/cli/main.js");
const { version } = JSON.parse(readFileSync("package.json", "utf8"));

beforeAll(async () => {
  mkdirSync(dirname(program), { recursive: true });
  copyFileSync("package.json", path("package.json"));
  await bundleCli({ outFile: program, standalone: true });
  write("iris.csv", irisCsv());
});

const ended = (child: ChildProcess) =>
  new Promise<{ code: number | null; out: string; err: string }>((resolve) => {
    let out = "";
    let err = "";
    child.stdout?.on("data", (chunk) => (out += chunk));
    child.stderr?.on("data", (chunk) => (err += chunk));
    child.on("close", (code) => resolve({ code, out, err }));
  });

const start = (...args: string[]) => spawn(process.execPath, [program, ...args], { cwd: folder });

describe("chainrule as a process", () => {
  test("--version prints the package's version, from any directory", async () => {
    expect(await ended(start("--version"))).toEqual({ code: 0, out: `${version}\n`, err: "" });
  });

  test("the file is executable and names its interpreter", () => {
    expect(statSync(program).mode & 0o111).toBe(0o111);
    expect(execFileSync(program, ["--help"], { encoding: "utf8" })).toMatch(/^Usage: chainrule COMMAND/);
  });

  test("train on the iris writes iris.chainrule into the current directory", async () => {
    const { code, out, err } = await ended(start("train", "iris.csv", "--target", "species", "--epochs", "3"));
    expect(err).toBe("");
    expect(code).toBe(0);
    expect(out).toMatch(/\nmodel: iris\.chainrule\n$/);
    expect(existsSync(path("iris.chainrule"))).toBe(true);
  });

  test("errors end with 1, wrong usage with 2, in one line on the standard error", async () => {
    expect(await ended(start("train", "none.csv", "--target", "x"))).toEqual({
      code: 1,
      out: "",
      err: "chainrule: none.csv: no such file\n",
    });
    expect(await ended(start("train", "--what"))).toMatchObject({ code: 2, out: "" });
  });

  test("Ctrl-C during the training: one line, exit code 130, no model and nothing half-written", async () => {
    const child = start("train", "--epochs", "100000000", "--output", "interrupted.chainrule");
    const result = ended(child);
    await new Promise((resolve) => child.stdout?.once("data", resolve));
    setTimeout(() => child.kill("SIGINT"), 200);
    const { code, err } = await result;
    expect(err).toBe("chainrule: interrupted; no model was saved\n");
    expect(code).toBe(130);
    expect(readdirSync(folder).filter((name) => name.includes("interrupted"))).toEqual([]);
  });

  test("a reader that goes away ends the program without a stack trace, and not with 0", async () => {
    const child = start("data", "digits");
    const result = ended(child);
    child.stdout?.destroy();
    const { code, err } = await result;
    expect(err).not.toMatch(/ at /);
    expect(code).not.toBe(0);
  });
});

test("the shipped bundle leaves the library outside and carries the licences of what is inside", async () => {
  const out = path("shipped/main.js");
  mkdirSync(dirname(out), { recursive: true });
  const files: string[] = await bundleCli({ outFile: out });
  expect(files).toEqual([out, path("shipped/run.js"), path("shipped/LICENSES.txt")]);
  expect(readFileSync(out, "utf8")).toContain('from "./run.js"');
  const code = readFileSync(path("shipped/run.js"), "utf8");
  expect(code).toContain('from "chainrule"');
  expect(code).not.toMatch(/from "(csv-parse|simple-ascii-chart)/);
  const licences = readFileSync(path("shipped/LICENSES.txt"), "utf8");
  for (const name of ["csv-parse", "simple-ascii-chart"]) {
    expect(licences).toMatch(new RegExp(`^${name} \\d+\\.\\d+\\.\\d+ \\(MIT\\)$`, "m"));
  }
  expect(licences.match(/Permission is hereby granted/g)?.length).toBe(2);
});
