// Spec + sizes → named regions of one memory. Pure arithmetic on doubles, so that regions beyond 4 GiB can still be
// computed and reported; touches no memory and knows no runtime.
import { JOB_SIZE, NET_ADDRESS, NET_SIZE, NODE_SIZE, PACK_COLUMNS, PACK_DEPTH, SEGMENT_SIZE } from "./core/abi.ts";
import { keepsNetInput } from "./options/activation.ts";
import { readsNetInput } from "./options/loss.ts";
import type { DType } from "./options/network.ts";
import {
  hasParameters,
  isFixed,
  isNormalization,
  type ResolvedLayer,
  type ResolvedSpec,
  widthOf,
} from "./options/spec.ts";

const ALIGN = 64;
/** Steps whose learning rates are laid ready at once. */
export const RATES = 4096;

/** A run of bytes in the memory. */
export interface Region {
  readonly offset: number;
  readonly bytes: number;
}

/** W and b; of a normalisation γ and β, and of batch normalisation the running mean and variance besides. */
export type Part = "W" | "b" | "mean" | "variance";

/** One array of parameters: W [rows × cols] with `pitch` elements between rows, or b as one row. */
export interface Segment {
  /** Index in `spec.layers`. */
  readonly layer: number;
  readonly part: Part;
  /** Elements from the start of the parameter region; the same offset in gradients and state. */
  readonly offset: number;
  readonly rows: number;
  readonly cols: number;
  readonly pitch: number;
}

/** Regions of one node record; node 0 is the input, node l is `spec.layers[l − 1]`. */
export interface PlannedNode {
  readonly units: number;
  readonly inputs: number;
  readonly W: Segment | undefined;
  readonly b: Segment | undefined;
  /** Affine: scale and shift [units] each. */
  readonly scale: Region | undefined;
  readonly shift: Region | undefined;
  readonly a: Region;
  /** Own region where the loss or the activation's derivative reads net inputs, else that of `a`. */
  readonly z: Region;
  readonly delta: Region | undefined;
  /** Factors of dropout, normalised values; inverse deviations. */
  readonly extra: Region | undefined;
  readonly inverse: Region | undefined;
}

/** What the memory must hold besides the parameters. */
export interface Demand {
  /** Samples per block: a multiple of 8. */
  readonly blockSamples: number;
  /** Gradients and deltas. */
  readonly training: boolean;
  /** Arrays of optimizer state. */
  readonly slots: number;
  /** Arrays as long as the parameters that the optimizer works with. */
  readonly work: number;
  /** Parameters of Levenberg–Marquardt's matrices; float64. */
  readonly jacobian: number;
  /** The delta of the input node. */
  readonly inputGradients: boolean;
  /** Rows of the resident data window: training rows, then validation rows. */
  readonly rows: number;
  /** Rows whose order is drawn anew in each epoch; 0 without shuffling. */
  readonly ordered: number;
  /** Bytes of a row's target in the window. */
  readonly targetBytes: number;
  /** Whether rows have weights of their own. */
  readonly weighted: boolean;
  /** Whether steps have learning rates of their own. */
  readonly scheduled: boolean;
  /** Epoch reports that fit between two looks of the host. */
  readonly reports: number;
}

export interface Plan {
  readonly dtype: DType;
  /** Bytes per element. */
  readonly size: number;
  readonly demand: Demand;
  readonly inputs: number;
  readonly outputs: number;
  readonly nodes: readonly PlannedNode[];
  readonly segments: readonly Segment[];
  /** Elements of the parameter region, padding included. */
  readonly paramsLength: number;
  /** Trainable and frozen parameters and running statistics, without padding. */
  readonly parameterCount: number;
  readonly net: Region;
  readonly nodeRecords: Region;
  readonly segmentRecords: Region;
  readonly trainJob: Region;
  /** The job of predict, evaluate, gradients and step, which may run between two chunks of a fit. */
  readonly passJob: Region;
  readonly validationJob: Region;
  readonly params: Region;
  readonly gradients: Region;
  readonly state: Region;
  readonly work: Region;
  /** Levenberg–Marquardt, f64 with `matrixPitch` P: JᵀJ [P × P], its factor [P × P], J [8 × P], errors [8], vectors [P] each. */
  readonly matrixPitch: number;
  readonly normal: Region;
  readonly factor: Region;
  readonly jacobian: Region;
  readonly errors: Region;
  readonly normalGradient: Region;
  readonly solution: Region;
  readonly packA: Region;
  readonly packD: Region;
  readonly packW: Region;
  readonly lossScratch: Region;
  /** Outputs of a block [M × outputs] and their gradient, where the host computes the loss. */
  readonly exchange: Region;
  readonly x: Region;
  readonly y: Region;
  readonly order: Region;
  readonly reports: Region;
  /** Learning rates of the next RATES steps, f64. */
  readonly rates: Region;
  /** Staging of predict, evaluate and gradients: `stagingRows` rows of inputs, of targets, of results. */
  readonly stagingRows: number;
  readonly stagingX: Region;
  readonly stagingY: Region;
  readonly stagingOut: Region;
  /** f64 per class. */
  readonly classWeights: Region;
  /** Weights of the window's rows, f64. */
  readonly sampleWeights: Region;
  readonly stagingWeights: Region;
  /** Four words for a fingerprint. */
  readonly hash: Region;
  readonly totalBytes: number;
}

