import { type Expr, isFloat, type Kernel, postOrder } from "@gradus/core";

/**
 * The floating-point operations of a kernel at given sizes: two for each product of a contraction, one for each scalar
 * operation on floats (an `exp` counts as one) at each point, one for each element that is reduced. 0 for natives.
 */
export function flopsOf(kernel: Kernel, sizes: readonly number[]): number {
  const count = (axes: readonly number[]): number => axes.reduce((n, axis) => n * (sizes[axis] as number), 1);
  const range = (n: number): number[] => Array.from({ length: n }, (_, axis) => axis);
  switch (kernel.kind) {
    case "native":
      return 0;
    case "contract": {
      const { batch, m, n } = kernel.groups;
      const points = count(range(batch + m + n));
      const products = count(sizes.map((_, axis) => axis));
      return 2 * products + points * operations(kernel.writes.map(({ value }) => value));
    }
    case "loop": {
      const grid = range(kernel.grid);
      const reduced = kernel.stages.map(
        ({ over, value }) => count([...grid, ...over]) * (1 + operations([value])),
      );
      // Writes along the same axes are one loop, which computes once what they share.
      const loops = new Map<string, { over: readonly number[]; values: Expr[] }>();
      for (const { over, value } of kernel.writes) {
        const loop = loops.get(over.join()) ?? { over, values: [] };
        loop.values.push(value);
        loops.set(over.join(), loop);
      }
      const written = [...loops.values()].map(
        ({ over, values }) => count([...grid, ...over]) * operations(values),
      );
      return [...reduced, ...written].reduce((a, b) => a + b, 0);
    }
    default:
      return kernel satisfies never;
  }
}

function operations(roots: readonly Expr[]): number {
  return postOrder(roots).filter((e) => e.kind === "op" && isFloat(e.dtype) && e.op !== "where").length;
}
