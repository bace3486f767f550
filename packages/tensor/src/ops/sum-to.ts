import { type Shape, sameShape, type Tensor } from "@gradus/core";

/** Sums a tensor over the axes along which `shape` was broadcast to it: the transpose of broadcasting. */
export function sumTo(x: Tensor, shape: Shape): Tensor {
  if (sameShape(x.shape, shape)) return x;
  const extra = x.shape.length - shape.length;
  const axes = x.shape.flatMap((n, axis) =>
    axis < extra || (shape[axis - extra] === 1 && n !== 1) ? [axis] : [],
  );
  return x.sum(axes, { keepdims: true }).reshape(shape);
}
