import { fail, formatShape, type PerAxis, sizeOf, type Tensor } from "@gradus/core";
import { overlap, slide } from "../ops/slide.js";
import { perAxis, windowCount } from "../ops/windows.js";

export interface PatchOptions {
  /** Default 1. */
  readonly stride?: PerAxis;
  /** Zeros on both sides. Default 0. */
  readonly padding?: PerAxis;
  /** The distance between a patch's elements. Default 1. */
  readonly dilation?: PerAxis;
}

/**
 * The patches of an image as columns: `[N, C, H, W]` to `[N, C kh kw, patches]`, what a convolution multiplies. The batch axis
 * may be missing.
 *
 * @throws `shape-mismatch` for other inputs, `invalid-argument` for sizes that are not whole numbers.
 *
 * Source: PyTorch's `nn.functional.unfold`.
 *
 * @example
 * ```ts
 * import { arange, im2col } from "@gradus/tensor";
 * console.log(im2col(arange(9).reshape([1, 1, 3, 3]), 2).shape); // → [ 1, 4, 4 ]
 * ```
 */
export function im2col(x: Tensor, kernelSize: PerAxis, options: PatchOptions = {}): Tensor {
  const way = wayOf("im2col", kernelSize, options);
  if (x.ndim !== 3 && x.ndim !== 4)
    fail("shape-mismatch", `im2col: expected [N, C, H, W] or [C, H, W], got ${formatShape(x.shape)}`);
  if (x.ndim === 3) return im2col(x.unsqueeze(0), kernelSize, options).squeeze(0);
  const [batch, channels, ...sizes] = x.shape as [number, number, number, number];
  const counts = countsOf("im2col", x, sizes, way);
  const { kernel, stride, dilation, padding } = way;
  let patches = x;
  if (padding.some((n) => n > 0)) patches = x.pad([[0, 0], [0, 0], ...padding.map((n) => [n, n] as const)]);
  kernel.forEach((size, i) => {
    patches = slide(patches, 2 + i, size, stride[i] as number, dilation[i] as number);
  });
  // [N, C, oh, ow, kh, kw], the windows' own positions before the patches'.
  return patches.permute([0, 1, 4, 5, 2, 3]).reshape([batch, channels * sizeOf(kernel), sizeOf(counts)]);
}

/**
 * The transpose of {@link im2col}: columns `[N, C kh kw, patches]` added up where their elements were, in images of `size`.
 *
 * @throws `shape-mismatch` for columns that do not fit the size.
 *
 * Source: PyTorch's `nn.functional.fold`.
 *
 * @example
 * ```ts
 * import { col2im, im2col, ones } from "@gradus/tensor";
 * const columns = im2col(ones([1, 1, 1, 3]), [1, 2]);
 * console.log(col2im(columns, [1, 3], [1, 2]).flatten()); // → Tensor f32[3] [1, 2, 1]
 * ```
 */
export function col2im(
  columns: Tensor,
  size: PerAxis,
  kernelSize: PerAxis,
  options: PatchOptions = {},
): Tensor {
  const sizes = perAxis("col2im", "the size", size, 2, 1);
  const way = wayOf("col2im", kernelSize, options);
  if (columns.ndim === 2) return col2im(columns.unsqueeze(0), sizes, kernelSize, options).squeeze(0);
  const { kernel, stride, dilation, padding } = way;
  const counts = countsOf("col2im", columns, sizes, way);
  const channels = (columns.shape[1] as number) / sizeOf(kernel);
  if (columns.ndim !== 3 || !Number.isInteger(channels) || columns.shape[2] !== sizeOf(counts)) {
    fail(
      "shape-mismatch",
      `col2im: expected [N, C * ${sizeOf(kernel)}, ${sizeOf(counts)}] for images of ${formatShape(sizes)}, got ${formatShape(columns.shape)}`,
    );
  }
  let image = columns
    .reshape([columns.shape[0] as number, channels, ...kernel, ...counts])
    .permute([0, 1, 4, 5, 2, 3]);
  for (const i of [1, 0]) {
    const length = (sizes[i] as number) + 2 * (padding[i] as number);
    image = overlap(image, 2 + i, length, stride[i] as number, dilation[i] as number);
  }
  return image.slice(null, null, ...padding.map((n, i) => [n, n + (sizes[i] as number)] as const));
}

interface Way {
  readonly kernel: readonly number[];
  readonly stride: readonly number[];
  readonly padding: readonly number[];
  readonly dilation: readonly number[];
}

function wayOf(op: string, kernelSize: PerAxis, options: PatchOptions): Way {
  return {
    kernel: perAxis(op, "kernelSize", kernelSize, 2, 1),
    stride: perAxis(op, "stride", options.stride ?? 1, 2, 1),
    padding: perAxis(op, "padding", options.padding ?? 0, 2, 0),
    dilation: perAxis(op, "dilation", options.dilation ?? 1, 2, 1),
  };
}

function countsOf(op: string, x: Tensor, sizes: readonly number[], way: Way): number[] {
  return sizes.map((size, i) => {
    const pad = way.padding[i] as number;
    return windowCount(op, x.shape, {
      size,
      kernel: way.kernel[i] as number,
      stride: way.stride[i] as number,
      dilation: way.dilation[i] as number,
      padding: [pad, pad],
    });
  });
}
