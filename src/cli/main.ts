// The program `chainrule`. Bundled into one file by bundle.mjs.
import { run } from "./run.ts";

/** 128 + SIGPIPE, what a shell reports when the reader of a pipe has gone. */
const BROKEN_PIPE = 141;

process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(BROKEN_PIPE);
  process.stderr.write(`chainrule: the output cannot be written: ${error.message}\n`);
  process.exit(1);
});

// exitCode instead of exit(): what is still in a pipe's buffer gets written.
void run(process.argv.slice(2), process).then((code) => {
  process.exitCode = code;
});
