// The errors a user sees: "‹name›: expected ‹what›, got ‹what›". TypeError for kind, RangeError for value.

/** What turned non-finite. */
export type DivergedQuantity = "loss" | "weights" | "bias" | "optimizer state";

/** Training met a loss, parameter or optimizer state that is not finite; the network is back at its last finite step. */
export class DivergenceError extends Error {
  override readonly name = "DivergenceError";
  /** From 1, over the network's life. */
  readonly epoch: number;
  /** From 1, over the network's life: the step that diverged. */
  readonly step: number;
  /** Index in `spec.layers`; undefined for the loss. */
  readonly layer: number | undefined;
  readonly quantity: DivergedQuantity;

  constructor(where: { epoch: number; step: number; layer?: number | undefined; quantity: DivergedQuantity }) {
    const of = where.layer === undefined ? "" : ` of layers[${where.layer}]`;
    super(
      `training: the ${where.quantity}${of} turned non-finite in step ${where.step} (epoch ${where.epoch}); ` +
        "the network is back at the last step at which all was finite; a smaller learningRate may help",
    );
    this.epoch = where.epoch;
    this.step = where.step;
    this.layer = where.layer;
    this.quantity = where.quantity;
  }
}

/** The value has the wrong kind. */
export function kindError(name: string, expected: string, value: unknown): TypeError {
  return new TypeError(`${name}: expected ${expected}, got ${describe(value)}`);
}

/** The kind is right, the value is not. */
export function valueError(name: string, expected: string, value: unknown): RangeError {
  return new RangeError(`${name}: expected ${expected}, got ${describe(value)}`);
}

/** A value in a few words; never walks into it. */
export function describe(value: unknown): string {
  switch (typeof value) {
    case "string":
      return value.length > 40 ? `'${value.slice(0, 40)}…'` : `'${value}'`;
    case "bigint":
      return "a bigint";
    case "symbol":
      return "a symbol";
    case "function":
      return "a function";
    case "object":
      return value === null ? "null" : describeObject(value);
    default:
      return Object.is(value, -0) ? "-0" : String(value);
  }
}

function describeObject(value: object): string {
  if (Array.isArray(value)) return `an array of ${value.length}`;
  const tag = Object.prototype.toString.call(value).slice(8, -1);
  if (tag === "Object") return "an object";
  const noun = `${/^[AEIO]/.test(tag) ? "an" : "a"} ${tag}`;
  return ArrayBuffer.isView(value) && "length" in value ? `${noun} of ${value.length}` : noun;
}
