// node test/hosts/run.mjs, after npm run build: exported networks in a host that knows no JavaScript, the reference interpreter of
// Debian's wabt (wast2json, spectest-interp). A script of the WebAssembly test format (.wast) stores rows in the binary's
// input buffer, calls predict and compares every 32-bit word of the output buffer with network.predict in Node.
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { exportModule } from "../../dist/export/index.js";
import { Network } from "../../dist/index.js";

const ACTIVATIONS = [
  ...["linear", "sigmoid", "tanh", "relu", "leakyRelu", "elu", "selu", "gelu", "silu", "softplus", "softsign"],
  ...["mish", "hardSigmoid", "hardSwish", "relu6"],
];
const ROWS = 11;
const INPUTS = 5;

/** Every kind of layer that a prediction computes, with `activation` in each. */
const classifier = (activation) => ({
  inputs: INPUTS,
  layers: [
    { type: "standardize" },
    { units: 7, activation },
    { type: "batchNormalization", activation },
    { units: 9, activation, bias: false },
    { type: "layerNormalization", activation },
    { units: 3, activation: "softmax" },
  ],
});
const REGRESSION = {
  inputs: INPUTS,
  layers: [{ type: "robust" }, { units: 33, activation: "tanh" }, { units: 2 }],
  targetScaling: "standardize",
};

/** Numbers from −3 to 3, the same in every run. */
function drawn(count, seed) {
  let state = seed >>> 0;
  return Float64Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state / 2 ** 32) * 6 - 3;
  });
}

function trained(spec, dtype) {
  const network = Network.createSync(spec, { dtype, seed: 5 });
  const x = { data: drawn(40 * INPUTS, 1), shape: [40, INPUTS] };
  const classes = Array.from({ length: 40 }, (_, row) => row % 3);
  const y = spec === REGRESSION ? { data: drawn(80, 2), shape: [40, 2] } : classes;
  network.fitSync(x, y, { epochs: 2, batchSize: 8 });
  return network;
}

const words = (values) => new Uint32Array(values.buffer, values.byteOffset, values.byteLength / 4);
const call = (module, name, ...args) =>
  `(invoke $${module} "${name}" ${args.map((arg) => `(i32.const ${arg})`).join(" ")})`;
const returns = (action, value) => `(assert_return ${action} (i32.const ${value}))`;

/** `wrong`: one bit of one expectation is turned over. */
function script(network, wrong) {
  const binary = exportModule(network, { rows: ROWS });
  const { inputAddress, outputAddress } = new WebAssembly.Instance(new WebAssembly.Module(binary)).exports;
  const Reals = network.dtype === "float32" ? Float32Array : Float64Array;
  const data = Reals.from(drawn(ROWS * INPUTS, 3));
  const expected = words(network.predict({ data, shape: [ROWS, INPUTS] }).data).slice();
  if (wrong) expected[expected.length - 1] ^= 1;
  const bytes = Array.from(binary, (byte) => `\\${byte.toString(16).padStart(2, "0")}`).join("");
  return [
    `(module $net binary "${bytes}")`,
    '(register "net" $net)',
    '(module $io (import "net" "memory" (memory 1))',
    '  (func (export "store") (param i32 i32) (i32.store (local.get 0) (local.get 1)))',
    '  (func (export "load") (param i32) (result i32) (i32.load (local.get 0))))',
    returns(call("net", "bytesPerValue"), Reals.BYTES_PER_ELEMENT),
    returns(call("net", "inputs"), INPUTS),
    returns(call("net", "outputs"), network.outputs),
    returns(call("net", "rowCapacity"), ROWS),
    returns(call("net", "inputAddress"), inputAddress()),
    returns(call("net", "outputAddress"), outputAddress()),
    ...Array.from(words(data), (word, i) => call("io", "store", inputAddress() + 4 * i, `0x${word.toString(16)}`)),
    returns(call("net", "predict", ROWS + 1), -1),
    returns(call("net", "predict", ROWS), 0),
    ...Array.from(expected, (word, i) =>
      returns(call("io", "load", outputAddress() + 4 * i), `0x${word.toString(16)}`),
    ),
  ].join("\n");
}

const folder = mkdtempSync(join(tmpdir(), "chainrule-hosts-"));

/** Whether the interpreter finds every expectation met. */
function holds(text) {
  const [source, commands] = [join(folder, "net.wast"), join(folder, "net.json")];
  writeFileSync(source, text);
  execFileSync("wast2json", [source, "-o", commands]);
  const { status, stdout, error } = spawnSync("spectest-interp", [commands], { encoding: "utf8" });
  if (error) throw error;
  const counts = /^(\d+)\/(\d+) tests passed\.$/m.exec(stdout);
  if (counts === null) throw new Error(`spectest-interp: expected a count of tests, got ${stdout}`);
  return { held: status === 0 && counts[1] === counts[2], count: Number(counts[2]), stdout };
}

let failed = 0;
try {
  for (const dtype of ["float32", "float64"]) {
    for (const [name, spec] of [...ACTIVATIONS.map((name) => [name, classifier(name)]), ["regression", REGRESSION]]) {
      const { held, count, stdout } = holds(script(trained(spec, dtype), false));
      console.log(`${held ? "equal " : "DIFFER"} ${dtype} ${name}: ${count} commands`);
      if (held) continue;
      failed++;
      console.log(stdout);
    }
    if (holds(script(trained(REGRESSION, dtype), true)).held) {
      failed++;
      console.log(`NOT SEEN ${dtype}: a wrong bit in an expectation`);
    }
  }
} finally {
  rmSync(folder, { recursive: true });
}
console.log(failed === 0 ? "every bit as in Node" : `${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
