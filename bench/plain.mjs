// What a careful programmer writes in plain JavaScript: one training step of a relu/softmax network on Float32Array,
// register-blocked (4 units × 2 samples forward, 4 samples or 4 units at once backward), no bit contract, Math.exp.

/** A network of these sizes with `step(x, y, batch, rate)`: x row-major [batch × inputs], y class indices. */
export function plainNetwork(sizes, draw) {
  const layers = sizes.slice(1).map((nOut, l) => {
    const nIn = sizes[l];
    const limit = Math.sqrt(6 / nIn);
    const W = Float32Array.from({ length: nOut * nIn }, () => (2 * draw() - 1) * limit);
    return { nIn, nOut, W, b: new Float32Array(nOut), a: new Float32Array(0), delta: new Float32Array(0) };
  });
  return {
    step(x, y, batch, rate) {
      let input = x;
      for (const layer of layers) {
        if (layer.a.length < batch * layer.nOut) {
          layer.a = new Float32Array(batch * layer.nOut);
          layer.delta = new Float32Array(batch * layer.nOut);
        }
        forward(layer, input, batch, layer !== layers.at(-1));
        input = layer.a;
      }
      const last = layers.at(-1);
      const loss = softmaxDelta(last, y, batch);
      for (let l = layers.length - 1; l >= 0; l--) {
        const below = l > 0 ? layers[l - 1] : undefined;
        if (below) backward(layers[l], below, batch);
        descend(layers[l], below ? below.a : x, batch, rate);
      }
      return loss;
    },
  };
}

function forward({ W, b, a, nIn, nOut }, x, batch, relu) {
  for (let s = 0; s < batch; s += 2) {
    const x0 = s * nIn;
    const x1 = s + 1 < batch ? x0 + nIn : x0;
    for (let o = 0; o < nOut; o += 4) {
      const w0 = o * nIn;
      const w1 = Math.min(o + 1, nOut - 1) * nIn;
      const w2 = Math.min(o + 2, nOut - 1) * nIn;
      const w3 = Math.min(o + 3, nOut - 1) * nIn;
      let c00 = 0,
        c01 = 0,
        c10 = 0,
        c11 = 0,
        c20 = 0,
        c21 = 0,
        c30 = 0,
        c31 = 0;
      for (let i = 0; i < nIn; i++) {
        const p = x[x0 + i];
        const q = x[x1 + i];
        const v0 = W[w0 + i];
        const v1 = W[w1 + i];
        const v2 = W[w2 + i];
        const v3 = W[w3 + i];
        c00 += v0 * p;
        c01 += v0 * q;
        c10 += v1 * p;
        c11 += v1 * q;
        c20 += v2 * p;
        c21 += v2 * q;
        c30 += v3 * p;
        c31 += v3 * q;
      }
      const first = [c00, c10, c20, c30];
      const second = [c01, c11, c21, c31];
      for (let r = 0; r < 4 && o + r < nOut; r++) {
        const z0 = first[r] + b[o + r];
        a[s * nOut + o + r] = relu && z0 < 0 ? 0 : z0;
        if (s + 1 === batch) continue;
        const z1 = second[r] + b[o + r];
        a[(s + 1) * nOut + o + r] = relu && z1 < 0 ? 0 : z1;
      }
    }
  }
}

function softmaxDelta({ a, delta, nOut }, y, batch) {
  let loss = 0;
  for (let s = 0; s < batch; s++) {
    const row = s * nOut;
    let max = a[row];
    for (let o = 1; o < nOut; o++) if (a[row + o] > max) max = a[row + o];
    let sum = 0;
    for (let o = 0; o < nOut; o++) sum += delta[row + o] = Math.exp(a[row + o] - max);
    loss += Math.log(sum) - (a[row + y[s]] - max);
    for (let o = 0; o < nOut; o++) delta[row + o] = (delta[row + o] / sum - (o === y[s] ? 1 : 0)) / batch;
  }
  return loss / batch;
}

function backward({ W, delta, nIn, nOut }, below, batch) {
  const out = below.delta;
  out.fill(0, 0, batch * nIn);
  for (let s = 0; s < batch; s++) {
    const row = s * nIn;
    let o = 0;
    for (; o + 4 <= nOut; o += 4) {
      const d = s * nOut + o;
      const d0 = delta[d];
      const d1 = delta[d + 1];
      const d2 = delta[d + 2];
      const d3 = delta[d + 3];
      const w = o * nIn;
      for (let i = 0; i < nIn; i++) {
        out[row + i] += d0 * W[w + i] + d1 * W[w + nIn + i] + d2 * W[w + 2 * nIn + i] + d3 * W[w + 3 * nIn + i];
      }
    }
    for (; o < nOut; o++) {
      const d0 = delta[s * nOut + o];
      for (let i = 0; i < nIn; i++) out[row + i] += d0 * W[o * nIn + i];
    }
    for (let i = 0; i < nIn; i++) if (below.a[row + i] === 0) out[row + i] = 0;
  }
}

function descend({ W, b, delta, nIn, nOut }, x, batch, rate) {
  for (let o = 0; o < nOut; o++) {
    const w = o * nIn;
    let s = 0;
    for (; s + 4 <= batch; s += 4) {
      const d0 = rate * delta[s * nOut + o];
      const d1 = rate * delta[(s + 1) * nOut + o];
      const d2 = rate * delta[(s + 2) * nOut + o];
      const d3 = rate * delta[(s + 3) * nOut + o];
      b[o] -= d0 + d1 + d2 + d3;
      const r = s * nIn;
      for (let i = 0; i < nIn; i++) {
        W[w + i] -= d0 * x[r + i] + d1 * x[r + nIn + i] + d2 * x[r + 2 * nIn + i] + d3 * x[r + 3 * nIn + i];
      }
    }
    for (; s < batch; s++) {
      const d0 = rate * delta[s * nOut + o];
      b[o] -= d0;
      for (let i = 0; i < nIn; i++) W[w + i] -= d0 * x[s * nIn + i];
    }
  }
}
