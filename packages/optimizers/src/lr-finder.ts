import { fail, mapTree, type Rule, type Tensor, tensorsOf } from "@gradus/core";
import { checkCount, checkPositive } from "./check-options.js";
import { lrCurveSvg } from "./lr-curve-svg.js";

export interface LrFinderOptions {
  /** The first learning rate. Default 1e-7. */
  readonly from?: number;
  /** The last one. Default 10. */
  readonly to?: number;
  /** Updates, each with a rate that is the same factor above the last. Default 100. */
  readonly steps?: number;
  /** How much a neighbour counts in the smoothed loss, in [0, 1): `smoothing^distance`. Default 0.8. */
  readonly smoothing?: number;
  /** It ends when the running mean of the losses is so many times the least one. Default 4. */
  readonly divergence?: number;
}

/** What a range test has seen. */
export interface LrCurve {
  /** The learning rates that were tried, rising. */
  readonly rates: readonly number[];
  /** The loss at each of them, before its update. */
  readonly losses: readonly number[];
  /** Their weighted mean with what comes before and after, so that it does not lag behind. */
  readonly smoothed: readonly number[];
  /** Where the smoothed loss falls fastest: a rate to train with. Undefined if it never fell. */
  readonly suggestion: number | undefined;
  /** Where the smoothed loss is least: higher rates do harm. */
  readonly minimum: number;
  /** Whether it saw all rates, or the loss grew too large or was not finite before. */
  readonly stopped: "finished" | "diverged" | "non-finite";
  /** The curve as a picture, over a logarithmic axis. */
  toSVG(): string;
}

/**
 * The range test for learning rates: trains for some updates with a rate that rises exponentially, and tells at which the
 * loss falls fastest. The parameters that it is given stay as they are.
 *
 * @param make makes the rule, with a schedule as its learning rate: `adamw`, or `({ lr }) => sgd({ lr, momentum: 0.9 })`
 * @param valueAndGrad the loss and its gradient at some parameters, on the batch of a step; it may be compiled. Both results are
 * disposed.
 * @throws `invalid-argument` unless `0 < from < to`, for less than 2 steps, and other numbers out of range; `non-finite` if the
 * very first loss is not finite; what the rule throws.
 *
 * Source: Smith, "Cyclical Learning Rates for Training Neural Networks", 2017; fastai's and PyTorch Lightning's `lr_find`.
 *
 * @example
 * ```ts
 * import { valueAndGrad } from "@gradus/autograd";
 * import { lrFinder, sgd } from "@gradus/optimizers";
 * import { type Tensor, tensor } from "@gradus/tensor";
 * const loss = (x: Tensor) => x.square().sum();
 * const curve = await lrFinder(sgd, tensor([3, -4]), valueAndGrad(loss), { from: 1e-4, to: 10 });
 * console.log(curve.stopped, curve.suggestion! > 0.01 && curve.suggestion! < 1); // → diverged true
 * console.log(curve.toSVG().slice(0, 4)); // → <svg
 * ```
 */
export async function lrFinder<P>(
  make: (options: { readonly lr: (step: number) => number }) => Rule,
  params: P,
  valueAndGrad: (params: P, step: number) => readonly [loss: Tensor, grads: P, ...unknown[]],
  options: LrFinderOptions = {},
): Promise<LrCurve> {
  const { from = 1e-7, to = 10, steps = 100, smoothing = 0.8, divergence = 4 } = options;
  checkPositive("lrFinder", { from, to });
  if (from >= to) fail("invalid-argument", `lrFinder: from must be less than to = ${to}, got ${from}`);
  checkCount("lrFinder", "steps", steps, 2);
  if (!(smoothing >= 0 && smoothing < 1)) {
    fail("invalid-argument", `lrFinder: smoothing must be in [0, 1), got ${smoothing}`);
  }
  if (!(divergence > 1)) {
    fail("invalid-argument", `lrFinder: divergence must be a number above 1, got ${divergence}`);
  }

  const rateAt = (step: number): number => from * (to / from) ** (Math.min(step, steps - 1) / (steps - 1));
  const rule = make({ lr: rateAt });
  const rates: number[] = [];
  const losses: number[] = [];
  let state = rule.init(params);
  const { engine } = tensorsOf(params)[0] as Tensor;
  let at = engine.scope(() => mapTree(params, (p) => p.mul(1)));
  let [mean, least] = [0, Infinity];
  let stopped: LrCurve["stopped"] = "finished";

  for (let step = 0; step < steps; step++) {
    const [loss, grads] = valueAndGrad(at, step);
    const value = (await loss.read())[0] as number;
    if (!Number.isFinite(value)) {
      if (step === 0) fail("non-finite", `lrFinder: the loss is ${value} before the first update`);
      stopped = "non-finite";
      disposeAll([loss, grads]);
      break;
    }
    mean = smoothing * mean + (1 - smoothing) * value;
    const running = mean / (1 - smoothing ** (step + 1));
    rates.push(rateAt(step));
    losses.push(value);
    least = Math.min(least, running);
    const before = [at, state];
    const next = engine.scope(() => {
      const { updates, state: after } = rule.update(grads, state, { params: at, loss });
      return { at: mapTree(at, (p, update) => p.add(update), updates), state: after };
    });
    ({ at, state } = next);
    const kept = new Set(tensorsOf([at, state]));
    disposeAll([loss, grads, ...before], kept);
    if (running > least + (divergence - 1) * Math.abs(least)) {
      stopped = "diverged";
      break;
    }
  }
  disposeAll([at, state]);

  const curve = { rates, losses, smoothed: smooth(losses, smoothing), stopped };
  const { suggestion, minimum } = read(curve.rates, curve.smoothed);
  return { ...curve, suggestion, minimum, toSVG: () => lrCurveSvg({ ...curve, suggestion, minimum }) };
}

function smooth(values: readonly number[], smoothing: number): number[] {
  return values.map((_, i) => {
    const weights = values.map((_, j) => smoothing ** Math.abs(i - j));
    const sum = values.reduce((total, value, j) => total + (weights[j] as number) * value, 0);
    return sum / weights.reduce((a, b) => a + b);
  });
}

/** Where the curve falls fastest, over the logarithm of the rate and up to its least value, and where that is. */
function read(
  rates: readonly number[],
  smoothed: readonly number[],
): Pick<LrCurve, "suggestion" | "minimum"> {
  const bottom = smoothed.indexOf(Math.min(...smoothed));
  // Less than this is rounding.
  let [steepest, slope] = [-1, -1e-9 * Math.max(...smoothed.map(Math.abs))];
  for (let i = 1; i < smoothed.length - 1 && i <= bottom; i++) {
    const here = ((smoothed[i + 1] as number) - (smoothed[i - 1] as number)) / 2;
    if (here < slope) [steepest, slope] = [i, here];
  }
  return { suggestion: rates[steepest], minimum: rates[bottom] as number };
}

function disposeAll(tree: unknown, kept: ReadonlySet<Tensor> = new Set()): void {
  for (const x of tensorsOf(tree)) if (!kept.has(x)) x.dispose();
}
