import type { DType } from "./dtype.js";
import { contiguousStrides, type Shape, sizeOf } from "./shape.js";

/** What is known of a value before it exists: its shape and dtype. */
export interface Aval {
  readonly shape: Shape;
  readonly dtype: DType;
}

/** How a tensor lies in its buffer: element (i, j, ...) is at `offset + i * strides[0] + j * strides[1] + ...`. */
export interface Layout extends Aval {
  readonly strides: readonly number[];
  readonly offset: number;
}

export function contiguousLayout({ shape, dtype }: Aval): Layout {
  return { shape, dtype, strides: contiguousStrides(shape), offset: 0 };
}

/** Whether the elements lie densely in row-major order (axes of size 1 may have any stride). */
export function isContiguous(layout: Layout): boolean {
  if (sizeOf(layout.shape) === 0) return true;
  let expected = 1;
  for (let axis = layout.shape.length - 1; axis >= 0; axis--) {
    const n = layout.shape[axis] as number;
    if (n !== 1 && layout.strides[axis] !== expected) return false;
    expected *= n;
  }
  return true;
}

/** The strides with which `layout` reads as `shape`, to which it broadcasts: 0 on every repeated axis. */
export function broadcastStrides(layout: Layout, shape: Shape): number[] {
  const extra = shape.length - layout.shape.length;
  return shape.map((n, axis) => {
    const own = axis - extra;
    if (own < 0) return 0;
    return layout.shape[own] === 1 && n !== 1 ? 0 : (layout.strides[own] as number);
  });
}
