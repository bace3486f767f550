import { describe, expect, it } from "vitest";
import * as c from "./calculus.js";
import { axisIndex, cast, constant, input, load, postOrder, substitute } from "./expr.js";

describe("expressions", () => {
  it("constants are values of their dtype", () => {
    expect(constant(0.1, "f32")).toMatchObject({ value: Math.fround(0.1) });
    expect(constant(1.9, "i32")).toMatchObject({ value: 1 });
    expect(constant(5, "bool")).toMatchObject({ value: 1 });
  });

  it("cast does nothing where nothing changes, and folds constants", () => {
    const x = input(0, "f32");
    expect(cast(x, "f32")).toBe(x);
    expect(cast(constant(1.5, "f32"), "i32")).toEqual(constant(1, "i32"));
    expect(cast(x, "i32")).toEqual({ kind: "cast", value: x, dtype: "i32" });
  });

  it("postOrder visits each object once, children first", () => {
    const x = input(0, "f64");
    const shared = c.exp(x);
    const root = c.mul(shared, shared);
    expect(postOrder([root, shared])).toEqual([x, shared, root]);
  });

  it("substitute replaces leaves, in loads and guards too, and keeps what is shared", () => {
    const x = input(0, "i32");
    const shared = c.add(x, 1);
    const guarded = load(0, "f64", shared, c.less(shared, 5), 2);
    const replaced = substitute(c.mul(guarded, guarded), (e) => (e === x ? axisIndex(3) : undefined));
    const index = c.add(axisIndex(3), 1);
    const expected = load(0, "f64", index, c.less(index, 5), 2);
    expect(replaced).toEqual(c.mul(expected, expected));
    expect(replaced.kind === "op" && replaced.args[0] === replaced.args[1]).toBe(true);
    expect(postOrder([replaced]).filter((e) => e.kind === "axis")).toHaveLength(1);
  });

  it("substitute gives back the very expression if nothing was replaced", () => {
    const e = c.where(c.less(input(0, "f64"), 0), cast(input(1, "f32"), "f64"), load(0, "f64", axisIndex(0)));
    expect(substitute(e, () => undefined)).toBe(e);
  });
});

describe("the builders", () => {
  const x = input(0, "f64");
  const i = input(0, "i32");

  it("give numbers the dtype of the expression beside them", () => {
    expect(c.add(x, 0.5)).toEqual({ kind: "op", op: "add", args: [x, constant(0.5, "f64")], dtype: "f64" });
    expect(c.less(1, i)).toEqual({ kind: "op", op: "lt", args: [constant(1, "i32"), i], dtype: "bool" });
  });

  it("fold integers, wrapping", () => {
    expect(c.add(constant(2147483647, "i32"), 1)).toEqual(constant(-2147483648, "i32"));
    expect(c.mul(constant(3, "i32"), 4)).toEqual(constant(12, "i32"));
    expect(c.sub(constant(3, "i32"), 4)).toEqual(constant(-1, "i32"));
  });

  it("leave out integer zeros and ones", () => {
    expect(c.add(i, 0)).toBe(i);
    expect(c.mul(1, i)).toBe(i);
    expect(c.mul(i, 0)).toEqual(constant(0, "i32"));
    expect(c.sub(i, 0)).toBe(i);
    expect(c.idiv(i, 1)).toBe(i);
  });

  it("keep what is not exact for all floats: -0 + 0 is 0, and NaN * 0 is NaN", () => {
    expect(c.add(x, 0)).not.toBe(x);
    expect(c.mul(x, 0).kind).toBe("op");
    expect(c.mul(x, 1)).toBe(x);
    expect(c.div(x, 1)).toBe(x);
  });
});
