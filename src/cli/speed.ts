import { type Core, type DType, Network, type NetworkSpec, type Optimizer } from "../index.ts";
import type { Sample } from "./training.ts";

/** What is trained while the clock runs. */
export interface Workload {
  spec: NetworkSpec;
  sample: Sample;
  batch: number | "full";
  optimizer: Optimizer;
  dtype: DType;
}

/** Seconds of one measurement: long against a clock tick and a call of `fitSync`. */
const ROUND_SECONDS = 0.05;
const ROUNDS = 5;

const secondsOf = (work: () => void): number => {
  const started = performance.now();
  work();
  return (performance.now() - started) / 1000;
};

/**
 * Training speed of each core in samples per second: the median of ROUNDS rounds in which the cores take turns on the
 * same rows with the same options, after a warm-up of the same length. What a round counts is `fitSync`, copying and
 * checking of the rows included.
 */
export function trainingSpeeds(cores: readonly Exclude<Core, "auto">[], workload: Workload): number[] {
  const { spec, sample, batch, optimizer, dtype } = workload;
  const networks = cores.map((core) => Network.createSync(spec, { core, dtype }));
  const run = (network: Network, epochs: number) =>
    secondsOf(() => network.fitSync(sample.x, sample.y, { epochs, batchSize: batch, optimizer }));
  const rows = sample.y.length;
  // Two calls before the one that is timed: the first ones run unoptimised code.
  const epochs = networks.map((network) => {
    let count = 1;
    for (let seconds = 0; seconds < ROUND_SECONDS; ) {
      const last = run(network, count);
      seconds += last;
      count = Math.max(1, Math.min(count * 4, Math.round((ROUND_SECONDS / last) * count)));
    }
    return count;
  });
  const speeds: number[][] = networks.map(() => []);
  for (let round = 0; round < ROUNDS; round++) {
    networks.forEach((network, i) => {
      const count = epochs[i] as number;
      speeds[i]?.push((rows * count) / run(network, count));
    });
  }
  for (const network of networks) network.dispose();
  return speeds.map((values) => values.sort((a, b) => a - b)[(ROUNDS - 1) / 2] as number);
}
