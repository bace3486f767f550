import {
  fail,
  mapTree,
  type Objective,
  type Optimizer,
  type OptimizerState,
  type OptimizerStep,
  scalar,
  type Tensor,
  tensorsOf,
} from "@gradus/core";

export interface CurvatureDescentOptions {
  /** It has converged when the gradient's norm is at most this. Default 1e-6. */
  readonly tolerance?: number;
  /** The step along the gradient where the curvature is not above 0. Default 0.1. */
  readonly fallback?: number;
  /** Halvings of a step that did not lower the loss, before it gives up. Default 20. */
  readonly halvings?: number;
}

/**
 * Gradient descent with the step that is best along the gradient if the loss is quadratic: `(g . g) / (g . H g)`, one Hessian
 * product an iteration. A step that does not lower the loss is halved.
 *
 * Ends with `converged`, `line-search-failed` or `non-finite`.
 */
export function curvatureDescent(options: CurvatureDescentOptions = {}): Optimizer {
  const { tolerance = 1e-6, fallback = 0.1, halvings = 20 } = options;
  const name = "curvatureDescent";
  return {
    name,

    init<P>(params: P): OptimizerState<P> {
      if (tensorsOf(params).length === 0) fail("invalid-argument", `${name}: the parameter tree is empty`);
      return { step: scalar(0), slots: {} };
    },

    async step<P, Batch, Aux>(
      f: Objective<P, Batch, Aux>,
      params: P,
      state: OptimizerState<P>,
      batch: Batch,
    ): Promise<OptimizerStep<P, Aux>> {
      if (f.hvp === undefined) fail("invalid-argument", `${name}: the objective has no hvp`);
      const [loss, grads, aux] = f.valueAndGrad(params, batch);
      const start = await numberOf(loss);
      const evaluations = { value: 1, gradient: 1, hvp: 0, hessian: 0 };
      const end = (reason: "converged" | "line-search-failed" | "non-finite") => ({
        params,
        state,
        loss: start,
        aux,
        reason,
        evaluations,
      });

      const square = await numberOf(inner(grads, grads));
      if (!Number.isFinite(start) || !Number.isFinite(square)) return end("non-finite");
      if (Math.sqrt(square) <= tolerance) return end("converged");

      const curvature = await numberOf(inner(grads, f.hvp(params, grads, batch)));
      evaluations.hvp++;
      let length = curvature > 0 ? square / curvature : fallback;
      for (let i = 0; i <= halvings; i++, length /= 2) {
        const tried = mapTree(params, (p, g) => p.sub(g.mul(length)), grads);
        const value = await numberOf(f.value(tried, batch));
        evaluations.value++;
        // NaN is no less, so a step into nowhere is halved as well.
        if (!(value < start)) continue;
        const step = state.step.map((t) => t + 1);
        return { params: tried, state: { ...state, step }, loss: value, aux, evaluations };
      }
      return end("line-search-failed");
    },
  };
}

/** The sum of the products of all elements of two trees. */
function inner<P>(a: P, b: P): Tensor {
  return tensorsOf(mapTree(a, (x, y) => x.mul(y).sum(), b)).reduce((sum, one) => sum.add(one));
}

/** The value of a tensor of one element, on any device. */
async function numberOf(x: Tensor): Promise<number> {
  return (await x.read())[0] as number;
}
