import { mapTree } from "@gradus/core";
import { checkLike } from "./check-trees.js";

/**
 * The parameters after an update: `params + updates`, leaf by leaf.
 *
 * @throws `tree-mismatch` or `shape-mismatch`, naming the path, if the trees differ.
 *
 * @example
 * ```ts
 * import { applyUpdates, sgd } from "@gradus/optimizers";
 * import { tensor } from "@gradus/tensor";
 * const rule = sgd({ lr: 0.5 });
 * const params = { w: tensor([1, 2]) };
 * const { updates } = rule.update({ w: tensor([2, 2]) }, rule.init(params), { params });
 * console.log(applyUpdates(params, updates).w); // → Tensor f32[2] [0, 1]
 * ```
 */
export function applyUpdates<P>(params: P, updates: P): P {
  checkLike("applyUpdates: the updates", params, updates);
  return mapTree(params, (param, update) => param.add(update), updates);
}
