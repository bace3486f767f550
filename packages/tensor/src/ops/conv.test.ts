import type { ConvOptions, Tensor } from "@gradus/core";
import { describe, expect, it } from "vitest";
import { compile } from "../compile/compile.js";
import { tensor } from "../create.js";

/** Small whole numbers, so that sums are exact in any order. */
function filled(shape: readonly number[], seed: number): Tensor {
  const size = shape.reduce((a, b) => a * b, 1);
  return tensor(
    Float64Array.from({ length: size }, (_, i) => ((i * 7 + seed * 5) % 11) - 5),
    { shape },
  );
}

type Plain = { readonly [K in "stride" | "padding" | "dilation"]: readonly [number, number] };

/** The definition: nested loops over the output and the window. */
function naive(
  x: Tensor,
  w: Tensor,
  { stride, padding, dilation }: Plain,
  groups: number,
): { shape: number[]; values: number[] } {
  const [rows, channels, height, width] = x.shape as [number, number, number, number];
  const [outputs, perGroup, kh, kw] = w.shape as [number, number, number, number];
  const [xs, ws] = [x.data(), w.data()];
  const count = (n: number, k: number, i: 0 | 1): number =>
    Math.floor((n + 2 * padding[i] - dilation[i] * (k - 1) - 1) / stride[i]) + 1;
  const shape = [rows, outputs, count(height, kh, 0), count(width, kw, 1)] as const;
  const values: number[] = [];
  for (let n = 0; n < rows; n++)
    for (let o = 0; o < outputs; o++)
      for (let i = 0; i < shape[2]; i++)
        for (let j = 0; j < shape[3]; j++) {
          let sum = 0;
          for (let c = 0; c < perGroup; c++)
            for (let a = 0; a < kh; a++)
              for (let b = 0; b < kw; b++) {
                const r = i * stride[0] - padding[0] + a * dilation[0];
                const s = j * stride[1] - padding[1] + b * dilation[1];
                if (r < 0 || r >= height || s < 0 || s >= width) continue;
                const channel = Math.floor(o / (outputs / groups)) * perGroup + c;
                const at = ((n * channels + channel) * height + r) * width + s;
                sum += (xs[at] as number) * (ws[((o * perGroup + c) * kh + a) * kw + b] as number);
              }
          values.push(sum);
        }
  return { shape: [...shape], values };
}

const variants: readonly (readonly [Plain, number])[] = [
  [{ stride: [1, 1], padding: [0, 0], dilation: [1, 1] }, 1],
  [{ stride: [2, 1], padding: [1, 2], dilation: [1, 1] }, 1],
  [{ stride: [1, 3], padding: [2, 0], dilation: [2, 1] }, 1],
  [{ stride: [2, 2], padding: [1, 1], dilation: [1, 2] }, 2],
  [{ stride: [1, 1], padding: [1, 1], dilation: [1, 1] }, 4],
];

