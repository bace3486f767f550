import { describe, expect, it } from "vitest";
import type { DType } from "../dtype.js";
import * as c from "../ir/calculus.js";
import { axisIndex, axisSize, constant, type Expr, type LoadExpr, load, param, stage } from "../ir/expr.js";
import type { ContractKernel } from "../ir/kernel.js";
import { dense, runKernel } from "./run-kernel.fixture.js";

const f64 = "f64" as const;

function numbers(n: number, seed = 1): number[] {
  return Array.from(
    { length: n },
    (_, i) => ((Math.imul(i + seed, 0x9e3779b1) ^ (seed << 9)) | 0) / 2147483648,
  );
}

/** A contraction of f64 inputs to one f64 output at `index`, with other parts if they are given. */
function contract(
  parts: Partial<ContractKernel> &
    Pick<ContractKernel, "groups" | "a" | "b"> & { index: Expr; epilogue?: Expr },
): ContractKernel {
  const { index, epilogue = stage(0, f64), ...others } = parts;
  return {
    kind: "contract",
    name: "test",
    inputs: [f64, f64],
    outputs: [f64],
    params: [],
    accumulate: f64,
    writes: [{ buffer: 0, index, value: epilogue }],
    ...others,
  };
}

function expectClose(actual: readonly number[] | undefined, expected: readonly number[]): void {
  expect(actual?.length).toBe(expected.length);
  let worst = 0;
  expected.forEach((value, i) => {
    worst = Math.max(worst, Math.abs((actual?.[i] as number) - value) / Math.max(1, Math.abs(value)));
  });
  expect(worst).toBeLessThan(1e-12);
}

/** `a[m][k] * b[k][n]`, both read through strides (row, then column). */
function matmul(dtype: DType = f64, transposeA = false, transposeB = false): ContractKernel {
  return contract({
    inputs: [dtype, dtype],
    outputs: [dtype],
    accumulate: dtype,
    groups: { batch: 0, m: 1, n: 1, k: 1 },
    a: load(0, dtype, transposeA ? dense(2, 0) : dense(0, 2)),
    b: load(1, dtype, transposeB ? dense(1, 2) : dense(2, 1)),
    index: dense(0, 1),
    epilogue: stage(0, dtype),
  });
}

function naiveMatmul(a: readonly number[], b: readonly number[], m: number, n: number, k: number): number[] {
  return Array.from({ length: m * n }, (_, i) => {
    let sum = 0;
    for (let p = 0; p < k; p++)
      sum += (a[Math.floor(i / n) * k + p] as number) * (b[p * n + (i % n)] as number);
    return sum;
  });
}

function transpose(x: readonly number[], rows: number, columns: number): number[] {
  return Array.from(
    { length: rows * columns },
    (_, i) => x[(i % rows) * columns + Math.floor(i / rows)] as number,
  );
}

