import {
  type Aval,
  type Axes,
  calculus as c,
  cast,
  type DType,
  fail,
  formatShape,
  inputAt,
  isFloat,
  type LoopBody,
  normalizeAxes,
  type Op,
  param,
  type ReduceOptions,
  reducedShape,
  type StageReduction,
  stage,
  type Tensor,
} from "@gradus/core";
import { applyOne } from "../apply.js";
import { type Along, along, reducedAval } from "./along.js";
import { exclusiveProduct } from "./exclusive-product.js";

interface ReduceAttrs {
  readonly name: string;
  readonly op: StageReduction;
  readonly axes: readonly number[];
  readonly keepdims: boolean;
  /** Divide the sum by the number of elements. */
  readonly mean: boolean;
}

/** One stage over some axes: sum, mean, prod, max, min, argmax, argmin. */
const reduce: Op<ReduceAttrs> = {
  name: "reduce",
  label: ({ name }) => name,

  infer([x], { name, op, axes, keepdims, mean }) {
    const source = x as Aval;
    const empty = axes.some((axis) => source.shape[axis] === 0);
    if (empty && op !== "sum" && op !== "prod") {
      fail(
        "invalid-argument",
        `${name}: nothing to choose from: the shape ${formatShape(source.shape)} is empty along the reduced axes`,
      );
    }
    return [reducedAval(source, axes, keepdims, resultDType(source.dtype, op, mean))];
  },

  lower([x], { name, op, axes, keepdims, mean }) {
    const { shape, dtype } = x as Aval;
    const { sizes, length } = along(shape, axes);
    return {
      kind: "loops",
      key: `${name} ${dtype} ${shape.length} ${axes.join()} ${keepdims}`,
      body: () => reductionBody(name, dtype, op, mean, along(shape, axes), keepdims),
      sizes,
      params: mean ? [length] : [],
    };
  },

  vjp({ cotangents: [dy], inputs: [x], outputs: [y], attrs }) {
    const source = x as Tensor;
    const kept = reducedShape(source.shape, attrs.axes, true);
    const spread = (t: Tensor): Tensor => t.reshape(kept).expand(source.shape);
    const cotangent = dy as Tensor;
    switch (attrs.op) {
      case "sum": {
        if (!attrs.mean) return [spread(cotangent)];
        const count = attrs.axes.reduce((n, axis) => n * (source.shape[axis] as number), 1);
        return [spread(cotangent.div(count))];
      }
      case "prod":
        return [spread(cotangent).mul(exclusiveProduct(source, attrs.axes))];
      case "max":
      case "min": {
        // Equal shares to all extreme elements.
        // A NaN is the extreme of its row, whatever else is in it.
        const ties = source.eq(spread(y as Tensor)).logicalOr(source.isNaN());
        const shares = ties.cast(source.dtype).sum(attrs.axes, { keepdims: true });
        return [ties.where(spread(cotangent.reshape(kept).div(shares)), 0)];
      }
      default:
        return [undefined];
    }
  },
};

function resultDType(dtype: DType, op: StageReduction, mean: boolean): DType {
  if (op === "argmax" || op === "argmin") return "i32";
  if (mean) return isFloat(dtype) ? dtype : "f32";
  return dtype === "bool" && (op === "sum" || op === "prod") ? "i32" : dtype;
}

function reductionBody(
  name: string,
  dtype: DType,
  op: StageReduction,
  mean: boolean,
  { grid, over, element, result }: Along,
  keepdims: boolean,
): LoopBody {
  const out = resultDType(dtype, op, mean);
  const isPosition = op === "argmax" || op === "argmin";
  // bool is reduced as the numbers 0 and 1.
  const summand: DType = isPosition || out === "bool" ? (dtype === "bool" ? "i32" : dtype) : out;
  const reduced = stage(0, isPosition ? "i32" : summand);
  return {
    name,
    params: mean ? [summand] : [],
    grid,
    stages: [{ over, op, value: cast(inputAt(0, dtype, element), summand), dtype: reduced.dtype }],
    writes: [
      {
        over: [],
        at: result(keepdims),
        value: mean ? c.div(reduced, param(0, summand)) : cast(reduced, out),
      },
    ],
  };
}

function reduceOver(
  x: Tensor,
  name: string,
  op: StageReduction,
  axes: Axes | undefined,
  options?: ReduceOptions,
): Tensor {
  const attrs = {
    name,
    op,
    axes: normalizeAxes(name, axes, x.ndim),
    keepdims: options?.keepdims ?? false,
    mean: name === "mean",
  };
  return applyOne(reduce, [x], attrs);
}

export const sum = (x: Tensor, axes?: Axes, options?: ReduceOptions): Tensor =>
  reduceOver(x, "sum", "sum", axes, options);
export const mean = (x: Tensor, axes?: Axes, options?: ReduceOptions): Tensor =>
  reduceOver(x, "mean", "sum", axes, options);
export const prod = (x: Tensor, axes?: Axes, options?: ReduceOptions): Tensor =>
  reduceOver(x, "prod", "prod", axes, options);
export const max = (x: Tensor, axes?: Axes, options?: ReduceOptions): Tensor =>
  reduceOver(x, "max", "max", axes, options);
export const min = (x: Tensor, axes?: Axes, options?: ReduceOptions): Tensor =>
  reduceOver(x, "min", "min", axes, options);

export const argmax = (x: Tensor, axis?: number, options?: ReduceOptions): Tensor =>
  reduceOver(x, "argmax", "argmax", axis, options);
export const argmin = (x: Tensor, axis?: number, options?: ReduceOptions): Tensor =>
  reduceOver(x, "argmin", "argmin", axis, options);

/** Whether any (max) or every (min) element is not zero. Of nothing: false and true. */
export function any(x: Tensor, axes?: Axes, options?: ReduceOptions): Tensor {
  return truth(x, axes, "any").max(axes, options);
}

export function all(x: Tensor, axes?: Axes, options?: ReduceOptions): Tensor {
  return truth(x, axes, "all").min(axes, options);
}

/** `x` as bool; where the reduced axes are empty, an axis of the identity, so that there is something to reduce. */
function truth(x: Tensor, axes: Axes | undefined, name: "any" | "all"): Tensor {
  const bools = x.dtype === "bool" ? x : x.ne(0);
  const reduced = normalizeAxes(name, axes, x.ndim);
  if (reduced.every((axis) => x.shape[axis] !== 0)) return bools;
  const shape = x.shape.map((n, axis) => (reduced.includes(axis) ? 1 : n));
  return x.engine.full(shape, name === "all" ? 1 : 0, { dtype: "bool", device: x.device });
}
