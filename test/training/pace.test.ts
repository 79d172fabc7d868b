import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Network } from "../../src/index.ts";
import type { Model } from "../../src/model.ts";
import { Driver } from "../../src/training/driver.ts";
import { Pace } from "../../src/training/pace.ts";

describe("Pace", () => {
  it("keeps a finite budget > 0 whatever the clock says", () => {
    const chunk = fc.record({
      share: fc.double({ min: 0, max: 1, noNaN: true }),
      elapsed: fc.oneof(fc.constant(0), fc.double({ min: 0, max: 1e4, noNaN: true })),
    });
    fc.assert(
      fc.property(fc.array(chunk, { maxLength: 200 }), (chunks) => {
        const pace = new Pace("simd", true);
        for (const { share, elapsed } of chunks) {
          // A chunk may end early (an epoch's end): it has done a share of what it was given.
          pace.learn(pace.budget * share, elapsed);
          expect(Number.isFinite(pace.budget)).toBe(true);
          expect(pace.budget).toBeGreaterThan(0);
        }
      }),
      { seed: 1, numRuns: 200 },
    );
  });

  it("does not grow past the first estimate's target while the clock stands still", () => {
    const pace = new Pace("simd", true);
    for (let i = 0; i < 100; i++) pace.learn(pace.budget, 0);
    const after = pace.budget;
    pace.learn(pace.budget, 0);
    expect(pace.budget).toBe(after);
  });

  it("begins with the rate of earlier training of the same kind, else with the first estimate", () => {
    const first = new Pace("simd", true).budget;
    expect(new Pace("simd", true, undefined).budget).toBe(first);
    expect(new Pace("simd", true, 5e7).budget).toBe(5e7 * 10);
  });

  it("finds back from a rate that a sleeping machine has made a thousand times too small", () => {
    const pace = new Pace("simd", true, 5e7);
    pace.learn(pace.budget, 10_000);
    const slept = pace.budget;
    // From here on the machine does 5e7 flop/ms again: the first chunks are too short to be timed.
    for (let i = 0; i < 20; i++) pace.learn(pace.budget, pace.budget / 5e7);
    expect(slept).toBeLessThan(1e6);
    expect(pace.budget).toBeCloseTo(5e8, -6);
  });
});

it("a driver begins with the pace that was kept of the same kind of training, and with the first estimate for any other", () => {
  const model = { core: { kind: "simd" }, pace: { work: "sgd 64 of 4000", rate: 5e7 } } as unknown as Model;
  const budget = (work: string) => (new Driver(model, true, work) as unknown as { pace: Pace }).pace.budget;
  expect(budget("sgd 64 of 4000")).toBe(5e8);
  for (const other of ["sgd 1 of 4000", "adam 64 of 4000", "sgd 64 of 40"]) {
    expect(budget(other)).toBe(new Pace("simd", true).budget);
  }
});

it("a fit of 120 short epochs with validation ends, each chunk far smaller than its budget", async () => {
  const rows = 40;
  const x = {
    data: Float32Array.from({ length: rows * 8 }, (_, i) => ((i * 37) % 101) / 101),
    shape: [rows, 8] as const,
  };
  const y = Int32Array.from({ length: rows }, (_, i) => i % 3);
  const layers = [
    { units: 16, activation: "relu" as const },
    { units: 3, activation: "softmax" as const },
  ];
  const network = await Network.create({ inputs: 8, layers });
  const { epochs } = await network.fit(x, y, { epochs: 120, validation: 0.2 });
  expect(epochs.length).toBe(120);
  expect(epochs.every(({ validation }) => Number.isFinite(validation?.loss))).toBe(true);
});
