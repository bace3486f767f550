import { fail, formatShape, normalizeAxis, type Tensor } from "@gradus/core";
import { slide } from "../ops/slide.js";

/**
 * The windows of `size` elements of an axis, `step` apart (1 by default), as a view: which window stays in the axis' place,
 * its elements are a new last axis.
 *
 * @throws `axis-out-of-range`; `invalid-argument` for a window larger than the axis, or a step below 1.
 *
 * Source: PyTorch's `Tensor.unfold`, NumPy's `sliding_window_view`.
 *
 * @example
 * ```ts
 * import { tensor, windows } from "@gradus/tensor";
 * console.log(windows(tensor([1, 2, 3, 4, 5]), 0, 3, 2).toArray()); // → [ [ 1, 2, 3 ], [ 3, 4, 5 ] ]
 * ```
 */
export function windows(x: Tensor, axis: number, size: number, step = 1): Tensor {
  const at = normalizeAxis("windows", axis, x.ndim);
  const length = x.shape[at] as number;
  if (!Number.isInteger(size) || size < 1 || size > length) {
    fail(
      "invalid-argument",
      `windows: the size must be a whole number from 1 to ${length}, the size of axis ${at} of ${formatShape(x.shape)}, got ${size}`,
    );
  }
  if (!Number.isInteger(step) || step < 1)
    fail("invalid-argument", `windows: the step must be a whole number of at least 1, got ${step}`);
  return slide(x, at, size, step);
}
