import { castNumber, type DType, interpreter, type Tensor } from "@gradus/core";
import { addmm, compile, concat, key, stack, tensor } from "@gradus/tensor";
import { describe, expect, it } from "vitest";
import { grad } from "./grad.js";
import { hvp } from "./hvp.js";
import { jvp } from "./jvp.js";
import { vmap } from "./vmap.js";

const rounded = (values: readonly number[]): number[] => values.map((x) => castNumber(x, "f16"));
const values = (x: Tensor): number[] => [...x.data()];

describe.each(["float64", "float32"] as const)("f16, in %s", (precision) => {
  const device = interpreter({ precision });
  const draw = (seed: number, shape: readonly number[], dtype: DType = "f16"): Tensor =>
    key(seed, { device }).normal([...shape], { dtype });

  const structural: readonly (readonly [string, (x: Tensor) => Tensor])[] = [
    ["softmax", (x) => x.softmax(-1)],
    ["logsumexp", (x) => x.logsumexp(-1)],
    ["var", (x) => x.var(0)],
    ["std", (x) => x.std(0)],
    ["max", (x) => x.max(1)],
    ["transpose", (x) => x.transpose(0, 1).slice([1, 5])],
    ["slice", (x) => x.slice([1, 3], [0, 7])],
    [
      "pad",
      (x) =>
        x.pad(
          [
            [1, 2],
            [0, 1],
          ],
          0.25,
        ),
    ],
    ["flip", (x) => x.flip(0)],
    ["gather", (x) => x.gather(0, tensor([[0, 3, 1, 1, 0, 2, 3]], { dtype: "i32", device }))],
    ["cumsum", (x) => x.cumsum(1)],
    ["cumprod", (x) => x.cumprod(0)],
    ["cummax", (x) => x.cummax(1).values],
    ["sort", (x) => x.sort(1).values],
    ["indexSelect", (x) => x.indexSelect(0, tensor([3, 0, 3], { dtype: "i32", device }))],
    [
      "scatterAdd",
      (x) => x.scatterAdd(0, tensor([[0, 0, 1, 1, 2, 2, 3]], { dtype: "i32", device }), x.slice([0, 1])),
    ],
    ["concat", (x) => concat([x, x.neg()], 1)],
    ["stack", (x) => stack([x, x], 0)],
    ["maxPool", (x) => x.reshape([1, 1, 4, 7]).maxPool(2).values],
    ["avgPool", (x) => x.reshape([1, 1, 4, 7]).avgPool(2)],
    ["conv", (x) => x.reshape([1, 1, 4, 7]).conv(x.slice([0, 2], [0, 3]).reshape([2, 1, 1, 3]))],
    ["interpolate", (x) => x.reshape([1, 1, 4, 7]).interpolate([6, 9], { mode: "linear" })],
    ["addmm", (x) => addmm(x.slice([0, 4], [0, 4]), x, x.transpose(0, 1))],
  ];

  it.each(structural)("%s: the same in f32, rounded", (_, f) => {
    const x = draw(2, [4, 7]);
    const [narrow, wide] = [f(x), f(x.cast("f32"))];
    expect(narrow.dtype).toBe("f16");
    const [seen, expected] = [values(narrow), rounded(values(wide))];
    // Of several operations each rounds.
    seen.forEach((value, i) => {
      expect(Math.abs(value - (expected[i] as number))).toBeLessThanOrEqual(
        2 ** -9 * Math.max(1, Math.abs(value)),
      );
    });
  });

  it.each(structural)("%s: compiled and batched it gives the same bits, and so does its gradient", (_, f) => {
    const x = draw(3, [4, 7]);
    const g = grad((y: Tensor) => f(y.mul(1.5).tanh()).mul(3).sin().sum());
    expect(values(compile(f)(x))).toEqual(values(f(x)));
    const eager = g(x);
    expect(eager.dtype).toBe("f16");
    expect(values(compile(g)(x))).toEqual(values(eager));
    const both = stack([x, x.neg()], 0);
    const each = vmap(g)(both);
    expect(each.dtype).toBe("f16");
    expect(values(each.slice([0, 1]).reshape([4, 7]))).toEqual(values(eager));
  });

  it("have gradients of any order, of f16 with f32 computed in between", () => {
    const x = draw(4, [6]);
    const f = (y: Tensor): Tensor => y.exp().mul(y).add(y.sigmoid()).sum();
    const wide = x.cast("f32");
    const close = (narrow: Tensor, expected: Tensor): void => {
      expect(narrow.dtype).toBe("f16");
      const distance = narrow.cast("f32").sub(expected).abs().max().item();
      expect(distance / expected.abs().max().item()).toBeLessThan(2 ** -8);
    };
    close(grad(f)(x), grad(f)(wide));
    close(hvp(f, x, x), hvp(f, wide, wide));
    close(
      grad((y: Tensor) => grad(f)(y).square().sum())(x),
      grad((y: Tensor) => grad(f)(y).square().sum())(wide),
    );
    close(jvp(f, x, x)[1], jvp(f, wide, wide)[1]);
    // A gradient goes back through a cast to the dtype that was cast.
    expect(grad((y: Tensor) => y.cast("f32").square().sum())(x).dtype).toBe("f16");
    expect(grad((y: Tensor) => y.cast("f16").square().sum())(wide).dtype).toBe("f32");
  });
});
