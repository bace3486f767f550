import { fail, type Optimizer, type Tensor } from "@gradus/core";
import { checkCount, checkNonNegative } from "./check-options.js";
import { dampedStep, type Product } from "./problem/damped-model.js";
import { iterative, type StoppingOptions } from "./problem/iterative.js";
import type { Problem } from "./problem/problem.js";

export interface NaturalGradientOptions extends StoppingOptions {
  /**
   * The metric. `"true"`: the Fisher matrix, or the generalized Gauss-Newton matrix, by the objective's `fisherVp`.
   * `"empirical"`: the mean of `g g^T` over the gradients of the examples, by its `perExample`. Default `"true"`.
   */
  readonly fisher?: "true" | "empirical";
  /** Added to the metric's diagonal at first; later steps adapt it. Default 0.01. */
  readonly damping?: number;
  /** Products with the metric that a step's conjugate gradients may use. Default 50. */
  readonly maxProducts?: number;
  /** Conjugate gradients end when the residual is smaller than the gradient by this factor. Default 0.1. */
  readonly tolerance?: number;
}

/**
 * Natural gradient descent: the steepest descent where distance is how much the model's predictions change,
 * `x = x - (F + damping I)^-1 g` with the Fisher matrix F. The system is solved by conjugate gradients on products with F
 * (by Cholesky's factorization for at most 64 parameters).
 *
 * A step is taken only if the loss falls; the damping follows how well the quadratic model foretold it, as in Levenberg and
 * Marquardt's method. With the true Fisher matrix of `crossEntropy` or `mse` this is Hessian-free optimization.
 *
 * - **When**: models with a probabilistic loss, on full or large batches. The true Fisher matrix is the better metric; the
 *   empirical one needs gradients per example and no second derivatives.
 * - **Memory**: seven vectors of the parameters' size; `"empirical"`: the gradients of all examples of the batch.
 * - **Evaluations**: 1 to 2 of value and gradient and up to `maxProducts` products an iteration, each about three gradients.
 *
 * Ends with `converged`, `line-search-failed` (no damping gave a better point), `max-iterations` or `non-finite`.
 *
 * @throws `invalid-argument` for options out of range, an empty parameter tree, or an objective without `fisherVp` or
 * `perExample`; `step` throws `tree-mismatch` or `shape-mismatch` for a state of something else.
 *
 * Source: Amari, "Natural Gradient Works Efficiently in Learning", 1998; Martens, "Deep learning via Hessian-free
 * optimization", 2010.
 *
 * @example
 * ```ts
 * import { modelObjective } from "@gradus/autograd";
 * import { mse } from "@gradus/losses";
 * import { linear } from "@gradus/nn";
 * import { naturalGradient } from "@gradus/optimizers";
 * import { key, tensor } from "@gradus/tensor";
 * const model = linear(2, 1);
 * const { params, state } = model.init(key(0));
 * const batch = { x: tensor([[0, 1], [1, 0], [1, 1]]), y: tensor([[1], [2], [3]]) };
 * const f = modelObjective({
 *   outputs: (p: typeof params, { x }: typeof batch, tap) => model.apply(p, state, x, { train: true, tap })[0],
 *   loss: (prediction, { y }) => mse(prediction, y),
 * });
 * const optimizer = naturalGradient({ damping: 1e-6 });
 * const step = await optimizer.step(f, params, optimizer.init(params), batch);
 * console.log(step.loss < 1e-6, step.params.weight.round().toArray()); // → true [ [ 2, 1 ] ]
 * ```
 */
export function naturalGradient(options: NaturalGradientOptions = {}): Optimizer {
  const { fisher = "true", damping = 0.01, maxProducts = 50, tolerance = 0.1 } = options;
  const name = "naturalGradient";
  checkNonNegative(name, { damping, tolerance });
  checkCount(name, "maxProducts", maxProducts);
  if (fisher !== "true" && fisher !== "empirical") {
    fail("invalid-argument", `${name}: fisher must be "true" or "empirical", got ${JSON.stringify(fisher)}`);
  }
  return iterative({
    name,
    stopping: options,
    keeps: { scalars: { damping }, tensors: {} },
    *iterate(problem, point, { scalars, tensors }) {
      const product =
        fisher === "true"
          ? (v: Tensor) => problem.fisherTimes(point.x, v)
          : empiricalFisher(problem, point.x);
      const next = yield* dampedStep(problem, point, product, {
        damping: scalars.damping,
        maxProducts,
        tolerance,
      });
      return {
        point: next.point,
        memory: { scalars: { damping: next.damping }, tensors },
        reason: next.reason,
      };
    },
  });
}

/** Products with the mean of `g g^T` over the gradients of the examples. */
function empiricalFisher<P, Batch, Aux>(problem: Problem<P, Batch, Aux>, x: Tensor): Product {
  const { layout, objective, batch } = problem;
  const gradients = layout.engine.scope(() => {
    if (objective.perExample === undefined) {
      return fail(
        "invalid-argument",
        "naturalGradient: the objective has no perExample, which the empirical Fisher matrix needs. modelObjective() of @gradus/autograd makes one that has",
      );
    }
    return layout.flattenRows(objective.perExample(layout.unflatten(x), batch));
  });
  const examples = gradients.shape[0] as number;
  return (v) => {
    problem.countProduct();
    return layout.engine.scope(() => gradients.transpose().matmul(gradients.matmul(v)).div(examples));
  };
}
