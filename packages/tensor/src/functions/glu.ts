import { calculus as c, fail, formatShape, normalizeAxis, type Tensor } from "@gradus/core";
import { pointwise } from "../elementwise.js";
import { split } from "./split.js";

/**
 * The gated linear unit: `a sigmoid(b)` of the halves a and b of an axis, the last one by default.
 *
 * @throws `shape-mismatch` for an axis of odd size.
 *
 * Source: PyTorch's `nn.functional.glu`.
 *
 * @example
 * ```ts
 * import { glu, tensor } from "@gradus/tensor";
 * console.log(glu(tensor([2, 4, 0, 0]))); // → Tensor f32[2] [1, 2]
 * ```
 */
export function glu(x: Tensor, axis = -1): Tensor {
  const at = normalizeAxis("glu", axis, x.ndim);
  const size = x.shape[at] as number;
  if (size % 2 !== 0)
    fail(
      "shape-mismatch",
      `glu: axis ${at} of ${formatShape(x.shape)} cannot be halved: its size is ${size}`,
    );
  const [a, b] = split(x, [size / 2, size / 2], at) as [Tensor, Tensor];
  return pointwise("glu", "float", [a, b], (value, gate) => c.mul(value, c.sigmoid(gate)));
}
