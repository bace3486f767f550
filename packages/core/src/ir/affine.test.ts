import { describe, expect, it } from "vitest";
import { affineIn, dependsOnAxis } from "./affine.js";
import * as c from "./calculus.js";
import { axisIndex, axisSize, constant, type Expr, load, param } from "./expr.js";

const [i, j] = [axisIndex(0), axisIndex(1)];
const p = param(0, "i32");

/** The value of an integer expression without loads. */
function integerOf(e: Expr, axes: readonly number[]): number {
  switch (e.kind) {
    case "const":
      return e.value;
    case "axis":
      return axes[e.axis] as number;
    case "size":
      return 10 + e.axis;
    case "param":
      return 7;
    case "op": {
      const [a, b] = e.args.map((arg) => integerOf(arg, axes)) as [number, number];
      return e.op === "add" ? a + b : e.op === "sub" ? a - b : a * b;
    }
    default:
      throw new Error(e.kind);
  }
}

describe("affineIn", () => {
  it.each<[string, Expr]>([
    ["the axis", i],
    ["a constant", constant(3, "i32")],
    ["row-major", c.add(c.mul(j, axisSize(0)), i)],
    ["run-time strides", c.add(c.mul(i, p), c.mul(p, j))],
    ["a difference", c.sub(c.sub(axisSize(0), 1), i)],
    ["nested products", c.mul(c.mul(c.add(i, j), p), 3)],
    ["twice the axis", c.add(i, i)],
  ])("splits %s into base and stride", (_, index) => {
    const { base, stride } = affineIn(index, 0) as NonNullable<ReturnType<typeof affineIn>>;
    expect(dependsOnAxis(base, 0)).toBe(false);
    expect(dependsOnAxis(stride, 0)).toBe(false);
    for (const axes of [
      [0, 0],
      [1, 4],
      [5, 2],
    ] as const) {
      expect(integerOf(base, axes) + integerOf(stride, axes) * axes[0]).toBe(integerOf(index, axes));
    }
  });

  it.each<[string, Expr]>([
    ["a square", c.mul(i, i)],
    ["a quotient", c.idiv(i, 2)],
    ["a remainder", c.add(j, c.imod(i, 2))],
    ["a loaded index", load(0, "i32", i)],
    ["a negation", c.neg(i)],
  ])("gives up on %s", (_, index) => {
    expect(affineIn(index, 0)).toBeUndefined();
  });

  it("takes whatever does not depend on the axis as the base", () => {
    const index = c.add(load(0, "i32", c.idiv(j, 2)), i);
    expect(affineIn(index, 0)?.base).toEqual(load(0, "i32", c.idiv(j, 2)));
    expect(affineIn(index, 0)?.stride).toEqual(constant(1, "i32"));
  });
});
