import {
  axisIndex,
  axisSize,
  type Cumulation,
  calculus as c,
  type DType,
  type LoopKernel,
  load,
  type NativeKernel,
  type StageReduction,
  stage,
  typedArray,
} from "@gradus/core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { countingGpu, noCounts } from "./counting-gpu.fixture.js";
import { openGpu } from "./gpu.js";
import type { GpuDevice } from "./gpu-backend.js";

const opened: GPUDevice[] = [];
let [shared, alone]: GpuDevice[] = [];
beforeAll(async () => {
  const api = countingGpu(noCounts(), (device) => opened.push(device));
  shared = await openGpu({ gpu: api }, { asCard: true });
  alone = await openGpu({ gpu: api }, { asCard: true, subgroups: false });
});
afterAll(() => Promise.all([shared?.dispose(), alone?.dispose()]));

/** Reduces the rows, or the columns, of a matrix. */
function reduction(op: StageReduction, dtype: DType, alongRows: boolean): LoopKernel {
  const at = alongRows
    ? c.add(c.mul(axisIndex(0), axisSize(1)), axisIndex(1))
    : c.add(c.mul(axisIndex(1), axisSize(0)), axisIndex(0));
  const result = op === "argmax" || op === "argmin" ? "i32" : dtype;
  return {
    kind: "loop",
    name: op,
    inputs: [dtype],
    outputs: [result],
    params: [],
    axes: 2,
    grid: 1,
    stages: [{ over: [1], op, value: load(0, dtype, at), dtype: result }],
    writes: [{ over: [], buffer: 0, index: axisIndex(0), value: stage(0, result) }],
  };
}

async function bitsOf(
  device: GpuDevice,
  kernel: LoopKernel | NativeKernel,
  values: number[],
  points: number,
  sizes: readonly number[] = [points, values.length / points],
) {
  const data = typedArray(kernel.inputs[0] as DType, values);
  const [x, y] = [device.alloc(4 * values.length), device.alloc(4 * points)];
  device.write(x, data);
  device.run([{ executable: device.compile(kernel), buffers: [x, y], sizes, params: [] }]);
  const bits = [...new Uint32Array(await device.read(y))];
  device.free(x);
  device.free(y);
  return bits;
}

const noise = (count: number): number[] => Array.from({ length: count }, (_, i) => Math.sin(i * 12.9898) * 3);

it("are used where the card has them", () => {
  expect(opened.map((device) => device.features.has("subgroups"))).toEqual([true, false]);
});

describe("with subgroups and without, to the last bit", () => {
  it.each<[op: StageReduction, of: "rows" | "columns", shapes: [number, number][]]>([
    // Parts of a subgroup, one, several, and chunks of several workgroups.
    [
      "sum",
      "rows",
      [
        [1, 17],
        [3, 100],
        [40, 1000],
        [1, 70_000],
      ],
    ],
    [
      "argmin",
      "rows",
      [
        [3, 100],
        [3, 1000],
      ],
    ],
    ["prod", "rows", [[3, 300]]],
    ["sum", "columns", [[40, 1000]]],
  ])("%s of %s", async (op, of, shapes) => {
    const kernel = reduction(op, "f32", of === "rows");
    for (const [points, length] of shapes) {
      const values = noise(points * length);
      if (op !== "prod") values.splice(points > 1 ? length : 0, 2, points === 3 ? Number.NaN : -0, -0);
      const bits = await bitsOf(alone as GpuDevice, kernel, values, points);
      expect(await bitsOf(shared as GpuDevice, kernel, values, points)).toEqual(bits);
    }
  });

  it.each<Cumulation>(["sum", "argmax"])("running %s", async (op) => {
    const kernel: NativeKernel = {
      kind: "native",
      native: "cumulate",
      name: op,
      inputs: ["f32"],
      outputs: [op === "argmax" ? "i32" : "f32"],
      params: [],
      attrs: { op },
    };
    const values = noise(3 * 300);
    values[400] = Number.NaN;
    const sizes = [3, 300, 1];
    const bits = await bitsOf(alone as GpuDevice, kernel, values, values.length, sizes);
    expect(await bitsOf(shared as GpuDevice, kernel, values, values.length, sizes)).toEqual(bits);
  });

  it("whole numbers, which give what they must", async () => {
    const kernel = reduction("sum", "i32", true);
    for (const length of [17, 1000]) {
      const values = noise(length).map((x) => Math.round(x * 1000));
      const sum = values.reduce((a, b) => a + b, 0) >>> 0;
      expect(await bitsOf(alone as GpuDevice, kernel, values, 1)).toEqual([sum]);
      expect(await bitsOf(shared as GpuDevice, kernel, values, 1)).toEqual([sum]);
    }
  });
});
