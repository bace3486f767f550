import { calculus as c, type Expr } from "@gradus/core";
import { atLeast, formatOf, instruction, masked, number, shifted, signOf, withSign } from "./format.js";
import { called, type LaneProgram, type LaneSteps } from "./lane-program.js";
import { factorial, halves, polynomial, series, twoProduct, twoSum } from "./sums.js";
import { DIGIT_BITS } from "./turn-digits.js";

const round = (x: Expr): Expr => called("round", x);
const isNot = (x: Expr): Expr => c.logicalNot(c.equal(x, x));

/** Of the sine and cosine of what is left of an angle, the one for so many quarter turns, with its sign. */
function ofQuarter(quarters: Expr, sinus: Expr, cosinus: Expr): Expr {
  const { bits, bias, rounder, unit } = formatOf(quarters);
  const whole = c.add(quarters, rounder);
  const isEven = c.equal(masked(whole, unit), 0);
  // The second last bit becomes the sign.
  const sign = shifted(masked(whole, 2 * unit), "Left", bits + Math.log2(bias + 1));
  return instruction("bitsXor", c.where(isEven, sinus, cosinus), sign);
}

/** Quarter turns in three parts, of which the first two have few bits. */
type Parts = readonly [high: number, middle: number, low: number];
const SINGLE_QUARTER: Parts = [1.5703125, 4.8375129699707e-4, 7.549789954891882e-8];
const DOUBLE_QUARTER: Parts = [1.5707963267341256, 6.077100506303966e-11, 2.0222662487959506e-21];

/** f32 of up to this size are computed as such, with polynomials of the Cephes library (S. Moshier); others as f64. */
const MANY_TURNS = 1024;

function single(name: string, from: number): LaneProgram {
  return (steps, x) => {
    const n = round(c.mul(x, 2 / Math.PI));
    const [high, middle, low] = SINGLE_QUARTER;
    const r = c.sub(c.sub(c.sub(x, c.mul(n, high)), c.mul(n, middle)), c.mul(n, low));
    const z = c.mul(r, r);
    const odd = c.mul(polynomial(z, [-1.9515295891e-4, 8.3321608736e-3, -0.16666654611]), z);
    const even = c.mul(
      polynomial(z, [2.443315711809948e-5, -1.388731625493765e-3, 4.166664568298827e-2]),
      c.mul(z, z),
    );
    const sinus = c.add(c.mul(odd, r), r);
    const cosinus = c.add(c.sub(even, c.mul(z, 0.5)), 1);
    const near = ofQuarter(from === 0 ? n : c.add(n, from), sinus, cosinus);
    // The sine of -0 is -0.
    const value = from === 0 ? c.where(c.less(c.abs(x), 2 ** -13), x, near) : near;
    return steps.choose(c.greater(c.abs(x), MANY_TURNS), () => [called(`wide ${name}`, x)], [
      value,
    ])[0] as Expr;
  };
}

export const singleSin = single("sin", 0);
export const singleCos = single("cos", 1);

function double(from: number): LaneProgram {
  return (steps, x) => {
    const [n, r, low] = quarterTurns(steps, x);
    const z = c.mul(r, r);
    const half = c.mul(z, 0.5);
    const odd = series(z, 8, (k) => (-1) ** (k + 1) / factorial(2 * k + 3));
    const even = series(z, 7, (k) => (-1) ** k / factorial(2 * k + 4));
    const sinus = c.add(r, c.add(c.mul(c.mul(z, r), odd), low));
    const most = c.sub(1, half);
    const lost = c.sub(c.sub(1, most), half);
    const cosinus = c.add(most, c.add(lost, c.sub(c.mul(c.mul(z, z), even), c.mul(r, low))));
    const value = ofQuarter(from === 0 ? n : c.add(n, from), sinus, cosinus);
    return from === 0 ? c.where(c.equal(x, 0), x, value) : value;
  };
}

export const sin = double(0);
export const cos = double(1);

/** The nearest number of quarter turns (or one of the same remainder by 4), and what is left, in two parts. */
function quarterTurns(steps: LaneSteps, x: Expr): [n: Expr, r: Expr, low: Expr] {
  const n = round(c.mul(x, 2 / Math.PI));
  const [first, second, third] = DOUBLE_QUARTER;
  const left = c.sub(x, c.mul(n, first));
  const next = c.mul(n, second);
  const r = c.sub(left, next);
  const low = c.sub(c.mul(n, third), c.sub(c.sub(left, r), next));
  const high = c.sub(r, low);
  return steps.choose(c.greater(c.abs(x), 2 ** 20), () => manyQuarterTurns(steps, x), [
    n,
    high,
    c.sub(c.sub(r, high), low),
  ]) as [Expr, Expr, Expr];
}

