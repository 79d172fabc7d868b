// A small network laid out by hand in the memory of one core, every region between canaries and full of NaN.
import * as abi from "../../src/core/abi.ts";
import { Arena, expectBits, type Region, type TestCore } from "./cores.ts";
import {
  ACTIVATIONS,
  type Data,
  type Hyperparameters,
  type Layer,
  LOSSES,
  type Network,
  OPTIMIZERS,
} from "./network-cases.ts";

const roundUp = (n: number, multiple: number): number => Math.ceil(n / multiple) * multiple;

interface NodeRegions {
  readonly a: Region;
  readonly z: Region;
  readonly delta: Region;
}

interface SegmentPlan {
  readonly layer: number;
  readonly part: "W" | "b";
  readonly offset: number;
  readonly rows: number;
  readonly cols: number;
  readonly pitch: number;
}

/** M samples per block at most; arrays of optimizer state; shuffled epochs. */
export interface Layout {
  readonly capacity?: number;
  readonly slots?: number;
  readonly shuffled?: boolean;
  readonly reports?: number;
}

/** The network in memory with one job. Values go in and come out; nothing else is remembered here. */
export class PlannedNetwork {
  readonly core: TestCore;
  readonly network: Network;
  readonly arena: Arena;
  readonly nodes: readonly NodeRegions[];
  readonly segments: readonly SegmentPlan[];
  readonly params: Region;
  readonly gradients: Region;
  readonly state: Region;
  readonly out: Region;
  readonly inputGradients: Region;
  readonly reports: Float64Array;
  readonly order: Uint32Array;
  readonly #length: number;
  readonly #records: DataView;
  readonly #net: number;
  readonly #job: number;
  readonly #nodesPtr: number;
  readonly #x: Region;
  readonly #y: { readonly values: { set(values: number[]): void } };
  /** Regions whose every element must be the same in every core. */
  readonly #image: readonly [name: string, region: Region][];

