// Child processes that cannot outlive the test: each has a process group of its own, which is killed whole.
import { spawn } from "node:child_process";

const live = new Set();

/** Kills the group of a child and everything it started. */
function killGroup(child) {
  try {
    process.kill(-child.pid, "SIGKILL");
  } catch (error) {
    if (error.code !== "ESRCH") throw error; // the group is gone already
  }
}

/** For the end of the test, however it comes. */
export function killAll() {
  for (const child of live) killGroup(child);
}

/**
 * Starts a program in a process group of its own.
 *
 * @param command the program
 * @param options.args its arguments
 * @param options.cwd, options.env as of `spawn`
 * @returns `exited`, which resolves to `{ code, stdout, stderr }` when it has ended, and `stop()`, which kills the
 * group and waits for the end
 */
export function start(command, { args = [], cwd, env }) {
  const child = spawn(command, args, { cwd, env, detached: true, stdio: ["ignore", "pipe", "pipe"] });
  const output = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"]) {
    child[name].setEncoding("utf8").on("data", (text) => {
      output[name] += text;
    });
  }
  if (child.pid !== undefined) live.add(child);
  const exited = new Promise((resolve, reject) => {
    child.once("error", (error) => {
      const reason = error.code === "ENOENT" ? "not found: run node test/runtime/install.mjs first" : error.message;
      reject(new Error(`${command}: ${reason}`));
    });
    child.once("close", (code, signal) => {
      live.delete(child);
      resolve({ code: code ?? signal, ...output });
    });
  });
  exited.catch(() => {}); // reported to whoever awaits it
  const stop = async () => {
    if (child.pid === undefined) return;
    killGroup(child);
    await exited;
  };
  return { exited, stop, output };
}

/** Rejects with `message` when `promise` has not settled after `seconds`. */
export async function within(seconds, promise, message) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${message} within ${seconds} s`)), seconds * 1000);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Runs a program to its end and gives its standard output; anything but exit code 0 in time is an error. */
export async function run(command, { seconds, ...options }) {
  const child = start(command, options);
  try {
    const { code, stdout, stderr } = await within(seconds, child.exited, `${command}: did not end`);
    if (code !== 0) throw new Error(`${command}: exit code ${code}\n${lastLines(stdout)}\n${lastLines(stderr)}`);
    return stdout;
  } finally {
    await child.stop();
  }
}

/** The end of a long output. */
export function lastLines(text, count = 20) {
  return text.trimEnd().split("\n").slice(-count).join("\n");
}
