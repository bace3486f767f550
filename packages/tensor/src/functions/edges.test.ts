import { type Buffer, interpreter, type Tensor } from "@gradus/core";
import { describe, expect, it } from "vitest";
import * as t from "../index.js";

/* What PyTorch gives at ties, empty tensors, axes of size 0, negative steps and NaN. */

const { NaN: nan, POSITIVE_INFINITY: inf } = Number;
const i32 = (values: Parameters<typeof t.tensor>[0]): Tensor => t.tensor(values, { dtype: "i32" });
const bools = (values: boolean[]): Tensor => t.tensor(values);
const code = (name: string): unknown => expect.objectContaining({ code: name });

describe("index", () => {
  const x = t.arange(24).reshape([2, 3, 4]);

  it("takes numbers, ranges with steps, new axes and an ellipsis as views", () => {
    expect(x.index(1, -1).toArray()).toEqual([20, 21, 22, 23]);
    expect(x.index("...", 0).toArray()).toEqual([
      [0, 4, 8],
      [12, 16, 20],
    ]);
    expect(x.index(0, [undefined, undefined, -2], "newaxis", [1, 3]).shape).toEqual([2, 1, 2]);
    expect(x.index("newaxis", "...", "newaxis").shape).toEqual([1, 2, 3, 4, 1]);
    expect(x.index([5, 9]).shape).toEqual([0, 3, 4]);
    expect(x.index().shape).toEqual([2, 3, 4]);
  });

  it("puts the axes of neighbouring index tensors where they stood, and of others in front", () => {
    const [rows, columns] = [i32([0, 2]), i32([[1], [-1]])];
    expect(x.index(null, rows, columns).toArray()).toEqual([
      [
        [1, 9],
        [3, 11],
      ],
      [
        [13, 21],
        [15, 23],
      ],
    ]);
    expect(x.index(i32([0, 1, 1]), null, i32([3])).shape).toEqual([3, 3]);
    // A number is taken first, so the tensors around it are neighbours (unlike in NumPy).
    expect(
      x
        .unsqueeze(0)
        .index(null, i32([0, 1]), 2, i32([0, 3]))
        .toArray(),
    ).toEqual([[8, 23]]);
  });

  it("takes masks of one axis and of several, of no element too", () => {
    const mask = x.index(0).gt(8);
    expect(x.index(0, mask).toArray()).toEqual([9, 10, 11]);
    expect(x.index(null, bools([true, false, true])).shape).toEqual([2, 2, 4]);
    expect(x.index(bools([false, false])).shape).toEqual([0, 3, 4]);
    expect(x.index(i32([])).shape).toEqual([0, 3, 4]);
  });

  it("rejects what does not exist, by name", () => {
    expect(() => x.index(2)).toThrow("index: 2 is outside of axis 0 of [2, 3, 4], which has size 2");
    expect(() => x.index(i32([0, -3]))).toThrow("index: index -3 (at position 1) is outside of axis 0");
    expect(() => x.index(0, 0, 0, 0)).toThrow(code("axis-out-of-range"));
    expect(() => x.index(t.tensor([0]))).toThrow(code("dtype-mismatch"));
    expect(() => x.index(bools([true]))).toThrow("the mask [1] does not fit [2, 3, 4] from axis 0 on");
    expect(() => x.index("...", "...")).toThrow(code("invalid-argument"));
    expect(() => x.index(i32([0, 1]), i32([0, 1, 2]))).toThrow(code("shape-mismatch"));
  });

  it("is traced, and reports an index out of range at the next read", () => {
    const f = t.compile((y: Tensor, at: Tensor) => y.index(null, at, i32([0])));
    expect(f(x, i32([1, -1])).toArray()).toEqual([
      [4, 8],
      [16, 20],
    ]);
    expect(() => f(x, i32([1, 3])).data()).toThrow(code("index-out-of-range"));
  });
});