  constructor(core: TestCore, net: Network, data: Data, layout: Layout = {}) {
    const { capacity: M = 64, slots = 2, shuffled = false, reports = 64 } = layout;
    this.core = core;
    this.network = net;
    const arena = new Arena(core, 128);
    this.arena = arena;
    this.segments = plan(net, core.size);
    const last = this.segments.at(-1) as SegmentPlan;
    this.#length = last.offset + roundUp(last.rows * last.pitch, 64 / core.size);
    const zeros = (count: number) => arena.reals(new Float64Array(count));
    const record = (bytes: number) => arena.ints(new Uint32Array(bytes / 4)).ptr;

    this.#net = record(abi.NET_SIZE);
    this.#nodesPtr = record(abi.NODE_SIZE * (net.layers.length + 1));
    const segmentsPtr = record(abi.SEGMENT_SIZE * this.segments.length);
    this.#job = record(abi.JOB_SIZE);
    this.params = zeros(this.#length);
    this.gradients = zeros(this.#length);
    this.state = zeros(slots * this.#length);
    const widths = [net.inputs, ...net.layers.map(({ units }) => units)];
    const keepsZ = net.loss === "crossEntropy" || net.loss === "binaryCrossEntropy";
    this.nodes = widths.map((units, l) => {
      const a = arena.reals(M * units);
      return { a, z: l === net.layers.length && keepsZ ? arena.reals(M * units) : a, delta: arena.reals(M * units) };
    });
    const widest = Math.max(...widths);
    const packA = arena.reals(roundUp(widest, 32 / core.size) * M);
    const packD = arena.reals(roundUp(widest, 4) * M);
    const packW = arena.reals(abi.PACK_COLUMNS * Math.min(roundUp(widest, 4), abi.PACK_DEPTH));
    const scratch = arena.reals(2 * M);
    const x = arena.reals(data.x.flat());
    const isClass = typeof data.y[0] === "number";
    const y = isClass ? arena.ints(data.y as number[]) : arena.reals((data.y as number[][]).flat());
    [this.#x, this.#y] = [x, y];
    const order = arena.ints(new Uint32Array(data.x.length));
    this.order = order.values;
    this.out = arena.reals(data.x.length * (widths.at(-1) as number));
    this.inputGradients = arena.reals(data.x.length * net.inputs);
    const reportsPtr = record(reports * 16);
    this.reports = new Float64Array(core.memory.buffer, reportsPtr, 2 * reports);
    this.#records = new DataView(core.memory.buffer);
    this.#image = [
      ["parameters", this.params],
      ["gradients", this.gradients],
      ["state", this.state],
      ...this.nodes.flatMap((node, l): [string, Region][] => [
        [`a of node ${l}`, node.a],
        [`z of node ${l}`, node.z],
        [`delta of node ${l}`, node.delta],
      ]),
      ["loss scratch", scratch],
      ["outputs", this.out],
      ["input gradients", this.inputGradients],
    ];

    const set = (field: number, value: number) => this.#records.setInt32(this.#net + field, value, true);
    set(abi.NET_NODE_COUNT, widths.length);
    set(abi.NET_NODES_PTR, this.#nodesPtr);
    set(abi.NET_SEGMENT_COUNT, this.segments.length);
    set(abi.NET_SEGMENTS_PTR, segmentsPtr);
    set(abi.NET_PARAMS_PTR, this.params.ptr);
    set(abi.NET_PARAMS_LENGTH, this.#length);
    set(abi.NET_GRADIENTS_PTR, this.gradients.ptr);
    set(abi.NET_STATE_PTR, this.state.ptr);
    set(abi.NET_STATE_SLOTS, slots);
    set(abi.NET_LOSS, LOSSES[net.loss]);
    set(abi.NET_PACK_A_PTR, packA.ptr);
    set(abi.NET_PACK_D_PTR, packD.ptr);
    set(abi.NET_PACK_W_PTR, packW.ptr);
    set(abi.NET_LOSS_SCRATCH_PTR, scratch.ptr);
    set(abi.NET_SEED_LOW, 12345);
    set(abi.NET_SEED_HIGH, 7);
    set(abi.NET_BLOCK_CAPACITY, M);
    for (const [l, units] of widths.entries()) this.#writeNode(l, units, net.layers[l - 1], widths[l - 1] ?? units);
    for (const [i, segment] of this.segments.entries()) this.#writeSegment(segmentsPtr + i * abi.SEGMENT_SIZE, segment);

    this.setInt(abi.JOB_X_PTR, x.ptr);
    this.setInt(abi.JOB_X_PITCH, net.inputs);
    this.setInt(abi.JOB_Y_PTR, y.ptr);
    this.setInt(abi.JOB_TARGET_KIND, isClass ? abi.TARGET_CLASS : abi.TARGET_DENSE);
    this.setInt(abi.JOB_ROWS, data.x.length);
    this.setInt(abi.JOB_WINDOW_END, data.x.length);
    this.setInt(abi.JOB_ORDER_PTR, shuffled ? order.ptr : 0);
    this.setInt(abi.JOB_BATCH, data.x.length);
    this.setInt(abi.JOB_BLOCK, M);
    this.setInt(abi.JOB_EPOCHS_LEFT, 1);
    this.setInt(abi.JOB_STEPS_LEFT, -1);
    this.setInt(abi.JOB_OUT_PTR, this.out.ptr);
    this.setInt(abi.JOB_REPORTS_PTR, reportsPtr);
    this.setInt(abi.JOB_REPORTS_CAPACITY, reports);
    this.setDouble(abi.JOB_BETA1_POWER, 1);
    this.setDouble(abi.JOB_BETA2_POWER, 1);
  }

  #writeNode(l: number, units: number, layer: Layer | undefined, nIn: number): void {
    const record = this.#nodesPtr + l * abi.NODE_SIZE;
    const set = (field: number, value: number) => this.#records.setInt32(record + field, value, true);
    const { a, z, delta } = this.nodes[l] as NodeRegions;
    const kind = layer === undefined ? abi.NODE_KIND_INPUT : layer.W ? abi.NODE_KIND_DENSE : abi.NODE_KIND_AFFINE;
    set(abi.NODE_KIND, kind);
    set(abi.NODE_UNITS, units);
    set(abi.NODE_INPUTS, nIn);
    set(abi.NODE_FROM, l - 1);
    set(abi.NODE_A_PTR, a.ptr);
    set(abi.NODE_Z_PTR, z.ptr);
    set(abi.NODE_DELTA_PTR, delta.ptr);
    if (layer === undefined) return;
    if (!layer.W) {
      set(abi.NODE_W_PTR, this.arena.reals(layer.scale).ptr);
      set(abi.NODE_B_PTR, this.arena.reals(layer.shift).ptr);
      return;
    }
    const below = this.network.layers.slice(0, l - 1);
    set(abi.NODE_ACTIVATION, ACTIVATIONS[layer.activation]);
    this.#records.setFloat64(record + abi.NODE_ALPHA, 0.01, true);
    set(
      abi.NODE_FLAGS,
      (layer.trainW ? abi.NODE_FLAG_TRAIN_W : 0) |
        (layer.trainB ? abi.NODE_FLAG_TRAIN_B : 0) |
        (below.some(({ W, trainW, trainB }) => W && (trainW || trainB)) ? abi.NODE_FLAG_PASS_DELTA : 0),
    );
    for (const segment of this.segments) {
      if (segment.layer !== l - 1) continue;
      const { part, offset, pitch } = segment;
      set(part === "W" ? abi.NODE_W_PTR : abi.NODE_B_PTR, this.params.ptr + offset * this.core.size);
      set(part === "W" ? abi.NODE_DW_PTR : abi.NODE_DB_PTR, this.gradients.ptr + offset * this.core.size);
      if (part === "W") set(abi.NODE_PITCH, pitch);
      const rows = part === "W" ? layer.W : [layer.b as number[]];
      for (const [r, row] of rows.entries()) this.params.values.set(row, offset + r * pitch);
    }
  }

  #writeSegment(record: number, { layer, part, offset, rows, cols, pitch }: SegmentPlan): void {
    const set = (field: number, value: number) => this.#records.setInt32(record + field, value, true);
    const { trainW, trainB } = this.network.layers[layer] as Layer;
    set(abi.SEGMENT_NODE, layer + 1);
    set(abi.SEGMENT_PART, part === "W" ? 0 : 1);
    set(abi.SEGMENT_OFFSET, offset);
    set(abi.SEGMENT_ROWS, rows);
    set(abi.SEGMENT_COLS, cols);
    set(abi.SEGMENT_PITCH, pitch);
    set(abi.SEGMENT_TRAINABLE, (part === "W" ? trainW : trainB) ? 1 : 0);
  }

  setInt(field: number, value: number): void {
    this.#records.setInt32(this.#job + field, value, true);
  }

  int(field: number): number {
    return this.#records.getInt32(this.#job + field, true);
  }

  setDouble(field: number, value: number): void {
    this.#records.setFloat64(this.#job + field, value, true);
  }

  double(field: number): number {
    return this.#records.getFloat64(this.#job + field, true);
  }

  setHyperparameters(values: Hyperparameters): void {
    this.setInt(abi.JOB_OPTIMIZER, OPTIMIZERS[values.optimizer]);
    this.setDouble(abi.JOB_LEARNING_RATE, values.learningRate);
    this.setDouble(abi.JOB_MOMENTUM, values.momentum);
    this.setDouble(abi.JOB_BETA1, values.beta1);
    this.setDouble(abi.JOB_BETA2, values.beta2);
    this.setDouble(abi.JOB_EPSILON, values.epsilon);
  }

  /** Puts rows begin … end − 1 of the data at the window's start. */
  fillWindow(data: Data, begin: number, end: number): void {
    this.#x.values.set(data.x.slice(begin, end).flat());
    this.#y.values.set((data.y.slice(begin, end) as (number | number[])[]).flat());
    this.setInt(abi.JOB_WINDOW_BEGIN, begin);
    this.setInt(abi.JOB_WINDOW_END, end);
  }

  /** From the job's beginning: counters of one pass at 0. */
  restart(mode: number): void {
    this.setInt(abi.JOB_MODE, mode);
    for (const field of [abi.JOB_POSITION, abi.JOB_IN_STEP, abi.JOB_ORDERED]) this.setInt(field, 0);
    this.setDouble(abi.JOB_STEP_CORRECT, 0);
  }

  run(blocks = 1_000_000): number {
    const status = this.core.exports.run(this.#net, this.#job, blocks);
    this.arena.check("run");
    return status;
  }

  /** Rows of W, or b as one row, of a region laid out as the parameters. */
  read(region: Region, layer: number, part: "W" | "b", slot = 0): number[][] {
    const segment = this.segments.find((candidate) => candidate.layer === layer && candidate.part === part);
    if (segment === undefined) return [];
    return Array.from({ length: segment.rows }, (_, r) => {
      const begin = slot * this.#length + segment.offset + r * segment.pitch;
      return [...region.values.subarray(begin, begin + segment.cols)];
    });
  }

  /** Sample s of a node's panels; `vector`: the node holds one sample. */
  sample(region: Region, units: number, s: number, vector = false): number[] {
    return Array.from({ length: units }, (_, i) =>
      vector ? (region.values[i] as number) : (region.values[((s >> 3) * units + i) * 8 + (s & 7)] as number),
    );
  }

  /** Throws where this memory and that of another core differ in any region but the scratch of products. */
  expectSame(other: PlannedNetwork, what: string): void {
    for (const [i, [name, region]] of this.#image.entries()) {
      expectBits(`${what}: ${name}`, region.values, (other.#image[i] as [string, Region])[1].values);
    }
    expectBits(`${what}: reports`, this.reports, other.reports);
    expectBits(`${what}: order`, this.order, other.order);
    for (let at = 0; at < abi.JOB_SIZE; at += 8) {
      const [x, y] = [this, other].map((one) => one.#records.getBigUint64(one.#job + at, true));
      if (x !== y && !(Number.isNaN(this.double(at)) && Number.isNaN(other.double(at)))) {
        throw new Error(`${what}: job record at ${at}: got ${x}, expected ${y}`);
      }
    }
  }
}

/** W and b of every dense layer, each from a 64-byte boundary; a row of a multiple of 1024 bytes is padded by 64. */
function plan(net: Network, size: number): SegmentPlan[] {
  const segments: SegmentPlan[] = [];
  let offset = 0;
  for (const [layer, { W, b, units }] of net.layers.entries()) {
    const take = (part: "W" | "b", rows: number, cols: number) => {
      const tight = roundUp(cols, 32 / size);
      const pitch = part === "W" && (tight * size) % 1024 === 0 ? tight + 64 / size : tight;
      segments.push({ layer, part, offset, rows, cols, pitch });
      offset += roundUp(rows * pitch, 64 / size);
    };
    if (W) take("W", units, (W[0] as number[]).length);
    if (b) take("b", 1, units);
  }
  return segments;
}
