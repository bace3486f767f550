import { type Axes, fail, normalizeAxis, type Tensor } from "@gradus/core";
import { range } from "./split.js";

/**
 * Elements moved along axes by `shifts`, those that leave at one end coming back at the other; without axes, of the
 * flattened tensor, in its shape.
 *
 * @throws `axis-out-of-range`; `invalid-argument` for shifts that do not fit the axes.
 *
 * Source: PyTorch's and NumPy's `roll`.
 *
 * @example
 * ```ts
 * import { roll, tensor } from "@gradus/tensor";
 * console.log(roll(tensor([1, 2, 3, 4]), 1)); // → Tensor f32[4] [4, 1, 2, 3]
 * ```
 */
export function roll(x: Tensor, shifts: number | readonly number[], axes?: Axes): Tensor {
  const list = typeof shifts === "number" ? [shifts] : shifts;
  if (axes === undefined) {
    if (list.length !== 1) fail("invalid-argument", "roll: several shifts need as many axes");
    return roll(x.reshape([-1]), list, 0).reshape(x.shape);
  }
  const along = typeof axes === "number" ? [axes] : axes;
  if (list.length !== along.length || !list.every(Number.isInteger)) {
    fail(
      "invalid-argument",
      `roll: expected a whole number for each of ${along.length} axes, got ${String(shifts)}`,
    );
  }
  return along.reduce((y, axis, k) => {
    const at = normalizeAxis("roll", axis, x.ndim);
    const size = y.shape[at] as number;
    const cut = size === 0 ? 0 : (((size - (list[k] as number)) % size) + size) % size;
    return cut === 0 ? y : y.engine.concat([range(y, at, cut, size), range(y, at, 0, cut)], at);
  }, x);
}
