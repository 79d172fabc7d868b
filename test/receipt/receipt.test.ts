// What a receipt says, what its digest depends on, and that what it says is enough to make the weights again.
import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { type FitOptions, Network, type NetworkOptions, type NetworkSpec } from "../../src/index.ts";
import { canonicalText } from "../../src/receipt/canonical.ts";
import { type Receipt, receipt as receiptOf } from "../../src/receipt.ts";
import { drawRows, drawsFrom } from "../draws.ts";
import { changed, fileOf } from "../formats/saved.ts";
import { chunksOf } from "../saved-state.ts";

const draw = drawsFrom(97);
const X = drawRows(draw, 40, 3, 1);
const CLASSES = X.map((_, i) => i % 3);
const VALUES = X.map(([a = 0, b = 0]) => a * b);
const SPEC: NetworkSpec = {
  inputs: 3,
  layers: [{ type: "standardize" }, { units: 5, activation: "tanh" }, { units: 3, activation: "softmax" }],
};
const REGRESSION: NetworkSpec = {
  inputs: 3,
  layers: [{ type: "robust" }, { units: 4, activation: "tanh" }, { units: 1 }],
  targetScaling: "standardize",
};
const FIT: FitOptions = { epochs: 3, batchSize: 8 };

async function receiptAfter(
  { spec = SPEC, x = X, y = CLASSES }: { spec?: NetworkSpec; x?: number[][]; y?: number[] },
  fit: FitOptions = FIT,
  options: NetworkOptions = {},
): Promise<Receipt> {
  using network = await Network.create(spec, options);
  await network.fit(x, y, fit);
  return receiptOf(network);
}

/** By the receipt's words alone, as docs/receipt.md says. */
async function replayed(receipt: Receipt, x: number[][], y: number[]): Promise<Receipt> {
  let network = await Network.create(receipt.spec, { seed: receipt.seed, dtype: receipt.dtype });
  for (const call of receipt.calls) {
    if (call.call === "fit") await network.fit(x, y, { ...call.options, maxSteps: call.steps });
    else if (call.call === "setTrainable") network.setTrainable(call.layer, call.trainable);
    else if (call.call === "load") network = await Network.load(network.save({ optimizer: false }));
    else throw new Error(`cannot replay ${call.call}`);
  }
  return receiptOf(network);
}

