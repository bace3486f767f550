import { sizeOf, type Tensor } from "@gradus/core";

/**
 * For each element, the product of all the others along `axes`: the derivative of the product, right also where
 * elements are zero, and itself differentiable any number of times.
 *
 * A tree: pairs are multiplied upwards, then each node's outside product is handed down times its sibling.
 */
export function exclusiveProduct(x: Tensor, axes: readonly number[]): Tensor {
  const kept = x.shape.map((_, axis) => axis).filter((axis) => !axes.includes(axis));
  const order = [...kept, ...axes];
  const moved = x.permute(order);
  const count = sizeOf(axes.map((axis) => x.shape[axis] as number));
  const rows = sizeOf(kept.map((axis) => x.shape[axis] as number));
  if (count === 0 || rows === 0) return x.onesLike();
  const width = 2 ** Math.ceil(Math.log2(count));
  const padded = moved.reshape([rows, count]).pad(
    [
      [0, 0],
      [0, width - count],
    ],
    1,
  );
  const outside = outsideProducts(padded).slice(null, [0, count]).reshape(moved.shape);
  const inverse = order.map((_, axis) => order.indexOf(axis));
  return outside.permute(inverse);
}

/** For [rows, 2^k]: the product of a row's other elements. */
function outsideProducts(level: Tensor): Tensor {
  const [rows, width] = level.shape as [number, number];
  if (width === 1) return level.onesLike();
  const pairs = level.reshape([rows, width / 2, 2]);
  const parents = pairs
    .slice(null, null, [0, 1])
    .mul(pairs.slice(null, null, [1, 2]))
    .reshape([rows, width / 2]);
  return outsideProducts(parents).unsqueeze(2).mul(pairs.flip(2)).reshape([rows, width]);
}
