// A loss that the host computes: the block's outputs go to it, ∂loss/∂a comes back.
import { ACTIVATION_SOFTMAX, NET_EXCHANGE_PTR, NODE_ACTIVATION, NODE_A_PTR, NODE_DELTA_PTR, NODE_UNITS } from "./abi";
import { softmaxSlope } from "./activation";
import { nodeSlope } from "./backprop";
import { SIZE, UNIT_BYTES, flushScalar } from "./lanes";
import { clearPadding, scatterRows } from "./panels";

/** Outputs of `node` [n × units] written to the exchange, row by row. */
export function giveOutputs(net: usize, node: usize, n: i32, vector: bool): void {
  const to = load<usize>(net, NET_EXCHANGE_PTR), a = load<usize>(node, NODE_A_PTR);
  const units = load<i32>(node, NODE_UNITS);
  if (vector) memory.copy(to, a, <usize>(units * SIZE));
  else scatterRows(to, a, units, n);
}

/**
 * δ = rnd(n/B)·g ∘ f′(z) of `node`, with g = ∂loss/∂a [n × units] of the exchange, the gradient of a mean over the block's n of a step's B
 * samples; lanes past n become +0.
 */
export function takeGradient(net: usize, node: usize, batch: i32, n: i32, vector: bool): void {
  const units = load<i32>(node, NODE_UNITS), activation = load<i32>(node, NODE_ACTIVATION);
  const share = <real>(<f64>n / <f64>batch), softmax = activation == ACTIVATION_SOFTMAX;
  const stride: usize = vector ? SIZE : UNIT_BYTES;
  let from = load<usize>(net, NET_EXCHANGE_PTR);
  for (let s = 0; s < n; s++) {
    const sample: usize = vector ? 0 : <usize>((s >> 3) * units * UNIT_BYTES + (s & 7) * SIZE);
    const delta = load<usize>(node, NODE_DELTA_PTR) + sample;
    const end = <usize>units * stride;
    for (let i: usize = 0; i < end; i += stride, from += SIZE) store<real>(delta + i, share * load<real>(from));
    if (!softmax) continue;
    softmaxSlope(delta, load<usize>(node, NODE_A_PTR) + sample, units, stride);
    for (let i: usize = 0; i < end; i += stride) store<real>(delta + i, flushScalar(load<real>(delta + i)));
  }
  if (!softmax) nodeSlope(node, n, vector);
  if (!vector) clearPadding(load<usize>(node, NODE_DELTA_PTR), units, n);
}
