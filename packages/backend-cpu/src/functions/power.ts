import { calculus as c, type Expr } from "@gradus/core";
import { expOfSum } from "./exponentials.js";
import { atLeast, atMost, formatOf, instruction, masked, number } from "./format.js";
import type { LaneProgram } from "./lane-program.js";
import { fractionOf } from "./logarithms.js";
import { type Double, quickTwoSum, series, twoProduct, twoSum } from "./sums.js";

/** Powers of f32: the logarithm of an f64 has bits enough. */
export const powerOfSingles: LaneProgram = (_, x, y) =>
  power(x, y, (base, exponent) => [c.mul(exponent, c.log(base)), number(0, x)]);

/** Powers of f64: an exponent of up to 1024 costs the logarithm's last ten bits, so it is computed with more. */
export const powerOfDoubles: LaneProgram = (_, x, y) =>
  power(x, y, (base, exponent) => {
    const [high, low] = accurateLog(base);
    const edge = c.where(c.equal(base, 0), number(-Infinity, x), base);
    const isInside = c.logicalAnd(c.greater(base, 0), c.less(base, Infinity));
    const product = c.mul(exponent, c.where(isInside, high, edge));
    const rest = c.add(twoProduct(exponent, high)[1], c.mul(exponent, low));
    return [product, c.where(c.logicalAnd(isInside, c.less(c.abs(product), 2000)), rest, 0)];
  });

/** `x^y`, as C has it. `logarithm` gives `exponent log(base)` in two parts. */
function power(x: Expr, y: Expr, logarithm: (base: Expr, exponent: Expr) => Double): Expr {
  // Larger exponents give nothing else, and no products that overflow.
  const exponent = atMost(atLeast(y, -(2 ** 70)), 2 ** 70);
  const [high, low] = logarithm(c.abs(x), exponent);
  const magnitude = expOfSum(high, low);
  const half = c.mul(y, 0.5);
  const isWhole = c.equal(c.floor(y), y);
  const isOdd = c.logicalAnd(isWhole, c.logicalNot(c.equal(c.floor(half), half)));
  const signed = instruction("bitsXor", magnitude, c.where(isOdd, masked(x, -0), 0));
  const isUndefined = c.logicalAnd(
    c.logicalAnd(c.less(x, 0), c.greater(x, -Infinity)),
    c.logicalNot(isWhole),
  );
  const isOne = c.logicalOr(c.equal(x, 1), c.equal(y, 0));
  return c.where(isOne, number(1, x), c.where(isUndefined, Number.NaN, c.where(c.equal(y, y), signed, y)));
}

const THIRD_LOW = 1.850371707708594e-17;

/** The logarithm of a positive f64, to about 65 bits: `e ln 2 + 2 artanh(f / (2 + f))`. */
function accurateLog(x: Expr): Double {
  const { e, f } = fractionOf(x);
  const [d, dLow] = quickTwoSum(number(2, x), f);
  const s = c.div(f, d);
  const [p, pLow] = twoProduct(s, d);
  const sLow = c.div(c.sub(c.sub(c.sub(f, p), pLow), c.mul(s, dLow)), d);
  const [z, zRest] = twoProduct(s, s);
  const zLow = c.add(zRest, c.mul(c.mul(s, 2), sLow));
  // artanh(s) = s + s z (1/3 + z / 5 + ..)
  const higher = c.mul(
    z,
    series(z, 10, (k) => 1 / (2 * k + 5)),
  );
  const [q, qRest] = quickTwoSum(number(1 / 3, x), higher);
  const [zq, zqRest] = twoProduct(z, q);
  const zqLow = c.add(zqRest, c.add(c.mul(z, c.add(qRest, THIRD_LOW)), c.mul(zLow, q)));
  const [t, tRest] = twoProduct(s, zq);
  const tLow = c.add(tRest, c.add(c.mul(s, zqLow), c.mul(sLow, zq)));
  const [h, hRest] = quickTwoSum(s, t);
  const hLow = c.add(hRest, c.add(sLow, tLow));
  const [high, low] = formatOf(x).ln2;
  const [sum, sumRest] = twoSum(c.mul(e, high), c.add(h, h));
  return quickTwoSum(sum, c.add(sumRest, c.add(c.add(hLow, hLow), c.mul(e, low))));
}
