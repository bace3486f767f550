import { type Aval, contiguousLayout, type Op } from "@gradus/core";
import { apply } from "./apply.js";
import type { GradusTensor } from "./gradus-tensor.js";

/**
 * The results of an operation with f16 operands that only a native computes, and natives know f32: it is run on that, and
 * its results are rounded. Undefined for other operations.
 */
export function throughFloat32<A>(
  op: Op<A>,
  inputs: readonly GradusTensor[],
  attrs: A,
): GradusTensor[] | undefined {
  if (!inputs.some((x) => x.dtype === "f16")) return undefined;
  const wide = (x: Aval): Aval => (x.dtype === "f16" ? { shape: x.shape, dtype: "f32" } : x);
  const avals = op.infer(inputs, attrs);
  const layouts = inputs.map((x) => contiguousLayout(wide(x)));
  if (op.lower(layouts, attrs, avals.map(wide)).kind !== "native") return undefined;
  const outputs = apply(
    op,
    inputs.map((x) => (x.dtype === "f16" ? x.cast("f32") : x)),
    attrs,
  );
  return outputs.map((y, k) => (avals[k]?.dtype === "f16" ? y.cast("f16") : y) as GradusTensor);
}
