import { grad } from "@gradus/autograd";
import type { Tensor } from "@gradus/core";
import * as all from "@gradus/tensor";
import { tensor } from "@gradus/tensor";
import { describe, expect, it } from "vitest";
import { checkTwice } from "./check-twice.fixture.js";

/* Each function of @gradus/tensor: its gradient, and the gradient of that, against differences. */

const f64 = (values: Parameters<typeof tensor>[0]): Tensor => tensor(values, { dtype: "f64" });
const i32 = (values: Parameters<typeof tensor>[0]): Tensor => tensor(values, { dtype: "i32" });
/** Different numbers around 0, not in order, away from whole numbers and halves. */
const ramp = (...shape: number[]): Tensor => {
  const size = shape.reduce((a, b) => a * b, 1);
  const values = Float64Array.from({ length: size }, (_, i) => (((i * 7 + 3) % 29) - 14 + i / 31) / 8);
  return tensor(values, { shape });
};
const positive = (...shape: number[]): Tensor =>
  ramp(...shape)
    .square()
    .add(0.3);
/** Well-conditioned square matrices. */
const square = (...batch: number[]): Tensor =>
  ramp(...batch, 3, 3).add(all.eye(3, 3, { dtype: "f64" }).mul(4));
const symmetric = (x: Tensor): Tensor => x.add(x.transpose()).mul(0.5);
const definite = (x: Tensor): Tensor => x.matmul(x.transpose()).add(all.eye(3, 3, { dtype: "f64" }));

type Case = readonly [
  name: string,
  f: (xs: readonly [Tensor, Tensor, Tensor, Tensor]) => Tensor,
  inputs: () => readonly Tensor[],
];

