import { chmodSync, linkSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from "node:fs";
import { expect, test } from "vitest";
import { checkWritable, writeWhole } from "../../src/cli/files.ts";
import { scratchFolder } from "./recorder.ts";

const { folder, path, write } = scratchFolder();

test("a file is written whole, replaces the old one and leaves nothing beside it", () => {
  const file = write("old.bin", "old");
  writeWhole(file, Uint8Array.of(1, 2, 3));
  expect([...readFileSync(file)]).toEqual([1, 2, 3]);
  expect(readdirSync(folder)).toEqual(["old.bin"]);
});

test("a link is followed, not replaced", () => {
  const file = write("target.txt", "old");
  symlinkSync(file, path("link.txt"));
  writeWhole(path("link.txt"), "new");
  expect(readFileSync(file, "utf8")).toBe("new");
});

test("a device is written to", () => {
  writeWhole("/dev/null", "gone");
  expect(readFileSync("/dev/null", "utf8")).toBe("");
});

test("what cannot be written is said before any work", () => {
  mkdirSync(path("sub"));
  expect(() => checkWritable(path("sub"), [])).toThrow(/sub: is a directory, not a file to write$/);
  expect(() => checkWritable(path("none/model"), [])).toThrow(/the directory .*none does not exist$/);
  expect(() => checkWritable(path("model"), [])).not.toThrow();
});

test("an input is not overwritten, by whatever name it is called", () => {
  const input = write("input.csv", "a\n");
  linkSync(input, path("same.csv"));
  expect(() => checkWritable(input, [input])).toThrow(/is read by this command and will not be overwritten/);
  expect(() => checkWritable(path("same.csv"), [input])).toThrow(/will not be overwritten/);
  expect(() => checkWritable(input, [path("missing.csv")])).not.toThrow();
});

test.skipIf(process.getuid?.() === 0)("a directory without the right to write", () => {
  mkdirSync(path("locked"));
  chmodSync(path("locked"), 0o500);
  expect(() => checkWritable(path("locked/model"), [])).toThrow(/cannot be written to/);
});
