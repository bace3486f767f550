import type { Challenge } from "./challenge.js";

/**
 * A curved valley: the sum of `(1 - a)^2 + 100 (b - a^2)^2` over pairs of coordinates (a, b). In two dimensions it is
 * Rosenbrock's own.
 *
 * Source: Rosenbrock, "An Automatic Method for Finding the Greatest or Least Value of a Function", 1960.
 */
export function rosenbrock(dimensions = 2): Challenge {
  const pairs = dimensions / 2;
  return {
    name: dimensions === 2 ? "Rosenbrock" : `Rosenbrock ${dimensions}-D`,
    about: "a curved valley with a flat floor",
    f(x) {
      const leading = x.shape.slice(0, -1);
      const paired = x.reshape([...leading, pairs, 2]);
      const nulls = [...leading, pairs].map(() => null);
      const a = paired.slice(...nulls, [0, 1]);
      const b = paired.slice(...nulls, [1, 2]);
      const wall = b.sub(a.square()).square().mul(100);
      return a.sub(1).square().add(wall).sum([-2, -1]);
    },
    start: Array.from({ length: pairs }, () => [-1.2, 1]).flat(),
    minima: [Array.from({ length: dimensions }, () => 1)],
    least: 0,
    view: [
      [-2, 2],
      [-1, 3],
    ],
  };
}
