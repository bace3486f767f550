import { interpreter } from "@gradus/core";
import { key, setDefaultDevice } from "@gradus/tensor";
import { expect, it } from "vitest";
import { cpu } from "../cpu.js";

it.each([1, 2, 3, 5, 8])("finds extremes in windows of %i columns", async (size) => {
  const positions: number[][] = [];
  for (const device of [interpreter(), await cpu({ threads: 1 })]) {
    setDefaultDevice(device);
    const x = key(size).normal([2, 3, 17, 16]).cast("f32");
    positions.push([...x.maxPool([3, size]).indices.data()]);
    setDefaultDevice(undefined);
  }
  expect(positions[1]).toEqual(positions[0]);
});
