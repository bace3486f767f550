import { describe, expect, it } from "vitest";
import * as c from "../ir/calculus.js";
import { axisIndex, cast, constant, type Expr, load, param, stage } from "../ir/expr.js";
import type { ContractKernel } from "../ir/kernel.js";
import { interpreter } from "./interpreter.js";
import { dense, loopKernel, runKernel } from "./run-kernel.fixture.js";

const f32 = "f32" as const;
const x = load(0, f32, axisIndex(0));
const y = load(1, f32, axisIndex(0));
const { fround } = Math;

function elementwise(value: Expr) {
  return loopKernel({
    inputs: [f32, f32],
    outputs: [f32],
    params: [f32],
    axes: 1,
    grid: 1,
    writes: [{ over: [], buffer: 0, index: axisIndex(0), value }],
  });
}

const a = [0.1, 1e8, 3, 1 / 3].map(fround);
const b = [0.2, 1, 7, 1e-9].map(fround);
const launch = { inputs: [a, b], outputs: [4], sizes: [4], params: [0.1] };
const pairs = a.map((v, i) => [v, b[i] as number] as const);

describe("precision", () => {
  // (x + y) - x loses y's low bits in float32, and none in float64.
  const value = c.sub(c.add(x, y), x);

  it("float64, the default, rounds only what is stored", () => {
    const expected = pairs.map(([p, q]) => fround(p + q - p));
    expect(runKernel(elementwise(value), launch)).toEqual([expected]);
    expect(runKernel(elementwise(value), launch, interpreter({ precision: "float64" }))).toEqual([expected]);
  });

  it("float32 rounds every operation", () => {
    const device = interpreter({ precision: "float32" });
    const expected = pairs.map(([p, q]) => fround(fround(p + q) - p));
    expect(runKernel(elementwise(value), launch, device)).toEqual([expected]);
    expect(expected).not.toEqual(pairs.map(([p, q]) => fround(p + q - p)));
  });

  it("float32 rounds params, constants and functions too", () => {
    const device = interpreter({ precision: "float32" });
    const mixed = c.mul(c.exp(x), c.add(param(0, f32), constant(0.7, f32)));
    const small = { ...launch, inputs: [[0.3], [0]], outputs: [1], sizes: [1] };
    const expected = fround(fround(Math.exp(fround(0.3))) * fround(fround(0.1) + fround(0.7)));
    expect(runKernel(elementwise(mixed), small, device)).toEqual([[expected]]);
  });

  it("float32 computes f64 in float64", () => {
    const device = interpreter({ precision: "float32" });
    const wide = cast(c.sub(c.add(cast(x, "f64"), cast(y, "f64")), cast(x, "f64")), f32);
    const expected = pairs.map(([p, q]) => fround(p + q - p));
    expect(runKernel(elementwise(wide), launch, device)).toEqual([expected]);
  });

  // 1 and then many numbers that would each be lost in float32.
  const tiny = [1, ...new Array<number>(999).fill(2 ** -25)];
  const total = 1 + 999 * 2 ** -25;

  it.each([1, 70])("a sum rounds once, in %i rows", (rows) => {
    const kernel = loopKernel({
      inputs: [f32],
      outputs: [f32, "f64"],
      axes: 2,
      grid: 1,
      stages: [{ over: [1], op: "sum", value: load(0, f32, axisIndex(1)), dtype: f32 }],
      writes: [
        { over: [], buffer: 0, index: axisIndex(0), value: stage(0, f32) },
        { over: [], buffer: 1, index: axisIndex(0), value: cast(stage(0, f32), "f64") },
      ],
    });
    // 70 rows of 8 elements run along the grid.
    const width = rows === 1 ? 1000 : 8;
    const sum = rows === 1 ? total : 1 + 7 * 2 ** -25;
    const stages = { inputs: [tiny], outputs: [rows, rows], sizes: [rows, width] };
    const [stored, kept] = runKernel(kernel, stages) as [number[], number[]];
    expect([stored[0], kept[0]]).toEqual([fround(sum), sum]);
    const [stored32, kept32] = runKernel(kernel, stages, interpreter({ precision: "float32" })) as [
      number[],
      number[],
    ];
    expect([stored32[0], kept32[0]]).toEqual([fround(sum), fround(sum)]);
  });

  it("a contraction rounds once", () => {
    const kernel: ContractKernel = {
      kind: "contract",
      name: "dot",
      inputs: [f32, f32],
      outputs: ["f64"],
      params: [],
      groups: { batch: 0, m: 1, n: 1, k: 1 },
      a: load(0, f32, dense(0, 2)),
      b: load(1, f32, dense(2, 1)),
      accumulate: f32,
      writes: [{ buffer: 0, index: dense(0, 1), value: cast(stage(0, f32), "f64") }],
    };
    const product = { inputs: [tiny, tiny.map(() => 1)], outputs: [1], sizes: [1, 1, 1000] };
    expect(runKernel(kernel, product)).toEqual([[total]]);
    expect(runKernel(kernel, product, interpreter({ precision: "float32" }))).toEqual([[fround(total)]]);
  });
});
