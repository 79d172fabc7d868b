// The text of an .mjs around an exported binary: it imports nothing and does nothing until it is asked.

export interface ModuleFacts {
  readonly inputs: number;
  readonly outputs: number;
  readonly rowCapacity: number;
  readonly dtype: "float32" | "float64";
}

/** `base64`: the binary of patch.ts. */
export function moduleText(base64: string, { inputs, outputs, rowCapacity, dtype }: ModuleFacts): string {
  const array = dtype === "float32" ? "Float32Array" : "Float64Array";
  const bytesPerValue = dtype === "float32" ? 4 : 8;
  return `// A trained network, exported by chainrule: ${inputs} inputs, ${outputs} outputs, ${dtype}. It needs nothing but WebAssembly with SIMD.
// @ts-check

/** Columns of x. @type {${inputs}} */
export const inputs = ${inputs};
/** Columns of a prediction. @type {${outputs}} */
export const outputs = ${outputs};
/** Rows that go through the network in one call of the binary; predict takes any number. @type {${rowCapacity}} */
export const rowCapacity = ${rowCapacity};
/** @type {"${dtype}"} */
export const dtype = "${dtype}";

/** @typedef {{ data: Float32Array | Float64Array, shape: readonly [rows: number, cols: number] }} Matrix */
/** @typedef {{ memory: { buffer: ArrayBuffer }, inputAddress(): number, outputAddress(): number, predict(rows: number): number }} Exports */
/** What a binary says of itself, and what this text counts on. */
const FACTS = { inputs, outputs, rowCapacity, bytesPerValue: ${bytesPerValue} };

/** The binary. @returns {Uint8Array<ArrayBuffer>} */
export function bytes() {
  const text = host.atob(BINARY);
  const result = new Uint8Array(text.length);
  for (let i = 0; i < result.length; i++) result[i] = text.charCodeAt(i);
  return result;
}

/** @type {any} */
const host = globalThis;
/** @type {Exports | undefined} */
let network;

/**
 * Compiles off this thread, or takes a module that is compiled already (of the exported .wasm), where the platform does not
 * compile bytes. Without it the first prediction compiles.
 * @param {object} [module] a WebAssembly.Module
 * @returns {Promise<void>}
 * @throws {TypeError | RangeError} RangeError for a module of other inputs, outputs, rows or dtype
 */
export async function init(module) {
  const compiled = module ?? (await host.WebAssembly.compile(bytes()));
  // Not new Instance, which Chrome refuses on a page's main thread above 8 MB.
  const { exports } = await host.WebAssembly.instantiate(compiled);
  if (exports === undefined) throw new TypeError("module: expected a WebAssembly.Module, got bytes");
  for (const [name, expected] of Object.entries(FACTS)) {
    const got = exports[name]?.();
    if (got !== expected) throw new RangeError(\`module: expected \${name} \${expected}, as in this file, got \${got}\`);
  }
  network = exports;
}

/**
 * Output activations of every row of x: an array of rows of ${inputs} numbers, or { data, shape: [rows, ${inputs}] }.
 * @param {Matrix | ArrayLike<ArrayLike<number>>} x
 * @returns {{ data: ${array}, shape: [rows: number, cols: ${outputs}] }}
 * @throws {TypeError | RangeError}
 */
export function predict(x) {
  const { rows, copy } = source(x);
  network ??= /** @type {Exports} */ (
    new host.WebAssembly.Instance(new host.WebAssembly.Module(bytes())).exports
  );
  const { memory, inputAddress, outputAddress } = network;
  const to = new ${array}(memory.buffer, inputAddress() >>> 0, rowCapacity * inputs);
  const from = new ${array}(memory.buffer, outputAddress() >>> 0, rowCapacity * outputs);
  const data = new ${array}(rows * outputs);
  for (let first = 0; first < rows; first += rowCapacity) {
    const n = Math.min(rowCapacity, rows - first);
    copy(to, first, n);
    const bad = network.predict(n) - 1;
    if (bad < -1) throw new RangeError(\`module: expected a buffer of at least \${n} rows, got a smaller one\`);
    if (bad >= 0) {
      const row = first + Math.floor(bad / inputs);
      throw new RangeError(\`x: expected a finite number, got \${to[bad]} in row \${row}, column \${bad % inputs}\`);
    }
    data.set(from.subarray(0, n * outputs), first * outputs);
  }
  return { data, shape: [rows, outputs] };
}

/**
 * @param {any} x
 * @returns {{ rows: number, copy(to: Float32Array | Float64Array, first: number, n: number): void }}
 */
function source(x) {
  if (typeof x !== "object" || x === null) throw new TypeError(\`x: expected rows of ${inputs} numbers, got \${kind(x)}\`);
  if (!("data" in x)) {
    const rows = x.length;
    if (!Number.isInteger(rows)) throw new TypeError(\`x: expected rows of ${inputs} numbers, got \${kind(x)} of length \${rows}\`);
    if (!(rows > 0)) throw new RangeError("x: expected at least one row, got none");
    for (let row = 0; row < rows; row++) checkRow(x[row], row);
    return {
      rows,
      copy: (to, first, n) => {
        for (let row = 0; row < n; row++) to.set(x[first + row], row * inputs);
      },
    };
  }
  const { data, shape } = x;
  if (!/^Float(32|64)Array$/.test(kind(data)))
    throw new TypeError(\`x: expected data in a Float32Array or a Float64Array, got \${kind(data)}\`);
  if (typeof shape !== "object" || shape?.length !== 2)
    throw new TypeError(\`x: expected shape [rows, ${inputs}], got \${Array.isArray(shape) ? \`[\${shape}]\` : kind(shape)}\`);
  const [rows, cols] = shape;
  if (!Number.isInteger(rows) || cols !== inputs || (rows > 0 && data.length !== rows * inputs))
    throw new RangeError(\`x: expected shape [rows, ${inputs}] and as many values, got [\${rows}, \${cols}] and \${data.length}\`);
  if (!(rows > 0)) throw new RangeError("x: expected at least one row, got none");
  return { rows, copy: (to, first, n) => to.set(data.subarray(first * inputs, (first + n) * inputs)) };
}

/** In a word: undefined, null, string, Array, Float32Array. @param {unknown} value */
function kind(value) {
  return typeof value === "object" ? Object.prototype.toString.call(value).slice(8, -1).replace("Null", "null") : typeof value;
}

/**
 * @param {any} values
 * @param {number} row
 */
function checkRow(values, row) {
  if (values?.length !== inputs)
    throw new RangeError(\`x: expected rows of ${inputs} numbers, got \${values?.length} in row \${row}\`);
  for (let col = 0; col < inputs; col++)
    if (typeof values[col] !== "number")
      throw new TypeError(\`x: expected a number, got \${typeof values[col]} in row \${row}, column \${col}\`);
}

const BINARY =
  "${base64}";
`;
}
