import { isGradusError, scalar, scalarOp, scalarOps } from "@gradus/core";
import { describe, expect, it } from "vitest";
import { tensor, where } from "../index.js";

describe("elementwise operations", () => {
  it("broadcast as in NumPy, from the right", () => {
    const column = tensor([[1], [2]]);
    const row = tensor([10, 20, 30]);
    expect(column.add(row).toArray()).toEqual([
      [11, 21, 31],
      [12, 22, 32],
    ]);
  });

  it("name both shapes when they do not broadcast", () => {
    const call = (): unknown => tensor([[1, 2, 3]]).mul(tensor([1, 2]));
    expect(call).toThrow("mul: shapes [1, 3] and [2] do not broadcast: 3 against 2 at axis 1");
    expect(call).toThrow(expect.objectContaining({ code: "shape-mismatch" }));
  });

  it("promote dtypes: bool < i32 < f32 < f64, and numbers do not widen", () => {
    const [bool, i32, f32, f64] = (["bool", "i32", "f32", "f64"] as const).map((dtype) =>
      tensor([1, 0], { dtype }),
    );
    expect(bool?.add(true).dtype).toBe("i32");
    expect(i32?.add(1).dtype).toBe("i32");
    expect(i32?.add(0.5).dtype).toBe("f32");
    expect(i32?.div(2).dtype).toBe("f32");
    expect(f32?.add(0.1).dtype).toBe("f32");
    expect(i32 && f32?.add(i32).dtype).toBe("f32");
    expect(f32 && f64?.add(f32).dtype).toBe("f64");
    expect(i32?.exp().dtype).toBe("f32");
    expect(i32?.lt(1).dtype).toBe("bool");
  });

  it("wrap in i32 and divide by zero to 0", () => {
    const big = tensor([2147483647], { dtype: "i32" });
    expect(big.add(1).item()).toBe(-2147483648);
    expect(big.mul(2).item()).toBe(-2);
    expect(big.idiv(0).item()).toBe(0);
  });

  it("take Scalars, whose value is read at the call", () => {
    expect(tensor([1, 2]).mul(scalar(3)).toArray()).toEqual([3, 6]);
  });

  it("choose with where, whatever is in the other branch", () => {
    const x = tensor([0, 4]);
    expect(where(x.eq(0), 0, x.reciprocal()).toArray()).toEqual([0, 0.25]);
    expect(() => x.where(1, 2)).toThrow("where: the condition must be bool, got f32. Compare first: x.ne(0)");
  });

  it("clamp between bounds, also infinite ones and on integers", () => {
    expect(tensor([-5, 0, 5]).clamp(-1, 1).toArray()).toEqual([-1, 0, 1]);
    const whole = tensor([-5, 5], { dtype: "i32" }).clamp(0, Number.POSITIVE_INFINITY);
    expect(whole.dtype).toBe("i32");
    expect(whole.toArray()).toEqual([0, 5]);
  });

  it("reject operands that are no numbers, with the operand's place", () => {
    // @ts-expect-error: an array is no operand, and JavaScript callers pass one all the same
    expect(() => tensor([1]).add([1])).toThrow(
      "add: operand 1 must be a tensor, a number or a Scalar, got an array",
    );
    // @ts-expect-error: an operand is missing
    expect(() => tensor([1]).add()).toThrow("add: expected 1 operand(s) beside the tensor, got 0");
    expect(() => tensor([1.5]).bitAnd(1)).toThrow("bitAnd: expected i32 operands");
    expect(() => tensor([1]).logicalAnd(true)).toThrow("logicalAnd: expected bool, got f32");
  });

  it("have one method for each row of the table, on tensors without elements too", () => {
    const arguments_: Record<string, unknown> = {
      float: 0.5,
      number: 0.5,
      compare: 0.5,
      test: 0.5,
      bits: 3,
      logic: true,
    };
    for (const name of Object.keys(scalarOps)) {
      const op = scalarOp(name);
      if (op === undefined || op.typing === "select") continue;
      const dtype = op.typing === "bits" ? "i32" : op.typing === "logic" ? "bool" : "f32";
      const value = arguments_[op.typing] as number;
      const method = (x: object): { shape: readonly number[] } =>
        (x as Record<string, (...rest: unknown[]) => { shape: number[] }>)[name]?.(
          ...new Array(op.arity - 1).fill(value),
        ) as {
          shape: number[];
        };
      expect(method(tensor([1, 0, 1], { dtype })).shape).toEqual([3]);
      expect(method(tensor([], { dtype })).shape).toEqual([0]);
    }
  });

  it("carry a code that another copy of the library recognises", () => {
    try {
      tensor([1, 2]).add(tensor([1, 2, 3]));
    } catch (error) {
      expect(isGradusError(error, "shape-mismatch")).toBe(true);
      expect(isGradusError(error, "donated")).toBe(false);
    }
  });
});
