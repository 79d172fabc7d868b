// A network that only predicts → the bytes that assembly/standalone.ts reads from NET_ADDRESS on: what a file carries as its data
// segment, and what Predictor writes into a template's memory. Records as in assembly/abi.ts, in this order:
//
//     network, nodes │ scaling of targets │ constants and parameters ║ panels │ rows in │ rows out
//
// Left of ║ stands the image; what is right of it is 0 at the start.
import * as abi from "../core/abi.ts";
import type { Reals } from "../data/rows.ts";
import { ACTIVATION_CODES } from "../memory.ts";
import { pitchOf } from "../plan.ts";
import type { PredictingLayer, PredictingNetwork, Scaling } from "./read.ts";

export interface Placed {
  /** Where `data` stands in the memory. */
  readonly address: number;
  readonly data: Uint8Array;
  readonly memoryBytes: number;
  /** Rows in [rows × inputs], rows out [rows × outputs]. */
  readonly inputAddress: number;
  readonly outputAddress: number;
}

/** Samples that go through the network together; results do not depend on it. */
const BLOCK = 32;
const LIMIT = 2 ** 32;

/** Regions are handed out one after the other, 64-byte aligned. */
class Cursor {
  end: number = abi.NET_ADDRESS;

  take(bytes: number): number {
    const address = this.end;
    this.end = Math.ceil((address + bytes) / 64) * 64;
    return address;
  }
}

/** Addresses of an array of the parameters or of constants: rows of `cols` reals, `pitch` elements apart. */
interface Segment {
  readonly field: number;
  readonly address: number;
  readonly rows: number;
  readonly cols: number;
  readonly pitch: number;
  /** Undefined: the next ones of the parameters. */
  readonly values: Float64Array | undefined;
}

/**
 * Buffers hold `rows` rows. `fits` hears how many bytes `data` will have before it is built, and may throw.
 * @throws RangeError where all of it needs more than 4 GiB
 */
export function placeNetwork(network: PredictingNetwork, rows: number, fits?: (dataBytes: number) => void): Placed {
  const { dtype, inputs, outputs, layers, targetScaling } = network;
  const size = dtype === "float32" ? 4 : 8;
  const M = Math.min(BLOCK, Math.ceil(rows / 8) * 8);
  const cursor = new Cursor();
  const net = cursor.take(abi.NET_SIZE);
  const records = cursor.take(abi.NODE_SIZE * (layers.length + 1));
  const scale = targetScaling && cursor.take(8 * outputs);
  const shift = targetScaling && cursor.take(8 * outputs);
  const segments = layers.map((layer, l) => segmentsOf(layer, layers[l - 1]?.units ?? inputs, size, cursor));
  const imageEnd = cursor.end;
  const panels = [inputs, ...layers.map(({ units }) => units)].map((units) => cursor.take(M * units * size));
  const work = layers.map(({ kind, units }) =>
    kind === "batchNormalization" || kind === "layerNormalization"
      ? [cursor.take(M * units * size), cursor.take(Math.max(M, units) * size)]
      : [],
  );
  const softmax = cursor.take(2 * M * size);
  const inputAddress = cursor.take(rows * inputs * size);
  const outputAddress = cursor.take(rows * outputs * size);
  if (cursor.end > LIMIT) {
    throw new RangeError(
      `memory: expected at most ${LIMIT} bytes (4 GiB) for the network and ${rows} rows, got ${cursor.end} bytes`,
    );
  }

  fits?.(imageEnd - abi.NET_ADDRESS);
  const buffer = new ArrayBuffer(imageEnd - abi.NET_ADDRESS);
  const view = new DataView(buffer);
  const put = (record: number, values: readonly (readonly [field: number, value: number | undefined])[]) => {
    for (const [field, value = 0] of values) view.setInt32(record - abi.NET_ADDRESS + field, value, true);
  };
  put(net, [
    [abi.NET_NODE_COUNT, layers.length + 1],
    [abi.NET_NODES_PTR, records],
    [abi.NET_BLOCK_CAPACITY, M],
    [abi.NET_LOSS_SCRATCH_PTR, softmax],
    [abi.NET_ROW_CAPACITY, rows],
    [abi.NET_INPUT_PTR, inputAddress],
    [abi.NET_OUTPUT_PTR, outputAddress],
    [abi.NET_TARGET_SCALE_PTR, scale],
    [abi.NET_TARGET_SHIFT_PTR, shift],
  ]);
  put(records, [
    [abi.NODE_UNITS, inputs],
    [abi.NODE_A_PTR, panels[0]],
  ]);
  for (const [l, layer] of layers.entries()) {
    const record = records + (l + 1) * abi.NODE_SIZE;
    put(record, [
      [abi.NODE_KIND, KINDS[layer.kind]],
      [abi.NODE_UNITS, layer.units],
      [abi.NODE_INPUTS, layers[l - 1]?.units ?? inputs],
      [abi.NODE_FROM, l],
      [abi.NODE_A_PTR, panels[l + 1]],
      [abi.NODE_Z_PTR, panels[l + 1]],
      [abi.NODE_EXTRA_PTR, work[l]?.[0]],
      [abi.NODE_INVERSE_PTR, work[l]?.[1]],
      [abi.NODE_PITCH, segments[l]?.[0]?.pitch],
      ...(segments[l] as Segment[]).map(({ field, address }) => [field, address] as const),
    ]);
    if (layer.kind === "affine") continue;
    put(record, [[abi.NODE_ACTIVATION, ACTIVATION_CODES[layer.activation.type]]]);
    const at = record - abi.NET_ADDRESS;
    if ("alpha" in layer.activation) view.setFloat64(at + abi.NODE_ALPHA, layer.activation.alpha, true);
    if (layer.kind !== "dense") view.setFloat64(at + abi.NODE_EPSILON, layer.epsilon, true);
  }
  if (targetScaling && scale && shift) writeTargetScaling(buffer, targetScaling, scale, shift);
  writeSegments(buffer, segments.flat(), network.parameters);
  return {
    address: abi.NET_ADDRESS,
    data: new Uint8Array(buffer),
    memoryBytes: cursor.end,
    inputAddress,
    outputAddress,
  };
}

