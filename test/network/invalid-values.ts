// Data, options and weights that calls must refuse, with the error and its message.
import type { NetworkSpec } from "../../src/index.ts";
import { drawRows, drawsFrom } from "../draws.ts";

export type Kind = typeof TypeError | typeof RangeError;

const draw = drawsFrom(21);
const ROWS = 20;
export const X = drawRows(draw, ROWS, 3, 1);
export const REALS = drawRows(draw, ROWS, 2, 1);
export const CLASSES = X.map((_, i) => i % 2);
export const SHARES = X.map((_, i) => (i % 2 === 0 ? [0.25, 0.75] : [1, 0]));
export const UNIT = X.map((_, i) => [(i % 5) / 4, 1]);

export const SPECS = {
  reals: { inputs: 3, layers: [{ units: 4, activation: "tanh" }, { units: 2 }] },
  classes: {
    inputs: 3,
    layers: [
      { units: 4, activation: "tanh" },
      { units: 2, activation: "softmax" },
    ],
  },
  binary: {
    inputs: 3,
    layers: [
      { units: 4, activation: "tanh" },
      { units: 2, activation: "sigmoid" },
    ],
  },
} as const satisfies Record<string, NetworkSpec>;
export const TARGETS = { reals: REALS, classes: CLASSES, binary: UNIT };

const withValue = (rows: readonly (readonly number[])[], row: number, col: number, value: unknown) =>
  rows.map((values, r) => (r === row ? values.map((v, c) => (c === col ? value : v)) : values)) as number[][];
export const matrix = (rows: readonly (readonly number[])[]) => ({
  data: Float64Array.from(rows.flat()),
  shape: [rows.length, rows[0]!.length] as const,
});
export const many = (rows: number[][]) => Array.from({ length: 2500 }, (_, i) => rows[i % rows.length]!);

export const BAD_X: [what: string, x: unknown, kind: Kind, message: RegExp][] = [
  ["ragged rows", X.with(7, [1, 2]), RangeError, /x: expected rows of 3 values, got 2 in row 7$/],
  ["rows that are too wide", X.map((row) => [...row, 1]), RangeError, /x: expected rows of 3 values, got 4 in row 0$/],
  [
    "a matrix that is too wide",
    { data: new Float32Array(80), shape: [20, 4] },
    RangeError,
    /x: expected rows of 3 values, got 4 \(shape \[20, 4\]\)$/,
  ],
  [
    "a matrix with too few values",
    { data: new Float32Array(59), shape: [20, 3] },
    RangeError,
    /x\.data: expected 60 values for shape \[20, 3\], got 59$/,
  ],
  [
    "a flat array",
    X.flat(),
    TypeError,
    /x: expected rows of 3 values, got a flat array of 60 numbers; pass \{ data, shape: \[20, 3\] \}/,
  ],
  [
    "a flat Float32Array",
    Float32Array.from(X.flat()),
    TypeError,
    /a flat array of 60 numbers; pass \{ data, shape: \[20, 3\] \}/,
  ],
  ["NaN", withValue(X, 19, 2, Number.NaN), RangeError, /x: expected a finite number, got NaN in row 19, column 2$/],
  [
    "Infinity",
    withValue(X, 4, 0, Number.POSITIVE_INFINITY),
    RangeError,
    /x: expected a finite number, got Infinity in row 4, column 0$/,
  ],
  [
    "−Infinity in a matrix",
    matrix(withValue(X, 4, 1, Number.NEGATIVE_INFINITY)),
    RangeError,
    /got -Infinity in row 4, column 1$/,
  ],
  [
    "1e39 in float32",
    withValue(X, 3, 1, 1e39),
    RangeError,
    /x: expected a finite number, got 1e\+39 in row 3, column 1, which overflows float32$/,
  ],
  [
    "NaN in row 2400 of 2500",
    withValue(many(X), 2400, 1, Number.NaN),
    RangeError,
    /got NaN in row 2400, column 1$|expected 2500 rows as in x, got 20$/,
  ],
  ["zero rows", [], RangeError, /x: expected at least one row of 3 values, got none$/],
  [
    "a matrix of zero rows",
    { data: new Float32Array(0), shape: [0, 3] },
    RangeError,
    /x: expected at least one row of 3 values, got none$/,
  ],
  ["text in a row", withValue(X, 2, 2, "0.5"), TypeError, /x: expected a number, got '0\.5' in row 2, column 2$/],
  ["null in a row", withValue(X, 2, 2, null), TypeError, /x: expected a number, got null in row 2, column 2$/],
  ["a missing row", X.with(5, undefined as never), TypeError, /x: expected rows of 3 values, got undefined in row 5$/],
  [
    "a matrix of Int32Array",
    { data: new Int32Array(60), shape: [20, 3] },
    TypeError,
    /x\.data: expected a Float32Array or a Float64Array, got an Int32Array of 60$/,
  ],
  ["null", null, TypeError, /x: expected rows of 3 values, got null$/],
  ["nothing", undefined, TypeError, /x: expected rows( of 3 values)?, got undefined$/],
  ["text", "1,2,3", TypeError, /x: expected rows of 3 values, got '1,2,3'$/],
];

