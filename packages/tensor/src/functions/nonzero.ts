import type { Tensor } from "@gradus/core";
import { awaitedValuesFor, valuesFor } from "../ops/concrete.js";
import { coordinatesOf } from "../ops/index.js";

const INSTEAD = "Use the mask itself: x.ne(0), with where() and sums";

/**
 * Where the elements are not zero: `[count, axes]`, i32, in row-major order. The shape depends on values: not inside
 * `compile`.
 *
 * @throws `value-in-trace` inside `compile`; `no-sync-read` on a device that cannot be read without waiting: use
 * `nonzeroAsync` there.
 *
 * Source: PyTorch's `nonzero`, NumPy's `argwhere`.
 *
 * @example
 * ```ts
 * import { nonzero, tensor } from "@gradus/tensor";
 * console.log(nonzero(tensor([[0, 1], [2, 0]])).toArray()); // → [ [ 0, 1 ], [ 1, 0 ] ]
 * ```
 */
export function nonzero(x: Tensor): Tensor {
  return placesOf(valuesFor("nonzero", x, INSTEAD), x);
}

/** {@link nonzero}, on any device. */
export async function nonzeroAsync(x: Tensor): Promise<Tensor> {
  return placesOf(await awaitedValuesFor("nonzero", x, INSTEAD), x);
}

function placesOf(values: ArrayLike<number>, x: Tensor): Tensor {
  if (x.ndim === 0) return x.engine.full([values[0] === 0 ? 0 : 1, 0], 0, { dtype: "i32", device: x.device });
  const columns = coordinatesOf(values, x).map((positions) => positions.unsqueeze(1));
  return x.engine.concat(columns, 1);
}
