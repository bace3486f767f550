import { interpreter } from "@gradus/core";
import { setDefaultDevice, tensor } from "@gradus/tensor";
import { expect, it } from "vitest";
import { cpu } from "../cpu.js";

const random = (k: number): number => 1 + Math.sin(k * k + 1) / 2;

it.each<[what: string, valueAt: (k: number, count: number) => number]>([
  ["numbers around 1", random],
  ["numbers of both signs", (k) => (k % 3 === 0 ? -1 : 1) * random(k)],
  ["numbers whose every fourth overflows", (k) => (k % 4 === 1 ? 1e30 : k % 4 === 2 ? 1e-30 : 1)],
  ["numbers whose every second overflows", (k) => (k % 2 === 0 ? 1e38 : 1e-38)],
  ["small numbers before large ones", (k, count) => (k < count / 2 ? 1e-9 : 1e9)],
  ["numbers and a zero", (k) => (k === 6 ? 0 : random(k))],
  ["numbers and a NaN", (k) => (k === 7 ? Number.NaN : random(k))],
  ["numbers and an infinity", (k) => (k === 7 ? -Infinity : random(k))],
])("multiplies %s", async (_, valueAt) => {
  for (const dtype of ["f32", "f64"] as const) {
    for (const count of [1, 3, 8, 37, 101]) {
      const values = Array.from({ length: 2 * count }, (_, k) => valueAt(k % count, count));
      const results: number[][] = [];
      for (const device of [interpreter(), await cpu({ threads: 1 })]) {
        setDefaultDevice(device);
        const x = tensor(values, { dtype }).reshape([2, count]);
        results.push([...x.prod(1).data(), x.slice([0, 1]).prod().item()]);
        setDefaultDevice(undefined);
      }
      const [expected, got] = results as [number[], number[]];
      got.forEach((result, i) => {
        const exact = expected[i] as number;
        if (Object.is(result, exact)) return;
        expect(Math.abs(result / exact - 1), `${dtype}, ${count}: ${result}, not ${exact}`).toBeLessThan(
          dtype === "f32" ? 2 ** -23 : count * 2 ** -52,
        );
      });
    }
  }
});