export const BAD_Y: [which: keyof typeof SPECS, what: string, y: unknown, kind: Kind, message: RegExp][] = [
  ["reals", "19 rows for 20", REALS.slice(1), RangeError, /y: expected 20 rows as in x, got 19$/],
  ["reals", "rows of 3", X, RangeError, /y: expected rows of 2 values, got 3 in row 0$/],
  ["reals", "ragged rows", REALS.with(11, [1]), RangeError, /y: expected rows of 2 values, got 1 in row 11$/],
  [
    "reals",
    "a flat array for two outputs",
    CLASSES,
    TypeError,
    /y: expected rows of 2 values, got a flat array of 20 elements/,
  ],
  [
    "reals",
    "NaN",
    withValue(REALS, 19, 1, Number.NaN),
    RangeError,
    /y: expected a finite number, got NaN in row 19, column 1$/,
  ],
  [
    "reals",
    "1e39 in float32",
    withValue(REALS, 0, 0, 1e39),
    RangeError,
    /y: .*got 1e\+39 in row 0, column 0, which overflows float32$/,
  ],
  ["reals", "nothing", undefined, TypeError, /y: expected (rows of 2 values|targets), got undefined$/],
  [
    "classes",
    "class 2 of 2",
    CLASSES.with(13, 2),
    RangeError,
    /y: expected a class index from 0 to 1, got 2 in row 13$/,
  ],
  ["classes", "class −1", CLASSES.with(13, -1), RangeError, /y: expected a class index from 0 to 1, got -1 in row 13$/],
  [
    "classes",
    "class 0.5",
    CLASSES.with(19, 0.5),
    RangeError,
    /y: expected a class index from 0 to 1, got 0\.5 in row 19$/,
  ],
  [
    "classes",
    "class NaN",
    CLASSES.with(19, Number.NaN),
    RangeError,
    /y: expected a class index from 0 to 1, got NaN in row 19$/,
  ],
  [
    "classes",
    "class names",
    CLASSES.map((k) => `class ${k}`),
    TypeError,
    /y: expected a class index from 0 to 1, got 'class 0' in row 0$/,
  ],
  ["classes", "21 classes for 20 rows", [...CLASSES, 0], RangeError, /y: expected 20 rows as in x, got 21$/],
  [
    "classes",
    "shares that sum to 1.001",
    withValue(SHARES, 8, 0, 0.251),
    RangeError,
    /y: expected probabilities that sum to 1 \(within 0\.00001\), got a sum of 1\.00[01]\d* in row 8$/,
  ],
  [
    "classes",
    "a negative share",
    SHARES.with(8, [-0.5, 1.5]),
    RangeError,
    /y: expected a probability ≥ 0, got -0\.5 in row 8, column 0$/,
  ],
  [
    "classes",
    "a column of class indices",
    CLASSES.map((k) => [k]),
    RangeError,
    /y: expected class indices or rows of 2 values, got rows of 1 value/,
  ],
  [
    "binary",
    "1.25",
    withValue(UNIT, 17, 1, 1.25),
    RangeError,
    /y: expected a value from 0 to 1, got 1\.25 in row 17, column 1$/,
  ],
  [
    "binary",
    "−0.25",
    withValue(UNIT, 0, 0, -0.25),
    RangeError,
    /y: expected a value from 0 to 1, got -0\.25 in row 0, column 0$/,
  ],
  [
    "binary",
    "Infinity",
    withValue(UNIT, 3, 0, Number.POSITIVE_INFINITY),
    RangeError,
    /y: .*got Infinity in row 3, column 0/,
  ],
];