describe("a receipt", () => {
  test("is plain JSON, and its digest is Node's SHA-256 of the canonical form of the rest", async () => {
    const receipt = await receiptAfter({});
    expect(JSON.parse(JSON.stringify(receipt))).toEqual(receipt);
    const { digest, ...rest } = receipt;
    expect(digest).toBe(createHash("sha256").update(canonicalText(rest)).digest("hex"));
    expect(rest).toMatchObject({
      format: "chainrule receipt 1",
      replayable: true,
      reasons: [],
      dtype: "float32",
      seed: 0,
    });
    expect(rest).toMatchObject({
      steps: 15,
      epochs: 3,
      calls: [{ call: "fit", core: "baseline", steps: 15, epochs: 3 }],
    });
    expect(receipt.spec.layers[0]).toEqual({ type: "standardize" });
  });

  test.each(["float32", "float64"] as const)("hashes the weights as the saved %s network has them", async (dtype) => {
    using network = await Network.create({ inputs: 3, layers: [{ units: 2 }] }, { dtype });
    network.fitSync(X, drawRows(draw, 40, 2, 1), FIT);
    const saved = createHash("sha256")
      .update(chunksOf(network.save()).get("WGHT") as Uint8Array)
      .digest("hex");
    expect((await receiptOf(network)).weights).toEqual({ count: 8, sha256: saved });
  });

  test.each(["float32", "float64"] as const)("is the same from the simd and the js core in %s", async (dtype) => {
    const simd = await receiptAfter({}, { ...FIT, validation: 0.2 }, { core: "simd", dtype });
    expect(await receiptAfter({}, { ...FIT, validation: 0.2 }, { core: "js", dtype })).toEqual(simd);
  });

  test("is the same from fit, fitSync and epochs", async () => {
    using one = await Network.create(SPEC);
    one.fitSync(X, CLASSES, FIT);
    using two = await Network.create(SPEC);
    for await (const _ of two.epochs(X, CLASSES, FIT));
    const awaited = await receiptAfter({});
    expect(await receiptOf(one)).toEqual(awaited);
    expect(await receiptOf(two)).toEqual(awaited);
  });

  test("changes with one bit of data, targets, seed, spec, every option that decides, and a weight", async () => {
    const nudged = X.map((row, i) =>
      i === 17 ? [row[0] as number, Math.fround(row[1] as number) + 2 ** -20, row[2] as number] : row,
    );
    const receipts = await Promise.all([
      receiptAfter({}),
      receiptAfter({ x: nudged }),
      receiptAfter({ y: CLASSES.with(5, 1) }),
      receiptAfter({}, FIT, { seed: 1 }),
      receiptAfter({}, FIT, { dtype: "float64" }),
      receiptAfter({ spec: { ...SPEC, layers: SPEC.layers.with(1, { units: 5, activation: "sigmoid" }) } }),
      ...(
        [
          { epochs: 4 },
          { batchSize: 9 },
          { shuffle: false },
          { optimizer: "sgd" },
          { optimizer: { type: "adam", learningRate: 0.0011 } },
          { validation: 0.1 },
          { clipNorm: 0.1 },
          { schedule: { type: "cosine", length: { epochs: 3 } } },
          { earlyStopping: true },
          { goal: 0 },
          { sampleWeights: X.map((_, i) => 1 + (i % 2)) },
          { refit: true },
        ] as FitOptions[]
      ).map((more) => receiptAfter({}, { ...FIT, ...more })),
    ]);
    expect(new Set(receipts.map(({ digest }) => digest)).size).toBe(receipts.length);
    using network = await Network.create(SPEC);
    await network.fit(X, CLASSES, FIT);
    const weights = network.weights();
    (weights[1] as { W: { data: Float32Array } }).W.data[3] = 0.5;
    network.setWeights(weights);
    const changed = await receiptOf(network);
    expect(changed.weights.sha256).not.toBe(receipts[0]?.weights.sha256);
  });

  test("of rows held back by a fraction changes with a held-back row", async () => {
    using network = await Network.create(SPEC);
    const { validationIndices } = await network.fit(X, CLASSES, { ...FIT, validation: 0.2 });
    const row = validationIndices?.[0] as number;
    const [before, after] = await Promise.all([
      receiptOf(network),
      receiptAfter({ x: X.with(row, [9, 9, 9]) }, { ...FIT, validation: 0.2 }),
    ]);
    const [one, two] = [before.calls[0], after.calls[0]] as { data: object; validation: object }[];
    expect(two?.data).toEqual(one?.data);
    expect(two?.validation).not.toEqual(one?.validation);
  });

  test("does not depend on what decides nothing: watchers, time limits, predictions, names", async () => {
    using network = await Network.create(SPEC);
    network.names = { classes: ["a", "b", "c"] };
    const watchers = { onEpoch: () => network.predict(X), maxSeconds: 1000, signal: new AbortController().signal };
    await network.fit(X, CLASSES, { ...FIT, ...watchers });
    expect(await receiptOf(network)).toEqual(await receiptAfter({}));
  });
});

