import { type Challenge, coordinate } from "./challenge.js";

/** A tilted bowl: `(x + 2y - 7)^2 + (2x + y - 5)^2`. The least that a method must do. */
export const booth: Challenge = {
  name: "Booth",
  about: "a tilted bowl",
  f(p) {
    const [x, y] = [coordinate(p, 0), coordinate(p, 1)];
    return x.add(y.mul(2)).sub(7).square().add(x.mul(2).add(y).sub(5).square());
  },
  start: [-8, 6],
  minima: [[1, 3]],
  least: 0,
  view: [
    [-10, 10],
    [-8, 12],
  ],
};
