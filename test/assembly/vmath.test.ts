// The elementary functions against an outside reference, and against each other: release, debug, relaxed, pure JS.
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { cos2pi } from "../../src/js/vmath.ts";
import { Arena, CORES, Draws, expectBits, type TestCore, upTo, wasmCore } from "./cores.ts";

type MapName = "mapExp" | "mapLog" | "mapTanh" | "mapSigmoid" | "mapLog1p";
const REAL_MAPS = ["mapExp", "mapLog", "mapTanh", "mapSigmoid"] as const;

const core = (name: string): TestCore => CORES.find((each) => each.name === name) as TestCore;
const f32Cores = CORES.filter((each) => each.size === 4);
const f64Cores = CORES.filter((each) => each.size === 8);

/** What a core's map makes of `x` (values of its dtype). */
function mapped(of: TestCore, name: MapName, x: ArrayLike<number>): ArrayLike<number> {
  const arena = new Arena(of, 256);
  const [src, dst] = [arena.reals(x), arena.reals(x.length)];
  of.exports[name](dst.ptr, src.ptr, x.length);
  arena.check(name);
  return dst.values.slice();
}

// ── f32: against f64 arithmetic ────────────────────────────────────────────────────────────────

const sigmoid = (x: number): number => {
  const e = Math.exp(-Math.abs(x));
  return (x < 0 ? e : 1) / (1 + e);
};

const F32_BOUNDS: readonly [MapName, (x: number) => number, number][] = [
  ["mapExp", Math.exp, 1],
  ["mapLog", Math.log, 1],
  ["mapTanh", Math.tanh, 2],
  ["mapSigmoid", sigmoid, 2.5],
];

/** An ulp of f32 at y: the spacing just above |y|, 2^-149 among the subnormals. */
const bits = new DataView(new ArrayBuffer(8));
function ulp32(y: number): number {
  bits.setFloat64(0, y);
  const exponent = ((bits.getUint32(0) >>> 20) & 0x7ff) - 1023;
  return 2 ** (Math.max(exponent, -126) - 23);
}

/** Distance of the f32 `got` from the exact value, in ulp; 0 or Infinity where one of them is NaN, infinite or zero. */
function error32(got: number, exact: number): number {
  const rounded = Math.fround(exact);
  if (Object.is(got, rounded) && (rounded === 0 || !Number.isFinite(rounded))) return 0;
  const distance = Math.abs(got - exact) / ulp32(exact);
  return Number.isFinite(distance) && Number.isFinite(rounded) ? distance : Infinity;
}

describe("f32.simd, every 1021st of all 2^32 arguments", () => {
  const stride = 1021;
  const block = 2 ** 18;
  test.each(F32_BOUNDS)("%s is within its bound", (name, reference, bound) => {
    const arena = new Arena(core("f32.simd"), 64);
    const [src, dst] = [arena.reals(block), arena.reals(block)];
    const words = new Uint32Array(src.values.buffer, src.ptr, block);
    let worst = 0;
    let at = 0;
    for (let first = 0; first < 2 ** 32; first += block * stride) {
      const count = Math.min(block, Math.ceil((2 ** 32 - first) / stride));
      for (let i = 0; i < count; i++) words[i] = first + i * stride;
      arena.core.exports[name](dst.ptr, src.ptr, count);
      for (let i = 0; i < count; i++) {
        const error = error32(dst.values[i] as number, reference(src.values[i] as number));
        if (error <= worst) continue;
        worst = error;
        at = src.values[i] as number;
      }
    }
    expect(worst, `at ${at}`).toBeLessThan(bound);
    // A reference or a measure gone wrong would find nothing.
    expect(worst).toBeGreaterThan(0.5);
  });
});

