import { checkSameStructure, fail, type Tensor } from "@gradus/core";
import { engineOf } from "./grad.js";
import { hvp } from "./hvp.js";
import { linearized } from "./jvp.js";

/**
 * The generalised Gauss-Newton matrix at `params` times `vector`: `J^T H J vector`, where J is the Jacobian of the model `f`
 * and H the Hessian of the loss by the model's outputs. Unlike the Hessian it is positive semi-definite for every convex
 * loss. It costs about four passes and no memory beyond them.
 *
 * @param f the model: parameters to outputs, any tree
 * @param loss outputs to one number
 * @param vector a tree like `params`
 *
 * @example
 * ```ts
 * import { gaussNewtonVp } from "@gradus/autograd";
 * import { type Tensor, tensor } from "@gradus/tensor";
 * const model = (w: Tensor) => w.square();
 * const loss = (y: Tensor) => y.sub(1).square().sum().div(2);
 * // J = diag(2 w), H = 1.
 * console.log(gaussNewtonVp(model, loss, tensor([1, 2]), tensor([1, 1]))); // → Tensor f32[2] [4, 16]
 * ```
 */
export function gaussNewtonVp<P, Y>(
  f: (params: P) => Y,
  loss: (outputs: Y) => Tensor,
  params: P,
  vector: P,
): P {
  return throughModel("gaussNewtonVp", f, params, vector, (outputs, moved) => hvp(loss, outputs, moved));
}

/** What the model's output means: logits of classes in the last axis, logits of yes and no, or means with variance 1. */
export type Likelihood = "categorical" | "bernoulli" | "normal";

/**
 * The Fisher information matrix at `params` times `vector`, of a model whose output parametrises a distribution: the
 * expectation, over targets drawn from the model itself, of the outer product of the log-likelihood's gradient. Exact, not
 * sampled. Averaged over the examples in axis 0; an output without a batch (one axis less than that) is one example.
 *
 * For these distributions it is the Gauss-Newton matrix of the negative log-likelihood (cross-entropy, binary
 * cross-entropy, half the squared error). The empirical Fisher, with the targets of the data, is the outer product of
 * per-example gradients: `vmap(grad(loss))`.
 *
 * @example
 * ```ts
 * import { fisherVp } from "@gradus/autograd";
 * import { type Tensor, tensor } from "@gradus/tensor";
 * const logits = (w: Tensor) => w.unsqueeze(0);
 * // diag(p) - p p^T with p = (1/2, 1/2).
 * console.log(fisherVp(logits, "categorical", tensor([0, 0]), tensor([1, 0]))); // → Tensor f32[2] [0.25, -0.25]
 * ```
 */
export function fisherVp<P>(f: (params: P) => Tensor, likelihood: Likelihood, params: P, vector: P): P {
  return throughModel("fisherVp", f, params, vector, (output, moved) => {
    const needed = likelihood === "categorical" ? 2 : 1;
    const examples = output.ndim >= needed ? (output.shape[0] as number) : 1;
    return informationVp(likelihood, output, moved).div(examples);
  });
}

/** The Fisher information of the distribution by its own parameters, times a vector. */
function informationVp(likelihood: Likelihood, output: Tensor, vector: Tensor): Tensor {
  switch (likelihood) {
    case "categorical": {
      const p = output.softmax(-1);
      return p.mul(vector.sub(p.mul(vector).sum(-1, { keepdims: true })));
    }
    case "bernoulli": {
      const p = output.sigmoid();
      return p.mul(p.neg().add(1)).mul(vector);
    }
    case "normal":
      return vector;
    default:
      return fail(
        "invalid-argument",
        `fisherVp: the likelihood must be "categorical", "bernoulli" or "normal", got ${String(likelihood satisfies never)}`,
      );
  }
}

/** `J^T h(J vector)`. */
function throughModel<P, Y>(
  name: string,
  f: (params: P) => Y,
  params: P,
  vector: P,
  h: (outputs: Y, moved: Y) => Y,
): P {
  checkSameStructure(params, vector, `${name}: the vector`);
  return engineOf(name, params).scope((): P => {
    const { value, push, pull } = linearized(f, params);
    return pull(h(value, push(vector)));
  });
}