/** A network that predicts: what every plan needs at least. */
export const NO_DEMAND: Demand = {
  blockSamples: 32,
  training: false,
  slots: 0,
  work: 0,
  jacobian: 0,
  inputGradients: false,
  rows: 0,
  ordered: 0,
  targetBytes: 0,
  weighted: false,
  scheduled: false,
  reports: 0,
};

const roundUp = (n: number, multiple: number): number => Math.ceil(n / multiple) * multiple;

/** Elements between rows of W: whole tiles of 32 bytes, and never a multiple of 1024 bytes (kernels.md: a 4 KiB stride costs 3–4×). */
export function pitchOf(cols: number, size: number): number {
  const pitch = roundUp(cols, 32 / size);
  return (pitch * size) % 1024 === 0 ? pitch + 64 / size : pitch;
}

/** Regions are handed out one after the other, 64-byte aligned. */
class Cursor {
  end: number = NET_ADDRESS;

  take(bytes: number): Region {
    const offset = this.end;
    this.end = roundUp(offset + bytes, ALIGN);
    return { offset, bytes };
  }
}

export function planNetwork(spec: ResolvedSpec, dtype: DType, demand: Demand): Plan {
  const size = dtype === "float32" ? 4 : 8;
  const M = demand.blockSamples;
  const { segments, length: paramsLength } = planSegments(spec, size);
  const widths = widthsOf(spec);
  const outputs = widths[widths.length - 1] as number;
  const cursor = new Cursor();

  const net = cursor.take(NET_SIZE);
  const nodeRecords = cursor.take(NODE_SIZE * widths.length);
  const segmentRecords = cursor.take(SEGMENT_SIZE * segments.length);
  const trainJob = cursor.take(JOB_SIZE);
  const passJob = cursor.take(JOB_SIZE);
  const validationJob = cursor.take(JOB_SIZE);
  const hash = cursor.take(16);
  const classWeights = cursor.take(8 * classWeightsOf(spec).length);
  const constants = spec.layers.map((layer, l) => {
    const bytes = (widths[l] as number) * size;
    return isFixed(layer) ? { scale: cursor.take(bytes), shift: cursor.take(bytes) } : undefined;
  });
  const params = cursor.take(paramsLength * size);
  const gradients = cursor.take(demand.training ? paramsLength * size : 0);
  const state = cursor.take(demand.slots * paramsLength * size);
  const work = cursor.take(demand.work * paramsLength * size);
  const matrixPitch = roundUp(demand.jacobian, 8);
  const normal = cursor.take(matrixPitch * matrixPitch * 8);
  const factor = cursor.take(matrixPitch * matrixPitch * 8);
  const jacobian = cursor.take(8 * matrixPitch * 8);
  const errors = cursor.take(matrixPitch === 0 ? 0 : 64);
  const normalGradient = cursor.take(matrixPitch * 8);
  const solution = cursor.take(matrixPitch * 8);

  const nodes = widths.map((units, n): PlannedNode => {
    const layer = n === 0 ? undefined : (spec.layers[n - 1] as ResolvedLayer);
    const a = cursor.take(M * units * size);
    const forLoss = n === widths.length - 1 && readsNetInput(spec.loss);
    const keepsZ = forLoss || (hasParameters(layer) && keepsNetInput(layer.activation));
    const normalizes = isNormalization(layer);
    return {
      units,
      inputs: n === 0 ? units : (widths[n - 1] as number),
      W: segments.find((segment) => segment.layer === n - 1 && segment.part === "W"),
      b: segments.find((segment) => segment.layer === n - 1 && segment.part === "b"),
      scale: constants[n - 1]?.scale,
      shift: constants[n - 1]?.shift,
      a,
      z: keepsZ ? cursor.take(M * units * size) : a,
      extra: normalizes || layer?.type === "dropout" ? cursor.take(M * units * size) : undefined,
      inverse: normalizes ? cursor.take(Math.max(M, 2 * units) * size) : undefined,
      delta: (n > 0 && demand.training) || demand.inputGradients ? cursor.take(M * units * size) : undefined,
    };
  });
  const widest = (pick: (node: PlannedNode) => number) => Math.max(0, ...nodes.slice(1).map(pick));
  const packA = cursor.take(demand.training ? widest((node) => roundUp(node.inputs, 32 / size)) * M * size : 0);
  const packD = cursor.take(demand.training ? widest((node) => roundUp(node.units, 4)) * M * size : 0);
  const packed = widest((node) => Math.min(roundUp(node.units, 4), PACK_DEPTH)) * PACK_COLUMNS;
  const packW = cursor.take(demand.training ? packed * size : 0);
  const lossScratch = cursor.take(2 * M * size);
  const exchange = cursor.take(spec.loss === "custom" ? M * outputs * size : 0);

  const x = cursor.take(demand.rows * spec.inputs * size);
  const y = cursor.take(demand.rows * demand.targetBytes);
  const sampleWeights = cursor.take(demand.weighted ? demand.rows * 8 : 0);
  const order = cursor.take(demand.ordered * 4);
  const reports = cursor.take(demand.reports * 16);
  const rates = cursor.take(demand.scheduled ? RATES * 8 : 0);
  const stagingRows = stagingRowsOf(spec.inputs, outputs, size, M);
  const stagingX = cursor.take(stagingRows * spec.inputs * size);
  const stagingY = cursor.take(stagingRows * Math.max(4, outputs * size));
  const stagingWeights = cursor.take(demand.weighted ? stagingRows * 8 : 0);
  const stagingOut = cursor.take(stagingRows * Math.max(outputs, demand.inputGradients ? spec.inputs : 0) * size);

  return {
    dtype,
    size,
    demand,
    inputs: spec.inputs,
    outputs,
    nodes,
    segments,
    paramsLength,
    parameterCount: segments.reduce((sum, segment) => sum + segment.rows * segment.cols, 0),
    net,
    nodeRecords,
    segmentRecords,
    trainJob,
    passJob,
    validationJob,
    params,
    gradients,
    state,
    work,
    matrixPitch,
    normal,
    factor,
    jacobian,
    errors,
    normalGradient,
    solution,
    packA,
    packD,
    packW,
    lossScratch,
    exchange,
    x,
    y,
    order,
    reports,
    rates,
    stagingRows,
    stagingX,
    stagingY,
    stagingOut,
    classWeights,
    sampleWeights,
    stagingWeights,
    hash,
    totalBytes: cursor.end,
  };
}

