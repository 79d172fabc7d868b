// A loss that the host computes: the block's outputs go to it, ∂loss/∂a comes back.
import {
  ACTIVATION_SOFTMAX,
  NET_EXCHANGE_PTR,
  NODE_A_PTR,
  NODE_ACTIVATION,
  NODE_ALPHA,
  NODE_DELTA_PTR,
  NODE_UNITS,
  NODE_Z_PTR,
} from "../core/abi.ts";
import { slope, softmaxSlope } from "./activation.ts";
import type { Heap } from "./heap.ts";
import { PANEL } from "./lanes.ts";
import { clearPadding, scatterRows } from "./panels.ts";

/** Outputs of `node` [n × units] written to the exchange, row by row. */
export function giveOutputs(heap: Heap, net: number, node: number, n: number, vector: boolean): void {
  const to = heap.ptr(net, NET_EXCHANGE_PTR);
  const a = heap.ptr(node, NODE_A_PTR);
  const units = heap.int(node, NODE_UNITS);
  if (vector) heap.real.copyWithin(heap.index(to), heap.index(a), heap.index(a) + units);
  else scatterRows(heap, to, a, units, n);
}

/**
 * δ = rnd(n/B)·g ∘ f′(z) of `node`, with g = ∂loss/∂a [n × units] of the exchange, the gradient of a mean over the block's n of a step's B
 * samples; lanes past n become +0.
 */
export function takeGradient(heap: Heap, net: number, node: number, batch: number, n: number, vector: boolean): void {
  const { real, lanes } = heap;
  const { round, flush } = lanes;
  const units = heap.int(node, NODE_UNITS);
  const activation = heap.int(node, NODE_ACTIVATION);
  const alpha = round(heap.double(node, NODE_ALPHA));
  const share = round(n / batch);
  const stride = vector ? 1 : PANEL;
  const from = heap.index(heap.ptr(net, NET_EXCHANGE_PTR));
  for (let s = 0; s < n; s++) {
    const sample = vector ? 0 : (s >> 3) * units * PANEL + (s & 7);
    const [a, z, delta] = [NODE_A_PTR, NODE_Z_PTR, NODE_DELTA_PTR].map(
      (field) => heap.index(heap.ptr(node, field)) + sample,
    ) as [number, number, number];
    for (let o = 0; o < units; o++) {
      const g = round(share * (real[from + s * units + o] as number));
      const [value, input] = [real[a + o * stride] as number, real[z + o * stride] as number];
      const own = activation === ACTIVATION_SOFTMAX;
      real[delta + o * stride] = own ? g : slope(lanes, activation, g, value, input, alpha);
    }
    if (activation === ACTIVATION_SOFTMAX) softmaxSlope(heap, delta, a, units, stride);
    for (let o = 0; o < units; o++) real[delta + o * stride] = flush(real[delta + o * stride] as number);
  }
  if (!vector) clearPadding(heap, heap.ptr(node, NODE_DELTA_PTR), units, n);
}