describe("conv", () => {
  it.each(variants)("is its definition: %j, groups %i", (plain, groups) => {
    const [x, w] = [filled([2, 4, 6, 7], 1), filled([8, 4 / groups, 3, 2], 2)];
    const y = x.conv(w, { ...plain, groups });
    const expected = naive(x, w, plain, groups);
    expect(y.shape).toEqual(expected.shape);
    expect([...y.data()]).toEqual(expected.values);
    const compiled = compile((a: Tensor, b: Tensor) => a.conv(b, { ...plain, groups }));
    expect(compiled(x, w).toArray()).toEqual(y.toArray());
  });

  it("slides over one axis and over three", () => {
    const x = tensor([[[1, 2, 3, 4]]]);
    expect(x.conv(tensor([[[1, 10]]])).toArray()).toEqual([[[21, 32, 43]]]);
    const cube = filled([1, 1, 2, 2, 2], 1);
    expect(cube.conv(cube).toArray()).toEqual([[[[[cube.square().sum().item()]]]]]);
  });

  it("takes an input without a batch axis, strided views, a bias", () => {
    const x = filled([5, 4, 2], 3).permute([2, 1, 0]);
    const w = filled([3, 2, 2, 2], 4);
    const dense = x.reshape([1, 2, 4, 5]).conv(w);
    const y = x.conv(w, { bias: tensor([100, 200, 300]) });
    expect(y.shape).toEqual([3, 3, 4]);
    expect(y.sub(tensor([100, 200, 300]).reshape([3, 1, 1])).toArray()).toEqual(dense.squeeze(0).toArray());
  });

  it('"same" keeps the size; an even window pads one more behind', () => {
    const x = tensor([[[1, 2, 3]]]);
    expect(x.conv(tensor([[[1, 1]]]), { padding: "same" }).toArray()).toEqual([[[3, 5, 3]]]);
    expect(x.conv(tensor([[[1, 1]]]), { padding: "valid" }).toArray()).toEqual([[[3, 5]]]);
  });

  it("takes no rows and no channels", () => {
    expect(filled([0, 2, 3, 3], 1).conv(filled([4, 2, 2, 2], 1)).shape).toEqual([0, 4, 2, 2]);
    expect([
      ...filled([1, 0, 3], 1)
        .conv(filled([2, 0, 2], 1))
        .data(),
    ]).toEqual([0, 0, 0, 0]);
  });

  it.each<[number[], number[], ConvOptions, string]>([
    [
      [1, 3, 4],
      [2, 2, 2],
      {},
      "conv: the weight [2, 2, 2] takes 2 channels (groups: 1), the input [1, 3, 4] has 3",
    ],
    [[1, 2, 2], [2, 2, 3], {}, "conv: a window of 3 is larger than the axis of 2"],
    [[4], [2, 2, 2], {}, "conv: the weight [2, 2, 2] slides over 1 axes"],
    [[1, 2, 4], [3, 1, 2], { groups: 2 }, "conv: groups must divide the 3 channels, got 2"],
    [[1, 2, 4], [2, 2, 2], { stride: 0 }, "conv: stride must be a whole number of at least 1"],
    [
      [1, 2, 4],
      [2, 2, 2],
      { padding: [1, 1] },
      "conv: padding must be a whole number of at least 0 or 1 of them",
    ],
    [[1, 2, 4], [2, 2, 2], { padding: "same", stride: 2 }, 'conv: padding "same" needs a stride of 1'],
    [[1, 2, 4], [2, 2, 2], { bias: tensor([1]) }, "conv: the bias must be [2]"],
  ])("refuses %j with %j, %j", (shape, weight, options, message) => {
    expect(() => filled(shape, 1).conv(filled(weight, 2), options)).toThrow(message);
  });
});

describe("convTranspose", () => {
  it.each(variants)(
    "is the transpose of conv: <conv(x), y> = <x, convTranspose(y)>, %j, groups %i",
    (plain, groups) => {
      const [x, w] = [filled([2, 4, 6, 7], 1), filled([8, 4 / groups, 3, 2], 2)];
      const forward = x.conv(w, { ...plain, groups });
      const y = filled(forward.shape, 3);
      // What the strides of conv leave over at the end.
      const outputPadding = [0, 1].map((i) => {
        const k = i as 0 | 1;
        const reach = plain.dilation[k] * ((w.shape[2 + i] as number) - 1) + 1;
        return ((x.shape[2 + i] as number) + 2 * plain.padding[k] - reach) % plain.stride[k];
      });
      const back = y.convTranspose(w, { ...plain, groups, outputPadding });
      expect(back.shape).toEqual(x.shape);
      expect(x.mul(back).sum().item()).toBe(forward.mul(y).sum().item());
    },
  );

  it("puts a weighted copy of the window at each element", () => {
    const x = tensor([[[1, 2]]]);
    const w = tensor([[[1, 10, 100]]]);
    expect(x.convTranspose(w).toArray()).toEqual([[[1, 12, 120, 200]]]);
    expect(x.convTranspose(w, { stride: 2 }).toArray()).toEqual([[[1, 10, 102, 20, 200]]]);
    expect(x.convTranspose(w, { stride: 2, padding: 1, outputPadding: 1 }).toArray()).toEqual([
      [[10, 102, 20, 200]],
    ]);
  });

  it("refuses other channels, and more output padding than a stride", () => {
    const x = filled([1, 3, 4], 1);
    expect(() => x.convTranspose(filled([2, 3, 2], 1))).toThrow(
      "takes 2 channels (groups: 1), the input [1, 3, 4] has 3",
    );
    expect(() => x.convTranspose(filled([3, 3, 2], 1), { outputPadding: 1 })).toThrow(
      "outputPadding 1 must be smaller",
    );
  });
});