describe("matmul", () => {
  // Sizes on both sides of the blocks: 2 x 4 sums, 512 elements of a chunk, 1024 of k, 64 to 512 rows.
  it.each([
    [1, 1, 1],
    [3, 5, 7],
    [2, 4, 513],
    [1, 600, 3],
    [600, 1, 3],
    [530, 520, 2],
    [70, 67, 1500],
    [5, 3, 2100],
  ])("%i x %i x %i equals the naive loops, transposed or not", (m, n, k) => {
    const [a, b] = [numbers(m * k), numbers(k * n, 7)];
    const expected = naiveMatmul(a, b, m, n, k);
    const launch = { outputs: [m * n], sizes: [m, n, k] };
    const [at, bt] = [transpose(a, m, k), transpose(b, k, n)];
    expectClose(runKernel(matmul(), { ...launch, inputs: [a, b] })[0], expected);
    expectClose(runKernel(matmul(f64, true), { ...launch, inputs: [at, b] })[0], expected);
    expectClose(runKernel(matmul(f64, false, true), { ...launch, inputs: [a, bt] })[0], expected);
    expectClose(runKernel(matmul(f64, true, true), { ...launch, inputs: [at, bt] })[0], expected);
  });

  it("sums nothing to zero, and writes nothing where the output is empty", () => {
    expect(runKernel(matmul(), { inputs: [[], []], outputs: [4], sizes: [2, 2, 0] })).toEqual([[0, 0, 0, 0]]);
    expect(runKernel(matmul(), { inputs: [[], [1]], outputs: [0], sizes: [0, 1, 1] })).toEqual([[]]);
  });

  it("wraps integers, whose products float64 could not hold", () => {
    const a = [2147483647, 123456789, -5, 7];
    const b = [2147483647, 3, 987654321, 2147483646];
    const [out] = runKernel(matmul("i32"), { inputs: [a, b], outputs: [4], sizes: [2, 2, 2] });
    const at = (i: number, j: number): number => {
      const exact = [0, 1].reduce(
        (sum, p) => sum + BigInt(a[i * 2 + p] as number) * BigInt(b[p * 2 + j] as number),
        0n,
      );
      return Number(BigInt.asIntN(32, exact));
    };
    expect(out).toEqual([at(0, 0), at(0, 1), at(1, 0), at(1, 1)]);
  });

  it("computes again when it is launched again, with other sizes too", () => {
    const kernel = matmul();
    for (const [m, n, k] of [
      [3, 5, 7],
      [3, 5, 7],
      [2, 2, 2],
      [4, 9, 3],
    ] as const) {
      const [a, b] = [numbers(m * k, m), numbers(k * n, n)];
      expectClose(
        runKernel(kernel, { inputs: [a, b], outputs: [m * n], sizes: [m, n, k] })[0],
        naiveMatmul(a, b, m, n, k),
      );
    }
  });

  it("broadcasts an operand along the batch", () => {
    // Axes: batch, m, n, k; b has no batch axis.
    const kernel = contract({
      groups: { batch: 1, m: 1, n: 1, k: 1 },
      a: load(0, f64, dense(0, 1, 3)),
      b: load(1, f64, dense(3, 2)),
      index: dense(0, 1, 2),
    });
    const [batch, m, n, k] = [3, 4, 5, 6];
    const [a, b] = [numbers(batch * m * k), numbers(k * n, 3)];
    const [out] = runKernel(kernel, { inputs: [a, b], outputs: [batch * m * n], sizes: [batch, m, n, k] });
    expectClose(
      out,
      Array.from({ length: batch }, (_, i) =>
        naiveMatmul(a.slice(i * m * k, (i + 1) * m * k), b, m, n, k),
      ).flat(),
    );
  });

  it("takes a batch of both operands", () => {
    const kernel = contract({
      groups: { batch: 2, m: 1, n: 1, k: 1 },
      a: load(0, f64, dense(0, 1, 2, 4)),
      b: load(1, f64, dense(0, 1, 4, 3)),
      index: dense(0, 1, 2, 3),
    });
    const [m, n, k] = [2, 3, 4];
    const [a, b] = [numbers(6 * m * k), numbers(6 * k * n, 3)];
    const [out] = runKernel(kernel, { inputs: [a, b], outputs: [6 * m * n], sizes: [2, 3, m, n, k] });
    const part = (x: readonly number[], i: number): number[] =>
      x.slice((i * x.length) / 6, ((i + 1) * x.length) / 6);
    expectClose(
      out,
      [0, 1, 2, 3, 4, 5].flatMap((i) => naiveMatmul(part(a, i), part(b, i), m, n, k)),
    );
  });

  it("is a dot product, an outer product or a product with a vector where groups are empty", () => {
    const dot = contract({
      groups: { batch: 0, m: 0, n: 0, k: 1 },
      a: load(0, f64, axisIndex(0)),
      b: load(1, f64, axisIndex(0)),
      index: c.mul(axisSize(0), 0),
    });
    expect(
      runKernel(dot, {
        inputs: [
          [1, 2, 3],
          [4, 5, 6],
        ],
        outputs: [1],
        sizes: [3],
      }),
    ).toEqual([[32]]);
    const outer = contract({
      groups: { batch: 0, m: 1, n: 1, k: 0 },
      a: load(0, f64, axisIndex(0)),
      b: load(1, f64, axisIndex(1)),
      index: dense(0, 1),
    });
    expect(
      runKernel(outer, {
        inputs: [
          [1, 2],
          [3, 4, 5],
        ],
        outputs: [6],
        sizes: [2, 3],
      }),
    ).toEqual([[3, 4, 5, 6, 8, 10]]);
    const vector = contract({
      groups: { batch: 0, m: 1, n: 0, k: 1 },
      a: load(0, f64, dense(0, 1)),
      b: load(1, f64, axisIndex(1)),
      index: axisIndex(0),
    });
    expect(
      runKernel(vector, {
        inputs: [
          [1, 2, 3, 4],
          [5, 6],
        ],
        outputs: [2],
        sizes: [2, 2],
      }),
    ).toEqual([[17, 39]]);
  });

  it("has an epilogue that reads other inputs and params", () => {
    const kernel: ContractKernel = {
      ...matmul(),
      inputs: [f64, f64, f64],
      params: [f64],
      writes: [
        {
          buffer: 0,
          index: dense(0, 1),
          value: c.maximum(c.add(c.mul(stage(0, f64), param(0, f64)), load(2, f64, axisIndex(1))), 0),
        },
      ],
    };
    for (const [m, n, k] of [
      [2, 3, 4],
      [40, 3, 4],
      [3, 600, 2],
    ] as const) {
      const [a, b, bias] = [numbers(m * k), numbers(k * n, 3), numbers(n, 4)];
      const [out] = runKernel(kernel, {
        inputs: [a, b, bias],
        outputs: [m * n],
        sizes: [m, n, k],
        params: [0.5],
      });
      const product = naiveMatmul(a, b, m, n, k);
      expectClose(
        out,
        product.map((v, i) => Math.max(0, 0.5 * v + (bias[i % n] as number))),
      );
    }
  });
});

