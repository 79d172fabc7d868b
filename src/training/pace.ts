// How much work a chunk gets, and how the host gets its event loop back.

/** Longest stretch of work that `fit` aims at, in ms: a fifth of what it promises, for busy machines. */
const ASYNC_TARGET = 10;
/** fitSync blocks anyway; its chunks only bound what a divergence replays. */
const SYNC_TARGET = 200;
/** Before anything is measured: a first call runs in the engine's baseline tier and stays there to its end. */
const FIRST_TARGET = 1;
/** flop/ms that any machine reaches; replaced by measurement where the clock moves. */
const FIRST_RATE = { simd: 2e6, relaxed: 2e6, js: 2e5 } as const;
const GROWTH = 4;
/** ms that a chunk takes at least to be timed. */
const SHORTEST = 0.1;

declare const performance: { now(): number } | undefined;
/** Milliseconds; some edge runtimes let it stand still during a request. */
export const now = (): number => (typeof performance === "object" ? performance.now() : Date.now());

/** Sizes chunks by an estimate of their flops that a clock refines where it moves. */
export class Pace {
  private readonly target: number;
  private readonly first: number;
  private readonly least: number;
  /** Flop/ms as measured, where the clock moves. */
  measured: number | undefined;
  /** Flops of the next chunk. */
  budget: number;

  /** `measured`: what earlier training of the same kind on the same instance came to, whose code is compiled to the end by now. */
  constructor(core: "simd" | "relaxed" | "js", asynchronous: boolean, measured?: number) {
    this.target = asynchronous ? ASYNC_TARGET : SYNC_TARGET;
    this.measured = measured;
    this.first = FIRST_RATE[core];
    this.least = (this.first * FIRST_TARGET) / 16;
    this.budget = measured === undefined ? this.first * FIRST_TARGET : Math.max(this.least, measured * this.target);
  }

  /** Learns from a chunk that did `flops` in `elapsed` ms. */
  learn(flops: number, elapsed: number): void {
    const timed = elapsed > SHORTEST;
    if (timed) this.measured = flops / elapsed;
    // A chunk too short to be timed may be so after a pause of the machine: then the first estimate leads back.
    const rate = timed ? (this.measured as number) : Math.max(this.first, this.measured ?? 0);
    this.budget = Math.max(this.least, Math.min(this.budget * GROWTH, rate * this.target));
  }
}

/** All of what yields for the event loop's sake, at once. */
export function atOnce<T>(work: Generator<undefined, T, void>): T {
  for (;;) {
    const { done, value } = work.next();
    if (done) return value;
  }
}

interface Channel {
  port1: { onmessage: unknown; close(): void };
  port2: { postMessage(message: unknown): void };
}
declare const MessageChannel: { new (): Channel } | undefined;
declare const setImmediate: ((callback: () => void) => unknown) | undefined;
declare function setTimeout(callback: () => void, ms: number): unknown;

/** Lets timers, input and rendering run. `close` frees what it holds. */
export class Pause {
  private channel: Channel | undefined;

  wait(): Promise<void> {
    if (typeof setImmediate === "function") return new Promise((resolve) => setImmediate(resolve));
    if (typeof MessageChannel === "function") {
      this.channel ??= new MessageChannel();
      const { port1, port2 } = this.channel;
      return new Promise((resolve) => {
        port1.onmessage = () => resolve();
        port2.postMessage(undefined);
      });
    }
    return new Promise((resolve) => setTimeout(resolve, 0));
  }

  close(): void {
    this.channel?.port1.close();
    this.channel = undefined;
  }
}
