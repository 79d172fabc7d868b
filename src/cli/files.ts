import {
  accessSync,
  constants,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, resolve } from "node:path";
import { type Core, Network } from "../index.ts";
import { CliError, messageOf } from "./errors.ts";

/** Fails before any work when `file` could not be written at its end, or would replace one of `inputs`. */
export function checkWritable(file: string, inputs: readonly string[]): void {
  if (file === "") throw new CliError("--output: expected a file name, got an empty one");
  const folder = dirname(resolve(file));
  const isFolder = (path: string) => statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
  if (isFolder(file)) throw new CliError(`${file}: is a directory, not a file to write`);
  if (!isFolder(folder)) throw new CliError(`${file}: the directory ${dirname(file)} does not exist`);
  try {
    accessSync(folder, constants.W_OK);
  } catch {
    throw new CliError(`${file}: the directory ${dirname(file)} cannot be written to`);
  }
  const existing = statSync(file, { throwIfNoEntry: false });
  for (const input of inputs) {
    const other = statSync(input, { throwIfNoEntry: false });
    if (existing && other && existing.ino === other.ino && existing.dev === other.dev)
      throw new CliError(`${file}: is read by this command and will not be overwritten`);
  }
}

/**
 * Writes the whole file or nothing: to a file beside it, which is then renamed. What is no ordinary file (a pipe, a
 * device) is written to directly; a link is followed.
 */
export function writeWhole(file: string, content: Uint8Array | string): void {
  let part: string | undefined;
  try {
    const existing = statSync(file, { throwIfNoEntry: false });
    if (existing && !existing.isFile()) {
      writeFileSync(file, content);
      return;
    }
    const target = existing ? realpathSync(file) : file;
    part = `${target}.${process.pid}.part`;
    writeFileSync(part, content, { flag: "wx" });
    renameSync(part, target);
  } catch (error) {
    if (part !== undefined) rmSync(part, { force: true });
    throw new CliError(`${file}: cannot be written: ${messageOf(error)}`);
  }
}

/** Reads a network that was saved by `train` or by `Network.save`. */
export async function loadNetwork(file: string, core: Core): Promise<Network> {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === "ENOENT") throw new CliError(`${file}: no such file`);
    if (code === "EISDIR") throw new CliError(`${file}: is a directory, not a saved network`);
    throw new CliError(`${file}: cannot be read: ${messageOf(error)}`);
  }
  try {
    return await Network.load(bytes, { core });
  } catch (error) {
    throw new CliError(`${file}: ${messageOf(error)}`);
  }
}
