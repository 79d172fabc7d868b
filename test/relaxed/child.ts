// Runs in a Node that has relaxed SIMD; prints one line of JSON: per binary how near each product comes to its bound, and
// the first places where the core disagrees with itself. Called by relaxed.test.ts.
import { readFileSync } from "node:fs";
import * as abi from "../../src/core/abi.ts";
import { Arena, Draws, rounding, sameBits, type TestCore, upTo, wasmCore } from "../assembly/cores.ts";
import {
  type Data,
  HYPERPARAMETERS,
  type LayerShape,
  network,
  OPTIMIZERS,
  type OptimizerName,
} from "../assembly/network-cases.ts";
import { PlannedNetwork } from "../assembly/planned-network.ts";
import { shareOfBound } from "./exact.ts";

export interface Report {
  /** Largest share of the bound γₖ·Σ|w·a| that the error of a product takes, by kernel. */
  readonly shares: Record<string, number>;
  readonly disagreements: string[];
  /** Whether one product and one sum round once. */
  readonly fused: boolean;
  readonly compared: number;
}
export type Reports = Record<string, Report | "no relaxed SIMD">;

const roundUp = (n: number, multiple: number): number => Math.ceil(n / multiple) * multiple;

interface Sizes {
  readonly nOut: number;
  readonly nIn: number;
  readonly n: number;
}

/** Every operand of the three products, and a way to ask for one element from one row and one sample alone. */
class Case {
  readonly core: TestCore;
  readonly arena: Arena;
  readonly sizes: Sizes;
  readonly pitch: number;
  readonly columns: number;
  readonly panels: number;
  readonly W: number[][];
  readonly b: number[];
  readonly x: number[][];
  readonly delta: number[][];

  constructor(core: TestCore, arena: Arena, sizes: Sizes) {
    const { nOut, nIn, n } = sizes;
    const draws = new Draws(nOut * 10_000 + nIn * 100 + n);
    const rnd = rounding(core);
    const matrix = (rows: number, cols: number) => Array.from({ length: rows }, () => draws.numbers(cols).map(rnd));
    this.core = core;
    this.arena = arena;
    this.sizes = sizes;
    this.columns = roundUp(nIn, 32 / core.size);
    this.pitch = this.columns + 32 / core.size;
    this.panels = Math.ceil(n / 8);
    this.W = matrix(nOut, nIn);
    [this.b] = matrix(1, nOut) as [number[]];
    this.x = matrix(n, nIn);
    this.delta = matrix(n, nOut);
    arena.clear();
  }

  region(values: number | number[]) {
    return this.arena.reals(values);
  }

  weights() {
    return this.region(this.W.flatMap((row) => [...row, ...Array<number>(this.pitch - row.length).fill(0)]));
  }

  /** [panels][units][8] of rows [n][units]. */
  inPanels(rows: number[][], units: number) {
    return this.region(
      Array.from({ length: this.panels * units * 8 }, (_, at) => {
        const [s, i] = [Math.floor(at / (units * 8)) * 8 + (at % 8), Math.floor(at / 8) % units];
        return rows[s]?.[i] ?? 0;
      }),
    );
  }

  /** [⌈units/width⌉][n][width] of rows [n][units]. */
  inTiles(rows: number[][], units: number, width: number, n = rows.length) {
    return this.region(
      Array.from({ length: roundUp(units, width) * n }, (_, at) => {
        const unit = Math.floor(at / (n * width)) * width + (at % width);
        return rows[Math.floor(at / width) % n]?.[unit] ?? 0;
      }),
    );
  }

  /** [units][roundUp(n, 8)] of rows [n][units]. */
  inRows(rows: number[][], units: number) {
    const length = roundUp(rows.length, 8);
    return this.region(
      Array.from({ length: units * length }, (_, at) => rows[at % length]?.[Math.floor(at / length)] ?? 0),
    );
  }

  padded(row: number[]) {
    return this.region([...row, ...Array<number>(this.columns - row.length).fill(0)]);
  }

  column(rows: number[][], i: number): number[] {
    return rows.map((row) => row[i] as number);
  }
}

/** One element alone: a product of one row with one sample. */
function alone(c: Case, start: number, x: number[], y: number[]): number {
  const [z, first, second] = [c.region(1), c.region(x), c.region(y)];
  const b = c.region([start]);
  c.core.exports.forwardVector(z.ptr, second.ptr, first.ptr, b.ptr, 1, x.length, x.length, 0, 1);
  return z.values[0] as number;
}

