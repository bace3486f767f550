import type { Tensor } from "@gradus/core";
import { tensor } from "@gradus/tensor";

/** The elements at `positions` along an axis. */
export function take(x: Tensor, axis: number, positions: ArrayLike<number>): Tensor {
  return takeAt(x, axis, tensor(Int32Array.from(positions)));
}

/** The elements along an axis at the positions in a vector. */
export function takeAt(x: Tensor, axis: number, positions: Tensor): Tensor {
  return x.gather(axis, alongAxis(x, axis, positions));
}

/** A vector of positions as `gather` and `scatterAdd` take it: the same for every element of the other axes. */
export function alongAxis(x: Tensor, axis: number, positions: Tensor): Tensor {
  const column = positions.reshape(x.shape.map((_, k) => (k === axis ? positions.size : 1)));
  return column.expand(x.shape.map((n, k) => (k === axis ? positions.size : n)));
}
