import {
  axisIndex,
  axisSize,
  type Backend,
  type Buffer,
  calculus as c,
  cast,
  constant,
  type DType,
  type Expr,
  interpreter,
  type LoopKernel,
  load,
  param,
  stage,
  typedArray,
} from "@gradus/core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openGpu } from "./gpu.js";
import type { GpuDevice } from "./gpu-backend.js";
import { nodeGpu } from "./node-gpu.fixture.js";

/** What a launch writes; outputs that are aliases start as their inputs. */
async function outputs(
  on: Backend,
  kernel: LoopKernel,
  inputs: readonly ArrayLike<number>[],
  lengths: readonly number[],
  sizes: readonly number[],
  params: readonly number[],
): Promise<number[][]> {
  const sources = inputs.map((values, k): Buffer => {
    const data = typedArray(kernel.inputs[k] as DType, values);
    const made = on.alloc(data.byteLength);
    on.write(made, data);
    return made;
  });
  const results = lengths.map((length, k) => {
    const shared = kernel.aliases?.[k];
    return shared === undefined ? on.alloc(4 * length) : (sources[shared] as Buffer);
  });
  on.run([{ executable: on.compile(kernel), buffers: [...sources, ...results], sizes, params }]);
  const read = await Promise.all(
    results.map(async (one, k) => [...typedArray(kernel.outputs[k] as DType, await on.read(one))]),
  );
  for (const one of new Set([...sources, ...results])) on.free(one);
  return read;
}

const whole = (n: number, seed: number): number[] =>
  Array.from({ length: n }, (_, i) => ((i * 7919 + seed * 31) % 9) - 4);

const flags = (n: number): number[] => whole(n, 2).map((x) => Number(x > 0));

const [row, column] = [axisIndex(0), axisIndex(1)];
/** An element of a matrix whose rows are `param(0)` apart, and of one whose rows are not apart. */
const apart = c.add(c.mul(row, param(0, "i32")), column);
const at = c.add(c.mul(row, axisSize(1)), column);
const base = { kind: "loop", params: ["i32"], axes: 2, grid: 1 } as const;

/** Two stages and what is written read the same row of the first input; the last stage gives a position. */
function centred(index: Expr): LoopKernel {
  const x = load(0, "f32", index);
  const y = load(2, "f32", column);
  return {
    ...base,
    name: "centred",
    inputs: ["f32", "bool", "f32"],
    outputs: ["f32", "bool", "i32"],
    stages: [
      { over: [1], op: "max", value: x, dtype: "f32" },
      { over: [1], op: "sum", value: c.sub(x, stage(0, "f32")), dtype: "f32" },
      { over: [1], op: "argmin", value: c.where(load(1, "bool", at), x, y), dtype: "i32" },
    ],
    writes: [
      { over: [1], buffer: 0, index: at, value: c.add(c.sub(y, stage(1, "f32")), x) },
      { over: [1], buffer: 1, index: at, value: c.greater(x, y) },
      { over: [], buffer: 2, index: row, value: stage(2, "i32") },
    ],
  };
}

