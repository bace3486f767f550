import { type Backend, interpreter, sizeOf } from "@gradus/core";
import { type Tensor, tensor } from "@gradus/tensor";
import { beforeAll, describe, expect, it } from "vitest";
import { cpu } from "./cpu.js";

let device: Backend;
beforeAll(async () => {
  device = await cpu();
});

/** The greatest difference between what the device and the interpreter compute from the same numbers. */
function difference(f: (...xs: Tensor[]) => Tensor, shapes: number[][], dtype: "f32" | "f64"): number {
  const make = (on: Backend): Tensor[] =>
    shapes.map((shape, i) => {
      const values = Array.from({ length: sizeOf(shape) }, (_, j) => Math.fround(Math.sin(7 * j * j + i)));
      return tensor(values, { dtype, device: on, shape });
    });
  const [own, reference] = [device, interpreter()].map((on) => [...f(...make(on)).data()] as number[]) as [
    number[],
    number[],
  ];
  expect(own.length).toBe(reference.length);
  return own.reduce((most, x, i) => Math.max(most, Math.abs(x - (reference[i] as number))), 0);
}

const sizes = [
  [1, 1, 1],
  [1, 17, 300],
  [5, 1, 33],
  [7, 9, 0],
  [33, 10, 129],
  [67, 131, 70],
  [130, 135, 5],
  [2, 20, 2100],
];

describe.each(["f32", "f64"] as const)("matrix products of %s", (dtype) => {
  const allowed = dtype === "f32" ? 1e-4 : 1e-12;

  it.each(sizes)("are right for %d x %d and %d steps, whichever operand is transposed", (m, n, k) => {
    for (const [left, right] of [
      [false, false],
      [true, false],
      [false, true],
      [true, true],
    ]) {
      const f = (a: Tensor, b: Tensor): Tensor =>
        (left ? a.transpose() : a).matmul(right ? b.transpose() : b).add(1);
      const shapes = [left ? [k, m] : [m, k], right ? [n, k] : [k, n]] as number[][];
      expect(difference(f, shapes, dtype)).toBeLessThan(allowed * Math.sqrt(k + 1));
    }
  });

  it("are right in batches, and where an operand is shared by all", () => {
    const f = (a: Tensor, b: Tensor): Tensor => a.matmul(b);
    expect(
      difference(
        f,
        [
          [3, 2, 9, 70],
          [3, 2, 70, 21],
        ],
        dtype,
      ),
    ).toBeLessThan(allowed);
    expect(
      difference(
        f,
        [
          [3, 2, 9, 20],
          [20, 21],
        ],
        dtype,
      ),
    ).toBeLessThan(allowed);
    expect(
      difference(
        f,
        [
          [9, 20],
          [5, 20, 21],
        ],
        dtype,
      ),
    ).toBeLessThan(allowed);
  });
});
