// The only file that makes views on a core's memory. A view lives inside one function: growth detaches it. Kept are the two
// views of the one-row pass and that of the last record, up to the next growth or plan.
import * as abi from "./core/abi.ts";
import type { Core } from "./core/exports.ts";
import type { ResolvedActivation } from "./options/activation.ts";
import { LOSS_DEFAULTS } from "./options/defaults.ts";
import { type LossName, lossName } from "./options/loss.ts";
import type { DType } from "./options/network.ts";
import {
  hasParameters,
  isFixed,
  isNormalization,
  type ResolvedLayer,
  type ResolvedSpec,
  type Trainable,
} from "./options/spec.ts";
import {
  classWeightsOf,
  type Demand,
  type Part,
  type Plan,
  type PlannedNode,
  planNetwork,
  type Region,
  type Segment,
} from "./plan.ts";

export type Reals = Float32Array | Float64Array;

const PAGE = 65_536;
const LIMIT = 65_536 * PAGE;

export const ACTIVATION_CODES: Readonly<Record<ResolvedActivation["type"], number>> = {
  linear: abi.ACTIVATION_LINEAR,
  sigmoid: abi.ACTIVATION_SIGMOID,
  tanh: abi.ACTIVATION_TANH,
  relu: abi.ACTIVATION_RELU,
  leakyRelu: abi.ACTIVATION_LEAKY_RELU,
  elu: abi.ACTIVATION_ELU,
  selu: abi.ACTIVATION_SELU,
  gelu: abi.ACTIVATION_GELU,
  silu: abi.ACTIVATION_SILU,
  softplus: abi.ACTIVATION_SOFTPLUS,
  softsign: abi.ACTIVATION_SOFTSIGN,
  mish: abi.ACTIVATION_MISH,
  hardSigmoid: abi.ACTIVATION_HARD_SIGMOID,
  hardSwish: abi.ACTIVATION_HARD_SWISH,
  relu6: abi.ACTIVATION_RELU6,
  softmax: abi.ACTIVATION_SOFTMAX,
};
const LOSS_CODES: Readonly<Record<LossName, number>> = {
  squaredError: abi.LOSS_SQUARED_ERROR,
  meanSquaredError: abi.LOSS_MEAN_SQUARED_ERROR,
  meanAbsoluteError: abi.LOSS_MEAN_ABSOLUTE_ERROR,
  huber: abi.LOSS_HUBER,
  logCosh: abi.LOSS_LOG_COSH,
  crossEntropy: abi.LOSS_CROSS_ENTROPY,
  binaryCrossEntropy: abi.LOSS_BINARY_CROSS_ENTROPY,
  kullbackLeibler: abi.LOSS_KULLBACK_LEIBLER,
  hinge: abi.LOSS_HINGE,
  squaredHinge: abi.LOSS_SQUARED_HINGE,
  poisson: abi.LOSS_POISSON,
  custom: abi.LOSS_CUSTOM,
};

const NODE_KINDS: Readonly<Record<ResolvedLayer["type"], number>> = {
  dense: abi.NODE_KIND_DENSE,
  affine: abi.NODE_KIND_AFFINE,
  standardize: abi.NODE_KIND_AFFINE,
  minMax: abi.NODE_KIND_AFFINE,
  robust: abi.NODE_KIND_AFFINE,
  dropout: abi.NODE_KIND_DROPOUT,
  gaussianNoise: abi.NODE_KIND_NOISE,
  batchNormalization: abi.NODE_KIND_BATCH_NORM,
  layerNormalization: abi.NODE_KIND_LAYER_NORM,
};

/** Running statistics follow the data, not the gradient. */
export const trainsPart = (trainable: Trainable, part: Part): boolean =>
  (part === "W" && (trainable === true || trainable === "weights")) ||
  (part === "b" && (trainable === true || trainable === "bias"));

/** The memory of one network: its core, its plan, and every copy in and out. */
export class NetworkMemory {
  core: Core;
  spec: ResolvedSpec;
  readonly seed: number;
  plan: Plan;
  private row: { readonly x: Reals; readonly out: Reals } | undefined;
  private lastRecord: { readonly region: Region; readonly view: DataView } | undefined;