const KINDS: Readonly<Record<PredictingLayer["kind"], number>> = {
  dense: abi.NODE_KIND_DENSE,
  affine: abi.NODE_KIND_AFFINE,
  batchNormalization: abi.NODE_KIND_BATCH_NORM,
  layerNormalization: abi.NODE_KIND_LAYER_NORM,
};

/** In the order of the chunk WGHT. */
function segmentsOf(layer: PredictingLayer, nIn: number, size: number, cursor: Cursor): Segment[] {
  const take = (field: number, rows: number, cols: number, pitch: number, values?: Float64Array): Segment => {
    return { field, address: cursor.take(rows * pitch * size), rows, cols, pitch, values };
  };
  const vector = (field: number, values?: Float64Array) => take(field, 1, layer.units, layer.units, values);
  if (layer.kind === "dense") {
    const W = take(abi.NODE_W_PTR, layer.units, nIn, pitchOf(nIn, size));
    return layer.bias ? [W, vector(abi.NODE_B_PTR)] : [W];
  }
  if (layer.kind === "affine") {
    const { scale, shift } = layer.scaling;
    return [vector(abi.NODE_W_PTR, scale), vector(abi.NODE_B_PTR, shift)];
  }
  const fields = [abi.NODE_W_PTR, abi.NODE_B_PTR];
  if (layer.kind === "batchNormalization") fields.push(abi.NODE_MEAN_PTR, abi.NODE_VARIANCE_PTR);
  return fields.map((field) => vector(field));
}

function writeTargetScaling(buffer: ArrayBuffer, { scale, shift }: Scaling, scalePtr: number, shiftPtr: number): void {
  new Float64Array(buffer, scalePtr - abi.NET_ADDRESS).set(scale);
  new Float64Array(buffer, shiftPtr - abi.NET_ADDRESS).set(shift);
}

function writeSegments(buffer: ArrayBuffer, segments: readonly Segment[], parameters: Reals): void {
  const reals = parameters instanceof Float32Array ? new Float32Array(buffer) : new Float64Array(buffer);
  let from = 0;
  for (const { address, rows, cols, pitch, values } of segments) {
    let to = (address - abi.NET_ADDRESS) / reals.BYTES_PER_ELEMENT;
    if (values !== undefined) {
      reals.set(values, to);
      continue;
    }
    for (let row = 0; row < rows; row++, from += cols, to += pitch)
      reals.set(parameters.subarray(from, from + cols), to);
  }
}
