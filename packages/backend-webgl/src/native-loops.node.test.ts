import { type DType, type NativeKernel, validateKernel } from "@gradus/core";
import { compile, indexAdd, setDefaultDevice, type Tensor, tensor, zeros } from "@gradus/tensor";
import { expect, it } from "vitest";
import { nativeLoops } from "./native-loops.js";
import { webgl } from "./webgl.js";

const scatterings = ["sum", "prod", "max", "min", "set"] as const;
const cumulations = ["sum", "prod", "logsumexp", "argmax", "argmin"] as const;

it.each(["f32", "i32", "bool"] as const)("are kernels by all rules: %s", (dtype) => {
  const native = (
    native: NativeKernel["native"],
    attrs: NativeKernel["attrs"],
    output: DType = dtype,
  ): NativeKernel => ({
    ...{ kind: "native", native, name: native, params: [], attrs, outputs: [output] },
    inputs: native === "cumulate" ? [dtype] : [dtype, "i32", dtype],
  });
  const isNumber = dtype !== "bool";
  const all = [
    ...(isNumber ? [0, 1, 2].map((axis) => native("scatterAdd", { axis })) : []),
    ...(isNumber ? scatterings : (["set"] as const)).flatMap((op) =>
      [false, true].map((full) => native("scatterRows", { op, full })),
    ),
    ...(isNumber ? cumulations : (["argmax", "argmin"] as const)).map((op) =>
      native("cumulate", { op }, op === "argmax" || op === "argmin" ? "i32" : dtype),
    ),
  ];
  for (const kernel of all) {
    const loops = nativeLoops(kernel, kernel.native === "scatterAdd" ? 6 : 4);
    expect(loops === undefined).toBe(kernel.attrs.op === "logsumexp");
    for (const loop of loops ?? []) validateKernel(loop.kernel);
  }
});

it("runs on the card where each element has few to look at, and on the host where it has many", async () => {
  const device = await webgl({ mode: "cpu" });
  setDefaultDevice(device);
  const f = compile((rows: Tensor, index: Tensor) => indexAdd(zeros([3, 2]), 0, index, rows).cumsum(0));
  const rows = tensor([
    [1, 2],
    [3, 4],
    [5, 6],
  ]);
  const index = tensor([2, 0, 2], { dtype: "i32" });
  expect(f.explain(rows, index)).not.toContain("on the host");
  expect([...(await f(rows, index).read())]).toEqual([3, 4, 3, 4, 9, 12]);
  const many = compile((x: Tensor) => x.cumsum(0));
  expect(many.explain(zeros([1500]))).toContain("on the host");
  await device.dispose();
});
