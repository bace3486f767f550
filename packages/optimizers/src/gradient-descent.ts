import type { Optimizer } from "@gradus/core";
import { checkNonNegative } from "./check-options.js";
import { iterative, type StoppingOptions } from "./problem/iterative.js";
import { inner } from "./problem/problem.js";
import { readAll } from "./problem/reading.js";
import { checkLineSearch, type LineSearch, searchLine } from "./problem/search-line.js";

export interface GradientDescentOptions extends StoppingOptions {
  /** How the step length is found. Default `"backtracking"`. */
  readonly lineSearch?: LineSearch;
  /** The first step tried, in multiples of the gradient. Default min(1, 1 / |g|_1). */
  readonly initialStep?: number;
}

/**
 * Steepest descent with a line search: `x = x - t g`, with t found anew in each iteration.
 *
 * The first step tried is the one that a parabola through the last decrease suggests.
 *
 * - **When**: as a yardstick, or far from a minimum of something cheap. In a ravine it zigzags; `conjugateGradient` and
 *   `lbfgs` cost as much per iteration and need far fewer.
 * - **Memory**: the gradient, and as much again during a step.
 * - **Evaluations**: 1 to 3 of value and gradient an iteration.
 *
 * Ends with `converged`, `line-search-failed`, `max-iterations` or `non-finite`.
 *
 * @throws `invalid-argument` for options out of range and an empty parameter tree; `step` throws `tree-mismatch` or
 * `shape-mismatch` for a state of something else.
 *
 * Source: Nocedal and Wright, "Numerical Optimization", chapter 3.
 *
 * @example
 * ```ts
 * import { objective } from "@gradus/autograd";
 * import { gradientDescent } from "@gradus/optimizers";
 * import { type Tensor, tensor } from "@gradus/tensor";
 * const f = objective((x: Tensor) => x.sub(3).square().sum());
 * const descent = gradientDescent();
 * let params = tensor([0, 10]);
 * let state = descent.init(params);
 * for (;;) {
 *   const step = await descent.step(f, params, state, undefined);
 *   ({ params, state } = step);
 *   if (step.reason !== undefined) break;
 * }
 * console.log(params); // → Tensor f32[2] [3, 3]
 * ```
 */
export function gradientDescent(options: GradientDescentOptions = {}): Optimizer {
  const { lineSearch = "backtracking", initialStep } = options;
  checkLineSearch("gradientDescent", lineSearch);
  if (initialStep !== undefined) checkNonNegative("gradientDescent", { initialStep });
  return iterative({
    name: "gradientDescent",
    stopping: options,
    keeps: { scalars: { decrease: 0 }, tensors: {} },
    *iterate(problem, point, { scalars }) {
      const { engine } = problem.layout;
      const g = point.gradient;
      const [square, absolute] = yield* readAll(engine.scope(() => [inner(g, g), g.abs().sum()] as const));
      const vector = g.neg();
      const last = scalars.decrease;
      const first = last > 0 ? (2 * last) / square : (initialStep ?? Math.min(1, 1 / absolute));
      const direction = { vector, slope: -square, length: point.steepness };
      const searched = yield* searchLine(problem, point, direction, first, lineSearch);
      const memory = { scalars: { decrease: point.value - searched.point.value }, tensors: {} };
      return { point: searched.point, memory, reason: searched.reason };
    },
  });
}
