// A Worker that trains a network over many requests. A request may do little work, so each takes a number of steps and
// leaves a checkpoint: the weights, the optimizer's state and the place in the epoch. Steps are counted, not
// milliseconds, since a Worker's clock stands still while it computes.
//
//   POST /kv/train       some steps; the checkpoint in KV
//   POST /object/train   the same; the checkpoint in a Durable Object, one request after the other
//   GET /…/predict?x=0.1&y=0.2
//   GET /…/checkpoint    the bytes, for Network.load anywhere else
import { Network } from "chainrule";
import { OPTIONS, SEED, SPEC, x, y } from "./task.js";

/** Of one request: about a millisecond of work. 15 steps are an epoch here; no request has to end with one. */
const STEPS = 40;

/** The steps of one request. `checkpoint`: bytes of the last one, or nothing yet. */
async function train(checkpoint) {
  const network = checkpoint ? await Network.load(checkpoint) : await Network.create(SPEC, { seed: SEED });
  try {
    await network.fit(x, y, { ...OPTIONS, maxSteps: STEPS });
    const { loss, accuracy } = network.evaluate(x, y);
    const answer = { loss, accuracy, epochs: network.history.epochs.length };
    return { checkpoint: network.save(), answer };
  } finally {
    network.dispose(); // an isolate lives on and serves many requests
  }
}

async function predict(checkpoint, { searchParams }) {
  const point = ["x", "y"].map((name) => Number.parseFloat(searchParams.get(name)));
  if (!point.every(Number.isFinite)) return new Response("x and y: expected two numbers", { status: 400 });
  const network = await Network.load(checkpoint);
  try {
    return Response.json({ inside: network.predict([point]).data[0] });
  } finally {
    network.dispose();
  }
}

/** Answers one request with the checkpoint of `storage`, which has `get()` and `put(bytes)`. */
async function answer(request, storage) {
  const url = new URL(request.url);
  const action = url.pathname.split("/").at(-1);
  const checkpoint = await storage.get();
  if (action === "train" && request.method === "POST") {
    const trained = await train(checkpoint);
    await storage.put(trained.checkpoint);
    return Response.json(trained.answer);
  }
  if (checkpoint === undefined) return new Response("nothing is trained yet", { status: 409 });
  if (action === "predict") return predict(checkpoint, url);
  if (action === "checkpoint") return new Response(checkpoint);
  return new Response("not found", { status: 404 });
}

/**
 * Holds one network. Requests are taken one after the other: `fit` lets others in between its pieces of work, and two
 * that began from one checkpoint would lose the steps of the first.
 */
export class Trainer {
  constructor(context) {
    const { storage } = context;
    this.storage = { get: () => storage.get("checkpoint"), put: (bytes) => storage.put("checkpoint", bytes) };
    this.last = Promise.resolve();
  }

  fetch(request) {
    const response = this.last.then(() => answer(request, this.storage));
    this.last = response.catch(() => {});
    return response;
  }
}

/** KV keeps no order among writers, and a read may be a minute old: for one client that waits for each answer. */
function kvStorage(namespace) {
  return {
    async get() {
      const buffer = await namespace.get("checkpoint", "arrayBuffer");
      return buffer === null ? undefined : new Uint8Array(buffer);
    },
    put: (bytes) => namespace.put("checkpoint", bytes),
  };
}

export default {
  async fetch(request, env) {
    const { pathname } = new URL(request.url);
    if (pathname.startsWith("/kv/")) return answer(request, kvStorage(env.CHECKPOINTS));
    if (pathname.startsWith("/object/")) return env.TRAINER.get(env.TRAINER.idFromName("circle")).fetch(request);
    return new Response("not found", { status: 404 });
  },
};
