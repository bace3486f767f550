import { type Challenge, coordinate } from "./challenge.js";

/**
 * Four minima of equal value: `(x^2 + y - 11)^2 + (x + y^2 - 7)^2`.
 *
 * Source: Himmelblau, "Applied Nonlinear Programming", 1972.
 */
export const himmelblau: Challenge = {
  name: "Himmelblau",
  about: "four minima of equal value, and a maximum near the start",
  f(p) {
    const [x, y] = [coordinate(p, 0), coordinate(p, 1)];
    return x.square().add(y).sub(11).square().add(y.square().add(x).sub(7).square());
  },
  start: [0, 0],
  minima: [
    [3, 2],
    [-2.805118086952745, 3.131312518250573],
    [-3.779310253377747, -3.283185991286169],
    [3.584428340330492, -1.848126526964404],
  ],
  least: 0,
  view: [
    [-5, 5],
    [-5, 5],
  ],
};