  constructor(core: Core, spec: ResolvedSpec, dtype: DType, seed: number, demand: Demand) {
    this.core = core;
    this.spec = spec;
    this.seed = seed;
    this.plan = planNetwork(spec, dtype, demand);
    this.reserve(this.plan);
    this.reals(this.plan.params).fill(0);
  }

  /**
   * Lays the memory out for another demand. Parameters stay; gradients become +0; state stays where it was planned
   * before and becomes +0 where it is new. Throws before anything changes where the bytes are not to be had.
   */
  replan(demand: Demand): void {
    const before = this.plan;
    const plan = planNetwork(this.spec, before.dtype, demand);
    this.row = undefined;
    this.lastRecord = undefined;
    this.reserve(plan);
    this.plan = plan;
    this.reals(plan.gradients).fill(0);
    const kept = before.demand.training ? before.state.bytes : 0;
    if (plan.state.bytes > kept) {
      this.reals({ offset: plan.state.offset + kept, bytes: plan.state.bytes - kept }).fill(0);
    }
  }

  /** Drops the core and with it the memory; what is left answers only questions about the plan. */
  release(): void {
    const { kind, exports } = this.core;
    this.row = undefined;
    this.lastRecord = undefined;
    this.core = {
      kind,
      exports: Object.create(null) as typeof exports,
      memory: { buffer: new ArrayBuffer(0), grow: () => 0 },
    };
  }

  private reserve(plan: Plan): void {
    const { memory } = this.core;
    if (plan.totalBytes > LIMIT) {
      throw new RangeError(
        `memory: expected at most ${LIMIT} bytes (4 GiB) for the network and its data, got ${plan.totalBytes} bytes`,
      );
    }
    const missing = Math.ceil((plan.totalBytes - memory.buffer.byteLength) / PAGE);
    if (missing <= 0) return;
    try {
      memory.grow(missing);
    } catch (error) {
      throw new RangeError(`memory: the host has no room for ${plan.totalBytes} bytes`, { cause: error });
    }
  }

  /** Where `predictRow` reads the one row and leaves its outputs, in place. Kept, so that a call allocates nothing. */
  rowViews(): { readonly x: Reals; readonly out: Reals } {
    const { plan } = this;
    const ends = (index: number, units: number): Reals =>
      this.reals({ offset: (plan.nodes[index] as PlannedNode).a.offset, bytes: units * plan.size });
    this.row ??= { x: ends(0, plan.inputs), out: ends(plan.nodes.length - 1, plan.outputs) };
    return this.row;
  }

  reals(region: Region): Reals {
    const { buffer } = this.core.memory;
    return this.plan.size === 4
      ? new Float32Array(buffer, region.offset, region.bytes / 4)
      : new Float64Array(buffer, region.offset, region.bytes / 8);
  }

  ints(region: Region): Int32Array {
    return new Int32Array(this.core.memory.buffer, region.offset, region.bytes / 4);
  }

