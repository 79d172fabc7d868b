// What may be done to gradients before the optimizer sees them.
import { numberThat, rounded } from "./checks.ts";
import type { DType } from "./network.ts";

export interface Clipping {
  /** Gradients are cut to [−clipValue, clipValue], after the penalty; > 0. */
  clipValue?: number;
  /** A gradient whose Euclidean norm over all trainable parameters is larger is scaled to this norm; > 0. As torch.nn.utils.clip_grad_norm_. */
  clipNorm?: number;
}

export interface ResolvedClipping {
  readonly clipValue: number | undefined;
  readonly clipNorm: number | undefined;
}

export const CLIPPING_KEYS = ["clipValue", "clipNorm"];

/** @throws TypeError, RangeError */
export function resolveClipping({ clipValue, clipNorm }: Record<string, unknown>, dtype: DType): ResolvedClipping {
  const positive = (value: number) => rounded(value, dtype) > 0 && Number.isFinite(rounded(value, dtype));
  const check = (name: string, value: unknown) =>
    value === undefined ? undefined : numberThat(name, value, `a number > 0 and finite in ${dtype}`, positive);
  return { clipValue: check("clipValue", clipValue), clipNorm: check("clipNorm", clipNorm) };
}