// The largest errors over all 2^32 arguments stood here; neighbours included.
const F32_WORST: readonly [MapName, number][] = [
  ["mapExp", -71.04728698730469],
  ["mapLog", 0.7066592574119568],
  ["mapTanh", 0.12476403266191483],
  ["mapTanh", 0.21613329648971558],
  ["mapSigmoid", -4.157293796539307],
];

test.each(F32_WORST)("%s of f32 is within its bound on 2001 arguments around %f", (name, x) => {
  const [, reference, bound] = F32_BOUNDS.find((row) => row[0] === name) as (typeof F32_BOUNDS)[number];
  const float = new Float32Array([x]);
  const word = new Int32Array(float.buffer);
  const middle = word[0] as number;
  const around = Float32Array.from({ length: 2001 }, (_, i) => {
    word[0] = middle + i - 1000;
    return float[0] as number;
  });
  const got = mapped(core("f32.simd"), name, around);
  const worst = Math.max(...around.map((each, i) => error32(got[i] as number, reference(each))));
  expect(worst).toBeLessThan(bound);
});

// ── f64: against the fixture ───────────────────────────────────────────────────────────────────

/** x, the double nearest to f(x), and (f(x) − y)/ulp(y). */
interface Row {
  readonly x: number;
  readonly y: number;
  readonly rest: number;
}

function readFixture(): Map<string, Row[]> {
  const double = (hex: string): number => {
    bits.setBigUint64(0, BigInt(`0x${hex}`));
    return bits.getFloat64(0);
  };
  const rows = new Map<string, Row[]>();
  const text = readFileSync(new URL("../fixtures/vmath/f64.txt", import.meta.url), "utf8");
  for (const line of text.trimEnd().split("\n")) {
    const [name, x, y, rest] = line.split(" ") as [string, string, string, string];
    const row = { x: double(x), y: double(y), rest: Number(rest) };
    rows.set(name, [...(rows.get(name) ?? []), row]);
  }
  return rows;
}

/** Place of a double among all doubles, ascending. */
function place(x: number): bigint {
  bits.setFloat64(0, x);
  const word = bits.getBigInt64(0);
  return word < 0n ? -(word & 0x7fffffffffffffffn) : word;
}

const fixture = readFixture();
const fixtureRows = (name: string): Row[] => fixture.get(name) as Row[];

function worstOf(rows: readonly Row[], got: ArrayLike<number>): number {
  const errors = rows.map(({ y, rest }, i) => Math.abs(Number(place(got[i] as number) - place(y)) - rest));
  return Math.max(...errors);
}

const F64_BOUNDS: readonly [string, MapName, number][] = [
  ["exp", "mapExp", 1],
  ["log", "mapLog", 1],
  ["tanh", "mapTanh", 2],
  ["sigmoid", "mapSigmoid", 2.5],
  ["log1p", "mapLog1p", 1],
];

describe.each(f64Cores)("$name, 400 arguments of the fixture", (of) => {
  test.each(F64_BOUNDS)("%s (%s) is within its bound", (name, map, bound) => {
    const rows = fixtureRows(name);
    expect(rows.length).toBe(400);
    const worst = worstOf(
      rows,
      mapped(
        of,
        map,
        rows.map(({ x }) => x),
      ),
    );
    expect(worst).toBeLessThan(bound);
    expect(worst).toBeGreaterThan(0.4);
  });
});

test("cos2pi on 400 arguments of the fixture is within 2 ulp, and exact at the quarter turns", () => {
  const rows = fixtureRows("cos2pi");
  const got = rows.map(({ x }) => cos2pi(x));
  expect(worstOf(rows, got)).toBeLessThan(2);
  expect([0, 0.25, 0.5, 0.75].map((u) => cos2pi(u) + 0)).toEqual([1, 0, -1, 0]);
});

