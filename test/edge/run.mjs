// node test/edge/run.mjs [--only TEXT] [--counts FILE], after `npm run build` and `node test/runtime/install.mjs`.
//
// The example Worker, bundled from the packed package and run by miniflare: after k requests its checkpoint is, bit for
// bit, what one run in Node comes to, in KV and in a Durable Object, and with a clock that stands still.
import { cpSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";
import { expectEqual, runChecks } from "../runtime/checks.mjs";
import { run } from "../runtime/process.mjs";

const REQUESTS = 10;
const STEPS = 40; // of the example's worker.js

/** Imported before the Worker: a clock that never moves, whatever it does. */
const FROZEN = `Date.now = () => 1_790_000_000_000;
performance.now = () => 0;
export const moved = () => Date.now() !== 1_790_000_000_000 || performance.now() !== 0;
`;

const ENTRIES = {
  plain: 'export { default, Trainer } from "./worker/worker.js";\n',
  frozen: `import { moved } from "./frozen.js";
import worker, { Trainer } from "./worker/worker.js";
export { Trainer };
export default {
  async fetch(request, env) {
    const response = await worker.fetch(request, env);
    return moved() ? new Response("the clock moved", { status: 500 }) : response;
  },
};
`,
};

/** Bundles an entry as wrangler does, with the package's `workerd` conditions. */
async function bundle(consumer, clock) {
  const outdir = join(consumer, `edge-${clock}`);
  writeFileSync(join(consumer, `edge-${clock}.js`), ENTRIES[clock]);
  await build({
    entryPoints: [join(consumer, `edge-${clock}.js`)],
    outfile: join(outdir, "worker.js"),
    bundle: true,
    format: "esm",
    conditions: ["workerd", "worker", "browser"],
    loader: { ".wasm": "copy" },
    logLevel: "silent",
  });
  return outdir;
}

/** What the Worker answered to k trainings, one after the other, and its checkpoint. */
async function trainInRequests(consumer, clock, storage, concurrently = false) {
  const folder = await bundle(consumer, clock);
  const host = fileURLToPath(new URL("host.mjs", import.meta.url));
  const args = [host, folder, storage, String(REQUESTS), concurrently ? "together" : "in turn"];
  const { answers, prediction, checkpoint } = JSON.parse(
    await run(process.execPath, { args, cwd: consumer, seconds: 120 }),
  );
  return { answers, prediction, checkpoint: Buffer.from(checkpoint, "base64") };
}

const bits = (network) => network.weights().flatMap(({ W, b }) => [...bytesOf(W.data), ...bytesOf(b)]);
const bytesOf = ({ buffer, byteOffset, byteLength }) => new Uint8Array(buffer, byteOffset, byteLength);
const sameBits = (what, got, expected) => expectEqual(what, bits(got).join(), bits(expected).join());

await runChecks(async ({ consumer }) => {
  cpSync(fileURLToPath(new URL("../../examples/worker", import.meta.url)), join(consumer, "worker"), {
    recursive: true,
  });
  writeFileSync(join(consumer, "frozen.js"), FROZEN);
  writeFileSync(join(consumer, "library.js"), 'export * from "chainrule";\n');
  const { Network } = await import(pathToFileURL(join(consumer, "library.js")));
  const { OPTIONS, SEED, SPEC, x, y } = await import(pathToFileURL(join(consumer, "worker", "task.js")));

  /** One run in Node, as many steps in one call. */
  const reference = Network.createSync(SPEC, { seed: SEED });
  reference.fitSync(x, y, { ...OPTIONS, maxSteps: REQUESTS * STEPS });
  const losses = reference.history.epochs.map(({ loss }) => loss);

  const equalsNode = (clock, storage, concurrently) => async () => {
    const { answers, prediction, checkpoint } = await trainInRequests(consumer, clock, storage, concurrently);
    const trained = Network.loadSync(checkpoint);
    sameBits("weights", trained, reference);
    expectEqual("losses of the epochs", trained.history.epochs.map(({ loss }) => loss).join(), losses.join());
    expectEqual("prediction", prediction.inside, reference.predict([[0.1, 0.2]]).data[0]);
    // Requests at the same time are answered in any order; the one that trained last is among them.
    const { accuracy } = trained.evaluate(x, y);
    if (accuracy < 0.9) throw new Error(`accuracy: expected at least 0.9, got ${accuracy}`);
    expectEqual(
      "epochs of the last answer",
      Math.max(...answers.map((answer) => answer.epochs)),
      reference.history.epochs.length,
    );
    // The optimizer's state and the place in the epoch came along: both go on alike.
    const further = reference.clone();
    for (const network of [trained, further]) network.fitSync(x, y, { ...OPTIONS, maxSteps: 50 });
    sameBits("weights 50 steps later", trained, further);
    return `${REQUESTS} requests of ${STEPS} steps, accuracy ${accuracy.toFixed(3)}, ${checkpoint.length} bytes`;
  };
  return [
    { name: "KV: the weights of one run in Node", check: equalsNode("plain", "kv") },
    { name: "Durable Object: the weights of one run in Node", check: equalsNode("plain", "object") },
    { name: "Durable Object, requests at the same time", check: equalsNode("plain", "object", true) },
    { name: "KV, a clock that stands still", check: equalsNode("frozen", "kv") },
    { name: "Durable Object, a clock that stands still", check: equalsNode("frozen", "object") },
  ];
});
