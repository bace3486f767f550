import { calculus as c, type Expr } from "@gradus/core";
import { instruction, masked, withSign } from "./format.js";
import { called, type LaneProgram } from "./lane-program.js";

/** `a` modulo `b`, both positive, b 0 or with all its bits, by long division: each step is exact. By 0 it ends too. */
export const modulus: LaneProgram = (steps, a, b) => {
  const divisor = c.where(c.greater(b, 0), b, Infinity);
  const exponent = (x: Expr): Expr => masked(x, Infinity);
  const [rest] = steps.loop(
    [a],
    ([rest]) => c.logicalAnd(c.greaterEqual(rest as Expr, divisor), c.less(rest as Expr, Infinity)),
    ([rest]) => {
      const up = instruction("bitsSub", exponent(rest as Expr), exponent(divisor));
      const raised = instruction("bitsAdd", divisor, up);
      const isTooLarge = c.greater(raised, rest as Expr);
      return [c.sub(rest as Expr, c.where(isTooLarge, c.mul(raised, 0.5), raised))];
    },
  ) as [Expr];
  return rest;
};

export const fmod: LaneProgram = (steps, x, y) => {
  const [a, b] = [c.abs(x), c.abs(y)];
  const isTiny = c.less(b, 2 ** -900);
  const of = (a: Expr, b: Expr): Expr => called("modulus", a, b);
  const [rest] = steps.choose(isTiny, () => {
    // First by a multiple that has all its bits, then both larger.
    const near = of(a, c.mul(b, 2 ** 100));
    return [c.mul(of(c.mul(near, 2 ** 150), c.mul(b, 2 ** 150)), 2 ** -150)];
  }, [of(a, c.where(isTiny, Infinity, b))]) as [Expr];
  const isDefined = c.logicalAnd(c.less(a, Infinity), c.greater(b, 0));
  return c.where(isDefined, withSign(rest, x), Number.NaN);
};

export const remainder: LaneProgram = (_, x, y) => {
  const rest = called("fmod", x, y);
  const isOther = c.logicalNot(c.equal(c.less(rest, 0), c.less(y, 0)));
  return c.where(c.logicalAnd(isOther, c.logicalNot(c.equal(rest, 0))), c.add(rest, y), rest);
};
