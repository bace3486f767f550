import { fail, normalizeAxis, type Tensor } from "@gradus/core";
import { split } from "./split.js";

/**
 * At most `count` parts of an axis (0 by default), of equal size but for the last one, as views.
 *
 * Source: PyTorch's `chunk`, which also gives fewer parts where their size does not come out even.
 *
 * @example
 * ```ts
 * import { chunk, tensor } from "@gradus/tensor";
 * console.log(chunk(tensor([1, 2, 3, 4, 5]), 2).map((part) => part.size)); // → [ 3, 2 ]
 * ```
 */
export function chunk(x: Tensor, count: number, axis = 0): Tensor[] {
  if (!Number.isInteger(count) || count < 1)
    fail("invalid-argument", `chunk: the number of parts must be a whole number of at least 1, got ${count}`);
  const at = normalizeAxis("chunk", axis, x.ndim);
  const length = x.shape[at] as number;
  return split(x, length === 0 ? new Array<number>(count).fill(0) : Math.ceil(length / count), at);
}
