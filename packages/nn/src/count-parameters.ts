import { tensorsOf } from "@gradus/core";

/**
 * How many numbers a parameter tree has: the sizes of its tensors, added up.
 *
 * @example
 * ```ts
 * import { countParameters, linear } from "@gradus/nn";
 * import { key } from "@gradus/tensor";
 * countParameters(linear(64, 10).init(key(0)).params); // → 650
 * ```
 */
export function countParameters(params: unknown): number {
  return tensorsOf(params).reduce((sum, { size }) => sum + size, 0);
}