describe("writing by index", () => {
  it("indexPut keeps the last of several values, or adds all", () => {
    const at = i32([1, 1, 0]);
    const values = t.tensor([5, 6, 7]);
    expect(t.indexPut(t.zeros([3]), [at], values).toArray()).toEqual([7, 6, 0]);
    expect(t.indexPut(t.zeros([3]), [at], values, { accumulate: true }).toArray()).toEqual([7, 11, 0]);
    expect(t.indexPut(t.zeros([2, 3]), ["...", -1], 4).toArray()).toEqual([
      [0, 0, 4],
      [0, 0, 4],
    ]);
    expect(t.indexPut(t.zeros([2, 2]), [t.eye(2).gt(0)], 1).toArray()).toEqual(t.eye(2).toArray());
    expect(t.indexPut(t.zeros([3]), [i32([])], 1).toArray()).toEqual([0, 0, 0]);
    expect(() => t.indexPut(t.zeros([3]), [[0, 2]], t.ones([3]))).toThrow(code("shape-mismatch"));
  });

  it("scatterReduce counts what was there or not, and leaves other places alone", () => {
    const [x, at, source] = [t.tensor([10, 20, 30]), i32([0, 0, 1]), t.tensor([2, 4, 100])];
    const run = (how: t.ScatterReduction, includeSelf: boolean): unknown =>
      t.scatterReduce(x, 0, at, source, how, { includeSelf }).toArray();
    expect(run("sum", true)).toEqual([16, 120, 30]);
    expect(run("sum", false)).toEqual([6, 100, 30]);
    expect(run("prod", true)).toEqual([80, 2000, 30]);
    expect(run("prod", false)).toEqual([8, 100, 30]);
    expect(run("mean", true)).toEqual([expect.closeTo(16 / 3, 5), 60, 30]);
    expect(run("mean", false)).toEqual([3, 100, 30]);
    expect(run("amax", true)).toEqual([10, 100, 30]);
    expect(run("amax", false)).toEqual([4, 100, 30]);
    expect(run("amin", true)).toEqual([2, 20, 30]);
    expect(run("amin", false)).toEqual([2, 100, 30]);
  });

  it("scatter takes an index that covers a part, and rejects what does not fit", () => {
    expect(t.scatter(t.zeros([2, 3]), 1, i32([[2, 0]]), t.tensor([[1, 2, 9]])).toArray()).toEqual([
      [2, 0, 1],
      [0, 0, 0],
    ]);
    expect(t.scatter(t.zeros([2]), 0, i32([1]), 5).toArray()).toEqual([0, 5]);
    expect(() => t.scatter(t.zeros([2]), 0, i32([2]), 5)).toThrow(code("index-out-of-range"));
    expect(() => t.scatter(t.zeros([2]), 0, i32([[0]]), 5)).toThrow(code("shape-mismatch"));
    expect(() => t.scatterReduce(t.zeros([2]), 0, i32([0]), t.ones([1]), "max" as "amax")).toThrow(
      "must be one of sum, prod, mean, amax, amin",
    );
  });
});

