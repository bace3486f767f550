import { grad } from "@gradus/autograd";
import { type Operand, type ScalarOpName, scalarOps, type Tensor } from "@gradus/core";
import { concat, einsum, stack, tensor, where } from "@gradus/tensor";
import { describe, expect, it } from "vitest";
import { checkTwice } from "./check-twice.fixture.js";

const f64 = (values: Parameters<typeof tensor>[0]): Tensor => tensor(values, { dtype: "f64" });
const i32 = (values: Parameters<typeof tensor>[0]): Tensor => tensor(values, { dtype: "i32" });

describe("rows of the scalar table", () => {
  /** Points within the domain and away from kinks, a column for each operand. Others: some between -2 and 2. */
  const points: Partial<Record<ScalarOpName, readonly (readonly number[])[]>> = {
    div: [
      [0.5, -1.5, 2],
      [1.5, 0.7, -2],
    ],
    pow: [
      [0.5, 1.5, 2.5, 0.8],
      [2, -1.5, 0.5, 3],
    ],
    maximum: [
      [0.5, -1.5, 2],
      [1.5, -2, 1],
    ],
    minimum: [
      [0.5, -1.5, 2],
      [1.5, -2, 1],
    ],
    atan2: [
      [0.5, -1.5, 2, -0.3],
      [1.5, 0.7, -2, -0.4],
    ],
    hypot: [
      [0.5, -1.5, 2],
      [1.5, 0.7, -2],
    ],
    remainder: [
      [5.3, -5.3, 0.7, 7.1],
      [2, 2, -3, -1.6],
    ],
    fmod: [
      [5.3, -5.3, 0.7, 7.1],
      [2, 2, -3, -1.6],
    ],
    log: [[0.3, 1, 2.5]],
    log2: [[0.3, 1, 2.5]],
    log10: [[0.3, 1, 2.5]],
    log1p: [[-0.6, 0.2, 2.5]],
    sqrt: [[0.3, 1, 2.5]],
    rsqrt: [[0.3, 1, 2.5]],
    asin: [[-0.7, 0.1, 0.6]],
    acos: [[-0.7, 0.1, 0.6]],
    atanh: [[-0.7, 0.1, 0.6]],
    acosh: [[1.2, 2, 3.5]],
    leakyRelu: [
      [0.5, -1.5, 2],
      [0.1, 0.2, 0.3],
    ],
    elu: [
      [0.5, -1.5, 2, -0.2],
      [1, 2, 0.5, 1.5],
    ],
    erfinv: [[-0.7, 0.1, 0.6]],
    lgamma: [[0.4, 1.7, -1.3, 4]],
    digamma: [[0.6, 1.7, -1.4, 4]],
    polygamma: [
      [0.8, 1.7, -1.4, 4],
      [1, 2, 1, 0],
    ],
    xlogy: [
      [0.5, -1.5, 2],
      [1.5, 0.7, 2],
    ],
    hardtanh: [
      [0.5, -1.5, 2.2],
      [-0.3, -0.8, -0.5],
      [0.9, 1.2, 1.1],
    ],
    clamp: [
      [0.5, -1.5, 2.2],
      [-0.3, -0.8, -0.5],
      [0.9, 1.2, 1.1],
    ],
    where: [
      [1, 0, 1],
      [0.5, -1.5, 2],
      [1.5, 0.7, -2],
    ],
  };
  const usual = [
    [0.4, -0.9, 1.7, -1.3],
    [-0.6, 1.2, 0.3, -1.8],
    [1.1, -0.2, -1.4, 0.8],
  ];
  const columnsOf = (name: ScalarOpName): readonly (readonly number[])[] =>
    points[name] ?? usual.slice(0, scalarOps[name].arity);
  const apply = (name: ScalarOpName, [x, ...rest]: readonly Tensor[]): Tensor =>
    (x as unknown as Record<string, (...operands: Operand[]) => Tensor>)[name]?.(...rest) as Tensor;

  const rows = Object.keys(scalarOps) as ScalarOpName[];
  const differentiable = rows.filter((name) => "gradient" in scalarOps[name]);

  it.each(differentiable)("%s: first and second order", (name) => {
    const columns = columnsOf(name);
    if (name === "where") {
      const condition = tensor(columns[0] as number[], { dtype: "bool" });
      checkTwice(([a, b]) => where(condition, a as Tensor, b as Tensor), columns.slice(1).map(f64));
      return;
    }
    checkTwice((xs) => apply(name, xs), columns.map(f64));
  });

  it.each(differentiable.filter((name) => scalarOps[name].arity === 2))(
    "%s: broadcast, and with a number",
    (name) => {
      const [a, b] = columnsOf(name) as [readonly number[], readonly number[]];
      // Columns of pairs that fit each other stay together: [2, 1] against [1] and a number.
      const left = f64([[a[0] as number], [a[0] as number]]);
      checkTwice((xs) => apply(name, xs), [left, f64([b[0] as number])]);
      checkTwice(([x]) => (apply as (n: string, xs: unknown[]) => Tensor)(name, [x, b[0]]), [left]);
    },
  );

  const flat = rows.filter((name) => {
    const { typing } = scalarOps[name];
    return !("gradient" in scalarOps[name]) && (typing === "float" || typing === "number");
  });

  it.each(flat)("%s has a derivative of zero", (name) => {
    const columns = columnsOf(name).map(f64);
    const of = grad((xs: readonly Tensor[]) =>
      apply(name, xs)
        .sum()
        .add((xs[0] as Tensor).sum().mul(0)),
    )(columns);
    for (const g of of) expect([...g.data()]).toEqual(new Array(g.size).fill(0));
  });
});