describe("of bytes that `save` gave", () => {
  test("is that of the network", async () => {
    using network = await Network.create(SPEC);
    await network.fit(X, CLASSES, FIT);
    expect(await receiptOf(network.save())).toEqual(await receiptOf(network));
  });

  test("of a file that has no record it is not replayable, and fits that follow are listed", async () => {
    using network = await Network.create(SPEC);
    await network.fit(X, CLASSES, FIT);
    using loaded = await Network.load(changed(network.save(), "rcpt", undefined));
    await loaded.fit(X, CLASSES, FIT);
    expect(await receiptOf(loaded)).toMatchObject({
      replayable: false,
      reasons: ["a file was loaded that has no record of its training"],
      calls: [{ call: "unrecorded" }, { call: "fit", steps: 15 }],
      steps: 30,
    });
  });

  test("with a record that is not of all its steps, or that says what cannot be", async () => {
    using network = await Network.create(SPEC);
    await network.fit(X, CLASSES, FIT);
    const withRecord = (change: (record: { calls: Record<string, unknown>[] }) => void) => {
      const record = JSON.parse(new TextDecoder().decode(chunksOf(network.save()).get("rcpt")));
      change(record);
      return changed(network.save(), "rcpt", JSON.stringify(record));
    };
    const fewer = withRecord(({ calls: [call] }) => Object.assign(call as object, { steps: 14 }));
    expect((await receiptOf(fewer)).reasons).toEqual(["the record has 14 of the network's 15 steps"]);
    const relaxed = withRecord(({ calls: [call] }) => Object.assign(call as object, { core: "relaxed" }));
    expect((await receiptOf(relaxed)).reasons).toEqual(["the relaxed core rounds as the machine does"]);
    const wrong = withRecord(({ calls: [call] }) => Object.assign(call as object, { core: "other" }));
    await expect(receiptOf(wrong)).rejects.toThrow(/^load: chunk rcpt: calls\[0\]\.core: expected baseline or relaxed/);
    const none = withRecord((record) => Object.assign(record, { calls: [null] }));
    expect(() => Network.loadSync(none)).toThrow(/^load: chunk rcpt: record: expected an object with arrays/);
  });

  test("rejects what is no saved network", async () => {
    await expect(receiptOf(new Uint8Array(20))).rejects.toThrow("not a chainrule network");
    await expect(receiptOf(null as never)).rejects.toThrow("receipt: expected a Network or a Uint8Array, got null");
    await expect(receiptOf(fileOf([]))).rejects.toThrow("load: chunk SPEC is missing");
  });
});

