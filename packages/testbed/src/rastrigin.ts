import type { Challenge } from "./challenge.js";

/**
 * A bowl full of local minima, one near each point of whole numbers: `10 n + sum of x^2 - 10 cos(2 pi x)`.
 *
 * Source: Rastrigin, "Systems of extremal control", 1974.
 */
export function rastrigin(dimensions = 2): Challenge {
  return {
    name: "Rastrigin",
    about: "local minima in a regular grid",
    f: (x) =>
      x
        .square()
        .sub(
          x
            .mul(2 * Math.PI)
            .cos()
            .mul(10),
        )
        .add(10)
        .sum(-1),
    start: Array.from({ length: dimensions }, (_, i) => (i % 2 === 0 ? 2.2 : -3.3)),
    minima: [new Array<number>(dimensions).fill(0)],
    least: 0,
    view: [
      [-5.12, 5.12],
      [-5.12, 5.12],
    ],
  };
}
