import { expect, it } from "vitest";
import { fuzz } from "./fuzz/fuzz.fixture.js";
import { gpu, openGpu } from "./gpu.js";
import { nodeGpu } from "./node-gpu.fixture.js";

it("1,000 random programs agree with the interpreter: step by step, compiled, and their gradients", async () => {
  const device = await gpu({ gpu: nodeGpu() });
  const compared = await fuzz(device, 2_000_000, 1000);
  expect(compared).toBeGreaterThan(300);
  await device.dispose();
});

it("so do 300 with kernels laid out for a card", async () => {
  const device = await openGpu({ gpu: nodeGpu() }, { asCard: true });
  const compared = await fuzz(device, 7_000_000, 300);
  expect(compared).toBeGreaterThan(90);
  await device.dispose();
});
