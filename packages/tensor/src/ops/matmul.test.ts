import { describe, expect, it } from "vitest";
import { arange, ones, tensor, zeros } from "../index.js";

describe("matmul", () => {
  it("multiplies matrices, vectors and both", () => {
    const a = tensor([
      [1, 2],
      [3, 4],
    ]);
    expect(a.matmul(a).toArray()).toEqual([
      [7, 10],
      [15, 22],
    ]);
    expect(a.matmul(tensor([1, 1])).toArray()).toEqual([3, 7]);
    expect(tensor([1, 1]).matmul(a).toArray()).toEqual([4, 6]);
    expect(
      tensor([1, 2])
        .matmul(tensor([3, 4]))
        .item(),
    ).toBe(11);
  });

  it("broadcasts the axes before the last two", () => {
    const a = arange(12).reshape([2, 1, 2, 3]).cast("f32");
    const b = arange(18).reshape([3, 3, 2]).cast("f32");
    const c = a.matmul(b);
    expect(c.shape).toEqual([2, 3, 2, 2]);
    const [i, j] = [1, 2];
    const one = a
      .slice([i, i + 1])
      .reshape([2, 3])
      .matmul(b.slice([j, j + 1]).reshape([3, 2]));
    expect(
      c
        .slice([i, i + 1], [j, j + 1])
        .reshape([2, 2])
        .toArray(),
    ).toEqual(one.toArray());
  });

  it("reads transposed and reversed operands in place", () => {
    const a = arange(6).reshape([2, 3]).cast("f32");
    const copy = tensor(a.transpose().toArray());
    expect(a.matmul(a.transpose()).toArray()).toEqual(a.matmul(copy).toArray());
    expect(a.flip(1).matmul(copy.flip(0)).toArray()).toEqual(a.matmul(copy).toArray());
  });

  it("handles empty sizes: a sum of nothing is 0", () => {
    expect(
      zeros([2, 0])
        .matmul(zeros([0, 3]))
        .toArray(),
    ).toEqual([
      [0, 0, 0],
      [0, 0, 0],
    ]);
    expect(zeros([0, 2]).matmul(zeros([2, 3])).shape).toEqual([0, 3]);
  });

  it("names the sizes that differ, and the mend", () => {
    expect(() => ones([32, 784]).matmul(ones([128, 784]))).toThrow(
      "matmul: inner sizes differ: [32, 784] x [128, 784] (784 and 128). Transpose the second operand?",
    );
    expect(() => ones([2, 3, 4]).matmul(ones([3, 4, 5]))).toThrow(
      expect.objectContaining({ code: "shape-mismatch" }),
    );
    expect(() => tensor(1).matmul(ones([2]))).toThrow("matmul: operands need at least one axis");
  });
});
