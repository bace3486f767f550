import { type Aval, axisIndex, type DType, inputAt, type Op, stage, type Tensor } from "@gradus/core";
import { applyOne } from "../apply.js";
import { type Sliding, staysInside, tapOf } from "./taps.js";

interface WindowSumAttrs extends Sliding {
  readonly kernel: readonly number[];
  readonly out: readonly number[];
}

/**
 * `[rows, ...sizes]` to the sums of its windows, `[rows, ...out]`: a convolution with ones. It is closed under
 * differentiation: its gradient is of this kind.
 */
const windowSumOp: Op<WindowSumAttrs> = {
  name: "windowSum",

  infer: ([x], { out }) => [{ shape: [(x as Aval).shape[0] as number, ...out], dtype: (x as Aval).dtype }],

  lower([x], { kernel, out, ...sliding }) {
    const { dtype, shape } = x as Aval;
    const [rows, ...sizes] = shape as [number, ...number[]];
    const rank = sizes.length;
    const inside = staysInside(sliding, sizes, kernel, out);
    const { stride, dilation, spread, padding } = sliding;
    return {
      kind: "loops",
      key: `windowSum ${dtype} ${[stride, dilation, spread, padding, inside.map(Number)].join(" ")}`,
      body: () => {
        const windows = out.map((_, i) => 1 + i);
        const over = kernel.map((_, i) => 1 + rank + i);
        const { at, guard } = tapOf(windows, over, sliding, inside);
        return {
          name: "windowSum",
          params: new Array<DType>(rank).fill("i32"),
          grid: 1 + rank,
          stages: [{ over, op: "sum", value: inputAt(0, dtype, [axisIndex(0), ...at], guard), dtype }],
          writes: [{ over: [], value: stage(0, dtype) }],
        };
      },
      sizes: [rows, ...out, ...kernel],
      params: sizes.map((size, i) => size * (spread[i] as number)),
    };
  },

  vjp({ cotangents: [dy], inputs: [x], attrs: { kernel, stride, dilation, spread, padding } }) {
    return [
      windowSum(dy as Tensor, {
        kernel,
        stride: spread,
        dilation,
        spread: stride,
        padding: kernel.map((k, i) => (dilation[i] as number) * (k - 1) - (padding[i] as number)),
        out: (x as Tensor).shape.slice(1),
      }),
    ];
  },
};

export function windowSum(x: Tensor, attrs: WindowSumAttrs): Tensor {
  return applyOne(windowSumOp, [x], attrs);
}
