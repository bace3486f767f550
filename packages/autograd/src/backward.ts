import {
  fail,
  flattenTree,
  formatPath,
  formatShape,
  isFloat,
  isTensor,
  type Level,
  mapTree,
  type Tensor,
} from "@gradus/core";
import { pullback } from "./pullback.js";

/** What variables record for. It stays open: a variable's graph is kept by the tensors that came from it. */
const variables: Level = { open: true, used: false };

/**
 * A tensor that remembers what is computed from it, as in PyTorch with `requires_grad`: the start for {@link backward}.
 *
 * @throws `not-differentiable` for integers and bools.
 */
export function variable(x: Tensor): Tensor {
  if (!isFloat(x.dtype)) {
    fail(
      "not-differentiable",
      `variable: ${x.dtype} has no gradient: only f32 and f64 do. Convert it: x.cast("f32")`,
    );
  }
  return x.engine.watch(x.detach(), variables);
}

export interface BackwardOptions {
  /** Record the backward pass too, so that the gradients can be differentiated again. Default false. */
  readonly createGraph?: boolean;
}

/**
 * The gradients of a number by variables: `backward(loss, { w, b }).grads` is `{ w, b }`.
 *
 * Nothing is accumulated and nothing is used up: it may be called again. A variable that the loss does not depend on has
 * a gradient of zeros.
 *
 * @throws `not-scalar`, `no-gradient` if the loss does not depend on any of them, `invalid-argument` for a tensor that is
 * no variable.
 *
 * @example
 * ```ts
 * import { backward, variable } from "@gradus/autograd";
 * import { tensor } from "@gradus/tensor";
 * const w = variable(tensor([1, 2]));
 * const loss = w.square().sum();
 * console.log(backward(loss, { w }).grads.w); // → Tensor f32[2] [2, 4]
 * ```
 */
export function backward<P>(loss: Tensor, params: P, options: BackwardOptions = {}): { readonly grads: P } {
  if (loss.size !== 1) {
    fail(
      "not-scalar",
      `backward: the loss must be one number, got shape ${formatShape(loss.shape)}. Reduce it with sum() or mean()`,
    );
  }
  const { leaves, paths } = flattenTree(params);
  leaves.forEach((leaf, i) => {
    if (isTensor(leaf) && leaf.history === undefined) {
      fail(
        "invalid-argument",
        `backward: ${formatPath(paths[i] ?? [])} is no variable. Make it one before computing the loss: variable(x)`,
      );
    }
  });
  const targets = leaves.filter(isTensor);
  const grads = loss.engine.scope(() => {
    const wasOpen = variables.open;
    variables.open = options.createGraph === true;
    try {
      const found = pullback([loss], [loss.onesLike()], targets);
      if (found.every((gradient) => gradient === undefined)) {
        fail(
          "no-gradient",
          "backward: the loss does not depend on any of the variables. Was it computed from them, without detach()?",
        );
      }
      let next = 0;
      return mapTree(params, (x) => found[next++] ?? x.zerosLike());
    } finally {
      variables.open = wasOpen;
    }
  });
  return { grads };
}