describe("operands and outputs", () => {
  it("may be any expressions, and several outputs share the sum", () => {
    // (2a + 1) times b squared; the sum and its sign.
    const kernel: ContractKernel = {
      ...matmul(),
      outputs: [f64, "bool"],
      a: c.add(c.mul(load(0, f64, dense(0, 2)), 2), 1),
      b: c.square(load(1, f64, dense(2, 1))),
      writes: [
        { buffer: 0, index: dense(0, 1), value: stage(0, f64) },
        { buffer: 1, index: dense(1, 0), value: c.greater(stage(0, f64), 0) },
      ],
    };
    const [m, n, k] = [3, 4, 5];
    const [a, b] = [numbers(m * k), numbers(k * n, 6)];
    const [out, signs] = runKernel(kernel, { inputs: [a, b], outputs: [m * n, m * n], sizes: [m, n, k] });
    const expected = naiveMatmul(
      a.map((v) => 2 * v + 1),
      b.map((v) => v * v),
      m,
      n,
      k,
    );
    expectClose(out, expected);
    expect(signs).toEqual(
      transpose(
        expected.map((v) => (v > 0 ? 1 : 0)),
        m,
        n,
      ),
    );
  });

  it("may be constant", () => {
    const kernel = contract({
      groups: { batch: 0, m: 1, n: 1, k: 1 },
      a: constant(2, f64),
      b: load(1, f64, dense(2, 1)),
      index: dense(0, 1),
    });
    expect(runKernel(kernel, { inputs: [[], [1, 2, 3, 4]], outputs: [4], sizes: [2, 2, 2] })).toEqual([
      [8, 12, 8, 12],
    ]);
  });
});

