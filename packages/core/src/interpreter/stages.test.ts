import { describe, expect, it } from "vitest";
import type { DType } from "../dtype.js";
import * as c from "../ir/calculus.js";
import { axisIndex, axisSize, cast, constant, type Expr, load, stage } from "../ir/expr.js";
import type { LoopKernel, Reduction } from "../ir/kernel.js";
import { dense, loopKernel, runKernel } from "./run-kernel.fixture.js";

const f64 = "f64" as const;

/** Deterministic numbers that look random, in [-1, 1). */
function numbers(n: number, seed = 1): number[] {
  return Array.from(
    { length: n },
    (_, i) => ((Math.imul(i + seed, 0x9e3779b1) ^ (seed << 7)) | 0) / 2147483648,
  );
}

function rows<T>(values: readonly T[], width: number): T[][] {
  return Array.from({ length: width === 0 ? 0 : values.length / width }, (_, i) => {
    return values.slice(i * width, (i + 1) * width);
  });
}

function reduceRows(op: Reduction, dtype: DType): LoopKernel {
  const result = op === "argmax" || op === "argmin" ? "i32" : dtype;
  return loopKernel({
    inputs: [dtype],
    outputs: [result],
    axes: 2,
    grid: 1,
    stages: [{ over: [1], op, value: load(0, dtype, dense(0, 1)), dtype: result }],
    writes: [{ over: [], buffer: 0, index: axisIndex(0), value: stage(0, result) }],
  });
}

/** Long rows run along the inner axis, many short ones along the grid: both must give the same. */
const shapes = [
  [1, 1],
  [3, 1000],
  [1000, 3],
  [700, 40],
  [40, 700],
  [2, 513],
] as const;