test("sigmoid over f64: every row of its table, and both sides of its end", () => {
  const quarters = Array.from({ length: 2 * 64 + 1 }, (_, i) => (i - 64) / 4); // ±16: beyond
  const x = quarters.flatMap((each) => [-0.125, -0.0625, 0, 0.0625, 0.1249].map((off) => each + off));
  x.push(...[15.75, -15.75].flatMap((end) => [end, end * (1 - 2 ** -53), end * (1 + 2 ** -52)]));
  const [first, ...others] = f64Cores.map((of) => mapped(of, "mapSigmoid", x));
  for (const other of others) expectBits("sigmoid", other, first as ArrayLike<number>);
  for (const [i, each] of x.entries()) {
    const [got, expected] = [(first as ArrayLike<number>)[i] as number, sigmoid(each)];
    // Math.exp itself is within an ulp.
    expect(Math.abs(got - expected), `at ${each}`).toBeLessThan(4 * 2 ** -53 * expected);
  }
});

test.each(f64Cores)("$name: sigmoid in place, arguments beyond its table among others", (of) => {
  const common = [1, 20, 1, 1, Number.NaN, 1, -16, 15.75, -15.75, 0.5, 0.25, -1000, 3, 4];
  for (const count of upTo(common.length)) {
    const x = common.slice(0, count);
    const single = x.map((each) => mapped(of, "mapSigmoid", [each])[0] as number);
    const arena = new Arena(of);
    const [src, dst] = [arena.reals(x), arena.reals(count)];
    of.exports.mapSigmoid(dst.ptr, src.ptr, count);
    expectBits(`${count}`, dst.values, single);
    of.exports.mapSigmoid(src.ptr, src.ptr, count);
    expectBits(`${count} in place`, src.values, single);
    arena.check("mapSigmoid");
  }
});

// ── Special values ─────────────────────────────────────────────────────────────────────────────

const SPECIAL: readonly [MapName, readonly [number, number][]][] = [
  [
    "mapExp",
    [
      [0, 1],
      [-0, 1],
      [Infinity, Infinity],
      [-Infinity, 0],
      [NaN, NaN],
      [1e4, Infinity],
      [-1e4, 0],
    ],
  ],
  [
    "mapLog",
    [
      [1, 0],
      [0, -Infinity],
      [-0, -Infinity],
      [-1, NaN],
      [-Infinity, NaN],
      [Infinity, Infinity],
      [NaN, NaN],
    ],
  ],
  [
    "mapTanh",
    [
      [0, 0],
      [-0, -0],
      [Infinity, 1],
      [-Infinity, -1],
      [NaN, NaN],
      [40, 1],
      [-1e30, -1],
    ],
  ],
  [
    "mapSigmoid",
    [
      [0, 0.5],
      [-0, 0.5],
      [Infinity, 1],
      [-Infinity, 0],
      [NaN, NaN],
      [1e4, 1],
      [-1e4, 0],
    ],
  ],
];

/** Smallest subnormal, a subnormal, the largest, and the smallest normal number of a dtype. */
const tiny = (of: TestCore): number[] => {
  const [least, normal] = of.size === 4 ? [2 ** -149, 2 ** -126] : [2 ** -1074, 2 ** -1022];
  return [least, normal / 4, normal - least, normal];
};