const cases: readonly Case[] = [
  ["celu", ([x]) => all.celu(x, 0.7), () => [ramp(5)]],
  ["selu", ([x]) => all.selu(x), () => [ramp(5)]],
  ["hardshrink", ([x]) => all.hardshrink(x), () => [ramp(5)]],
  ["softshrink", ([x]) => all.softshrink(x, 0.3), () => [ramp(5)]],
  ["hardsigmoid", ([x]) => all.hardsigmoid(x.mul(3)), () => [ramp(5)]],
  ["hardswish", ([x]) => all.hardswish(x.mul(3)), () => [ramp(5)]],
  ["softsign", ([x]) => all.softsign(x), () => [ramp(5)]],
  ["tanhshrink", ([x]) => all.tanhshrink(x), () => [ramp(5)]],
  ["threshold", ([x]) => all.threshold(x, 0.2, 5), () => [ramp(5)]],
  ["softplus", ([x]) => all.softplus(x, { beta: 2, threshold: 1.5 }), () => [ramp(5)]],
  ["geluTanh", ([x]) => all.geluTanh(x), () => [ramp(5)]],
  ["glu", ([x]) => all.glu(x, 0), () => [ramp(4, 2)]],
  ["prelu", ([x, w]) => all.prelu(x, w), () => [ramp(2, 3, 2), positive(3)]],
  ["prelu with one weight", ([x, w]) => all.prelu(x, w), () => [ramp(4), positive(1)]],
  ["softmin", ([x]) => all.softmin(x, 1), () => [ramp(2, 3)]],
  ["deg2rad and rad2deg", ([x]) => all.deg2rad(all.rad2deg(x).square()), () => [ramp(3)]],
  ["logit", ([x]) => all.logit(x.sigmoid()), () => [ramp(4)]],
  ["logit with eps", ([x]) => all.logit(x.sigmoid(), 0.2), () => [ramp(4)]],
  ["nanToNum", ([x]) => all.nanToNum(x), () => [ramp(3)]],
  ["lerp", ([a, b, w]) => all.lerp(a, b, w), () => [ramp(2, 3), ramp(3), positive(2, 1)]],
  ["addcmul", ([x, a, b]) => all.addcmul(x, a, b, 0.7), () => [ramp(2, 3), ramp(3), ramp(2, 1)]],
  ["addcdiv", ([x, a, b]) => all.addcdiv(x, a, b, 0.7), () => [ramp(2, 3), ramp(3), positive(2, 1)]],
  ["maskedFill", ([x]) => all.maskedFill(x, tensor([true, false, true]), 2), () => [ramp(2, 3)]],
  [
    "addmm",
    ([x, a, b]) => all.addmm(x, a, b, { alpha: 2, beta: 3 }),
    () => [ramp(2), ramp(1, 3), ramp(3, 2)],
  ],
  [
    "bilinear",
    ([a, b, w, c]) => all.bilinear(a, b, w, c),
    () => [ramp(1, 3), ramp(1, 2), ramp(1, 3, 2), ramp(1)],
  ],
  ["linear", ([x, w, b]) => all.linear(x, w, b), () => [ramp(2, 3), ramp(2, 3), ramp(2)]],
  ["outer", ([a, b]) => all.outer(a, b), () => [ramp(2), ramp(3)]],
  ["kron", ([a, b]) => all.kron(a, b), () => [ramp(2, 2), ramp(3)]],
  ["trace", ([x]) => all.trace(x.square()), () => [ramp(2, 2, 3)]],
  ["diag of a matrix", ([x]) => all.diag(x, 1).square(), () => [ramp(3, 3)]],
  ["diag of a vector", ([x]) => all.diag(x, -1).square(), () => [ramp(2)]],
  ["diagEmbed", ([x]) => all.diagEmbed(x, 1).square(), () => [ramp(2, 2)]],
  ["diagonal", ([x]) => all.diagonal(x, -1, 2, 0).square(), () => [ramp(2, 2, 3)]],
  ["tril", ([x]) => all.tril(x, -1).square(), () => [ramp(2, 3, 3)]],
  ["triu", ([x]) => all.triu(x).square(), () => [ramp(3, 2)]],
  ["split", ([x]) => (all.split(x, 2, 1)[1] as Tensor).square(), () => [ramp(2, 3)]],
  ["chunk", ([x]) => (all.chunk(x, 2, 1)[0] as Tensor).square(), () => [ramp(2, 3)]],
  ["unbind", ([x]) => (all.unbind(x)[1] as Tensor).square(), () => [ramp(2, 3)]],
  ["select", ([x]) => all.select(x, 1, -1).square(), () => [ramp(2, 3)]],
  ["narrow", ([x]) => all.narrow(x, 1, 1, 2).square(), () => [ramp(2, 3)]],
  ["unflatten", ([x]) => all.unflatten(x, 0, [2, -1]).square(), () => [ramp(4)]],
  ["movedim", ([x]) => all.movedim(x, [0, 1], [-1, 0]).square(), () => [ramp(2, 1, 3)]],
  ["repeat", ([x]) => all.repeat(x, [2, 2]).square(), () => [ramp(3)]],
  ["repeatInterleave", ([x]) => all.repeatInterleave(x, [2, 0, 1], 1).square(), () => [ramp(2, 3)]],
  ["roll", ([x]) => all.roll(x, [1, -2], [0, 1]).square(), () => [ramp(2, 3)]],
  ["rot90", ([x]) => all.rot90(x, 3).square(), () => [ramp(2, 3)]],
  ["meshgrid", ([a, b]) => all.meshgrid([a, b]).reduce((p, q) => p.mul(q)), () => [ramp(2), ramp(3)]],
  ["windows", ([x]) => all.windows(x, 1, 3, 2).square(), () => [ramp(2, 6)]],
  [
    "im2col",
    ([x]) => all.im2col(x, [2, 3], { stride: [1, 2], padding: 1, dilation: [2, 1] }).square(),
    () => [ramp(1, 2, 3, 4)],
  ],
  ["col2im", ([x]) => all.col2im(x, [3, 3], 2, { padding: 1, stride: 2 }).square(), () => [ramp(1, 8, 4)]],
  [
    "padWith reflect",
    ([x]) =>
      all
        .padWith(
          x,
          [
            [0, 1],
            [2, 1],
          ],
          "reflect",
        )
        .square(),
    () => [ramp(2, 3)],
  ],
  [
    "padWith replicate",
    ([x]) =>
      all
        .padWith(
          x,
          [
            [1, 0],
            [2, -1],
          ],
          "replicate",
        )
        .square(),
    () => [ramp(2, 3)],
  ],
  [
    "padWith circular",
    ([x]) =>
      all
        .padWith(
          x,
          [
            [0, 0],
            [3, 1],
          ],
          "circular",
        )
        .square(),
    () => [ramp(2, 3)],
  ],
  ["pixelShuffle", ([x]) => all.pixelShuffle(x, 2).square(), () => [ramp(4, 1, 2)]],
  ["adaptiveMaxPool", ([x]) => all.adaptiveMaxPool(x, [2, 3]).values.square(), () => [ramp(1, 3, 5)]],
  ["nansum", ([x]) => all.nansum(x.square(), 1), () => [ramp(2, 3)]],
  ["nanmean", ([x]) => all.nanmean(x.square(), 0), () => [ramp(2, 3)]],
  ["varMean", ([x]) => all.varMean(x, 1)[0].mul(all.varMean(x, 1)[1]), () => [ramp(2, 3)]],
  ["maxAlong", ([x]) => all.maxAlong(x, 1).values.square(), () => [ramp(2, 3)]],
  ["minAlong", ([x]) => all.minAlong(x, 0, { keepdims: true }).values.square(), () => [ramp(2, 3)]],
  ["quantile", ([x]) => all.quantile(x, [0.2, 0.7], 1).square(), () => [ramp(2, 4)]],
  ["quantile by q", ([x, q]) => all.quantile(x, q.sigmoid(), 1), () => [ramp(2, 4), f64([0.3])]],
  ["nanquantile", ([x]) => all.nanquantile(x, 0.4, 0, { keepdims: true }).square(), () => [ramp(3, 2)]],
  ["normalize", ([x]) => all.normalize(x), () => [ramp(2, 3)]],
  ["cosineSimilarity", ([a, b]) => all.cosineSimilarity(a, b), () => [ramp(2, 3), positive(2, 3)]],
  ["pairwiseDistance", ([a, b]) => all.pairwiseDistance(a, b), () => [ramp(2, 3), positive(3)]],
  [
    "take",
    ([x]) =>
      all
        .take(
          x,
          i32([
            [0, -1],
            [2, 0],
          ]),
        )
        .square(),
    () => [ramp(2, 3)],
  ],
  ["takeAlong", ([x]) => all.takeAlong(x, i32([[2], [0]]), 1).square(), () => [ramp(1, 3)]],
  [
    "indexAdd",
    ([x, y]) => all.indexAdd(x, 1, i32([2, 0, 2, 2]), y, { alpha: 0.5 }).square(),
    () => [ramp(2, 3), ramp(2, 4)],
  ],
  [
    "indexPut",
    ([x, y]) => all.indexPut(x, [i32([1, 0, 1]), [0, 2]], y).square(),
    () => [ramp(2, 3), ramp(3, 2)],
  ],
  [
    "indexPut that adds, behind an ellipsis",
    ([x, y]) => all.indexPut(x, ["...", i32([0, 0, 2])], y, { accumulate: true }).square(),
    () => [ramp(2, 3), ramp(3)],
  ],
  ["scatter", ([x, y]) => all.scatter(x, 1, i32([[2, 0, 2]]), y).square(), () => [ramp(2, 3), ramp(1, 3)]],
  [
    "scatterReduce sum",
    ([x, y]) =>
      all
        .scatterReduce(
          x,
          0,
          i32([
            [1, 0, 1],
            [1, 1, 0],
          ]),
          y,
          "sum",
          { includeSelf: false },
        )
        .square(),
    () => [ramp(2, 3), ramp(2, 3)],
  ],
  [
    "scatterReduce prod",
    ([x, y]) => all.scatterReduce(x, 0, i32([1, 0, 1, 1]), y, "prod").square(),
    () => [ramp(3), positive(4)],
  ],
  [
    "scatterReduce mean",
    ([x, y]) => all.scatterReduce(x, 0, i32([1, 0, 1, 1]), y, "mean").square(),
    () => [ramp(3), ramp(4)],
  ],
  [
    "scatterReduce amax and amin",
    ([x, y]) =>
      all
        .scatterReduce(x, 0, i32([1, 0, 1, 1]), y, "amax")
        .mul(all.scatterReduce(x, 0, i32([1, 0, 1, 1]), y, "amin", { includeSelf: false })),
    () => [ramp(3), ramp(4)],
  ],
  ["maskedSelect", ([x]) => all.maskedSelect(x, tensor([true, false, true])).square(), () => [ramp(2, 3)]],
  ["bincount's weights", ([w]) => all.bincount(i32([1, 0, 1]), { weights: w }).square(), () => [ramp(3)]],
  [
    "scaledDotProductAttention",
    ([q, k, v]) => all.scaledDotProductAttention(q, k, v, { causal: true }),
    () => [ramp(2, 3, 2), ramp(2, 3, 2).mul(0.7), ramp(3, 2)],
  ],
  [
    "scaledDotProductAttention with a mask",
    ([q, k, v, m]) => all.scaledDotProductAttention(q, k, v, { mask: m, scale: 0.4 }),
    () => [ramp(2, 2), ramp(3, 2), ramp(3, 1), ramp(2, 3)],
  ],
  ["einsum", ([a, b]) => all.einsum("ij,kj->ik", a, b), () => [ramp(2, 3), ramp(2, 3)]],
  ["concat and stack", ([a, b]) => all.concat([a, all.stack([b, b])]).square(), () => [ramp(1, 2), ramp(2)]],
  ["where", ([a, b]) => all.where(tensor([true, false]), a, b).square(), () => [ramp(2), positive(2)]],
  ["cholesky", ([x]) => all.cholesky(definite(x)), () => [ramp(3, 3)]],
  ["cholesky of a batch", ([x]) => all.cholesky(definite(x)).square().sum(0), () => [ramp(2, 3, 3)]],
  ["det", ([x]) => all.det(x), () => [square(2)]],
  ["slogdet", ([x]) => all.slogdet(x).logabsdet, () => [square(2)]],
  ["inv", ([x]) => all.inv(x), () => [square()]],
  ["solve", ([a, b]) => all.solve(a, b), () => [square(2), ramp(3, 2)]],
  ["solve for a vector", ([a, b]) => all.solve(a, b), () => [square(), ramp(3)]],
  ["triangularSolve", ([a, b]) => all.triangularSolve(a, b), () => [square(), ramp(2, 3, 1)]],
  [
    "triangularSolve from the right, of a unit matrix",
    ([a, b]) => all.triangularSolve(a, b, { upper: true, unitriangular: true, left: false }),
    () => [square(), ramp(2, 3)],
  ],
  ["qr", ([x]) => joined(all.qr(x)), () => [square()]],
  ["qr of a tall matrix", ([x]) => joined(all.qr(x)), () => [ramp(4, 2)]],
  ["qr of a wide matrix", ([x]) => joined(all.qr(x)), () => [ramp(2, 3)]],
  ["eigh", ([x]) => joined(all.eigh(symmetric(x))), () => [ramp(3, 3)]],
  ["svd", ([x]) => joined(all.svd(x)), () => [ramp(3, 3)]],
  ["svd of a tall matrix", ([x]) => joined(all.svd(x, { fullMatrices: false })), () => [ramp(3, 2)]],
  ["svd of a wide matrix", ([x]) => joined(all.svd(x, { fullMatrices: false })), () => [ramp(2, 3)]],
];

