// node test/memory/run.mjs [--only TEXT] [--counts FILE], after `npm run build`.
//
// What networks leave behind once nobody holds them, and what a prediction in place leaves behind, measured in a process
// of its own after a warm-up, with full collections before and after. Bytes, not times: a busy machine changes nothing.
import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { runChecks } from "../runtime/checks.mjs";
import { run } from "../runtime/process.mjs";

const MB = 1e6;
/** Resident bytes that 1000 dropped networks, or 10⁶ predictions, may add. */
const RESIDENT = 20 * MB;
/** A million predictions may leave this on the heap: less than a byte each, where the least object has 12. */
const HEAP = 0.5 * MB;

const megabytes = (bytes) => `${(bytes / MB).toFixed(1)} MB`;

async function growth(consumer, name) {
  const args = ["--expose-gc", "memory-programs.js", name];
  const { before, after } = JSON.parse(await run(process.execPath, { args, cwd: consumer, seconds: 300 }));
  return { resident: after.rss - before.rss, heap: after.heap - before.heap };
}

function atMost(what, bytes, limit) {
  if (bytes > limit) throw new Error(`${what}: expected at most ${megabytes(limit)} more, got ${megabytes(bytes)}`);
  return `${what} ${megabytes(bytes)}`;
}

await runChecks(({ consumer }) => {
  copyFileSync(new URL("programs.js", import.meta.url), join(consumer, "memory-programs.js"));
  const dropped = (name) => async () => atMost("resident", (await growth(consumer, name)).resident, RESIDENT);
  return [
    { name: "1000 networks made, trained a step and dropped", check: dropped("step simd") },
    { name: "1000 networks made, fitted a step with promises and dropped", check: dropped("fit simd") },
    { name: "1000 networks of the JavaScript core made, trained a step and dropped", check: dropped("step js") },
    {
      name: "10⁶ predictions of a row in place",
      check: async () => {
        const { resident, heap } = await growth(consumer, "predict simd");
        return `${atMost("heap", heap, HEAP)}, ${atMost("resident", resident, RESIDENT)}`;
      },
    },
    {
      name: "the measure sees 1000 networks that are kept",
      check: async () => {
        const { resident } = await growth(consumer, "kept");
        if (resident <= 2 * RESIDENT) throw new Error(`expected more than 40 MB, got ${megabytes(resident)}`);
        return `resident ${megabytes(resident)}`;
      },
    },
  ];
});
