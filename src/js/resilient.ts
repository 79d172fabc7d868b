// Full-batch updates that look at how each gradient has changed since the last step: Rprop in its four forms, Quickprop.
import {
  JOB_BATCH,
  JOB_DECREASE,
  JOB_INCREASE,
  JOB_LEARNING_RATE,
  JOB_MAX_STEP,
  JOB_MIN_STEP,
  JOB_PREVIOUS_LOSS,
  JOB_ROSE,
} from "../core/abi.ts";
import type { Heap } from "./heap.ts";
import { lossSoFar } from "./loss.ts";
import type { Run } from "./optimizer.ts";

/** irpropPlus: whether the loss of the step at hand is larger than that of the step before. */
export function compareLoss(heap: Heap, job: number): void {
  const loss = lossSoFar(heap, job, heap.int(job, JOB_BATCH));
  heap.setInt(job, JOB_ROSE, loss > heap.double(job, JOB_PREVIOUS_LOSS) ? 1 : 0);
  heap.setDouble(job, JOB_PREVIOUS_LOSS, loss);
}

/**
 * Steps Δ that grow by η⁺ while the gradient keeps its sign and shrink by η⁻ where it changes, in [Δmin, Δmax], from the rate:
 * w ← w − sign(g)·Δ. Where the sign changes, by `kind`:
 * 0  Rprop−, iRprop− (Igel & Hüsken 2000): no move, as torch.optim.Rprop;
 * 1  Rprop+ (Riedmiller & Braun 1993): the last move is taken back;
 * 2  iRprop+ (Igel & Hüsken 2000): it is taken back where the loss rose.
 *
 * state: last gradient (0 after a change of sign), Δ (0 before the first step), and for 1 and 2 the last move.
 */
export function rprop(heap: Heap, job: number, { w, g, state, slot, count }: Run, kind: 0 | 1 | 2): void {
  const { real, lanes } = heap;
  const { round, flush } = lanes;
  const [first, grow, shrink, least, most] = [
    JOB_LEARNING_RATE,
    JOB_INCREASE,
    JOB_DECREASE,
    JOB_MIN_STEP,
    JOB_MAX_STEP,
  ].map((field) => round(heap.double(job, field))) as [number, number, number, number, number];
  const takesBack = kind === 1 || (kind === 2 && heap.int(job, JOB_ROSE) !== 0);
  for (let i = 0; i < count; i++) {
    const at = state + i;
    const gradient = real[g + i] as number;
    const last = real[at] as number;
    const same = (gradient > 0 && last > 0) || (gradient < 0 && last < 0);
    const turned = (gradient > 0 && last < 0) || (gradient < 0 && last > 0);
    const before = real[at + slot] as number;
    const factor = same ? grow : turned ? shrink : 1;
    const grown = round((before === 0 ? first : before) * factor);
    const bounded = least < grown ? grown : least;
    const step = bounded < most ? bounded : most;
    const move = turned ? 0 : (gradient < 0 ? step : 0) - (gradient > 0 ? step : 0);
    let change = move;
    if (kind !== 0) {
      if (takesBack) change = round(move - (turned ? (real[at + 2 * slot] as number) : 0));
      real[at + 2 * slot] = move;
    }
    real[w + i] = round((real[w + i] as number) + change);
    real[at] = turned ? 0 : flush(gradient);
    real[at + slot] = step;
  }
}

/**
 * Quickprop (Fahlman 1988): to the minimum of a parabola through the last two slopes, d·S/(S⁻ − S) from the last step d; μ·d where
 * that would be farther, as the slope has shrunk too little: S ≤ μ/(1 + μ)·S⁻ along d. Besides −η·S where that points the same way
 * as d, and alone where d = 0. A step goes against its slope, so S⁻ = S never divides.
 *
 * state: last slope, last step.
 */
export function quickprop(heap: Heap, job: number, { w, g, state, slot, count }: Run): void {
  const { real, lanes } = heap;
  const { round, flush } = lanes;
  const largest = heap.double(job, JOB_INCREASE);
  const eta = round(heap.double(job, JOB_LEARNING_RATE));
  const mu = round(largest);
  const shrink = round(largest / (1 + largest));
  for (let i = 0; i < count; i++) {
    const at = state + i;
    const slope = real[g + i] as number;
    const last = real[at] as number;
    const d = real[at + slot] as number;
    let jump = 0;
    if (d > 0 || d < 0) {
      const edge = round(shrink * last);
      const far = d > 0 ? slope <= edge : slope >= edge;
      jump = far ? round(mu * d) : round(round(d * slope) / round(last - slope));
    }
    const against = d > 0 ? slope >= 0 : d < 0 && slope <= 0;
    const step = flush(round(jump - (against ? 0 : round(eta * slope))));
    real[w + i] = round((real[w + i] as number) + step);
    real[at] = flush(slope);
    real[at + slot] = step;
  }
}
