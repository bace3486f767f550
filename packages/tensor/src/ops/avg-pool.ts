import { type AvgPoolOptions, fail, isFloat, type PerAxis, sizeOf, type Tensor } from "@gradus/core";
import { windowSum } from "./window-sum.js";
import { windowsOf } from "./windows.js";

export function avgPool(x: Tensor, size: PerAxis, options: AvgPoolOptions = {}): Tensor {
  if (!isFloat(x.dtype))
    fail("dtype-mismatch", `avgPool: expected floats, got ${x.dtype}. Convert first: x.cast("f32")`);
  if (options.divisorOverride === 0) fail("invalid-argument", "avgPool: divisorOverride must not be 0");
  const { lead, sizes, kernel, stride, dilation, padding, out } = windowsOf("avgPool", x, size, options);
  const spread = sizes.map(() => 1);
  const sumsOf = (source: Tensor, before: readonly number[]): Tensor =>
    windowSum(source, { kernel, stride, dilation, spread, padding: before, out });
  const sums = sumsOf(x.reshape([sizeOf(lead), ...sizes]), padding).reshape([...lead, ...out]);
  const { countIncludePad = true, ceilMode = false, divisorOverride } = options;
  if (divisorOverride !== undefined) return sums.div(divisorOverride);
  if (!ceilMode && (countIncludePad || padding.every((pad) => pad === 0))) return sums.div(sizeOf(kernel));
  // What counts in each window is a sum of ones.
  const ones = (shape: readonly number[]): Tensor =>
    x.engine.full([1, ...shape], 1, { dtype: x.dtype, device: x.device });
  const counts = countIncludePad
    ? sumsOf(
        ones(sizes.map((n, i) => n + 2 * (padding[i] as number))),
        padding.map(() => 0),
      )
    : sumsOf(ones(sizes), padding);
  return sums.div(counts.reshape(out));
}
