import { type Aval, contiguousLayout, type Op } from "@gradus/core";
import { apply } from "./apply.js";
import type { GradusTensor } from "./gradus-tensor.js";
import { lower } from "./lowering/lower.js";

/**
 * The results of an operation with f16 operands that only a native computes, and natives know f32: it is run on that, and
 * its results are rounded. Undefined for other operations.
 */
export function throughFloat32<A>(
  op: Op<A>,
  inputs: readonly GradusTensor[],
  attrs: A,
): GradusTensor[] | undefined {
  if (!inputs.some(isHalf)) return undefined;
  const avals = op.infer(inputs, attrs);
  if (lower(op, inputs.map(contiguousLayout), attrs, avals).kind !== "native") return undefined;
  const widened = inputs.map((x) => (isHalf(x) ? x.cast("f32") : x));
  return apply(op, widened, attrs).map(
    (y, k) => (isHalf(avals[k] as Aval) ? y.cast("f16") : y) as GradusTensor,
  );
}

function isHalf({ dtype }: Aval): boolean {
  return dtype === "f16";
}
