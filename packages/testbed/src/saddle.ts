import { type Challenge, coordinate } from "./challenge.js";

/** The plain saddle `x^2 - y^2`. It falls without end along y; from its start, gradients lead to (0, 0). */
export const saddle: Challenge = {
  name: "saddle",
  about: "a gradient that leads straight to a saddle",
  f(p) {
    const [x, y] = [coordinate(p, 0), coordinate(p, 1)];
    return x.square().sub(y.square());
  },
  start: [1, 0],
  minima: [],
  least: -Infinity,
  saddles: [[0, 0]],
  view: [
    [-2, 2],
    [-2, 2],
  ],
};