export const BAD_FIT: [what: string, options: unknown, kind: Kind, message: RegExp][] = [
  ["epochs 0", { epochs: 0 }, RangeError, /^epochs: expected an integer from 1 to \d+, got 0$/],
  ["epochs 1.5", { epochs: 1.5 }, RangeError, /^epochs: .*, got 1\.5$/],
  ["epochs Infinity", { epochs: Number.POSITIVE_INFINITY }, RangeError, /^epochs: .*, got Infinity$/],
  ["epochs 1e15", { epochs: 1e15 }, RangeError, /^epochs: /],
  ["epochs '3'", { epochs: "3" }, TypeError, /^epochs: .*, got '3'$/],
  ["batchSize 0", { batchSize: 0 }, RangeError, /^batchSize: expected an integer from 1 to \d+, or "full", got 0$/],
  ["batchSize 2.5", { batchSize: 2.5 }, RangeError, /^batchSize: .*, got 2\.5$/],
  ["batchSize −8", { batchSize: -8 }, RangeError, /^batchSize: .*, got -8$/],
  ["batchSize 1e15", { batchSize: 1e15 }, RangeError, /^batchSize: /],
  ["batchSize 'all'", { batchSize: "all" }, TypeError, /^batchSize: .*, got 'all'$/],
  [
    "learning rate 0",
    { optimizer: { type: "sgd", learningRate: 0 } },
    RangeError,
    /^optimizer\.learningRate: expected a finite number > 0, got 0$/,
  ],
  ["learning rate −1", { optimizer: { type: "sgd", learningRate: -1 } }, RangeError, /learningRate: .*, got -1$/],
  [
    "learning rate NaN",
    { optimizer: { type: "sgd", learningRate: Number.NaN } },
    RangeError,
    /learningRate: .*, got NaN$/,
  ],
  [
    "learning rate Infinity",
    { optimizer: { type: "sgd", learningRate: Number.POSITIVE_INFINITY } },
    RangeError,
    /learningRate: /,
  ],
  [
    "learning rate 1e-60 in float32",
    { optimizer: { type: "sgd", learningRate: 1e-60 } },
    RangeError,
    /learningRate: .*float32.*, got 1e-60$/,
  ],
  [
    "learning rate '0.1'",
    { optimizer: { type: "sgd", learningRate: "0.1" } },
    TypeError,
    /learningRate: .*, got '0\.1'$/,
  ],
  [
    "momentum 1",
    { optimizer: { type: "momentum", momentum: 1 } },
    RangeError,
    /^optimizer\.momentum: expected a number ≥ 0 and < 1, got 1$/,
  ],
  ["beta1 1.1", { optimizer: { type: "adam", beta1: 1.1 } }, RangeError, /^optimizer\.beta1: /],
  [
    "optimizer 'adma'",
    { optimizer: "adma" },
    RangeError,
    /^optimizer: expected .*, got 'adma', did you mean 'adam'\?$/,
  ],
  ["optimizer 3", { optimizer: 3 }, TypeError, /^optimizer: /],
  [
    "an option of another optimizer",
    { optimizer: { type: "sgd", momentum: 0.9 } },
    TypeError,
    /^optimizer: unknown option 'momentum'/,
  ],
  [
    "learningRate beside the optimizer",
    { learningRate: 0.1 },
    TypeError,
    /unknown option 'learningRate', did you mean 'learningRate' inside 'optimizer'\?$/,
  ],
  ["epoch: 3", { epoch: 3 }, TypeError, /unknown option 'epoch', did you mean 'epochs'\?$/],
  ["shuffle 'yes'", { shuffle: "yes" }, TypeError, /^shuffle: expected true or false, got 'yes'$/],
  ["validation 0", { validation: 0 }, RangeError, /^validation: /],
  ["validation 1", { validation: 1 }, RangeError, /^validation: /],
  ["validation without y", { validation: { x: X } }, TypeError, /^validation\.y: /],
  ["maxSteps 0", { maxSteps: 0 }, RangeError, /^maxSteps: /],
  ["maxSeconds −1", { maxSeconds: -1 }, RangeError, /^maxSeconds: /],
  ["onEpoch 'log'", { onEpoch: "log" }, TypeError, /^onEpoch: expected a function, got 'log'$/],
  ["an AbortController as signal", { signal: new AbortController() }, TypeError, /^signal: .*pass its \.signal$/],
  ["options as a number", 10, TypeError, /^fit(Sync)?|epochs: expected an object/],
];

