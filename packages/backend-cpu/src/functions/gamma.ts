import { calculus as c, type Expr, scalarOps } from "@gradus/core";
import { number } from "./format.js";
import { called, type LaneProgram } from "./lane-program.js";
import { factorial, series } from "./sums.js";

/** From here on the asymptotic series are exact. */
const LARGE = 10;

/** B(2), B(4), .. */
const BERNOULLI = [
  ...[1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510, 43867 / 798],
  -174611 / 330,
];

/** The sum of `B(2k) f(k) t^k` for k >= 1. */
function bernoulliSeries(t: Expr, f: (k: number) => number): Expr {
  return c.mul(
    t,
    series(t, BERNOULLI.length, (k) => (BERNOULLI[k] as number) * f(k + 1)),
  );
}

/** What is left of the nearest whole number, and how far that is from the middle between two. */
function aroundWhole(x: Expr): { readonly rest: Expr; readonly size: Expr } {
  const rest = c.sub(x, called("round", x));
  return { rest, size: c.abs(rest) };
}

const sineOf = (turns: Expr): Expr => c.sin(c.mul(turns, Math.PI));

/** `log Gamma(2 + z)` for |z| <= 1/2, by its Taylor series. */
function around2(z: Expr): Expr {
  const derivative = (k: number): number => scalarOps.polygamma.value(2, k) / factorial(k + 1);
  return c.mul(
    z,
    series(z, 27, (k) => derivative(k)),
  );
}

export const lgamma: LaneProgram = (steps, x) => {
  const isReflected = c.less(x, 0.5);
  const y = c.where(isReflected, c.sub(1, x), x);
  // Down to between 1.5 and 2.5: Gamma(x) = (x - 1) Gamma(x - 1).
  const [rest, product] = steps.loop(
    [y, number(1, x)],
    ([rest]) => c.logicalAnd(c.greater(rest as Expr, 2.5), c.less(y, LARGE)),
    ([rest, product]) => {
      const below = c.sub(rest as Expr, 1);
      return [below, c.mul(product as Expr, below)];
    },
  ) as [Expr, Expr];
  const isBelow = c.less(y, 1.5);
  const logarithm = c.log(c.where(isBelow, y, product));
  const near = c.add(
    around2(c.where(isBelow, c.sub(y, 1), c.sub(rest, 2))),
    c.where(isBelow, c.neg(logarithm), logarithm),
  );
  const [positive] = steps.choose(c.greaterEqual(y, LARGE), () => {
    const q = c.reciprocal(y);
    const correction = c.mul(
      bernoulliSeries(c.mul(q, q), (k) => 1 / (2 * k * (2 * k - 1))),
      y,
    );
    const stirling = c.sub(c.mul(c.sub(y, 0.5), c.log(y)), y);
    return [c.add(c.add(stirling, Math.log(2 * Math.PI) / 2), correction)];
  }, [near]) as [Expr];
  const [value] = steps.choose(isReflected, () => {
    const sine = c.abs(sineOf(aroundWhole(x).rest));
    return [c.sub(c.sub(Math.log(Math.PI), c.log(sine)), positive)];
  }, [positive]) as [Expr];
  const size = c.abs(x);
  return c.where(c.equal(size, Infinity), size, value);
};

export const digamma: LaneProgram = (steps, x) => {
  const isReflected = c.less(x, 0);
  const y = c.where(isReflected, c.sub(1, x), x);
  const [at, shift] = steps.loop(
    [y, number(0, x)],
    ([at]) => c.less(at as Expr, LARGE),
    ([at, shift]) => [c.add(at as Expr, 1), c.add(shift as Expr, c.reciprocal(at as Expr))],
  ) as [Expr, Expr];
  const q = c.reciprocal(at);
  const tail = c.add(
    c.mul(q, 0.5),
    bernoulliSeries(c.mul(q, q), (k) => 1 / (2 * k)),
  );
  const positive = c.sub(c.sub(c.log(at), tail), shift);
  const [value] = steps.choose(isReflected, () => {
    const { rest, size } = aroundWhole(x);
    const cotangent = c.div(sineOf(c.sub(0.5, size)), sineOf(rest));
    return [c.where(c.equal(rest, 0), Number.NaN, c.sub(positive, c.mul(cotangent, Math.PI)))];
  }, [positive]) as [Expr];
  return c.where(c.equal(x, 0), c.neg(c.reciprocal(x)), c.where(c.equal(x, Infinity), x, value));
};

