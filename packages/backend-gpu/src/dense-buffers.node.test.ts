import {
  axisIndex,
  axisSize,
  calculus as c,
  type Expr,
  type LoopKernel,
  load,
  param,
  stage,
} from "@gradus/core";
import { describe, expect, it } from "vitest";
import { DenseBuffers } from "./dense-buffers.js";

const [row, column] = [axisIndex(0), axisIndex(1)];
const dense = c.add(c.mul(row, axisSize(1)), column);
const apart = c.add(c.mul(row, param(0, "i32")), column);

/** A sum along rows of a matrix that is read at `index`, and a map of the same rows, written at `to`. */
function kernelOf(index: Expr, to: Expr, guard?: Expr): LoopKernel {
  return {
    kind: "loop",
    name: "rows",
    inputs: ["f32", "f32"],
    outputs: ["f32", "f32"],
    params: ["i32"],
    axes: 2,
    grid: 1,
    stages: [{ over: [1], op: "sum", value: load(0, "f32", index, guard), dtype: "f32" }],
    writes: [
      { over: [1], buffer: 0, index: to, value: c.sub(load(1, "f32", row), stage(0, "f32")) },
      { over: [], buffer: 1, index: row, value: stage(0, "f32") },
    ],
  };
}

const foursOf = (kernel: LoopKernel, length: number, stride = length): number[] =>
  [...new DenseBuffers(kernel).of({ sizes: [3, length], params: [stride] }).buffers].sort();

describe("four elements at a time", () => {
  it("along rows whose length is a multiple of four, loaded and stored", () => {
    expect(foursOf(kernelOf(dense, dense), 64)).toEqual([0, 2]);
    expect(foursOf(kernelOf(dense, dense), 66)).toEqual([]);
  });

  it("where rows begin at multiples of four, whatever is said when", () => {
    const kernel = kernelOf(apart, dense);
    expect(new DenseBuffers(kernel).deciding).toEqual([0]);
    expect(new DenseBuffers(kernelOf(dense, dense)).deciding).toEqual([]);
    expect(foursOf(kernel, 64, 68)).toEqual([0, 2]);
    expect(foursOf(kernel, 64, 66)).toEqual([2]);
    expect(foursOf(kernelOf(c.add(dense, 1), dense), 64)).toEqual([2]);
  });

  it("to the end of a single row, whatever its length", () => {
    const kernel: LoopKernel = {
      ...kernelOf(dense, dense),
      axes: 1,
      grid: 0,
      stages: [{ over: [0], op: "sum", value: load(0, "f32", row), dtype: "f32" }],
      writes: [{ over: [0], buffer: 0, index: c.add(row, 1), value: stage(0, "f32") }],
    };
    expect([...new DenseBuffers(kernel).of({ sizes: [7], params: [0] }).buffers]).toEqual([0]);
  });

  it("not down columns, at places that are computed, or where something else is asked first", () => {
    const down = c.add(c.mul(column, axisSize(0)), row);
    expect(foursOf(kernelOf(down, down), 64)).toEqual([]);
    expect(foursOf(kernelOf(c.imod(dense, 7), dense), 64)).toEqual([2]);
    expect(foursOf(kernelOf(dense, dense, c.less(column, 5)), 64)).toEqual([2]);
  });
});
