import type { Optimizer } from "@gradus/core";
import { iterative, type StoppingOptions } from "./problem/iterative.js";
import { inner } from "./problem/problem.js";
import { readAll } from "./problem/reading.js";
import { searchLine } from "./problem/search-line.js";

/**
 * Nonlinear conjugate gradients (Polak and Ribiere, never negative), with a strong Wolfe line search:
 *
 * ```text
 * beta = max(0, <g', g' - g> / <g, g>)
 * d' = -g' + beta d          (d' = -g' where that would hardly descend)
 * x = x + t d'
 * ```
 *
 * - **When**: many parameters, an exact gradient, and little memory. `lbfgs` mostly needs fewer evaluations.
 * - **Memory**: three vectors of the parameters' size: the gradient, the last one, and the direction.
 * - **Evaluations**: about 2 of value and gradient an iteration.
 *
 * Ends with `converged`, `line-search-failed`, `max-iterations` or `non-finite`.
 *
 * @throws `invalid-argument` for options out of range and an empty parameter tree; `step` throws `tree-mismatch` or
 * `shape-mismatch` for a state of something else.
 *
 * Source: SciPy's `minimize(method="CG")`; Nocedal and Wright, "Numerical Optimization", section 5.2.
 *
 * @example
 * ```ts
 * import { objective } from "@gradus/autograd";
 * import { conjugateGradient } from "@gradus/optimizers";
 * import { type Tensor, tensor } from "@gradus/tensor";
 * const f = objective((x: Tensor) => x.sub(3).square().mul(tensor([1, 10])).sum());
 * const cg = conjugateGradient();
 * let params = tensor([0, 10]);
 * let state = cg.init(params);
 * let reason: string | undefined;
 * while (reason === undefined) ({ params, state, reason } = await cg.step(f, params, state, undefined));
 * console.log(reason, params.sub(3).abs().max().item() < 1e-4); // → converged true
 * ```
 */
export function conjugateGradient(options: StoppingOptions = {}): Optimizer {
  return iterative({
    name: "conjugateGradient",
    stopping: options,
    keeps: {
      scalars: { decrease: 0, square: 0 },
      tensors: { direction: "vector", previousGradient: "vector" },
    },
    *iterate(problem, point, { scalars, tensors }) {
      const { engine } = problem.layout;
      const { decrease, square } = scalars;
      const { direction, previousGradient } = tensors;
      const g = point.gradient;
      const [own, overlap, along, absolute, longest] = yield* readAll(
        engine.scope(
          () =>
            [
              inner(g, g),
              inner(g, previousGradient),
              inner(g, direction),
              g.abs().sum(),
              direction.abs().max(),
            ] as const,
        ),
      );
      const beta = square > 0 ? Math.max(0, (own - overlap) / square) : 0;
      const conjugate = beta > 0 && -own + beta * along < -0.01 * own;
      const vector = conjugate ? engine.scope(() => direction.mul(beta).sub(g)) : g.neg();
      const slope = conjugate ? -own + beta * along : -own;
      const length = conjugate ? beta * longest + point.steepness : point.steepness;
      const first = decrease > 0 ? Math.min(1, (-2 * decrease) / slope) : Math.min(1, 1 / absolute);
      const searched = yield* searchLine(problem, point, { vector, slope, length }, first, "strong-wolfe", {
        curvature: 0.4,
      });
      const memory = (square: number) => ({
        scalars: { decrease: point.value - searched.point.value, square },
        tensors: { direction: vector, previousGradient: g },
      });
      // A conjugate direction that leads nowhere is given up; the next one is the gradient's.
      if (conjugate && searched.reason === "line-search-failed") return { point, memory: memory(0) };
      return { point: searched.point, memory: memory(own), reason: searched.reason };
    },
  });
}