describe("shapes that depend on values", () => {
  const x = t.tensor([
    [0, 2],
    [3, nan],
  ]);

  it("are concrete outside of compile", () => {
    expect(t.nonzero(x).toArray()).toEqual([
      [0, 1],
      [1, 0],
      [1, 1],
    ]);
    expect(t.nonzero(t.zeros([2, 0])).shape).toEqual([0, 2]);
    expect(t.nonzero(t.tensor(5)).shape).toEqual([1, 0]);
    expect(t.maskedSelect(x, t.tensor([true, false])).toArray()).toEqual([0, 3]);
    expect(
      t
        .maskedSelect(
          t.tensor([1, 2]),
          t.tensor([
            [true, true],
            [false, true],
          ]),
        )
        .toArray(),
    ).toEqual([1, 2, 2]);
    const { values, inverse, counts } = t.unique(t.tensor([nan, 2, 1, 2, nan]));
    expect(values.toArray()).toEqual([1, 2, nan, nan]);
    expect(inverse.toArray()).toEqual([2, 1, 0, 1, 3]);
    expect(counts.toArray()).toEqual([1, 2, 1, 1]);
    expect(t.unique(t.zeros([0])).values.shape).toEqual([0]);
    const rows = t.unique(
      i32([
        [1, 0],
        [0, 5],
        [1, 0],
      ]),
      0,
    );
    expect(rows.values.toArray()).toEqual([
      [0, 5],
      [1, 0],
    ]);
    expect(rows.inverse.toArray()).toEqual([1, 0, 1]);
    expect(t.bincount(i32([]), { minLength: 2 }).toArray()).toEqual([0, 0]);
    expect(t.bincount(i32([1, 1]), { weights: t.tensor([0.5, 2]) }).toArray()).toEqual([0, 2.5]);
    expect(() => t.bincount(i32([-1]))).toThrow(code("invalid-argument"));
  });

  it("throw inside compile, and name what keeps its shape", () => {
    const wrong: Readonly<Record<string, readonly [(y: Tensor) => unknown, string]>> = {
      nonzero: [(y) => t.nonzero(y), "x.ne(0)"],
      maskedSelect: [(y) => t.maskedSelect(y, y.gt(0)), "mask.where(x, value)"],
      unique: [(y) => t.unique(y).values, "Sort instead"],
      bincount: [(y) => t.bincount(y.cast("i32").reshape([-1])), "scatterAdd"],
      index: [(y) => y.index(y.gt(0)), "mask.where(x, value)"],
    };
    for (const [name, [f, instead]] of Object.entries(wrong)) {
      const run = (): unknown => t.compile(f as (y: Tensor) => Tensor)(t.ones([2, 2]));
      expect(run, name).toThrow(code("value-in-trace"));
      expect(run, name).toThrow(instead);
    }
  });

  it("have twins that wait, which the error names on a device that cannot be read at once", async () => {
    const device = interpreter();
    const now = device.readSync?.bind(device) as (buffer: Buffer, ...rest: number[]) => ArrayBuffer;
    const read = async (buffer: Buffer, ...rest: number[]): Promise<ArrayBuffer> => now(buffer, ...rest);
    Object.defineProperties(device, { read: { value: read }, readSync: { value: undefined } });
    const y = t.tensor([0, 3, 3], { device });
    expect(() => t.nonzero(y)).toThrow("Use: await nonzeroAsync(...)");
    expect([...(await (await t.nonzeroAsync(y)).read())]).toEqual([1, 2]);
    expect([...(await (await t.uniqueAsync(y)).values.read())]).toEqual([0, 3]);
    expect([...(await (await t.maskedSelectAsync(y, y.gt(0))).read())]).toEqual([3, 3]);
    expect(() => y.index(y.gt(0))).toThrow("Use: await indexAsync(...)");
    expect([...(await (await t.indexAsync(y, y.gt(0))).read())]).toEqual([3, 3]);
    expect([...(await (await t.indexPutAsync(y, [y.gt(0)], 7)).read())]).toEqual([0, 7, 7]);
    expect([...(await (await t.bincountAsync(y.cast("i32"))).read())]).toEqual([1, 0, 0, 2]);
  });
});

describe("order", () => {
  it("searchsorted stands before or behind equal values, NaN last", () => {
    const sorted = t.tensor([1, 2, 2, 4]);
    expect(t.searchsorted(sorted, t.tensor([2, 0, 9, nan])).toArray()).toEqual([1, 0, 4, 4]);
    expect(t.searchsorted(sorted, t.tensor([2, 4]), { right: true }).toArray()).toEqual([3, 4]);
    const rows = t.tensor([
      [1, 3],
      [2, 4],
    ]);
    expect(t.searchsorted(rows, t.tensor([[3], [3]])).toArray()).toEqual([[1], [1]]);
    expect(t.searchsorted(t.zeros([0]), t.tensor([1])).toArray()).toEqual([0]);
    expect(() => t.searchsorted(rows, t.ones([3, 1]))).toThrow(code("shape-mismatch"));
  });

  it("quantile interpolates in each way, keeps axes, and carries NaN", () => {
    const x = t.tensor([4, 1, 2, 3]);
    const of = (interpolation: t.Interpolation): number => t.quantile(x, 0.4, 0, { interpolation }).item();
    expect(of("linear")).toBeCloseTo(2.2, 6);
    expect([of("lower"), of("higher"), of("nearest"), of("midpoint")]).toEqual([2, 3, 2, 2.5]);
    expect(t.quantile(t.ones([2, 3]), [0, 0.5, 1], 1, { keepdims: true }).shape).toEqual([3, 2, 1]);
    expect(t.quantile(t.ones([2, 3]), 0.5, undefined, { keepdims: true }).shape).toEqual([1, 1]);
    expect(t.quantile(t.tensor([1, nan]), 0).item()).toBeNaN();
    expect(t.nanquantile(t.tensor([1, nan, 3]), 0.5).item()).toBe(2);
    expect(t.nanquantile(t.tensor([nan, nan]), 0.5).item()).toBeNaN();
    expect(() => t.quantile(x, 1.5)).toThrow("q must be within 0 and 1");
    expect(() => t.quantile(t.zeros([0]), 0.5)).toThrow(code("invalid-argument"));
    expect(() => t.quantile(i32([1]), 0.5)).toThrow(code("dtype-mismatch"));
  });

  it("maxAlong names the first of equal values, and a NaN before all", () => {
    const { values, indices } = t.maxAlong(
      t.tensor([
        [1, 3, 3],
        [nan, 5, nan],
      ]),
      1,
    );
    expect(values.toArray()).toEqual([3, nan]);
    expect(indices.toArray()).toEqual([1, 0]);
    expect(t.minAlong(t.tensor(4), 0).indices.item()).toBe(0);
    expect(() => t.maxAlong(t.zeros([2, 0]), 1)).toThrow(code("invalid-argument"));
  });
});