// x: [N, H, W, C], w: [KH, KW, C, O], y: [N, OH, OW, O]; stride 2, padding 1.
describe("2-d convolution as contractions", () => {
  const [stride, padding, size] = [2, 1, 3];

  interface Sizes {
    readonly n: number;
    readonly h: number;
    readonly w: number;
    readonly channels: number;
    readonly features: number;
  }

  const outSize = (s: number): number => Math.floor((s + 2 * padding - size) / stride) + 1;

  function image(n: Expr, row: Expr, column: Expr, channel: Expr, [h, w, channels]: readonly number[]): Expr {
    return c.add(
      c.mul(c.add(c.mul(c.add(c.mul(n, h as number), row), w as number), column), channels as number),
      channel,
    );
  }

  function within(row: Expr, column: Expr, [h, w]: readonly number[]): Expr {
    return c.logicalAnd(
      c.logicalAnd(c.greaterEqual(row, 0), c.less(row, h as number)),
      c.logicalAnd(c.greaterEqual(column, 0), c.less(column, w as number)),
    );
  }

  /** The input element that output position `o` sees at window position `k`. */
  function sees(o: Expr, k: Expr): Expr {
    return c.sub(c.add(c.mul(o, stride), k), padding);
  }

  function paddedLoad(
    buffer: number,
    n: Expr,
    oh: Expr,
    ow: Expr,
    kh: Expr,
    kw: Expr,
    ch: Expr,
    s: Sizes,
  ): LoadExpr {
    const [ih, iw] = [sees(oh, kh), sees(ow, kw)];
    const dims = [s.h, s.w, s.channels];
    return load(buffer, f64, image(n, ih, iw, ch, dims), within(ih, iw, dims));
  }

  const ax = axisIndex;
  const weightAt = (kh: Expr, kw: Expr, ch: Expr, o: Expr, s: Sizes): Expr =>
    image(kh, kw, ch, o, [size, s.channels, s.features]);

  // m: n, oh, ow (0 1 2); n: o (3); k: kh, kw, c (4 5 6)
  const forward = (s: Sizes): ContractKernel =>
    contract({
      groups: { batch: 0, m: 3, n: 1, k: 3 },
      a: paddedLoad(0, ax(0), ax(1), ax(2), ax(4), ax(5), ax(6), s),
      b: load(1, f64, weightAt(ax(4), ax(5), ax(6), ax(3), s)),
      index: dense(0, 1, 2, 3),
    });

  // m: n, ih, iw (0 1 2); n: c (3); k: kh, kw, o (4 5 6). The output row is (ih + padding - kh) / stride, if whole.
  const inputGradient = (s: Sizes): ContractKernel => {
    const [top, left] = [c.sub(c.add(ax(1), padding), ax(4)), c.sub(c.add(ax(2), padding), ax(5))];
    const [oh, ow] = [c.idiv(top, stride), c.idiv(left, stride)];
    const aligned = c.logicalAnd(
      c.logicalAnd(c.greaterEqual(top, 0), c.greaterEqual(left, 0)),
      c.logicalAnd(c.equal(c.imod(top, stride), 0), c.equal(c.imod(left, stride), 0)),
    );
    const dims = [outSize(s.h), outSize(s.w), s.features];
    return contract({
      groups: { batch: 0, m: 3, n: 1, k: 3 },
      a: load(0, f64, image(ax(0), oh, ow, ax(6), dims), c.logicalAnd(aligned, within(oh, ow, dims))),
      b: load(1, f64, weightAt(ax(4), ax(5), ax(3), ax(6), s)),
      index: dense(0, 1, 2, 3),
    });
  };

  // m: kh, kw, c (0 1 2); n: o (3); k: n, oh, ow (4 5 6)
  const weightGradient = (s: Sizes): ContractKernel =>
    contract({
      groups: { batch: 0, m: 3, n: 1, k: 3 },
      a: paddedLoad(0, ax(4), ax(5), ax(6), ax(0), ax(1), ax(2), s),
      b: load(1, f64, image(ax(4), ax(5), ax(6), ax(3), [outSize(s.h), outSize(s.w), s.features])),
      index: dense(0, 1, 2, 3),
    });

  /** Calls `f` with the positions of every product of the convolution in x, w and y. */
  function eachProduct(s: Sizes, f: (x: number, w: number, y: number) => void): void {
    const [oh, ow] = [outSize(s.h), outSize(s.w)];
    for (let n = 0; n < s.n; n++)
      for (let i = 0; i < oh; i++)
        for (let j = 0; j < ow; j++)
          for (let kh = 0; kh < size; kh++)
            for (let kw = 0; kw < size; kw++) {
              const [r, q] = [i * stride + kh - padding, j * stride + kw - padding];
              if (r < 0 || r >= s.h || q < 0 || q >= s.w) continue;
              for (let ch = 0; ch < s.channels; ch++)
                for (let o = 0; o < s.features; o++) {
                  f(
                    ((n * s.h + r) * s.w + q) * s.channels + ch,
                    ((kh * size + kw) * s.channels + ch) * s.features + o,
                    ((n * oh + i) * ow + j) * s.features + o,
                  );
                }
            }
  }

  it.each([
    { n: 2, h: 5, w: 6, channels: 3, features: 4 },
    { n: 1, h: 28, w: 27, channels: 1, features: 2 },
    { n: 3, h: 4, w: 4, channels: 30, features: 20 },
  ])("forward and both gradients equal the naive loops: %j", (s) => {
    const [oh, ow] = [outSize(s.h), outSize(s.w)];
    const x = numbers(s.n * s.h * s.w * s.channels, 2);
    const w = numbers(size * size * s.channels * s.features, 3);
    const dy = numbers(s.n * oh * ow * s.features, 4);
    const [y, dx, dw] = [dy, x, w].map((like) => new Array<number>(like.length).fill(0)) as [
      number[],
      number[],
      number[],
    ];
    eachProduct(s, (i, j, o) => {
      y[o] = (y[o] as number) + (x[i] as number) * (w[j] as number);
      dx[i] = (dx[i] as number) + (dy[o] as number) * (w[j] as number);
      dw[j] = (dw[j] as number) + (dy[o] as number) * (x[i] as number);
    });

    const run = (
      kernel: ContractKernel,
      inputs: number[][],
      n: number,
      sizes: number[],
    ): number[] | undefined => runKernel(kernel, { inputs, outputs: [n], sizes })[0];
    expectClose(run(forward(s), [x, w], y.length, [s.n, oh, ow, s.features, size, size, s.channels]), y);
    expectClose(
      run(inputGradient(s), [dy, w], x.length, [s.n, s.h, s.w, s.channels, size, size, s.features]),
      dx,
    );
    expectClose(
      run(weightGradient(s), [x, dy], w.length, [size, size, s.channels, s.features, s.n, oh, ow]),
      dw,
    );
  });
});
