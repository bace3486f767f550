import type { Tensor } from "@gradus/core";
import type { Challenge } from "./challenge.js";

/** A challenge whose gradient is noisy: each batch is a tensor of noise, standard normal, of the shape of x. */
export interface NoisyChallenge extends Challenge {
  readonly noisy: (x: Tensor, noise: Tensor) => Tensor;
}

/**
 * A quadratic seen through noise: `|x - sigma noise|^2 / 2`, whose mean is `|x|^2 / 2` and a constant. Methods that
 * trust a single gradient do not settle.
 */
export function noisyQuadratic(sigma = 1, dimensions = 2): NoisyChallenge {
  return {
    name: "noisy quadratic",
    about: "a gradient that is right only on average",
    f: (x) => x.square().sum(-1).div(2),
    noisy: (x, noise) => x.sub(noise.mul(sigma)).square().sum(-1).div(2),
    start: Array.from({ length: dimensions }, (_, i) => (i % 2 === 0 ? 3 : -2)),
    minima: [new Array<number>(dimensions).fill(0)],
    least: 0,
    view: [
      [-4, 4],
      [-4, 4],
    ],
  };
}