describe("moving elements", () => {
  it("keeps zero-size axes", () => {
    expect(t.roll(t.zeros([0, 2]), 1, 0).shape).toEqual([0, 2]);
    expect(t.repeat(t.ones([2]), [0]).shape).toEqual([0]);
    expect(t.chunk(t.zeros([0]), 2).map((part) => part.shape)).toEqual([[0], [0]]);
    expect(t.split(t.zeros([0, 2]), 3).map((part) => part.shape)).toEqual([[0, 2]]);
    expect(t.tril(t.zeros([0, 3])).shape).toEqual([0, 3]);
    expect(t.diagonal(t.ones([2, 3]), 7).shape).toEqual([0]);
    expect(t.unbind(t.zeros([0, 2]))).toEqual([]);
    expect(t.kron(t.zeros([0]), t.ones([2])).shape).toEqual([0]);
    expect(t.repeatInterleave(t.ones([2]), 0).shape).toEqual([0]);
    expect(t.im2col(t.zeros([0, 1, 2, 2]), 2).shape).toEqual([0, 4, 1]);
    expect(t.nansum(t.zeros([0])).item()).toBe(0);
    expect(t.nanmean(t.tensor([nan])).item()).toBeNaN();
  });

  it("turns, rolls and mirrors as PyTorch does", () => {
    const x = t.arange(6).reshape([2, 3]);
    expect(t.rot90(x).toArray()).toEqual([
      [2, 5],
      [1, 4],
      [0, 3],
    ]);
    expect(t.rot90(x, -1).toArray()).toEqual([
      [3, 0],
      [4, 1],
      [5, 2],
    ]);
    expect(t.rot90(x, 2).toArray()).toEqual([
      [5, 4, 3],
      [2, 1, 0],
    ]);
    expect(t.roll(x, [1, -1], [0, 1]).toArray()).toEqual([
      [4, 5, 3],
      [1, 2, 0],
    ]);
    expect(t.roll(x, 7).toArray()).toEqual([
      [5, 0, 1],
      [2, 3, 4],
    ]);
    expect(t.movedim(t.zeros([2, 3, 4]), [0, 2], [1, 0]).shape).toEqual([4, 2, 3]);
    expect(t.repeat(t.tensor([[1, 2]]), [2, 1, 2]).shape).toEqual([2, 1, 4]);
    const replicated = t.padWith(t.tensor([1, 2]), [[2, -1]], "replicate");
    expect(replicated.toArray()).toEqual([1, 1, 1]);
    expect(t.pixelShuffle(t.arange(8).reshape([2, 4, 1, 1]), 2).shape).toEqual([2, 1, 2, 2]);
    expect(t.meshgrid([t.ones([2]), t.ones([3])], { indexing: "xy" })[0]?.shape).toEqual([3, 2]);
    const pooled = t.adaptiveMaxPool(t.tensor([[1, nan, 3, 3, 2]]), [3]);
    expect(pooled.values.toArray()).toEqual([[nan, nan, 3]]);
    expect(pooled.indices.toArray()).toEqual([[1, 1, 3]]);
  });

  it("rejects what does not fit, by name", () => {
    expect(() => t.split(t.ones([5]), [2, 2])).toThrow("the sizes [2, 2] sum to 4, but axis 0 of [5] has 5");
    expect(() => t.narrow(t.ones([4]), 0, 2, 3)).toThrow(code("index-out-of-range"));
    expect(() => t.select(t.ones([2]), 0, 2)).toThrow(code("index-out-of-range"));
    expect(() => t.padWith(t.ones([3]), [[3, 0]], "reflect")).toThrow("can add at most 2 elements to axis 0");
    expect(() => t.windows(t.ones([3]), 0, 4)).toThrow(code("invalid-argument"));
    expect(() => t.glu(t.ones([3]))).toThrow(code("shape-mismatch"));
    expect(() => t.diag(t.ones([1, 1, 1]))).toThrow(code("shape-mismatch"));
    expect(() => t.outer(t.ones([1]), t.ones([1, 1]))).toThrow(code("shape-mismatch"));
    expect(() => t.addmm(t.ones([3]), t.ones([2, 2]), t.ones([2, 2]))).toThrow(code("shape-mismatch"));
    expect(() => t.col2im(t.ones([1, 4, 3]), 3, 2)).toThrow(code("shape-mismatch"));
    expect(() => t.pixelShuffle(t.ones([3, 1, 1]), 2)).toThrow(code("shape-mismatch"));
    expect(() => t.rot90(t.ones([2, 2]), 1, [0, 0])).toThrow(code("axis-out-of-range"));
  });
});

