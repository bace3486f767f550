import { calculus as c, isFloat, type Tensor } from "@gradus/core";
import { pointwise } from "../elementwise.js";

export interface NanToNumOptions {
  /** What NaN becomes. Default 0. */
  readonly nan?: number;
  /** What Infinity becomes. Default: the dtype's greatest number. */
  readonly posinf?: number;
  /** What -Infinity becomes. Default: the dtype's least number. */
  readonly neginf?: number;
}

const GREATEST_F32 = 3.4028234663852886e38;
const GREATEST_F16 = 65504;

/**
 * `x` with NaN and the infinities replaced. Their gradient is 0.
 *
 * Source: PyTorch's `nan_to_num`.
 *
 * @example
 * ```ts
 * import { nanToNum, tensor } from "@gradus/tensor";
 * console.log(nanToNum(tensor([NaN, 1, Infinity]), { posinf: 9 })); // → Tensor f32[3] [0, 1, 9]
 * ```
 */
export function nanToNum(x: Tensor, options: NanToNumOptions = {}): Tensor {
  if (!isFloat(x.dtype)) return x;
  const greatest = x.dtype === "f64" ? Number.MAX_VALUE : x.dtype === "f16" ? GREATEST_F16 : GREATEST_F32;
  const { nan = 0, posinf = greatest, neginf = -greatest } = options;
  return pointwise("nanToNum", "number", [x, nan, posinf, neginf], (v, whenNaN, whenHigh, whenLow) =>
    c.where(
      c.equal(v, v),
      c.where(c.equal(v, Infinity), whenHigh, c.where(c.equal(v, -Infinity), whenLow, v)),
      whenNaN,
    ),
  );
}
