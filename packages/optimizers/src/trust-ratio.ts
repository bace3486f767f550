import type { Tensor } from "@gradus/core";

/** `a / b` of two norms, or 1 if one of them is 0: layer-wise rates have nothing to go by there. */
export function trustRatio(a: Tensor, b: Tensor): Tensor {
  return a.mul(b).gt(0).where(a.div(b), b.onesLike());
}