const weightsOf = (W: unknown, b: unknown = [1, 2]) => [
  {
    W: [
      [1, 2, 3],
      [1, 2, 3],
      [1, 2, 3],
      [1, 2, 3],
    ],
    b: [1, 2, 3, 4],
  },
  { W, b },
];
export const BAD_WEIGHTS: [what: string, weights: unknown, kind: Kind, message: RegExp][] = [
  ["one layer of two", weightsOf([[1]]).slice(0, 1), RangeError, /2.*layers?.*1/],
  ["no array", 3, TypeError, /got 3$/],
  [
    "rows of 3 for 4 inputs",
    weightsOf([
      [1, 2, 3],
      [1, 2, 3],
    ]),
    RangeError,
    /1\]\.W: expected rows of 4 values, got 3 in row 0$/,
  ],
  ["one row of two", weightsOf([[1, 2, 3, 4]]), RangeError, /1\]\.W: .*2.*1/],
  ["a flat W", weightsOf([1, 2, 3, 4, 5, 6, 7, 8]), TypeError, /1\]\.W: .*flat array of 8/],
  [
    "NaN in W",
    weightsOf([
      [1, 2, 3, 4],
      [1, 2, Number.NaN, 4],
    ]),
    RangeError,
    /1\]\.W: .*NaN in row 1, column 2/,
  ],
  [
    "1e39 in W",
    weightsOf([
      [1, 2, 3, 4],
      [1, 2, 1e39, 4],
    ]),
    RangeError,
    /1\]\.W: .*1e\+39 in row 1, column 2/,
  ],
  [
    "b of 3 for 2 units",
    weightsOf(
      [
        [1, 2, 3, 4],
        [1, 2, 3, 4],
      ],
      [1, 2, 3],
    ),
    RangeError,
    /1\]\.b: expected 2 numbers, got 3$/,
  ],
  [
    "Infinity in b",
    weightsOf(
      [
        [1, 2, 3, 4],
        [1, 2, 3, 4],
      ],
      [1, Number.POSITIVE_INFINITY],
    ),
    RangeError,
    /1\]\.b\[1\]: .*Infinity/,
  ],
  [
    "no b",
    [
      weightsOf(0)[0],
      {
        W: [
          [1, 2, 3, 4],
          [1, 2, 3, 4],
        ],
      },
    ],
    TypeError,
    /1\]\.b: /,
  ],
];
