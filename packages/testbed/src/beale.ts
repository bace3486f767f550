import { type Challenge, coordinate } from "./challenge.js";

/**
 * A flat plain between steep corners: `(1.5 - x + xy)^2 + (2.25 - x + xy^2)^2 + (2.625 - x + xy^3)^2`.
 *
 * Source: Beale, "On an Iterative Method for Finding a Local Minimum of a Function of More than One Variable", 1958.
 */
export const beale: Challenge = {
  name: "Beale",
  about: "a flat plain between steep corners",
  f(p) {
    const [x, y] = [coordinate(p, 0), coordinate(p, 1)];
    return [1.5, 2.25, 2.625]
      .map((c, i) =>
        x
          .mul(y.pow(i + 1))
          .sub(x)
          .add(c)
          .square(),
      )
      .reduce((sum, term) => sum.add(term));
  },
  start: [1, 1],
  minima: [[3, 0.5]],
  least: 0,
  view: [
    [-1, 4.5],
    [-2.5, 3],
  ],
};
