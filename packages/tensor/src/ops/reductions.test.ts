import { describe, expect, it } from "vitest";
import { arange, tensor, zeros } from "../index.js";

const x = (): ReturnType<typeof tensor> =>
  tensor([
    [1, 5, 3],
    [4, 2, 6],
  ]);

describe("reductions", () => {
  it("go over one axis, several or all, from either end", () => {
    expect(x().sum().item()).toBe(21);
    expect(x().sum(0).toArray()).toEqual([5, 7, 9]);
    expect(x().sum(-1).toArray()).toEqual([9, 12]);
    expect(x().sum([0, 1]).shape).toEqual([]);
    expect(arange(24).reshape([2, 3, 4]).sum([0, 2]).toArray()).toEqual([60, 92, 124]);
  });

  it("keep axes with size 1 on request", () => {
    expect(x().mean(1, { keepdims: true }).toArray()).toEqual([[3], [4]]);
    expect(x().argmax(0, { keepdims: true }).toArray()).toEqual([[1, 0, 1]]);
  });

  it("find extremes and where they are, the first of equals", () => {
    expect(x().max(1).toArray()).toEqual([5, 6]);
    expect(x().min(0).toArray()).toEqual([1, 2, 3]);
    expect(x().argmax().item()).toBe(5);
    expect(tensor([2, 7, 7]).argmax().item()).toBe(1);
    expect(x().argmin(1).toArray()).toEqual([0, 1]);
  });

  it("let NaN win, as PyTorch does", () => {
    const y = tensor([1, Number.NaN, 3]);
    expect(y.max().item()).toBeNaN();
    expect(y.argmax().item()).toBe(1);
    expect(y.min().item()).toBeNaN();
  });

  it("give variance and deviation with the correction asked for", () => {
    expect(tensor([1, 2, 3, 4]).var().item()).toBeCloseTo(5 / 3, 6);
    expect(tensor([1, 2, 3, 4]).var(0, { correction: 0 }).item()).toBe(1.25);
    expect(tensor([1]).std().item()).toBeNaN();
  });

  it("give norms of any order", () => {
    const y = tensor([3, -4]);
    expect(y.norm().item()).toBe(5);
    expect(y.norm(0, { p: 1 }).item()).toBe(7);
    expect(y.norm(0, { p: Number.POSITIVE_INFINITY }).item()).toBe(4);
    expect(y.norm(0, { p: 0 }).item()).toBe(2);
    expect(y.norm(0, { p: 3 }).item()).toBeCloseTo(91 ** (1 / 3), 5);
  });

  it("are stable where exponentials overflow", () => {
    expect(tensor([1e4, 1e4]).logsumexp().item()).toBeCloseTo(1e4 + Math.LN2, 2);
    expect(tensor([-1e4, 1e4]).softmax(0).toArray()).toEqual([0, 1]);
    expect(tensor([-1e4, 1e4]).logSoftmax(0).toArray()).toEqual([-2e4, 0]);
    expect(tensor([Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY]).logsumexp().item()).toBe(
      Number.NEGATIVE_INFINITY,
    );
  });

  it("of nothing are the identity, or an error where there is none", () => {
    expect(zeros([0]).sum().item()).toBe(0);
    expect(zeros([0]).prod().item()).toBe(1);
    expect(zeros([0]).mean().item()).toBeNaN();
    expect(zeros([2, 0]).any(1).toArray()).toEqual([false, false]);
    expect(zeros([2, 0]).all(1).toArray()).toEqual([true, true]);
    expect(() => zeros([0]).max()).toThrow(
      "max: nothing to choose from: the shape [0] is empty along the reduced axes",
    );
    expect(zeros([0, 3]).max(1).shape).toEqual([0]);
  });

  it("count bools and keep integers whole", () => {
    expect(x().gt(2).sum().dtype).toBe("i32");
    expect(x().gt(2).sum().item()).toBe(4);
    expect(tensor([1, 2], { dtype: "i32" }).mean().item()).toBe(1.5);
    expect(x().gt(5).any(1).toArray()).toEqual([false, true]);
  });

  it("name axes that are not there", () => {
    expect(() => x().sum(2)).toThrow("sum: axis 2 of a 2-dimensional tensor: expected -2 to 1");
    expect(() => x().sum([0, -2])).toThrow("sum: axis 0 is named twice in [0, -2]");
    expect(() => x().sum(0.5)).toThrow(expect.objectContaining({ code: "axis-out-of-range" }));
  });

  it("read views through their strides", () => {
    expect(x().transpose().sum(0).toArray()).toEqual([9, 12]);
    expect(x().slice(null, [undefined, undefined, -2]).max(1).toArray()).toEqual([3, 6]);
    expect(tensor([1, 2]).unsqueeze(1).expand([2, 3]).sum(1).toArray()).toEqual([3, 6]);
    expect(x().transpose().argmax().item()).toBe(5);
  });
});
