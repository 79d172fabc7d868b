// The export list: this is the ABI. Records and codes are in abi.ts.
import { ABI_VERSION, NET_ADDRESS } from "./abi";

/** ABI version · 16 + bytes per element + 1 in the relaxed core. */
export function abi(): i32 {
  assert(__heap_base <= <usize>NET_ADDRESS); // static data end below the network
  return ABI_VERSION * 16 + sizeof<real>() + RELAXED;
}

export { predictRow, run } from "./train";
export { fingerprint, scan, scanFingerprint } from "./scan";
export { fill, makeOrder, normal, shuffle, uniform } from "./random";

export { combine, dot } from "./vector";
export { jacobianForward, jacobianRows } from "./jacobian";
export { addNormal, factorize, inverseTrace, solve } from "./normal";

// Kernels, for tests and the bench.
export { biasGradient, deltaPanels, forwardPanels, gradientPanels, gradientPanelsUpdate } from "./gemm";
export { deltaVector, deltaVectorUpdate, forwardVector, gradientVector, updateVector } from "./gemv";
export { forwardStrips, packStrips, unpackStrips, updateStrips } from "./columns";
export { gatherRows, packActivations, packDeltas, scatterRows } from "./panels";
export { activate, applySlope, softmaxPanels, softmaxVector } from "./activation";
export { mapExp, mapLog, mapLog1p, mapSigmoid, mapTanh } from "./maps";
