import type { Challenge } from "./challenge.js";

/** A pit in a plain: `1 - exp(-|x|^2 / 2)`. Away from the pit the gradient is almost nothing. */
export function plateau(dimensions = 2): Challenge {
  return {
    name: "plateau",
    about: "gradients too small to follow, far from the pit",
    f: (x) => x.square().sum(-1).mul(-0.5).exp().neg().add(1),
    start: Array.from({ length: dimensions }, (_, i) => (i === 0 ? 2.5 : 1.5)),
    minima: [new Array<number>(dimensions).fill(0)],
    least: 0,
    view: [
      [-4, 4],
      [-4, 4],
    ],
  };
}
