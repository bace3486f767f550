import { type DType, input, type Tensor } from "@gradus/core";
import { applyOne } from "./apply.js";
import type { GradusTensor } from "./gradus-tensor.js";
import { type ElementwiseAttrs, elementwise } from "./ops/elementwise.js";

/** A dense copy of `x`. */
export function copyOf(x: Tensor): GradusTensor {
  return applyOne(elementwise, [x], copyAttrs(x.dtype));
}

/** A copy as an elementwise operation. */
export function copyAttrs(dtype: DType): ElementwiseAttrs {
  return { name: "copy", expr: identity[dtype], params: [] };
}

const identity = {
  f32: input(0, "f32"),
  f64: input(0, "f64"),
  i32: input(0, "i32"),
  f16: input(0, "f16"),
  bool: input(0, "bool"),
};