describe("structural operations", () => {
  const matrix = (): Tensor =>
    f64([
      [0.3, -1.2, 2.1],
      [1.4, 0.6, -0.7],
    ]);
  const cube = (): Tensor =>
    f64([
      [
        [0.3, -1.2],
        [2.1, 1.4],
      ],
      [
        [0.6, -0.7],
        [-0.2, 0.9],
      ],
      [
        [1.1, -1.5],
        [0.8, 2.4],
      ],
    ]);
  /** Different numbers around 0, not in order. */
  const ramp = (shape: readonly number[]): Tensor => {
    const size = shape.reduce((a, b) => a * b, 1);
    const values = Float64Array.from({ length: size }, (_, i) => (((i * 7 + 3) % 29) - 14 + i / 31) / 8);
    return tensor(values, { shape });
  };
  const vector = (): Tensor => f64([0.5, -0.8, 1.3]);
  /** Zeros among the factors: the gradient of a product cannot divide by them. */
  const withZeros = (): Tensor =>
    f64([
      [0, 2, 3],
      [0, 0, 1.5],
      [1, -1, 2],
    ]);
  const x = (xs: readonly Tensor[]): Tensor => xs[0] as Tensor;
  const y = (xs: readonly Tensor[]): Tensor => xs[1] as Tensor;

  type Case = readonly [
    name: string,
    f: (inputs: readonly Tensor[]) => Tensor,
    inputs: () => readonly Tensor[],
  ];
  const cases: readonly Case[] = [
    ["sum", (xs) => x(xs).sum(), () => [matrix()]],
    ["sum over axes, kept", (xs) => x(xs).sum([0, 2], { keepdims: true }), () => [cube()]],
    ["mean", (xs) => x(xs).mean(), () => [matrix()]],
    ["mean over an axis", (xs) => x(xs).mean(-1), () => [cube()]],
    ["prod", (xs) => x(xs).prod(), () => [vector()]],
    ["prod over an axis, kept", (xs) => x(xs).prod(0, { keepdims: true }), () => [matrix()]],
    ["prod with zeros", (xs) => x(xs).prod(1), () => [withZeros()]],
    ["prod over several axes", (xs) => x(xs).prod([0, 2]), () => [cube()]],
    ["max", (xs) => x(xs).max(), () => [matrix()]],
    ["max over an axis", (xs) => x(xs).max(1), () => [cube()]],
    ["min", (xs) => x(xs).min(), () => [matrix()]],
    ["min over axes, kept", (xs) => x(xs).min([0, 1], { keepdims: true }), () => [cube()]],
    ["var", (xs) => x(xs).var(), () => [matrix()]],
    ["var over an axis, uncorrected", (xs) => x(xs).var(1, { correction: 0 }), () => [matrix()]],
    ["std", (xs) => x(xs).std(), () => [matrix()]],
    ["std over an axis", (xs) => x(xs).std(0), () => [matrix()]],
    ["norm", (xs) => x(xs).norm(), () => [matrix()]],
    ["norm over an axis", (xs) => x(xs).norm(1, { keepdims: true }), () => [matrix()]],
    ["norm, p = 1", (xs) => x(xs).norm(1, { p: 1 }), () => [matrix()]],
    ["norm, p = 3", (xs) => x(xs).norm(0, { p: 3 }), () => [matrix()]],
    ["norm, p = 0.5", (xs) => x(xs).norm(0, { p: 0.5 }), () => [matrix()]],
    ["norm, p = Infinity", (xs) => x(xs).norm(0, { p: Infinity }), () => [matrix()]],
    ["norm, p = -Infinity", (xs) => x(xs).norm(0, { p: -Infinity }), () => [matrix()]],
    ["logsumexp", (xs) => x(xs).logsumexp(), () => [matrix()]],
    ["logsumexp over an axis", (xs) => x(xs).logsumexp(1, { keepdims: true }), () => [cube()]],
    ["cumsum", (xs) => x(xs).cumsum(1), () => [cube()]],
    ["cumprod", (xs) => x(xs).cumprod(0), () => [matrix().transpose()]],
    ["cumprod with zeros", (xs) => x(xs).cumprod(1), () => [withZeros()]],
    ["logcumsumexp", (xs) => x(xs).logcumsumexp(-1), () => [matrix()]],
    ["cummax", (xs) => x(xs).cummax(1).values, () => [cube()]],
    ["cummin", (xs) => x(xs).cummin(0).values, () => [matrix()]],
    ["sort", (xs) => x(xs).sort(0, { descending: true }).values, () => [cube()]],
    ["topk", (xs) => x(xs).topk(2).values, () => [matrix()]],
    ["kthvalue", (xs) => x(xs).kthvalue(2, 0).values, () => [cube()]],
    ["median", (xs) => x(xs).median(1).values, () => [matrix()]],
    ["median of all", (xs) => x(xs).median().values, () => [matrix()]],
    ["softmax", (xs) => x(xs).softmax(1), () => [matrix()]],
    ["softmax over the first axis", (xs) => x(xs).softmax(0), () => [cube()]],
    ["logSoftmax", (xs) => x(xs).logSoftmax(-1), () => [matrix()]],
    ["logSoftmax over the first axis", (xs) => x(xs).logSoftmax(0), () => [matrix()]],
    ["matmul", (xs) => x(xs).matmul(y(xs)), () => [matrix(), matrix().transpose()]],
    [
      "matmul of a batch and a matrix",
      (xs) => x(xs).matmul(y(xs)),
      () => [
        cube(),
        f64([
          [1, -0.5, 2],
          [0.3, 0.7, -1],
        ]),
      ],
    ],
    [
      "matmul of broadcast batches",
      (xs) => x(xs).matmul(y(xs)),
      () => [cube().unsqueeze(1), cube().slice([0, 2])],
    ],
    ["matmul of vectors", (xs) => x(xs).matmul(y(xs)), () => [vector(), f64([1.5, 0.2, -0.4])]],
    ["matmul of a matrix and a vector", (xs) => x(xs).matmul(y(xs)), () => [matrix(), vector()]],
    ["matmul of a vector and a matrix", (xs) => x(xs).matmul(y(xs)), () => [vector(), matrix().transpose()]],
    ["matmul of a tensor and itself", (xs) => x(xs).matmul(x(xs).transpose()), () => [matrix()]],
    [
      "conv",
      (xs) => x(xs).conv(y(xs), { stride: 2, padding: [1, 2], dilation: [1, 2], bias: xs[2] as Tensor }),
      () => [ramp([1, 2, 4, 3]), ramp([2, 2, 3, 2]), f64([0.3, -0.4])],
    ],
    [
      "conv in groups over one axis",
      (xs) => x(xs).conv(y(xs), { groups: 2, padding: "same" }),
      () => [ramp([2, 4, 3]), ramp([2, 2, 2])],
    ],
    [
      "convTranspose",
      (xs) => x(xs).convTranspose(y(xs), { stride: 2, padding: 1, outputPadding: 1, groups: 2 }),
      () => [ramp([1, 2, 2, 3]), ramp([2, 1, 3, 2])],
    ],
    ["maxPool", (xs) => x(xs).maxPool([3], { stride: 2, padding: 1 }).values, () => [ramp([2, 5])]],
    [
      "avgPool",
      (xs) => x(xs).avgPool(2, { padding: 1, countIncludePad: false, ceilMode: true }),
      () => [ramp([1, 1, 3, 4])],
    ],
    ["adaptiveAvgPool", (xs) => x(xs).adaptiveAvgPool([2, 3]), () => [ramp([1, 3, 4])]],
    ["interpolate", (xs) => x(xs).interpolate(3, { mode: "linear" }), () => [ramp([1, 1, 2, 4])]],
    ["reshape", (xs) => x(xs).reshape([3, -1]), () => [matrix()]],
    ["reshape of a transposed tensor", (xs) => x(xs).transpose().reshape([-1]), () => [matrix()]],
    ["transpose", (xs) => x(xs).transpose(0, 2), () => [cube()]],
    ["permute", (xs) => x(xs).permute([1, 2, 0]), () => [cube()]],
    ["squeeze", (xs) => x(xs).unsqueeze(1).squeeze(1), () => [matrix()]],
    ["unsqueeze", (xs) => x(xs).unsqueeze(-1), () => [matrix()]],
    ["expand", (xs) => x(xs).expand([2, 4, 3]), () => [f64([[0.5, -0.8, 1.3]])]],
    ["slice", (xs) => x(xs).slice([1, 3], null, [0, 1]), () => [cube()]],
    [
      "slice with negative steps",
      (xs) => x(xs).slice([undefined, undefined, -1], [2, 0, -2]),
      () => [matrix()],
    ],
    ["slice with a step", (xs) => x(xs).slice([0, 3, 2]), () => [cube()]],
    ["flip", (xs) => x(xs).flip([0, 1]), () => [matrix()]],
    ["flatten", (xs) => x(xs).flatten(1), () => [cube()]],
    [
      "pad",
      (xs) =>
        x(xs).pad(
          [
            [1, 0],
            [0, 2],
          ],
          5,
        ),
      () => [matrix()],
    ],
    [
      "pad that cuts",
      (xs) =>
        x(xs).pad([
          [-1, 1],
          [1, -1],
        ]),
      () => [matrix()],
    ],
    [
      "index",
      (xs) =>
        x(xs).index(
          [undefined, undefined, -1],
          "newaxis",
          i32([
            [1, 0],
            [-1, 1],
          ]),
        ),
      () => [cube()],
    ],
    [
      "index by tensors apart, and a mask",
      (xs) =>
        x(xs)
          .index(i32([0, 2]), 1, tensor([true, true]))
          .add(
            x(xs)
              .index("...", i32([1]))
              .sum(),
          ),
      () => [ramp([3, 2, 2])],
    ],
    ["indexSelect", (xs) => x(xs).indexSelect(1, i32([2, 0, 2, 2])), () => [matrix()]],
    [
      "gather",
      (xs) =>
        x(xs).gather(
          1,
          i32([
            [2, 0, 0, 2],
            [1, 1, 0, 2],
          ]),
        ),
      () => [matrix()],
    ],
    [
      "gather along the first axis",
      (xs) =>
        x(xs).gather(
          0,
          i32([
            [1, 0],
            [1, 1],
            [0, 0],
          ]),
        ),
      () => [matrix()],
    ],
    [
      "scatterAdd",
      (xs) =>
        x(xs).scatterAdd(
          1,
          i32([
            [2, 2],
            [0, 1],
          ]),
          y(xs),
        ),
      () => [
        matrix(),
        f64([
          [0.4, 0.9],
          [-1, 2],
        ]),
      ],
    ],
    [
      "scatterAdd of a part of the source",
      (xs) => x(xs).scatterAdd(0, i32([[1, 0]]), y(xs)),
      () => [
        matrix(),
        f64([
          [0.4, 0.9, 3],
          [-1, 2, 3],
        ]),
      ],
    ],
    [
      "einsum",
      (xs) => einsum("iij,jk,k->ik", x(xs), y(xs), xs[2] as Tensor),
      () => [ramp([2, 2, 3]), ramp([3, 2]), f64([0.5, -1.5])],
    ],
    ["concat", (xs) => concat([x(xs), y(xs), x(xs)], 1), () => [matrix(), f64([[1], [2]])]],
    ["stack", (xs) => stack([x(xs), y(xs)], 1), () => [vector(), f64([1, 2, 3])]],
    ["where", (xs) => where(tensor([true, false, true]), x(xs), y(xs)), () => [matrix(), vector()]],
    ["cast to f64", (xs) => x(xs).cast("f64").square(), () => [vector()]],
    [
      "a use of one tensor in several ways",
      (xs) => x(xs).mul(x(xs).sum(0)).sub(x(xs).flip(1)),
      () => [matrix()],
    ],
    [
      "a chain of many",
      (xs) => x(xs).transpose().softmax(0).matmul(x(xs)).flip(0).logsumexp(1),
      () => [matrix()],
    ],
  ];

  it.each(cases)("%s: first and second order", (_, f, inputs) => {
    checkTwice(f, inputs());
  });

  it("are all here: each method of a tensor is checked, or has no derivative", () => {
    const without = [
      ...["argmax", "argmin", "argsort", "any", "all", "oneHot", "zerosLike", "onesLike", "detach"],
      ...["to", "read", "data", "item", "toArray", "dispose", "toString", "constructor"],
    ];
    const checked = new Set(
      cases.flatMap(([, f]) => [...String(f).matchAll(/\.(\w+)\(/g)].map((match) => match[1])),
    );
    const prototype = Object.getPrototypeOf(tensor(0)) as object;
    const methods = Object.entries(Object.getOwnPropertyDescriptors(prototype))
      .filter(
        ([name, { value }]) => typeof value === "function" && !(name in scalarOps) && !without.includes(name),
      )
      .map(([name]) => name);
    expect(methods.length).toBeGreaterThan(20);
    expect(methods.filter((name) => !checked.has(name))).toEqual([]);
  });

  it("stops at detach", () => {
    const g = grad((p: Tensor) => p.detach().mul(p).sum())(vector());
    expect(g.toArray()).toEqual(vector().toArray());
  });

  it("shares ties of max and min equally, and gives 0 at the norm of nothing", () => {
    expect(grad((p: Tensor) => p.max())(f64([1, 3, 3])).toArray()).toEqual([0, 0.5, 0.5]);
    expect(
      grad((p: Tensor) => p.min(0).sum())(
        f64([
          [1, 2],
          [1, 3],
        ]),
      ).toArray(),
    ).toEqual([
      [0.5, 1],
      [0.5, 0],
    ]);
    expect(grad((p: Tensor) => p.norm())(f64([0, 0])).toArray()).toEqual([0, 0]);
    expect(grad((p: Tensor) => p.std())(f64([2, 2])).toArray()).toEqual([0, 0]);
  });
});
