// Online training of logistic networks in plain JavaScript, for comparison: ½·Σ error², plain descent, f64, `Math.exp`. One as
// anybody would write it for any sizes, one written out for 2-3-1 with every number in a variable of its own.
const sigmoid = (z) => 1 / (1 + Math.exp(-z));

/** `train(x, y, rows, learningRate)`: one epoch over rows [rows × inputs] and targets [rows × outputs]; the summed loss. */
export function genericNetwork(sizes, draw) {
  const layers = sizes.slice(1).map((nOut, l) => ({
    nIn: sizes[l],
    nOut,
    W: Float64Array.from({ length: nOut * sizes[l] }, () => draw() - 0.5),
    b: new Float64Array(nOut),
    a: new Float64Array(nOut),
    delta: new Float64Array(nOut),
  }));
  const input = new Float64Array(sizes[0]);
  return (x, y, rows, learningRate) => {
    let loss = 0;
    for (let row = 0; row < rows; row++) {
      for (let i = 0; i < input.length; i++) input[i] = x[row * input.length + i];
      let from = input;
      for (const { nIn, nOut, W, b, a } of layers) {
        for (let o = 0; o < nOut; o++) {
          let z = b[o];
          for (let i = 0; i < nIn; i++) z += W[o * nIn + i] * from[i];
          a[o] = sigmoid(z);
        }
        from = a;
      }
      const output = layers[layers.length - 1];
      for (let o = 0; o < output.nOut; o++) {
        const a = output.a[o];
        const error = a - y[row * output.nOut + o];
        loss += 0.5 * error * error;
        output.delta[o] = error * a * (1 - a);
      }
      for (let l = layers.length - 1; l >= 0; l--) {
        const { nIn, nOut, W, b, delta } = layers[l];
        const below = l > 0 ? layers[l - 1] : undefined;
        const a = below === undefined ? input : below.a;
        if (below !== undefined) {
          for (let i = 0; i < nIn; i++) {
            let sum = 0;
            for (let o = 0; o < nOut; o++) sum += W[o * nIn + i] * delta[o];
            below.delta[i] = sum * a[i] * (1 - a[i]);
          }
        }
        for (let o = 0; o < nOut; o++) {
          const step = learningRate * delta[o];
          for (let i = 0; i < nIn; i++) W[o * nIn + i] -= step * a[i];
          b[o] -= step;
        }
      }
    }
    return loss;
  };
}

/** As `genericNetwork([2, 3, 1], draw)`. */
export function network231(draw) {
  const parameters = Array.from({ length: 13 }, () => draw() - 0.5);
  return (x, y, rows, learningRate) => {
    let [w00, w01, w10, w11, w20, w21, b0, b1, b2, v0, v1, v2, c] = parameters;
    let loss = 0;
    for (let row = 0; row < rows; row++) {
      const x0 = x[2 * row];
      const x1 = x[2 * row + 1];
      const h0 = sigmoid(b0 + w00 * x0 + w01 * x1);
      const h1 = sigmoid(b1 + w10 * x0 + w11 * x1);
      const h2 = sigmoid(b2 + w20 * x0 + w21 * x1);
      const a = sigmoid(c + v0 * h0 + v1 * h1 + v2 * h2);
      const error = a - y[row];
      loss += 0.5 * error * error;
      const step = learningRate * error * a * (1 - a);
      const s0 = step * v0 * h0 * (1 - h0);
      const s1 = step * v1 * h1 * (1 - h1);
      const s2 = step * v2 * h2 * (1 - h2);
      v0 -= step * h0;
      v1 -= step * h1;
      v2 -= step * h2;
      c -= step;
      w00 -= s0 * x0;
      w01 -= s0 * x1;
      b0 -= s0;
      w10 -= s1 * x0;
      w11 -= s1 * x1;
      b1 -= s1;
      w20 -= s2 * x0;
      w21 -= s2 * x1;
      b2 -= s2;
    }
    parameters.splice(0, 13, w00, w01, w10, w11, w20, w21, b0, b1, b2, v0, v1, v2, c);
    return loss;
  };
}
