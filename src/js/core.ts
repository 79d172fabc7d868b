// The pure-JS core: the exports of assembly/index.ts over an ArrayBuffer, the same bits as the baseline binaries. It is the
// readable form of the arithmetic, and the fall-back where SIMD or compiling is missing.
import { ABI_VERSION } from "../core/abi.ts";
import type { Core, CoreExports } from "../core/exports.ts";
import type { DType } from "../options/network.ts";
import { activate, applySlope, softmaxPanels, softmaxVector } from "./activation.ts";
import { biasGradient, deltaPanels, forwardPanels, gradientPanels, gradientPanelsUpdate } from "./gemm.ts";
import { deltaVector, deltaVectorUpdate, forwardVector, gradientVector, updateVector } from "./gemv.ts";
import { Heap, JsMemory } from "./heap.ts";
import { jacobianForward, jacobianRows } from "./jacobian.ts";
import { addNormal, factorize, inverseTrace, solve } from "./normal.ts";
import { gatherRows, packActivations, packDeltas, scatterRows } from "./panels.ts";
import { fill, makeOrder, normal, shuffle, uniform } from "./random.ts";
import { fingerprint, scan, scanFingerprint } from "./scan.ts";
import { predictRow, run } from "./train.ts";
import { combine, dot } from "./vector.ts";
import { exp32, exp64, log1p64, log32, log64, sigmoid32, sigmoid64, tanh32, tanh64 } from "./vmath.ts";

/** What every core exports, and what only the tests and the bench call: the kernels. */
export interface JsCore extends Core {
  readonly kind: "js";
  readonly exports: KernelExports;
}
export type KernelExports = CoreExports & ReturnType<typeof kernels>;

/** A core with a memory of its own, one page of zeros. */
export function createJsCore(dtype: DType): JsCore {
  const memory = new JsMemory();
  const heap = new Heap(memory, dtype);
  const bind = binder(heap);
  const exports = {
    abi: () => ABI_VERSION * 16 + heap.lanes.size,
    run: bind(run),
    predictRow: bind(predictRow),
    scan: bind(scan),
    fingerprint: bind(fingerprint),
    scanFingerprint: bind(scanFingerprint),
    fill: bind((heap, ptr: number, ...rest: Tail<Tail<Parameters<typeof fill>>>) =>
      fill(heap.real, heap.index(ptr), ...rest),
    ),
    shuffle: bind((heap, ptr: number, ...rest: Tail<Tail<Parameters<typeof shuffle>>>) =>
      shuffle(heap.i32, ptr >>> 2, ...rest),
    ),
    dot: bind(dot),
    combine: bind(combine),
    jacobianForward: bind(jacobianForward),
    jacobianRows: bind(jacobianRows),
    addNormal: bind(addNormal),
    factorize: bind(factorize),
    inverseTrace: bind(inverseTrace),
    solve: bind(solve),
    ...kernels(heap),
  };
  return { kind: "js", memory, exports };
}

/** All but the first of a list of arguments. */
type Tail<A extends unknown[]> = A extends [unknown, ...infer Rest] ? Rest : never;

/** An export: views of the memory as it stands now, then the kernel. */
const binder =
  (heap: Heap) =>
  <A extends unknown[], R>(kernel: (heap: Heap, ...args: A) => R) =>
  (...args: A): R => {
    heap.refresh();
    return kernel(heap, ...args);
  };

/** Kernels, for tests and the bench. */
function kernels(heap: Heap) {
  const bind = binder(heap);
  const { single } = heap.lanes;
  return {
    forwardPanels: bind(forwardPanels),
    deltaPanels: bind(deltaPanels),
    gradientPanels: bind(gradientPanels),
    gradientPanelsUpdate: bind(gradientPanelsUpdate),
    biasGradient: bind(biasGradient),
    forwardVector: bind(forwardVector),
    deltaVector: bind(deltaVector),
    deltaVectorUpdate: bind(deltaVectorUpdate),
    gradientVector: bind(gradientVector),
    updateVector: bind(updateVector),
    gatherRows: bind(gatherRows),
    scatterRows: bind(scatterRows),
    packActivations: bind(packActivations),
    packDeltas: bind(packDeltas),
    activate: bind(activate),
    applySlope: bind(applySlope),
    softmaxPanels: bind(softmaxPanels),
    softmaxVector: bind(softmaxVector),
    mapExp: bind(map(single ? exp32 : exp64)),
    mapLog: bind(map(single ? log32 : log64)),
    mapTanh: bind(map(single ? tanh32 : tanh64)),
    mapSigmoid: bind(map(single ? sigmoid32 : sigmoid64)),
    mapLog1p: bind(mapLog1p),
    makeOrder: bind((heap, ptr: number, ...rest: Tail<Parameters<typeof makeOrder>>) =>
      makeOrder(heap.i32.subarray(ptr >>> 2), ...rest),
    ),
    normal,
    uniform,
  };
}

/** dst[i] = f(src[i]) for `count` elements; dst may be src. */
function map(f: (x: number) => number) {
  return (heap: Heap, dst: number, src: number, count: number): void => {
    const { real } = heap;
    for (let i = 0; i < count; i++) real[heap.index(dst) + i] = f(real[heap.index(src) + i] as number);
  };
}

/** log(1 + x) over f64 arrays in both dtypes. */
function mapLog1p(heap: Heap, dst: number, src: number, count: number): void {
  for (let i = 0; i < count; i++) heap.setDouble(dst, 8 * i, log1p64(heap.double(src, 8 * i)));
}
