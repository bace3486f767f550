import { type Axes, fail, normalizeAxes, normalizeAxis, type Tensor } from "@gradus/core";

/**
 * Axes moved to other positions, the rest in their order: `source[k]` becomes axis `destination[k]` of the result.
 *
 * @throws `axis-out-of-range`; `invalid-argument` for lists of different lengths.
 *
 * Source: PyTorch's `movedim`, NumPy's `moveaxis`.
 *
 * @example
 * ```ts
 * import { movedim, zeros } from "@gradus/tensor";
 * console.log(movedim(zeros([2, 3, 4]), 0, -1).shape); // → [ 3, 4, 2 ]
 * ```
 */
export function movedim(x: Tensor, source: Axes, destination: Axes): Tensor {
  const [from, to] = [source, destination].map((axes) => {
    const list = typeof axes === "number" ? [axes] : axes;
    normalizeAxes("movedim", list, x.ndim);
    return list.map((axis) => normalizeAxis("movedim", axis, x.ndim));
  }) as [number[], number[]];
  if (from.length !== to.length) {
    fail(
      "invalid-argument",
      `movedim: ${from.length} axes cannot be moved to ${to.length} positions: the lists must be of one length`,
    );
  }
  const rest = x.shape.map((_, axis) => axis).filter((axis) => !from.includes(axis));
  return x.permute(
    x.shape.map((_, axis) => (to.includes(axis) ? from[to.indexOf(axis)] : rest.shift()) as number),
  );
}