describe.each(CORES)("$name, special values", (of) => {
  test.each(SPECIAL)("%s", (name, pairs) => {
    const [x, y] = [pairs.map((pair) => pair[0]), pairs.map((pair) => pair[1])];
    expectBits(name, mapped(of, name, x), y);
  });

  test("tanh of a subnormal number is the number, exp 1, sigmoid 0.5", () => {
    const x = tiny(of).flatMap((each) => [each, -each]);
    expectBits("tanh", mapped(of, "mapTanh", x), x);
    expectBits(
      "exp",
      mapped(of, "mapExp", x),
      x.map(() => 1),
    );
    expectBits(
      "sigmoid",
      mapped(of, "mapSigmoid", x),
      x.map(() => 0.5),
    );
  });

  test("exp reaches the largest and the smallest result, and nothing is lost between", () => {
    const rnd = of.size === 4 ? Math.fround : (x: number): number => x;
    const [most, least] =
      of.size === 4 ? [88.72283172607422, -103.97207641601562] : [709.782712893384, -745.1332191019411];
    const next = of.size === 4 ? 2 ** -17 : 2 ** -43;
    const got = mapped(of, "mapExp", [most, rnd(most + next), least, rnd(least - 4 * next)]);
    expect(got[0]).toBeGreaterThan(of.size === 4 ? 3.4e38 : 1.797e308);
    expect(Number.isFinite(got[0])).toBe(true);
    expect([got[1], got[2], got[3]]).toEqual([Infinity, of.size === 4 ? 2 ** -149 : 2 ** -1074, 0]);
  });

  test("log1p over f64: -0, 0, subnormals give themselves; -1 -> -Infinity; below NaN", () => {
    const arena = new Arena(of);
    const x = [-0, 0, 2 ** -1074, -(2 ** -1030), 1e-20, -1e-17, -1, -2, -Infinity, Infinity, NaN];
    const y = [-0, 0, 2 ** -1074, -(2 ** -1030), 1e-20, -1e-17, -Infinity, NaN, NaN, Infinity, NaN];
    expectBits("log1p", doubles(arena, "mapLog1p", x), y);
  });
});

/** mapLog1p takes f64 in every core. */
function doubles(arena: Arena, name: "mapLog1p", x: ArrayLike<number>): Float64Array {
  const words = x.length * 2;
  const [src, dst] = [arena.ints(new Uint32Array(words)), arena.ints(new Uint32Array(words))];
  const view = (ptr: number): Float64Array => new Float64Array(arena.core.memory.buffer, ptr, x.length);
  view(src.ptr).set(x);
  arena.core.exports[name](dst.ptr, src.ptr, x.length);
  arena.check(name);
  return view(dst.ptr);
}

// ── The maps as kernels, and the same bits everywhere ──────────────────────────────────────────

describe.each(CORES)("$name, maps", (of) => {
  test("any count from 0 to 35: element by element, nothing beyond, also in place", () => {
    const arena = new Arena(of);
    const draws = new Draws(1);
    for (const count of [0, ...upTo(35)]) {
      const x = draws.numbers(count).map((each) => Math.abs(each) * 3);
      for (const name of REAL_MAPS) {
        arena.clear();
        const [src, dst, single] = [arena.reals(x), arena.reals(count), arena.reals(count)];
        of.exports[name](dst.ptr, src.ptr, count);
        for (let i = 0; i < count; i++) of.exports[name](single.ptr + i * of.size, src.ptr + i * of.size, 1);
        expectBits(`${name} of ${count}`, dst.values, single.values);
        of.exports[name](src.ptr, src.ptr, count);
        expectBits(`${name} of ${count} in place`, src.values, dst.values);
        arena.check(name);
      }
    }
  });
});

// Groups of vectors have a short way where all their results are normal.
describe.each(CORES)("$name, one number of a group is not like the others", (of) => {
  const far = of.size === 4 ? [86.9, 87.1, 88.7, 90, 1e9] : [708, 709.9, 746, 1e9];
  test.each(REAL_MAPS)("%s, at each of 32 places", (name) => {
    const arena = new Arena(of);
    const draws = new Draws(4);
    for (const odd of [...far, ...far.map((x) => -x), Infinity, -Infinity, NaN]) {
      for (let place = 0; place < 32; place++) {
        arena.clear();
        const x = draws.numbers(32);
        x[place] = odd;
        const [src, dst, single] = [arena.reals(x), arena.reals(32), arena.reals(32)];
        of.exports[name](dst.ptr, src.ptr, 32);
        for (let i = 0; i < 32; i++) of.exports[name](single.ptr + i * of.size, src.ptr + i * of.size, 1);
        expectBits(`${odd} at ${place}`, dst.values, single.values);
        of.exports[name](src.ptr, src.ptr, 32);
        expectBits(`${odd} at ${place}, in place`, src.values, dst.values);
      }
    }
  });
});

