// A step length that satisfies the strong Wolfe conditions: Nocedal & Wright, Numerical Optimization (2006), algorithms 3.5 and 3.6.
import type { Point, Sliced } from "./objective.ts";

/** Sufficient decrease and curvature; their values for quasi-Newton methods. */
const C1 = 1e-4;
const C2 = 0.9;
const MAX_EVALUATIONS = 25;

/** The loss along a direction: φ(α) and φ′(α). */
export interface Sample {
  readonly alpha: number;
  readonly value: number;
  readonly slope: number;
  readonly point: Point;
}

/**
 * Looks for α > 0 with φ(α) ≤ φ(0) + c₁·α·φ′(0) and |φ′(α)| ≤ c₂·|φ′(0)|, from `first` on; `at` evaluates. Gives the last sample taken
 * where it satisfies both, else the best one that lowers the loss, else undefined.
 */
export function* strongWolfe(
  start: Sample,
  first: number,
  at: (alpha: number) => Sliced<Sample>,
): Sliced<Sample | undefined> {
  const decreases = (s: Sample) => s.value <= start.value + C1 * s.alpha * start.slope;
  const flat = (s: Sample) => Math.abs(s.slope) <= -C2 * start.slope;
  let best: Sample | undefined;
  let left = MAX_EVALUATIONS;
  const sample = function* (alpha: number): Sliced<Sample> {
    left--;
    const s = yield* at(alpha);
    if (decreases(s) && (best === undefined || s.value < best.value)) best = s;
    return s;
  };
  let before = start;
  let alpha = first;
  let low: Sample | undefined;
  let high: Sample | undefined;
  while (low === undefined || high === undefined) {
    const s: Sample = yield* sample(alpha);
    if (!decreases(s) || (before !== start && s.value >= before.value)) [low, high] = [before, s];
    else if (flat(s)) return s;
    else if (s.slope >= 0) [low, high] = [s, before];
    else if (left <= 0) return best;
    else {
      before = s;
      alpha *= 2;
    }
  }
  while (left > 0) {
    const s: Sample = yield* sample(between(low, high));
    if (!decreases(s) || s.value >= low.value) high = s;
    else {
      if (flat(s)) return s;
      if (s.slope * (high.alpha - low.alpha) >= 0) high = low;
      low = s;
    }
    if (Math.abs(high.alpha - low.alpha) <= 1e-12 * Math.max(high.alpha, low.alpha)) break;
  }
  return best;
}

/** The minimum of the cubic through two samples, formula 3.59, kept away from the ends of the interval. */
function between(a: Sample, b: Sample): number {
  const d1 = a.slope + b.slope - (3 * (a.value - b.value)) / (a.alpha - b.alpha);
  const square = d1 * d1 - a.slope * b.slope;
  const d2 = (b.alpha > a.alpha ? 1 : -1) * Math.sqrt(square);
  const cubic = b.alpha - (b.alpha - a.alpha) * ((b.slope + d2 - d1) / (b.slope - a.slope + 2 * d2));
  const [from, to] = a.alpha < b.alpha ? [a.alpha, b.alpha] : [b.alpha, a.alpha];
  const margin = 0.1 * (to - from);
  return cubic >= from + margin && cubic <= to - margin ? cubic : (from + to) / 2;
}
