import { type Scalar, scalar, type Tensor, tensorsOf } from "@gradus/core";
import { compile, full, key, setDefaultDevice } from "@gradus/tensor";
import { expect, it } from "vitest";
import { cpu } from "./cpu.js";

interface State {
  readonly w: Tensor;
  readonly m: Tensor;
  readonly v: Tensor;
  readonly step: Scalar;
}

/** What a step leaves on the heap for the collector, in bytes: the median of several stretches, in few of which it ran. */
function bytesPerStep(run: () => void): number {
  const STEPS = 200;
  for (let i = 0; i < 2000; i++) run();
  const stretches = Array.from({ length: 21 }, () => {
    const before = process.memoryUsage().heapUsed;
    for (let i = 0; i < STEPS; i++) run();
    return (process.memoryUsage().heapUsed - before) / STEPS;
  });
  return stretches.filter((bytes) => bytes > 0).sort((a, b) => a - b)[10] ?? Number.POSITIVE_INFINITY;
}

it("makes nothing on the heap in a replayed training step but its results", async () => {
  const device = await cpu({ threads: 1 });
  setDefaultDevice(device);
  const x = key(0).normal([32, 64]);
  const y = key(1).normal([32, 16]);
  const update = compile(
    ({ w, m, v, step }: State, x: Tensor, y: Tensor) => {
      const g = x.transpose().matmul(x.matmul(w).sub(y));
      const [m1, v1] = [m.mul(0.9).add(g.mul(0.1)), v.mul(0.999).add(g.square().mul(0.001))];
      const rate = step.map((t) => -0.01 / (1 + t));
      return { w: w.add(m1.mul(rate).div(v1.sqrt().add(1e-8))), m: m1, v: v1, step: step.map((t) => t + 1) };
    },
    { donate: [0] },
  );
  const zeros = (): Tensor => full([64, 16], 0);
  let state: State = { w: zeros(), m: zeros(), v: zeros(), step: scalar(0) };
  const bytes = bytesPerStep(() => {
    state = update(state, x, y);
  });
  expect(tensorsOf(state)).toHaveLength(3);
  // The results alone, three tensors with their storages, a Scalar and the tree of them, are about 1 KB.
  expect(bytes).toBeLessThan(1024 + 512);
  expect(state.w.data().every(Number.isFinite)).toBe(true);
  await device.dispose();
});
