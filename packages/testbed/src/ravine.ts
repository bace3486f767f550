import type { Challenge } from "./challenge.js";
import { coordinate } from "./challenge.js";

/** A straight, narrow valley at 45 degrees: a quadratic whose curvatures differ by the factor `condition`. */
export function ravine(condition = 100): Challenge {
  return {
    name: "ravine",
    about: "curvatures that differ a hundredfold",
    f(p) {
      const [x, y] = [coordinate(p, 0), coordinate(p, 1)];
      const along = x.add(y).square();
      const across = x.sub(y).square().mul(condition);
      return along.add(across).div(4);
    },
    start: [-3, -1.5],
    minima: [[0, 0]],
    least: 0,
    view: [
      [-4, 2],
      [-4, 2],
    ],
  };
}