describe("of a damaged file it is rejected with a RangeError that names the chunk", () => {
  const damages: [string, string | undefined][] = [
    ...["SPEC", "prog", "rcpt"].flatMap((name) =>
      ["", "{", "\xff", "null", "1", "[]", '"a"', "{}", '{"a":1}'].map((text): [string, string] => [name, text]),
    ),
    ["SPEC", undefined],
    ["WGHT", undefined],
    ["WGHT", ""],
    ["WGHT", "abc"],
    ...[
      "null",
      "[]",
      '{"layers":null}',
      '{"layers":[null]}',
      '{"layers":[1]}',
      '{"layers":[{"type":"standardize","scale":1}]}',
      '{"layers":[{"type":"standardize","shift":[{"valueOf":1,"toString":1}]}]}',
      '{"layers":[],"targetScaling":null}',
    ].map((spec): [string, string] => ["SPEC", `{"spec":${spec},"dtype":"float32","seed":0}`]),
    ["prog", '{"epoch":0,"step":"a","position":0,"epochLoss":0,"epochCorrect":0}'],
    ["rcpt", '{"given":[],"found":[],"trainable":[0,1],"calls":[]}'],
    ["rcpt", '{"given":[],"found":[],"trainable":[false,true,true],"calls":[null]}'],
    ["rcpt", '{"given":[],"found":[],"trainable":[false,true,true],"calls":[{"call":"unlisted","times":0}]}'],
  ];
  test.each(damages)("%s %j", async (name, text) => {
    using network = await Network.create(SPEC);
    const error = await receiptOf(changed(network.save(), name, text)).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(RangeError);
    expect((error as Error).message).toMatch(new RegExp(`^load: chunk ${name}`));
    expect((error as Error).message).not.toMatch(/Cannot|not iterable|undefined \(/);
  });

  test("a chunk that occurs twice, one that is not known and required, a scaling that is not there", async () => {
    using network = await Network.create(SPEC);
    const chunks = [...chunksOf(network.save())].map(([name, data]) => ({ name, data }));
    const more = (name: string) => receiptOf(fileOf([...chunks, { name, data: "{}" }]));
    await expect(more("prog")).rejects.toThrow("load: chunk prog occurs twice");
    await expect(more("NEXT")).rejects.toThrow("load: chunk NEXT is required but not known");
    await expect(more("next")).resolves.toEqual(await receiptOf(network));
    const found = '{"given":[],"found":["targetScaling"],"trainable":[false,true,true],"calls":[]}';
    expect(await receiptOf(changed(network.save(), "rcpt", found))).toMatchObject({ weights: { count: 38 } });
  });
});

describe("a network's record", () => {
  test("lists fits in order; saved and loaded in between on another core it is the same", async () => {
    const second: FitOptions = { epochs: 2, batchSize: 5, optimizer: "sgd" };
    using whole = await Network.create(SPEC);
    await whole.fit(X, CLASSES, FIT);
    await whole.fit(X, CLASSES, second);
    using first = await Network.create(SPEC);
    await first.fit(X, CLASSES, FIT);
    using loaded = await Network.load(first.save(), { core: "js" });
    expect(await receiptOf(loaded)).toEqual(await receiptOf(first));
    await loaded.fit(X, CLASSES, second);
    const receipt = await receiptOf(whole);
    expect(receipt.calls).toMatchObject([
      { steps: 15, options: { optimizer: { type: "adam" } } },
      { steps: 16, options: { optimizer: { type: "sgd" } } },
    ]);
    expect(await receiptOf(loaded)).toEqual(receipt);
    expect(await receiptOf(loaded.clone())).toEqual(receipt);
  });

  test("takes a run in pieces for the one run that it equals, also in mid-epoch", async () => {
    const fit = { batchSize: 8, validation: 0.2, earlyStopping: { patience: 50 } };
    let network = await Network.create(SPEC);
    for (let i = 0; i < 4; i++) {
      await network.fit(X, CLASSES, { ...fit, maxSteps: 6 });
      network = await Network.load(network.save(), { core: i % 2 === 0 ? "js" : "simd" });
    }
    const whole = await receiptAfter({}, { ...fit, epochs: 6 });
    expect(whole.calls).toMatchObject([{ steps: 24, epochs: 6 }]);
    expect(await receiptOf(network)).toEqual(whole);
  });

  const pieces: [string, FitOptions][] = [
    [
      "early stopping that puts the best back",
      { earlyStopping: { patience: 3 }, validation: 0.3, optimizer: { type: "adam", learningRate: 0.2 } },
    ],
    [
      "reduceOnPlateau",
      { optimizer: { type: "sgd", learningRate: 2 }, schedule: { type: "reduceOnPlateau", patience: 1 } },
    ],
    ["cosine", { schedule: { type: "cosine", length: { epochs: 9 }, warmUp: { length: { steps: 7 } } } }],
    ...(["lbfgs", "scg", "gdx", "gda", "irpropPlus", "quickprop", "radam", "nadam"] as const).map(
      (optimizer): [string, FitOptions] => [optimizer, { optimizer }],
    ),
  ];
  test.each(pieces)("so too with %s", async (_, fit) => {
    const whole = await receiptAfter({}, { ...fit, epochs: 12 });
    using network = await Network.create(SPEC);
    for (let ended = false, epoch = 0; epoch < 12 && !ended; epoch += 3) {
      ended = (await network.fit(X, CLASSES, { ...fit, epochs: 3 })).stopped !== "epochs";
    }
    expect(await receiptOf(network)).toEqual(whole);
  });

  test.each(["lm", "br"] as const)("so too with %s", async (optimizer) => {
    const whole = await receiptAfter({ spec: REGRESSION, y: VALUES }, { optimizer, epochs: 6 });
    using network = await Network.create(REGRESSION);
    for (let i = 0; i < 3; i++) await network.fit(X, VALUES, { optimizer, epochs: 2 });
    expect(await receiptOf(network)).toEqual(whole);
  });

  test("does not join a fit that a rule has ended with the next", async () => {
    using network = await Network.create(SPEC);
    for (let i = 0; i < 2; i++) await network.fit(X, CLASSES, { epochs: 50, goal: 10 });
    const receipt = await receiptOf(network);
    expect(receipt.calls).toMatchObject([
      { epochs: 1, ended: "goal" },
      { epochs: 1, ended: "goal" },
    ]);
    expect(await replayed(receipt, X, CLASSES)).toEqual(receipt);
  });

  const LINEAR: NetworkSpec = { inputs: 3, layers: [{ units: 1 }] };
  const ends: [string, FitOptions, NetworkSpec, number[]][] = [
    ["goal", { goal: 10 }, SPEC, CLASSES],
    ["minGradient", { minGradient: 1e9, batchSize: "full" }, SPEC, CLASSES],
    [
      "earlyStopping",
      { earlyStopping: { patience: 2 }, validation: 0.3, optimizer: { type: "adam", learningRate: 0.2 } },
      SPEC,
      CLASSES,
    ],
    ["maxMu", { optimizer: "lm" }, LINEAR, VALUES],
  ];
  test.each(ends)("of a fit that ends by %s has that in a save at its last epoch", async (ended, options, spec, y) => {
    const fit = { epochs: 1000, ...options };
    using network = await Network.create(spec);
    const saves: Uint8Array[] = [];
    const { stopped } = await network.fit(X, y, { ...fit, onEpoch: () => saves.push(network.save()) });
    const receipt = await receiptOf(network);
    expect([stopped, receipt.calls]).toMatchObject([ended, [{ ended }]]);
    using iterated = await Network.create(spec);
    for await (const _ of iterated.epochs(X, y, fit)) saves.push(iterated.save());
    for (const i of [saves.length / 2 - 1, saves.length - 1]) {
      expect((await receiptOf(saves[i] as Uint8Array)).digest).toBe(receipt.digest);
    }
    using loaded = await Network.load(saves.at(-1) as Uint8Array);
    await loaded.fit(X, y, { ...fit, epochs: 5 });
    const again = await receiptOf(loaded);
    expect(again.calls).toMatchObject([{ ended }, { call: "fit" }]);
    expect(await replayed(again, X, y)).toEqual(again);
  });

  test("in the midst of a fit covers its last whole step, in a receipt as in a file", async () => {
    using network = await Network.create(SPEC);
    const seen: Receipt[] = [];
    await network.fit(X, CLASSES, {
      ...FIT,
      onEpoch: async () => seen.push(await receiptOf(network), await receiptOf(await Network.load(network.save()))),
    });
    expect(seen.map(({ steps, replayable }) => [steps, replayable])).toEqual(
      [5, 5, 10, 10, 15, 15].map((steps) => [steps, true]),
    );
    expect(seen[1]).toEqual(seen[0]);
    expect(seen[2]).toEqual(await receiptAfter({}, { ...FIT, epochs: 2 }));
  });

  test("knows that a save without the optimizer was trained on", async () => {
    using network = await Network.create(SPEC);
    await network.fit(X, CLASSES, FIT);
    using loaded = await Network.load(network.save({ optimizer: false }));
    expect(await receiptOf(loaded)).toEqual(await receiptOf(network));
    await loaded.fit(X, CLASSES, FIT);
    const receipt = await receiptOf(loaded);
    expect(receipt.calls.map(({ call }) => call)).toEqual(["fit", "load", "fit"]);
    expect(await replayed(receipt, X, CLASSES)).toEqual(receipt);
    await network.fit(X, CLASSES, FIT);
    expect((await receiptOf(network)).weights).not.toEqual(receipt.weights);
  });

  test("leaves out a setTrainable that changes nothing", async () => {
    using network = await Network.create(SPEC);
    for (let i = 0; i < 3; i++) network.setTrainable(1, true);
    expect((await receiptOf(network)).calls).toEqual([]);
    for (let i = 0; i < 3; i++) network.setTrainable(1, "bias");
    expect((await receiptOf(network)).calls).toEqual([{ call: "setTrainable", layer: 1, trainable: "bias" }]);
    using loaded = await Network.load(network.save());
    loaded.setTrainable(1, "bias");
    expect(await receiptOf(loaded)).toEqual(await receiptOf(network));
  });

  test("stays bounded in a loop that cannot be replayed, with its count of calls and steps", async () => {
    let network = await Network.create({ inputs: 3, layers: [{ units: 1 }] });
    for (let i = 0; i < 1000; i++) {
      network.step(X, VALUES);
      network.setWeights(network.weights());
      network.setTrainable(0, i % 2 === 0 ? "weights" : true);
      if (i % 100 === 99) network.fitSync(X, VALUES, FIT);
      if (i % 250 === 0) network = await Network.load(network.save({ optimizer: false }));
    }
    const receipt = await receiptOf(network);
    const listed = receipt.calls.slice(0, -1);
    expect(listed.length).toBeLessThanOrEqual(65);
    const steps = 1150 - listed.filter(({ call }) => call === "step").length;
    const times = 3010 - listed.filter(({ call }) => call !== "load").length;
    expect(receipt.calls.at(-1)).toEqual({ call: "unlisted", times, steps });
    expect(receipt).toMatchObject({ replayable: false, steps: 1150 });
    expect(receipt.reasons).toEqual([
      expect.stringMatching(/^step/),
      expect.stringMatching(/^setWeights/),
      "so many calls followed that they are not listed",
    ]);
    expect(await receiptOf(network.save())).toEqual(receipt);
    expect(await receiptOf(await Network.load(network.save()))).toEqual(receipt);
  });

  test("lists all calls while they can be replayed", async () => {
    using network = await Network.create(SPEC);
    for (let i = 0; i < 40; i++) {
      network.setTrainable(1, i % 2 === 0 ? "weights" : true);
      await network.fit(X, CLASSES, { epochs: 1 });
    }
    const receipt = await receiptOf(network);
    expect(receipt.calls).toHaveLength(80);
    expect(await replayed(receipt, X, CLASSES)).toEqual(receipt);
  });

  test("leaves out a fit that made no step", async () => {
    using network = await Network.create(SPEC);
    const signal = AbortSignal.abort(new Error("no"));
    await expect(network.fit(X, CLASSES, { signal })).rejects.toThrow("no");
    await expect(network.fit([[1, 2, 3]], [7])).rejects.toThrow(RangeError);
    expect(await receiptOf(network)).toMatchObject({ calls: [], steps: 0, replayable: true });
  });
});

describe("by the receipt's words alone the same receipt comes from the data", () => {
  const classes: [string, FitOptions][] = [
    [
      "validation, early stopping that puts the best back, a metric watched",
      {
        epochs: 60,
        batchSize: 4,
        validation: 0.3,
        metrics: ["f1"],
        optimizer: { type: "adam", learningRate: 0.1 },
        earlyStopping: { patience: 2, monitor: "validation.f1" },
      },
    ],
    [
      "a schedule with a warm-up, momentum, clipping",
      {
        epochs: 4,
        batchSize: 7,
        optimizer: "momentum",
        clipValue: 0.3,
        schedule: {
          type: "cosine",
          length: { epochs: 3 },
          minimum: 0.001,
          restarts: { factor: 2 },
          warmUp: { length: { steps: 3 }, from: 0.1 },
        },
      },
    ],
    ["a goal", { epochs: 50, goal: 1, optimizer: "rprop" }],
    [
      "reduceOnPlateau",
      {
        epochs: 12,
        optimizer: { type: "sgd", learningRate: 2 },
        schedule: { type: "reduceOnPlateau", patience: 1, factor: 0.5 },
      },
    ],
    ["step", { epochs: 3, schedule: { type: "step", every: { epochs: 1 }, factor: 0.5 } }],
    ["inverseTime", { epochs: 3, schedule: { type: "inverseTime", decay: 0.5 } }],
    ["exponential", { epochs: 3, schedule: { type: "exponential", factor: 0.9 } }],
    ["oneCycle", { epochs: 3, schedule: { type: "oneCycle", length: { steps: 9 } } }],
  ];
  test.each(classes)("%s", async (_, fit) => {
    const receipt = await receiptAfter({}, fit, { seed: 7 });
    expect(receipt.replayable).toBe(true);
    expect(await replayed(receipt, X, CLASSES)).toEqual(receipt);
  });

  test.each(["lbfgs", "scg", "lm", "br", "gdx"] as const)(
    "%s on a regression with scaled targets",
    async (optimizer) => {
      const receipt = await receiptAfter({ spec: REGRESSION, y: VALUES }, { epochs: 5, optimizer });
      expect(await replayed(receipt, X, VALUES)).toEqual(receipt);
    },
  );

  test("frozen layers, dropout, batch normalisation", async () => {
    using network = await Network.create({
      inputs: 3,
      layers: [
        { units: 6, trainable: "bias" },
        { type: "batchNormalization", activation: "relu" },
        { type: "dropout", rate: 0.3 },
        { units: 3, activation: "softmax" },
      ],
    });
    await network.fit(X, CLASSES, FIT);
    network.setTrainable(0, true);
    await network.fit(X, CLASSES, FIT);
    const receipt = await receiptOf(network);
    expect(await replayed(receipt, X, CLASSES)).toEqual(receipt);
  });

  test("a fit that its onEpoch ended, and one that a signal ended", async () => {
    using network = await Network.create(SPEC);
    const ends = network.fit(X, CLASSES, {
      ...FIT,
      onEpoch: ({ epoch }) => {
        if (epoch === 2) throw new Error("enough");
      },
    });
    await expect(ends).rejects.toThrow("enough");
    const abort = new AbortController();
    await expect(
      network.fit(X, CLASSES, { ...FIT, signal: abort.signal, onEpoch: () => abort.abort(new Error("now")) }),
    ).rejects.toThrow("now");
    const receipt = await receiptOf(network);
    expect(receipt.calls.map((call) => call.call === "fit" && call.epochs)).toEqual([3]);
    expect(await replayed(receipt, X, CLASSES)).toEqual(receipt);
  });
});

describe("replayable is false, and says why, with", () => {
  const cases: [string, RegExp, () => Promise<Network>][] = [
    [
      "a loss of one's own",
      /^the loss is a function$/,
      async () => {
        const network = await Network.create({
          inputs: 3,
          layers: [{ units: 1 }],
          loss: (output) => ({ loss: 0, gradient: Array.from(output.data) }),
        });
        await network.fit(X, VALUES, FIT);
        return network;
      },
    ],
    [
      "a schedule function",
      /^the schedule is a function$/,
      async () => {
        const network = await Network.create(SPEC);
        await network.fit(X, CLASSES, { ...FIT, schedule: () => 0.01 });
        return network;
      },
    ],
    [
      "setWeights",
      /^setWeights was called$/,
      async () => {
        const network = await Network.create(SPEC);
        network.setWeights(network.weights());
        return network;
      },
    ],
    [
      "step",
      /^step was called/,
      async () => {
        const network = await Network.create({ inputs: 3, layers: [{ units: 1 }] });
        for (let i = 0; i < 5; i++) network.step(X, VALUES);
        return network;
      },
    ],
    [
      "weights in the spec",
      /^layers\[0\]\.biasInit was given as an array/,
      () => Network.create({ inputs: 3, layers: [{ units: 1, biasInit: [1] }] }),
    ],
    [
      "a scaling of the spec that refit replaced",
      /^refit has replaced/,
      async () => {
        const network = await Network.create({
          inputs: 3,
          layers: [{ type: "standardize", scale: [1, 1, 1], shift: [0, 0, 0] }, { units: 1 }],
        });
        await network.fit(X, VALUES, { ...FIT, refit: true });
        return network;
      },
    ],
  ];
  test.each(cases)("%s, also when saved and loaded", async (_, reason, make) => {
    using network = await make();
    const receipt = await receiptOf(network);
    expect(receipt).toMatchObject({ replayable: false, reasons: [expect.stringMatching(reason)] });
    expect(await receiptOf(await Network.load(network.save()))).toEqual(receipt);
  });

  test("a disposed network there is none", async () => {
    const network = await Network.create(SPEC);
    network.dispose();
    await expect(receiptOf(network)).rejects.toThrow("the network was disposed");
  });
});
