import { setDefaultDevice, tensor } from "@gradus/tensor";
import { expect, it } from "vitest";
import { openGpu } from "./gpu.js";
import { nodeGpu } from "./node-gpu.fixture.js";

it.each([true, false])(
  "rounds operands of contractions to float16, and nothing else (as a card: %s)",
  async (asCard) => {
    const device = await openGpu({ gpu: nodeGpu(), contractions: "f16" }, { asCard });
    expect(device.contractions).toBe("f16");
    setDefaultDevice(device);
    // 2049 lies between two numbers of float16, of which 2048 is even; 1e6 is beyond them.
    const x = tensor([
      [2049, 1],
      [1e6, 1],
    ]);
    const y = tensor([
      [1, 0],
      [0, 3],
    ]);
    expect([...(await x.matmul(y).read())]).toEqual([2048, 3, Infinity, Number.NaN]);
    // Multiples of 2^-24 below 2^-14, ties to even.
    const tiny = tensor([[1.5 * 2 ** -24, -(2 ** -25), 2 ** -14]]).matmul(
      tensor([
        [1, 0],
        [0, 1],
        [0, 0],
      ]).mul(2 ** 10),
    );
    expect([...(await tiny.read())]).toEqual([2 ** -13, 0]);
    expect([...(await x.add(0).read())]).toEqual([2049, 1, 1e6, 1]);
    // By loops, in registers, in tiles.
    for (const n of [20, 136]) {
      const ones = tensor(new Float32Array(n * n).fill(1 + 2 ** -12), { shape: [n, n] });
      const product = await ones.matmul(ones).read();
      expect(product.every((value) => value === n)).toBe(true);
    }
    await device.dispose();
  },
);