function examine(core: TestCore): Report {
  const { exports } = core;
  const arena = new Arena(core, 512);
  const u = core.size === 4 ? 2 ** -24 : 2 ** -53;
  const minNormal = core.size === 4 ? 2 ** -126 : 2 ** -1022;
  const shares: Record<string, number> = {};
  const disagreements: string[] = [];
  let compared = 0;

  /** `got` must be near the exact value, and what the element is when computed alone. */
  function compare(kernel: string, what: string, got: number, start: number, x: number[], y: number[], c: Case): void {
    shares[kernel] = Math.max(shares[kernel] ?? 0, shareOfBound(got, start, x, y, u));
    same(`${kernel} ${JSON.stringify(c.sizes)} ${what}`, got, alone(c, start, x, y));
  }
  function same(what: string, got: number, expected: number): void {
    compared++;
    if (!sameBits(got, expected) && disagreements.length < 20) disagreements.push(`${what}: ${got} and ${expected}`);
  }

  function forwardAndDelta(sizes: Sizes): void {
    const c = new Case(core, arena, sizes);
    const { nOut, nIn, n } = sizes;
    const [W, b, a, delta] = [c.weights(), c.region(c.b), c.inPanels(c.x, nIn), c.inPanels(c.delta, nOut)];
    const [z, dst, pack] = [
      c.region(c.panels * nOut * 8),
      c.region(c.panels * nIn * 8),
      c.region(abi.PACK_COLUMNS * Math.min(roundUp(nOut, 4), abi.PACK_DEPTH)),
    ];
    // For every second number of samples in two parts, as wide layers go.
    const parts = (rows: number): readonly (readonly [number, number])[] => {
      const cut = rows > 8 && n % 2 === 0 ? 8 : 0;
      return cut > 0
        ? [
            [cut, rows],
            [0, cut],
          ]
        : [[0, rows]];
    };
    for (const [begin, end] of parts(nOut)) {
      exports.forwardPanels(z.ptr, a.ptr, W.ptr, b.ptr, nOut, nIn, c.pitch, c.panels, begin, end, false);
    }
    for (const [begin, end] of parts(nIn)) {
      exports.deltaPanels(dst.ptr, delta.ptr, W.ptr, pack.ptr, nOut, nIn, c.pitch, c.panels, begin, end, 0);
    }
    const [rectified, sloped] = [c.region(z.values.length), c.region(dst.values.length)];
    exports.forwardPanels(rectified.ptr, a.ptr, W.ptr, b.ptr, nOut, nIn, c.pitch, c.panels, 0, nOut, true);
    exports.deltaPanels(sloped.ptr, delta.ptr, W.ptr, pack.ptr, nOut, nIn, c.pitch, c.panels, 0, nIn, a.ptr);
    arena.check(JSON.stringify(sizes));
    for (const [at, value] of z.values.entries()) {
      same(`relu ${JSON.stringify(sizes)} at ${at}`, rectified.values[at] as number, value < 0 ? 0 : value);
    }
    for (const [at, value] of dst.values.entries()) {
      const expected = (a.values[at] as number) > 0 && Math.abs(value) >= minNormal ? value : 0;
      same(`relu′ ${JSON.stringify(sizes)} at ${at}`, sloped.values[at] as number, expected);
    }
    const mark = arena.mark();
    for (let s = 0; s < n; s += n > 40 ? 13 : 1) {
      const x = c.x[s] as number[];
      const errors = c.delta[s] as number[];
      const [one, oneDst, row, error] = [c.region(nOut), c.region(c.columns), c.region(x), c.region(errors)];
      exports.forwardVector(one.ptr, row.ptr, W.ptr, b.ptr, nOut, nIn, c.pitch, 0, nOut);
      exports.deltaVector(oneDst.ptr, error.ptr, W.ptr, nOut, nIn, c.pitch);
      const inPanel = (units: number, i: number) => ((s >> 3) * units + i) * 8 + (s & 7);
      for (let o = 0; o < nOut; o++) {
        const got = z.values[inPanel(nOut, o)] as number;
        compare("forward", `row ${o}, sample ${s}`, got, c.b[o] as number, c.W[o] as number[], x, c);
        same(`forward, vector, row ${o}, sample ${s}`, one.values[o] as number, got);
      }
      for (let i = 0; i < nIn; i++) {
        const got = dst.values[inPanel(nIn, i)] as number;
        compare("delta", `column ${i}, sample ${s}`, got, 0, c.column(c.W, i), errors, c);
        same(`delta, vector, column ${i}, sample ${s}`, oneDst.values[i] as number, got);
      }
      arena.clear(mark);
    }
  }

  function gradient(sizes: Sizes): void {
    const { nOut, nIn, n } = sizes;
    const c = new Case(core, arena, sizes);
    const width = 32 / core.size;
    const cut = Math.floor(n / 2);
    const [dW, blocks] = [c.region(nOut * c.pitch), c.region(nOut * c.pitch)];
    const run = (to: typeof dW, first: number, last: number, add: boolean) => {
      const [d, x] = [c.delta.slice(first, last), c.x.slice(first, last)];
      const [packD, packA] = [c.inRows(d, nOut), c.inTiles(x, nIn, width)];
      exports.gradientPanels(to.ptr, packD.ptr, packA.ptr, nOut, nIn, c.pitch, last - first, add, 0, nOut);
    };
    run(dW, 0, n, false);
    if (cut > 0) run(blocks, 0, cut, false);
    run(blocks, cut, n, cut > 0);
    const eta = rounding(core)(0.1);
    const descended = c.weights();
    const [packD, packA] = [c.inRows(c.delta, nOut), c.inTiles(c.x, nIn, width)];
    exports.gradientPanelsUpdate(descended.ptr, eta, packD.ptr, packA.ptr, nOut, nIn, c.pitch, n, 0, nOut);
    arena.check(JSON.stringify(sizes));
    const vector = c.region(nOut * c.pitch);
    if (n === 1) {
      const [error, row] = [c.region(c.delta[0] as number[]), c.padded(c.x[0] as number[])];
      exports.gradientVector(vector.ptr, error.ptr, row.ptr, nOut, nIn, c.pitch);
    }
    const mark = arena.mark();
    for (let o = 0; o < nOut; o++)
      for (let i = 0; i < nIn; i++) {
        const at = o * c.pitch + i;
        const got = dW.values[at] as number;
        compare("gradient", `[${o}][${i}]`, got, 0, c.column(c.delta, o), c.column(c.x, i), c);
        same(`gradient in two blocks [${o}][${i}]`, blocks.values[at] as number, got);
        const [w, rnd] = [(c.W[o] as number[])[i] as number, rounding(core)];
        same(`descent [${o}][${i}]`, descended.values[at] as number, rnd(w - rnd(eta * got)));
        if (n === 1) same(`gradient, vector [${o}][${i}]`, vector.values[at] as number, got);
        arena.clear(mark);
      }
  }

  // Tiles of six rows and of four, every rest of both, and contractions that end in each of the four columns of a turn.
  for (const nOut of [1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 14])
    for (const nIn of [...upTo(14), 17, 30]) for (const n of [1, 7, 8, 17]) forwardAndDelta({ nOut, nIn, n });
  for (const nOut of [1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 14])
    for (const nIn of [...upTo(9), 17]) for (const n of [1, 2, 3, 4, 9, 14, 16]) gradient({ nOut, nIn, n });
  // More units than the delta recursion contracts in one go.
  forwardAndDelta({ nOut: 519, nIn: 17, n: 9 });
  forwardAndDelta({ nOut: 1030, nIn: 11, n: 8 });
  // Many panels, and rows of vectors in four groups and a rest.
  for (const sizes of [
    { nOut: 19, nIn: 97, n: 71 },
    { nOut: 97, nIn: 23, n: 64 },
    { nOut: 5, nIn: 1009, n: 8 },
  ]) {
    forwardAndDelta(sizes);
  }
  gradient({ nOut: 5, nIn: 11, n: 503 });
  runs(core, same);
  wideRuns(core, same);
  return { shares, disagreements, fused: isFused(core, arena), compared };
}