/**
 * The same for angles of every size (Payne and Hanek): the product with 1 / 2 pi, of which only those digits count that neither
 * make whole turns nor are too small.
 */
function manyQuarterTurns(steps: LaneSteps, x: Expr): [n: Expr, r: Expr, low: Expr] {
  const { least, unit, magic, rounder, bits, bias } = formatOf(x);
  const exponent = c.sub(instruction("bitsOr", shifted(c.abs(x), "Right", bits), magic), magic + bias);
  const parts = halves(instruction("bitsOr", masked(x, unit - least), 1));
  const first = atLeast(c.floor(c.mul(c.sub(exponent, bits), 1 / DIGIT_BITS)), 0);
  const power = c.sub(exponent, c.mul(c.add(first, 1), DIGIT_BITS));
  const scale = shifted(c.add(power, rounder + bias), "Left", bits);
  const zero = number(0, x);
  const [, , a, b, d] = steps.loop(
    [zero, scale, zero, zero, zero],
    ([k]) => c.less(k as Expr, 9),
    ([k, scale, ...sum]) => {
      const digits = c.mul(called("turnDigits", c.add(first, k as Expr)), scale as Expr);
      let [a, b, d] = sum as [Expr, Expr, Expr];
      for (const part of parts) {
        const turns = c.mul(part, digits);
        let lost: Expr;
        [a, lost] = twoSum(a, c.sub(turns, round(turns)));
        [b, lost] = twoSum(b, lost);
        d = c.add(d, lost);
      }
      return [c.add(k as Expr, 1), c.mul(scale as Expr, 2 ** -DIGIT_BITS), a, b, d];
    },
  ) as [Expr, Expr, Expr, Expr, Expr];
  const quarters = round(c.mul(a, 4));
  const [turn, rest] = twoSum(c.sub(a, c.mul(quarters, 0.25)), b);
  const [high, low] = twoProduct(turn, number(2 * Math.PI, x));
  const lost = c.add(c.mul(turn, TURN_LOW), c.mul(c.add(rest, d), 2 * Math.PI));
  // NaN for what is infinite.
  return [quarters, c.add(high, c.sub(x, x)), c.add(low, lost)];
}

/** What is left of 2 pi. */
const TURN_LOW = 2.4492935982947064e-16;

/** The arc tangent of `y / x`, in the quadrant of the point. */
export const atan2: LaneProgram = (_, y, x) => {
  const [a, b] = [c.abs(y), c.abs(x)];
  const most = c.maximum(a, b);
  const shrink = c.where(c.greater(most, 2 ** 1000), number(0.5, x), 1);
  const [p, q] = [c.mul(c.minimum(a, b), shrink), c.mul(most, shrink)];
  const isFar = c.logicalOr(c.greater(p, c.mul(q, Math.SQRT2 - 1)), c.equal(p, Infinity));
  const tangent = c.div(c.where(isFar, c.sub(p, q), p), c.where(isFar, c.add(p, q), q));
  const t = c.where(c.equal(p, q), 0, tangent);
  const z = c.mul(t, t);
  const small = c.mul(
    c.mul(t, z),
    series(z, 20, (k) => (-1) ** (k + 1) / (2 * k + 3)),
  );
  const low = c.where(isFar, number(PI_LOW / 4, x), 0);
  const octant = c.add(c.where(isFar, number(Math.PI / 4, x), 0), c.add(t, c.add(small, low)));
  const from = (end: number, angle: Expr): Expr => c.sub(end * Math.PI, c.sub(angle, end * PI_LOW));
  const quadrant = c.where(c.greater(a, b), from(0.5, octant), octant);
  const half = c.where(c.less(signOf(x), 0), from(1, quadrant), quadrant);
  return c.where(c.logicalOr(isNot(x), isNot(y)), c.add(x, y), withSign(half, y));
};

/** What is left of pi. */
const PI_LOW = 1.2246467991473532e-16;

const sideOf = (x: Expr): Expr => c.sqrt(c.mul(c.sub(1, x), c.add(x, 1)));
export const asin = (x: Expr): Expr => c.atan2(x, sideOf(x));
export const acos = (x: Expr): Expr => c.atan2(sideOf(x), x);
export const atan = (x: Expr): Expr => c.atan2(x, 1);
