import { calculus as c, type Expr, fail, isFloat, type Operand, type Tensor } from "@gradus/core";
import { pointwise } from "../elementwise.js";

/**
 * The quotient as a whole number, rounded down (`"floor"`, Python's `//`) or towards zero (`"trunc"`). Integers stay integers;
 * their quotient by zero is 0. The gradient is 0.
 *
 * Floats are rounded as if the division were exact: `1 / 0.1` is 10, but the greatest whole multiple of 0.1 (which is a little
 * more than a tenth) is 9.
 *
 * @throws `invalid-argument` for another way of rounding.
 *
 * Source: PyTorch's `div` with `rounding_mode`, `floor_divide`.
 *
 * @example
 * ```ts
 * import { divideRounded, tensor } from "@gradus/tensor";
 * console.log(divideRounded(tensor([7, -7]), 2, "floor")); // → Tensor f32[2] [3, -4]
 * console.log(divideRounded(tensor([7, -7]), 2, "trunc")); // → Tensor f32[2] [3, -3]
 * ```
 */
export function divideRounded(a: Tensor, b: Operand, rounding: "floor" | "trunc"): Tensor {
  if (rounding !== "floor" && rounding !== "trunc")
    fail("invalid-argument", `divideRounded: rounding must be "floor" or "trunc", got ${String(rounding)}`);
  return pointwise(`divideRounded ${rounding}`, "number", [a, b], (x, y) => {
    if (!isFloat(x.dtype)) return rounding === "trunc" ? c.idiv(x, y) : floorOfIntegers(x, y);
    if (rounding === "trunc") return c.trunc(c.div(x, y));
    // By zero: infinity or NaN, with a gradient of 0 all the same.
    const remainder: Expr = { kind: "op", op: "remainder", args: [x, y], dtype: x.dtype };
    const exact: Expr = { kind: "op", op: "round", args: [c.div(c.sub(x, remainder), y)], dtype: x.dtype };
    return c.where(c.equal(y, 0), c.floor(c.div(x, y)), exact);
  });
}

function floorOfIntegers(x: Expr, y: Expr): Expr {
  const quotient = c.idiv(x, y);
  const apart = c.logicalAnd(
    c.logicalNot(c.equal(c.imod(x, y), 0)),
    c.logicalNot(c.equal(c.sign(x), c.sign(y))),
  );
  return c.where(apart, c.sub(quotient, 1), quotient);
}
