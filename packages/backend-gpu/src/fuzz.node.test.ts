import { expect, it } from "vitest";
import { fuzz } from "./fuzz/fuzz.fixture.js";
import { gpu } from "./gpu.js";
import { nodeGpu } from "./node-gpu.fixture.js";

it("random programs agree with the interpreter: step by step, compiled, and their gradients", async () => {
  const device = await gpu({ gpu: nodeGpu() });
  const compared = await fuzz(device, 1, 20);
  expect(compared).toBeGreaterThan(5);
  await device.dispose();
});
