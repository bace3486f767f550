import type { Shape } from "@gradus/core";

/** A tensor's sizes as those of a matrix: its first axis, and all others. */
export function asMatrix(shape: Shape): readonly [rows: number, columns: number] {
  const [rows = 1, ...others] = shape;
  return [rows, others.reduce((product, size) => product * size, 1)];
}