/** Hurwitz's zeta function, the sum of (q + k)^-s over k >= 0, for s > 1 and q >= 0 (Euler and Maclaurin's formula). */
export const zeta: LaneProgram = (steps, s, q) => {
  const power = (x: Expr): Expr => c.pow(x, c.neg(s));
  const [at, sum] = steps.loop(
    [q, number(0, q), number(0, q)],
    ([, , k]) => c.less(k as Expr, LARGE),
    ([at, sum, k]) => [c.add(at as Expr, 1), c.add(sum as Expr, power(at as Expr)), c.add(k as Expr, 1)],
  ) as [Expr, Expr, Expr];
  const step = c.reciprocal(at);
  const square = c.mul(step, step);
  // s (s + 1) .. (s + 2k - 2) / (2k)! at^-2k
  let term = c.mul(c.mul(s, 0.5), square);
  let tail: Expr = number(0, q);
  BERNOULLI.forEach((b, i) => {
    const k = i + 1;
    tail = c.add(tail, c.mul(term, b));
    const factors = c.mul(c.add(s, 2 * k - 1), c.add(s, 2 * k));
    term = c.mul(term, c.mul(c.mul(factors, 1 / ((2 * k + 1) * (2 * k + 2))), square));
  });
  const rest = c.add(c.add(c.div(at, c.sub(s, 1)), 0.5), c.mul(tail, at));
  return c.add(sum, c.mul(power(at), rest));
};

/** `(-1)^(n + 1) n! zeta(n + 1, x)`; for negative x by zeta of what is left of whole numbers, on both sides. */
export const polygamma: LaneProgram = (steps, x, order) => {
  const n = c.floor(c.add(order, 0.5));
  const s = c.add(n, 1);
  const zetaOf = (q: Expr): Expr => called("zeta", s, q);
  const [product] = steps.loop(
    [number(1, x), number(1, x)],
    // 171! is infinite.
    ([, k]) => c.logicalAnd(c.lessEqual(k as Expr, n), c.less(k as Expr, 172)),
    ([product, k]) => [c.mul(product as Expr, k as Expr), c.add(k as Expr, 1)],
  ) as [Expr, Expr];
  const half = c.mul(n, 0.5);
  const isOdd = c.logicalNot(c.equal(c.floor(half), half));
  const sign = c.where(isOdd, number(1, x), -1);
  const isPositive = c.greater(x, 0);
  const [sum] = steps.choose(c.logicalNot(isPositive), () => {
    const above = c.sub({ kind: "op", op: "ceil", args: [x], dtype: x.dtype }, x);
    const below = c.sub(x, c.floor(x));
    const sides = c.add(zetaOf(below), c.mul(sign, zetaOf(above)));
    const pole = c.where(isOdd, number(Infinity, x), Number.NaN);
    const inside = c.where(c.equal(below, 0), pole, c.sub(sides, c.mul(sign, zetaOf(c.sub(1, x)))));
    return [c.where(c.greater(n, 170), Number.NaN, inside)];
  }, [zetaOf(c.where(isPositive, x, 1))]) as [Expr];
  const value = c.mul(c.mul(sign, product), sum);
  const [first] = steps.choose(c.equal(n, 0), () => [c.digamma(x)], [
    c.where(c.equal(x, Infinity), 0, value),
  ]) as [Expr];
  return c.where(c.greaterEqual(n, 0), first, Number.NaN);
};
