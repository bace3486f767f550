import type { DType, StageReduction } from "@gradus/core";
import { literal } from "./operations.js";

/** How a stage is combined in WGSL: its running state, and the statements on it. */
export interface Combination {
  /** The type of the values. */
  readonly type: "f32" | "i32";
  readonly identity: string;
  /** A whole number that is carried beside the value, a position or an exponent: what it is at first, and for an element. */
  readonly beside?: { readonly first: string; of(position: string): string };
  /** Joins the state `into`, `intoBeside` with another one, which stands for later elements or others. */
  join(into: string, intoBeside: string, value: string, beside: string): string;
  /** A value of the stage's expression, as one of `type`. */
  enter(value: string): string;
  /** The stage's result. */
  leave(value: string, beside: string): string;
}

const NO_POSITION = "2147483647";

export function combination(op: StageReduction, value: DType): Combination {
  const isFloat = value === "f32";
  const type = isFloat ? "f32" : "i32";
  const enter = (text: string): string => (value === "bool" ? `select(0, 1, ${text})` : text);
  if (op === "argmax" || op === "argmin") {
    const least = op === "argmax" ? (isFloat ? -Infinity : -2147483648) : isFloat ? Infinity : 2147483647;
    return {
      type,
      identity: literal(least, type),
      beside: { first: NO_POSITION, of: (position) => position },
      enter,
      join: (into, intoAt, x, at) =>
        `if (beats_${op}_${type}(${x}, ${at}, ${into}, ${intoAt})) { ${into} = ${x}; ${intoAt} = ${at}; }`,
      leave: (_, position) => `select(${position}, 0, ${position} == ${NO_POSITION})`,
    };
  }
  // A product in any order overflows where the whole does not, so its exponent is kept apart.
  if (op === "prod" && isFloat) {
    return {
      type,
      identity: "1f",
      beside: { first: "0", of: () => "0" },
      enter,
      join: (into, exponent, x, other) =>
        `${exponent} += ${other} + exponent_of(${x});
${into} = ${into} * mantissa_of(${x});
${exponent} += exponent_of(${into});
${into} = mantissa_of(${into});`,
      leave: (mantissa, exponent) => `scale_2(${mantissa}, clamp(${exponent}, -252, 254))`,
    };
  }
  const ends = {
    sum: 0,
    prod: 1,
    max: isFloat ? -Infinity : -2147483648,
    min: isFloat ? Infinity : 2147483647,
  };
  const identity = value === "bool" ? (op === "max" ? 0 : 1) : ends[op];
  const joined = (a: string, b: string): string => {
    if (op === "sum") return `${a} + ${b}`;
    if (op === "prod") return `${a} * ${b}`;
    return isFloat ? `${op}_f32(${a}, ${b})` : `${op}(${a}, ${b})`;
  };
  return {
    type,
    identity: literal(identity, type),
    enter,
    join: (into, _, x) => `${into} = ${joined(into, x)};`,
    leave: (text) => (value === "bool" ? `(${text} != 0)` : text),
  };
}
