// Rows of the user's data picked by number, for passes that are not a fit.
import { type Matrix, rowSource } from "../data/rows.ts";
import { seedWords } from "../data/split.ts";
import { type TargetSource, targetSource } from "../data/targets.ts";
import { makeOrder } from "../js/random.ts";
import type { Model } from "../model.ts";
import { lossName } from "../options/loss.ts";

export class Picker {
  readonly rows: number;
  private readonly model: Model;
  private readonly x: ReturnType<typeof rowSource>;
  private readonly y: TargetSource;
  private readonly classes: Int32Array | undefined;

  /** @throws TypeError, RangeError for data of another shape */
  constructor(model: Model, x: unknown, y: unknown) {
    const { inputs, outputs } = model.memory.plan;
    this.model = model;
    this.x = rowSource(x, "x", inputs);
    this.rows = this.x.rows;
    this.y = targetSource(y, "y", { rows: this.rows, outputs, loss: lossName(model.spec.loss) });
    if (this.y.kind === "dense") return;
    this.classes = new Int32Array(this.rows);
    this.y.copyTo(this.classes, 0, this.rows);
  }

  /** Copies of these rows, in the network's dtype. */
  pick(rows: ArrayLike<number>): { x: Matrix; y: Matrix | Int32Array } {
    const { inputs, outputs } = this.model.memory.plan;
    const array = (length: number) =>
      this.model.dtype === "float32" ? new Float32Array(length) : new Float64Array(length);
    const x: Matrix = { data: array(rows.length * inputs), shape: [rows.length, inputs] };
    this.x.copyRows(x.data, rows);
    const { classes } = this;
    if (this.y.kind === "class") return { x, y: Int32Array.from(rows, (row) => classes?.[row] as number) };
    const y: Matrix = { data: array(rows.length * outputs), shape: [rows.length, outputs] };
    this.y.source.copyRows(y.data, rows);
    return { x, y };
  }

  /** At most `count` rows at equal distances. */
  spread(count: number): Int32Array {
    const length = Math.min(count, this.rows);
    return Int32Array.from({ length }, (_, i) => Math.floor((i * this.rows) / length));
  }

  /** The order of an epoch, as fit would make it. */
  order(epoch: number): Int32Array {
    const order = new Int32Array(this.rows);
    const [low, high] = seedWords(this.model.seed);
    makeOrder(order, this.rows, 0, 2 * this.rows, low, high, epoch);
    return order;
  }
}
