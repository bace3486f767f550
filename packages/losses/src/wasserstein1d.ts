import { fail, formatShape, sameShape, type Tensor } from "@gradus/core";
import { checkPower, checkTensors } from "./check-arguments.js";
import { type LossOptions, reduceLoss } from "./reduce.js";

export interface Wasserstein1dOptions extends LossOptions {
  /** 1 (the default), or 2 for the square of the 2-Wasserstein distance, which needs as many samples on both sides. */
  readonly p?: 1 | 2;
}

/**
 * The Wasserstein distance of two distributions of numbers, each given by samples of it: how far, on average, what is
 * predicted must be moved to become what is wanted. Averaged over the distributions.
 *
 * Predictions are f32 or f64, `[..., n]`, targets `[..., m]`: the last axis holds the samples of one distribution, in
 * any order. Of as many samples on both sides it is the mean of `|sorted(predictions) - sorted(targets)|^p`; else the
 * integral of the distance of the distribution functions. The unreduced losses are `[...]`. For probabilities of
 * ordered bins there is `earthMover`.
 *
 * @throws `shape-mismatch`, `dtype-mismatch`, or `invalid-argument` for a `p` other than 1 and 2 (or 2 for different
 * numbers of samples), an unknown reduction or a negative `sampleWeight`.
 *
 * Source: `scipy.stats.wasserstein_distance`; Kolouri et al., "Sliced Wasserstein Auto-Encoders", 2019. PyTorch has
 * none.
 *
 * @example
 * ```ts
 * import { wasserstein1d } from "@gradus/losses";
 * import { tensor } from "@gradus/tensor";
 * wasserstein1d(tensor([0, 1, 3]), tensor([5, 6, 8])).item(); // → 5
 * wasserstein1d(tensor([0, 1]), tensor([0, 1, 2, 1])).item(); // → 0.5
 * ```
 */
export function wasserstein1d(
  predictions: Tensor,
  targets: Tensor,
  options: Wasserstein1dOptions = {},
): Tensor {
  const { p = 1 } = options;
  checkTensors("wasserstein1d", "predictions", predictions, targets);
  checkPower("wasserstein1d", p);
  const [a, b] = [predictions.shape, targets.shape];
  const [n, m] = [a.at(-1) ?? 0, b.at(-1) ?? 0];
  if (n === 0 || m === 0 || !sameShape(a.slice(0, -1), b.slice(0, -1))) {
    fail(
      "shape-mismatch",
      `wasserstein1d: predictions ${formatShape(a)} and targets ${formatShape(b)} must be samples, [..., n] and ` +
        "[..., m], of as many distributions, and at least one of each",
    );
  }
  const t = targets.cast(predictions.dtype);
  if (n === m) {
    const moved = predictions.sort().values.sub(t.sort().values);
    const losses = p === 1 ? moved.abs() : moved.square();
    return reduceLoss("wasserstein1d", losses.mean(-1), options);
  }
  if (p === 2) {
    fail(
      "invalid-argument",
      `wasserstein1d: p = 2 needs as many predictions as targets, got ${n} and ${m}. Use p = 1`,
    );
  }
  return reduceLoss("wasserstein1d", areaBetween(predictions, t), options);
}

/** The area between the distribution functions of two sets of samples. */
function areaBetween(predictions: Tensor, targets: Tensor): Tensor {
  const { engine, device, dtype } = predictions;
  const axis = predictions.ndim - 1;
  const [n, m] = [predictions.shape[axis] as number, targets.shape[axis] as number];
  const { values, indices } = engine.concat([predictions, targets], axis).sort();
  const gaps = part(values, [1, n + m]).sub(part(values, [0, n + m - 1]));
  // Counted in whole numbers, n m at the end, so that where both functions agree the distance is exactly 0.
  const steps = indices.lt(n).where(engine.full([], m, { dtype: "i32", device }), -n);
  const difference = part(steps.cumsum(axis), [0, n + m - 1]).abs();
  return difference
    .cast(dtype)
    .mul(gaps)
    .sum(axis)
    .div(n * m);
}

/** A range of the last axis. */
function part(x: Tensor, range: readonly [number, number]): Tensor {
  return x.slice(...x.shape.slice(0, -1).map(() => null), range);
}
