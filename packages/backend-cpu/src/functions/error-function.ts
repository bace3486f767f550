import { calculus as c, type Expr } from "@gradus/core";
import { expOfSum } from "./exponentials.js";
import { formatOf, number, shifted, withSign } from "./format.js";
import { called, type LaneProgram } from "./lane-program.js";
import { factorial, polynomial, series } from "./sums.js";

/** `e^(-a^2 factor)`: the square in two parts, since rounding it would cost many units. */
function expOfSquare(a: Expr, factor: number): Expr {
  const half = Math.ceil((formatOf(a).bits + 1) / 2);
  const high = shifted(shifted(a, "Right", half), "Left", half);
  const square = c.mul(a, a);
  const rest = c.add(c.sub(c.mul(high, high), square), c.mul(c.sub(a, high), c.add(a, high)));
  return expOfSum(c.mul(square, -factor), c.mul(rest, -factor));
}

/** erf below 1/2, by its Taylor series. */
function nearZero(x: Expr): Expr {
  const z = c.mul(x, x);
  const term = (k: number): number => ((2 / Math.sqrt(Math.PI)) * (-1) ** k) / (factorial(k) * (2 * k + 1));
  return c.mul(x, series(z, x.dtype === "f32" ? 6 : 13, term));
}

const BORDER = 0.5;

/** `erfc(a)` above 1/2, given `exp(-a^2)`. */
function tail(a: Expr, exponential: Expr): Expr {
  const { shift, factors } = a.dtype === "f32" ? SINGLE_TAIL : DOUBLE_TAIL;
  const q = c.reciprocal(c.add(a, shift));
  const t = c.mul(c.sub(a, shift), q);
  return c.mul(exponential, c.mul(polynomial(t, factors), q));
}

/**
 * Chebyshev interpolation of `exp(a^2) erfc(a) (a + shift)` by `(a - shift) / (a + shift)`, for a between 0.5 and 10.5
 * (f32, to 5e-9) or 28 (f64, to 4e-18, before rounding).
 */
const SINGLE_TAIL = {
  shift: 2.5,
  factors: [
    ...[5.9620703e-4, -3.91722018e-4, -4.78154072e-3, 8.37824735e-3, 0.0283562908, -0.17124937, 0.453914364],
    ...[-0.804651908, 1.05403182],
  ],
};
const DOUBLE_TAIL = {
  shift: 3,
  factors: [
    ...[-6.51096001e-9, -2.77634621e-9, 4.890567107e-8, 4.756155738e-8, -2.3290737313e-7, -4.0851735876e-7],
    ...[9.98985167e-7, 2.76538385297e-6, -4.74940124852e-6, -1.747048604527e-5, 3.039823616524e-5],
    ...[
      1.075614571151e-4, -2.7677786167083e-4, -5.4830968676293e-4, 3.03406200295605e-3, -1.2124166276355e-3,
    ],
    ...[-0.02682723462458206, 0.11952776128730747, -0.3104672619005649, 0.5902283571041016],
    ...[-0.8833944531698836, 1.0740069070883398],
  ],
};

export function erf(x: Expr): Expr {
  const a = c.abs(x);
  const large = c.sub(1, tail(a, expOfSquare(a, 1)));
  return c.where(c.less(a, BORDER), nearZero(x), withSign(c.where(c.greater(a, 7), 1, large), x));
}

function erfcOf(x: Expr, exponential: Expr): Expr {
  const a = c.abs(x);
  const far = c.where(c.greater(a, 28), 0, tail(a, exponential));
  return c.where(c.less(a, BORDER), c.sub(1, nearZero(x)), c.where(c.less(x, 0), c.sub(2, far), far));
}

export function erfc(x: Expr): Expr {
  return erfcOf(x, expOfSquare(c.abs(x), 1));
}

/** `x erfc(-x / sqrt(2)) / 2`, whose exponential is that of `x^2 / 2`. */
export function gelu(x: Expr): Expr {
  const upper = erfcOf(c.mul(x, -Math.SQRT1_2), expOfSquare(c.abs(x), 0.5));
  return c.mul(c.mul(x, 0.5), upper);
}

/** From Winitzki's approximation by two steps of Halley's method, each of which triples the digits. */
export const erfinv: LaneProgram = (_, x) => {
  const a = c.abs(x);
  const logarithm = c.log1p(c.neg(c.mul(a, a)));
  const half = c.add(c.mul(logarithm, 0.5), 2 / (Math.PI * 0.147));
  const root = c.sqrt(c.sub(c.mul(half, half), c.mul(logarithm, 1 / 0.147)));
  const halfRoot = Math.sqrt(Math.PI) / 2;
  let y = c.where(c.less(a, 0.1), c.mul(a, halfRoot), c.sqrt(c.sub(root, half)));
  for (let step = 0; step < 2; step++) {
    // Near 1, by what is left to 1.
    const error = c.where(c.less(a, 0.5), c.sub(c.erf(y), a), c.sub(c.sub(1, a), called("erfc", y)));
    const newton = c.mul(c.mul(error, halfRoot), c.exp(c.mul(y, y)));
    y = c.sub(y, c.div(newton, c.add(c.mul(y, newton), 1)));
  }
  const inside = c.where(c.less(a, 1), y, c.where(c.equal(a, 1), number(Infinity, x), Number.NaN));
  return withSign(inside, x);
};