describe("numbers", () => {
  it("divideRounded follows Python, also by zero and for integers", () => {
    const [a, b] = [t.tensor([7, -7, 7, 1, -1, 0]), t.tensor([2, 2, -2, 0, 0, 0])];
    expect(t.divideRounded(a, b, "floor").toArray()).toEqual([3, -4, -4, inf, -inf, nan]);
    expect(t.divideRounded(a, b, "trunc").toArray()).toEqual([3, -3, -3, inf, -inf, nan]);
    expect(t.divideRounded(i32([7, -7, 6]), 2, "floor").toArray()).toEqual([3, -4, 3]);
    expect(t.divideRounded(i32([7, -7, 6]), i32([2, 2, 0]), "trunc").toArray()).toEqual([3, -3, 0]);
    expect(t.divideRounded(t.tensor([1], { dtype: "f64" }), 0.1, "floor").item()).toBe(9);
  });

  it("activations keep NaN, and are PyTorch's at their kinks", () => {
    const at = t.tensor([nan, 0.5, -0.5, 3, -3]);
    expect(t.hardshrink(at).toArray()).toEqual([nan, 0, 0, 3, -3]);
    expect(t.softshrink(at).toArray()).toEqual([nan, 0, 0, 2.5, -2.5]);
    expect([...t.hardsigmoid(at).data()].slice(-2)).toEqual([1, 0]);
    expect([...t.hardswish(at).data()].slice(-2)).toEqual([3, -0]);
    expect(t.threshold(at, 0.5, 9).toArray()).toEqual([nan, 9, 9, 3, 9]);
    expect(t.logit(t.tensor([0, 1, 2])).toArray()).toEqual([-inf, inf, nan]);
    expect(t.nanToNum(t.tensor([nan, inf, -inf])).toArray()).toEqual([
      0, 3.4028234663852886e38, -3.4028234663852886e38,
    ]);
    expect(t.nanToNum(i32([2147483647])).toArray()).toEqual([2147483647]);
    expect(t.addmm(t.tensor([nan]), t.ones([1, 1]), t.ones([1, 1]), { beta: 0 }).item()).toBe(1);
    expect(t.lerp(t.tensor([1]), t.tensor([3]), 1).item()).toBe(3);
  });

  it("attention gives zeros to a query that sees nothing, and is causal", () => {
    const [q, v] = [t.ones([2, 1]), t.tensor([[1], [5]])];
    const mask = t.tensor([
      [true, false],
      [false, false],
    ]);
    expect(t.scaledDotProductAttention(q, q, v, { mask }).toArray()).toEqual([[1], [0]]);
    expect(t.scaledDotProductAttention(q, q, v, { causal: true }).toArray()).toEqual([[1], [3]]);
    expect(() => t.scaledDotProductAttention(q, t.ones([2, 3]), v)).toThrow(code("shape-mismatch"));
  });
});
