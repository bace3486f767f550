import { axisIndex, type Backend, type LoopKernel, load, type ScalarOpName, scalarOp } from "@gradus/core";
import { beforeAll, expect, it } from "vitest";
import { cpu } from "./cpu.js";

let device: Backend;
beforeAll(async () => {
  device = await cpu();
});

async function computed(op: ScalarOpName, points: Float32Array<ArrayBuffer>): Promise<Float32Array> {
  const at = axisIndex(0);
  const kernel: LoopKernel = {
    kind: "loop",
    name: op,
    inputs: ["f32"],
    outputs: ["f32"],
    params: [],
    axes: 1,
    grid: 1,
    stages: [],
    writes: [
      {
        over: [],
        buffer: 0,
        index: at,
        value: { kind: "op", op, args: [load(0, "f32", at)], dtype: "f32" },
      },
    ],
  };
  const count = points.length;
  const [source, target] = [device.alloc(4 * count), device.alloc(4 * count)];
  device.write(source, points);
  device.run([{ executable: device.compile(kernel), buffers: [source, target], sizes: [count], params: [] }]);
  return new Float32Array(await device.read(target));
}

/** The greatest error of an f32 function on points, in units of the last place of the exact value. */
async function errorAt(op: ScalarOpName, points: Float32Array<ArrayBuffer>): Promise<number> {
  const results = await computed(op, points);
  const exact = scalarOp(op)?.value as (x: number) => number;
  let greatest = 0;
  results.forEach((result, i) => {
    const value = exact(points[i] as number);
    // Equal, both NaN, or infinite because the value rounds to that.
    if (Object.is(result, Math.fround(value))) return;
    const unit = 2 ** Math.max(-149, Math.floor(Math.log2(Math.abs(value))) - 23);
    const error = Math.abs(result - value) / unit;
    greatest = Math.max(greatest, Number.isNaN(error) ? Infinity : error);
  });
  return greatest;
}

function greatestError(op: ScalarOpName, from: number, to: number): Promise<number> {
  const count = 40_001;
  return errorAt(
    op,
    Float32Array.from({ length: count }, (_, i) => from + ((to - from) * i) / (count - 1)),
  );
}

it.each<[ScalarOpName, number, number, number]>([
  ["exp", -87, 88, 1],
  ["log", 1e-3, 50, 1],
  ["log", 1e-38, 1e-30, 1],
  ["log1p", -0.9, 10, 3],
  ["expm1", -10, 10, 6],
  ["tanh", -10, 10, 2],
  ["sigmoid", -80, 80, 3],
  ["erf", -5, 5, 3],
  ["sin", -10, 10, 2],
  ["sin", -1000, 1000, 2],
  ["cos", -10, 10, 2],
  ["cos", -1000, 1000, 2],
])("%s is within a few units between %d and %d", async (op, from, to, units) => {
  expect(await greatestError(op, from, to)).toBeLessThanOrEqual(units);
});

it.each<[ScalarOpName, number]>([
  ["exp", 2],
  ["log", 2],
  ["tanh", 2],
  ["sin", 2],
  ["cos", 2],
])("%s is within %d units on floats of every size, infinities and NaN among them", async (op, units) => {
  const bits = Int32Array.from({ length: 2 ** 32 / 50_021 }, (_, i) => i * 50_021);
  expect(await errorAt(op, new Float32Array(bits.buffer))).toBeLessThanOrEqual(units);
  const special = Float32Array.of(
    0,
    -0,
    Infinity,
    -Infinity,
    Number.NaN,
    2 ** -149,
    -(2 ** -149),
    88.72284,
    1,
  );
  expect(await errorAt(op, special)).toBeLessThanOrEqual(units);
});

it.each<ScalarOpName>(["sin", "cos"])(
  "%s of a number does not depend on the numbers beside it",
  async (op) => {
    const values = Float32Array.of(0.9, -36.25, 1e6, 2.5, 7.75, Infinity, 3.5, 1.25);
    const together = await computed(op, values);
    for (const [i, value] of values.entries()) {
      const alone = await computed(op, Float32Array.of(value, 0.5, 0.5, 0.5));
      expect(together[i], `${op}(${value})`).toBe(alone[0]);
    }
  },
);
