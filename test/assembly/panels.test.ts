import { describe, test } from "vitest";
import { Arena, CORES, Draws, expectBits, rounding, upTo } from "./cores.ts";

const roundUp = (n: number, multiple: number): number => Math.ceil(n / multiple) * multiple;

describe.each(CORES)("$name", (core) => {
  const { exports } = core;
  const rnd = rounding(core);
  const arena = new Arena(core);
  const tileCols = 32 / core.size;
  /** Batches of every remainder mod 8, up to two panels and one sample, and near 100. */
  const batches = [...upTo(17), 97];
  const widths = [...upTo(2 * tileCols + 1), 31, 101];

  test("gatherRows puts B rows into panels, lanes past B +0, after a batch of NaN: B 1…17 and 97, 1…17 columns and near 100", () => {
    for (const n of batches)
      for (const cols of widths) {
        const what = `B ${n}, ${cols} columns`;
        const draws = new Draws(n * 131 + cols);
        const [rows, pitch, first] = [n + 5, cols + (n % 3), n % 5];
        const x = draws.special(rows * pitch, core.size).map(rnd);
        const order = Array.from({ length: n }, () => draws.below(rows));
        for (const ordered of [false, true]) {
          arena.clear();
          const dst = arena.reals(roundUp(n, 8) * cols);
          const from = arena.reals(x);
          const orderPtr = ordered ? arena.ints(order).ptr : 0;
          exports.gatherRows(dst.ptr, from.ptr, pitch, cols, orderPtr, first, n);
          const expected = Array.from(dst.values, (_, at) => {
            const [s, i] = [Math.floor(at / (cols * 8)) * 8 + (at % 8), Math.floor(at / 8) % cols];
            const row = ordered ? (order[s] as number) : first + s;
            return s < n ? (x[row * pitch + i] as number) : 0;
          });
          expectBits(what, dst.values, expected);
          arena.check(what);
        }
      }
  });

  test("scatterRows writes panels as rows, and nothing of the lanes past B: B 1…17 and 97", () => {
    for (const n of batches)
      for (const cols of widths) {
        const what = `B ${n}, ${cols} columns`;
        const panels = new Draws(n * 137 + cols).special(roundUp(n, 8) * cols, core.size).map(rnd);
        arena.clear();
        const out = arena.reals(n * cols);
        exports.scatterRows(out.ptr, arena.reals(panels).ptr, cols, n);
        const expected = Array.from(out.values, (_, at) => {
          const [s, i] = [Math.floor(at / cols), at % cols];
          return panels[((s >> 3) * cols + i) * 8 + (s & 7)] as number;
        });
        expectBits(what, out.values, expected);
        arena.check(what);
      }
  });

  /** Panels of n samples; lanes past n are NaN. */
  function drawnPanels(n: number, units: number): number[] {
    return new Draws(n * 139 + units)
      .special(roundUp(n, 8) * units, core.size)
      .map((x, at) => (Math.floor(at / (units * 8)) * 8 + (at % 8) < n ? rnd(x) : NaN));
  }

  test("packActivations turns panels into strips [units/width][B][width] of the true batch, +0 past the units", () => {
    for (const n of batches)
      for (const units of widths) {
        const what = `B ${n}, ${units} units`;
        const panels = drawnPanels(n, units);
        arena.clear();
        const dst = arena.reals(roundUp(units, tileCols) * n);
        exports.packActivations(dst.ptr, arena.reals(panels).ptr, units, n);
        const expected = Array.from(dst.values, (_, at) => {
          const [unit, s] = [
            Math.floor(at / (n * tileCols)) * tileCols + (at % tileCols),
            Math.floor(at / tileCols) % n,
          ];
          return unit < units ? (panels[((s >> 3) * units + unit) * 8 + (s & 7)] as number) : 0;
        });
        expectBits(what, dst.values, expected);
        arena.check(what);
      }
  });

  test("packDeltas turns panels into rows [units][roundUp(B, 8)]", () => {
    for (const n of batches)
      for (const units of widths) {
        const what = `B ${n}, ${units} units`;
        const panels = drawnPanels(n, units);
        const row = roundUp(n, 8);
        arena.clear();
        const dst = arena.reals(units * row);
        exports.packDeltas(dst.ptr, arena.reals(panels).ptr, units, n);
        const expected = Array.from(dst.values, (_, at) => {
          const [unit, s] = [Math.floor(at / row), at % row];
          return panels[((s >> 3) * units + unit) * 8 + (s & 7)] as number;
        });
        expectBits(what, dst.values, expected);
        arena.check(what);
      }
  });
});
