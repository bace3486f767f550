import { describe, expect, it } from "vitest";
import { arange, concat, eye, linspace, stack, tensor, zeros } from "../index.js";

const grid = (): ReturnType<typeof tensor> => arange(6).reshape([2, 3]);

describe("views", () => {
  it("reshape, finding one size", () => {
    expect(grid().reshape([3, -1]).toArray()).toEqual([
      [0, 1],
      [2, 3],
      [4, 5],
    ]);
    expect(() => grid().reshape([4, -1])).toThrow("reshape: 6 elements of [2, 3] do not fill [4, -1]");
    expect(() => grid().reshape([-1, -1])).toThrow("reshape: only one size may be -1");
    expect(() => zeros([0]).reshape([0, -1])).toThrow(expect.objectContaining({ code: "shape-mismatch" }));
  });

  it("reshape what strides cannot express by copying", () => {
    expect(grid().transpose().reshape([6]).toArray()).toEqual([0, 3, 1, 4, 2, 5]);
    expect(grid().transpose().reshape([3, 2, 1]).transpose(0, 1).reshape([2, 3]).toArray()).toEqual([
      [0, 1, 2],
      [3, 4, 5],
    ]);
  });

  it("permute and transpose", () => {
    expect(arange(24).reshape([2, 3, 4]).permute([2, 0, 1]).shape).toEqual([4, 2, 3]);
    expect(grid().transpose().toArray()).toEqual([
      [0, 3],
      [1, 4],
      [2, 5],
    ]);
    expect(() => grid().permute([0])).toThrow("permute: expected all 2 axes of [2, 3], got [0]");
    expect(() => grid().permute([0, 0])).toThrow("permute: axis 0 is named twice");
    expect(() => grid().transpose(0, 3)).toThrow("transpose: axis 3 of a 2-dimensional tensor");
  });

  it("squeeze, unsqueeze, flatten, expand", () => {
    expect(zeros([1, 3, 1]).squeeze().shape).toEqual([3]);
    expect(zeros([1, 3, 1]).squeeze(0).shape).toEqual([3, 1]);
    expect(() => grid().squeeze(1)).toThrow("squeeze: axis 1 of [2, 3] has size 3, not 1");
    expect(grid().unsqueeze(-1).shape).toEqual([2, 3, 1]);
    expect(zeros([2, 3, 4]).flatten(1).shape).toEqual([2, 12]);
    expect(tensor([1, 2]).unsqueeze(1).expand([-1, 2]).toArray()).toEqual([
      [1, 1],
      [2, 2],
    ]);
    expect(() => grid().expand([2, 6])).toThrow("expand: [2, 3] does not broadcast to [2, 6]");
  });

  it("slice with bounds from either end and steps in either direction", () => {
    const x = arange(10);
    expect(x.slice([2, 5]).toArray()).toEqual([2, 3, 4]);
    expect(x.slice([-3]).toArray()).toEqual([7, 8, 9]);
    expect(x.slice([8, 1, -3]).toArray()).toEqual([8, 5, 2]);
    expect(x.slice([undefined, undefined, -4]).toArray()).toEqual([9, 5, 1]);
    expect(x.slice([20, 30]).shape).toEqual([0]);
    expect(grid().slice(null, [1, 2]).toArray()).toEqual([[1], [4]]);
    expect(x.slice([1, 9, 2]).slice([1, 3]).toArray()).toEqual([3, 5]);
    expect(() => x.slice([0, 1], [0, 1])).toThrow("slice: 2 ranges for the 1 axes of [10]");
    expect(() => x.slice([0, 5, 0])).toThrow("slice: the step of axis 0 is 0");
  });

  it("flip", () => {
    expect(grid().flip(1).toArray()).toEqual([
      [2, 1, 0],
      [5, 4, 3],
    ]);
    expect(grid().flip().toArray()).toEqual([
      [5, 4, 3],
      [2, 1, 0],
    ]);
  });
});

