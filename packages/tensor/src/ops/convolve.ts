import {
  type Aval,
  axisIndex,
  type DType,
  type Expr,
  inputAt,
  type Op,
  stage,
  type Tensor,
} from "@gradus/core";
import { applyOne } from "../apply.js";
import { type Sliding, staysInside, tapOf } from "./taps.js";

interface ConvolveAttrs extends Sliding {
  /** The spatial sizes of the output, whatever lies behind the input's end. */
  readonly out: readonly number[];
}

/**
 * `y[g, n, o, t] = sum over c and k of x[g, n, c, (t stride + k dilation - padding) / spread] w[g, o, c, k]`, where the
 * quotient is whole and within x: one contraction. It is closed under differentiation: both gradients are of this kind.
 */
const convolveOp: Op<ConvolveAttrs> = {
  name: "convolve",

  infer([x, w], { out }) {
    const { shape, dtype } = x as Aval;
    return [{ shape: [...shape.slice(0, 2), (w as Aval).shape[1] as number, ...out], dtype }];
  },

  lower([x, w], { out, ...sliding }) {
    const { dtype, shape } = x as Aval;
    const [groups, rows, channels, ...sizes] = shape as [number, number, number, ...number[]];
    const [, outputs, , ...kernel] = (w as Aval).shape as [number, number, number, ...number[]];
    const rank = sizes.length;
    const { stride, dilation, spread, padding } = sliding;
    const ends = sizes.map((size, i) => size * (spread[i] as number));
    const inside = staysInside(sliding, sizes, kernel, out);
    return {
      kind: "contract",
      key: `convolve ${dtype} ${[stride, dilation, spread, padding, inside.map(Number)].join(" ")}`,
      body: () => {
        const [group, output, row, channel] = [0, 1, 2, 3 + rank].map(axisIndex) as [Expr, Expr, Expr, Expr];
        const tapAxes = kernel.map((_, i) => 4 + rank + i);
        const windows = out.map((_, i) => 3 + i);
        const { at, guard } = tapOf(windows, tapAxes, sliding, inside);
        const taps = tapAxes.map(axisIndex);
        const spatial = windows.map(axisIndex);
        return {
          name: "convolve",
          params: new Array<DType>(rank).fill("i32"),
          // Positions are neighbours in x and in y, so they are what vectors run along.
          groups: { batch: 1, m: 1, n: 1 + rank, k: 1 + rank },
          a: inputAt(1, dtype, [group, output, channel, ...taps]),
          b: inputAt(0, dtype, [group, row, channel, ...at], guard),
          accumulate: dtype,
          writes: [{ at: [group, row, output, ...spatial], value: stage(0, dtype) }],
        };
      },
      sizes: [groups, outputs, rows, ...out, channels, ...kernel],
      params: ends,
    };
  },

  vjp({ cotangents: [dy], inputs: [x, w], attrs: { stride, dilation, spread, padding }, needs }) {
    const [source, weight, cotangent] = [x as Tensor, w as Tensor, dy as Tensor];
    const kernel = weight.shape.slice(3);
    const spatial = kernel.map((_, i) => 3 + i);
    return [
      needs[0] === true
        ? convolve(cotangent, weight.transpose(1, 2).flip(spatial), {
            stride: spread,
            dilation,
            spread: stride,
            padding: kernel.map((k, i) => (dilation[i] as number) * (k - 1) - (padding[i] as number)),
            out: source.shape.slice(3),
          })
        : undefined,
      needs[1] === true
        ? convolve(source.transpose(1, 2), cotangent.transpose(1, 2), {
            stride: dilation,
            dilation: stride,
            spread,
            padding,
            out: kernel,
          }).transpose(1, 2)
        : undefined,
    ];
  },
};

/** The convolution of `[groups, rows, channels, ...]` with `[groups, outputs, channels, ...]`. */
export function convolve(x: Tensor, w: Tensor, attrs: ConvolveAttrs): Tensor {
  return applyOne(convolveOp, [x, w], attrs);
}