const LAYERS: readonly LayerShape[] = [
  { units: 9, activation: "tanh" },
  { units: 6, activation: "relu" },
  { units: 3, activation: "softmax" },
];

/** A layer of more units than the delta recursion contracts in one go: steps in pieces are steps at once, and keep to their regions. */
function wideRuns(core: TestCore, same: (what: string, got: number, expected: number) => void): void {
  const layers: readonly LayerShape[] = [
    { units: 20, activation: "tanh" },
    { units: 530, activation: "relu" },
    { units: 3, activation: "softmax" },
  ];
  const draws = new Draws(6);
  const x = Array.from({ length: 21 }, () => draws.numbers(7).map(rounding(core)));
  const data: Data = { x, y: x.map(() => draws.below(3)) };
  const net = network(core, { inputs: 7, layers, loss: "crossEntropy" }, 4);
  const train = (piece: number): number[] => {
    const planned = new PlannedNetwork(core, net, data);
    planned.setHyperparameters(HYPERPARAMETERS);
    planned.setInt(abi.JOB_BATCH, 16);
    planned.setInt(abi.JOB_BLOCK, 16);
    planned.setInt(abi.JOB_PIECE, piece);
    planned.setInt(abi.JOB_EPOCHS_LEFT, 2);
    planned.restart(abi.MODE_TRAIN);
    while (planned.run(1) === abi.RUN_MORE);
    return [...planned.params.values];
  };
  const expected = train(0);
  for (const [i, value] of train(2000).entries()) same(`in pieces: value ${i}`, value, expected[i] as number);
}