/** All results in one vector: each element is checked. */
function joined(parts: object): Tensor {
  return all.concat(Object.values(parts).map((part: Tensor) => part.reshape([-1])));
}

describe("functions", () => {
  it.each(cases)("%s: first and second order", (_, f, inputs) => {
    checkTwice((xs) => f(xs as unknown as readonly [Tensor, Tensor, Tensor, Tensor]), inputs());
  });

  it("are all here: each export is checked, or has no derivative", () => {
    const without = [
      ...["tensor", "zeros", "ones", "full", "arange", "linspace", "eye", "key"],
      ...["compile", "currentTrace", "defaultDevice", "setDefaultDevice", "openScope", "scope", "scopeDepth"],
      "autocast",
      ...["divideRounded", "countNonzero", "nonzero", "unique", "searchsorted"],
      // Those that wait are checked as those that do not.
      ...["nonzeroAsync", "uniqueAsync", "maskedSelectAsync", "bincountAsync", "indexAsync", "indexPutAsync"],
    ];
    const checked = new Set(
      cases.flatMap(([, f]) => [...String(f).matchAll(/\.(\w+)\)?\(/g)].map((match) => match[1])),
    );
    const names = Object.entries(all).flatMap(([name, value]) => (typeof value === "function" ? [name] : []));
    expect(names.filter((name) => !checked.has(name) && !without.includes(name))).toEqual([]);
  });
});

