// Times a piece of work beside the peak kernel: short tinybench rounds, the row between two turns of the kernel. The share of
// a round is taken inside it; medians and quartiles are over the rounds. On a shared machine another tenant may run on the
// second thread of the same core. Then arithmetic on registers keeps four fifths of its speed and everything else half (measured):
// a round in which the kernel falls behind its best is not counted but repeated, up to three times as many rounds.
import { Bench } from "tinybench";
import { clearUpperHalves } from "./cores.mjs";

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

/** Of its best in this process, what the peak kernel reaches where nobody disturbs it. */
const QUIET = 0.95;
const leastTime = new WeakMap();

/**
 * ms per call of `run` (median, spread = half the distance of the quartiles over the median) and, with `flops` per call,
 * its share of the peak kernel; `quiet`: whether at least three rounds were undisturbed, and so counted alone.
 */
export async function measure(run, { peak, flops, rounds = 15, time = 12, warmup = 60 }) {
  const start = performance.now();
  while (performance.now() - start < warmup) {
    run();
    peak.run();
  }
  clearUpperHalves();
  const n = repeats(run, 0.5);
  const all = [];
  const least = () => leastTime.get(peak.run) ?? Number.POSITIVE_INFINITY;
  const undisturbed = () => all.filter(({ slower }) => slower * QUIET <= least());
  for (let round = 0; round < 3 * rounds && undisturbed().length < rounds; round++) {
    clearUpperHalves();
    const bench = new Bench({ time, iterations: 1, warmup: false });
    bench.add("peak", () => void peak.run());
    bench.add("row", () => {
      for (let i = 0; i < n; i++) run();
    });
    bench.add("peak again", () => void peak.run());
    await bench.run();
    const [before, row, after] = bench.tasks.map((task) => task.result.latency.p50);
    leastTime.set(peak.run, Math.min(least(), before, after));
    const share = flops === undefined ? undefined : flops / (row / n) / (peak.flops / ((before + after) / 2));
    all.push({ ms: row / n, share, slower: Math.max(before, after) });
  }
  const quiet = undisturbed().length >= 3;
  const counted = quiet ? undisturbed() : all;
  const ms = sorted(counted.map((round) => round.ms));
  const median = quantile(ms, 0.5);
  const spread = (quantile(ms, 0.75) - quantile(ms, 0.25)) / 2 / median;
  const share = flops === undefined ? undefined : quantile(sorted(counted.map((round) => round.share)), 0.5);
  return { median, spread, share, quiet };
}