describe("joining and padding", () => {
  it("concat along any axis, many at a time, with promotion", () => {
    expect(concat([grid(), grid()], 1).shape).toEqual([2, 6]);
    expect(concat([tensor([1, 2], { dtype: "i32" }), tensor([0.5])]).toArray()).toEqual([1, 2, 0.5]);
    const many = Array.from({ length: 20 }, (_, i) => tensor([i]));
    expect(concat(many).toArray()).toEqual(Array.from({ length: 20 }, (_, i) => i));
    expect(concat([zeros([0]), tensor([1])]).toArray()).toEqual([1]);
    expect(() => concat([grid(), zeros([2, 4])])).toThrow("concat: tensor 1 is [2, 4], the first is [2, 3]");
    expect(() => concat([])).toThrow("concat: expected a list of at least one tensor");
  });

  it("stack", () => {
    expect(stack([tensor([1, 2]), tensor([3, 4])], -1).toArray()).toEqual([
      [1, 3],
      [2, 4],
    ]);
    expect(() => stack([tensor([1]), tensor([1, 2])])).toThrow("stack: tensor 1 is [2], the first is [1]");
  });

  it("pad, and cut with negative widths", () => {
    expect(
      tensor([1, 2])
        .pad([[1, 2]], 9)
        .toArray(),
    ).toEqual([9, 1, 2, 9, 9]);
    expect(
      tensor([1, 2, 3])
        .pad([[-1, 1]])
        .toArray(),
    ).toEqual([2, 3, 0]);
    expect(() => grid().pad([[1, 1]])).toThrow("pad: expected [before, after] for each of the 2 axes");
  });
});

describe("picking", () => {
  const index = (values: number[][]): ReturnType<typeof tensor> => tensor(values, { dtype: "i32" });

  it("gather and scatterAdd are each other's transpose", () => {
    expect(
      grid()
        .gather(
          1,
          index([
            [2, 0],
            [1, 1],
          ]),
        )
        .toArray(),
    ).toEqual([
      [2, 0],
      [4, 4],
    ]);
    expect(
      zeros([2, 3])
        .scatterAdd(
          1,
          index([
            [2, 0],
            [1, 1],
          ]),
          tensor([
            [1, 2],
            [3, 4],
          ]),
        )
        .toArray(),
    ).toEqual([
      [2, 0, 1],
      [0, 7, 0],
    ]);
  });

  it("name an index that is out of range", () => {
    expect(() => grid().gather(1, index([[0, 3]]))).toThrow(
      "gather: index 3 (at position 1) is outside of axis 1, which has size 3",
    );
    expect(() => grid().gather(0, index([[-1]]))).toThrow(
      expect.objectContaining({ code: "index-out-of-range" }),
    );
    expect(() => grid().gather(1, tensor([[0.5]]))).toThrow("gather: the index must be i32, got f32");
    expect(() => grid().gather(1, tensor([0], { dtype: "i32" }))).toThrow(
      "gather: the index must have the tensor's 2 axes",
    );
    expect(() => zeros([3]).scatterAdd(0, tensor([4], { dtype: "i32" }), tensor([1]))).toThrow("index 4");
  });

  it("oneHot", () => {
    expect(tensor([2, 0], { dtype: "i32" }).oneHot(3).toArray()).toEqual([
      [0, 0, 1],
      [1, 0, 0],
    ]);
    expect(() => tensor([3], { dtype: "i32" }).oneHot(3)).toThrow("oneHot: index 3");
    expect(() => tensor([1]).oneHot(3)).toThrow("oneHot: class indices must be i32");
  });
});