describe("gradients at the edges", () => {
  it("of det at a singular matrix are its cofactors", () => {
    expect(
      grad((x: Tensor) => all.det(x))(
        f64([
          [1, 2],
          [2, 4],
        ]),
      ).toArray(),
    ).toEqual([
      [expect.closeTo(4, 12), expect.closeTo(-2, 12)],
      [expect.closeTo(-2, 12), expect.closeTo(1, 12)],
    ]);
    expect(grad((x: Tensor) => all.det(x))(all.zeros([3, 3])).toArray()).toEqual([
      [0, 0, 0],
      [0, 0, 0],
      [0, 0, 0],
    ]);
  });

  it("of a scattered product with zeros are the products of the others", () => {
    const index = i32([0, 0, 1, 1]);
    const g = grad((y: Tensor) =>
      all
        .scatterReduce(f64([2, 3]), 0, index, y, "prod")
        .mul(f64([1, 10]))
        .sum(),
    )(f64([0, 5, 0, 0]));
    expect(g.toArray()).toEqual([10, 0, 0, 0]);
  });

  it("are shared among ties of amax, and go to the element that stays of scatter", () => {
    const index = i32([0, 0, 0]);
    const g = grad(([x, y]: Tensor[]) => all.scatterReduce(x as Tensor, 0, index, y as Tensor, "amax").sum());
    expect(g([f64([5]), f64([5, 1, 5])]).map((t) => [...t.data()])).toEqual([
      [expect.closeTo(1 / 3)],
      [expect.closeTo(1 / 3), 0, expect.closeTo(1 / 3)],
    ]);
    const s = grad(([x, y]: Tensor[]) => all.scatter(x as Tensor, 0, index, y as Tensor).sum());
    expect(s([f64([5]), f64([5, 1, 5])]).map((t) => [...t.data()])).toEqual([[0], [0, 0, 1]]);
  });

  it("do not overflow where an activation is linear", () => {
    const far = f64([1000]);
    for (const f of [all.celu, all.selu, all.softsign, (x: Tensor) => all.softplus(x)]) {
      const g = grad((x: Tensor) => f(x).sum())(far).item();
      expect(Number.isFinite(g)).toBe(true);
    }
  });
});
