// chainrule/predict: saved networks that only predict.
import { checkInto } from "../data/into.ts";
import { type Matrix, type Reals, type RowSource, type Rows, rowSource } from "../data/rows.ts";
import { nonFiniteError } from "../data/targets.ts";
import type { DType, PredictOptions } from "../options/network.ts";
import { checkClasses, classesOf } from "../prediction.ts";
import { instantiate, instantiateSync, type PredictingExports } from "./instantiate.ts";
import { type Placed, placeNetwork } from "./place.ts";
import { type PredictingNetwork, readPredictor } from "./read.ts";

export type { Matrix, Rows } from "../data/rows.ts";
export type { DType, PredictOptions } from "../options/network.ts";

/** Rows, and bytes of them, that go to the binary in one call. */
const WINDOW = { rows: 256, bytes: 2 ** 20 };
const OWN = Symbol("Predictor");

/**
 * A saved network that only predicts: a fifth of the code of `Network`, the same bits.
 * @example
 * const predictor = await Predictor.load(bytes); // what network.save() gave
 * predictor.predict([[0, 1]]).data; // Float32Array [0.98…]
 */
export class Predictor {
  readonly #exports: PredictingExports;
  readonly #placed: Placed;
  readonly #rows: number;
  readonly #sigmoid: boolean;
  /** Columns of x. */
  readonly inputs: number;
  /** Columns of a prediction. */
  readonly outputs: number;
  readonly dtype: DType;

  private constructor(own: unknown, network: PredictingNetwork, exports: PredictingExports) {
    if (own !== OWN) throw new TypeError("Predictor: expected Predictor.load or loadSync, got new Predictor");
    const { inputs, outputs, dtype, layers } = network;
    const last = layers.at(-1);
    this.inputs = inputs;
    this.outputs = outputs;
    this.dtype = dtype;
    this.#sigmoid = last?.kind === "dense" && last.activation.type === "sigmoid";
    this.#exports = exports;
    const rowBytes = (inputs + outputs) * (dtype === "float32" ? 4 : 8);
    this.#rows = Math.max(1, Math.min(WINDOW.rows, Math.floor(WINDOW.bytes / rowBytes)));
    this.#placed = placeNetwork(network, this.#rows);
    write(exports.memory, this.#placed);
  }

  /**
   * Reads what `network.save()` wrote; what it holds of training is left alone.
   * @throws (by rejection) TypeError, RangeError for bytes that are not a whole, undamaged file; Error where the runtime cannot
   * compile WebAssembly with SIMD
   */
  static async load(bytes: Uint8Array): Promise<Predictor> {
    const saved = readPredictor(bytes);
    return make(saved, await instantiate(saved.dtype));
  }

  /** As `load`, on this thread. */
  static loadSync(bytes: Uint8Array): Predictor {
    const saved = readPredictor(bytes);
    return make(saved, instantiateSync(saved.dtype));
  }

  /**
   * Output activations [rows × outputs] of x [rows × inputs], the bits of `network.predict`. `into` takes the result and is
   * returned; it is written when every row has passed.
   * @throws TypeError, RangeError
   */
  predict(x: Rows, options?: PredictOptions): Matrix {
    const { inputs, outputs, dtype } = this;
    const source = rowSource(x, "x", inputs);
    const shape: [number, number] = [source.rows, outputs];
    const into = options === undefined ? undefined : checkInto(options, x, shape, dtype);
    const direct = into !== undefined && source.rows <= this.#rows;
    const data = direct ? into.data : realsOf(dtype, source.rows * outputs);
    for (let first = 0; first < source.rows; first += this.#rows) {
      const last = Math.min(first + this.#rows, source.rows);
      this.#window(source, first, last);
      data.set(this.#reals(this.#placed.outputAddress, (last - first) * outputs), first * outputs);
    }
    if (into !== undefined && !direct) into.data.set(data);
    return into ?? { data, shape };
  }

  /**
   * The predicted class of each row, as `network.predictClasses`.
   * @throws TypeError, RangeError; RangeError for one output that is no sigmoid
   */
  predictClasses(x: Rows): Int32Array {
    checkClasses(this.outputs, this.#sigmoid);
    return classesOf(this.predict(x));
  }

  /** Rows [first, last) through the network. */
  #window(source: RowSource, first: number, last: number): void {
    const { inputs } = this;
    source.copyTo(this.#reals(this.#placed.inputAddress, (last - first) * inputs), first, last);
    const bad = this.#exports.predict(last - first) - 1;
    if (bad < 0) return;
    const index = first * inputs + bad;
    throw nonFiniteError("x", index, inputs, source.valueAt(Math.floor(index / inputs), index % inputs));
  }

  #reals(address: number, count: number): Reals {
    const { buffer } = this.#exports.memory;
    return this.dtype === "float32"
      ? new Float32Array(buffer, address, count)
      : new Float64Array(buffer, address, count);
  }
}

/** Outside of the class: bundlers rename one that names itself within. */
function make(saved: PredictingNetwork, exports: PredictingExports): Predictor {
  return new (Predictor as unknown as Maker)(OWN, saved, exports);
}

type Maker = new (own: unknown, network: PredictingNetwork, exports: PredictingExports) => Predictor;

function realsOf(dtype: DType, count: number): Reals {
  return dtype === "float32" ? new Float32Array(count) : new Float64Array(count);
}

/** @throws RangeError where the host has no room */
function write(memory: PredictingExports["memory"], { address, data, memoryBytes }: Placed): void {
  const missing = Math.ceil((memoryBytes - memory.buffer.byteLength) / 65_536);
  try {
    if (missing > 0) memory.grow(missing);
  } catch (error) {
    throw new RangeError(`memory: the host has no room for ${memoryBytes} bytes`, { cause: error });
  }
  new Uint8Array(memory.buffer, address, data.length).set(data);
}