describe("reductions", () => {
  const reference: Record<Reduction, (row: readonly number[]) => number> = {
    sum: (row) => row.reduce((a, b) => a + b, 0),
    prod: (row) => row.reduce((a, b) => a * b, 1),
    max: (row) => Math.max(...row),
    min: (row) => Math.min(...row),
    argmax: (row) => row.indexOf(Math.max(...row)),
    argmin: (row) => row.indexOf(Math.min(...row)),
  };

  it.each(Object.keys(reference) as Reduction[])("%s equals the naive loop, bit for bit", (op) => {
    for (const [n, width] of shapes) {
      const x = numbers(n * width);
      const [out] = runKernel(reduceRows(op, f64), { inputs: [x], outputs: [n], sizes: [n, width] });
      expect(out).toEqual(rows(x, width).map((row) => reference[op](row)));
    }
  });

  it.each(["max", "min", "argmax", "argmin"] as const)("%s lets NaN win", (op) => {
    for (const [n, width] of [
      [2, 4],
      [100, 4],
    ] as const) {
      const x = Array.from({ length: n * width }, (_, i) =>
        i % 4 === 1 || i % 4 === 2 ? Number.NaN : i % 7,
      );
      const [out] = runKernel(reduceRows(op, f64), { inputs: [x], outputs: [n], sizes: [n, width] });
      expect(new Set(out)).toEqual(new Set([op.startsWith("arg") ? 1 : Number.NaN]));
    }
  });

  it.each([
    ["sum", f64, 0],
    ["prod", f64, 1],
    ["max", f64, -Infinity],
    ["min", f64, Infinity],
    ["argmax", f64, 0],
    ["argmin", f64, 0],
    ["max", "i32", -2147483648],
    ["min", "i32", 2147483647],
    ["max", "bool", 0],
    ["min", "bool", 1],
  ] as const)("%s of no %s is its identity", (op, dtype, identity) => {
    for (const n of [1, 100]) {
      const [out] = runKernel(reduceRows(op, dtype), { inputs: [[]], outputs: [n], sizes: [n, 0] });
      expect(new Set(out)).toEqual(new Set([identity]));
    }
  });

  it("finds the first extreme, also among infinities", () => {
    const x = [-Infinity, -Infinity, 5, 5, 3, 5];
    expect(runKernel(reduceRows("argmax", f64), { inputs: [x], outputs: [3], sizes: [3, 2] })).toEqual([
      [0, 0, 1],
    ]);
  });

  it("wraps integers", () => {
    const x = [2147483647, 1, 65537, 65537];
    for (const repeat of [1, 50]) {
      const many = Array.from({ length: repeat }, () => x).flat();
      const n = 2 * repeat;
      const [sums] = runKernel(reduceRows("sum", "i32"), { inputs: [many], outputs: [n], sizes: [n, 2] });
      const [products] = runKernel(reduceRows("prod", "i32"), {
        inputs: [many],
        outputs: [n],
        sizes: [n, 2],
      });
      expect(sums?.slice(0, 2)).toEqual([-2147483648, 131074]);
      expect(products?.slice(-2)).toEqual([2147483647, 131073]);
    }
  });

  it("reduces columns", () => {
    for (const [n, width] of shapes) {
      const x = numbers(n * width);
      const at = c.add(c.mul(axisIndex(1), axisSize(0)), axisIndex(0));
      const kernel = loopKernel({
        inputs: [f64],
        outputs: [f64],
        axes: 2,
        grid: 1,
        stages: [{ over: [1], op: "sum", value: load(0, f64, at), dtype: f64 }],
        writes: [{ over: [], buffer: 0, index: axisIndex(0), value: stage(0, f64) }],
      });
      const [out] = runKernel(kernel, { inputs: [x], outputs: [width], sizes: [width, n] });
      const expected = new Array<number>(width).fill(0);
      x.forEach((v, i) => {
        expected[i % width] = (expected[i % width] as number) + v;
      });
      expect(out).toEqual(expected);
    }
  });

  it("reduces over several axes, counting positions row-major", () => {
    const kernel = loopKernel({
      inputs: [f64],
      outputs: ["i32"],
      axes: 3,
      grid: 1,
      stages: [{ over: [1, 2], op: "argmax", value: load(0, f64, dense(0, 1, 2)), dtype: "i32" }],
      writes: [{ over: [], buffer: 0, index: axisIndex(0), value: stage(0, "i32") }],
    });
    for (const [n, height, width] of [
      [2, 5, 7],
      [90, 3, 4],
    ] as const) {
      const x = numbers(n * height * width, 5);
      const [out] = runKernel(kernel, { inputs: [x], outputs: [n], sizes: [n, height, width] });
      expect(out).toEqual(rows(x, height * width).map((row) => row.indexOf(Math.max(...row))));
    }
  });

  it("reduces everything to one number", () => {
    const kernel = loopKernel({
      inputs: [f64],
      outputs: [f64],
      axes: 1,
      grid: 0,
      stages: [{ over: [0], op: "sum", value: load(0, f64, axisIndex(0)), dtype: f64 }],
      writes: [{ over: [], buffer: 0, index: constant(0, "i32"), value: stage(0, f64) }],
    });
    const x = numbers(2000);
    expect(runKernel(kernel, { inputs: [x], outputs: [1], sizes: [2000] })).toEqual([
      [x.reduce((a, b) => a + b)],
    ]);
  });
});

function softmax(row: readonly number[]): number[] {
  const top = Math.max(...row);
  const powers = row.map((x) => Math.exp(x - top));
  const total = powers.reduce((a, b) => a + b, 0);
  return powers.map((p) => p / total);
}

/** Stages max and sum of exp along axis 1, for kernels whose grid is axis 0. */
function softmaxStages(): LoopKernel["stages"] {
  const x = load(0, f64, dense(0, 1));
  return [
    { over: [1], op: "max", value: x, dtype: f64 },
    { over: [1], op: "sum", value: c.exp(c.sub(x, stage(0, f64))), dtype: f64 },
  ];
}

