// What docs/receipt.md says is what the digests are taken of, written down here a second time from the page alone.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { irisCsv } from "../../src/datasets/index.ts";
import { Network } from "../../src/index.ts";
import { receipt } from "../../src/receipt.ts";
import { chainrule } from "../cli/chainrule.ts";
import { scratchFolder } from "../cli/recorder.ts";
import { chunksOf } from "../saved-state.ts";

const page = readFileSync(new URL("../../docs/receipt.md", import.meta.url), "utf8");
const program = /```js\n(const canonical = .*?)```/s.exec(page)?.[1] as string;
const { canonical } = await import(`data:text/javascript,${encodeURIComponent(`export ${program}`)}`);
const { path, write } = scratchFolder();
const sha256 = (...parts: (string | Uint8Array)[]) => {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest("hex");
};
const doubles = (values: readonly number[]) => new Uint8Array(Float64Array.from(values).buffer);

test("the page's canonical form gives the digest, its description the hash of weights with scalings that a fit found", async () => {
  using network = await Network.create({
    inputs: 2,
    layers: [{ type: "minMax" }, { units: 3, activation: "tanh" }, { units: 1 }],
    targetScaling: "standardize",
  });
  await network.fit(
    [
      [1, 2],
      [2, 0.5],
      [3, 7],
      [4, 1],
    ],
    [1, 2, 4, 8],
    { epochs: 3 },
  );
  const { digest, ...rest } = await receipt(network);
  expect(digest).toBe(sha256(canonical(rest)));
  const { layers, targetScaling } = network.spec;
  const scalings = [layers[0], targetScaling] as readonly { scale: readonly number[]; shift: readonly number[] }[];
  const numbers = scalings.flatMap(({ scale, shift }) => [...scale, ...shift]);
  expect(numbers).toHaveLength(6);
  const parameters = chunksOf(network.save()).get("WGHT") as Uint8Array;
  expect(rest.weights).toEqual({ count: 13, sha256: sha256(parameters, doubles(numbers)) });
});

test("the fingerprint is the one described: four rows of two inputs with one target each", async () => {
  const x = [
    [1, 2],
    [2, 0.5],
    [3, 7],
    [4, 1],
  ];
  const y = [1, 2, 4, 8];
  using network = await Network.create({ inputs: 2, layers: [{ units: 1 }] });
  await network.fit(x, y, { epochs: 1, batchSize: "full" });
  const state = Int32Array.of(4, 2, 1, 0);
  for (const words of [x.flat(), y].map((values) => new Int32Array(Float32Array.from(values).buffer))) {
    words.forEach((word, i) => {
      const sum = ((state[i % 4] as number) + Math.imul(word, 0x85ebca77)) | 0;
      state[i % 4] = Math.imul((sum << 13) | (sum >>> 19), 0x9e3779b1);
    });
  }
  const fingerprint = Array.from(state, (word) => (word >>> 0).toString(16).padStart(8, "0")).join("");
  expect((await receipt(network)).calls).toMatchObject([{ data: { rows: 4, fingerprint } }]);
});

test("the hash of the command's data is the one described", async () => {
  const csv = write("iris.csv", irisCsv());
  const file = path("iris.json");
  await chainrule("train", csv, "--target", "species", "--epochs", "1", "--receipt", file, "--output", path("iris"));
  const [head = "", ...lines] = irisCsv().trim().split("\n");
  const rows = lines.map((line) => line.split(","));
  const classes = [...new Set(rows.map((row) => row.at(-1) as string))].sort();
  const columns = head.split(",").slice(0, -1);
  const text = canonical({ columns, target: "species", task: "classification", classes, rows: rows.length });
  const x = rows.flatMap((row) => row.slice(0, -1).map(Number));
  const y = rows.map((row) => classes.indexOf(row.at(-1) as string));
  const { digest, ...rest } = JSON.parse(readFileSync(file, "utf8"));
  expect(rest.command.data).toEqual({ rows: 150, sha256: sha256(text, "\n", doubles(x), doubles(y)) });
  expect(digest).toBe(sha256(canonical(rest)));
});
