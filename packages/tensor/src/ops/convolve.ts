import {
  type Aval,
  axisIndex,
  calculus as c,
  type DType,
  type Expr,
  inputAt,
  type Op,
  param,
  stage,
  type Tensor,
} from "@gradus/core";
import { applyOne } from "../apply.js";

/** One number for each spatial axis. */
interface ConvolveAttrs {
  readonly stride: readonly number[];
  readonly dilation: readonly number[];
  /** How far apart the input's elements are, zeros between them: what a stride becomes in the transposed convolution. */
  readonly spread: readonly number[];
  /** Zeros before the input; negative: elements of it that are left out. */
  readonly padding: readonly number[];
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

  lower([x, w], { stride, dilation, spread, padding, out }) {
    const { dtype, shape } = x as Aval;
    const [groups, rows, channels, ...sizes] = shape as [number, number, number, ...number[]];
    const [, outputs, , ...kernel] = (w as Aval).shape as [number, number, number, ...number[]];
    const rank = sizes.length;
    const ends = sizes.map((size, i) => size * (spread[i] as number));
    // A window that never leaves the input needs no guard.
    const inside = out.map((count, i) => {
      const last =
        (count - 1) * (stride[i] as number) + ((kernel[i] as number) - 1) * (dilation[i] as number);
      return spread[i] === 1 && padding[i] === 0 && last < (sizes[i] as number);
    });
    return {
      kind: "contract",
      key: `convolve ${dtype} ${[stride, dilation, spread, padding, inside.map(Number)].join(" ")}`,
      body: () => {
        const [group, row, output, channel] = [0, 1, 2 + rank, 3 + rank].map(axisIndex) as [
          Expr,
          Expr,
          Expr,
          Expr,
        ];
        const taps = kernel.map((_, i) => axisIndex(4 + rank + i));
        let guard: Expr | undefined;
        const need = (condition: Expr): void => {
          guard = guard === undefined ? condition : c.logicalAnd(guard, condition);
        };
        const at = taps.map((tap, i) => {
          const [apart, pad] = [spread[i] as number, padding[i] as number];
          const start = c.mul(axisIndex(2 + i), stride[i] as number);
          const position = c.sub(c.add(start, c.mul(tap, dilation[i] as number)), pad);
          if (inside[i] === true) return position;
          need(c.greaterEqual(position, 0));
          need(c.less(position, param(i, "i32")));
          if (apart > 1) need(c.equal(c.imod(position, apart), 0));
          return c.idiv(position, apart);
        });
        const spatial = out.map((_, i) => axisIndex(2 + i));
        return {
          name: "convolve",
          params: new Array<DType>(rank).fill("i32"),
          groups: { batch: 1, m: 1 + rank, n: 1, k: 1 + rank },
          a: inputAt(0, dtype, [group, row, channel, ...at], guard),
          b: inputAt(1, dtype, [group, output, channel, ...taps]),
          accumulate: dtype,
          writes: [{ at: [group, row, output, ...spatial], value: stage(0, dtype) }],
        };
      },
      sizes: [groups, rows, ...out, outputs, channels, ...kernel],
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
