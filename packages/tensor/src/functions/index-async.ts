import type { IndexEntry, Tensor } from "@gradus/core";
import { index, maskValues } from "../ops/index.js";

/**
 * `x.index(...entries)` on any device: on one that cannot be read without waiting, a mask among the entries is waited for.
 *
 * @throws as `x.index`; `value-in-trace` for a mask inside `compile`.
 *
 * @example
 * ```ts
 * import { indexAsync, tensor } from "@gradus/tensor";
 * const x = tensor([3, -1, 2]);
 * console.log(await indexAsync(x, x.gt(0))); // → Tensor f32[2] [3, 2]
 * ```
 */
export async function indexAsync(x: Tensor, ...entries: readonly IndexEntry[]): Promise<Tensor> {
  return index(x, entries, await maskValues("index", entries));
}
