import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { decode, encode } from "../../src/formats/network.ts";
import { resolveSpec } from "../../src/options/spec.ts";
import { changed, file, small } from "./saved.ts";

const text = readFileSync(new URL("../../docs/format.md", import.meta.url), "utf8");
const blocks = (language: string) => {
  return [...text.matchAll(new RegExp(`\`\`\`${language}\\n(.*?)\`\`\``, "gs"))].map((match) => match[1] as string);
};
const bytes = encode(small());

test("docs/format.md lists the chunks in the order in which they are written, with their kinds", () => {
  const rows = [...text.matchAll(/^\| `(\w{4})` \| (JSON|reals) \|/gm)].map((match) => match[1]);
  expect(file(bytes).map(({ name }) => name)).toEqual([...rows, "note"]);
});

test("the reader of docs/format.md reads the weights of 2-3-1 in both dtypes, behind an affine layer, without a bias", async () => {
  const folder = mkdtempSync(join(tmpdir(), "chainrule-"));
  try {
    const path = join(folder, "reader.mjs");
    writeFileSync(path, blocks("js")[0] as string);
    const { readNetwork } = (await import(path)) as { readNetwork: (bytes: Uint8Array) => unknown };
    const affine = { type: "affine", scale: [1, -0], shift: [0, 0] } as const;
    const spec = resolveSpec({ inputs: 2, layers: [affine, { units: 3 }, { units: 1, bias: false }] });
    for (const dtype of ["float32", "float64"] as const) {
      const values = Array.from({ length: 12 }, (_, i) => i - 0.5);
      const parameters = dtype === "float32" ? Float32Array.from(values) : Float64Array.from(values);
      const { optimizer: _, ...network } = { ...small(), watches: {} };
      expect(readNetwork(encode({ ...network, spec, dtype, parameters }))).toMatchObject({
        layers: [
          {
            W: [
              [-0.5, 0.5],
              [1.5, 2.5],
              [3.5, 4.5],
            ],
            b: [5.5, 6.5, 7.5],
          },
          { W: [[8.5, 9.5, 10.5]] },
        ],
      });
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("every JSON example of docs/format.md is accepted in its chunk", () => {
  const [spec, optimizer, rule, progress, history, record, names] = blocks("json") as [string, ...string[]];
  for (const [chunk, example] of [
    ["optm", optimizer],
    ["rule", rule],
    ["prog", progress],
    ["hist", history],
    ["rcpt", record],
    ["name", names],
  ] as const) {
    const loaded = encode(decode(changed(bytes, chunk, example as string)));
    const place = file(loaded).find(({ name }) => name === chunk) as ReturnType<typeof file>[number];
    const written = new TextDecoder().decode(loaded.subarray(place.start, place.start + place.length));
    expect(JSON.parse(written)).toEqual(JSON.parse(example as string));
  }
  // 3 units of 2 inputs: the weights of the example are those of another network.
  expect(() => decode(changed(bytes, "SPEC", spec))).toThrow(
    new RangeError("load: chunk WGHT: expected 36 bytes for 9 float32 values, got 12"),
  );
  expect(resolveSpec((JSON.parse(spec) as { spec: unknown }).spec)).toEqual(
    (JSON.parse(spec) as { spec: unknown }).spec,
  );
});
