import { isGradusError, type Tensor } from "@gradus/core";
import { compile, concat, key, setDefaultDevice, tensor } from "@gradus/tensor";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { fuzz } from "./fuzz/fuzz.fixture.js";
import { openGpu } from "./gpu.js";
import { nodeGpu } from "./node-gpu.fixture.js";

const device = await openGpu({ gpu: nodeGpu() });
beforeEach(() => setDefaultDevice(device));
afterAll(() => device.dispose());

// Software drivers of today have none; what follows for cards that have it ran on lavapipe.
if (device.caps.dtypes.includes("f16")) describe("a card with f16", withHalf);
else describe("a card without f16", withoutHalf);

function withoutHalf(): void {
  it("refuses it at the call, also inside compile()", () => {
    const x = tensor([1, 2]);
    for (const f of [
      () => tensor([1], { dtype: "f16" }),
      () => x.cast("f16"),
      () => compile((y: Tensor) => y.cast("f16").cast("f32"))(x),
    ]) {
      try {
        f();
        expect.unreachable();
      } catch (error) {
        if (!isGradusError(error, "unsupported")) throw error;
        expect(error.message).toContain("gpu has no f16: it supports bool, i32, f32");
      }
    }
  });
}

function withHalf(): void {
  it("joins more tensors than a kernel may bind", async () => {
    const count = 30;
    const parts = Array.from({ length: count }, (_, k) =>
      tensor([k, k + 0.5, -k].slice(0, 1 + (k % 3)), { dtype: "f16" }),
    );
    const expected = Array.from({ length: count }, (_, k) => [k, k + 0.5, -k].slice(0, 1 + (k % 3))).flat();
    expect([...(await concat(parts).read())]).toEqual(expected);
  });

  it("computes compiled what it does step by step, to the last bit", async () => {
    const f = (x: Tensor, w: Tensor): Tensor => x.matmul(w).mul(0.3).tanh().softmax(-1).sub(x.mean()).exp();
    for (const [m, k] of [
      [5, 3],
      [33, 65],
      [128, 128],
    ] as const) {
      const x = key(1).normal([m, k], { dtype: "f16" });
      const w = key(2).normal([k, k], { dtype: "f16" });
      expect(await compile(f)(x, w).read()).toEqual(await f(x, w).read());
    }
  });

  it("takes half the memory", () => {
    const before = device.memory().bytes;
    const x = tensor(new Float32Array(1001), { dtype: "f16" });
    expect(device.memory().bytes - before).toBe(2002);
    x.dispose();
  });

  it.each(["f32", "f64"] as const)(
    "runs random programs with f16 for %s as the interpreter does",
    async (dtype) => {
      await fuzz(device, 5000, 20, dtype);
    },
  );
}
