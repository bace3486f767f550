import { axisIndex, calculus as c, type LoopKernel, load, param, stage } from "@gradus/core";
import { expect, it } from "vitest";
import { equalitiesOf, withEqualities } from "./equal-loops.js";

const [row, i, j] = [0, 1, 2].map(axisIndex);
const x = (stride: number, axis = i) =>
  load(0, "f32", c.add(c.mul(row as never, param(stride, "i32")), axis as never));
const kernel: LoopKernel = {
  kind: "loop",
  name: "joined",
  inputs: ["f32"],
  outputs: ["f32"],
  params: ["i32", "i32", "f32"],
  axes: 3,
  grid: 1,
  stages: [
    { over: [1], op: "sum", value: x(0, i), dtype: "f32" },
    { over: [2], op: "max", value: x(1, j), dtype: "f32" },
  ],
  writes: [{ over: [], buffer: 0, index: row as never, value: c.add(stage(0, "f32"), stage(1, "f32")) }],
};

it("writes loops of the same sizes, and equal strides, alike", () => {
  const equal = equalitiesOf(kernel, { sizes: [5, 64, 64], params: [64, 64, 64] }, [0, 1]);
  const { stages } = withEqualities(kernel, equal);
  expect(stages[1]).toEqual({ ...stages[0], op: "max" });
});

it("leaves alone what differs, and numbers that are no strides", () => {
  const other = equalitiesOf(kernel, { sizes: [5, 64, 32], params: [64, 32, 64] }, [0, 1]);
  expect(withEqualities(kernel, other)).toEqual(kernel);
  expect(other.params).toEqual([0, 1, 2]);
});
