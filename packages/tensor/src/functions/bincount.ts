import { fail, formatShape, isFloat, sameShape, type Tensor, type TypedArray } from "@gradus/core";
import { awaitedValuesFor, valuesFor } from "../ops/concrete.js";
import { scatterRows } from "../ops/rows.js";

const INSTEAD = "With a known number of classes: zeros([classes]).scatterAdd(0, x, ones(x.shape))";

export interface BincountOptions {
  /** What each element counts instead of 1; the result has this tensor's dtype. */
  readonly weights?: Tensor;
  /** The least length of the result. Default 0. */
  readonly minLength?: number;
}

/**
 * How often each whole number from 0 to the greatest one occurs in a vector; i32. The shape depends on values: not inside
 * `compile`.
 *
 * @throws `value-in-trace` inside `compile`; `no-sync-read` on a device that cannot be read without waiting: use
 * `bincountAsync` there; `invalid-argument` for negative numbers, `dtype-mismatch` for floats.
 *
 * Source: PyTorch's and NumPy's `bincount`.
 *
 * @example
 * ```ts
 * import { bincount, tensor } from "@gradus/tensor";
 * console.log(bincount(tensor([2, 0, 2], { dtype: "i32" }))); // → Tensor i32[3] [1, 0, 2]
 * ```
 */
export function bincount(x: Tensor, options: BincountOptions = {}): Tensor {
  return counted(x, valuesFor("bincount", x, INSTEAD), options);
}

/** {@link bincount}, on any device. */
export async function bincountAsync(x: Tensor, options: BincountOptions = {}): Promise<Tensor> {
  return counted(x, await awaitedValuesFor("bincount", x, INSTEAD), options);
}

function counted(x: Tensor, data: TypedArray, { weights, minLength = 0 }: BincountOptions): Tensor {
  if (isFloat(x.dtype))
    fail("dtype-mismatch", `bincount: expected whole numbers, got ${x.dtype}. Convert first: x.cast("i32")`);
  if (x.ndim !== 1) fail("shape-mismatch", `bincount: expected a vector, got ${formatShape(x.shape)}`);
  if (weights !== undefined && !sameShape(weights.shape, x.shape)) {
    fail(
      "shape-mismatch",
      `bincount: the weights ${formatShape(weights.shape)} must have the shape of x, ${formatShape(x.shape)}`,
    );
  }
  if (!Number.isInteger(minLength) || minLength < 0)
    fail("invalid-argument", `bincount: minLength must be a whole number of at least 0, got ${minLength}`);
  let length = minLength;
  for (const value of data) {
    if (value < 0) fail("invalid-argument", `bincount: expected no negative numbers, got ${value}`);
    length = Math.max(length, value + 1);
  }
  const dtype = weights === undefined || weights.dtype === "bool" ? "i32" : weights.dtype;
  const device = { dtype, device: x.device };
  const added = weights === undefined ? x.engine.full(x.shape, 1, device) : weights.cast(dtype);
  return scatterRows(x.engine.full([length], 0, device), 0, x.cast("i32"), added, "sum");
}
