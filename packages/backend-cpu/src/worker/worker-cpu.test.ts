import { valueAndGrad } from "@gradus/autograd";
import type { Backend, Tensor } from "@gradus/core";
import { compile, key, setDefaultDevice, tensor } from "@gradus/tensor";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { cpu } from "../cpu.js";

let device: Backend;
beforeEach(async () => {
  device = await cpu({ worker: true });
  setDefaultDevice(device);
});
afterEach(() => device.dispose());

/** Trains a small network, on the default device, and gives the last loss. */
async function train(steps: number): Promise<number> {
  const x = key(1).normal([32, 20]);
  const y = key(2).normal([32, 3]);
  let w = key(3).normal([20, 3]);
  const step = compile(
    (w: Tensor) => {
      const [loss, gradient] = valueAndGrad((w: Tensor) => x.matmul(w).sub(y).square().mean())(w);
      return { w: w.sub(gradient.mul(0.1)), loss };
    },
    { donate: [0] },
  );
  let loss: Tensor | undefined;
  for (let k = 0; k < steps; k++) ({ w, loss } = step(w));
  const [value] = await (loss as Tensor).read();
  return value as number;
}

describe("cpu in a worker", () => {
  it("trains to the same bits as on this thread", async () => {
    const there = await train(20);
    setDefaultDevice(await cpu({ threads: 1 }));
    expect(there).toBe(await train(20));
  });

  it("leaves this thread free while it computes", async () => {
    const size = 700;
    const a = key(1).normal([size, size]);
    const f = compile((a: Tensor) => {
      let b = a;
      for (let k = 0; k < 6; k++) b = b.matmul(a).tanh();
      return b.sum();
    });
    await f(a).read();
    const start = performance.now();
    const result = f(a);
    const called = performance.now() - start;
    let ticks = 0;
    const timer = setInterval(() => ticks++, 1);
    await result.read();
    clearInterval(timer);
    const whole = performance.now() - start;
    expect(called).toBeLessThan(whole / 2);
    expect(ticks).toBeGreaterThan(0);
  });

  it("runs what needs JavaScript too, in order", async () => {
    const x = tensor([3, 1, 2]);
    const order = x.argsort();
    const y = x.mul(2).cumsum(0).add(order);
    expect([...(await y.read())]).toEqual([6 + 1, 8 + 2, 12 + 0]);
    expect((await tensor([5]).lgamma().read())[0]).toBeCloseTo(Math.log(24), 5);
  });

  it("tells of an index out of range at the next read", async () => {
    const f = compile((x: Tensor, i: Tensor) => x.gather(0, i));
    const out = f(tensor([1, 2, 3]), tensor([7], { dtype: "i32" }));
    await expect(out.read()).rejects.toMatchObject({ code: "index-out-of-range" });
    expect((await tensor([1]).add(1).read())[0]).toBe(2);
  });

  it("reads without waiting where the host can, and names the other way where not", () => {
    const x = tensor([1, 2]).mul(3).sum();
    if (device.readSync !== undefined) expect(x.item()).toBe(9);
    else expect(() => x.item()).toThrow(expect.objectContaining({ code: "no-sync-read" }));
  });

  it("rejects reads once it is disposed", async () => {
    const reading = tensor([1]).add(1).read();
    await device.dispose();
    await expect(reading).rejects.toMatchObject({ code: "disposed" });
    expect(() => device.alloc(4)).toThrow(expect.objectContaining({ code: "disposed" }));
  });
});
