import { calculus as c, type Tensor } from "@gradus/core";
import { pointwise } from "../elementwise.js";

/**
 * `log(x / (1 - x))`, the inverse of `sigmoid`; NaN outside of [0, 1]. With `eps`, x is first cut to [eps, 1 - eps], and what
 * was cut has a gradient of 0.
 *
 * Source: PyTorch's `logit`.
 *
 * @example
 * ```ts
 * import { logit, tensor } from "@gradus/tensor";
 * console.log(logit(tensor([0.5, 1])), logit(tensor([1]), 0.5)); // → Tensor f32[2] [0, Infinity] Tensor f32[1] [0]
 * ```
 */
export function logit(x: Tensor, eps?: number): Tensor {
  const inside = eps === undefined ? x : x.clamp(eps, 1 - eps);
  return pointwise("logit", "float", [inside], (v) => c.sub(c.log(v), c.log1p(c.neg(v))));
}
