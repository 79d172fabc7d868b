// Strips of W for online training: the kernels against plain loops, and whole runs against the pure-JS core, which has none.
import { afterEach, describe, expect, test } from "vitest";
import { Network, type NetworkSpec, type Trainable } from "../../src/index.ts";
import { tuning } from "../../src/training/tuning.ts";
import { drawRows, drawsFrom } from "../draws.ts";
import { stateOf, withoutClock } from "../saved-state.ts";
import { Arena, CORES, Draws, expectBits, rounding, upTo } from "./cores.ts";

interface StripExports {
  packStrips(strips: number, W: number, nOut: number, nIn: number, pitch: number): number;
  unpackStrips(W: number, strips: number, nOut: number, nIn: number, pitch: number): void;
  forwardStrips(z: number, a: number, strips: number, b: number, nOut: number, nIn: number): void;
  updateStrips(strips: number, delta: number, a: number, eta: number, nOut: number, nIn: number): void;
}

describe.each(CORES.filter(({ isJs }) => !isJs))("$name", (core) => {
  const exports = core.exports as unknown as StripExports;
  const rnd = rounding(core);
  const arena = new Arena(core);
  const lanes = 16 / core.size;

  test("forward and descent over strips of 1 to 19 vectors and 1 to 17 inputs, term by term; the last units' rows are left alone", () => {
    const eta = rnd(0.3);
    for (const nOut of upTo(19 * lanes + 1))
      for (const nIn of [1, 2, 3, 5, 8, 17]) {
        const what = `nOut ${nOut}, nIn ${nIn}`;
        const special = nIn === 5;
        const draws = new Draws(nOut * 100 + nIn);
        const fill = (count: number) => (special ? draws.special(count, core.size) : draws.numbers(count)).map(rnd);
        const pitch = nIn + (nOut % 3);
        const units = nOut - (nOut % lanes);
        const W = fill(nOut * pitch).map((w) => (Object.is(w, -0) ? 0 : w));
        const [a, b, delta] = [fill(nIn), fill(nOut), fill(nOut)];
        arena.clear();
        const [strips, rows, z] = [arena.reals(units * nIn), arena.reals(W), arena.reals(units)];
        const [from, bias, errors] = [arena.reals(a), arena.reals(b), arena.reals(delta)];
        expect(exports.packStrips(strips.ptr, rows.ptr, nOut, nIn, pitch), what).toBe(1);
        for (const start of [bias.ptr, 0]) {
          exports.forwardStrips(z.ptr, from.ptr, strips.ptr, start, nOut, nIn);
          const expected = b.slice(0, units).map((first, o) => {
            let sum = start ? first : 0;
            for (let i = 0; i < nIn; i++) sum = rnd(sum + rnd((W[o * pitch + i] as number) * (a[i] as number)));
            return sum;
          });
          expectBits(what, z.values, expected);
        }
        exports.updateStrips(strips.ptr, errors.ptr, from.ptr, eta, nOut, nIn);
        exports.unpackStrips(rows.ptr, strips.ptr, nOut, nIn, pitch);
        const moved = W.map((w, at) => {
          const [o, i] = [Math.floor(at / pitch), at % pitch];
          if (o >= units || i >= nIn) return w;
          return rnd(w - rnd(eta * (0 + rnd((delta[o] as number) * (a[i] as number)))));
        });
        expectBits(`${what}, W`, rows.values, moved);
        arena.check(what);
      }
  });

  test("a weight of −0 is reported wherever it stands in a strip, 13 vectors × 3", () => {
    const [nOut, nIn] = [13 * lanes, 3];
    for (let at = 0; at < nOut * nIn; at++) {
      arena.clear();
      const W = Array<number>(nOut * nIn).fill(0);
      W[at] = -0;
      const [strips, rows] = [arena.reals(nOut * nIn), arena.reals(W)];
      expect(exports.packStrips(strips.ptr, rows.ptr, nOut, nIn, nIn), String(at)).toBe(0);
    }
  });
});

afterEach(() => {
  tuning.chunkBlocks = undefined;
});

const WIDTHS = [1, 3, 4, 7, 8, 13, 25, 31, 32, 33, 47, 64, 66];
const TRAINABLE: readonly Trainable[] = [true, true, true, "weights", "bias", false];

describe.each(["float32", "float64"] as const)("%s", (dtype) => {
  test("60 drawn networks learn online with the bits of the JS core, in chunks of any length, before and after momentum", () => {
    for (let index = 0; index < 60; index++) {
      const draw = drawsFrom(500 + index);
      const pick = <T>(list: readonly T[]): T => list[Math.floor(draw() * list.length)] as T;
      const inputs = pick([26, 30, 41]);
      const layers: NetworkSpec["layers"] = Array.from({ length: 1 + (index % 3) }, () => ({
        units: pick(WIDTHS),
        activation: pick(["relu", "tanh", "silu"] as const),
        trainable: pick(TRAINABLE),
      }));
      const spec: NetworkSpec = { inputs, layers: [...layers, { units: 2, activation: "softmax" }] };
      const x = drawRows(draw, 23, inputs, 1.5).map((row) => row.map((value) => (value < -0.7 ? 0 : value)));
      const y = x.map(() => Math.floor(draw() * 2));
      const negativeZero = index % 5 === 0;
      const trained = (core: "simd" | "js") => {
        using network = Network.createSync(spec, { dtype, core, seed: 3 });
        if (negativeZero) {
          const weights = network.weights();
          for (const { W } of weights) W.data[W.data.length - 1] = -0;
          network.setWeights(weights);
        }
        tuning.chunkBlocks = [undefined, 17, 40][index % 3];
        const sgd = { type: "sgd", learningRate: 0.01 } as const;
        const history = network.fitSync(x, y, { batchSize: 1, epochs: 3, optimizer: sgd });
        // Reads dW's padding and the whole of W.
        network.fitSync(x, y, { batchSize: 7, epochs: 1, optimizer: { type: "momentum", learningRate: 0.01 } });
        network.fitSync(x, y, { batchSize: 1, epochs: 1, optimizer: sgd, shuffle: false });
        return { state: stateOf(network), history: withoutClock(JSON.stringify(history)) };
      };
      expect(trained("simd"), JSON.stringify(spec)).toEqual(trained("js"));
    }
  });

  test("weights −0 keep their sign as in the JS core where nothing moves them: inputs that are 0, 30-32-2", () => {
    const spec: NetworkSpec = { inputs: 30, layers: [{ units: 32, activation: "relu" }, { units: 2 }] };
    const x = Array.from({ length: 20 }, (_, row) => Array.from({ length: 30 }, (_, i) => (i < 3 ? row - 9 : 0)));
    const y = x.map((_, row) => [row % 2, 1]);
    const states = (["simd", "js"] as const).map((core) => {
      using network = Network.createSync(spec, { dtype, core, seed: 5 });
      const weights = network.weights();
      weights[0]?.W.data.fill(-0);
      network.setWeights(weights);
      network.fitSync(x, y, { batchSize: 1, epochs: 2, optimizer: { type: "sgd", learningRate: 0.001 } });
      return network.weights().map(({ W }) => Array.from(W.data));
    });
    expect(states[0]).toEqual(states[1]);
    expect(states[0]?.[0]?.some((w) => Object.is(w, -0))).toBe(true);
  });
});
