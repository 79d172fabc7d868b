// The sum of a step's losses: f64, in an order that no batch, block or thread changes.
import { JOB_LOSS_LANES, JOB_LOSS_TOTAL, JOB_STEP_PENALTY } from "./abi";

/** Reductions run in blocks of this many elements over eight interleaved accumulators (DESIGN.md I1). */
const REDUCTION_BLOCK: i32 = 4096;

/** Adds element `index` of the step to the reduction. */
export function addLoss(job: usize, index: i32, loss: f64): void {
  const lane = job + <usize>((index & 7) << 3);
  store<f64>(lane, load<f64>(lane, JOB_LOSS_LANES) + loss, JOB_LOSS_LANES);
  if (((index + 1) & (REDUCTION_BLOCK - 1)) == 0) closeReductionBlock(job);
}

/** The eight accumulators, combined in a fixed tree. */
function lanesOf(job: usize): f64 {
  const l0 = load<f64>(job, JOB_LOSS_LANES), l1 = load<f64>(job, JOB_LOSS_LANES + 8);
  const l2 = load<f64>(job, JOB_LOSS_LANES + 16), l3 = load<f64>(job, JOB_LOSS_LANES + 24);
  const l4 = load<f64>(job, JOB_LOSS_LANES + 32), l5 = load<f64>(job, JOB_LOSS_LANES + 40);
  const l6 = load<f64>(job, JOB_LOSS_LANES + 48), l7 = load<f64>(job, JOB_LOSS_LANES + 56);
  return ((l0 + l1) + (l2 + l3)) + ((l4 + l5) + (l6 + l7));
}

/** Adds the accumulators to the total and clears them. */
function closeReductionBlock(job: usize): void {
  store<f64>(job, load<f64>(job, JOB_LOSS_TOTAL) + lanesOf(job), JOB_LOSS_TOTAL);
  memory.fill(job + JOB_LOSS_LANES, 0, 64);
}

/** The objective of a step whose samples have all been added, before it ends. */
export function lossSoFar(job: usize, samples: i32): f64 {
  return (load<f64>(job, JOB_LOSS_TOTAL) + lanesOf(job)) / <f64>samples + load<f64>(job, JOB_STEP_PENALTY);
}

/** The mean loss of a step whose `samples` have all been added; the reduction starts anew. */
export function finishLoss(job: usize, samples: i32): f64 {
  if ((samples & (REDUCTION_BLOCK - 1)) != 0) closeReductionBlock(job);
  const mean = load<f64>(job, JOB_LOSS_TOTAL) / <f64>samples;
  store<f64>(job, 0, JOB_LOSS_TOTAL);
  return mean;
}
