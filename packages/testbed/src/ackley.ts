import type { Challenge } from "./challenge.js";

/**
 * A funnel with ripples: `20 + e - 20 exp(-0.2 sqrt(mean x^2)) - exp(mean cos(2 pi x))`. It has no derivative at its
 * minimum.
 *
 * Source: Ackley, "A Connectionist Machine for Genetic Hillclimbing", 1987.
 */
export function ackley(dimensions = 2): Challenge {
  return {
    name: "Ackley",
    about: "local minima around a funnel, whose tip has no derivative",
    f(x) {
      const funnel = x.square().mean(-1).sqrt().mul(-0.2).exp().mul(-20);
      const ripples = x
        .mul(2 * Math.PI)
        .cos()
        .mean(-1)
        .exp();
      return funnel.sub(ripples).add(20 + Math.E);
    },
    start: Array.from({ length: dimensions }, (_, i) => (i % 2 === 0 ? 2.2 : -1.4)),
    minima: [new Array<number>(dimensions).fill(0)],
    least: 0,
    view: [
      [-4, 4],
      [-4, 4],
    ],
  };
}