describe("rows that lie densely, laid out as on a card", () => {
  let device: GpuDevice;
  beforeAll(async () => {
    device = await openGpu({ gpu: nodeGpu() }, { asCard: true });
  });
  afterAll(() => device.dispose());

  const check = async (
    kernel: LoopKernel,
    inputs: readonly ArrayLike<number>[],
    lengths: readonly number[],
    sizes: readonly number[],
    params: readonly number[] = [],
  ): Promise<void> => {
    const expected = await outputs(
      interpreter({ precision: "float32" }),
      kernel,
      inputs,
      lengths,
      sizes,
      params,
    );
    expect(await outputs(device, kernel, inputs, lengths, sizes, params)).toEqual(expected);
  };

  it.each([
    ["a few steps each", 3, 64],
    ["many steps each", 2, 9216],
    ["no whole number of subgroups", 9, 100],
    ["no multiple of four", 3, 99],
  ])("%s: %i rows of %i", async (_, rows, length) => {
    const inputs = [whole(rows * length, 1), flags(rows * length), whole(length, 3)];
    await check(centred(apart), inputs, [rows * length, rows * length, rows], [rows, length], [length]);
  });

  it("rows further apart than they are long, and rows that begin anywhere", async () => {
    for (const [index, stride] of [
      [apart, 68],
      [apart, 69],
      [c.add(apart, 2), 68],
    ] as const) {
      const inputs = [whole(3 * 70, 1), flags(3 * 64), whole(64, 3)];
      await check(centred(index), inputs, [3 * 64, 3 * 64, 3], [3, 64], [stride]);
    }
  });

  it("in place, after a stage over two axes", async () => {
    const [i, j] = [axisIndex(1), axisIndex(2)];
    const index = c.add(c.mul(c.add(c.mul(row, axisSize(1)), i), axisSize(2)), j);
    const kernel: LoopKernel = {
      ...base,
      name: "in place",
      inputs: ["f32", "f32"],
      outputs: ["f32"],
      axes: 3,
      stages: [{ over: [1, 2], op: "sum", value: load(0, "f32", index), dtype: "f32" }],
      writes: [
        {
          over: [1, 2],
          buffer: 0,
          index,
          value: c.add(c.mul(load(1, "f32", index), 2), c.add(stage(0, "f32"), cast(j, "f32"))),
        },
      ],
      aliases: [1],
    };
    await check(kernel, [whole(3 * 20 * 8, 1), whole(3 * 20 * 8, 2)], [3 * 20 * 8], [3, 20, 8], [0]);
  });

  it("a row that several axes and strides go through", async () => {
    const [i, j] = [axisIndex(1), axisIndex(2)];
    const first = load(0, "f32", c.add(c.mul(row, param(0, "i32")), i));
    const second = load(0, "f32", c.add(c.mul(row, param(1, "i32")), j));
    const kernel: LoopKernel = {
      ...base,
      name: "joined",
      inputs: ["f32"],
      outputs: ["f32"],
      params: ["i32", "i32"],
      axes: 3,
      stages: [
        { over: [1], op: "sum", value: first, dtype: "f32" },
        { over: [2], op: "max", value: c.sub(second, stage(0, "f32")), dtype: "f32" },
      ],
      writes: [
        {
          over: [2],
          buffer: 0,
          index: c.add(c.mul(row, axisSize(2)), j),
          value: c.mul(c.add(second, stage(1, "f32")), cast(axisSize(2), "f32")),
        },
      ],
    };
    await check(kernel, [whole(5 * 64, 3)], [5 * 64], [5, 64, 64], [64, 64]);
    await check(kernel, [whole(5 * 64, 3)], [5 * 32], [5, 64, 32], [64, 64]);
    await check(kernel, [whole(5 * 64, 3)], [5 * 32], [5, 32, 32], [64, 32]);
  });

  it("what a stage decides to read", async () => {
    const x = load(0, "f32", at);
    const kernel: LoopKernel = {
      ...base,
      name: "gather",
      inputs: ["f32"],
      outputs: ["f32"],
      stages: [
        { over: [1], op: "argmax", value: x, dtype: "i32" },
        { over: [1], op: "sum", value: load(0, "f32", c.imod(c.add(at, stage(0, "i32")), 64)), dtype: "f32" },
      ],
      writes: [{ over: [], buffer: 0, index: row, value: stage(1, "f32") }],
    };
    await check(kernel, [whole(5 * 64, 4)], [5], [5, 64], [0]);
  });

  it("a map of rows, broadcast both ways, in place, with a check", async () => {
    const sum = c.add(c.add(load(0, "f32", at), load(1, "f32", row)), load(2, "f32", column));
    const kernel: LoopKernel = {
      ...base,
      name: "map",
      inputs: ["f32", "f32", "f32"],
      outputs: ["f32", "bool"],
      grid: 2,
      stages: [],
      writes: [
        { over: [], buffer: 0, index: at, value: c.add(sum, cast(column, "f32")) },
        { over: [], buffer: 1, index: at, value: c.greater(sum, 0) },
      ],
      checks: [{ over: [], holds: c.less(load(2, "f32", column), 10), message: "too much" }],
      aliases: [0, undefined],
    };
    for (const [rows, length] of [
      [7, 64],
      [5, 8],
      [600, 12],
      [3, 63],
      [2, 2052],
    ] as const) {
      const inputs = [whole(rows * length, 1), whole(rows, 2), whole(length, 3)];
      await check(kernel, inputs, [rows * length, rows * length], [rows, length], [0]);
    }
    const x = whole(2 * 64, 1);
    const bad = outputs(device, kernel, [x, x, x.map((_, i) => i)], [128, 128], [2, 64], [0]);
    await expect(bad).rejects.toThrow("too much");
  });

  it("one row that ends anywhere", async () => {
    const x = load(0, "f32", axisIndex(0));
    const kernel: LoopKernel = {
      ...base,
      name: "one row",
      inputs: ["f32", "bool"],
      outputs: ["f32", "bool", "i32"],
      axes: 2,
      grid: 0,
      stages: [
        { over: [0], op: "sum", value: x, dtype: "f32" },
        { over: [1], op: "min", value: load(1, "bool", axisIndex(1)), dtype: "bool" },
        { over: [0], op: "argmin", value: c.sub(x, stage(0, "f32")), dtype: "i32" },
      ],
      writes: [
        { over: [0], buffer: 0, index: axisIndex(0), value: c.add(x, stage(0, "f32")) },
        { over: [], buffer: 1, index: constant(0, "i32"), value: stage(1, "bool") },
        { over: [], buffer: 2, index: constant(0, "i32"), value: stage(2, "i32") },
      ],
    };
    for (const length of [1, 7, 64, 301, 33_333]) {
      const flags = whole(length + 5, 2).map(() => 1);
      await check(kernel, [whole(length, 1).map(Math.abs), flags], [length, 1, 1], [length, length + 5], [0]);
    }
  });

  it("a row that many workgroups share", async () => {
    const x = load(0, "f32", column);
    const kernel: LoopKernel = {
      ...base,
      name: "long",
      inputs: ["f32"],
      outputs: ["f32", "i32"],
      stages: [
        { over: [1], op: "sum", value: x, dtype: "f32" },
        { over: [1], op: "argmax", value: c.add(x, stage(0, "f32")), dtype: "i32" },
      ],
      writes: [
        { over: [1], buffer: 0, index: column, value: c.sub(x, stage(0, "f32")) },
        { over: [], buffer: 1, index: row, value: stage(1, "i32") },
      ],
    };
    const values = whole(70_000, 1);
    values[50_003] = 9;
    await check(kernel, [values], [70_000, 1], [1, 70_000], [0]);
  });
});
