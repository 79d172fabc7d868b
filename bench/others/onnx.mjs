// An ONNX file of a chain of dense layers, as much of the format as that takes: field numbers from onnx.proto of ONNX 1.x.

const text = new TextEncoder();

function varint(value) {
  const bytes = [];
  for (; value > 127; value = Math.floor(value / 128)) bytes.push((value % 128) | 128);
  return [...bytes, value];
}
const integer = (field, value) => [...varint(field * 8), ...varint(value)];
const bytes = (field, content) => [...varint(field * 8 + 2), ...varint(content.length), ...content];
const string = (field, content) => bytes(field, text.encode(content));

/** TensorProto: dims, data_type FLOAT, name, raw_data. */
function tensor(name, dims, values) {
  const raw = new Uint8Array(Float32Array.from(values).buffer);
  return [...dims.flatMap((dim) => integer(1, dim)), ...integer(2, 1), ...string(8, name), ...bytes(9, raw)];
}
/** ValueInfoProto of a float matrix. */
function matrix(name, rows, cols) {
  const shape = [rows, cols].flatMap((dim) => bytes(1, integer(1, dim)));
  return [...string(1, name), ...bytes(2, bytes(1, [...integer(1, 1), ...bytes(2, shape)]))];
}
/** NodeProto; attributes are integers. */
function node(operator, inputs, output, attributes = {}) {
  const list = Object.entries(attributes).flatMap(([name, value]) =>
    bytes(5, [...string(1, name), ...integer(3, value), ...integer(20, 2)]),
  );
  return [...inputs.flatMap((name) => string(1, name)), ...string(2, output), ...string(4, operator), ...list];
}

/**
 * @param layers `{ W: { data, shape: [units, inputs] }, b, activation }`, activation `Relu` or `Softmax`
 * @returns the bytes of a model with the input `x` [1 × inputs] and the output `y` [1 × units of the last layer]
 */
export function onnxOf(layers) {
  const nodes = [];
  const tensors = [];
  let from = "x";
  for (const [index, { W, b, activation }] of layers.entries()) {
    tensors.push(tensor(`W${index}`, W.shape, W.data), tensor(`b${index}`, [b.length], b));
    nodes.push(node("Gemm", [from, `W${index}`, `b${index}`], `z${index}`, { transB: 1 }));
    from = index === layers.length - 1 ? "y" : `a${index}`;
    nodes.push(node(activation, [`z${index}`], from));
  }
  const graph = [
    ...nodes.flatMap((content) => bytes(1, content)),
    ...string(2, "chain"),
    ...tensors.flatMap((content) => bytes(5, content)),
    ...bytes(11, matrix("x", 1, layers[0].W.shape[1])),
    ...bytes(12, matrix("y", 1, layers.at(-1).W.shape[0])),
  ];
  return Uint8Array.from([...integer(1, 8), ...bytes(7, graph), ...bytes(8, integer(2, 13))]);
}
