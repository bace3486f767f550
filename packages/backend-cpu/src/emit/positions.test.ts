import {
  axisIndex,
  calculus as c,
  constant,
  interpreter,
  type LoopKernel,
  load,
  stage,
  typedArray,
} from "@gradus/core";
import { key, setDefaultDevice } from "@gradus/tensor";
import { describe, expect, it } from "vitest";
import { cpu } from "../cpu.js";

it.each([1, 2, 3, 5, 8])("finds extremes in windows of %i columns", async (size) => {
  const positions: number[][] = [];
  for (const device of [interpreter(), await cpu({ threads: 1 })]) {
    setDefaultDevice(device);
    const x = key(size).normal([2, 3, 17, 16]).cast("f32");
    positions.push([...x.maxPool([3, size]).indices.data()]);
    setDefaultDevice(undefined);
  }
  expect(positions[1]).toEqual(positions[0]);
});

/** The number, row by row, of the first extreme of each row of planes; NaN is more extreme than anything. */
function firstExtremes(
  values: readonly number[],
  plane: number,
  isBetter: (a: number, b: number) => boolean,
) {
  return Array.from({ length: values.length / plane }, (_, p) => {
    let best = 0;
    for (let k = 1; k < plane; k++) {
      const [value, before] = [values[p * plane + k] as number, values[p * plane + best] as number];
      if (isBetter(value, before) || (Number.isNaN(value) && !Number.isNaN(before))) best = k;
    }
    return best;
  });
}

describe.each(["f32", "f64", "i32"] as const)("of %s over several axes", (dtype) => {
  const [planes, columns] = [3, 5];
  const rowsOf = (values: readonly number[], rows: number, op: "argmax" | "argmin"): LoopKernel => {
    const axis = axisIndex;
    const at = c.add(
      c.mul(c.add(c.mul(axis(0), constant(rows, "i32")), axis(1)), constant(columns, "i32")),
      axis(2),
    );
    return {
      kind: "loop",
      name: `${op} of ${values.length}`,
      inputs: [dtype],
      outputs: ["i32"],
      params: [],
      axes: 3,
      grid: 1,
      stages: [{ over: [1, 2], op, value: load(0, dtype, at), dtype: "i32" }],
      writes: [{ over: [], buffer: 0, index: axis(0), value: stage(0, "i32") }],
    };
  };
  const { NaN: nan } = Number;
  const least = dtype === "i32" ? -(2 ** 31) : -Infinity;
  it.each([
    ["argmax", "random values", (k: number) => Math.round(Math.sin(k * k) * 50)],
    ["argmin", "random values", (k: number) => Math.round(Math.sin(k * k) * 50)],
    ["argmax", "many equals", (k: number) => (k % 7 === 3 ? 9 : 1)],
    ["argmin", "many equals", (k: number) => (k % 7 === 6 ? -9 : 1)],
    ["argmax", "nothing but the least", () => least],
    ...(dtype === "i32"
      ? []
      : ([["argmax", "some NaN", (k: number) => (k % 11 === 8 ? nan : Math.sin(k))]] as const)),
  ] as const)("%s finds the first of %s", async (op, _, valueAt) => {
    const device = await cpu({ threads: 1 });
    for (const rows of [1, 2, 7]) {
      const values = Array.from({ length: planes * rows * columns }, (_, k) => valueAt(k));
      const data = typedArray(dtype, values.length);
      data.set(values);
      const [source, target] = [device.alloc(data.byteLength), device.alloc(4 * planes)];
      device.write(source, data);
      const executable = device.compile(rowsOf(values, rows, op));
      device.run([{ executable, buffers: [source, target], sizes: [planes, rows, columns], params: [] }]);
      const expected = firstExtremes(
        values,
        rows * columns,
        op === "argmax" ? (a, b) => a > b : (a, b) => a < b,
      );
      expect([...new Int32Array(await device.read(target))], `${rows} rows`).toEqual(expected);
    }
  });
});
