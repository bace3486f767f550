import type { Callback, TrainContext } from "./callback.js";
import type { Scores } from "./scores.js";

/** Where progress is shown: `process.stderr`, or what a test passes. */
export interface ProgressStream {
  write(text: string): unknown;
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
}

export interface ProgressOptions {
  /** Default `process.stderr`. */
  readonly stream?: ProgressStream;
}

/** Milliseconds from one drawing of the bar to the next. */
const REDRAW = 50;
/** Plain lines of a whole training, about: longer ones show every second epoch, every third, and so on. */
const LINES = 100;
/** Characters of the bar. */
const BAR = 24;
const SHORTEST_BAR = 8;

/**
 * Shows how far the training is. On a terminal it is one line, drawn over and over: epoch, bar, time left, the means of
 * the epoch so far, and the last validation. Elsewhere it is one plain line an epoch, or less. `fit` adds it by itself.
 *
 * @example
 * ```ts
 * import { progress } from "@gradus/train";
 * const callback = progress({ stream: { write: (text) => text.length } });
 * callback.name; // → progress
 * ```
 */
export function progress(options: ProgressOptions = {}): Callback {
  const { process } = globalThis as { process?: { stderr?: ProgressStream } };
  const stream = options.stream ?? process?.stderr;
  if (stream === undefined) return { name: "progress" };
  return stream.isTTY === true ? bar(stream) : lines(stream);
}

function lines(stream: ProgressStream): Callback {
  return {
    name: "progress",
    onEpochEnd({ run, epochs }) {
      const every = Math.ceil(epochs / LINES);
      if (run.epoch % every !== 0 && run.epoch !== epochs) return;
      stream.write(`epoch ${run.epoch}/${epochs}  ${scoreTexts(run.history.at(-1)).join("  ")}\n`);
    },
    onTrainEnd({ run, epochs }) {
      if (run.stopped !== "finished")
        stream.write(`${stoppedText(run.stopped)} after ${run.epoch} of ${epochs} epochs\n`);
    },
  };
}

function bar(stream: ProgressStream): Callback {
  let begin = 0;
  let firstStep = 0;
  let drawn = Number.NEGATIVE_INFINITY;

  /** Draws over the line. What does not fit in is left out: one as wide as the terminal would wrap. */
  const draw = (head: readonly string[], scores: readonly string[], share?: number): void => {
    const width = (stream.columns ?? 80) - 1;
    const line = head.join("  ");
    let space = width - line.length - (share === undefined ? 0 : SHORTEST_BAR + 2);
    const shown = scores.filter((score) => {
      space -= score.length + 2;
      return space >= 0;
    });
    const rest = shown.map((score) => `  ${score}`).join("");
    const barWidth = Math.min(BAR, width - line.length - rest.length - 2);
    const drawing = share === undefined || barWidth < SHORTEST_BAR ? "" : `  ${barOf(share, barWidth)}`;
    stream.write(`\r\x1b[2K${(line + drawing + rest).slice(0, width)}`);
  };
  const show = (context: TrainContext): void => {
    const { run, epoch, epochs, step, steps, scores } = context;
    const now = performance.now();
    if (now - drawn < REDRAW) return;
    drawn = now;
    const done = run.step - firstStep;
    const left = Math.max(0, (epochs - epoch) * steps + steps - step);
    const share = run.step / Math.max(1, run.step + left);
    const remaining = done > 0 ? [`${duration((((now - begin) / done) * left) / 1000)} left`] : [];
    const percent = `${String(Math.floor(share * 100)).padStart(3)} %`;
    const validation = run.history.at(-1)?.validation;
    const texts = scoreTexts({
      ...(!Number.isNaN(scores.loss) && { train: scores }),
      ...(validation !== undefined && { validation }),
    });
    draw([`epoch ${epoch}/${epochs}`, percent, ...remaining], texts, share);
  };

  return {
    name: "progress",
    onTrainBegin({ run }) {
      begin = performance.now();
      firstStep = run.step;
    },
    onPause: show,
    onEpochEnd: show,
    onTrainEnd({ run, epochs }) {
      const time = duration((performance.now() - begin) / 1000);
      const how = run.stopped === "finished" ? [] : [stoppedText(run.stopped)];
      draw([`epoch ${run.epoch}/${epochs}`, ...how, time], scoreTexts(run.history.at(-1)));
      stream.write("\n");
    },
  };
}

function stoppedText(stopped: string | undefined): string {
  return stopped === undefined ? "failed" : stopped === "aborted" ? "aborted" : "stopped early";
}

function scoreTexts(log: { readonly train?: Scores; readonly validation?: Scores } = {}): string[] {
  return [
    ...Object.entries(log.train ?? {}).map(([name, value]) => `${name} ${formatScore(value)}`),
    ...Object.entries(log.validation ?? {}).map(
      ([name, value]) => `validation ${name} ${formatScore(value)}`,
    ),
  ];
}

/** Four digits that count: 0.0321, 12.35, 1.20e-7. */
function formatScore(value: number): string {
  const size = Math.abs(value);
  if (value === 0 || !Number.isFinite(value)) return String(value);
  if (size < 1e-3 || size >= 1e5) return value.toExponential(2);
  return value.toFixed(size < 10 ? 4 : size < 100 ? 3 : 2);
}

function barOf(share: number, width: number): string {
  const full = Math.floor(share * width);
  return "━".repeat(full) + "─".repeat(width - full);
}

/** 4.2 s, 3 min 05 s, 2 h 10 min. */
function duration(seconds: number): string {
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  const two = (n: number): string => String(n).padStart(2, "0");
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${two(whole % 60)} s`;
  return `${Math.floor(whole / 3600)} h ${two(Math.floor((whole % 3600) / 60))} min`;
}
