import { compile, type Tensor, tensor } from "@gradus/tensor";
import { expect, it } from "vitest";
import { gpu } from "./gpu.js";
import { nodeGpu } from "./node-gpu.fixture.js";

// Sines of angles that are taken apart by the digits of 2/pi: those from 10,000 on.
it("has the sine and the cosine of angles of any size", async () => {
  const device = await gpu({ gpu: nodeGpu() });
  const angles = Float32Array.from([9999.5, 10000.36, 54321, -123456.7, 1e6, 8388609, 1e10, -1e20, 3e38]);
  const x = tensor(angles, { device });
  for (const name of ["sin", "cos"] as const) {
    const found = await compile((y: Tensor) => y[name]())(x).read();
    angles.forEach((angle, i) => {
      expect(found[i], `${name}(${angle})`).toBeCloseTo(Math[name](angle), 6);
    });
  }
  await device.dispose();
});
