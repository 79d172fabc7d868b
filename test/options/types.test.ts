import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** What the compiler says of a program without DOM library and Node types. */
function compile(program: string, more: readonly string[], target = "es2023") {
  const flags = [
    "--ignoreConfig",
    "--noEmit",
    "--strict",
    "--exactOptionalPropertyTypes",
    "--target es2022",
    "--module nodenext",
    `--lib ${target}`,
    "--types ",
    ...more,
  ].flatMap((flag) => flag.split(" "));
  const compiler = `${root}node_modules/typescript/bin/tsc`;
  const { status, stdout } = spawnSync(process.execPath, [compiler, ...flags, program], {
    cwd: root,
    encoding: "utf8",
  });
  return { status, stdout };
}

test("wrong options are compile errors, right ones are not, without DOM library and Node types", () => {
  const more = ["--skipLibCheck", "--allowImportingTsExtensions"];
  expect(compile("test/options/types.ts", more)).toEqual({ status: 0, stdout: "" });
});

test("the declarations that the package ships need nothing but ES2022", () => {
  expect(compile("test/options/program.ts", [], "es2022")).toEqual({ status: 0, stdout: "" });
});