describe("kernels of several stages", () => {
  const x = load(0, f64, dense(0, 1));

  it("reads where an earlier stage points", () => {
    const kernel = loopKernel({
      inputs: [f64],
      outputs: [f64, "i32"],
      axes: 2,
      grid: 1,
      stages: [{ over: [1], op: "argmax", value: x, dtype: "i32" }],
      writes: [
        {
          over: [],
          buffer: 0,
          index: axisIndex(0),
          value: load(0, f64, c.add(c.mul(axisIndex(0), axisSize(1)), stage(0, "i32"))),
        },
        // A permutation of each row, its greatest element first.
        {
          over: [1],
          buffer: 1,
          index: c.add(
            c.mul(axisIndex(0), axisSize(1)),
            c.imod(c.add(c.sub(axisIndex(1), stage(0, "i32")), axisSize(1)), axisSize(1)),
          ),
          value: axisIndex(1),
        },
      ],
    });
    for (const [n, width] of shapes) {
      const values = numbers(n * width, 8);
      const launch = { inputs: [values], outputs: [n, n * width], sizes: [n, width] };
      const [greatest, order] = runKernel(kernel, launch);
      const expected = rows(values, width).map((row) => row.indexOf(Math.max(...row)));
      expect(greatest).toEqual(rows(values, width).map((row) => Math.max(...row)));
      expect(order).toEqual(
        expected.flatMap((top) => Array.from({ length: width }, (_, i) => (top + i) % width)),
      );
    }
  });

  it("softmax", () => {
    const kernel = loopKernel({
      inputs: [f64],
      outputs: [f64],
      axes: 2,
      grid: 1,
      stages: softmaxStages(),
      writes: [
        {
          over: [1],
          buffer: 0,
          index: dense(0, 1),
          value: c.div(c.exp(c.sub(x, stage(0, f64))), stage(1, f64)),
        },
      ],
    });
    for (const [n, width] of shapes) {
      const logits = numbers(n * width).map((v) => 20 * v);
      const [out] = runKernel(kernel, { inputs: [logits], outputs: [n * width], sizes: [n, width] });
      expect(out).toEqual(rows(logits, width).flatMap(softmax));
    }
  });

  it("cross-entropy and its gradient, with a check of the classes, in one kernel", () => {
    const target = load(1, "i32", axisIndex(0));
    const valid = c.logicalAnd(c.greaterEqual(target, 0), c.less(target, axisSize(1)));
    const atTarget = load(0, f64, c.add(c.mul(axisIndex(0), axisSize(1)), target), valid, 0);
    const kernel = loopKernel({
      inputs: [f64, "i32"],
      outputs: [f64, f64],
      axes: 2,
      grid: 1,
      stages: softmaxStages(),
      writes: [
        {
          over: [],
          buffer: 0,
          index: axisIndex(0),
          value: c.sub(c.add(c.log(stage(1, f64)), stage(0, f64)), atTarget),
        },
        {
          over: [1],
          buffer: 1,
          index: dense(0, 1),
          value: c.sub(
            c.div(c.exp(c.sub(x, stage(0, f64))), stage(1, f64)),
            cast(c.equal(axisIndex(1), target), f64),
          ),
        },
      ],
      checks: [{ over: [], holds: valid, message: "a class is out of range" }],
    });
    for (const [n, width] of [
      [2, 5],
      [300, 10],
    ] as const) {
      const logits = numbers(n * width).map((v) => 5 * v);
      const targets = Array.from({ length: n }, (_, i) => (i * 7) % width);
      const launch = { inputs: [logits, targets], outputs: [n, n * width], sizes: [n, width] };
      const [losses, gradients] = runKernel(kernel, launch) as [number[], number[]];
      rows(logits, width).forEach((row, i) => {
        const p = softmax(row);
        expect(losses[i]).toBeCloseTo(-Math.log(p[targets[i] as number] as number), 12);
        const expected = p.map((v, j) => (j === targets[i] ? v - 1 : v));
        rows(gradients, width)[i]?.forEach((g, j) => {
          expect(g).toBeCloseTo(expected[j] as number, 14);
        });
      });
    }
  });

  it("batch norm in training: statistics over n, h, w for each channel", () => {
    // Axes: channel | n, h, w; x is [n, c, h, w].
    const at = c.add(
      c.mul(
        c.add(c.mul(c.add(c.mul(axisIndex(1), axisSize(0)), axisIndex(0)), axisSize(2)), axisIndex(2)),
        axisSize(3),
      ),
      axisIndex(3),
    );
    const count = cast(c.mul(c.mul(axisSize(1), axisSize(2)), axisSize(3)), f64);
    const mean = c.div(stage(0, f64), count);
    const centered = c.sub(load(0, f64, at), mean);
    const variance = c.div(stage(1, f64), count);
    const kernel = loopKernel({
      inputs: [f64, f64, f64],
      outputs: [f64, f64, f64],
      axes: 4,
      grid: 1,
      stages: [
        { over: [1, 2, 3], op: "sum", value: load(0, f64, at), dtype: f64 },
        { over: [1, 2, 3], op: "sum", value: c.square(centered), dtype: f64 },
      ],
      writes: [
        {
          over: [1, 2, 3],
          buffer: 0,
          index: at,
          value: c.add(
            c.mul(c.div(centered, c.sqrt(c.add(variance, 1e-5))), load(1, f64, axisIndex(0))),
            load(2, f64, axisIndex(0)),
          ),
        },
        { over: [], buffer: 1, index: axisIndex(0), value: mean },
        { over: [], buffer: 2, index: axisIndex(0), value: variance },
      ],
    });
    for (const [channels, n, h, w] of [
      [3, 2, 4, 5],
      [80, 2, 3, 3],
    ] as const) {
      const values = numbers(n * channels * h * w, 3);
      const [scale, shift] = [numbers(channels, 4), numbers(channels, 5)];
      const [out, means, variances] = runKernel(kernel, {
        inputs: [values, scale, shift],
        outputs: [values.length, channels, channels],
        sizes: [channels, n, h, w],
      }) as [number[], number[], number[]];
      const channelOf = (i: number): number => Math.floor(i / (h * w)) % channels;
      for (let channel = 0; channel < channels; channel++) {
        const own = values.filter((_, i) => channelOf(i) === channel);
        const m = own.reduce((a, b) => a + b) / own.length;
        const v = own.reduce((a, b) => a + (b - m) ** 2, 0) / own.length;
        expect(means[channel]).toBeCloseTo(m, 14);
        expect(variances[channel]).toBeCloseTo(v, 14);
      }
      out.forEach((y, i) => {
        const k = channelOf(i);
        const normal =
          ((values[i] as number) - (means[k] as number)) / Math.sqrt((variances[k] as number) + 1e-5);
        expect(y).toBeCloseTo(normal * (scale[k] as number) + (shift[k] as number), 12);
      });
    }
  });
});

