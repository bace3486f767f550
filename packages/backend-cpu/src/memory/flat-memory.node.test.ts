import type { Tensor } from "@gradus/core";
import { compile, setDefaultDevice, tensor } from "@gradus/tensor";
import { beforeEach, describe, expect, it } from "vitest";
import { cpu } from "../cpu.js";

const MEGABYTE = 2 ** 20;

/** How much the memory of the process grows while `loop` runs `steps` steps, in MB, after a warm-up. */
function growth(loop: (steps: number) => void, steps: number): number {
  loop(Math.ceil(steps / 5));
  const before = process.memoryUsage();
  loop(steps);
  const after = process.memoryUsage();
  const used = after.heapUsed + after.external - before.heapUsed - before.external;
  return Math.max(used, after.rss - before.rss) / MEGABYTE;
}

describe("a synchronous loop without dispose and scope holds memory flat", () => {
  beforeEach(async () => {
    setDefaultDevice(await cpu());
  });

  // Small buffers live in the arrays of the collector, larger ones leave copies in WebAssembly memory.
  it.each([
    [4, 100_000],
    [256, 100_000],
    [100_000, 2000],
  ])("over eager operations on %i elements", (size, steps) => {
    const step = tensor(new Float32Array(size).fill(0.5));
    const grown = growth((steps) => {
      let x: Tensor = tensor(new Float32Array(size));
      for (let i = 0; i < steps / 2; i++) x = x.add(step).mul(0.5);
      expect(x.data()[size - 1]).toBeCloseTo(0.5, 5);
    }, steps);
    // The copies alone may take 128 MB, but not more with every step.
    expect(grown).toBeLessThan(160);
  });

  it("over calls of a compiled function that takes over its argument's memory", () => {
    const f = compile((x: Tensor, y: Tensor) => x.add(y), { donate: [0] });
    const y = tensor(new Float32Array(1024).fill(1));
    const grown = growth((steps) => {
      let x: Tensor = tensor(new Float32Array(1024));
      for (let i = 0; i < steps; i++) x = f(x, y);
      expect(x.data()[1023]).toBe(steps);
    }, 20_000);
    f.dispose();
    expect(grown).toBeLessThan(64);
  });
});
