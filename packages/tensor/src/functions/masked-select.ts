import { broadcastShapes, fail, sizeOf, type Tensor } from "@gradus/core";
import { awaitedValuesFor, valuesFor } from "../ops/concrete.js";
import { takeRows } from "../ops/rows.js";

const INSTEAD = "Use mask.where(x, value), which keeps the shape";

/**
 * The elements where the mask is true, as a vector; tensor and mask broadcast. The shape depends on values: not inside
 * `compile`.
 *
 * @throws `value-in-trace` inside `compile`; `no-sync-read` on a device that cannot be read without waiting: use
 * `maskedSelectAsync` there; `dtype-mismatch` for a mask that is not bool.
 *
 * Source: PyTorch's `masked_select`.
 *
 * @example
 * ```ts
 * import { maskedSelect, tensor } from "@gradus/tensor";
 * const x = tensor([3, -1, 2]);
 * console.log(maskedSelect(x, x.gt(0))); // → Tensor f32[2] [3, 2]
 * ```
 */
export function maskedSelect(x: Tensor, mask: Tensor): Tensor {
  return selected(x, mask, valuesFor("maskedSelect", mask, INSTEAD));
}

/** {@link maskedSelect}, on any device. */
export async function maskedSelectAsync(x: Tensor, mask: Tensor): Promise<Tensor> {
  return selected(x, mask, await awaitedValuesFor("maskedSelect", mask, INSTEAD));
}

function selected(x: Tensor, mask: Tensor, values: ArrayLike<number>): Tensor {
  if (mask.dtype !== "bool")
    fail(
      "dtype-mismatch",
      `maskedSelect: the mask must be bool, got ${mask.dtype}. Compare first: mask.ne(0)`,
    );
  const shape = broadcastShapes("maskedSelect", x.shape, mask.shape);
  // The mask's element for each of the result, by strides that are 0 where it is repeated.
  const extra = shape.length - mask.ndim;
  const strides = shape.map((_, axis) =>
    axis < extra || mask.shape[axis - extra] === 1 ? 0 : sizeOf(mask.shape.slice(axis - extra + 1)),
  );
  const positions: number[] = [];
  for (let i = 0; i < sizeOf(shape); i++) {
    let rest = i;
    let own = 0;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const n = shape[axis] as number;
      own += (rest % n) * (strides[axis] as number);
      rest = Math.floor(rest / n);
    }
    if (values[own] !== 0) positions.push(i);
  }
  const index = x.engine.tensor(Int32Array.from(positions), { device: x.device });
  return takeRows(x.expand(shape).reshape([sizeOf(shape)]), 0, index);
}
