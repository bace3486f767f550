import type { Backend } from "@gradus/core";
import { setDefaultDevice, tensor } from "@gradus/tensor";
import { expect, it } from "vitest";
import { cpu } from "../cpu.js";
import { control } from "./control.js";
import { canShareMemory, defaultThreads } from "./host.js";

function partsOfWorkers(device: Backend): number {
  const { machine } = device as unknown as { machine: { memory: { words: Int32Array } } };
  return machine.memory.words[control.done] as number;
}

it("computes the same on one thread and on several, where the page may have them", async () => {
  expect(canShareMemory()).toBe(crossOriginIsolated);
  expect(defaultThreads()).toBe(Math.min(8, navigator.hardwareConcurrency));
  const sums: number[] = [];
  for (const options of [{ threads: 1 }, { threads: undefined }]) {
    const device = await cpu(options.threads === undefined ? {} : { threads: options.threads });
    setDefaultDevice(device);
    const x = tensor(Float32Array.from({ length: 300_000 }, (_, i) => Math.sin(i)));
    for (let k = 0; k < 20; k++) {
      sums.push(x.exp().mul(k).sum().item());
      // Workers come up between tasks of the page.
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    // Not only on this thread.
    if (options.threads === undefined && crossOriginIsolated)
      expect(partsOfWorkers(device)).toBeGreaterThan(0);
    await device.dispose();
  }
  expect(sums.slice(20)).toEqual(sums.slice(0, 20));
});
