import { axisIndex, type Backend, type LoopKernel, load, type ScalarOpName, scalarOp } from "@gradus/core";
import { beforeAll, expect, it } from "vitest";
import { cpu } from "./cpu.js";

let device: Backend;
beforeAll(async () => {
  device = await cpu();
});

/** The greatest error of an f32 function on points of an interval, in units of the last place of the exact value. */
async function greatestError(op: ScalarOpName, from: number, to: number): Promise<number> {
  const count = 40_001;
  const points = Float32Array.from({ length: count }, (_, i) => from + ((to - from) * i) / (count - 1));
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
  const [source, target] = [device.alloc(4 * count), device.alloc(4 * count)];
  device.write(source, points);
  device.run([{ executable: device.compile(kernel), buffers: [source, target], sizes: [count], params: [] }]);
  const results = new Float32Array(await device.read(target));
  const exact = scalarOp(op)?.value as (x: number) => number;
  let greatest = 0;
  results.forEach((result, i) => {
    const value = exact(points[i] as number);
    if (Math.abs(value) < 1.2e-38) return;
    const unit = 2 ** (Math.floor(Math.log2(Math.abs(value))) - 23);
    greatest = Math.max(greatest, Math.abs(result - value) / unit);
  });
  return greatest;
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
])("%s is within a few units between %d and %d", async (op, from, to, units) => {
  expect(await greatestError(op, from, to)).toBeLessThanOrEqual(units);
});