/** Units of every node, the input first; an affine node is as wide as what it reads. */
function widthsOf(spec: ResolvedSpec): number[] {
  const widths = [spec.inputs];
  for (const layer of spec.layers) widths.push(widthOf(layer, widths.at(-1) as number));
  return widths;
}

/** The arrays of every layer that has any, each from a 64-byte boundary. */
function planSegments(spec: ResolvedSpec, size: number): { segments: Segment[]; length: number } {
  const segments: Segment[] = [];
  let length = 0;
  const take = (layer: number, part: Part, rows: number, cols: number): void => {
    const pitch = part === "W" ? pitchOf(cols, size) : roundUp(cols, 32 / size);
    segments.push({ layer, part, offset: length, rows, cols, pitch });
    length += roundUp(rows * pitch, ALIGN / size);
  };
  let cols = spec.inputs;
  for (const [index, layer] of spec.layers.entries()) {
    if (layer.type === "dense") {
      take(index, "W", layer.units, cols);
      if (layer.bias) take(index, "b", 1, layer.units);
    } else if (isNormalization(layer)) {
      const parts: Part[] = ["W", "b"];
      if (layer.type === "batchNormalization") parts.push("mean", "variance");
      for (const part of parts) take(index, part, 1, cols);
    }
    cols = widthOf(layer, cols);
  }
  return { segments, length };
}

/** One per class, or none. */
export function classWeightsOf({ loss }: ResolvedSpec): readonly number[] {
  return typeof loss === "object" && "classWeights" in loss ? (loss.classWeights ?? []) : [];
}

/** About a quarter of a megabyte of rows, whole blocks, at least one block. */
function stagingRowsOf(inputs: number, outputs: number, size: number, M: number): number {
  const rows = Math.min(512, Math.floor(2 ** 18 / ((inputs + 2 * outputs) * size)));
  return M * Math.max(1, Math.floor(rows / M));
}

/** Multiply-adds × 2 of one sample in forward, delta and gradient. */
export function flopsPerSample(plan: Plan): number {
  return plan.segments.reduce((sum, segment) => sum + 6 * segment.rows * segment.cols, 0);
}

/** Bytes of activations and deltas per sample of a block. */
export function bytesPerSample(spec: ResolvedSpec, size: number): number {
  return size * widthsOf(spec).reduce((sum, units) => sum + 3 * units, 0);
}
