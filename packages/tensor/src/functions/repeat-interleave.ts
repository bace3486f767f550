import { fail, formatShape, normalizeAxis, type Tensor } from "@gradus/core";
import { takeRows } from "../ops/rows.js";

/**
 * Each element of an axis several times in a row: `repeats` times, or as often as a list says for each. Without an axis, of
 * the flattened tensor.
 *
 * @throws `invalid-argument` for counts that are not whole numbers; `shape-mismatch` for a list of another length than the
 * axis.
 *
 * Source: PyTorch's `repeat_interleave`, NumPy's `repeat`.
 *
 * @example
 * ```ts
 * import { repeatInterleave, tensor } from "@gradus/tensor";
 * console.log(repeatInterleave(tensor([1, 2]), 2)); // → Tensor f32[4] [1, 1, 2, 2]
 * console.log(repeatInterleave(tensor([1, 2]), [0, 3])); // → Tensor f32[3] [2, 2, 2]
 * ```
 */
export function repeatInterleave(x: Tensor, repeats: number | readonly number[], axis?: number): Tensor {
  if (axis === undefined) return repeatInterleave(x.reshape([-1]), repeats, 0);
  const at = normalizeAxis("repeatInterleave", axis, x.ndim);
  const counts = typeof repeats === "number" ? [repeats] : repeats;
  if (!counts.every((n) => Number.isInteger(n) && n >= 0))
    fail("invalid-argument", `repeatInterleave: counts must be whole numbers, got ${String(repeats)}`);
  if (typeof repeats === "number") {
    const wide = x.unsqueeze(at + 1);
    return wide.expand(wide.shape.map((n, k) => (k === at + 1 ? repeats : n))).flatten(at, at + 1);
  }
  if (counts.length !== x.shape[at]) {
    fail(
      "shape-mismatch",
      `repeatInterleave: ${counts.length} counts for axis ${at} of ${formatShape(x.shape)}, which has size ${x.shape[at]}`,
    );
  }
  const positions = Int32Array.from(counts.flatMap((n, i) => new Array<number>(n).fill(i)));
  return takeRows(x, at, x.engine.tensor(positions, { device: x.device }));
}
