// The programs that bench/cold-start.mjs times: load a saved 64-64-10 network, predict one row, give the ten outputs. Each
// is a module's text with a function `predict(files)`; `files` holds what was saved, as Uint8Arrays.

const TFJS = `
  const floats = (bytes) => new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
  const values = floats(files.weights);
  let offset = 0;
  const take = (rows, cols) => {
    offset += rows * cols;
    return tf.tensor2d(values.slice(offset - rows * cols, offset), [rows, cols]);
  };
  // W is [units × inputs].
  const [W0, b0, W1, b1] = [take(64, 64), take(1, 64), take(10, 64), take(1, 10)];
  const a = tf.relu(tf.add(tf.matMul(tf.tensor2d(floats(files.row), [1, 64]), W0, false, true), b0));
  return Array.from(await tf.softmax(tf.add(tf.matMul(a, W1, false, true), b1)).data());
}`;

export const PROGRAMS = {
  nothing: "export async function predict() { return undefined; }",
  chainrule: `import { Network } from "chainrule";
export async function predict(files) {
  const network = await Network.load(files.network);
  const row = new Float32Array(files.row.buffer, files.row.byteOffset, 64);
  return Array.from(network.predict({ data: row, shape: [1, 64] }).data);
}`,
  "tfjs cpu": `import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-backend-cpu";
export async function predict(files) {
  await tf.setBackend("cpu");${TFJS}`,
  "tfjs wasm": `import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-backend-wasm";
export async function predict(files) {
  await tf.setBackend("wasm");
  if (tf.getBackend() !== "wasm") throw new Error("no wasm backend");${TFJS}`,
  "onnxruntime-web": `import { env, InferenceSession, Tensor } from "onnxruntime-web/wasm";
export async function predict(files) {
  env.wasm.numThreads = 1;
  if (files.ort) env.wasm.wasmBinary = files.ort;
  const session = await InferenceSession.create(files.onnx);
  const row = new Float32Array(files.row.buffer, files.row.byteOffset, 64);
  const { y } = await session.run({ x: new Tensor("float32", row, [1, 64]) });
  return Array.from(y.data);
}`,
};
