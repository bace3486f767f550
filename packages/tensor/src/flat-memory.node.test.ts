import { interpreter, type Tensor } from "@gradus/core";
import { compile, setDefaultDevice, tensor } from "@gradus/tensor";
import { beforeEach, describe, expect, it } from "vitest";

const MEGABYTE = 2 ** 20;

/** How much the memory of the process grows while `loop` runs `steps` steps, in MB, after a warm-up. */
function growth(loop: (steps: number) => void, steps: number): number {
  loop(Math.ceil(steps / 10));
  const before = process.memoryUsage();
  loop(steps);
  const after = process.memoryUsage();
  const used = after.heapUsed + after.external - before.heapUsed - before.external;
  return Math.max(used, after.rss - before.rss) / MEGABYTE;
}

describe("a synchronous loop without dispose and scope holds memory flat", () => {
  beforeEach(() => {
    setDefaultDevice(interpreter());
  });

  it("over 100,000 eager operations", () => {
    const step = tensor(new Float32Array(256).fill(0.5));
    const grown = growth((steps) => {
      let x: Tensor = tensor(new Float32Array(256));
      // Without collection: 100,000 x 1 KB, and as many tensors.
      for (let i = 0; i < steps / 2; i++) x = x.add(step).mul(0.5);
      expect(x.data()[0]).toBeCloseTo(0.5, 5);
    }, 100_000);
    expect(grown).toBeLessThan(64);
  });

  it("over 20,000 calls of a compiled function", () => {
    const f = compile((x: Tensor, y: Tensor) => x.add(y).mul(0.5).tanh());
    const y = tensor(new Float32Array(1024).fill(0.25));
    const grown = growth((steps) => {
      let x: Tensor = tensor(new Float32Array(1024));
      for (let i = 0; i < steps; i++) x = f(x, y);
      expect(x.size).toBe(1024);
    }, 20_000);
    f.dispose();
    expect(grown).toBeLessThan(64);
  });

  it("over 20,000 calls of a compiled function that takes over its argument's memory", () => {
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
