import type { Challenge } from "./challenge.js";

const best = -2.903534027771177;
const leastOfOne = (best ** 4 - 16 * best ** 2 + 5 * best) / 2;

/**
 * Two minima along each axis, one deeper than the other: the sum of `(x^4 - 16 x^2 + 5 x) / 2`.
 *
 * Source: Styblinski and Tang, "Experiments in nonconvex optimization", 1990.
 */
export function styblinskiTang(dimensions = 5): Challenge {
  return {
    name: `Styblinski-Tang ${dimensions}-D`,
    about: "two minima along each axis",
    f: (x) => {
      const square = x.square();
      return square.square().sub(square.mul(16)).add(x.mul(5)).div(2).sum(-1);
    },
    start: new Array<number>(dimensions).fill(-1),
    minima: [new Array<number>(dimensions).fill(best)],
    least: leastOfOne * dimensions,
    view: [
      [-4, 4],
      [-4, 4],
    ],
  };
}
