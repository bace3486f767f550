import type { Optimizer, Tensor } from "@gradus/core";
import { iterative, type StoppingOptions } from "./problem/iterative.js";
import { inner, type Point, type Problem } from "./problem/problem.js";
import { type Reading, readAll } from "./problem/reading.js";
import { searchLine } from "./problem/search-line.js";

/**
 * Truncated Newton: the Newton system `H d = -g` is solved by conjugate gradients on Hessian-vector products, only as
 * exactly as the gradient is small, and ended where curvature is not positive; then a strong Wolfe line search along d.
 *
 * - **When**: many parameters and a smooth function, where `lbfgs` needs too many iterations. Near saddles, `trustRegion`
 *   with `"steihaug"` follows negative curvature and this does not.
 * - **Memory**: five vectors of the parameters' size.
 * - **Evaluations**: 1 to 2 of value and gradient and some products an iteration; each product costs about two gradients.
 *
 * Ends with `converged`, `line-search-failed`, `max-iterations` or `non-finite`.
 *
 * @throws `invalid-argument` for options out of range, an empty parameter tree, or an objective without `hvp`; `step` throws
 * `tree-mismatch` or `shape-mismatch` for a state of something else.
 *
 * Source: SciPy's `minimize(method="Newton-CG")`; Nocedal and Wright, "Numerical Optimization", algorithm 7.1.
 *
 * @example
 * ```ts
 * import { objective } from "@gradus/autograd";
 * import { newtonCG } from "@gradus/optimizers";
 * import { type Tensor, tensor } from "@gradus/tensor";
 * const f = objective((x: Tensor) => x.sub(3).square().mul(tensor([1, 100])).sum());
 * const optimizer = newtonCG();
 * let params = tensor([0, 10]);
 * let state = optimizer.init(params);
 * let reason: string | undefined;
 * while (reason === undefined) ({ params, state, reason } = await optimizer.step(f, params, state, undefined));
 * console.log(reason, params.sub(3).abs().max().item() < 1e-4); // → converged true
 * ```
 */
export function newtonCG(options: StoppingOptions = {}): Optimizer {
  return iterative({
    name: "newtonCG",
    stopping: options,
    keeps: { scalars: {}, tensors: {} },
    *iterate(problem, point, memory) {
      const vector = yield* solveNewton(problem, point);
      const [slope, length] = yield* readAll(
        problem.layout.engine.scope(() => [inner(vector, point.gradient), vector.abs().max()] as const),
      );
      if (!Number.isFinite(slope)) return { point, memory, reason: "non-finite" };
      const searched = yield* searchLine(problem, point, { vector, slope, length }, 1, "strong-wolfe");
      return { point: searched.point, memory, reason: searched.reason };
    },
  });
}

/** A direction of descent that nearly solves `H d = -g`. */
function* solveNewton<P, Batch, Aux>(
  problem: Problem<P, Batch, Aux>,
  { x, gradient }: Point<Aux>,
): Reading<Tensor> {
  const { engine, size } = problem.layout;
  let [square] = yield* readAll([inner(gradient, gradient)] as const);
  const start = Math.sqrt(square);
  const enough = Math.min(0.5, Math.sqrt(start)) * start;
  let residual = gradient;
  let d = gradient.neg();
  let solution: Tensor | undefined;
  for (let k = 0; k < Math.max(20, 2 * size); k++) {
    const product = problem.hessianTimes(x, d);
    const [curvature] = yield* readAll([inner(d, product)] as const);
    // Where the curvature is not positive at once, the gradient's own direction must do.
    if (!(curvature > 0)) return solution ?? d;
    const [by, left, t, sofar] = [d, residual, square / curvature, solution];
    solution = engine.scope(() => (sofar === undefined ? by.mul(t) : sofar.add(by.mul(t))));
    residual = engine.scope(() => left.add(product.mul(t)));
    const [next] = yield* readAll([inner(residual, residual)] as const);
    if (Math.sqrt(next) <= enough) break;
    const [rest, beta] = [residual, next / square];
    d = engine.scope(() => by.mul(beta).sub(rest));
    square = next;
  }
  return solution ?? d;
}
