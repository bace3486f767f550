import { calculus as c, type Expr } from "@gradus/core";
import { number } from "./format.js";

/** `factors[0] x^n + .. + factors[n]` */
export function polynomial(x: Expr, [first, ...rest]: readonly number[]): Expr {
  return rest.reduce<Expr>((y, factor) => c.add(c.mul(y, x), factor), number(first as number, x));
}

/** `f(0) + f(1) x + .. + f(count - 1) x^(count - 1)`: a Taylor series. */
export function series(x: Expr, count: number, f: (k: number) => number): Expr {
  return polynomial(
    x,
    Array.from({ length: count }, (_, k) => f(count - 1 - k)),
  );
}

export function factorial(n: number): number {
  return n < 2 ? 1 : n * factorial(n - 1);
}

/* A number of twice the bits is the sum of two, the second of which is what rounding to the first has lost. */

export type Double = readonly [high: Expr, low: Expr];

/** `a + b` (Knuth). */
export function twoSum(a: Expr, b: Expr): Double {
  const sum = c.add(a, b);
  const part = c.sub(sum, a);
  return [sum, c.add(c.sub(a, c.sub(sum, part)), c.sub(b, part))];
}

/** `a + b`, if a is the greater (Dekker). */
export function quickTwoSum(a: Expr, b: Expr): Double {
  const sum = c.add(a, b);
  return [sum, c.sub(b, c.sub(sum, a))];
}

/** The upper 26 bits of an f64, and the others (Veltkamp). */
export function halves(x: Expr): Double {
  const large = c.mul(x, 2 ** 27 + 1);
  const high = c.sub(large, c.sub(large, x));
  return [high, c.sub(x, high)];
}

/** `a b` (Dekker). */
export function twoProduct(a: Expr, b: Expr): Double {
  const product = c.mul(a, b);
  const [[a1, a2], [b1, b2]] = [halves(a), halves(b)];
  const rest = c.add(c.add(c.sub(c.mul(a1, b1), product), c.mul(a1, b2)), c.mul(a2, b1));
  return [product, c.add(rest, c.mul(a2, b2))];
}
