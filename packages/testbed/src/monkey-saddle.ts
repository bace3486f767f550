import { type Challenge, coordinate } from "./challenge.js";

/** A saddle where even the Hessian vanishes: `x^3 - 3 x y^2`. It falls without end. */
export const monkeySaddle: Challenge = {
  name: "monkey saddle",
  about: "a saddle whose Hessian is zero",
  f(p) {
    const [x, y] = [coordinate(p, 0), coordinate(p, 1)];
    return x.mul(x.square().sub(y.square().mul(3)));
  },
  start: [0.01, 0],
  minima: [],
  least: -Infinity,
  saddles: [[0, 0]],
  view: [
    [-1.5, 1.5],
    [-1.5, 1.5],
  ],
};

/** The monkey saddle on the floor of a wide bowl, `x^3 - 3 x y^2 + 0.1 (x^4 + y^4)`: three minima lie around it. */
export const boundedMonkeySaddle: Challenge = {
  name: "bounded monkey saddle",
  about: "a saddle whose Hessian is zero, between minima",
  f(p) {
    const bowl = p.square().square().sum(-1).mul(0.1);
    return monkeySaddle.f(p).add(bowl);
  },
  start: [0.01, 0],
  minima: [
    [7.5, Math.sqrt(112.5)],
    [7.5, -Math.sqrt(112.5)],
  ],
  least: -527.34375,
  localMinima: [[-7.5, 0]],
  saddles: [[0, 0]],
  view: [
    [-12, 12],
    [-14, 14],
  ],
};
