import { fail, formatShape, sameShape, type Tensor } from "@gradus/core";
import { checkAlike, checkPower } from "./check-arguments.js";
import { checkProbabilities, checkTargetProbabilities } from "./check-values.js";
import { type LossOptions, reduceLoss } from "./reduce.js";

export interface EarthMoverOptions extends LossOptions {
  /** 1 (the default): the Wasserstein distance; 2: the differences are squared, which is smooth. */
  readonly p?: 1 | 2;
  /** Where the bins are, `[K]`, ascending; 0, 1, 2, ... by default. */
  readonly positions?: Tensor;
}

/**
 * The Wasserstein distance of two distributions over ordered bins: the sum over the bins of the distances
 * `|cumsum(probabilities) - cumsum(targets)|^p`, times the distance to the next bin, averaged. Unlike the
 * cross-entropy it knows that a bin nearby is less wrong than one far away.
 *
 * Probabilities (f32 or f64, those of a softmax) and targets have the same shape, `[..., K]`. The unreduced losses lack
 * the last axis. Class indices become targets by `classes.oneHot(K).cast("f32")`.
 *
 * @throws `shape-mismatch`, `dtype-mismatch`, or `invalid-argument` for a `p` other than 1 and 2, an unknown reduction,
 * and (see `validate`) probabilities or targets outside of [0, 1] or negative weights.
 *
 * Source: Hou, Yu and Samaras, "Squared Earth Mover's Distance-based Loss for Training Deep Neural Networks", 2016;
 * `scipy.stats.wasserstein_distance` of positions and weights. PyTorch has none.
 *
 * @example
 * ```ts
 * import { earthMover } from "@gradus/losses";
 * import { tensor } from "@gradus/tensor";
 * const wanted = tensor([[0, 0, 1]]);
 * earthMover(tensor([[0, 1, 0]]), wanted).item(); // → 1
 * earthMover(tensor([[1, 0, 0]]), wanted).item(); // → 2
 * ```
 */
export function earthMover(probabilities: Tensor, targets: Tensor, options: EarthMoverOptions = {}): Tensor {
  const { p = 1, positions, validate } = options;
  checkAlike("earthMover", "probabilities", probabilities, targets);
  checkPower("earthMover", p);
  const bins = probabilities.shape.at(-1) ?? 0;
  if (bins === 0) {
    const shape = formatShape(probabilities.shape);
    fail(
      "shape-mismatch",
      `earthMover: probabilities must be [..., K] with bins on the last axis, got ${shape}`,
    );
  }
  const mend = "Make logits probabilities: logits.softmax(-1)";
  checkProbabilities("earthMover", "probabilities", probabilities, probabilities, validate, mend);
  checkTargetProbabilities("earthMover", "probabilities", targets, probabilities, validate);
  const axis = probabilities.ndim - 1;
  const difference = probabilities.sub(targets.cast(probabilities.dtype)).cumsum(axis);
  const before = probabilities.shape.slice(0, -1).map(() => null);
  const moved = difference.slice(...before, [0, bins - 1]);
  let costs = p === 1 ? moved.abs() : moved.square();
  if (positions !== undefined) {
    if (!sameShape(positions.shape, [bins])) {
      const got = formatShape(positions.shape);
      fail("shape-mismatch", `earthMover: positions ${got} must have one number for each of ${bins} bins`);
    }
    const at = positions.cast(probabilities.dtype);
    costs = costs.mul(at.slice([1, bins]).sub(at.slice([0, bins - 1])));
  }
  return reduceLoss("earthMover", costs.sum(axis), options);
}
