import {
  type Aval,
  type Axes,
  calculus as c,
  cast,
  type DType,
  inputAt,
  isFloat,
  normalizeAxes,
  type Op,
  param,
  type ReduceOptions,
  reducedShape,
  stage,
  type Tensor,
} from "@gradus/core";
import { applyOne } from "../apply.js";
import { along, reducedAval } from "./along.js";

interface VarianceAttrs {
  readonly axes: readonly number[];
  readonly keepdims: boolean;
  readonly correction: number;
}

/** `sum (x - mean)^2 / (n - correction)`, in two stages of one kernel: no cancellation, no intermediate tensor. */
const variance: Op<VarianceAttrs> = {
  name: "var",

  infer([x], { axes, keepdims }) {
    const source = x as Aval;
    return [reducedAval(source, axes, keepdims, floatOf(source.dtype))];
  },

  lower([x], { axes, keepdims, correction }) {
    const source = x as Aval;
    const { grid, sizes, over, element, result, length } = along(source.shape, axes);
    return {
      kind: "loops",
      key: `var ${source.dtype} ${source.shape.length} ${axes.join()} ${keepdims}`,
      body: () => {
        const dtype = floatOf(source.dtype);
        const value = cast(inputAt(0, source.dtype, element), dtype);
        const mean = c.div(stage(0, dtype), param(0, dtype));
        return {
          name: "var",
          params: [dtype, dtype],
          grid,
          stages: [
            { over, op: "sum", value, dtype },
            { over, op: "sum", value: c.square(c.sub(value, mean)), dtype },
          ],
          writes: [{ over: [], at: result(keepdims), value: c.div(stage(1, dtype), param(1, dtype)) }],
        };
      },
      sizes,
      params: [length, Math.max(0, length - correction)],
    };
  },

  vjp({ cotangents: [dy], inputs: [x], attrs }) {
    const source = x as Tensor;
    const count = attrs.axes.reduce((n, axis) => n * (source.shape[axis] as number), 1);
    const spread = (dy as Tensor).reshape(reducedShape(source.shape, attrs.axes, true));
    const centered = source.sub(source.mean(attrs.axes, { keepdims: true }));
    return [centered.mul(spread.mul(2 / Math.max(0, count - attrs.correction)))];
  },
};

function floatOf(dtype: DType): DType {
  return isFloat(dtype) ? dtype : "f32";
}

type VarianceOptions = ReduceOptions & { readonly correction?: number };

export function varianceOf(x: Tensor, axes?: Axes, options: VarianceOptions = {}): Tensor {
  const { keepdims = false, correction = 1 } = options;
  return applyOne(variance, [x], { axes: normalizeAxes("var", axes, x.ndim), keepdims, correction });
}

/** The square root of the variance. Where it is 0 the gradient is 0, as in PyTorch, not infinite. */
export function std(x: Tensor, axes?: Axes, options: VarianceOptions = {}): Tensor {
  if (x.dtype === "f16") return std(x.cast("f32"), axes, options).cast("f16");
  const v = varianceOf(x, axes, options);
  const flat = v.eq(0);
  return flat.where(0, flat.where(1, v).sqrt());
}
