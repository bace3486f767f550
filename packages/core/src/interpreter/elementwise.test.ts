import { describe, expect, it } from "vitest";
import * as c from "../ir/calculus.js";
import { axisIndex, axisSize, cast, constant, type Expr, load, param } from "../ir/expr.js";
import { scalarOps } from "../ir/scalar-ops.js";
import { interpreter } from "./interpreter.js";
import { dense, loopKernel, runKernel } from "./run-kernel.fixture.js";

const f64 = "f64" as const;

/** `base + sum of index * stride`, strides and base being params of the launch. */
function strided(axes: number, firstParam: number): Expr {
  let at: Expr = param(firstParam, "i32");
  for (let axis = 0; axis < axes; axis++) {
    at = c.add(at, c.mul(axisIndex(axis), param(firstParam + 1 + axis, "i32")));
  }
  return at;
}

describe("an elementwise kernel", () => {
  it("reads through strides, broadcasts with stride 0, walks backwards with negative ones", () => {
    const kernel = loopKernel({
      inputs: [f64, f64],
      outputs: [f64],
      params: ["i32", "i32", "i32", "i32", "i32", "i32"],
      axes: 2,
      grid: 2,
      writes: [
        {
          over: [],
          buffer: 0,
          index: dense(0, 1),
          value: c.add(load(0, f64, strided(2, 0)), load(1, f64, strided(2, 3))),
        },
      ],
    });
    const x = [1, 2, 3, 4, 5, 6]; // [2, 3], read transposed as [3, 2]
    const y = [10, 20, 30]; // a column, read from its end and broadcast along the rows
    const [out] = runKernel(kernel, {
      inputs: [x, y],
      outputs: [6],
      sizes: [3, 2],
      params: [0, 1, 3, 2, -1, 0],
    });
    expect(out).toEqual([31, 34, 22, 25, 13, 16]);
  });

  it.each([0, 1, 511, 512, 513, 1500])("computes all of %i elements", (n) => {
    const kernel = loopKernel({
      inputs: [f64],
      outputs: [f64, "i32"],
      axes: 1,
      grid: 1,
      writes: [
        { over: [], buffer: 0, index: axisIndex(0), value: c.square(load(0, f64, axisIndex(0))) },
        // Not affine in the run: written element by element.
        {
          over: [],
          buffer: 1,
          index: c.sub(c.sub(axisSize(0), 1), c.idiv(c.mul(axisIndex(0), 3), 3)),
          value: axisIndex(0),
        },
      ],
    });
    const x = Array.from({ length: n }, (_, i) => i / 2);
    const [squares, positions] = runKernel(kernel, { inputs: [x], outputs: [n, n], sizes: [n] });
    expect(squares).toEqual(x.map((v) => v * v));
    expect(positions).toEqual(x.map((_, i) => n - 1 - i));
  });

  it("does nothing where any axis is empty", () => {
    const kernel = loopKernel({
      inputs: [f64],
      outputs: [f64],
      axes: 2,
      grid: 2,
      writes: [{ over: [], buffer: 0, index: dense(0, 1), value: load(0, f64, dense(0, 1)) }],
    });
    expect(runKernel(kernel, { inputs: [[]], outputs: [0], sizes: [3, 0] })).toEqual([[]]);
    expect(runKernel(kernel, { inputs: [[]], outputs: [0], sizes: [0, 3] })).toEqual([[]]);
  });

  it("without axes computes one element", () => {
    const value = c.add(load(0, f64, constant(0, "i32")), param(0, f64));
    const kernel = loopKernel({
      inputs: [f64],
      outputs: [f64],
      params: [f64],
      axes: 0,
      grid: 0,
      writes: [{ over: [], buffer: 0, index: constant(0, "i32"), value }],
    });
    expect(runKernel(kernel, { inputs: [[1.5]], outputs: [1], params: [2.25] })).toEqual([[3.75]]);
  });

  it("pads: a load is not made where its guard is false", () => {
    // [2, 3] padded by one row above and one column on each side.
    const [row, column] = [c.sub(axisIndex(0), 1), c.sub(axisIndex(1), 1)];
    const inside = c.logicalAnd(
      c.greaterEqual(row, 0),
      c.logicalAnd(c.greaterEqual(column, 0), c.less(column, 3)),
    );
    const kernel = loopKernel({
      inputs: [f64],
      outputs: [f64],
      axes: 2,
      grid: 2,
      writes: [
        {
          over: [],
          buffer: 0,
          index: dense(0, 1),
          value: load(0, f64, c.add(c.mul(row, 3), column), inside, -1),
        },
      ],
    });
    const [out] = runKernel(kernel, { inputs: [[1, 2, 3, 4, 5, 6]], outputs: [15], sizes: [3, 5] });
    expect(out).toEqual([-1, -1, -1, -1, -1, -1, 1, 2, 3, -1, -1, 4, 5, 6, -1]);
  });

  it("skips a whole run whose guard does not vary along it", () => {
    const guard = c.less(axisIndex(0), 1);
    const at = c.add(c.mul(axisIndex(0), 1000), axisIndex(1));
    const kernel = loopKernel({
      inputs: [f64],
      outputs: [f64],
      axes: 2,
      grid: 2,
      writes: [{ over: [], buffer: 0, index: dense(0, 1), value: load(0, f64, at, guard, 9) }],
    });
    expect(runKernel(kernel, { inputs: [[1, 2]], outputs: [4], sizes: [2, 2] })).toEqual([[1, 2, 9, 9]]);
  });

  it("gathers by a loaded index, under a guard too", () => {
    const index = load(0, "i32", axisIndex(0));
    const guard = c.logicalAnd(c.greaterEqual(index, 0), c.less(index, 3));
    const kernel = loopKernel({
      inputs: ["i32", f64],
      outputs: [f64, f64],
      axes: 1,
      grid: 1,
      writes: [
        { over: [], buffer: 0, index: axisIndex(0), value: load(1, f64, c.imod(index, 3)) },
        { over: [], buffer: 1, index: axisIndex(0), value: load(1, f64, index, guard, -1) },
      ],
    });
    const launch = {
      inputs: [
        [2, 0, 7, 1],
        [10, 20, 30],
      ],
      outputs: [4, 4],
      sizes: [4],
    };
    expect(runKernel(kernel, launch)).toEqual([
      [30, 10, 20, 20],
      [30, 10, -1, 20],
    ]);
  });

  it("converts between all dtypes as castNumber does", () => {
    const x = load(0, "f64", axisIndex(0));
    const kernel = loopKernel({
      inputs: ["f64"],
      outputs: ["i32", "bool", "f32", "f64"],
      axes: 1,
      grid: 1,
      writes: [
        { over: [], buffer: 0, index: axisIndex(0), value: cast(x, "i32") },
        { over: [], buffer: 1, index: axisIndex(0), value: cast(x, "bool") },
        { over: [], buffer: 2, index: axisIndex(0), value: cast(x, "f32") },
        { over: [], buffer: 3, index: axisIndex(0), value: cast(cast(x, "i32"), "f64") },
      ],
    });
    const x0 = [1.9, -1.9, 0, 3e9, -3e9, Number.NaN, 0.1];
    const [integers, bools, floats, back] = runKernel(kernel, {
      inputs: [x0],
      outputs: [7, 7, 7, 7],
      sizes: [7],
    });
    expect(integers).toEqual([1, -1, 0, 2147483647, -2147483648, 0, 0]);
    expect(bools).toEqual([1, 1, 0, 1, 1, 1, 1]);
    expect(floats).toEqual(x0.map(Math.fround));
    expect(back).toEqual(integers);
  });

  it("may write where it reads: all outputs are read before any is written", () => {
    const device = interpreter();
    const [x, y] = [load(0, f64, axisIndex(0)), load(1, f64, axisIndex(0))];
    const kernel = loopKernel({
      inputs: [f64, f64],
      outputs: [f64, f64],
      axes: 1,
      grid: 1,
      writes: [
        { over: [], buffer: 0, index: axisIndex(0), value: c.add(x, y) },
        { over: [], buffer: 1, index: axisIndex(0), value: c.sub(x, y) },
      ],
      aliases: [0, 1],
    });
    const [a, b] = [device.alloc(16), device.alloc(16)];
    device.write(a, new Float64Array([1, 2]));
    device.write(b, new Float64Array([10, 20]));
    device.run([{ executable: device.compile(kernel), buffers: [a, b, a, b], sizes: [2], params: [] }]);
    expect([...new Float64Array(device.readSync?.(a) as ArrayBuffer)]).toEqual([11, 22]);
    expect([...new Float64Array(device.readSync?.(b) as ArrayBuffer)]).toEqual([-9, -18]);
  });

  it("mixes bits as 32-bit machines do", () => {
    // Two rounds of a Threefry-like mix: x0 += x1; x1 = rotl(x1, r) ^ x0.
    const rotate = (x: Expr, by: number): Expr =>
      c.bitOr(c.shiftLeft(x, by), c.shiftRightLogical(x, 32 - by));
    let x0: Expr = c.add(axisIndex(0), param(0, "i32"));
    let x1: Expr = c.bitXor(axisIndex(0), 0x1bd11bda);
    for (const by of [13, 26]) {
      x0 = c.add(x0, x1);
      x1 = c.bitXor(rotate(x1, by), x0);
    }
    const kernel = loopKernel({
      inputs: [],
      outputs: ["i32", "i32"],
      params: ["i32"],
      axes: 1,
      grid: 1,
      writes: [
        { over: [], buffer: 0, index: axisIndex(0), value: x0 },
        { over: [], buffer: 1, index: axisIndex(0), value: x1 },
      ],
    });
    const seed = 0x7fffffff;
    const [words0, words1] = runKernel(kernel, { outputs: [700, 700], sizes: [700], params: [seed] }) as [
      number[],
      number[],
    ];
    for (let i = 0; i < 700; i++) {
      let a = (i + seed) | 0;
      let b = i ^ 0x1bd11bda;
      for (const by of [13, 26]) {
        a = (a + b) | 0;
        b = ((b << by) | (b >>> (32 - by))) ^ a;
      }
      expect([words0[i], words1[i]]).toEqual([a, b | 0]);
    }
  });

  it("computes a shared expression once, however often it occurs", () => {
    const original = scalarOps.sinh.value;
    let calls = 0;
    const shared = c.sinh(load(0, f64, axisIndex(0)));
    const kernel = loopKernel({
      inputs: [f64],
      outputs: [f64, f64],
      axes: 1,
      grid: 1,
      writes: [
        { over: [], buffer: 0, index: axisIndex(0), value: c.mul(shared, shared) },
        { over: [], buffer: 1, index: axisIndex(0), value: c.add(shared, 1) },
      ],
    });
    const row = scalarOps.sinh as { value: (x: number) => number };
    try {
      row.value = (x) => {
        calls++;
        return original(x);
      };
      runKernel(kernel, { inputs: [[1, 2, 3]], outputs: [3, 3], sizes: [3] });
    } finally {
      row.value = original;
    }
    expect(calls).toBe(3);
  });

  it("keeps an output from which another is computed", () => {
    const sum = c.add(load(0, f64, axisIndex(0)), 1);
    const kernel = loopKernel({
      inputs: [f64],
      outputs: [f64, f64],
      axes: 1,
      grid: 1,
      writes: [
        { over: [], buffer: 0, index: axisIndex(0), value: sum },
        {
          over: [],
          buffer: 1,
          index: axisIndex(0),
          value: c.neg(c.square(c.mul(c.exp(c.mul(sum, 0)), c.square(sum)))),
        },
      ],
    });
    const launch = { inputs: [[1, 2, 3]], outputs: [3, 3], sizes: [3] };
    expect(runKernel(kernel, launch)).toEqual([
      [2, 3, 4],
      [-16, -81, -256],
    ]);
  });

  it("computes what does not vary along the run once", () => {
    const original = scalarOps.sinh.value;
    let calls = 0;
    const kernel = loopKernel({
      inputs: [f64],
      outputs: [f64],
      params: [f64],
      axes: 2,
      grid: 2,
      writes: [
        {
          over: [],
          buffer: 0,
          index: dense(0, 1),
          value: c.add(c.sinh(param(0, f64)), c.sinh(load(0, f64, axisIndex(0)))),
        },
      ],
    });
    const row = scalarOps.sinh as { value: (x: number) => number };
    try {
      row.value = (x) => {
        calls++;
        return original(x);
      };
      runKernel(kernel, { inputs: [[1, 2]], outputs: [2000], sizes: [2, 1000], params: [0.5] });
    } finally {
      row.value = original;
    }
    // Once for the launch, and once for each row.
    expect(calls).toBe(3);
  });
});
