import {
  axisIndex,
  calculus as c,
  cast,
  type DType,
  isGradusError,
  type Kernel,
  type LoopKernel,
  load,
} from "@gradus/core";
import { compile, key, setDefaultDevice, type Tensor, tensor } from "@gradus/tensor";
import { expect, it } from "vitest";
import { webgl } from "./webgl.js";

it("says what is missing where there is no WebGL", async () => {
  await expect(webgl()).rejects.toSatisfy(
    (error) =>
      isGradusError(error, "unsupported") && /no OffscreenCanvas.*Use cpu\(\)/.test((error as Error).message),
  );
});

it("refuses f64, and says where there is one", async () => {
  const device = await webgl({ mode: "cpu" });
  expect(device.caps.dtypes).toEqual(["bool", "i32", "f32"]);
  const wide: Kernel = elementwise("f32", "f64");
  expect(() => device.compile(wide)).toThrow(
    expect.objectContaining({
      code: "unsupported",
      message: expect.stringContaining("cpu() for what needs float64"),
    }),
  );
  await device.dispose();
});

it("keeps integers exact, also beyond what a float holds", async () => {
  const device = await webgl({ mode: "cpu" });
  setDefaultDevice(device);
  const x = tensor([16777217, -2147483648, 5], { dtype: "i32" });
  expect([...(await x.add(x).read())]).toEqual([33554434, 0, 10]);
  expect([...(await x.read())]).toEqual([16777217, -2147483648, 5]);
  const small = tensor([3, -4], { dtype: "i32" });
  expect([...(await small.mul(1000).add(1).read())]).toEqual([3001, -3999]);
  await device.dispose();
});

it("says which launches of a compiled function are the host's", async () => {
  const device = await webgl({ mode: "cpu" });
  setDefaultDevice(device);
  const onHost = (text: string): number[] =>
    text.split("\n").flatMap((line, i) => (line.endsWith("on the host") ? [i - 1] : []));
  const x = tensor([
    [3, 1],
    [2, 4],
  ]);
  const f = compile((a: typeof x) => a.matmul(a).sort(-1).values.mul(2));
  const before = f.explain(x).split("\n");
  expect(onHost(before.join("\n"))).toHaveLength(1);
  expect(before.find((line) => line.endsWith("on the host"))).toContain("sort");
  await f(x).read();
  expect(f.explain().split("\n")).toEqual(before);

  const draw = compile((a: typeof x) => key(3).uniform([2, 2]).add(a));
  expect(onHost(draw.explain(x))).not.toEqual([]);
  const smooth = compile((a: typeof x) => a.maxPool([2]).values.softmax(-1));
  expect(onHost(smooth.explain(x))).toEqual([]);

  // Whether integers fit is known when they come: the text says what was last.
  const counts = compile((n: typeof x) => n.mul(n));
  const small = tensor([3, 4000], { dtype: "i32" });
  expect(onHost(counts.explain(small))).toEqual([]);
  await counts(small).read();
  expect(onHost(counts.explain())).toEqual([]);
  await counts(tensor([3, 5000], { dtype: "i32" })).read();
  expect(onHost(counts.explain())).toEqual([0]);
  await device.dispose();
});

it("takes nothing that was in a temporary's memory before for its integers", async () => {
  const device = await webgl({ mode: "cpu" });
  setDefaultDevice(device);
  const [a, b, c] = [key(1).normal([10, 20]), key(2).normal([20, 10]), key(3).normal([10, 15])];
  // 20 floats, 10, then 15 integers.
  const f = compile((x: typeof a) => x.matmul(a).matmul(b).matmul(c).gt(0).cast("i32").sum());
  const x = key(4).normal([1, 10]);
  const expected = x.matmul(a).matmul(b).matmul(c).gt(0).cast("i32").sum().item();
  for (let k = 0; k < 2; k++) {
    expect([...(await f(x).read())]).toEqual([expected]);
    expect(f.explain()).not.toContain("on the host");
  }
  await device.dispose();
});

it("rounds every result, so that what was stored equals what is computed again", async () => {
  const device = await webgl({ mode: "cpu" });
  setDefaultDevice(device);
  const least = compile((x: Tensor) => x.mul(0.1).min());
  const places = compile((x: Tensor, value: Tensor) => x.mul(0.1).eq(value).cast("i32").sum());
  const x = tensor([3, 1.7, 9]);
  expect([...(await places(x, least(x)).read())]).toEqual([1]);
  await device.dispose();
});

it("draws the same random numbers as every device", async () => {
  const expected = key(7).uniform([50]).data();
  const device = await webgl({ mode: "cpu" });
  setDefaultDevice(device);
  expect([...(await key(7).uniform([50]).read())]).toEqual([...expected]);
  await device.dispose();
});

it("gives back what compiled steps used", async () => {
  const device = await webgl({ mode: "cpu" });
  setDefaultDevice(device);
  const x = tensor([1, 2, 3]);
  const f = compile((y: typeof x) => y.mul(2).softmax(0).sum());
  await f(x).read();
  const before = device.memory().buffers;
  for (let k = 0; k < 5; k++) {
    const y = f(x);
    await y.read();
    y.dispose();
  }
  expect(device.memory().buffers).toBe(before);
  await device.dispose();
});

function elementwise(from: DType, to: DType): LoopKernel {
  const at = axisIndex(0);
  return {
    kind: "loop",
    name: "widen",
    inputs: [from],
    outputs: [to],
    params: [],
    axes: 1,
    grid: 1,
    stages: [],
    writes: [{ over: [], buffer: 0, index: at, value: c.add(cast(load(0, from, at), to), 1) }],
  };
}