describe("max pooling, window 3, stride 2, padding 1", () => {
  const [size, stride, padding] = [3, 2, 1];

  // Axes: image, oh, ow | kh, kw. Sizes of the input: params 0 and 1 of the index arithmetic, here constants.
  function forward(height: number, width: number): LoopKernel {
    const ih = c.sub(c.add(c.mul(axisIndex(1), stride), axisIndex(3)), padding);
    const iw = c.sub(c.add(c.mul(axisIndex(2), stride), axisIndex(4)), padding);
    const value = load(
      0,
      f64,
      flat(axisIndex(0), ih, iw, height, width),
      within(ih, iw, height, width),
      -Infinity,
    );
    return loopKernel({
      inputs: [f64],
      outputs: [f64, "i32"],
      axes: 5,
      grid: 3,
      stages: [
        { over: [3, 4], op: "max", value, dtype: f64 },
        { over: [3, 4], op: "argmax", value, dtype: "i32" },
      ],
      writes: [
        { over: [], buffer: 0, index: dense(0, 1, 2), value: stage(0, f64) },
        { over: [], buffer: 1, index: dense(0, 1, 2), value: stage(1, "i32") },
      ],
    });
  }

  // Gather form: an input element collects from every window that holds it and chose it. Axes: image, ih, iw | kh, kw.
  function backward(outHeight: number, outWidth: number): LoopKernel {
    const [top, left] = [
      c.sub(c.add(axisIndex(1), padding), axisIndex(3)),
      c.sub(c.add(axisIndex(2), padding), axisIndex(4)),
    ];
    const [oh, ow] = [c.idiv(top, stride), c.idiv(left, stride)];
    const aligned = c.logicalAnd(
      c.logicalAnd(c.greaterEqual(top, 0), c.greaterEqual(left, 0)),
      c.logicalAnd(c.equal(c.imod(top, stride), 0), c.equal(c.imod(left, stride), 0)),
    );
    const guard = c.logicalAnd(aligned, within(oh, ow, outHeight, outWidth));
    const at = flat(axisIndex(0), oh, ow, outHeight, outWidth);
    const chosen = c.equal(load(1, "i32", at, guard, -1), c.add(c.mul(axisIndex(3), size), axisIndex(4)));
    return loopKernel({
      inputs: [f64, "i32"],
      outputs: [f64],
      axes: 5,
      grid: 3,
      stages: [{ over: [3, 4], op: "sum", value: c.where(chosen, load(0, f64, at, guard), 0), dtype: f64 }],
      writes: [{ over: [], buffer: 0, index: dense(0, 1, 2), value: stage(0, f64) }],
    });
  }

  it.each([
    [2, 5, 4],
    [1, 9, 151],
  ])("agrees with the naive loops on %i images of %i x %i", (n, height, width) => {
    const [outHeight, outWidth] = [height, width].map(
      (s) => Math.floor((s + 2 * padding - size) / stride) + 1,
    ) as [number, number];
    const x = numbers(n * height * width, 9);
    const count = n * outHeight * outWidth;
    const [values, positions] = runKernel(forward(height, width), {
      inputs: [x],
      outputs: [count, count],
      sizes: [n, outHeight, outWidth, size, size],
    }) as [number[], number[]];
    const dy = numbers(count, 11);
    const [dx] = runKernel(backward(outHeight, outWidth), {
      inputs: [dy, positions],
      outputs: [x.length],
      sizes: [n, height, width, size, size],
    });

    const expected = new Array<number>(x.length).fill(0);
    for (let o = 0; o < count; o++) {
      const ow = o % outWidth;
      const oh = Math.floor(o / outWidth) % outHeight;
      const image = Math.floor(o / (outWidth * outHeight));
      let best = -Infinity;
      let from = -1;
      for (let k = 0; k < size * size; k++) {
        const ih = oh * stride + Math.floor(k / size) - padding;
        const iw = ow * stride + (k % size) - padding;
        if (ih < 0 || ih >= height || iw < 0 || iw >= width) continue;
        const at = (image * height + ih) * width + iw;
        if ((x[at] as number) > best) {
          best = x[at] as number;
          from = at;
        }
      }
      expect(values[o]).toBe(best);
      expected[from] = (expected[from] as number) + (dy[o] as number);
    }
    dx?.forEach((v, i) => {
      expect(v).toBeCloseTo(expected[i] as number, 14);
    });
  });
});

function within(row: Expr, column: Expr, height: number, width: number): Expr {
  return c.logicalAnd(
    c.logicalAnd(c.greaterEqual(row, 0), c.less(row, height)),
    c.logicalAnd(c.greaterEqual(column, 0), c.less(column, width)),
  );
}

function flat(image: Expr, row: Expr, column: Expr, height: number, width: number): Expr {
  return c.add(c.mul(c.add(c.mul(image, height), row), width), column);
}
