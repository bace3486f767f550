import { fail, formatShape, type Tensor } from "@gradus/core";

/**
 * Channels as pixels: `[..., C r r, H, W]` to `[..., C, H r, W r]`.
 *
 * @throws `shape-mismatch` for channels that r squared does not divide.
 *
 * Source: PyTorch's `nn.functional.pixel_shuffle`; Shi et al., "Real-Time Single Image and Video Super-Resolution Using an
 * Efficient Sub-Pixel Convolutional Neural Network", 2016.
 *
 * @example
 * ```ts
 * import { pixelShuffle, tensor } from "@gradus/tensor";
 * console.log(pixelShuffle(tensor([[[1]], [[2]], [[3]], [[4]]]), 2).toArray()); // → [ [ [ 1, 2 ], [ 3, 4 ] ] ]
 * ```
 */
export function pixelShuffle(x: Tensor, factor: number): Tensor {
  if (!Number.isInteger(factor) || factor < 1)
    fail("invalid-argument", `pixelShuffle: the factor must be a whole number of at least 1, got ${factor}`);
  const [channels, height, width] = x.shape.slice(-3) as [number, number, number];
  if (x.ndim < 3 || channels % factor ** 2 !== 0) {
    fail(
      "shape-mismatch",
      `pixelShuffle: expected [..., C * ${factor ** 2}, H, W], got ${formatShape(x.shape)}`,
    );
  }
  const batch = x.shape.slice(0, -3);
  const n = batch.length;
  const kept = channels / factor ** 2;
  return x
    .reshape([...batch, kept, factor, factor, height, width])
    .permute([...batch.map((_, axis) => axis), n, n + 3, n + 1, n + 4, n + 2])
    .reshape([...batch, kept, height * factor, width * factor]);
}
