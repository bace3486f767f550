import { constant, type Expr } from "@gradus/core";

/** What functions need to know of a kind of floats. */
export interface Format {
  /** Bits of the fraction. */
  readonly bits: number;
  readonly bias: number;
  /** The least number that has all its bits. */
  readonly least: number;
  /** 2^bits: bits of such a number are those of 1 and a whole number. */
  readonly magic: number;
  /** Added to a smaller number it leaves the nearest whole number in the last bits, also of negative ones. */
  readonly rounder: number;
  /** As a number: a one in the last bit. */
  readonly unit: number;
  /** ln 2 in two parts, the first of few bits, so that its products with whole numbers are exact. */
  readonly ln2: readonly [high: number, low: number];
  /** Where the exponential is surely 0 and surely infinite. */
  readonly exponents: readonly [from: number, to: number];
}

const f32: Format = {
  bits: 23,
  bias: 127,
  least: 2 ** -126,
  magic: 2 ** 23,
  rounder: 1.5 * 2 ** 23,
  unit: 2 ** -149,
  ln2: [0.693359375, -2.1219444e-4],
  exponents: [-104, 89],
};

const f64: Format = {
  bits: 52,
  bias: 1023,
  least: 2 ** -1022,
  magic: 2 ** 52,
  rounder: 1.5 * 2 ** 52,
  unit: 2 ** -1074,
  ln2: [0.6931471803691238, 1.9082149292705877e-10],
  exponents: [-746, 710],
};

export function formatOf({ dtype }: Expr): Format {
  return dtype === "f64" ? f64 : f32;
}

/** An instruction that is no operation of kernels (see `instructions.ts`). A number takes the dtype of the first operand. */
export function instruction(op: string, first: Expr, ...rest: (Expr | number)[]): Expr {
  const { dtype } = first;
  const args = [first, ...rest.map((arg) => (typeof arg === "number" ? constant(arg, dtype) : arg))];
  return { kind: "op", op, args, dtype };
}

/** A float's bits, moved; zeros come in. */
export function shifted(x: Expr, direction: "Left" | "Right", bits: number): Expr {
  return instruction(`bitsShift${direction}`, x, constant(bits, "i32"));
}

/** The bits that two floats both have, as a float. A mask is a number with these bits. */
export const masked = (x: Expr, mask: number): Expr => instruction("bitsAnd", x, mask);

/** The greater or lesser of x and a bound; NaN where x is. */
export const atLeast = (x: Expr, bound: number): Expr => instruction("greater", x, bound);
export const atMost = (x: Expr, bound: number): Expr => instruction("lesser", x, bound);

/** A number that is not negative, or has that sign already, with the sign of another. */
export function withSign(magnitude: Expr, x: Expr): Expr {
  return instruction("bitsOr", magnitude, masked(x, -0));
}

/** -1 or 1, also for zeros. */
export function signOf(x: Expr): Expr {
  return withSign(constant(1, x.dtype), x);
}

export const number = (value: number, like: Expr): Expr => constant(value, like.dtype);