/** Whole passes: the place of a row, the size of a block and of a chunk change no bit. */
function runs(core: TestCore, same: (what: string, got: number, expected: number) => void): void {
  const rnd = rounding(core);
  const draws = new Draws(5);
  const x = Array.from({ length: 67 }, () => draws.numbers(5).map(rnd));
  const data: Data = { x, y: x.map(() => draws.below(3)) };
  const net = network(core, { inputs: 5, layers: LAYERS, loss: "crossEntropy" }, 3);
  const predict = (begin: number, end: number, block: number): number[] => {
    const rows = { x: x.slice(begin, end), y: data.y.slice(begin, end) } as Data;
    const planned = new PlannedNetwork(core, net, rows);
    planned.setInt(abi.JOB_BLOCK, block);
    planned.restart(abi.MODE_PREDICT);
    planned.run();
    return [...planned.out.values];
  };
  const all = predict(0, 67, 64);
  for (const [begin, end, block] of [
    [0, 67, 8],
    [3, 4, 8],
    [5, 6, 64],
    [1, 18, 8],
    [2, 66, 64],
    [40, 67, 16],
  ] as const) {
    for (const [i, value] of predict(begin, end, block).entries()) {
      same(`prediction ${i} of rows ${begin} … ${end}, blocks of ${block}`, value, all[3 * begin + i] as number);
    }
  }
  for (const optimizer of Object.keys(OPTIMIZERS) as OptimizerName[])
    for (const batch of [1, 61]) {
      const train = (block: number, budget: number): number[] => {
        const planned = new PlannedNetwork(core, net, data, { shuffled: true });
        planned.setHyperparameters({ ...HYPERPARAMETERS, optimizer });
        planned.setInt(abi.JOB_BATCH, batch);
        planned.setInt(abi.JOB_BLOCK, block);
        planned.setInt(abi.JOB_EPOCHS_LEFT, 2);
        planned.restart(abi.MODE_TRAIN);
        while (planned.run(budget) === abi.RUN_MORE);
        return [...planned.params.values, ...planned.state.values, ...planned.reports];
      };
      const expected = train(64, 1000);
      for (const [block, budget] of [
        [64, 1000],
        [8, 1000],
        [24, 3],
      ] as const) {
        for (const [i, value] of train(block, budget).entries()) {
          same(
            `${optimizer}, batch ${batch}, block ${block}, budget ${budget}: value ${i}`,
            value,
            expected[i] as number,
          );
        }
      }
    }
}

/** (1 + 2u)² − 1 keeps its last term only when the product is not rounded. */
function isFused(core: TestCore, arena: Arena): boolean {
  const x = 1 + (core.size === 4 ? 2 ** -23 : 2 ** -52);
  arena.clear();
  const c = new Case(core, arena, { nOut: 1, nIn: 1, n: 1 });
  return alone(c, -rounding(core)(x * x), [x], [x]) !== 0;
}

const reports: Reports = {};
for (const binary of ["f32.relaxed", "f64.relaxed", "f32.relaxed.debug", "f64.relaxed.debug"]) {
  const bytes = readFileSync(new URL(`../../build/${binary}.wasm`, import.meta.url)) as Uint8Array<ArrayBuffer>;
  reports[binary] = WebAssembly.validate(bytes) ? examine(wasmCore(binary)) : "no relaxed SIMD";
}
console.log(JSON.stringify(reports));
