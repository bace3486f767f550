import { type Aval, axisIndex, constant, type Expr, reducedShape, type Shape, sizeOf } from "@gradus/core";

/** How a kernel walks a tensor along some of its axes: the others are its grid, those its inner axes. */
export interface Along {
  readonly grid: number;
  /** Sizes of the kernel's axes. */
  readonly sizes: readonly number[];
  /** The inner axes, as the kernel numbers them. */
  readonly over: readonly number[];
  /** The coordinates of the tensor's element at a grid point and inner point. */
  readonly element: readonly Expr[];
  /** The coordinates of a row's result, where the reduced axes are kept with size 1 or dropped. */
  result(keepdims: boolean): Expr[];
  /** Elements in a row. */
  readonly length: number;
}

export function along(shape: Shape, axes: readonly number[]): Along {
  const kept = shape.map((_, axis) => axis).filter((axis) => !axes.includes(axis));
  const order = [...kept, ...axes];
  const zero = constant(0, "i32");
  return {
    grid: kept.length,
    sizes: order.map((axis) => shape[axis] as number),
    over: axes.map((_, k) => kept.length + k),
    element: shape.map((_, axis) => axisIndex(order.indexOf(axis))),
    result: (keepdims) =>
      shape.flatMap((_, axis) => {
        if (!axes.includes(axis)) return [axisIndex(order.indexOf(axis))];
        return keepdims ? [zero] : [];
      }),
    length: sizeOf(axes.map((axis) => shape[axis] as number)),
  };
}

/** The output of a reduction. */
export function reducedAval(x: Aval, axes: readonly number[], keepdims: boolean, dtype = x.dtype): Aval {
  return { shape: reducedShape(x.shape, axes, keepdims), dtype };
}
