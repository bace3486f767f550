import { interpreter } from "@gradus/core";
import { key, setDefaultDevice } from "@gradus/tensor";
import { expect, it } from "vitest";
import { cpu } from "../cpu.js";

it.each([
  [7, 1000, -1],
  [64, 5, -1],
  [37, 13, 0],
  [1, 6, 1],
])(
  "softmax of %i x %i along axis %i is right, which keeps its exponentials where it writes",
  async (m, n, axis) => {
    const results: number[][] = [];
    for (const device of [interpreter(), await cpu({ threads: 1 })]) {
      setDefaultDevice(device);
      const x = key(n).normal([m, n]).cast("f32");
      results.push([...x.softmax(axis).data()], [...x.logSoftmax(axis).exp().sum(axis).data()]);
      setDefaultDevice(undefined);
    }
    const [exact, sums, own, ownSums] = results as [number[], number[], number[], number[]];
    own.forEach((value, i) => {
      expect(value).toBeCloseTo(exact[i] as number, 6);
    });
    ownSums.forEach((value, i) => {
      expect(value).toBeCloseTo(sums[i] as number, 5);
    });
  },
);