  bytes(region: Region): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.core.memory.buffer, region.offset, region.bytes);
  }

  doubles(offset: number, count: number): Float64Array {
    return new Float64Array(this.core.memory.buffer, offset, count);
  }

  /** A fit writes some forty fields of one record, and a view for each took a sixth of a short fit: so the last is kept. */
  record(region: Region): DataView {
    const { buffer } = this.core.memory;
    if (this.lastRecord?.region !== region || this.lastRecord.view.buffer !== buffer) {
      this.lastRecord = { region, view: new DataView(buffer, region.offset, region.bytes) };
    }
    return this.lastRecord.view;
  }

  /** Writes network, node and segment records and the constants of fixed nodes. */
  writeRecords(trainable: readonly Trainable[]): void {
    const { plan } = this;
    const net = this.record(plan.net);
    const set = (field: number, value: number) => net.setInt32(field, value, true);
    set(abi.NET_NODE_COUNT, plan.nodes.length);
    set(abi.NET_NODES_PTR, plan.nodeRecords.offset);
    set(abi.NET_SEGMENT_COUNT, plan.segments.length);
    set(abi.NET_SEGMENTS_PTR, plan.segmentRecords.offset);
    set(abi.NET_PARAMS_PTR, plan.params.offset);
    set(abi.NET_PARAMS_LENGTH, plan.paramsLength);
    set(abi.NET_GRADIENTS_PTR, plan.gradients.offset);
    set(abi.NET_STATE_PTR, plan.state.offset);
    set(abi.NET_STATE_SLOTS, plan.demand.slots);
    const limited = this.spec.layers.some(
      (layer) => isNormalization(layer) || (layer.type === "dense" && layer.maxNorm !== undefined),
    );
    set(abi.NET_UNFUSED, limited ? 1 : 0);
    this.writeLoss(net);
    set(abi.NET_PACK_A_PTR, plan.packA.offset);
    set(abi.NET_PACK_D_PTR, plan.packD.offset);
    set(abi.NET_PACK_W_PTR, plan.packW.offset);
    set(abi.NET_LOSS_SCRATCH_PTR, plan.lossScratch.offset);
    set(abi.NET_EXCHANGE_PTR, plan.exchange.offset);
    set(abi.NET_SEED_LOW, (this.seed % 2 ** 32) | 0);
    set(abi.NET_SEED_HIGH, Math.floor(this.seed / 2 ** 32) | 0);
    set(abi.NET_BLOCK_CAPACITY, plan.demand.blockSamples);
    for (const [index, node] of plan.nodes.entries()) this.writeNode(index, node, trainable);
    for (const [index, segment] of plan.segments.entries()) this.writeSegment(index, segment, trainable);
  }

  private writeLoss(net: DataView): void {
    const { loss } = this.spec;
    const { classWeights } = this.plan;
    net.setInt32(abi.NET_LOSS, LOSS_CODES[lossName(loss)], true);
    const delta = typeof loss === "object" && "delta" in loss ? loss.delta : LOSS_DEFAULTS.delta;
    const smoothing = typeof loss === "object" && "labelSmoothing" in loss ? loss.labelSmoothing : 0;
    net.setFloat64(abi.NET_LOSS_DELTA, delta, true);
    net.setFloat64(abi.NET_LABEL_SMOOTHING, smoothing, true);
    net.setInt32(abi.NET_CLASS_WEIGHTS_PTR, classWeights.bytes > 0 ? classWeights.offset : 0, true);
    this.doubles(classWeights.offset, classWeights.bytes / 8).set(classWeightsOf(this.spec));
  }

  private writeNode(index: number, node: PlannedNode, trainable: readonly Trainable[]): void {
    const { plan } = this;
    const record = this.record({ offset: plan.nodeRecords.offset + index * abi.NODE_SIZE, bytes: abi.NODE_SIZE });
    const set = (field: number, value: number) => record.setInt32(field, value, true);
    const { W, b } = node;
    const layer = index === 0 ? undefined : this.spec.layers[index - 1];
    set(abi.NODE_KIND, layer === undefined ? abi.NODE_KIND_INPUT : NODE_KINDS[layer.type]);
    set(abi.NODE_UNITS, node.units);
    set(abi.NODE_INPUTS, node.inputs);
    set(abi.NODE_FROM, index - 1);
    set(abi.NODE_A_PTR, node.a.offset);
    set(abi.NODE_Z_PTR, node.z.offset);
    set(abi.NODE_DELTA_PTR, node.delta?.offset ?? 0);
    const address = (base: Region, segment: Segment | undefined) =>
      segment === undefined ? 0 : base.offset + segment.offset * plan.size;
    set(abi.NODE_W_PTR, node.scale?.offset ?? address(plan.params, W));
    set(abi.NODE_B_PTR, node.shift?.offset ?? address(plan.params, b));
    set(abi.NODE_DW_PTR, address(plan.gradients, W));
    set(abi.NODE_DB_PTR, address(plan.gradients, b));
    set(abi.NODE_PITCH, W?.pitch ?? 0);
    set(abi.NODE_EXTRA_PTR, node.extra?.offset ?? 0);
    set(abi.NODE_INVERSE_PTR, node.inverse?.offset ?? 0);
    const statistic = (part: Part) =>
      address(
        plan.params,
        plan.segments.find((segment) => segment.layer === index - 1 && segment.part === part),
      );
    set(abi.NODE_MEAN_PTR, statistic("mean"));
    set(abi.NODE_VARIANCE_PTR, statistic("variance"));
    if (layer?.type === "dropout") record.setFloat64(abi.NODE_RATE, layer.rate, true);
    if (layer?.type === "gaussianNoise") record.setFloat64(abi.NODE_RATE, layer.deviation, true);
    if (isFixed(layer) && node.scale && node.shift) {
      const [scale, shift] = [this.reals(node.scale), this.reals(node.shift)];
      if (layer.scale === undefined) scale.fill(1);
      else scale.set(layer.scale);
      if (layer.shift === undefined) shift.fill(0);
      else shift.set(layer.shift);
    }
    const own = trainable[index - 1] ?? false;
    // Something below is trained: its error signal comes through this node.
    const passes = trainable
      .slice(0, Math.max(0, index - 1))
      .some((below, l) => below !== false && hasParameters(this.spec.layers[l]));
    set(
      abi.NODE_FLAGS,
      (W !== undefined && trainsPart(own, "W") ? abi.NODE_FLAG_TRAIN_W : 0) |
        (b !== undefined && trainsPart(own, "b") ? abi.NODE_FLAG_TRAIN_B : 0) |
        (passes ? abi.NODE_FLAG_PASS_DELTA : 0),
    );
    if (!hasParameters(layer)) return;
    if (layer.type !== "dense") {
      record.setFloat64(abi.NODE_RATE, layer.momentum ?? 0, true);
      record.setFloat64(abi.NODE_EPSILON, layer.epsilon, true);
    }
    set(abi.NODE_ACTIVATION, ACTIVATION_CODES[layer.activation.type]);
    record.setFloat64(abi.NODE_ALPHA, "alpha" in layer.activation ? layer.activation.alpha : 0, true);
  }

  private writeSegment(index: number, segment: Segment, trainable: readonly Trainable[]): void {
    const offset = this.plan.segmentRecords.offset + index * abi.SEGMENT_SIZE;
    const record = this.record({ offset, bytes: abi.SEGMENT_SIZE });
    const set = (field: number, value: number) => record.setInt32(field, value, true);
    set(abi.SEGMENT_NODE, segment.layer + 1);
    const layer = this.spec.layers[segment.layer];
    set(abi.SEGMENT_PART, segment.part === "W" && layer?.type === "dense" ? 0 : 1);
    set(abi.SEGMENT_OFFSET, segment.offset);
    set(abi.SEGMENT_ROWS, segment.rows);
    set(abi.SEGMENT_COLS, segment.cols);
    set(abi.SEGMENT_PITCH, segment.pitch);
    if (layer?.type === "dense") {
      const penal = segment.part === "W" || layer.penalizeBias === true;
      record.setFloat64(abi.SEGMENT_L1, penal ? (layer.l1 ?? 0) : 0, true);
      record.setFloat64(abi.SEGMENT_L2, penal ? (layer.l2 ?? 0) : 0, true);
      record.setFloat64(abi.SEGMENT_MAX_NORM, segment.part === "W" ? (layer.maxNorm ?? 0) : 0, true);
    }
    set(abi.SEGMENT_TRAINABLE, trainsPart(trainable[segment.layer] ?? false, segment.part) ? 1 : 0);
  }

  /** A segment's place inside a region laid out as the parameters; `slot` counts such regions. */
  segmentRegion(base: Region, segment: Segment, slot = 0): Region {
    const { size, paramsLength } = this.plan;
    return {
      offset: base.offset + (slot * paramsLength + segment.offset) * size,
      bytes: segment.rows * segment.pitch * size,
    };
  }

  /** [rows × cols] of a segment without padding: a copy. */
  readSegment(base: Region, segment: Segment, slot = 0): Reals {
    const { rows, cols, pitch } = segment;
    const padded = this.reals(this.segmentRegion(base, segment, slot));
    const values = this.plan.size === 4 ? new Float32Array(rows * cols) : new Float64Array(rows * cols);
    for (let row = 0; row < rows; row++) values.set(padded.subarray(row * pitch, row * pitch + cols), row * cols);
    return values;
  }

  writeSegmentValues(base: Region, segment: Segment, values: Reals, slot = 0): void {
    const { rows, cols, pitch } = segment;
    const padded = this.reals(this.segmentRegion(base, segment, slot));
    for (let row = 0; row < rows; row++) padded.set(values.subarray(row * cols, (row + 1) * cols), row * pitch);
  }
}
