import type { Tensor } from "@gradus/core";

/** `max(0, x)` with gradient 1 at 0, as PyTorch's `clamp_min` has it; `relu` has 0 there. */
export function positivePart(x: Tensor): Tensor {
  return x.lt(0).where(0, x);
}