// Where x/ln 2 rounds to k + ½ the two nearest n are as near: which one is taken decides some results' last bit.
test("f32 arguments halfway between two powers of 2: the same bits in a group, alone and in pure JS", () => {
  const word = new DataView(new ArrayBuffer(4));
  const ties: number[] = [];
  for (let k = -126; k <= 126; k++) {
    word.setFloat32(0, (k + 0.5) * Math.LN2);
    const near = word.getInt32(0);
    for (let step = -2; step <= 2; step++) {
      word.setInt32(0, near + step);
      const x = word.getFloat32(0);
      if (Math.fround(x * Math.fround(Math.LOG2E)) === k + 0.5) ties.push(x);
    }
  }
  expect(ties.length).toBeGreaterThan(200);
  const x = ties.flatMap((tie) => Array.from({ length: 16 }, () => tie));
  for (const name of ["mapExp", "mapSigmoid", "mapTanh"] as const) {
    const alone = ties.flatMap((tie) =>
      Array.from({ length: 16 }, () => mapped(core("f32.js"), name, [tie])[0] as number),
    );
    for (const of of f32Cores) expectBits(`${of.name} ${name}`, mapped(of, name, x), alone);
  }
});

/** Numbers of every exponent, NaN and infinities among them, and as many of common size. */
function arguments32(): Float32Array {
  const words = Uint32Array.from({ length: 2 ** 16 }, (_, i) => i * 65_537 + 12_289);
  const draws = new Draws(2);
  const common = Array.from({ length: 2 ** 15 }, () => draws.number() * 4 ** (draws.below(8) - 3));
  return Float32Array.from([...new Float32Array(words.buffer), ...common]);
}

function arguments64(): Float64Array {
  const draws = new Draws(3);
  const words = Uint32Array.from({ length: 2 ** 16 }, () => draws.below(2 ** 32));
  const common = Array.from({ length: 2 ** 15 }, () => draws.number() * 4 ** (draws.below(10) - 3));
  const fromFixture = [...fixture.values()].flat().map(({ x }) => x);
  return Float64Array.from([...new Float64Array(words.buffer), ...common, ...fromFixture]);
}

describe("the same bits in release, debug and pure JS", () => {
  test.each(REAL_MAPS)("%s of 98304 f32 arguments", (name) => {
    const x = arguments32();
    const [first, ...others] = f32Cores.map((of) => mapped(of, name, x));
    for (const other of others) expectBits(name, other, first as ArrayLike<number>);
  });

  test.each([...REAL_MAPS, "mapLog1p"] as const)("%s of 67936 f64 arguments", (name) => {
    const x = arguments64();
    const [first, ...others] = f64Cores.map((of) => mapped(of, name, x));
    for (const other of others) expectBits(name, other, first as ArrayLike<number>);
  });

  test("mapLog1p of 67936 f64 arguments in the f32 cores", () => {
    const x = arguments64();
    const expected = mapped(core("f64.simd"), "mapLog1p", x);
    for (const of of f32Cores) expectBits(of.name, doubles(new Arena(of, 64), "mapLog1p", x), expected);
  });

  // Node 20 does not compile relaxed SIMD.
  const relaxed = readFileSync(new URL("../../build/f32.relaxed.wasm", import.meta.url));
  test.skipIf(!WebAssembly.validate(relaxed))("and in the relaxed binaries", () => {
    for (const name of REAL_MAPS) {
      const [x32, x64] = [arguments32(), arguments64()];
      expectBits(name, mapped(wasmCore("f32.relaxed"), name, x32), mapped(core("f32.simd"), name, x32));
      expectBits(name, mapped(wasmCore("f64.relaxed"), name, x64), mapped(core("f64.simd"), name, x64));
    }
  });
});
