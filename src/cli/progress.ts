import type { EpochReport } from "../options/results.ts";
import { clock, grouped, percent, significant } from "./format.ts";
import { isLive, type Terminal, widthOf } from "./terminal.ts";

/** What a line shows of an epoch. */
export type Progress = Pick<EpochReport, "epoch" | "loss" | "validation" | "samplesPerSecond">;

/** Lines printed in all where they cannot be rewritten, the first and the last epoch among them. */
const PLAIN_LINES = 10;
const REDRAW_MS = 50;
const ERASE_LINE = "\r\u001b[2K";

/**
 * The line about the running epoch: rewritten in place on a terminal, else one line for every tenth of the epochs.
 * `now` gives milliseconds.
 */
export class ProgressLine {
  private readonly live: boolean;
  private readonly started: number;
  private drawn = Number.NEGATIVE_INFINITY;
  private pending = "";

  constructor(
    private readonly terminal: Terminal,
    private readonly epochs: number,
    private readonly now: () => number = () => performance.now(),
  ) {
    this.live = isLive(terminal);
    this.started = this.now();
  }

  show(progress: Progress): void {
    const { epoch } = progress;
    const time = this.now();
    const left = ((time - this.started) / 1000 / epoch) * (this.epochs - epoch);
    const text = this.textOf(progress, left);
    if (!this.live) {
      const every = Math.ceil(this.epochs / PLAIN_LINES);
      if (epoch === 1 || epoch === this.epochs || epoch % every === 0) this.terminal.stdout.write(`${text}\n`);
      return;
    }
    this.pending = text.slice(0, widthOf(this.terminal) - 1);
    if (time - this.drawn < REDRAW_MS && epoch < this.epochs) return;
    this.draw(time);
  }

  /** Leaves the last line as it stands and goes to the next one. */
  end(): void {
    if (!this.live || this.pending === "") return;
    this.draw(this.now());
    this.terminal.stdout.write("\n");
    this.pending = "";
  }

  private draw(time: number): void {
    this.drawn = time;
    this.terminal.stdout.write(`${ERASE_LINE}${this.pending}`);
  }

  private textOf(progress: Progress, left: number): string {
    const { epoch, loss, validation, samplesPerSecond } = progress;
    const count = String(epoch).padStart(String(this.epochs).length);
    const { accuracy, loss: held = Number.NaN } = validation ?? {};
    const measure = accuracy === undefined ? significant(held) : percent(accuracy);
    const shown = validation === undefined ? "" : `validation ${measure.padStart(7)}  `;
    return (
      `epoch ${count}/${this.epochs}  ${clock(left)} left  loss ${significant(loss)}  ` +
      `${shown}${grouped(samplesPerSecond)} samples/s`
    );
  }
}
