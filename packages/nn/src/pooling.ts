import {
  type AvgPoolOptions,
  fail,
  formatShape,
  type Layer,
  type MaxPoolOptions,
  type PerAxis,
  type Tensor,
} from "@gradus/core";
import { formatSize } from "./convolution.js";
import { perAxis } from "./per-axis.js";
import { type Empty, stateless } from "./stateless.js";

/** What the pooling layers share: windows over the last `rank` axes, checked when the layer is made. */
export function pooling(
  own: string,
  rank: 1 | 2,
  kernelSize: PerAxis,
  options: MaxPoolOptions & AvgPoolOptions,
  pool: (x: Tensor, kernel: readonly number[]) => Tensor,
): Layer<Empty, Empty> {
  const kernel = perAxis(own, "kernelSize", kernelSize, rank, 1);
  perAxis(own, "stride", options.stride ?? kernel, rank, 1);
  perAxis(own, "dilation", options.dilation ?? 1, rank, 1);
  const padding = perAxis(own, "padding", options.padding ?? 0, rank, 0);
  if (padding.some((pad, i) => pad > (kernel[i] as number) / 2)) {
    fail(
      "invalid-argument",
      `${own}: padding must be at most half of kernelSize ${formatSize(kernelSize)}, got ${padding}`,
    );
  }
  const name = `${own}(${formatSize(kernelSize)})`;
  return stateless(name, (x) => {
    checkPlanes(name, x, rank);
    return pool(x, kernel);
  });
}

/** Throws unless x is `[N, C, ...]` or `[C, ...]` with `rank` axes after the channels. */
export function checkPlanes(name: string, x: Tensor, rank: 1 | 2): void {
  if (x.ndim === rank + 1 || x.ndim === rank + 2) return;
  const axes = rank === 1 ? "L" : "H, W";
  fail(
    "shape-mismatch",
    `${name}: expected inputs [N, C, ${axes}] or [C, ${axes}], got ${formatShape(x.shape)}`,
  );
}
