// Times a piece of work beside the peak kernel: short tinybench rounds of both in turn, so that what a shared machine does
// to one it does to the other. The share of a round is taken inside it; medians and quartiles are over the rounds.
import { Bench } from "tinybench";

const sorted = (values) => Float64Array.from(values).sort();
const quantile = (values, q) => values[Math.min(values.length - 1, Math.floor(q * values.length))];

/** Calls that take at least `ms` together: a timer's tick and its cost stay small beside them. */
function repeats(run, ms) {
  for (let n = 1; ; n *= 2) {
    const start = performance.now();
    for (let i = 0; i < n; i++) run();
    const elapsed = performance.now() - start;
    if (elapsed >= ms) return n;
  }
}

/**
 * ms per call of `run` (median, spread = half the distance of the quartiles over the median) and, with `flops` per call,
 * its share of the peak kernel.
 */
export async function measure(run, { peak, flops, rounds = 15, time = 12, warmup = 60 }) {
  const start = performance.now();
  while (performance.now() - start < warmup) {
    run();
    peak.run();
  }
  const n = repeats(run, 0.5);
  const times = [];
  const shares = [];
  for (let round = 0; round < rounds; round++) {
    const bench = new Bench({ time, iterations: 1, warmup: false });
    bench.add("peak", () => void peak.run());
    bench.add("row", () => {
      for (let i = 0; i < n; i++) run();
    });
    await bench.run();
    const [limit, row] = bench.tasks.map((task) => task.result.latency.p50);
    times.push(row / n);
    if (flops !== undefined) shares.push(flops / (row / n) / (peak.flops / limit));
  }
  const ms = sorted(times);
  const median = quantile(ms, 0.5);
  const spread = (quantile(ms, 0.75) - quantile(ms, 0.25)) / 2 / median;
  return { median, spread, share: flops === undefined ? undefined : quantile(sorted(shares), 0.5) };
}