describe("creation", () => {
  it("infers shapes and dtypes", () => {
    expect(tensor([[1, 2]]).shape).toEqual([1, 2]);
    expect(tensor([true, false]).dtype).toBe("bool");
    expect(tensor(new Float64Array(2)).dtype).toBe("f64");
    expect(tensor([[], []]).shape).toEqual([2, 0]);
    expect(tensor(new Int32Array([1, 2, 3, 4]), { shape: [2, 2] }).toArray()).toEqual([
      [1, 2],
      [3, 4],
    ]);
  });

  it("says which row is ragged, and where something is no number", () => {
    expect(() => tensor([[1, 2], [3]])).toThrow("tensor: [1] has 1 entries, but its siblings have 2 entries");
    expect(() => tensor([[1], 2])).toThrow(expect.objectContaining({ code: "ragged-array" }));
    expect(() => tensor([1, [2]])).toThrow(expect.objectContaining({ code: "ragged-array" }));
    // @ts-expect-error: a string is no value
    expect(() => tensor(["1"])).toThrow("tensor: [0] is 1: expected a number or a boolean");
    expect(() => tensor([true, 1])).toThrow("tensor: numbers and booleans are mixed");
    expect(() => tensor([1, 2, 3], { shape: [2, 2] })).toThrow(
      "tensor: 3 values do not fill the shape [2, 2] (4)",
    );
    expect(() => zeros([Number.NaN])).toThrow("full: sizes must be whole numbers of at least 0, got [NaN]");
    expect(() => zeros([-1])).toThrow(expect.objectContaining({ code: "invalid-argument" }));
    expect(() => zeros([2 ** 20, 2 ** 20])).toThrow(expect.objectContaining({ code: "out-of-memory" }));
    expect(() => tensor([2 ** 40], { dtype: "i32" })).toThrow(
      "tensor: 1099511627776 at position 0 does not fit i32",
    );
  });

  it("makes ranges and the identity", () => {
    expect(arange(5, 0, -2).toArray()).toEqual([5, 3, 1]);
    expect(arange(0).shape).toEqual([0]);
    expect(linspace(0, 1, 3).toArray()).toEqual([0, 0.5, 1]);
    expect(linspace(2, 9, 1).toArray()).toEqual([2]);
    expect(eye(2, 3).toArray()).toEqual([
      [1, 0, 0],
      [0, 1, 0],
    ]);
    expect(() => arange(0, 1, 0)).toThrow("arange: start, stop and step must be finite and step not 0");
  });
});

describe("arguments of a wrong kind", () => {
  it("are named with the mend", () => {
    const x = tensor([1, 2]);
    // @ts-expect-error: sizes come as a list
    expect(() => x.reshape(2, 1)).toThrow("reshape: expected a list of sizes such as [2, 3], got 2");
    // @ts-expect-error: axes are numbers
    expect(() => x.sum("0")).toThrow('sum: expected an axis or a list of axes, got "0"');
    // @ts-expect-error: a number is no matrix
    expect(() => x.matmul(3)).toThrow("matmul: expected a tensor, got number 3. Wrap it: tensor(value)");
    // @ts-expect-error: a number is no tensor
    expect(() => concat([x, 3])).toThrow("concat: expected a tensor, got number 3");
    expect(() => tensor([1], { dtype: "float32" as "f32" })).toThrow(
      "tensor: unknown dtype float32. Use one of bool, i32, f16, f32, f64",
    );
    expect(() => zeros([2 ** 30])).toThrow(expect.objectContaining({ code: "out-of-memory" }));
  });
});

describe("printing", () => {
  it("shows dtype, shape and values", () => {
    expect(String(tensor([2, 4, 6]))).toBe("Tensor f32[3] [2, 4, 6]");
    expect(
      String(
        tensor([
          [1, 0.5],
          [1e-9, -0],
        ]),
      ),
    ).toBe("Tensor f32[2, 2]\n[[1, 0.5],\n [1e-9, -0]]");
    expect(String(tensor(3))).toBe("Tensor f32[] 3");
    expect(String(tensor([true]))).toBe("Tensor bool[1] [true]");
    expect(String(arange(2000))).toBe("Tensor i32[2000] [0, 1, 2, ..., 1997, 1998, 1999]");
    const gone = tensor([1]);
    gone.dispose();
    expect(String(gone)).toBe("Tensor f32[1] (disposed)");
  });
});
