import { grad } from "@gradus/autograd";
import { type Backend, type ConvOptions, interpreter, sizeOf } from "@gradus/core";
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
  [2, 150, 37],
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

interface Case {
  readonly x: number[];
  readonly w: number[];
  readonly options: ConvOptions;
}

const convolutions: Record<string, Case> = {
  "one axis": { x: [3, 2, 37], w: [5, 2, 4], options: { padding: 2 } },
  "two axes": { x: [2, 3, 13, 14], w: [6, 3, 3, 3], options: {} },
  "two axes, padded": { x: [2, 3, 13, 14], w: [6, 3, 3, 3], options: { padding: 1 } },
  "two axes with strides": {
    x: [2, 3, 15, 14],
    w: [4, 3, 3, 2],
    options: { padding: [2, 0], stride: [2, 3] },
  },
  "two axes, dilated": { x: [1, 2, 15, 14], w: [4, 2, 3, 3], options: { padding: 2, dilation: 2 } },
  "two axes in groups": { x: [2, 6, 9, 9], w: [4, 3, 3, 3], options: { groups: 2, padding: 1 } },
  "two axes, each channel alone": { x: [2, 5, 9, 11], w: [5, 1, 3, 3], options: { groups: 5, padding: 1 } },
  "long rows, padded": { x: [1, 3, 6, 150], w: [5, 3, 3, 3], options: { padding: 1 } },
  "rows of several blocks": { x: [2, 3, 19, 20], w: [70, 3, 5, 3], options: { padding: [2, 1] } },
  "rows of several blocks, dilated": { x: [1, 3, 21, 20], w: [9, 3, 3, 3], options: { dilation: [2, 3] } },
  "one row of a window": { x: [2, 3, 11, 12], w: [4, 3, 1, 5], options: { padding: [0, 2] } },
  "windows of one element": { x: [2, 9, 11, 12], w: [8, 9, 1, 1], options: {} },
  "three axes, padded": { x: [2, 2, 5, 6, 7], w: [3, 2, 3, 3, 3], options: { padding: 1 } },
  "three axes": { x: [2, 2, 5, 6, 7], w: [3, 2, 2, 3, 2], options: { stride: [1, 2, 1] } },
};

describe("convolutions", () => {
  it.each(Object.entries(convolutions))(
    "over %s are right, and so are both gradients",
    (_, { x, w, options }) => {
      const f = (a: Tensor, b: Tensor): Tensor => a.conv(b, options);
      expect(difference(f, [x, w], "f32")).toBeLessThan(1e-4);
      const gradient = (index: 0 | 1) => (a: Tensor, b: Tensor) =>
        grad((x: Tensor) =>
          f(index === 0 ? x : a, index === 1 ? x : b)
            .square()
            .sum(),
        )(index === 0 ? a : b);
      for (const index of [0, 1] as const)
        expect(difference(gradient(index), [x, w], "f32")).toBeLessThan(1e-2);
    },
  );

  it("of a view within longer rows are right", () => {
    for (const width of [9, 40]) {
      const f = (a: Tensor, b: Tensor): Tensor => a.slice([], [], [1, 9], [0, 9]).conv(b);
      const shapes = [
        [2, 3, 11, width],
        [4, 3, 3, 3],
      ];
      expect(difference(f, shapes, "f32")).toBeLessThan(1e-4);
      expect(difference((a, b) => f(a.flip(3), b), shapes, "f32")).toBeLessThan(1e-4);
    }
  });

  it("transposed are right", () => {
    const f = (a: Tensor, b: Tensor): Tensor =>
      a.convTranspose(b, { stride: 2, padding: 1, outputPadding: 1 });
    expect(
      difference(
        f,
        [
          [2, 3, 6, 7],
          [3, 4, 3, 3],
        ],
        "f32",
      ),
    ).toBeLessThan(1e-4);
  });
});
